"""The provider's own word on a cache miss, held against the verdict.

Anthropic answers with `diagnostics.cache_miss_reason` and OpenAI with `prompt_cache_diagnostics`, where the application
asked for them; they compare with the request that the application named, and give the first reason only. They confirm
a verdict that they agree with and correct one that they do not, but never usage.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from llm_observer.analysis.causes import CHOICES, hint, in_order
from llm_observer.analysis.jsons import as_mapping, as_text
from llm_observer.results import Verdict

__all__ = ["provider_reason", "reconcile"]

_CONFIRMED = 0.97
_CORRECTED = 0.8
_APPROXIMATE = 0.1
"""Bound on the error of the token counts in diagnostics, which the providers call approximate."""


class _Meaning(NamedTuple):
    """What a reason says in our words: the cause it is, and where else in the prompt it may stand."""

    cause: str
    places: tuple[str, ...] = ()
    also: frozenset[str] = frozenset()


_MESSAGES = ("messages", "input")
_REASONS: Mapping[str, _Meaning] = {
    "model_changed": _Meaning("model_changed", also=frozenset({"speed_changed"})),
    "prompt_cache_key_changed": _Meaning("cache_key_changed"),
    "service_tier_changed": _Meaning("service_tier_changed"),
    "tools_changed": _Meaning("tool_schema", ("tools", "functions")),
    "system_changed": _Meaning("system_changed", ("system",)),
    "messages_changed": _Meaning("input_changed", _MESSAGES),
    "text_format_changed": _Meaning("text_format_changed"),
    "reasoning_effort_changed": _Meaning("effort_changed"),
    "verbosity_changed": _Meaning("verbosity_changed"),
    "context_compacted": _Meaning("compaction", _MESSAGES),
    "input_changed": _Meaning("input_changed", (*_MESSAGES, "instructions")),
}


def reconcile(verdict: Verdict, diagnostics: Mapping[str, Any] | None) -> Verdict:
    """The verdict with what the provider says of it."""
    reason, missed = provider_reason(diagnostics)
    meaning = _REASONS.get(reason)
    if meaning is None or verdict.reported_tokens is None:
        return verdict
    if verdict.broke:
        if _agrees(verdict, meaning):
            return replace(
                verdict,
                confidence=max(verdict.confidence, _CONFIRMED),
                confirmed_by=(*verdict.confirmed_by, "provider_diagnostics"),
            )
        return _corrected(verdict, meaning, verdict.expected_tokens)
    if verdict.outcome in {"cold", "uncacheable"} and missed:
        # This process knows of no earlier call; the provider does.
        return replace(
            _corrected(verdict, meaning, verdict.reported_tokens + missed),
            outcome="miss",
            missed_tokens=missed,
            tokens_method="provider_diagnostics",
            tokens_error=_APPROXIMATE,
        )
    return verdict


def provider_reason(diagnostics: Mapping[str, Any] | None) -> tuple[str, int | None]:
    """The reason, empty when there is none, and the tokens missed, of either provider's shape."""
    given = as_mapping(diagnostics)
    miss = as_mapping(given.get("cache_miss_reason")) or given
    kind = as_text(miss.get("type"))
    missed = miss.get("cache_missed_input_tokens", miss.get("cache_missed_tokens"))
    tokens = missed if isinstance(missed, int) and not isinstance(missed, bool) and missed > 0 else None
    return as_text(miss.get("reason")) if kind == "cache_miss" else kind, tokens


def _agrees(verdict: Verdict, meaning: _Meaning) -> bool:
    if verdict.cause == meaning.cause or verdict.cause in meaning.also:
        return True
    return bool(verdict.location) and str(verdict.location).startswith(meaning.places or ("\0",))


def _corrected(verdict: Verdict, meaning: _Meaning, expected: int | None) -> Verdict:
    """The verdict with the provider's cause in place of ours, which stays among those found."""
    others = [cause for cause in verdict.causes if cause != "evicted_or_rerouted"]
    return replace(
        verdict,
        broke=True,
        avoidable=meaning.cause not in CHOICES,
        cause=meaning.cause,
        causes=(meaning.cause, *(cause for cause in in_order(others) if cause != meaning.cause)),
        location=meaning.places[0] if meaning.places else None,
        offset=None,
        expected_tokens=expected,
        confidence=_CORRECTED,
        confirmed_by=("usage", "provider_diagnostics"),
        hint=hint(meaning.cause),
    )
