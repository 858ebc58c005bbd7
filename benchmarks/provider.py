"""A fast provider on the loopback interface, for the benchmarks: it answers at once, from memory, in its own process.

    python benchmarks/provider.py

Prints its port and serves until its input ends. A base URL says what the usage of every answer is and how many chunks
a stream has: `http://127.0.0.1:PORT/INPUT-CACHED-CHUNKS`, with `/v1` behind it for the OpenAI SDK.
"""

import asyncio
import functools
import json
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from typing import Any

__all__ = ["loopback"]

JSON = dict[str, Any]

_TARGET = re.compile(rb"POST /(\d+)-(\d+)-(\d+)(/\S*) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAMED = (b'"stream":true', b'"stream": true')
_OUTPUT = 20


class Connection(asyncio.Protocol):
    """One connection: requests one after another."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport: Any = transport
        self._data = bytearray()
        self._awaited = 0

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole."""
        self._data += data
        if len(self._data) < self._awaited:
            return
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._data, 0, end)
        self._awaited = end + 4 + (int(length[1]) if length else 0)
        if len(self._data) >= self._awaited:
            body = bytes(self._data[end + 4 : self._awaited])
            self._transport.write(reply(bytes(self._data[: end + 4]), body))
            self._data.clear()
            self._awaited = 0


def reply(head: bytes, body: bytes) -> bytes:
    """The response to a request."""
    found = _TARGET.match(head)
    if found is None:
        return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    tokens, cached, chunks = (int(number) for number in found.groups()[:3])
    streamed = any(mark in body for mark in _STREAMED)
    return response(found[4].endswith(b"/messages"), tokens, cached, chunks if streamed else 0)


@functools.cache
def response(messages: bool, tokens: int, cached: int, chunks: int) -> bytes:  # noqa: FBT001  a key of the cache
    """A response, whole; a stream when there are chunks."""
    make = message_body if messages else chat_body
    body = make(tokens, cached, chunks)
    kind = b"text/event-stream" if chunks else b"application/json"
    return b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (kind, len(body), body)


def sse(events: list[JSON], *, named: bool) -> bytes:
    """Server-sent events, as the two vendors write them."""
    lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    return "".join(lines).encode() + (b"" if named else b"data: [DONE]\n\n")


def chat_body(tokens: int, cached: int, chunks: int) -> bytes:
    """A chat completion of OpenAI's."""
    head: JSON = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1-2025-04-14", "service_tier": "default"}
    usage: JSON = {"prompt_tokens": tokens, "completion_tokens": _OUTPUT, "total_tokens": tokens + _OUTPUT}
    usage |= {"prompt_tokens_details": {"cached_tokens": cached}}
    if not chunks:
        message = {"role": "assistant", "content": "It comes today."}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        return json.dumps({**head, "object": "chat.completion", "choices": choices, "usage": usage}).encode()
    head["object"] = "chat.completion.chunk"
    choice: JSON = {"index": 0, "finish_reason": None, "delta": {"content": "word "}}
    events: list[JSON] = [{**head, "choices": [choice]} for _ in range(chunks - 2)]
    events.append({**head, "choices": [{"index": 0, "finish_reason": "stop", "delta": {}}]})
    events.append({**head, "choices": [], "usage": usage})
    return sse(events, named=False)


def message_body(tokens: int, cached: int, chunks: int) -> bytes:
    """A message of Anthropic's."""
    usage = {"input_tokens": tokens - cached, "cache_read_input_tokens": cached, "cache_creation_input_tokens": 0}
    head: JSON = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6"}
    head |= {"stop_sequence": None, "usage": {**usage, "output_tokens": _OUTPUT}}
    if not chunks:
        content = [{"type": "text", "text": "It comes today."}]
        return json.dumps({**head, "content": content, "stop_reason": "end_turn"}).encode()
    delta = {"type": "text_delta", "text": "word "}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[JSON] = [
        {"type": "message_start", "message": {**head, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for _ in range(chunks - 5)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": _OUTPUT}},
        {"type": "message_stop"},
    ]
    return sse(events, named=True)


@contextmanager
def loopback() -> Generator[int]:
    """The port of a provider that serves meanwhile, in a process of its own."""
    process = Popen([sys.executable, __file__], stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


async def serve() -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
