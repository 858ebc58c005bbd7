"""Gemini's `usageMetadata`, in either spelling: cached is inside the prompt; thoughts and tool use are outside."""

from collections.abc import Mapping
from typing import Any

from llm_observer.usage.values import Counts, as_count, as_mapping, as_sequence, as_total, plus

__all__ = ["metadata"]


def metadata(_provider: str, _api: str, raw: Mapping[str, Any]) -> Counts | None:
    """The counts in a `usageMetadata`."""
    snake = "prompt_token_count" in raw
    get = raw.get

    def field(camel: str, snaked: str) -> Any:
        return get(snaked if snake else camel)

    prompt = as_count(field("promptTokenCount", "prompt_token_count"))
    tool_use = as_count(field("toolUsePromptTokenCount", "tool_use_prompt_token_count"))
    candidates = as_count(field("candidatesTokenCount", "candidates_token_count"))
    thoughts = as_count(field("thoughtsTokenCount", "thoughts_token_count"))
    total = as_total(field("totalTokenCount", "total_token_count"))
    tokens_in = None if prompt is None else prompt + (tool_use or 0)
    tokens_out = None
    if candidates is not None or thoughts is not None:
        tokens_out = (candidates or 0) + (thoughts or 0)
    elif tokens_in is not None and total == tokens_in:
        # Protocol buffers leave a zero out; the total tells it from a count that was not reported.
        tokens_out = 0
    if tokens_in is None and tokens_out is None:
        return None
    into = _modalities(field("promptTokensDetails", "prompt_tokens_details"))
    tools = _modalities(field("toolUsePromptTokensDetails", "tool_use_prompt_tokens_details"))
    cached = _modalities(field("cacheTokensDetails", "cache_tokens_details"))
    out = _modalities(field("candidatesTokensDetails", "candidates_tokens_details"))
    return {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cache_read_tokens": as_count(field("cachedContentTokenCount", "cached_content_token_count")),
        "input_audio_tokens": plus(into.get("AUDIO"), tools.get("AUDIO")),
        "cache_read_audio_tokens": cached.get("AUDIO"),
        "input_image_tokens": plus(into.get("IMAGE"), tools.get("IMAGE")),
        "reasoning_tokens": thoughts,
        "output_audio_tokens": out.get("AUDIO"),
        "output_image_tokens": out.get("IMAGE"),
    }


def _modalities(value: Any) -> dict[str, int]:
    """Tokens by modality from Gemini's `ModalityTokenCount` list."""
    counts: dict[str, int] = {}
    for entry in as_sequence(value):
        detail = as_mapping(entry)
        modality = detail.get("modality")
        tokens = as_count(detail.get("tokenCount", detail.get("token_count")))
        if isinstance(modality, str) and tokens is not None:
            counts[modality.upper()] = counts.get(modality.upper(), 0) + tokens
    return counts
