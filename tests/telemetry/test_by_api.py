"""Which attributes of the conventions a call of each API sets: the table in docs/opentelemetry.md, no more and no less.

Each API is called through its SDK with every parameter that has an attribute, streamed and not, answered with every
field that has one, and made to fail.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from scripted import CHAT, COMPLETION, MESSAGE, RESPONSE, Answer, ScriptedServer, chat_chunks, message_events, sse
from scripted import response_events as events
from semconv_registry import OWN
from spans import Spans, attributes

from llm_observer.instrumentor import Runtime

PAGE = Path(__file__).parents[2] / "docs" / "opentelemetry.md"

APIS = ("chat.completions", "responses", "completions", "embeddings", "messages")

ROW = re.compile(r"\| `([a-z_.]+)` \|((?: (?:x|) \|){5})", re.MULTILINE)

INPUT = {"text_tokens": 40, "image_tokens": 30, "audio_tokens": 30, "cached_tokens": 64, "cache_write_tokens": 20}
INPUT_DETAILS: dict[str, Any] = INPUT | {
    "cached_tokens_details": {"text_tokens": 30, "image_tokens": 20, "audio_tokens": 14}
}
OUTPUT_DETAILS = {"reasoning_tokens": 8, "text_tokens": 4, "audio_tokens": 4, "image_tokens": 4}

PARAMETERS: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.5,
    "max_tokens": 9,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
    "seed": 7,
    "stop": ["END"],
    "n": 2,
    "extra_body": {"top_k": 3},
}
CHAT_REQUEST: dict[str, Any] = PARAMETERS | {
    "model": "gpt-5.6",
    "messages": [{"role": "user", "content": "Hello"}],
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "service_tier": "flex",
}
CHAT_ANSWER: dict[str, Any] = CHAT | {
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": INPUT_DETAILS,
        "completion_tokens_details": OUTPUT_DETAILS,
    }
}
RESPONSES_REQUEST: dict[str, Any] = {
    "model": "gpt-5.6",
    "input": "Hello",
    "temperature": 0.5,
    "top_p": 0.5,
    "max_output_tokens": 9,
    "reasoning": {"effort": "low"},
    "text": {"format": {"type": "text"}},
    "conversation": "conv_1",
    "previous_response_id": "resp_0",
    "prompt": {"id": "pmpt_1", "version": "2"},
    "service_tier": "flex",
}
RESPONSES_ANSWER: dict[str, Any] = RESPONSE | {
    "output": [{"id": "cmp_1", "type": "compaction", "encrypted_content": "..."}, *RESPONSE["output"]],
    "usage": {
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "input_tokens_details": INPUT_DETAILS,
        "output_tokens_details": OUTPUT_DETAILS,
    },
}
EMBEDDINGS_REQUEST: dict[str, Any] = {
    "model": "text-embedding-3-small",
    "input": "Hello",
    "dimensions": 2,
    "encoding_format": "float",
}
MESSAGES_REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "Hello"}],
    "stop_sequences": ["END"],
    "extra_body": {
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 3,
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
    },
}
MESSAGES_ANSWER: dict[str, Any] = MESSAGE | {
    "content": [{"type": "compaction", "content": "So far."}, *MESSAGE["content"]],
    "usage": MESSAGE["usage"] | {"output_tokens_details": {"thinking_tokens": 8}},
}
FAILED = Answer.json({"error": {"type": "overloaded", "message": "no"}}, status=529)


def call(api: str, server: ScriptedServer) -> None:
    """Call the API in full, whole, streamed, and in vain."""
    clients = openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=1)
    others = anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=1)
    calls: dict[str, tuple[Callable[..., Any], dict[str, Any], dict[str, Any] | None, list[bytes] | None]] = {
        "chat.completions": (clients.chat.completions.create, CHAT_REQUEST, CHAT_ANSWER, chat_chunks()),
        "responses": (clients.responses.create, RESPONSES_REQUEST, RESPONSES_ANSWER, events()),
        "completions": (
            clients.completions.create,
            PARAMETERS | {"model": "gpt-5.6", "prompt": "Hello"},
            COMPLETION,
            sse([COMPLETION, "[DONE]"]),
        ),
        "embeddings": (clients.embeddings.create, EMBEDDINGS_REQUEST, None, None),
        "messages": (others.messages.create, MESSAGES_REQUEST, MESSAGES_ANSWER, message_events()),
    }
    with clients, others:
        create, request, answer, stream = calls[api]
        if answer is not None:
            server.script(Answer.json(answer))
        create(**request)
        if stream is not None:
            server.script(Answer.stream(stream))
            list(create(**request, stream=True))
        server.script(FAILED, FAILED)
        with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)):
            create(**request)


def documented() -> dict[str, set[str]]:
    """The rows of the table: the attributes of each API."""
    found: dict[str, set[str]] = {api: set() for api in APIS}
    for key, marks in ROW.findall(PAGE.read_text(encoding="utf-8")):
        for api, mark in zip(APIS, marks.split("|"), strict=False):
            if mark.strip():
                found[api].add(key)
    return found


def of_conventions(spans: Spans) -> Iterator[str]:
    for span in spans.all():
        yield from (name for name in attributes(span) if not name.startswith((OWN, "code.")))


@pytest.mark.parametrize("api", APIS)
def test_a_call_sets_what_the_page_says(
    api: str, server: ScriptedServer, spans: Spans, instrument: Callable[..., Runtime]
) -> None:
    instrument()
    call(api, server)
    assert len(spans.all()) == (2 if api == "embeddings" else 3)
    assert set(of_conventions(spans)) == documented()[api]
