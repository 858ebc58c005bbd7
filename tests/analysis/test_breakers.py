"""Volatile values are found by their look, and nothing that stays as it is is taken for one."""

import doctest
import re
from pathlib import Path

import pytest

from llm_observer.analysis.breakers import detect_breakers, find_spans, mask
from llm_observer.analysis.breakers.compare import compare_masked
from llm_observer.analysis.breakers.kinds import KINDS, MARKERS

_MARKUP = re.compile(r"\[\[(?P<kind>[a-z_]+)\|(?P<value>[^|]*?)\]\]")
_CONTRACT = {
    "timestamp",
    "date",
    "uuid",
    "session_id",
    "random_id",
    "nonce",
    "counter",
    "temp_path",
    "volatile_url",
}


def _cases() -> list[str]:
    lines = (Path(__file__).parent / "breakers_cases.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _parse(line: str) -> tuple[str, list[tuple[str, str]]]:
    """The text of a case, and the kind and value of each volatile value in it."""
    line = line.replace("\\n", "\n")
    return _MARKUP.sub(lambda match: match["value"], line), [(m["kind"], m["value"]) for m in _MARKUP.finditer(line)]


@pytest.mark.parametrize("line", _cases())
def test_finds_each_value_and_nothing_else(line: str) -> None:
    """Kind, start and end of every value are as written in the case."""
    text, expected = _parse(line)
    assert [(span.kind, text[span.start : span.end]) for span in find_spans(text)] == expected


def test_a_clock_behind_a_day_and_a_bar_is_found() -> None:
    assert [(span.start, span.end, span.kind) for span in find_spans("INFO [01-13|03:27:58] loaf out")] == [
        (6, 20, "datetime")
    ]


@pytest.mark.parametrize("padding", ["", "\u00e9", "\u00e9" * 400])
@pytest.mark.parametrize("clock", ["14:33:02", "\u0661\u0664:\u0663\u0663:\u0660\u0662"])
def test_a_time_is_found_among_characters_of_any_script(padding: str, clock: str) -> None:
    """Few or many characters that are not ASCII, and digits of another script."""
    text = f"{padding} at {clock} today"
    assert [text[span.start : span.end] for span in find_spans(text)] == [clock]


@pytest.mark.parametrize(
    ("line", "value", "kind"),
    [
        ("2026-03-24 14:33:02 done", "2026-03-24 14:33:02", "datetime"),
        ("Mar 24 14:33:02 rack sshd", "Mar 24 14:33:02", "datetime"),
        ("14:33:02 done", "14:33:02", "clock"),
        ("session_id: k3vq81xz7w", "k3vq81xz7w", "keyed_id"),
        ("0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10", "0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10", "uuid"),
        ("call_Zk3Vb81xQz7wRt5yUi9oPa2s", "call_Zk3Vb81xQz7wRt5yUi9oPa2s", "random_id"),
        ("Attempt 4 of 9", "4", "counter"),
    ],
)
@pytest.mark.parametrize("escape", ["\\n", "\\t", "\\r\\n"])
def test_a_value_behind_an_escaped_line_break_is_found(escape: str, line: str, value: str, kind: str) -> None:
    """Request bodies hold the line breaks of a prompt as two characters."""
    text = f'{{"content": "as told.{escape}{line}{escape}end"}}'
    assert [(text[span.start : span.end], span.kind) for span in find_spans(text)] == [(value, kind)]


def test_there_are_enough_cases() -> None:
    """The cases hold at least 150 texts, of which a third is clean."""
    cases = [_parse(line) for line in _cases()]
    assert len(cases) >= 150
    assert sum(not expected for _, expected in cases) >= 50
    assert {kind for _, expected in cases for kind, _ in expected} >= set(KINDS) - {"token"}


def test_every_kind_has_a_category_of_the_contract() -> None:
    assert {kind.category for kind in KINDS.values()} == _CONTRACT
    assert set(MARKERS) == _CONTRACT


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("run 0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10", "uuid"),
        ("session: 0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10", "session_id"),
        ('"requestId": "01KMG3T4R8W2XZ6YB5N7QD9VFC"', "session_id"),
        ("x-trace-id: 8c1f0e5ab2d41f8a0c9b7e65", "session_id"),
        ("user id call_Zk3Vq8TnRw5YpLx1JbHs7GdC", "session_id"),
        ("tool call call_Zk3Vq8TnRw5YpLx1JbHs7GdC", "random_id"),
        ("order_id: 482133", "random_id"),
        ("nonce=8c1f0e5ab2", "nonce"),
    ],
)
def test_an_id_whose_key_names_a_session_request_trace_or_user_is_a_session_id(text: str, category: str) -> None:
    """Whatever its shape; other ids keep the category of their shape."""
    assert [breaker.category for breaker in detect_breakers(text)] == [category]


