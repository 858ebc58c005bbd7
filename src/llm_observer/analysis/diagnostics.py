"""The provider's own word on a cache miss, held against the verdict.

Anthropic answers with `diagnostics.cache_miss_reason` and OpenAI with `prompt_cache_diagnostics`, where the application
asked for them; they compare with the request that the application named, and give the first reason only. They confirm
a verdict that they agree with and correct one that they do not, but never usage. How what they name has changed they do
not say: that is seen where the request that they compare with is known here too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from llm_observer.analysis.causes import CHOICES, hint, in_order
from llm_observer.analysis.compare import Difference
from llm_observer.analysis.jsons import as_mapping, as_text
from llm_observer.results import Verdict

__all__ = ["provider_reason", "reconcile"]

_CONFIRMED = 0.97
_CORRECTED = 0.8
_APPROXIMATE = 0.1
"""Bound on the error of the token counts in diagnostics, which the providers call approximate."""


_NO_CHANGE = frozenset({"lookback_exceeded", "ttl_expired", "concurrent_cold_start", "evicted_or_rerouted"})
"""Causes of a prompt in which nothing changed, wherever the entry that was lost ends."""
_PLACED = frozenset({"no_breakpoint", "too_many_breakpoints", "breakpoint_after_volatile", "boundary_missing"})
"""Causes that lie in where the request has boundaries, which diagnostics do not look at."""


class _Meaning(NamedTuple):
    """What a reason says in our words.

    Attributes:
        cause: The cause that it is by itself.
        places: Where in the prompt any other that it may be stands.
        also: Others that it may be, wherever they stand.
        anywhere: Whether what changed may stand behind all that could have been read: a new question does.
        says_how: Whether it is that cause and no other.
        hint: What to do where no more is known; that of the cause when left out.
    """

    cause: str
    places: tuple[str, ...] = ()
    also: frozenset[str] = frozenset()
    anywhere: bool = False
    says_how: bool = False
    hint: str | None = None


_REASONS: Mapping[str, _Meaning] = {
    "model_changed": _Meaning("model_changed", also=frozenset({"speed_changed"})),
    "prompt_cache_key_changed": _Meaning("cache_key_changed"),
    "service_tier_changed": _Meaning("service_tier_changed"),
    "tools_changed": _Meaning(
        "input_changed",
        ("tools", "functions"),
        frozenset({"tool_order", "tool_membership", "tool_schema"}),
        hint="Send the same tools, in one order and each defined alike, on every call.",
    ),
    "system_changed": _Meaning("system_changed", ("system",)),
    "messages_changed": _Meaning("input_changed", ("messages",), anywhere=True),
    "text_format_changed": _Meaning("text_format_changed"),
    "reasoning_effort_changed": _Meaning("effort_changed"),
    "verbosity_changed": _Meaning("verbosity_changed"),
    "context_compacted": _Meaning("compaction", ("input",), says_how=True),
    "input_changed": _Meaning("input_changed", ("input", "instructions"), anywhere=True),
}


def reconcile(verdict: Verdict, diagnostics: Mapping[str, Any] | None, seen: Sequence[Difference] = ()) -> Verdict:
    """The verdict with what the provider says of it; `seen` is how the prompt differs from the one it compares with."""
    reason, missed = provider_reason(diagnostics)
    meaning = _REASONS.get(reason)
    reported = verdict.reported_tokens
    if meaning is None or reported is None:
        return verdict
    if verdict.broke and verdict.missed_tokens is None and missed and not _counts_rest(diagnostics):
        verdict = replace(
            verdict,
            expected_tokens=reported + missed,
            missed_tokens=missed,
            tokens_method="provider_diagnostics",
            tokens_error=_APPROXIMATE,
        )
    if verdict.broke:
        if meaning.anywhere and verdict.cause in _NO_CHANGE | _PLACED:
            return verdict
        if _agrees(verdict, meaning):
            return replace(
                verdict,
                confidence=max(verdict.confidence, _CONFIRMED),
                confirmed_by=(*verdict.confirmed_by, "provider_diagnostics"),
            )
        return _corrected(verdict, meaning, seen, verdict.expected_tokens)
    if verdict.outcome in {"cold", "uncacheable"} and missed:
        # This process knows of no earlier call; the provider does.
        return replace(
            _corrected(verdict, meaning, seen, reported + missed),
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


def _counts_rest(diagnostics: Mapping[str, Any] | None) -> bool:
    """Whether the tokens are all behind the first difference, new ones among them, as OpenAI's are."""
    return as_text(as_mapping(diagnostics).get("type")) == "cache_miss"


def _agrees(verdict: Verdict, meaning: _Meaning) -> bool:
    return verdict.cause not in _NO_CHANGE and _is_meant(meaning, verdict.cause, verdict.location or "")


def _is_meant(meaning: _Meaning, cause: str, location: str) -> bool:
    stands_there = bool(meaning.places) and location.startswith(meaning.places) and not meaning.says_how
    return stands_there or cause in meaning.also or (cause == meaning.cause != "input_changed")


def _corrected(verdict: Verdict, meaning: _Meaning, seen: Sequence[Difference], expected: int | None) -> Verdict:
    """The verdict with the provider's cause in place of ours, which stays among those found."""
    meant = [d for d in seen if _is_meant(meaning, d.cause, d.location)]
    causes = in_order(d.cause for d in meant) or in_order({meaning.cause, *meaning.also}.intersection(verdict.causes))
    causes = causes or (meaning.cause,)
    cause = causes[0]
    first = min((d for d in meant if d.cause == cause), key=lambda d: d.position, default=None)
    others = in_order(other for other in verdict.causes if other != "evicted_or_rerouted")
    place = meaning.places[0] if meaning.places else None
    return replace(
        verdict,
        broke=True,
        avoidable=cause not in CHOICES,
        cause=cause,
        causes=(*causes, *(other for other in others if other not in causes)),
        location=first.location if first is not None else place,
        offset=first.offset if first is not None else None,
        expected_tokens=expected,
        confidence=_CORRECTED,
        confirmed_by=("usage", "provider_diagnostics"),
        hint=meaning.hint if cause == meaning.cause and meaning.hint is not None else hint(cause),
    )
