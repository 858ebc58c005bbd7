"""A loopback endpoint for telemetry that misbehaves by script, and remembers what it was sent."""

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

__all__ = [
    "Behaviour",
    "Endpoint",
    "Received",
    "boast",
    "bomb",
    "close",
    "drip",
    "endless",
    "garbage",
    "hang",
    "refuse_large",
    "reply",
    "reset",
    "trickle",
]


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def batch(self) -> Any:
        """The JSON in its body."""
        return json.loads(gzip.decompress(self.body))

    @property
    def ids(self) -> list[str]:
        """The span ids of its events."""
        return [event["trace"]["span_id"] for event in self.batch["events"]]


Behaviour = Callable[["Endpoint", socket.socket, Received], bool]
"""Answers one request; whether the connection can go on."""


def reply(status: int, body: bytes = b"{}", **headers: str) -> Behaviour:
    """A whole response. Underscores in names of headers stand for hyphens."""

    def behave(_: "Endpoint", sock: socket.socket, __: Received) -> bool:
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return True

    return behave


def refuse_large(most: int) -> Behaviour:
    """413 for more than `most` events, 200 else."""

    def behave(endpoint: "Endpoint", sock: socket.socket, request: Received) -> bool:
        return reply(413 if len(request.ids) > most else 200)(endpoint, sock, request)

    return behave


def hang(endpoint: "Endpoint", _: socket.socket, __: Received) -> bool:
    """Say nothing."""
    endpoint.closing.wait(30)
    return False


def close(_: "Endpoint", __: socket.socket, ___: Received) -> bool:
    """Hang up without a word."""
    return False


def reset(_: "Endpoint", sock: socket.socket, __: Received) -> bool:
    """Break the connection off (RST)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def garbage(_: "Endpoint", sock: socket.socket, __: Received) -> bool:
    """Answer with what is no HTTP."""
    sock.sendall(b"\x00\xff SSH-2.0-what\r\n\r\n")
    return False


def endless(endpoint: "Endpoint", sock: socket.socket, _: Received) -> bool:
    """200, and a body without end."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while not endpoint.closing.is_set():
        sock.sendall(b"x" * 65536)
    return False


_NESTED = gzip.compress(gzip.compress(bytes(1 << 22), 1), 1)


def bomb(_: "Endpoint", sock: socket.socket, __: Received) -> bool:
    """200, and a short body that unpacks to a large one."""
    body = _NESTED
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return True


def boast(endpoint: "Endpoint", sock: socket.socket, _: Received) -> bool:
    """200, and headers without end."""
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while not endpoint.closing.is_set():
        sock.sendall(b"X-Header: %s\r\n" % (b"x" * 60_000))
    return False


def trickle(endpoint: "Endpoint", sock: socket.socket, _: Received) -> bool:
    """200, and a body that comes a byte at a time."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not endpoint.closing.wait(0.02):
        sock.sendall(b"x")
    return False


def drip(endpoint: "Endpoint", sock: socket.socket, _: Received) -> bool:
    """A header, a byte at a time, so that no single read waits long."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not endpoint.closing.wait(0.02):
        sock.sendall(b"x")
    return False


class Endpoint:
    """Listens on a port of 127.0.0.1; answers the nth request by the nth of `script`, later ones with `then`."""

    def __init__(
        self, *script: Behaviour, then: Behaviour | None = None, certificate: tuple[str, str] | None = None
    ) -> None:
        self.script = list(script)
        self.then = then or reply(200)
        self.requests: list[Received] = []
        self.connections = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}/v1/events?k=v"

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in tuple(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    @property
    def ids(self) -> list[str]:
        """The span ids of all events, in the order they came."""
        return [span_id for request in self.requests for span_id in request.ids]

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, sock: socket.socket) -> None:
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._sockets.add(sock)
        # OSError: the client went, or does not trust us.
        with contextlib.suppress(OSError), sock:
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            while (request := self._read(sock)) is not None:
                with self._lock:
                    self.requests.append(request)
                    behave = self.script.pop(0) if self.script else self.then
                if not behave(self, sock, request):
                    break
        self._sockets.discard(sock)

    def _read(self, sock: socket.socket) -> Received | None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            piece = sock.recv(65536)
            if not piece:
                return None
            body += piece
        return Received(first.split(" ")[1], headers, body, time.monotonic())
