"""Chat Completions, Responses, Completions, Embeddings, Realtime, and who speaks like them: all inclusive."""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any, Final

from llm_observer.usage.values import NO_COUNT, Counts, as_count, as_mapping, as_money, as_total, first_mapping

__all__ = ["inclusive"]

_XAI: Final = frozenset({"x_ai", "xai", "x-ai"})

_COST_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "openrouter": ("cost",),
    "perplexity": ("cost", "total_cost"),
}
"""Where a provider's usage holds its own bill in US dollars."""

_TICKS_PER_USD_EXPONENT: Final = 10
"""xAI bills in ticks of 1e-10 US dollars."""

_EXACT: Final = Context(prec=60, traps=[])
"""Our own context: an application that lowers the precision of its own must not round our money."""


def inclusive(provider: str, api: str, raw: Mapping[str, Any]) -> Counts | None:
    """The counts of a usage whose whole contains its parts.

    DeepSeek and Moonshot name cached tokens at the top. xAI's Chat counts reasoning beside `completion_tokens`, and
    so does whoever's total shows it; Gemini's thoughts appear in the total alone.
    """
    tokens_in = as_count(raw.get("prompt_tokens"))
    if tokens_in is None:
        tokens_in = as_count(raw.get("input_tokens"))
    tokens_out = as_count(raw.get("completion_tokens"))
    if tokens_out is None:
        tokens_out = as_count(raw.get("output_tokens"))
    into = first_mapping(raw, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    out = first_mapping(raw, "completion_tokens_details", "output_tokens_details", "output_token_details")
    reasoning = as_count(out.get("reasoning_tokens"))
    if reasoning is None:
        reasoning = as_count(raw.get("reasoning_tokens"))
    if tokens_in is None and tokens_out is None:
        return None

    read = _read(raw, into, tokens_in)
    total = as_total(raw.get("total_tokens"))
    if tokens_out is not None and tokens_in is not None:
        if reasoning:
            if tokens_in + tokens_out + reasoning == total or (
                total is None and provider in _XAI and api == "chat.completions"
            ):
                tokens_out += reasoning
        elif provider.startswith("gcp.") and total is not None and total > tokens_in + tokens_out:
            reasoning = total - tokens_in - tokens_out
            tokens_out += reasoning
    return {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cache_read_tokens": read,
        "cache_write_tokens": as_count(into.get("cache_write_tokens")),
        "cache_write_12h_tokens": as_count(as_mapping(into.get("cache_write_tokens_details")).get("ttl_12h_tokens")),
        "input_audio_tokens": as_count(into.get("audio_tokens")),
        "cache_read_audio_tokens": as_count(as_mapping(into.get("cached_tokens_details")).get("audio_tokens")),
        "input_image_tokens": as_count(into.get("image_tokens")),
        "reasoning_tokens": reasoning,
        "output_audio_tokens": as_count(out.get("audio_tokens")),
        "output_image_tokens": as_count(out.get("image_tokens")),
        # Sources of xAI's live search have a fee each.
        "web_search_requests": as_count(raw.get("num_sources_used")) if provider in _XAI else None,
        "reported_cost_usd": _bill(provider, raw),
    }


def _read(raw: Mapping[str, Any], into: Mapping[str, Any], tokens_in: int | None) -> int | None:
    """Tokens read from the cache: among the details of the prompt, or at the top under one of two names."""
    hit = as_count(raw.get("prompt_cache_hit_tokens"))
    if hit is not None and tokens_in is not None:
        missed = as_count(raw.get("prompt_cache_miss_tokens"))
        if missed is not None and hit + missed != tokens_in:
            return NO_COUNT
    read = as_count(into.get("cached_tokens"))
    if read is None:
        read = hit
    return as_count(raw.get("cached_tokens")) if read is None else read


def _bill(provider: str, raw: Mapping[str, Any]) -> Decimal | None:
    """The provider's own bill in US dollars, where its usage has one."""
    ticks = as_total(raw.get("cost_in_usd_ticks"))
    if ticks is not None:
        return Decimal(ticks).scaleb(-_TICKS_PER_USD_EXPONENT, _EXACT)
    path = _COST_FIELDS.get(provider)
    if path is None:
        return None
    value: Any = raw
    for name in path:
        value = as_mapping(value).get(name)
    cost = as_money(value)
    if cost is None:
        return None
    # OpenRouter bills its fee alone for a key of one's own; the model's provider bills the rest. Older responses do
    # not say whose key it was, but a bill behind it that is larger than its own can be nothing else.
    upstream = as_money(as_mapping(raw.get("cost_details")).get("upstream_inference_cost"))
    own_key = raw.get("is_byok")
    if own_key is True or (own_key is None and upstream is not None and upstream > cost):
        return None if upstream is None else _EXACT.add(cost, upstream)
    return cost
