"""What is read from responses and streams, field by field, as dicts and as models."""
# ruff: noqa: E501  a row of a table stands on one line

import gzip
import json
import zlib
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from scripted import CHAT, MESSAGE, MESSAGES_USAGE, RESPONSE, chat_chunks, message_events, response_events, sse
from sdk_styles import modern

from llm_observer.adapters.endpoints import ANTHROPIC_APIS, OPENAI_APIS, api_of, provider_of, server_of
from llm_observer.adapters.errors import error_type
from llm_observer.adapters.fragments import first_members, last_members
from llm_observer.adapters.reading import (
    ChatReading,
    EmbeddingsReading,
    MessagesReading,
    Reading,
    ResponsesReading,
    plain,
)
from llm_observer.adapters.tee import Tee, read_body
from llm_observer.call import Call


def reading_of(kind: type[Reading]) -> Reading:
    return kind(Call(provider="openai", api="chat.completions"))


def streamed(kind: type[Reading], *items: object) -> Call:
    reading = reading_of(kind)
    for item in items:
        reading.item(item)
    reading.end()
    return reading.call


def test_a_chats_finish_reasons_are_in_the_order_of_the_choices() -> None:
    """One for each choice, whichever ended first."""
    call = streamed(
        ChatReading,
        {"id": "a", "model": "m", "choices": [{"index": 1, "finish_reason": "length"}]},
        {"choices": [{"index": 0, "finish_reason": "stop"}]},
    )
    assert call.finish_reasons == ("stop", "length")


@pytest.mark.parametrize(
    "last",
    [
        {"choices": [{"index": 0, "finish_reason": "stop", "usage": {"prompt_tokens": 3}}]},
        {"choices": [{"index": 0, "finish_reason": "stop"}], "x_groq": {"usage": {"prompt_tokens": 3}}},
        {"choices": [], "usage": {"prompt_tokens": 3}},
    ],
)
def test_where_compatible_providers_put_a_streams_usage(last: dict[str, Any]) -> None:
    """In the last choice, in a field of their own, or where OpenAI has it."""
    assert streamed(ChatReading, {"id": "a", "usage": {"prompt_tokens": 1}}, last).raw_usage == {"prompt_tokens": 3}


def test_the_first_names_count_that_are_not_empty() -> None:
    """Azure's first chunk has neither id nor model."""
    call = streamed(ChatReading, {"id": "", "model": "", "choices": []}, {"id": "a", "model": "m"}, {"id": "b"})
    assert (call.response_id, call.response_model) == ("a", "m")


@pytest.mark.parametrize(
    ("response", "reasons", "error"),
    [
        ({"status": "completed"}, ("stop",), None),
        ({"status": "completed", "output": [{"type": "message"}, {"type": "web_search_call"}]}, ("stop",), None),
        ({"status": "completed", "output": [{"type": "reasoning"}, {"type": "function_call"}]}, ("tool_calls",), None),
        ({"status": "completed", "output": [{"type": "custom_tool_call"}]}, ("tool_calls",), None),
        ({"status": "completed", "output": [{"type": ["odd"]}, "odd", None]}, ("stop",), None),
        ({"status": "cancelled"}, ("cancelled",), None),
        ({"status": "incomplete", "output": [{"type": "function_call"}]}, ("incomplete",), None),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, ("max_output_tokens",), None),
        ({"status": "failed", "error": {"code": "server_error", "message": "secret"}}, ("error",), "server_error"),
        ({"status": "failed"}, ("error",), "failed"),
        ({"status": "queued"}, (), None),
        ({"status": "in_progress"}, (), None),
    ],
)
def test_how_a_response_ended(response: dict[str, Any], reasons: tuple[str, ...], error: str | None) -> None:
    """Why the model stopped, in a word of Chat Completions where only the status tells; nothing while it still runs."""
    reading = reading_of(ResponsesReading)
    reading.response({"id": "resp_1", "model": "m", **response})
    assert reading.call.finish_reasons == reasons
    assert reading.call.error_type == error


@pytest.mark.parametrize(
    ("code", "expected"), [("rate_limit_exceeded", "rate_limit_exceeded"), ("a sentence", "error")]
)
def test_an_error_event_of_a_response(code: str, expected: str) -> None:
    """It has the provider's code; a sentence is none."""
    assert streamed(ResponsesReading, {"type": "error", "code": code, "message": "secret"}).error_type == expected


