"""The provider's own diagnostics confirm or correct a verdict, and never contradict usage."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from recorded import JSON, recorder
from workload import Writer

import llm_observer
from llm_observer.analysis.diagnostics import reconcile
from llm_observer.results import Verdict

BROKEN = Verdict(
    outcome="miss",
    broke=True,
    avoidable=True,
    cause="timestamp",
    causes=("timestamp",),
    location="system[0]",
    offset=6,
    expected_tokens=3000,
    reported_tokens=0,
    missed_tokens=3000,
    confidence=0.9,
    confirmed_by=("usage", "counterfactual"),
)
COLD = Verdict(outcome="cold", expected_tokens=0, reported_tokens=0, missed_tokens=0, confidence=0.7)
HIT = Verdict(outcome="hit", expected_tokens=3000, reported_tokens=3000, missed_tokens=0, confidence=0.9)


def anthropic(reason: str, tokens: int = 2900) -> dict[str, Any]:
    return {"cache_miss_reason": {"type": reason, "cache_missed_input_tokens": tokens}}


def openai(reason: str, tokens: int = 2900) -> dict[str, Any]:
    return {"type": "cache_miss", "reason": reason, "cache_missed_tokens": tokens}


def test_a_reason_at_the_same_place_confirms() -> None:
    verdict = reconcile(BROKEN, anthropic("system_changed"))
    assert (verdict.cause, verdict.location, verdict.offset) == ("timestamp", "system[0]", 6)
    assert verdict.confirmed_by == ("usage", "counterfactual", "provider_diagnostics")
    assert verdict.confidence > BROKEN.confidence


def test_a_reason_elsewhere_corrects_and_keeps_what_was_found() -> None:
    verdict = reconcile(BROKEN, anthropic("tools_changed"))
    assert (verdict.cause, verdict.location, verdict.offset) == ("input_changed", "tools", None)
    assert verdict.causes == ("input_changed", "timestamp")
    assert verdict.confirmed_by == ("usage", "provider_diagnostics")
    assert verdict.hint


@pytest.mark.parametrize(
    ("diagnostics", "cause"),
    [
        (openai("model_changed"), "model_changed"),
        (openai("prompt_cache_key_changed"), "cache_key_changed"),
        (openai("context_compacted"), "compaction"),
        (openai("reasoning_effort_changed"), "effort_changed"),
        (anthropic("messages_changed"), "input_changed"),
    ],
)
def test_where_this_process_knows_of_no_earlier_call_the_provider_may(diagnostics: dict[str, Any], cause: str) -> None:
    verdict = reconcile(COLD, diagnostics)
    assert (verdict.broke, verdict.cause, verdict.outcome) == (True, cause, "miss")
    assert (verdict.expected_tokens, verdict.missed_tokens) == (2900, 2900)
    assert verdict.tokens_method == "provider_diagnostics"


@pytest.mark.parametrize("diagnostics", [anthropic("system_changed"), openai("tools_changed")])
def test_usage_that_shows_the_read_is_not_contradicted(diagnostics: dict[str, Any]) -> None:
    assert reconcile(HIT, diagnostics) == HIT


@pytest.mark.parametrize(
    "diagnostics",
    [
        None,
        {},
        {"cache_miss_reason": None},
        anthropic("unavailable"),
        anthropic("previous_message_not_found"),
        {"type": "cache_hit"},
        {"type": "cache_miss", "reason": 7},
        {"cache_miss_reason": ["system_changed"]},
    ],
)
def test_what_says_nothing_changes_nothing(diagnostics: dict[str, Any] | None) -> None:
    assert reconcile(BROKEN, diagnostics) == BROKEN
    assert reconcile(COLD, diagnostics) == COLD


@pytest.mark.parametrize("tokens", [True, -3, "many", None, 1.5])
def test_a_count_that_is_none_makes_no_cold_call_a_break(tokens: Any) -> None:
    assert reconcile(COLD, anthropic("system_changed", tokens)) == COLD


def test_without_a_reported_read_there_is_nothing_to_confirm() -> None:
    unknown = Verdict(outcome="not_reported")
    assert reconcile(unknown, anthropic("system_changed")) == unknown


WRITER = Writer(5)
TOOLS: list[JSON] = [
    {"name": name, "description": WRITER.text(12), "input_schema": {"type": "object", "properties": {}}}
    for name in ("find_order", "refund", "escalate", "ship_again")
]
MARKER: JSON = {"cache_control": {"type": "ephemeral"}}


def asked(tools: list[JSON], system: str, question: str = "Where is my parcel?") -> JSON:
    return {
        "model": "claude-sonnet-4-5",
        "max_tokens": 64,
        "tools": tools,
        "system": [{"type": "text", "text": system, **MARKER}],
        "messages": [{"role": "user", "content": question}],
    }


def compared(first: JSON, second: JSON, reason: str, *, known: bool = True, after_s: float = 10.0) -> Verdict:
    """The verdict on a second call, which Anthropic has compared with the first, or with one not known here."""
    with recorder() as calls:
        before = calls.call("messages", {**first, "diagnostics": {"previous_message_id": None}})
        named = before["response"]["id"] if known else "msg_of_another_process"
        after = calls.call("messages", {**second, "diagnostics": {"previous_message_id": named}}, after_s=after_s)
    before["response"]["diagnostics"] = None
    after["response"]["diagnostics"] = anthropic(reason, before["response"]["usage"]["cache_creation_input_tokens"])
    return llm_observer.analyze(calls.records)[-1].cache


def shuffled(tools: list[JSON]) -> list[JSON]:
    return [tools[0], tools[2], tools[1], tools[3]]


def added(tools: list[JSON]) -> list[JSON]:
    return [*tools, {**tools[0], "name": "close_ticket"}]


def removed(tools: list[JSON]) -> list[JSON]:
    return [tools[0], *tools[2:]]


def described(tools: list[JSON]) -> list[JSON]:
    return [*tools[:3], {**tools[3], "description": "Sends it once more."}]


def turned(tools: list[JSON]) -> list[JSON]:
    return [tools[0], dict(reversed(tools[1].items())), *tools[2:]]


def dated(tools: list[JSON]) -> list[JSON]:
    return [*tools[:2], {**tools[2], "description": f"As of 2026-11-22T10:00:27Z. {tools[2]['description']}"}, tools[3]]


Change = Callable[[list[JSON]], list[JSON]]
TOOL_CHANGES: dict[str, tuple[Change, str, str]] = {
    "order": (shuffled, "tool_order", "tools[1]"),
    "added": (added, "tool_membership", "tools[4]"),
    "removed": (removed, "tool_membership", "tools[1]"),
    "definition": (described, "tool_schema", "tools[3]"),
    "keys": (turned, "json_key_order", "tools[1]"),
}


@pytest.mark.parametrize("change", TOOL_CHANGES)
@pytest.mark.parametrize("same_system", [True, False], ids=["alone", "with another system text"])
def test_how_the_tools_changed_is_seen_where_the_request_before_is_known(change: str, *, same_system: bool) -> None:
    """Behind other tools another system text leaves nothing in common: that it is one session is for the id to say."""
    edit, cause, where = TOOL_CHANGES[change]
    system = WRITER.text(150)
    first = asked(TOOLS, system)
    second = asked(edit(copy.deepcopy(TOOLS)), system if same_system else Writer(6).text(150), "And my refund?")
    verdict = compared(first, second, "tools_changed")
    assert (verdict.broke, verdict.cause, verdict.location) == (True, cause, where)
    assert "provider_diagnostics" in verdict.confirmed_by
    assert verdict.missed_tokens


def test_tools_that_changed_and_more_are_all_named() -> None:
    first, second = asked(TOOLS, WRITER.text(150)), asked(added(dated(shuffled(TOOLS))), Writer(6).text(150))
    verdict = compared(first, second, "tools_changed")
    assert (verdict.cause, verdict.causes) == ("tool_membership", ("tool_membership", "tool_schema"))


@pytest.mark.parametrize("change", TOOL_CHANGES)
def test_how_the_tools_changed_stays_open_where_it_was_not_seen(change: str) -> None:
    """The request that was compared with is another process's, and this one's were all alike, or none."""
    edit, *_ = TOOL_CHANGES[change]
    system = WRITER.text(150)
    other = asked(edit(copy.deepcopy(TOOLS)), system)
    cold = compared(asked(TOOLS[:1], Writer(6).text(150)), other, "tools_changed", known=False)
    expired = compared(other, other, "tools_changed", known=False, after_s=4000.0)
    for verdict in (cold, expired):
        assert (verdict.broke, verdict.cause, verdict.location) == (True, "input_changed", "tools")
        assert verdict.confirmed_by == ("usage", "provider_diagnostics")
        assert verdict.hint
        assert "tools" in verdict.hint
    assert expired.causes == ("input_changed", "ttl_expired")


def test_tools_that_changed_over_night_are_seen_in_the_last_call_of_the_prompt() -> None:
    """Its id is not known, and nothing that it left is in the cache any more; the provider knows it all the same."""
    system = WRITER.text(150)
    first, second = asked(TOOLS, system), asked(removed(TOOLS), system, "And my refund?")
    verdict = compared(first, second, "tools_changed", known=False, after_s=30_000.0)
    assert (verdict.broke, verdict.cause, verdict.location) == (True, "tool_membership", "tools[1]")


def test_what_was_found_among_the_tools_is_the_cause_that_is_confirmed() -> None:
    """Ours was another, ahead of it in the contract's order; the provider names the tools first."""
    found = replace(BROKEN, cause="cache_key_changed", causes=("cache_key_changed", "tool_order"))
    verdict = reconcile(found, openai("tools_changed"))
    assert (verdict.cause, verdict.causes) == ("tool_order", ("tool_order", "cache_key_changed"))
    assert verdict.location == "tools"


