"""Responses that the application reads by itself, and those that the SDK cannot make sense of: their usage is known."""

import gzip
import json
import struct
import sys
import zlib
from collections.abc import Callable
from typing import Any

import anthropic
import brotli  # pyright: ignore[reportMissingTypeStubs]
import openai
import pytest
from backports import zstd
from pydantic import ValidationError
from scripted import CHAT as CHAT_ANSWER
from scripted import (
    CHAT_USAGE,
    EMBEDDINGS,
    MESSAGES_USAGE,
    Answer,
    ScriptedServer,
    chat_chunks,
    event_stream,
    framed,
    message_events,
)
from scripted import MESSAGE as MESSAGE_ANSWER
from scripted import RESPONSE as RESPONSE_ANSWER
from sdk_styles import CHAT, MESSAGE, modern
from sdk_styles import Answer as Schema
from spans import Spans, attributes

from llm_observer.adapters import tee
from llm_observer.adapters.decoding import decoder
from llm_observer.adapters.eventstream import events
from llm_observer.adapters.reading import ChatReading, EmbeddingsReading, MessagesReading, Reading, ResponsesReading
from llm_observer.adapters.tee import Tee, read_body
from llm_observer.call import Call
from llm_observer.instrumentor import Runtime

INVALID = f"{ValidationError.__module__}.ValidationError"
JSON = "application/json"
SSE = "text/event-stream"
FRAMES = "application/vnd.amazon.eventstream"


def reading_of(kind: type[Reading], api: str = "chat.completions") -> Reading:
    return kind(Call(provider="openai", api=api))


# Answers that do not fit the application's schema.


PARSES: dict[str, Callable[[Any], Any]] = {
    "chat": lambda client: client.chat.completions.parse(**CHAT, response_format=Schema),
    "responses": lambda client: client.responses.parse(model="gpt-4o-mini", input="x", text_format=Schema),
    "raw": lambda client: client.chat.completions.with_raw_response.parse(**CHAT, response_format=Schema).parse(),
}


