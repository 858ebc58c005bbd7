"""Values that only a comparison can know: ids of letters only, known by differing and not by their look."""

# ruff: noqa: E501 - a pair reads best on one line

import json
import time

import pytest

from llm_observer.analysis.breakers import detect_breakers
from llm_observer.analysis.breakers.faint import find_faint
from llm_observer.analysis.canonical import EXAMINED, canonical_forms
from llm_observer.analysis.segments import Segment

PAIRS = [
    ("session_id", "user_id: usr_NhrCVZoigZrfpvib", "user_id: usr_a7Kq2mXw9RtYp4Zs"),
    ("session_id", "session_id: kqzvwxjh", "session_id: wpfgtbxq"),
    ("session_id", "Session ID: 20300825", "Session ID: 49210721"),
    ("session_id", "Request req_NhrCVZoigZrfpvib began.", "Request req_xkTqZrWpLmBvHsDc began."),
    ("random_id", "Workspace file-xBNLoeqsMQzuMrwCgQLDJHWM is loaded.", "Workspace file-a7Kq2mXw9RtYp4Zsa7Kq2mXw is loaded."),
    ("random_id", "order_id: kqzvwxjhbn", "order_id: wpfgtbxqzr"),
    ("nonce", "nonce=xBNLoeqsMQzuMrwCgQLDJHWMgNmCcfYatqEoPRwZAY==", "nonce=a7Kq2mXw9RtYp4Zsa7Kq2mXw9RtYp4Zsa7Kq2mXw9R=="),
    ("temp_path", "cwd: /tmp/run-ccdefeeb/work", "cwd: /tmp/run-66eab296/work"),
    ("volatile_url", "https://a.example/m?token=AbWUPsrZqSSpYxosswJnMkGksGTHSgwx", "https://a.example/m?token=a7Kq2mXw9RtYp4Zsa7Kq2mXw9RtYp4Zs"),
]  # fmt: skip

EDITS = [
    ("You help customers of the bakery.", "You help customers of the brewery."),
    ("user: administrator", "user: moderators"),
    ("session: interactive", "session: background"),
    ("user_id: required", "user_id: optional"),
    ("session_id: anonymous", "session_id: placeholder"),
    ("Load file-QuarterlyReportFinal first.", "Load file-QuarterlyReportDraft first."),
    ("Call get_CustomerAccountList now.", "Call get_CustomerAccountItems now."),
    ("model: gpt-4o-mini", "model: gpt-4o-nano"),
    ("theme=solarized", "theme=highcontrast"),
    ("Answer in Norwegian.", "Answer in Hungarian."),
    ("Write to /tmp/reports/summary.txt", "Write to /tmp/results/summary.txt"),
    ("https://a.example/m?token=YOUR_TOKEN", "https://a.example/m?token=MY_TOKEN"),
    ("order: ascending", "order: descending"),
    ("request: getUserProfile", "request: setUserProfile"),
    ("Costs: 12345678 EUR", "Costs: 87654329 EUR"),
]


def forms(line: str) -> list[str]:
    """The canonical forms of a text and of a tool that hold a line."""
    words = Segment("system[0]", "system", f"You help.\n{line}\nBe kind.", role="system")
    tool = Segment("tools[0]", "tool", json.dumps({"name": "find", "description": f"Finds. {line}"}), is_json=True)
    return [canonical_forms(words).canonical, canonical_forms(tool).canonical]


@pytest.mark.parametrize(("category", "one", "other"), PAIRS)
def test_two_ids_in_one_place_are_one_value_that_changed(category: str, one: str, other: str) -> None:
    """Also where only one of the two can be told by its look."""
    assert forms(one) == forms(other)
    assert [span.category for span in find_faint(one, EXAMINED)] == [category]


@pytest.mark.parametrize(("one", "other"), EDITS)
def test_a_word_in_place_of_another_is_an_edit(one: str, other: str) -> None:
    for a, b in zip(forms(one), forms(other), strict=True):
        assert a != b


@pytest.mark.parametrize("line", [PAIRS[0][1], "session_id: gorwbalq", PAIRS[4][1], PAIRS[6][1]])
def test_what_only_a_comparison_knows_is_not_said_of_one_text(line: str) -> None:
    """Letters that might make a name, even under a key: those that make none are known by themselves."""
    assert detect_breakers(line) == []
    assert find_faint(line, len(line)) != []


def test_letters_that_make_no_name_are_known_under_an_id_by_themselves() -> None:
    assert [breaker.category for breaker in detect_breakers(PAIRS[1][1])] == ["session_id"]
    assert detect_breakers("kqzvwxjh") == []


def test_a_value_across_the_limit_is_left_alone() -> None:
    line = "user_id: usr_NhrCVZoigZrfpvib"
    assert find_faint(line, len(line)) != []
    assert find_faint(f"{line} and more", len(line) - 1) == []
    assert find_faint(f"{line} and more", len(line)) == find_faint(line, len(line))


@pytest.mark.parametrize(
    "unit", ["a_", "user_id: ", "aB", "session=kqzvwxjh ", "?token=aB", "/tmp/abcdefab-", ":" * 3, "a-aA"]
)
def test_hostile_text_takes_no_longer_than_it_is_long(unit: str) -> None:
    """Ten times the text takes far less than a hundred times as long."""

    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.process_time()
        find_faint(text, size)
        return time.process_time() - began

    cost(1000)
    assert cost(EXAMINED * 8) < 40 * max(0.004, min(cost(EXAMINED), cost(EXAMINED)))
