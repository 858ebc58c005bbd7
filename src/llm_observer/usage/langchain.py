"""LangChain's `usage_metadata`, which is inclusive for every provider."""

from collections.abc import Mapping
from typing import Any

from llm_observer.usage.values import Counts, as_count, as_mapping, plus

__all__ = ["metadata"]


def metadata(_provider: str, _api: str, raw: Mapping[str, Any]) -> Counts | None:
    """The counts in a `usage_metadata`."""
    into, out = as_mapping(raw["input_token_details"]), as_mapping(raw.get("output_token_details"))
    hour, usual = as_count(into.get("ephemeral_1h_input_tokens")), as_count(into.get("ephemeral_5m_input_tokens"))
    written = as_count(into.get("cache_creation"))
    return {
        "input_tokens": as_count(raw.get("input_tokens")),
        "output_tokens": as_count(raw.get("output_tokens")),
        "cache_read_tokens": as_count(into.get("cache_read")),
        # Where it tells lifetimes apart, its sum is zero.
        "cache_write_tokens": written or plus(written, plus(hour, usual)),
        "cache_write_1h_tokens": hour,
        "input_audio_tokens": as_count(into.get("audio")),
        "reasoning_tokens": as_count(out.get("reasoning")),
        "output_audio_tokens": as_count(out.get("audio")),
    }
