"""One POST to the endpoint, tried again within a deadline: what may be lost is said, what is secret is not."""

import gzip
import math
import os
import ssl
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from llm_observer._version import __version__
from llm_observer.counters import counters
from llm_observer.export.backoff import backoff, retry_after
from llm_observer.export.flight import Flight, open_pools

__all__ = ["RETRIED", "Outcome", "Result", "Transport"]

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that the same request may not get again."""
_UNAUTHORIZED = frozenset({401, 403})
_UNTRUSTED = "certificate"

_CONNECT_S = 5.0
_READ_BYTES = 64 * 1024
"""How much of a response is read, only so that its connection can be used again."""
_GZIP_LEVEL = 3
_DRAIN_S = 1.0
_LONGEST_THROTTLE_S = 3600.0
"""How long a server's word to wait is heeded, if it asks for longer."""
_EXIT_S = 5.0
"""How long, in all, requests may hold up a process that is ending."""
_SUSPECT_PART = 0.25
"""The part of the timeout that an endpoint gets which has just failed, and no second try."""


class Outcome(Enum):
    """How a request ended."""

    ACCEPTED = "accepted"
    TOO_LARGE = "too_large"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Result:
    """How a request ended and, unless it was accepted, why in one word of a short list."""

    outcome: Outcome
    cause: str = ""


