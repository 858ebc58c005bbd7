"""The report as people and machines get it."""

import io
import json

import pytest
from report_events import broken, event
from rich.console import Console

from llm_observer.report.families import Report
from llm_observer.report.machine import as_json
from llm_observer.report.render import WIDTH, console, render
from llm_observer.report.summary import summarize


def text(report: Report, width: int = WIDTH) -> str:
    out = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    with out.capture() as captured:
        out.print(render(report, title="a [title]"))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


HEALTHY = [event(100 + n, family="b" * 16, function="answer", read=1800, expected_tokens=1800) for n in range(4)]


def test_a_family_that_loses_money_is_told_with_cause_place_line_fix_and_saving() -> None:
    said = text(summarize([event(0, outcome="cold"), *(broken(n) for n in range(1, 5)), *HEALTHY]))
    expected = """
   1 triage_tickets   claude-opus-5-5 · 5 calls                                         $0.0320 lost
     A timestamp changes the prompt on every call
     where   system[0], character 14
     code    /srv/app/claude.py:61
     fix     Move the time behind the part that stays the same, for example into the last user
             message.
     saves   about $6.40 in every 1,000 calls like these 5
     cache   gave 0 % of the input, could have given 72 %
"""
    assert expected in said


def test_what_the_prompt_says_at_the_place_is_shown_to_who_asked_for_it() -> None:
    """The words of a call that broke at the place that is named, and none of another place's."""
    calls = [broken(n) | {"local": {"snippet": "Current time: ⟨timestamp⟩"}} for n in range(4)]
    calls.append(broken(4, offset=99) | {"local": {"snippet": "elsewhere"}})
    report = summarize(calls)
    assert "     text    Current time: ⟨timestamp⟩\n" in text(report)
    (family,) = as_json(report)["families"]
    assert family["findings"][0]["snippet"] == "Current time: ⟨timestamp⟩"


def test_the_sum_says_what_the_cache_gave_and_should_have_given() -> None:
    said = text(summarize([*(broken(n) for n in range(4)), *HEALTHY]))
    assert "8 calls   16,000 tokens in, 400 out" in said
    assert "7,200 of 14,400 tokens it could have" in said
    assert "50 %" in said
    assert "$0.0320 avoidable, 40 % of what was spent" in said


def test_a_healthy_family_is_marked_healthy() -> None:
    said = text(summarize(HEALTHY))
    (row,) = [line for line in said.splitlines() if "answer" in line]
    assert row.split() == ["answer", "claude-opus-5-5", "4", "90", "%", "$0.0400", "$0", "✓", "healthy"]
    assert "Where money is lost" not in said
    assert "Lost         nothing" in said


def test_what_is_not_known_is_a_dash_and_what_to_add_is_said() -> None:
    unknown = [
        event(n, model="acme-7b", provider="openai", usd=None, saved=None, read=None, reason="unknown_model")
        for n in range(3)
    ]
    said = text(summarize(unknown))
    assert "Spent       -   without 3 calls whose cost is not known" in said
    assert "Cache gave  not reported by the provider" in said
    assert "acme-7b (openai)  3 calls: no price is known for this model; put its price into a file" in said
    (row,) = [line for line in said.splitlines() if "triage_tickets" in line]
    assert row.split()[-8:] == ["3", "-", "-", "-", "cache", "use", "not", "reported"]
    assert "$0" not in said


def test_lost_reads_of_a_model_without_a_price_are_told_without_money() -> None:
    said = text(
        summarize([broken(n, lost_usd=None, usd=None) | {"cost": {"reason": "unknown_model"}} for n in range(3)])
    )
    assert "price unknown" in said
    assert "A timestamp changes the prompt" in said
    assert "1,000 calls" not in said


def test_losses_by_choice_and_other_causes_are_told_apart() -> None:
    chosen = [broken(n, avoidable=False, cause="compaction", lost_usd="0.02") for n in range(3)]
    said = text(summarize([*chosen, broken(4), broken(5, cause="uuid", location=None, offset=None)]))
    assert "$0.0160 avoidable, 32 % of what was spent   $0.0600 not avoidable" in said
    assert "$0.0760 lost, not avoidable" in said
    assert "also    A timestamp changes the prompt on every call (system[0], character 14, 1 call)" in said
    assert "also    A UUID changes the prompt (1 call)" in said


def test_a_function_other_than_the_familys_name_is_told() -> None:
    said = text(summarize([broken(n, family="checkout bot") for n in range(3)]))
    assert "code    /srv/app/claude.py:61  in triage_tickets" in said


def test_a_finding_without_line_place_or_hint_leaves_them_out() -> None:
    said = text(summarize([broken(n, call={"site": None}, location=None, hint=None) for n in range(3)]))
    assert "code " not in said
    assert "where " not in said
    assert "fix " not in said


def test_many_families_are_cut_and_counted() -> None:
    calls = [
        broken(n, family=f"{k:016x}", function=f"lose_{k}", lost_usd=str(1 + k)) for k in range(12) for n in range(3)
    ]
    calls += [event(n, family=f"{k:016x}", function=f"win_{k}", read=9) for k in range(100, 125) for n in range(3)]
    said = text(summarize(calls))
    assert "2 more lose $9.00 in all" in said
    assert "and 5 more" in said


def test_nothing_that_could_be_read_is_said_so() -> None:
    said = text(summarize([event(n, outcome="uncacheable", expected_tokens=0) for n in range(3)]))
    assert "nothing could be read from it" in said
    assert "nothing to cache" in said


def test_failed_calls_are_counted() -> None:
    said = text(
        summarize([event(n, usd=None, input_tokens=None, read=None, call={"error_type": "X"}) for n in range(3)])
    )
    assert "Calls        3 calls   - tokens in, 150 out" in said
    assert "Failed       3 calls   3 X" in said
    assert "all calls failed: X" in said


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    said = text(summarize([*(broken(n) for n in range(4)), *HEALTHY]), width)
    assert max(map(len, said.splitlines())) <= width


def test_the_console_is_plain_and_a_hundred_wide_unless_it_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (console().is_terminal, console().width) == (False, 100)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "72")
    assert console().width == 72
    monkeypatch.setenv("COLUMNS", "300")
    assert console().width == 100
    monkeypatch.setenv("NO_COLOR", "1")
    assert console().no_color


def test_names_are_printed_as_they_are() -> None:
    """Brackets and colons in names are no markup."""
    said = text(summarize([broken(n, family="bot [red] :smile:") for n in range(3)]))
    assert "bot [red] :smile:" in said
    assert "a [title]" in said


def test_json_has_money_as_decimal_strings_and_the_unknown_as_null() -> None:
    report = json.loads(json.dumps(as_json(summarize([*(broken(n) for n in range(4)), *HEALTHY]))))
    assert report["totals"]["cost_usd"] == "0.0800"
    losing, healthy = report["families"]
    assert losing["status"] == "losing"
    assert losing["lost_usd_per_1000_calls"] == "8.000000"
    assert losing["findings"][0]["site"] == {"file": "/srv/app/claude.py", "function": "triage_tickets", "line": 61}
    assert healthy["lost_usd_per_1000_calls"] is None
    nothing = as_json(summarize([]))
    assert nothing["period"] == {"first": None, "last": None}
    assert nothing["totals"]["cost_usd"] is None
    assert nothing["totals"]["cache_share"] is None
