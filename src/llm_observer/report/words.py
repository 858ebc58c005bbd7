"""Causes in plain words, and numbers as people read them."""

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from llm_observer.report.families import Finding
from llm_observer.results import LIFETIMES, CallSite, LifetimeAdvice

__all__ = [
    "UNKNOWN",
    "calls",
    "duration",
    "keep",
    "money",
    "origin",
    "percent",
    "period",
    "place",
    "size",
    "source",
    "tokens",
    "what_happened",
    "what_to_add",
    "why_unpriced",
]

UNKNOWN = "-"
"""Stands for what is not known."""

_CAUSES = {
    "model_changed": "The same prompt went to another model, and each model has its own cache",
    "cache_key_changed": "The same prompt was sent under another prompt_cache_key",
    "service_tier_changed": "The same prompt was sent to another service tier",
    "no_breakpoint": "The request marks nothing to be cached, so nothing is",
    "too_many_breakpoints": "There are more cache markers than the provider writes",
    "below_minimum": "The part that could be shared is shorter than this model caches",
    "tool_order": "The same tools come in another order",
    "tool_membership": "Tools are added or removed between calls",
    "tool_schema": "The definition of a tool changes between calls",
    "json_key_order": "The same JSON is written with its keys in another order",
    "whitespace": "The same text comes with other white space",
    "timestamp": "A timestamp changes the prompt on every call",
    "date": "A date changes the prompt",
    "uuid": "A UUID changes the prompt",
    "session_id": "The id of a session, request or user changes the prompt",
    "random_id": "A random id changes the prompt",
    "nonce": "A random value changes the prompt",
    "counter": "A counter changes the prompt",
    "temp_path": "A temporary path changes the prompt",
    "volatile_url": "A URL that expires changes the prompt",
    "retrieved_content": "Retrieved content comes before the part that stays the same",
    "few_shot_order": "The same examples come in another order",
    "system_changed": "The system text changes between calls",
    "tool_choice_changed": "tool_choice changes between calls, which drops the cached messages",
    "thinking_changed": "The thinking parameters change between calls",
    "effort_changed": "The reasoning effort changes between calls",
    "speed_changed": "The speed mode changes between calls",
    "text_format_changed": "The output format changes between calls",
    "verbosity_changed": "The verbosity changes between calls",
    "image_changed": "An image or file was changed, added or removed within the prefix",
    "message_extended": "The last message was lengthened instead of a new one appended",
    "history_truncated": "Old turns are dropped or shortened, so the history never matches",
    "compaction": "The history was replaced by a summary",
    "history_rewritten": "Earlier messages are not sent again as they were",
    "breakpoint_after_volatile": "The cache marker stands behind content that changes on every call",
    "boundary_missing": "No cache boundary ends the part that stays the same",
    "lookback_exceeded": "The last cache marker lies further back than the provider looks",
    "ttl_expired": "The calls come further apart than the cache keeps the prompt",
    "concurrent_cold_start": "Calls were sent at once, before the first had filled the cache",
    "evicted_or_rerouted": "The provider dropped the entry or took another route",
    "input_changed": "Something ahead of the shared part differs between calls",
}

_UNPRICED = {
    "unknown_provider": "no prices are known for this provider",
    "unknown_model": "no price is known for this model",
    "unknown_tier": "no price is known for the service tier or speed that served it",
    "unknown_geo": "no price is known for the region that served it",
    "unknown_rate": "no price is known for a kind of token that it used",
    "unknown_date": "its price on the day of the call is not known",
    "invalid_terms": "the terms that it was called on contradict each other",
    "no_usage": "the provider reported no token counts",
    "incomplete_usage": "the provider reported only some of the token counts",
    "invalid_usage": "the reported token counts contradict each other",
    "separate_iterations": "it was billed as several runs of a model",
    "prices_loading": "the prices were not loaded yet",
    "prices_unavailable": "the price list could not be loaded",
    "internal_error": "working it out failed",
}
_ADD_A_PRICE = frozenset(
    {"unknown_provider", "unknown_model", "unknown_tier", "unknown_geo", "unknown_rate", "unknown_date"}
)

_SURE = 0.6

_WORTH_SAYING = Decimal("0.05")
"""The part of what a cached prompt costs from which on another lifetime is worth a line."""