class _Passing(Exception):  # noqa: N818  no error: it may go well the next time
    """A try that failed in a way that may pass."""

    def __init__(self, cause: str, wait_s: float | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.wait_s = wait_s


class Transport:
    """Posts JSON to one URL with a Bearer token.

    Redirects are never followed and `.netrc` is never read, so the token goes nowhere else. A process that forks has
    its own connections in each child. 401 and 403 end all sending. Safe in threads.

    Args:
        endpoint: The URL, exactly as requests go out.
        api_key: The token.
        timeout_s: For a request with all its tries.
        certificate_file: PEM file of the authorities to trust instead of the system's.

    Raises:
        ValueError: The proxy of the environment or the certificate file cannot be used; the message is for the user.
    """

    def __init__(
        self, endpoint: str, api_key: str, *, timeout_s: float = 10.0, certificate_file: str | None = None
    ) -> None:
        self._url = endpoint
        self.host = urlsplit(endpoint).hostname or ""
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": f"llm-observer/{__version__} (python)",
        }
        self._timeout_s = timeout_s
        self._certificate_file = certificate_file
        self._unauthorized = ""
        self._not_before = -math.inf
        self._suspect = False
        self._exit_by = math.inf
        self._pools: urllib3.PoolManager | None = open_pools(endpoint, certificate_file)
        self._closing = threading.Event()
        self._flights: set[Flight] = set()
        _transports.add(self)

    def after_fork(self) -> None:
        """Leave connections and locks to the parent; the child opens its own when it needs them."""
        closing = self._closing.is_set()
        self._pools, self._closing, self._flights = None, threading.Event(), set()
        if closing:
            self._closing.set()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Result:
        """Send `body`, with `headers` beside those of the transport. Blocks for the timeout at most."""
        if self._unauthorized:
            return Result(Outcome.LOST, self._unauthorized)
        given = {**self._headers, **headers}
        packed = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        deadline = self._deadline()
        attempt, cause = 0, ""
        while True:
            if self._closing.is_set():
                return Result(Outcome.LOST, "shutdown")
            if self._not_before > deadline:
                return Result(Outcome.LOST, "throttled")
            if self._closing.wait(max(0.0, self._not_before - time.monotonic())):
                return Result(Outcome.LOST, "shutdown")
            try:
                result = self._try(packed, given, deadline)
            except _Passing as failure:
                # A last try that had little time left says less than those before it.
                cause = failure.cause if failure.cause != "timeout" else cause or "timeout"
                wait = self._wait_after(failure, attempt)
                if self._suspect or time.monotonic() + wait >= deadline:
                    self._suspect = True
                    return Result(Outcome.LOST, "shutdown" if self._closing.is_set() else cause)
                counters.add("retries", failure.cause)
                self._closing.wait(wait)
                attempt += 1
            else:
                self._suspect = False
                return result

    def shutdown(self, timeout: float) -> None:
        """End waits at once and requests within `timeout` seconds. Nothing is sent afterwards."""
        self._closing.set()
        deadline = time.monotonic() + timeout
        while self._flights and time.monotonic() < deadline:
            time.sleep(0.01)
        for flight in tuple(self._flights):
            flight.abort()
        if self._pools is not None:
            self._pools.clear()

    def __repr__(self) -> str:
        return f"Transport(host={self.host!r})"

    def _deadline(self) -> float:
        now = time.monotonic()
        if not threading.main_thread().is_alive():
            # Nobody waits for results any more, only for us.
            self._exit_by = min(self._exit_by, now + _EXIT_S)
        return min(now + self._timeout_s * (_SUSPECT_PART if self._suspect else 1.0), self._exit_by)

    def _wait_after(self, failure: _Passing, attempt: int) -> float:
        if failure.wait_s is not None:
            # For the requests after this one too.
            self._not_before = time.monotonic() + min(failure.wait_s, _LONGEST_THROTTLE_S)
            return failure.wait_s
        if failure.cause == _UNTRUSTED:
            return math.inf
        if failure.cause == "disconnected" and not attempt:
            # Most likely a connection that the server had closed while it was idle.
            return 0.0
        return backoff(attempt)

    def _try(self, body: bytes, headers: Mapping[str, str], deadline: float) -> Result:
        left = deadline - time.monotonic()
        if left <= 0:
            raise _Passing("timeout")
        if self._pools is None:
            self._pools = open_pools(self._url, self._certificate_file)
        flight = Flight()
        self._flights.add(flight)
        try:
            if self._closing.is_set():
                # `shutdown` may have looked for flights before this one was there to see.
                raise _Passing("shutdown")
            with flight.aborted_after(left):
                response = self._pools.urlopen(
                    "POST",
                    self._url,
                    body=body,
                    headers=headers,
                    retries=False,
                    redirect=False,
                    timeout=urllib3.Timeout(connect=min(left, _CONNECT_S), read=left),
                    preload_content=False,
                )
            if flight.aborted:
                # To http.client the end of a connection can pass for the end of the headers.
                response.close()
                raise _Passing("timeout")
            with flight.aborted_after(_DRAIN_S):
                _drain(response)
        except (HTTPError, OSError) as error:
            # `from None`: a message of theirs may quote what was sent.
            raise _Passing("timeout" if flight.aborted else _cause(error)) from None
        finally:
            self._flights.discard(flight)
        return self._judge(response.status, response.headers)

    def _judge(self, status: int, headers: Mapping[str, str]) -> Result:
        if 200 <= status < 300:
            return Result(Outcome.ACCEPTED)
        cause = f"http_{status}"
        if status in RETRIED:
            raise _Passing(cause, retry_after(headers))
        if status == 413:
            return Result(Outcome.TOO_LARGE, "too_large")
        if status in _UNAUTHORIZED:
            self._unauthorized = cause
        return Result(Outcome.LOST, "redirect" if 300 <= status < 400 else cause)


def _cause(error: Exception) -> str:
    """Why no status came, in one word of a short list."""
    match error:
        case SSLError():
            untrusted = error.args and isinstance(error.args[0], ssl.SSLCertVerificationError)
            return _UNTRUSTED if untrusted else "tls"
        case ProxyError():
            return "proxy"
        case NewConnectionError() | ConnectTimeoutError():
            return "connection"
        case ReadTimeoutError() | TimeoutError():
            return "timeout"
        case _:
            return "disconnected"


def _drain(response: Any) -> None:
    """Read the rest of a short response, so that its connection can be used again; close that of a long one."""
    try:
        left = _READ_BYTES
        while left > 0:
            piece = response.read(left, decode_content=False)
            if not piece:
                response.release_conn()
                return
            left -= len(piece)
        response.close()
    except (HTTPError, OSError):
        # The status has been said, and it is all that counts.
        response.close()


_transports: "weakref.WeakSet[Transport]" = weakref.WeakSet()


def _after_fork() -> None:
    for transport in tuple(_transports):
        transport.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
