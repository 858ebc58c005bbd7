"""A loopback server that answers the OpenAI and Anthropic SDKs as a test scripts it, and records what was sent."""

import base64
import json
import struct
import sys
import threading
import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

__all__ = [
    "MODEL",
    "Answer",
    "Recorded",
    "ScriptedServer",
    "chat_chunks",
    "event_stream",
    "framed",
    "message_events",
    "response_events",
    "sse",
]

MODEL = {"openai": "gpt-5.6", "anthropic": "claude-sonnet-5"}

CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 8},
}
RESPONSES_USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 8},
    "total_tokens": 120,
}
MESSAGES_USAGE = {
    "input_tokens": 10,
    "cache_read_input_tokens": 70,
    "cache_creation_input_tokens": 20,
    "output_tokens": 20,
    "service_tier": "standard",
}

CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5.6-2026-08-01",
    "choices": [
        {"index": 0, "finish_reason": "stop", "logprobs": None, "message": {"role": "assistant", "content": '{"a":1}'}}
    ],
    "usage": CHAT_USAGE,
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}
COMPLETION = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "gpt-5.6-2026-08-01",
    "choices": [{"index": 0, "finish_reason": "length", "logprobs": None, "text": "hello"}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
}
EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 100, "total_tokens": 100},
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5.6-2026-08-01",
    "status": "completed",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": '{"a":1}', "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "service_tier": "default",
    "usage": RESPONSES_USAGE,
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-20260901",
    "content": [{"type": "text", "text": '{"a":1}'}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": MESSAGES_USAGE,
}


def sse(events: Iterable[Mapping[str, Any] | str], *, named: bool = False) -> list[bytes]:
    """Server-sent events, one piece each; `named` gives each the name of its type."""
    pieces: list[bytes] = []
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event)
        name = f"event: {event['type']}\n" if named and not isinstance(event, str) else ""
        pieces.append(f"{name}data: {data}\n\n".encode())
    return pieces


def chat_chunks(*, usage: bool = True, texts: int = 3) -> list[bytes]:
    """A streamed chat completion."""
    head: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-5.6-2026-08-01",
    }
    head["service_tier"] = "default"
    deltas: list[Any] = [{"role": "assistant", "content": ""}, *({"content": str(n)} for n in range(texts))]
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        chunks.append({**head, "choices": [], "usage": CHAT_USAGE})
    return sse([*chunks, "[DONE]"])


def response_events(*, texts: int = 3) -> list[bytes]:
    """A streamed response."""
    start: dict[str, Any] = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    item: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "in_progress",
        "content": [],
    }
    part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": start},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": part},
        *({"type": "response.output_text.delta", **place, "delta": str(n), "logprobs": []} for n in range(texts)),
        {"type": "response.completed", "response": RESPONSE},
    ]
    return sse(({**event, "sequence_number": n} for n, event in enumerate(events)), named=True)


def message_events(*, texts: int = 3) -> list[bytes]:
    """A streamed message. Its usage is cumulative: the last word on output tokens comes with `message_delta`."""
    usage = {**MESSAGES_USAGE, "output_tokens": 1}
    start: dict[str, Any] = {**MESSAGE, "content": [], "stop_reason": None, "usage": usage}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": str(n)}}
            for n in range(texts)
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 20},
        },
        {"type": "message_stop"},
    ]
    return sse(events, named=True)


def tool_use_events(message: Mapping[str, Any]) -> list[bytes]:
    """The stream of a message that calls a tool."""
    (block,) = message["content"]
    start: dict[str, Any] = {
        **message,
        "content": [],
        "stop_reason": None,
        "usage": {**MESSAGES_USAGE, "output_tokens": 1},
    }
    delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    return sse(
        [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0, "content_block": {**block, "input": {}}},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "tool_use", "stop_sequence": None},
                "usage": {"output_tokens": 20},
            },
            {"type": "message_stop"},
        ],
        named=True,
    )