def test_a_system_text_that_changed_is_looked_into_too() -> None:
    """The entry had expired as well, which the provider does not say."""
    rules = WRITER.text(150)
    first, second = (asked(TOOLS, f"It is 2026-11-22T1{hour}:00:27Z now. {rules}") for hour in (0, 2))
    verdict = compared(first, second, "system_changed", after_s=7200.0)
    assert (verdict.broke, verdict.cause, verdict.location) == (True, "timestamp", "system[0]")
    assert "provider_diagnostics" in verdict.confirmed_by


@pytest.mark.parametrize("cause", ["ttl_expired", "evicted_or_rerouted", "lookback_exceeded", "no_breakpoint"])
@pytest.mark.parametrize("where", ["system[0]", "messages[3].content[0]"])
def test_a_message_that_changed_neither_confirms_nor_refutes_what_is_no_change(cause: str, where: str) -> None:
    """It may stand behind all that could have been read."""
    found = replace(BROKEN, cause=cause, causes=(cause,), location=where)
    assert reconcile(found, anthropic("messages_changed")) == found


def test_a_system_text_that_changed_refutes_that_nothing_did() -> None:
    found = replace(BROKEN, cause="evicted_or_rerouted", causes=("evicted_or_rerouted",), location="system[0]")
    verdict = reconcile(found, anthropic("system_changed"))
    assert (verdict.cause, verdict.causes) == ("system_changed", ("system_changed",))


def test_a_loss_without_a_figure_gets_the_provider_s() -> None:
    """What stands behind search results is counted nowhere else."""
    found = replace(
        BROKEN, expected_tokens=None, missed_tokens=None, reported_tokens=4000, confirmed_by=("counterfactual",)
    )
    verdict = reconcile(found, anthropic("system_changed", 2900))
    assert (verdict.expected_tokens, verdict.missed_tokens, verdict.tokens_error) == (6900, 2900, 0.1)
    assert verdict.tokens_method == "provider_diagnostics"
    assert reconcile(found, openai("input_changed")).missed_tokens is None