def test_a_breaker_says_how_sure_it_is_and_what_to_do() -> None:
    (breaker,) = detect_breakers("It is 2026-03-24T14:33:02Z.")
    assert (breaker.category, breaker.start, breaker.end) == ("timestamp", 6, 26)
    assert 0.9 <= breaker.confidence <= 1
    assert "time" in breaker.hint
    assert "2026" not in breaker.hint


def test_masking_makes_texts_equal_that_differ_in_volatile_values() -> None:
    one = "Session 8c1f0e5ab2d41f8a at 2026-03-24T14:33:02Z, attempt 2 of 5."
    two = "Session 77d0a1c2e3f44567 at 2026-04-01T09:05:41Z, attempt 3 of 5."
    assert mask(one) == mask(two)
    assert mask(one) == "Session ⟨session_id⟩ at ⟨timestamp⟩, attempt ⟨counter⟩ of 5."


def test_masking_twice_is_masking_once() -> None:
    for line in _cases():
        masked = mask(_parse(line)[0])
        assert mask(masked) == masked


def test_no_value_behind_the_limit_is_reported_and_none_is_cut() -> None:
    """A value across the limit is left out whole; the text behind is not examined."""
    value = "2026-03-24T14:33:02Z"
    text = f"{value} and {value}"
    for limit in range(len(text) + 2):
        found = [(span.start, span.end) for span in find_spans(text, limit)]
        expected = [(0, 20)] * (limit >= 20) + [(25, 45)] * (limit >= 45)
        assert found == expected
    assert find_spans(text, None) == find_spans(text)
    assert find_spans("a" * 10_000_000, 1000) == []


def test_comparison_tells_a_volatile_difference_from_another() -> None:
    first = "You are a helper. Time: 14:33:02. Answer in verse."
    same = compare_masked(first, first)
    assert (same.first_difference, same.masked_prefix, same.span, same.restores) == (None, len(first), None, False)
    noise = compare_masked(first, first.replace("14:33:02", "09:01:59"))
    assert (noise.first_difference, noise.masked_prefix, noise.restores) == (first.index("14"), len(first), True)
    assert noise.span is not None
    assert noise.span.kind == "clock"
    content = compare_masked(first, first.replace("verse", "prose"))
    at = first.index("verse")
    assert (content.first_difference, content.masked_prefix, content.span, content.restores) == (at, at, None, False)


def test_comparison_of_both_kinds_of_difference_ends_where_the_content_differs() -> None:
    first = "At 14:33:02 say yes to 8c1f0e5ab2d41f8a."
    assert compare_masked(first, "At 9:01:59 say no to 8c1f0e5ab2d41f8a.").masked_prefix == first.index("yes")
    assert compare_masked(first, "At 9:01:59 say yes to 2026-03-24.").masked_prefix == first.index("8c1f")
    assert compare_masked(first, "At 9:01:59 say yes to you.").masked_prefix == first.index("8c1f")


def test_the_examples_of_the_documentation_run() -> None:
    path = Path(__file__).parents[2] / "docs" / "breakers.md"
    result = doctest.testfile(str(path), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS)
    assert result.attempted >= 10
    assert result.failed == 0
