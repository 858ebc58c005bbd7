"""OpenAI's `prompt_cache_diagnostics` on planted traffic: what they confirm, correct, complete, and leave as it was.

They are of the Responses API from GPT-5.6 on, and compare with the response that the request names.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from recorded import JSON, recorder
from scenarios import PLANS, Planted, Source
from traffic import SHAPE

import llm_observer
from llm_observer.results import Verdict

NEWER = SHAPE["responses newer"]
HIT: JSON = {"type": "cache_hit"}


def missed(reason: str, tokens: int = 2000) -> JSON:
    return {"type": "cache_miss", "reason": reason, "cache_missed_tokens": tokens, "comparison_reusable_tokens": tokens}


def told(steps: Iterator[Planted], reason: str) -> Iterator[tuple[Planted, Verdict, Verdict]]:
    """Each call with the verdict on it, without and with diagnostics, which name `reason` where a read was lost."""
    planned = list(steps)
    with recorder() as calls:
        for step in planned:
            body = step.talk.body()
            if step.model:
                body["model"] = step.model
            if calls.records:
                options: JSON = body.get("prompt_cache_options", {})
                named = {"comparison_response_id": calls.records[-1]["response"]["id"]}
                body["prompt_cache_options"] = options | named
            calls.call("responses", body, after_s=step.after_s)
            if step.spoil is not None:
                step.spoil(calls.records[-1]["response"])
    plain = [report.cache for report in llm_observer.analyze(calls.records)]
    for n, (record, verdict) in enumerate(zip(calls.records, plain, strict=True)):
        record["response"]["prompt_cache_diagnostics"] = missed(reason) if verdict.broke else HIT if n else None
    yield from zip(planned, plain, [report.cache for report in llm_observer.analyze(calls.records)], strict=True)


CONFIRMED = [
    ("model_changed", "model_changed"),
    ("prompt_cache_key_changed", "cache_key_changed: key"),
    ("prompt_cache_key_changed", "cache_key_changed: dropped"),
    ("service_tier_changed", "service_tier_changed: flex"),
    ("service_tier_changed", "service_tier_changed: priority"),
    ("reasoning_effort_changed", "effort_changed: responses"),
    ("verbosity_changed", "verbosity_changed: responses"),
    ("text_format_changed", "text_format_changed: responses"),
    ("tools_changed", "tool_order: shuffled"),
    ("tools_changed", "tool_membership: added in front"),
    ("tools_changed", "tool_membership: removed"),
    ("tools_changed", "tool_membership: gone in a session"),
    ("tools_changed", "tool_schema: described"),
    ("tools_changed", "json_key_order: nested schema"),
    ("tools_changed", "timestamp: iso z, tool"),
    ("tools_changed", "whitespace: crlf, tool"),
    ("input_changed", "timestamp: iso z, head"),
    ("input_changed", "uuid: plain, middle"),
    ("input_changed", "retrieved_content: xml, head"),
    ("input_changed", "system_changed: persona"),
    ("input_changed", "whitespace: crlf, system"),
    ("input_changed", "json_key_order: replayed arguments"),
    ("input_changed", "history_truncated: window of messages"),
    ("input_changed", "history_rewritten: answer edited"),
    ("input_changed", "image_changed: changed"),
    ("input_changed", "message_extended"),
    ("input_changed", "compaction: wording 0, 1 kept"),
    ("context_compacted", "compaction: wording 0, 1 kept"),
    ("context_compacted", "compaction: short history, wording 1"),
]


@pytest.mark.parametrize(("reason", "name"), CONFIRMED, ids=[f"{reason} | {name}" for reason, name in CONFIRMED])
def test_a_planted_cause_is_confirmed_by_the_reason_that_it_is(reason: str, name: str) -> None:
    confirmed = 0
    for step, plain, verdict in told(PLANS[name][0](Source(3), NEWER), reason):
        if not plain.broke:
            assert verdict == plain
            continue
        assert (verdict.cause, verdict.causes) == (plain.cause, plain.causes)
        assert (verdict.location, verdict.offset) == (plain.location, plain.offset)
        assert (verdict.expected_tokens, verdict.missed_tokens) == (plain.expected_tokens, plain.missed_tokens)
        assert verdict.confirmed_by == (*plain.confirmed_by, "provider_diagnostics")
        assert verdict.confidence >= 0.97
        assert verdict.avoidable == plain.avoidable
        confirmed += verdict.cause in {step.cause, *step.also}
    assert confirmed


NOT_CONFIRMED = [
    ("prompt_cache_key_changed", "ttl_expired", "cache_key_changed"),
    ("tools_changed", "evicted_or_rerouted", "input_changed"),
    ("context_compacted", "history_truncated: window of messages", "compaction"),
    ("context_compacted", "history_rewritten: answer edited", "compaction"),
    ("verbosity_changed", "timestamp: iso z, head", "verbosity_changed"),
]


@pytest.mark.parametrize(("reason", "name", "cause"), NOT_CONFIRMED, ids=[row[1] for row in NOT_CONFIRMED])
def test_a_cause_that_the_provider_contradicts_is_corrected_and_kept_behind(reason: str, name: str, cause: str) -> None:
    corrected = 0
    for _, plain, verdict in told(PLANS[name][0](Source(3), NEWER), reason):
        if plain.broke:
            assert verdict.cause == cause
            assert set(verdict.causes) == {cause, *plain.causes} - {"evicted_or_rerouted"}
            assert verdict.missed_tokens == plain.missed_tokens
            corrected += 1
    assert corrected


@pytest.mark.parametrize(
    "name",
    [
        "ttl_expired",
        "evicted_or_rerouted",
        "concurrent_cold_start: fan-out",
        "boundary_missing",
        "too_many_breakpoints",
        "no_breakpoint: explicit mode",
    ],
)
def test_an_input_that_changed_behind_what_was_lost_says_nothing_of_the_loss(name: str) -> None:
    """Each call has a question of its own, and the provider does not say where what changed stands."""
    broke = 0
    for _, plain, verdict in told(PLANS[name][0](Source(3), NEWER), "input_changed"):
        assert verdict == plain
        broke += verdict.broke
    assert broke


@pytest.mark.parametrize("answer", [HIT, {"type": "unavailable"}, {"type": "comparison_response_not_found"}, None])
def test_what_is_no_reason_leaves_a_verdict_as_it_was(answer: Any) -> None:
    with recorder() as calls:
        for step in PLANS["timestamp: iso z, head"][0](Source(3), NEWER):
            calls.call("responses", step.talk.body(), after_s=step.after_s)
    plain = [report.cache for report in llm_observer.analyze(calls.records)]
    for record in calls.records:
        record["response"]["prompt_cache_diagnostics"] = answer
    assert [report.cache for report in llm_observer.analyze(calls.records)] == plain
    assert plain[-1].broke