def framed(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame of `application/vnd.amazon.eventstream`."""
    head = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    frame = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return frame + struct.pack(">I", zlib.crc32(frame))


def event_stream(pieces: Iterable[bytes]) -> list[bytes]:
    """Server-sent events as Bedrock sends them, a frame each."""
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return [
        framed(headers, json.dumps({"bytes": base64.b64encode(data).decode()}).encode())
        for data in (piece.partition(b"data: ")[2].strip() for piece in pieces)
    ]


BATCH = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "validating",
    "created_at": 1,
}
MESSAGE_BATCH = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "in_progress",
    "request_counts": {"processing": 1, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-01-02T00:00:00Z",
}

_JSON: Mapping[str, Mapping[str, Any]] = {
    "/chat/completions": CHAT,
    "/completions": COMPLETION,
    "/embeddings": EMBEDDINGS,
    "/responses": RESPONSE,
    "/v1/messages": MESSAGE,
    "/count_tokens": {"input_tokens": 100},
    "/responses/input_tokens": {"object": "response.input_tokens", "input_tokens": 100},
    "/v1/messages/batches": MESSAGE_BATCH,
    "/batches": BATCH,
    "/invoke": MESSAGE,
    "/invoke-with-response-stream": MESSAGE,
    ":rawPredict": MESSAGE,
    ":streamRawPredict": MESSAGE,
}
"""By the end of the path; the first that fits."""


def _usual(wanted: Mapping[str, Any], request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a healthy provider says to `request`, other than `wanted` where it asks for something special."""
    if wanted is RESPONSE and request.get("background"):
        return {**RESPONSE, "status": "queued", "output": [], "usage": None}
    if wanted is MESSAGE and "look_up" in json.dumps(request.get("tools", [])) and "tool_result" not in str(request):
        block = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"place": "Paris"}}
        return {**MESSAGE, "content": [block], "stop_reason": "tool_use"}
    return wanted


def _stream(wanted: Mapping[str, Any], request: Mapping[str, Any]) -> list[bytes]:
    """The events in which `wanted` is streamed."""
    if wanted is CHAT:
        options: Mapping[str, Any] = request.get("stream_options") or {}
        return chat_chunks(usage=options.get("include_usage", True))
    if wanted is RESPONSE:
        return response_events()
    if wanted.get("stop_reason") == "tool_use":
        return tool_use_events(wanted)
    return message_events() if wanted is MESSAGE else sse([wanted, "[DONE]"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to a request.

    Attributes:
        status: The HTTP status.
        body: Sent whole when `pieces` is empty.
        headers: In addition to length and type.
        pieces: Sent one by one in chunked coding.
        broken: Cut the connection behind the last piece, without ending the body.
        gate: Wait for this before the last piece, or before an answer without pieces.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    pieces: tuple[bytes, ...] = ()
    broken: bool = False
    gate: threading.Event | None = None

    @classmethod
    def json(cls, data: object, status: int = 200, **headers: str) -> Self:
        """`data` as JSON."""
        return cls(
            status=status, body=json.dumps(data).encode(), headers={"content-type": "application/json"} | headers
        )

    @classmethod
    def stream(
        cls,
        pieces: Iterable[bytes],
        *,
        broken: bool = False,
        gate: threading.Event | None = None,
        content_type: str = "text/event-stream",
        **headers: str,
    ) -> Self:
        """Server-sent events, or what `content_type` says."""
        return cls(pieces=tuple(pieces), headers={"content-type": content_type} | headers, broken=broken, gate=gate)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class ScriptedServer:
    """Answers each request with the next scripted answer, else as a healthy provider would."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._answers: deque[Answer] = deque()
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The base URL for Anthropic's SDK; OpenAI's has `/v1` behind it."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def port(self) -> int:
        return self._http.server_address[1]

    def script(self, *answers: Answer) -> None:
        """Answer the next requests so."""
        self._answers.extend(answers)

    def answer(self, request: Recorded) -> Answer:
        """What to answer to `request`."""
        self.requests.append(request)
        if self._answers:
            return self._answers.popleft()
        path = request.path.partition("?")[0]
        wanted = next((data for end, data in _JSON.items() if path.endswith(end)), None)
        if wanted is None:
            return Answer.json({"error": {"type": "not_found_error", "message": "no such path"}}, 404)
        asked = json.loads(request.body or b"{}")
        wanted = _usual(wanted, asked)
        if path.endswith("/invoke-with-response-stream"):
            return Answer.stream(event_stream(message_events()), content_type="application/vnd.amazon.eventstream")
        return Answer.stream(_stream(wanted, asked)) if asked.get("stream") else Answer.json(wanted)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, as a test may have it, is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType]


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(server.answer(Recorded(self.command, self.path, headers, body)))

        do_GET = do_POST  # noqa: N815  the interface's name

        def _send(self, answer: Answer) -> None:
            if answer.gate is not None and not answer.pieces:
                answer.gate.wait(10)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not answer.pieces:
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                return
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                for n, piece in enumerate(answer.pieces, 1):
                    if answer.gate is not None and n == len(answer.pieces):
                        answer.gate.wait(10)
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                    self.wfile.flush()
                if answer.broken:
                    self.close_connection = True
                else:
                    self.wfile.write(b"0\r\n\r\n")
            except OSError:
                # The client went away first, as a test may.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the interface's name
            """Nothing is printed."""

    return Handler