@pytest.mark.skipif(not hasattr(openai.OpenAI(api_key="key").chat.completions, "parse"), reason="needs parse")
@pytest.mark.parametrize("how", PARSES)
def test_an_answer_that_does_not_fit_the_schema_was_billed(
    how: str, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """`parse` raises what it raises without us, and the span has the usage."""
    answer = json.dumps(CHAT_ANSWER if how != "responses" else RESPONSE_ANSWER).replace('{\\"a\\":1}', "prose")

    def call() -> str:
        server.script(Answer(body=answer.encode(), headers={"content-type": JSON}))
        client: Any = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
        with client, pytest.raises(ValueError) as caught:
            PARSES[how](client)
        return str(caught.value)

    expected = call()
    instrument()
    assert call() == expected
    values = attributes(spans.one())
    assert values["gen_ai.usage.input_tokens"] == 100
    assert values["gen_ai.usage.output_tokens"] == 20
    # A raw response is the application's to parse: that is not the call's error.
    assert values.get("error.type") == (None if how == "raw" else INVALID)


@modern
async def test_an_async_answer_that_does_not_fit_the_schema(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """The same for async clients, and for Anthropic's."""
    instrument()
    body = json.dumps(MESSAGE_ANSWER).replace('{\\"a\\":1}', "prose").encode()
    server.script(Answer(body=body, headers={"content-type": JSON}))
    client: Any = anthropic.AsyncAnthropic(base_url=server.url, api_key="key", max_retries=0)
    if not hasattr(client.messages, "parse"):
        pytest.skip("this release has no parse")
    async with client:
        with pytest.raises(ValueError, match="JSON"):
            await client.messages.parse(**MESSAGE, output_format=Schema)
    values = attributes(spans.one())
    assert values["gen_ai.usage.input_tokens"] == 100
    assert values["error.type"] in {INVALID, "client_error"}, "the class, or the word of the SDK's own span"


def test_a_body_that_is_no_json(server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """There is nothing to learn, and what the SDK makes of it is the application's."""
    instrument()
    server.script(Answer(body=b"{", headers={"content-type": JSON}))
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
    with client, pytest.raises(ValueError, match="Expecting property name"):
        client.chat.completions.create(**CHAT)
    values = attributes(spans.one())
    assert values["error.type"] == "json.decoder.JSONDecodeError"
    assert "gen_ai.usage.input_tokens" not in values


# Long ones.


def long(data: dict[str, Any], text: str = "x" * 3_000_000) -> bytes:
    """An answer of megabytes."""
    return json.dumps(data).replace('{\\"a\\":1}', text).encode()


LONG: list[tuple[type[Reading], dict[str, Any], dict[str, Any]]] = [
    (ChatReading, CHAT_ANSWER, CHAT_USAGE),
    (MessagesReading, MESSAGE_ANSWER, MESSAGES_USAGE),
    (ResponsesReading, RESPONSE_ANSWER, RESPONSE_ANSWER["usage"]),
    (EmbeddingsReading, {**EMBEDDINGS, "data": [{"embedding": [0.123456] * 300_000}]}, EMBEDDINGS["usage"]),  # type: ignore[dict-item]
]


@pytest.mark.parametrize(("kind", "data", "usage"), LONG, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("piece", [0, 65_536, 600_000])
def test_a_long_body_is_read_at_its_ends(
    kind: type[Reading], data: dict[str, Any], usage: dict[str, Any], piece: int
) -> None:
    """Model and usage of an answer of megabytes, whether it is in memory or arrives in pieces."""
    body = long(data)
    reading = reading_of(kind)
    if piece:
        copy = Tee()
        for start in range(0, len(body), piece):
            copy.add(body[start : start + piece])
        copy.read(reading, JSON)
    else:
        read_body(reading, JSON, body)
    assert reading.call.raw_usage == usage
    assert reading.call.response_model == data["model"]
    assert reading.call.response_id == data.get("id")


@pytest.mark.parametrize(
    "hidden",
    [
        json.dumps('"usage": {"prompt_tokens": 9}')[1:-1],
        json.dumps('\\"usage": {"prompt_tokens": 9}}')[1:-1],
        json.dumps(', "usage')[1:-1],
    ],
)
def test_what_a_long_answer_says_of_usage_is_not_its_usage(hidden: str) -> None:
    """A model may write JSON: within a text it is a text."""
    text = "x" * 3_000_000 + hidden
    answer = {**CHAT_ANSWER, "usage": None}
    reading = reading_of(ChatReading)
    read_body(reading, JSON, long(answer, text))
    assert reading.call.raw_usage is None
    assert reading.call.response_id == CHAT_ANSWER["id"]


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        ('{"usage": {"prompt_tokens": 1', '"choices": [{"usage": {"prompt_tokens": 9}}]}'),
        ('{"usage"', '{"prompt_tokens": 9}}'),
        ('["usage", ', '"usage"]'),
        ('{"usage": 12', '34, "a": {"usage": 5}}'),
        ("", ""),
        ("{" * 1000, "}" * 1000),
        ("\ufffd", '"usage": {"prompt_tokens": 9}'),
    ],
)
def test_ends_that_do_not_tell(head: str, tail: str) -> None:
    """A part of an inner object, a number that is cut, no object at all: nothing is made up."""
    reading = reading_of(ChatReading)
    gap = " " * 2_000_000
    read_body(reading, JSON, f"{head}{gap}{tail}".encode())
    assert reading.call.raw_usage is None


def test_a_long_stream_in_memory_is_read_at_its_ends() -> None:
    """As a hook of the HTTP client leaves it."""
    body = b"".join(chat_chunks(texts=40_000))
    reading = reading_of(ChatReading)
    read_body(reading, SSE, body)
    assert reading.call.raw_usage == CHAT_USAGE


# Codings.


def quick_brotli(data: bytes) -> bytes:
    return brotli.compress(data, quality=4)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": quick_brotli,
    "gzip": gzip.compress,
    "zstd": zstd.compress,
}


@modern
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("how", ["read", "iter_bytes", "iter_raw"])
def test_a_compressed_answer_that_the_application_reads(
    coding: str, how: str, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """In each coding that the HTTP library knows."""
    instrument()
    body = CODINGS[coding](long(CHAT_ANSWER, "x" * 600_000))
    server.script(Answer(body=body, headers={"content-type": JSON, "content-encoding": coding}))
    client: Any = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
    with client, client.chat.completions.with_streaming_response.create(**CHAT) as response:
        data = getattr(response.http_response, how)()
        assert b"".join([data] if how == "read" else data)
    assert attributes(spans.one())["gen_ai.usage.input_tokens"] == 100


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_in_pieces(coding: str) -> None:
    """Its end is known also when what is kept of the decoded body has a gap."""
    body = CODINGS[coding](b"".join(chat_chunks(texts=10_000)))
    copy, reading = Tee(coding), reading_of(ChatReading)
    for start in range(0, len(body), 100):
        copy.add(body[start : start + 100])
    copy.read(reading, SSE)
    assert reading.call.raw_usage == CHAT_USAGE


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_breaks_off_in_its_coding(coding: str) -> None:
    """What was decoded until then is read, and nothing fails."""
    body = CODINGS[coding](b"".join(chat_chunks()))
    copy, reading = Tee(coding), reading_of(ChatReading)
    copy.add(body[:-10])
    copy.add(b"\xff" * 100)
    copy.add(b"more")
    copy.read(reading, SSE)
    assert reading.call.response_id in {None, CHAT_ANSWER["id"]}


def test_a_few_bytes_that_stand_for_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding ends somewhere."""
    monkeypatch.setattr(tee, "MOST_DECODED", 3 << 20)
    copy, reading = Tee("gzip"), reading_of(ChatReading)
    copy.add(gzip.compress(long(CHAT_ANSWER, " " * (8 << 20))))
    copy.add(b"more")
    copy.read(reading, JSON)
    assert reading.call.response_id == CHAT_ANSWER["id"]
    assert reading.call.raw_usage is None


def test_libraries_of_codings_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded for this: the HTTP library would have asked for the coding only if it can read it."""
    for name in ("brotli", "brotlicffi", "backports.zstd", "compression.zstd", "zstandard"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert decoder("br") is None
    assert decoder("zstd") is None


def test_the_other_library_of_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    """`httpx` before 1.0 decodes with `zstandard`."""

    class Zstandard:
        @staticmethod
        def ZstdDecompressor() -> Any:  # noqa: N802  the library's name
            class Made:
                decompressobj = staticmethod(zstd.ZstdDecompressor)

            return Made

    monkeypatch.delitem(sys.modules, "backports.zstd", raising=False)
    monkeypatch.setitem(sys.modules, "zstandard", Zstandard)  # type: ignore[arg-type]
    decode = decoder("zstd")
    assert decode is not None
    assert b"".join(decode(zstd.compress(b"hello"))) == b"hello"


# Bedrock's frames.


def test_frames_are_read_from_any_place() -> None:
    """From the first whole one on, and up to the last whole one."""
    frames = event_stream(message_events())
    data = b"".join(frames)
    assert [each["type"] for each in events(data)][-2:] == ["message_delta", "message_stop"]
    whole = list(events(data))
    for start in range(1, len(data), 37):
        found = list(events(data[start:]))
        assert found == whole[len(whole) - len(found) :]
    assert list(events(data[:-1])) == whole[:-1]
    assert list(events(b"")) == list(events(b"\x0b:event-type" * 200)) == []


def test_a_long_stream_of_frames_has_its_usage() -> None:
    """From its head and its tail."""
    copy, reading = Tee(), reading_of(MessagesReading, "messages")
    for frame in event_stream(message_events(texts=4_000)):
        copy.add(frame)
    copy.read(reading, FRAMES)
    assert reading.call.raw_usage == MESSAGES_USAGE
    assert reading.call.finish_reasons == ("end_turn",)


def test_an_exception_in_a_frame() -> None:
    """Its type is the error's."""
    first = event_stream(message_events())[0]
    headers = {":exception-type": "throttlingException", ":message-type": "exception"}
    reading = reading_of(MessagesReading, "messages")
    read_body(reading, FRAMES, first + framed(headers, b'{"message": "secret"}'))
    assert reading.call.response_id
    assert reading.call.error_type == "throttlingException"


@pytest.mark.parametrize("payload", [b"no json", b"[]", b'{"bytes": "!"}', b'{"bytes": 5}', b'{"bytes": "W10="}'])
def test_odd_frames_say_nothing(payload: bytes) -> None:
    """A payload that holds no event is passed over."""
    frames = framed({":event-type": "chunk"}, payload) + framed({":event-type": "chunk"}, b'{"bytes": "eyJhIjoxfQ=="}')
    assert list(events(frames)) == [{"a": 1}]


def test_an_exception_without_a_name_is_no_event() -> None:
    """Nor is a frame whose lengths do not fit."""
    frame = framed({":exception-type": "x"}, b"{}").replace(b":exception-type\x07", b":exception-type\x06")
    assert list(events(frame)) == []
    prelude = struct.pack(">II", 13, 100)
    assert list(events(prelude + struct.pack(">I", zlib.crc32(prelude)) + b"x" * 100)) == []
