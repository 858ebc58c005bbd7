"""The HTTP server: routes, keys as scopes, JSON and server-sent events, and the log of what was truly served."""

import contextlib
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from llm_observer.demo.provider import anthropic_api, openai_api
from llm_observer.demo.provider.anthropic_prompt import messages_prompt
from llm_observer.demo.provider.anthropic_rules import AnthropicCache
from llm_observer.demo.provider.entries import Served, Ticket
from llm_observer.demo.provider.openai_prompt import chat_prompt, responses_prompt
from llm_observer.demo.provider.openai_rules import OpenAICache, reports_writes
from llm_observer.demo.provider.tokens import digest
from llm_observer.demo.provider.wire import JSON, BadRequestError, as_dict

__all__ = ["Exchange", "Provider", "VirtualClock"]


class VirtualClock:
    """A clock that a test moves."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request that was answered, and the truth about its cache."""

    at: float
    api: str
    model: str
    scope: str
    served: Served
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Reply:
    ticket: Ticket
    whole: Callable[[], JSON]
    events: Callable[[], Iterator[JSON]]
    named: bool
    """Whether the server-sent events carry the name of their type."""
    done: bool
    """Whether the stream ends with `[DONE]`."""


class Provider:
    """A provider on 127.0.0.1. A context manager: inside, it answers at `openai_url` and `anthropic_url`.

    Args:
        clock: Seconds since the epoch; a test injects a `VirtualClock`.
        latency_s: From a request to the first byte of its response, and a tenth of it between chunks.
        openai: The cache to keep for OpenAI's APIs, for other settings than the default ones.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        latency_s: float = 0.0,
        openai: OpenAICache | None = None,
    ) -> None:
        self.log: list[Exchange] = []
        """Every request answered, in the order in which they arrived."""
        self.failures: list[str] = []
        """What went wrong inside the provider."""
        self.clock = clock
        self.latency_s = latency_s
        self._openai = openai or OpenAICache()
        self._anthropic = AnthropicCache()
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def openai_url(self) -> str:
        """What `OPENAI_BASE_URL` takes."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """What `ANTHROPIC_BASE_URL` takes."""
        return self.url

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reply(self, path: str, raw: bytes, scope: str) -> _Reply | None:
        """Look the request up in the cache and make its answer; `None` for a path that is not served.

        Raises:
            BadRequestError: The vendor would answer with status 400.
        """
        try:
            body = as_dict(json.loads(raw))
        except ValueError:
            raise BadRequestError("The request body is not valid JSON.") from None
        api = path.rpartition("/v1/")[2]
        with self._lock:
            at = self.clock()
            look_up = self._routes(api)
            if look_up is None:
                return None
            ticket, view = look_up(body, scope, at)
            model = str(body.get("model", ""))
            self.log.append(Exchange(at=at, api=api, model=model, scope=scope, served=ticket.served, body=raw))
            # A response has the same id whenever the same is asked as often, so that two runs can be compared.
            question = digest(api, scope, model, view)
            self._asked[question] += 1
            name = digest(question, str(self._asked[question]))
        served = ticket.served
        if api == "messages":
            return _Reply(
                ticket,
                lambda: anthropic_api.message(body, served, name=name),
                lambda: anthropic_api.message_events(body, served, name=name),
                named=True,
                done=False,
            )
        if api == "responses":
            return _Reply(
                ticket,
                lambda: openai_api.response(body, served, name=name, at=at),
                lambda: _numbered(openai_api.response_events(body, served, name=name, at=at)),
                named=True,
                done=False,
            )
        writes = reports_writes(model)
        return _Reply(
            ticket,
            lambda: openai_api.chat_completion(body, served, name=name, at=at, writes=writes),
            lambda: openai_api.chat_events(body, served, name=name, at=at, writes=writes),
            named=False,
            done=True,
        )

    def _routes(self, api: str) -> Callable[[JSON, str, float], tuple[Ticket, str]] | None:
        routes: dict[str, Callable[[JSON, str, float], tuple[Ticket, str]]] = {
            "chat/completions": lambda body, scope, at: (
                self._openai.look_up(chat_prompt(body), scope=scope, at=at),
                openai_api.chat_view(body).said,
            ),
            "responses": lambda body, scope, at: (
                self._openai.look_up(responses_prompt(body), scope=scope, at=at),
                openai_api.responses_view(body).said,
            ),
            "messages": lambda body, scope, at: (
                self._anthropic.look_up(messages_prompt(body), scope=scope, at=at),
                anthropic_api.view(body).said,
            ),
        }
        return routes.get(api)

    def begin_response(self, ticket: Ticket) -> None:
        """The first byte leaves now: what the request writes can be read."""
        with self._lock:
            ticket.begin_response(self.clock())


def _numbered(events: Iterator[JSON]) -> Iterator[JSON]:
    for n, event in enumerate(events):
        yield {**event, "sequence_number": n}


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them, and leaves no socket behind
    request_queue_size = 128  # an application may connect many times at once

    def __init__(self, provider: Provider) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider
        self.open: set[_Handler] = set()

    def server_close(self) -> None:
        for handler in list(self.open):
            handler.hang_up()
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  the base class's signature
        error = sys.exception()
        if not isinstance(error, ConnectionError):  # a client may hang up whenever it likes
            self.provider.failures.append(f"{type(error).__name__} while answering")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  set by the server that made it

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self)

    def finish(self) -> None:
        self.server.open.discard(self)
        super().finish()

    def hang_up(self) -> None:
        """End a connection that its client keeps open."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def do_POST(self) -> None:
        """Answer one request."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.headers.get("x-api-key") or self.headers.get("Authorization", "").removeprefix("Bearer ")
        path = self.path.partition("?")[0]
        anthropic = path.endswith("/messages")
        if not key:
            self._fail(401, "authentication_error", "no API key was given", anthropic=anthropic)
            return
        try:
            reply = self.server.provider.reply(path, raw, digest(key))
        except BadRequestError as error:
            self._fail(400, "invalid_request_error", str(error), anthropic=anthropic)
            return
        if reply is None:
            self._fail(404, "not_found_error", "this provider has no such API", anthropic=anthropic)
            return
        time.sleep(self.server.provider.latency_s)
        self.server.provider.begin_response(reply.ticket)
        if as_dict(json.loads(raw)).get("stream"):
            self._stream(reply)
        else:
            self._send(200, reply.whole())

    def _stream(self, reply: _Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for event in reply.events():
                name = f"event: {event['type']}\n" if reply.named else ""
                self._chunk(f"{name}data: {json.dumps(event)}\n\n")
                time.sleep(self.server.provider.latency_s / 10)
            if reply.done:
                self._chunk("data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:  # the client has read enough
            self.close_connection = True

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _send(self, status: int, body: JSON) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _fail(self, status: int, kind: str, message: str, *, anthropic: bool) -> None:
        error: JSON = {"type": kind, "message": message}
        self._send(status, {"type": "error", "error": error} if anthropic else {"error": {**error, "code": None}})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Say nothing: the log is `Provider.log`."""
