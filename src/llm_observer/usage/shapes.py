"""Which family's shape a usage has."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_observer.usage import anthropic, bedrock, gemini, langchain, openai
from llm_observer.usage.values import Counts, as_mapping

__all__ = ["shape_of"]

_Shape = Callable[[str, str, Mapping[str, Any]], Counts | None]
"""Reads what a provider reports for an API; `None` when it reports no counts."""

_LANGCHAIN: Final = frozenset({"cache_read", "cache_creation"})


def shape_of(provider: str, api: str, raw: Mapping[str, Any]) -> _Shape:
    """What reads `raw`. The names in it decide, not the provider's alone: many providers speak another's API."""
    if "input_token_details" in raw and _LANGCHAIN & as_mapping(raw["input_token_details"]).keys():
        return langchain.metadata
    if api == "messages":
        return anthropic.messages
    if "prompt_tokens" in raw:
        return openai.inclusive
    if "generation_token_count" in raw:
        return bedrock.llama
    if "promptTokenCount" in raw or "prompt_token_count" in raw:
        return gemini.metadata
    if "inputTokens" in raw or "outputTokens" in raw:
        return bedrock.converse
    if "inputTokenCount" in raw or "outputTokenCount" in raw:
        return bedrock.invoke_metrics
    if provider == "anthropic" or "cache_read_input_tokens" in raw or "cache_creation_input_tokens" in raw:
        return anthropic.messages
    return openai.inclusive