def what_happened(finding: Finding) -> str:
    """A finding's cause as a sentence without its full stop."""
    said = _CAUSES.get(finding.cause, finding.cause.replace("_", " "))
    unsure = finding.confidence is not None and finding.confidence < _SURE
    return f"Possibly: {said[0].lower()}{said[1:]}" if unsure else said


def why_unpriced(reason: str) -> str:
    """Why a cost is not known, in words."""
    return _UNPRICED.get(reason, reason.replace("_", " "))


def what_to_add(reason: str) -> str | None:
    """What makes the cost of such calls known."""
    if reason in _ADD_A_PRICE:
        return "put its price into a file, and name that file in LLM_OBSERVER_PRICES"
    if reason == "no_usage":
        return 'streams of OpenAI chat completions report usage with stream_options={"include_usage": True}'
    if reason == "prices_unavailable":
        return "see llm-observer doctor"
    return None


def place(finding: Finding) -> str | None:
    """Where in the prompt: the path of the segment, and the character in it."""
    if finding.location is None:
        return None
    return finding.location if finding.offset is None else f"{finding.location}, character {finding.offset:,}"


def origin(endpoint: str | None) -> str:
    """Scheme, host and port of a URL: what else stands in it may be secret."""
    try:
        parts = urlsplit((endpoint or "").strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = None
    if parts is None or not host:
        return "(no URL)"
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (f":{port}" if port else "")


def source(site: CallSite) -> str:
    """File and line as an editor or a terminal takes them, from the working directory where that is shorter."""
    try:
        path = os.path.relpath(site.file)
    except ValueError:  # another drive
        path = site.file
    if path.startswith(os.pardir):
        home = Path.home()
        inside = Path(site.file).is_relative_to(home)
        path = f"~{os.sep}{Path(site.file).relative_to(home)}" if inside else site.file
    return f"{path}:{site.line}"


def money(amount: Decimal | None) -> str:
    """US dollars with the digits that matter; a dash for what is not known."""
    if amount is None:
        return UNKNOWN
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    if size == 0:
        return "$0"
    if size >= 1000:
        return f"{sign}${size:,.0f}"
    if size >= 1:
        return f"{sign}${size:,.2f}"
    return f"{sign}${size:.4f}" if size >= Decimal("0.00005") else f"{sign}<$0.0001"


def calls(count: int) -> str:
    """A number of calls."""
    return "1 call" if count == 1 else f"{count:,} calls"


def keep(advice: LifetimeAdvice) -> str | None:
    """For how long to keep a prompt, where that is another time than now and makes a difference."""
    now, best = advice.now, advice.best
    if best == now or advice.saves_usd < advice.costs_usd[now.name if now else "none"] * _WORTH_SAYING:
        return None
    if now is None:
        # That caching pays is the finding; which lifetime is news where it is not the usual, shortest one.
        usual = min(LIFETIMES[name].seconds for name in advice.costs_usd if name in LIFETIMES)
        unusual = best is not None and best.seconds > usual
        return f"for {best.words}, the cheapest at these gaps: {advice.pays}" if best and unusual else None
    saves = f"about {money(advice.saves_usd)} less over these {calls(advice.calls)}"
    if best is None:
        return f"it out of the cache: {saves}, which come too far apart"
    return f"for {best.words} instead of {now.words}: {saves}; {advice.pays}"


def tokens(count: int | None) -> str:
    """A number of tokens; a dash for what is not known."""
    return UNKNOWN if count is None else f"{count:,}"


def percent(part: float | None) -> str:
    """A share; a dash for what is not known. Never rounded to all or nothing that it is not."""
    if part is None:
        return UNKNOWN
    rounded = round(part * 100)
    if rounded == 0 and part > 0:
        return "<1 %"
    if rounded == 100 and part < 1:
        return ">99 %"
    return f"{rounded} %"


def period(first: datetime | None, last: datetime | None) -> str | None:
    """From when to when, in the local time of the machine."""
    if first is None or last is None:
        return None
    first, last = first.astimezone(), last.astimezone()
    start = f"{first:%Y-%m-%d %H:%M}"
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return start if start.endswith(end) else f"{start} to {end}"


def duration(seconds: float) -> str:
    """A time span in the largest unit that it has at least one of."""
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"


def size(count: int) -> str:
    """A number of bytes."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB" if count >= 1000 else f"{count} bytes"
