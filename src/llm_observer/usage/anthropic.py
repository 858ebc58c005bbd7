"""Anthropic Messages, wherever served: `input_tokens` is the remainder that no cache touched, so it is summed."""

from collections.abc import Mapping
from typing import Any, Final, cast

from llm_observer.usage.values import Counts, as_count, as_mapping

__all__ = ["messages", "runs"]

_PRICED_RUNS: Final = frozenset({"message", "compaction", "advisor_message"})
"""The kinds of `usage.iterations` whose price is known: their model's. A fallback's is not."""


def messages(_provider: str, _api: str, raw: Mapping[str, Any]) -> Counts | None:
    """The counts of a message, or of one run in its `iterations`."""
    rest = as_count(raw.get("input_tokens"))
    tokens_out = as_count(raw.get("output_tokens"))
    read = as_count(raw.get("cache_read_input_tokens"))
    write = as_count(raw.get("cache_creation_input_tokens"))
    lifetimes = as_mapping(raw.get("cache_creation"))
    write_1h = as_count(lifetimes.get("ephemeral_1h_input_tokens"))
    if write is None:
        write_5m = as_count(lifetimes.get("ephemeral_5m_input_tokens"))
        if write_5m is not None or write_1h is not None:
            write = (write_5m or 0) + (write_1h or 0)
    if rest is None and tokens_out is None and read is None and write is None:
        return None
    return {
        "input_tokens": None if rest is None else rest + (read or 0) + (write or 0),
        "output_tokens": tokens_out,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cache_write_1h_tokens": write_1h,
        "reasoning_tokens": as_count(as_mapping(raw.get("output_tokens_details")).get("thinking_tokens")),
        "web_search_requests": as_count(as_mapping(raw.get("server_tool_use")).get("web_search_requests")),
    }


def runs(raw: Mapping[str, Any]) -> list[tuple[str | None, Counts]] | None:
    """The runs that a message is billed as, each with its model; `None` when it is billed as one, by its own counts.

    No run at all when one of them cannot be told: neither can the sum.
    """
    entries = raw.get("iterations")
    if not isinstance(entries, list):
        return None
    iterations = [as_mapping(entry) for entry in cast("list[Any]", entries)]
    kinds = [iteration.get("type") for iteration in iterations]
    if not kinds or kinds == ["message"]:
        return None
    found: list[tuple[str | None, Counts]] = []
    for iteration, kind in zip(iterations, kinds, strict=True):
        counts = messages("", "", iteration)
        if counts is None or kind not in _PRICED_RUNS:
            return []
        model = iteration.get("model")
        found.append((model if isinstance(model, str) else None, counts))
    return found
