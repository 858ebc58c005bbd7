"""The provider's own diagnostics confirm or correct a verdict, and never contradict usage."""

from typing import Any

import pytest

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
    assert (verdict.cause, verdict.location, verdict.offset) == ("tool_schema", "tools", None)
    assert verdict.causes == ("tool_schema", "timestamp")
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
