"""The provider over HTTP: what it refuses, how it streams, and that two equal runs get equal answers."""

import socket
import time
from typing import Any

import openai
import pytest
from demo_prompts import words

from llm_observer.demo.provider import Provider
from llm_observer.demo.provider.answers import View, answer


def post(provider: Provider, path: str, body: bytes, headers: str = "x-api-key: k\r\n") -> str:
    host, port = provider.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received.decode()


def test_without_a_key_nothing_is_answered(provider: Provider) -> None:
    assert post(provider, "/v1/messages", b"{}", headers="").startswith("HTTP/1.1 401")
    assert provider.log == []


def test_other_apis_and_bodies_that_are_not_json_are_refused(provider: Provider, gpt: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        gpt.embeddings.create(model="text-embedding-3-small", input="x")
    assert post(provider, "/v1/chat/completions", b"{").startswith("HTTP/1.1 400")
    assert post(provider, "/v1/messages", b"[]").startswith("HTTP/1.1 400")
    assert provider.log == []


def test_a_client_that_leaves_a_stream_is_no_failure(claude: Any, provider: Provider) -> None:
    provider.latency_s = 0.01
    request: Any = {"model": "claude-opus-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    with claude.messages.create(**request, stream=True) as stream:
        next(iter(stream))
    provider.latency_s = 0.0
    assert claude.messages.create(**request).stop_reason == "end_turn"


def test_usage_of_a_chat_stream_comes_only_when_asked_for(gpt: openai.OpenAI) -> None:
    chunks = list(
        gpt.chat.completions.create(model="gpt-5.2", messages=[{"role": "user", "content": "hi"}], stream=True)
    )
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_two_runs_get_equal_answers_and_two_calls_of_one_run_have_two_ids() -> None:
    def run() -> list[Any]:
        with (
            Provider(clock=lambda: 1_790_000_000.0) as provider,
            openai.OpenAI(base_url=provider.openai_url, api_key="k") as client,
        ):
            return [
                client.chat.completions.create(
                    model="gpt-5.2", messages=[{"role": "user", "content": "hi"}], service_tier=tier
                ).model_dump()
                for tier in ("auto", "flex")
            ]

    first, second = run(), run()
    assert first == second
    assert first[0]["id"] != first[1]["id"]
    assert [answer["service_tier"] for answer in first] == ["default", "flex"]


def test_latency_is_that_of_the_first_byte(provider: Provider, gpt: openai.OpenAI) -> None:
    provider.latency_s = 0.05
    started = time.perf_counter()
    gpt.chat.completions.create(model="gpt-5.2", messages=[{"role": "user", "content": "hi"}])
    assert time.perf_counter() - started >= 0.05


def test_stopping_ends_connections_that_clients_keep_open() -> None:
    with Provider() as provider:
        client = openai.OpenAI(base_url=provider.openai_url, api_key="k", max_retries=0)
        client.chat.completions.create(model="gpt-5.2", messages=[{"role": "user", "content": "hi"}])
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="gpt-5.2", messages=[{"role": "user", "content": "hi"}])
    client.close()


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ({"instructions": "Triage the ticket.", "said": "help"}, '"queue"'),
        ({"instructions": "Give topic and sentiment.", "said": "nice"}, '"sentiment"'),
        ({"instructions": "", "said": "Summarize this."}, "Next step"),
        ({"instructions": "", "said": words(3)}, "."),
        ({"instructions": "", "said": "scan", "by_tool": True}, "order"),
    ],
)
def test_answers_fit_the_question(view: Any, says: str) -> None:
    given: dict[str, Any] = {"tools": {}, "must_call": False, "by_tool": False} | view
    assert says in answer(View(**given)).text


def test_the_tool_called_is_the_closest_to_what_was_said() -> None:
    tools = {"get_order": "Look up an order.", "pause_dunning": "Pause the dunning of an invoice."}
    said = "I dispute the dunning of this invoice"
    call = answer(View(instructions="", tools=tools, must_call=True, said=said, by_tool=False)).call
    assert call is not None
    assert call.name == "pause_dunning"