def test_the_usage_of_a_streamed_message_is_the_last_word_on_each_count() -> None:
    """Counts that `message_delta` does not repeat stay as `message_start` had them."""
    call = streamed(
        MessagesReading,
        {"type": "message_start", "message": {"id": "m", "model": "x", "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5}}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 9, "cache_read_input_tokens": None}},
    )  # fmt: skip
    assert call.raw_usage == {"input_tokens": 10, "output_tokens": 9, "cache_read_input_tokens": 5}
    assert call.finish_reasons == ("tool_use",)


def test_an_error_event_of_a_message() -> None:
    """Its type."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "secret"}}
    assert streamed(MessagesReading, error).error_type == "overloaded_error"


def test_the_providers_own_word_on_its_cache_is_kept() -> None:
    """Diagnostics that a response has are for the verdict."""
    said = {"cache_miss_reason": "tools_changed"}
    message = reading_of(MessagesReading)
    message.response({**MESSAGE, "diagnostics": said})
    response = reading_of(ResponsesReading)
    response.response({**RESPONSE, "prompt_cache_diagnostics": said})
    chat = reading_of(ChatReading)
    chat.response({**CHAT, "usage": {"prompt_tokens": 1, "prompt_cache_diagnostics": said}})
    assert message.call.diagnostics == response.call.diagnostics == chat.call.diagnostics == said


@pytest.mark.parametrize(
    ("reading", "data", "events"),
    [
        (ResponsesReading, {"output": [{"type": "message"}, {"type": "compaction"}]}, []),
        (MessagesReading, {"content": [{"type": "compaction"}]}, []),
        (MessagesReading, {}, [{"type": "content_block_start", "content_block": {"type": "compaction"}}]),
    ],
)
def test_a_conversation_that_the_provider_has_summed_up(
    reading: type[Reading], data: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    call = Call(provider="p", api="a")
    reading(call).response(data)
    for event in events:
        reading(call).item(event)
    assert call.compacted


def test_embeddings_are_not_streamed() -> None:
    """An item says nothing."""
    assert streamed(EmbeddingsReading, {"usage": {"prompt_tokens": 1}}).raw_usage is None


def test_models_are_read_without_calling_anything_on_them() -> None:
    """As dicts, extras among them, without what is `None`; bounded in depth."""
    model = openai.types.CompletionUsage.model_construct(
        prompt_tokens=1, completion_tokens=2, total_tokens=3, prompt_cache_hit_tokens=0
    )
    assert plain(model) == {
        "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "prompt_cache_hit_tokens": 0
    }  # fmt: skip
    assert plain((1, [None, object()])) == [1, [None, {}]]
    endless: list[Any] = []
    endless.append(endless)
    assert "None" in repr(plain(endless))


TYPE = {"chat": ChatReading, "message": MessagesReading, "response": ResponsesReading}


@pytest.mark.parametrize(
    ("kind", "pieces"), [("chat", chat_chunks()), ("message", message_events()), ("response", response_events())]
)
@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "deflate", "raw deflate"])
def test_events_that_the_application_reads_as_bytes(kind: str, pieces: list[bytes], encoding: str) -> None:
    """The usage of a stream nobody parsed in our sight, compressed or not, in pieces of any size."""
    data = b"".join(pieces)
    if encoding == "gzip":
        data = gzip.compress(data)
    elif encoding == "deflate":
        data = zlib.compress(data)
    elif encoding == "raw deflate":
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = packer.compress(data) + packer.flush()
    tee, reading = Tee(encoding.removeprefix("raw ")), reading_of(TYPE[kind])
    for start in range(0, len(data), 7):
        tee.add(data[start : start + 7])
    tee.read(reading, "text/event-stream; charset=utf-8")
    assert reading.call.raw_usage
    assert 20 in reading.call.raw_usage.values()
    assert reading.call.finish_reasons


def test_a_long_stream_keeps_its_head_and_tail() -> None:
    """A message starts with the input's usage and ends with the output's; the middle is not kept."""
    start, *_, delta, stop = message_events()
    middle = sse([{"type": "content_block_delta", "delta": {"text": "x" * 1000}}], named=True)[0]
    tee, reading = Tee(), reading_of(MessagesReading)
    for piece in (start, *[middle] * 2_000, delta, stop):
        tee.add(piece)
    tee.read(reading, "text/event-stream")
    assert reading.call.raw_usage == MESSAGES_USAGE
    assert reading.call.finish_reasons == ("end_turn",)


@pytest.mark.parametrize(
    ("content_type", "encoding", "data"),
    [
        ("application/json", "", b"[1, 2]"),
        ("application/json", "", b'{"half": '),
        ("application/json", "", b"[" * 100_000),
        (
            "application/json",
            "",
            json.dumps({"data": [{"usage": {"prompt_tokens": 1}, "pad": "x" * 2_000_000}]}).encode(),
        ),
        ("application/json", "br", b'{"usage": {"prompt_tokens": 1}}'),
        ("application/json", "gzip, br", b'{"usage": {"prompt_tokens": 1}}'),
        ("application/json", "gzip", b"not gzip"),
        ("application/vnd.amazon.eventstream", "", b"\0\0\0"),
        ("", "", b"{}"),
    ],
)
def test_bodies_that_cannot_be_read_say_nothing(content_type: str, encoding: str, data: bytes) -> None:
    """Too large, cut, of another type or coding: the usage is unknown, and nothing fails."""
    tee, reading = Tee(encoding), reading_of(ChatReading)
    tee.add(data[:100_000])
    tee.add(data[100_000:])
    tee.read(reading, content_type)
    assert reading.call.raw_usage is None


@pytest.mark.parametrize("content_type", ["", "text/plain; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_body_whose_header_does_not_say_what_it_is(content_type: str, *, streamed: bool) -> None:
    """As some gateways send it: how it begins tells."""
    written = json.dumps({"id": "c", "model": "m", "usage": USED})
    reading = reading_of(ChatReading)
    read_body(
        reading,
        content_type,
        f": hello\n\ndata: {written}\n\ndata: [DONE]\n\n".encode() if streamed else written.encode(),
    )
    assert (reading.call.response_id, reading.call.raw_usage) == ("c", USED)


def test_a_body_of_another_kind() -> None:
    """A page of HTML, or bytes, are nothing to read."""
    reading = reading_of(ChatReading)
    for body in (b"<html>", b"\x00\x01", b""):
        read_body(reading, "text/html", body)
    assert (reading.call.response_id, reading.call.raw_usage) == (None, None)


LARGE = "x" * 1_000_000
USED = {"input_tokens": 20, "output_tokens": 5}


@pytest.mark.parametrize(
    ("kind", "body", "reasons"),
    [
        (EmbeddingsReading, {"object": "list", "data": [{"usage": 1}, LARGE], "model": "m", "usage": USED}, ()),
        (ResponsesReading, {"id": "r", "status": "completed", "model": "m", "output": [{"result": LARGE}], "tools": [{"type": "image_generation", "model": "other"}], "usage": USED, "user": None, "metadata": {"usage": "none"}}, ("stop",)),
        (MessagesReading, {"model": "m", "id": "r", "content": [{"text": LARGE}], "stop_reason": "end_turn", "stop_sequence": None, "usage": USED}, ("end_turn",)),
        (ChatReading, {"id": "r", "model": "m", "choices": [{"message": {"content": '"usage": {' + LARGE}}], "usage": USED}, ()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("indent", [None, 2])
def test_the_usage_behind_a_large_output(
    kind: type[Reading], body: dict[str, Any], reasons: tuple[str, ...], indent: int | None
) -> None:
    """Of a body too large to be kept, what stands ahead of the large part and behind it is read."""
    data = json.dumps(body, indent=indent).encode()
    tee, reading = Tee(), reading_of(kind)
    for start in range(0, len(data), 50_000):
        tee.add(data[start : start + 50_000])
    tee.read(reading, "application/json")
    call = reading.call
    assert (call.raw_usage, call.response_model, call.finish_reasons) == (USED, "m", reasons)
    assert call.response_id == body.get("id")


@pytest.mark.parametrize("number", [{}, {"sequence_number": 9}])
def test_the_usage_in_an_event_that_is_larger_than_what_is_kept(number: dict[str, Any]) -> None:
    """The last event of a response has all of its output again."""
    response = {"id": "r", "status": "completed", "model": "m", "output": [LARGE], "usage": USED, "metadata": {}}
    data = b"".join(
        sse(
            [
                {"type": "response.created", "response": {"id": "r", "model": "m", "status": "in_progress"}},
                {"type": "response.completed", "response": response, **number},
            ],
            named=True,
        )
    )
    tee, reading = Tee(), reading_of(ResponsesReading)
    for start in range(0, len(data), 50_000):
        tee.add(data[start : start + 50_000])
    tee.read(reading, "text/event-stream")
    assert (reading.call.raw_usage, reading.call.response_id, reading.call.response_model) == (USED, "r", "m")


@pytest.mark.parametrize(
    "tail", [b"", b"}", b'"usage": 1', b'"usage": {', b'"usage": 1} "model": 2', b'"usage" 1}', b'"usage": 1, 2: 3}']
)
def test_ends_that_are_no_objects_have_no_members(tail: bytes) -> None:
    """Nothing is made of what does not end as an object does."""
    assert last_members(tail) == {}
    assert last_members(tail, within=True) == {}


@pytest.mark.parametrize(("head", "found"), [(b"", {}), (b"[1]", {}), (b'{"a": 1, "b": [', {"a": 1}), (b' {"a"', {})])
def test_beginnings_have_the_members_that_are_whole(head: bytes, found: dict[str, Any]) -> None:
    """Those ahead of the cut."""
    assert first_members(head) == found


def test_an_error_among_events_read_as_bytes() -> None:
    """It has its code."""
    reading = reading_of(ChatReading)
    read_body(reading, "text/event-stream", b"".join(sse([{"error": {"code": "overloaded", "message": "secret"}}])))
    assert reading.call.error_type == "overloaded"


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("post", "/chat/completions", "chat.completions"),
        ("POST", "https://host/openai/deployments/x/chat/completions?api-version=1", "chat.completions"),
        ("post", "/completions", "completions"),
        ("post", "/responses", "responses"),
        ("post", "/embeddings", "embeddings"),
        ("post", "/responses/resp_1/cancel", None),
        ("get", "/chat/completions", None),
        ("post", "/moderations", None),
    ],
)
def test_which_requests_of_openai_are_inference(method: str, url: str, expected: str | None) -> None:
    """By method and path."""
    api = api_of(OPENAI_APIS, SimpleNamespace(method=method, url=url))
    assert (api.name if api else None) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [("/v1/messages", "messages"), ("/v1/messages?beta=true", "messages"), ("/v1/messages/count_tokens", None), ("/v1/messages/batches", None)],
)  # fmt: skip
def test_which_requests_of_anthropic_are_inference(url: str, expected: str | None) -> None:
    """Messages, and neither counting nor batches."""
    api = api_of(ANTHROPIC_APIS, SimpleNamespace(method="post", url=url))
    assert (api.name if api else None) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", "openai"),
        ("eu.api.openai.com", "openai"),
        ("localhost", "openai"),
        ("vllm.internal.example.com", "openai"),
        ("my.openai.azure.com", "azure.ai.openai"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "aws.bedrock"),
        ("generativelanguage.googleapis.com", "gcp.gemini"),
        ("us-central1-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("api.deepseek.com", "deepseek"),
        ("api.groq.com", "groq"),
        ("api.mistral.ai", "mistral_ai"),
        ("api.x.ai", "x_ai"),
        ("api.perplexity.ai", "perplexity"),
        ("api.moonshot.cn", "moonshot_ai"),
        ("openrouter.ai", "openrouter"),
        ("api.together.xyz", "together_ai"),
        ("api.z.ai", "zai"),
        ("dashscope-intl.aliyuncs.com", "alibaba"),
        ("router.huggingface.co", "huggingface"),
        ("evil-groq.com", "openai"),
        (None, "openai"),
    ],
)
def test_the_provider_behind_openais_protocol(host: str | None, expected: str) -> None:
    """By the host, where it is known."""
    assert provider_of(openai.OpenAI(api_key="key"), host) == expected


def test_the_provider_by_the_clients_class() -> None:
    """A class that is for one provider says so wherever it points, subclasses of it too."""

    class Mine(openai.AsyncAzureOpenAI):
        pass

    client = Mine(api_key="key", azure_endpoint="https://gateway.example.com", api_version="1")
    assert provider_of(client, "gateway.example.com") == "azure.ai.openai"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.openai.com/v1", ("api.openai.com", 443)),
        ("http://127.0.0.1/v1", ("127.0.0.1", 80)),
        ("http://127.0.0.1:81/v1", ("127.0.0.1", 81)),
    ],
)
def test_the_server(url: str, expected: tuple[str, int]) -> None:
    """Host and port, the scheme's where none is given."""
    server = server_of(openai.OpenAI(api_key="key", base_url=url))
    assert (server.address, server.port) == expected


@modern
def test_a_client_that_is_pointed_elsewhere() -> None:
    """Is of the server it points to now."""
    client = openai.OpenAI(api_key="key", base_url="https://api.groq.com/v1")
    assert server_of(client).provider == "groq"
    assert server_of(client) is server_of(client)
    client.base_url = "https://api.openai.com/v1"
    assert server_of(client).provider == "openai"


def test_a_client_without_a_host() -> None:
    """Is of a server that is not known."""

    class Client:
        base_url = SimpleNamespace(host="", port=None, scheme="")

    assert server_of(Client())[2:] == (None, None, "openai")


def test_error_types_of_other_exceptions() -> None:
    """The class of what is no API error, with its module; nothing for what is no `Exception`."""
    assert error_type(ValueError("secret")) == "ValueError"
    assert error_type(json.JSONDecodeError("secret", "", 0)) == "json.decoder.JSONDecodeError"
    assert error_type(KeyboardInterrupt()) is None
