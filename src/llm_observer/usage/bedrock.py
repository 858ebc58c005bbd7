"""Bedrock's own shapes: of Converse, of the metrics of InvokeModel, and of the models that it alone serves."""

from collections.abc import Mapping
from typing import Any

from llm_observer.usage.values import Counts, as_count, as_mapping, as_sequence

__all__ = ["converse", "invoke_metrics", "llama"]


def converse(_provider: str, _api: str, raw: Mapping[str, Any]) -> Counts | None:
    """The usage of Converse, and of Nova."""
    return _exclusive(raw, "inputTokens", "outputTokens")


def invoke_metrics(_provider: str, _api: str, raw: Mapping[str, Any]) -> Counts | None:
    """The metrics of InvokeModel."""
    return _exclusive(raw, "inputTokenCount", "outputTokenCount")


def llama(_provider: str, _api: str, raw: Mapping[str, Any]) -> Counts | None:
    """Llama's own, as InvokeModel gives it."""
    return {
        "input_tokens": as_count(raw.get("prompt_token_count")),
        "output_tokens": as_count(raw.get("generation_token_count")),
    }


def _exclusive(raw: Mapping[str, Any], tokens_in: str, tokens_out: str) -> Counts | None:
    """What came in excludes what the cache gave and took, so it is summed.

    Converse and the metrics of InvokeModel name the counts differently, and Nova's own usage some of each.
    """
    rest = as_count(raw.get(tokens_in))
    out = as_count(raw.get(tokens_out))
    if rest is None and out is None:
        return None
    read = as_count(raw.get("cacheReadInputTokens", raw.get("cacheReadInputTokenCount")))
    write = as_count(raw.get("cacheWriteInputTokens", raw.get("cacheWriteInputTokenCount")))
    write_1h = None
    for entry in as_sequence(raw.get("cacheDetails")):
        detail = as_mapping(entry)
        tokens = as_count(detail.get("inputTokens"))
        if tokens is not None and detail.get("ttl") == "1h":
            write_1h = (write_1h or 0) + tokens
    return {
        "input_tokens": None if rest is None else rest + (read or 0) + (write or 0),
        "output_tokens": out,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cache_write_1h_tokens": write_1h,
    }
