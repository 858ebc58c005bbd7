"""From a request body to its prompt, by API."""

from collections.abc import Callable, Mapping
from typing import Any

from llm_observer.analysis.anthropic_prompt import read_messages
from llm_observer.analysis.converse_prompt import read_converse
from llm_observer.analysis.openai_prompt import read_chat, read_responses, read_text
from llm_observer.analysis.segments import Prompt

__all__ = ["PROMPT_FIELDS", "read_prompt"]

PROMPT_FIELDS = frozenset({"messages", "input", "system", "instructions", "tools", "functions"})
"""The fields of a body that are read into the prompt and decide nothing else."""

_READERS: Mapping[str, Callable[[Mapping[str, Any]], Prompt]] = {
    "messages": read_messages,
    "converse": read_converse,
    "chat.completions": read_chat,
    "responses": read_responses,
    "completions": read_text,
    "embeddings": read_text,
}


def read_prompt(api: str, body: Mapping[str, Any]) -> Prompt | None:
    """The prompt of a request body, or `None` for an API that is not known."""
    reader = _READERS.get(api)
    return reader(body) if reader is not None else None
