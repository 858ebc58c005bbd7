"""Connections that can be cut off: timeouts of sockets are per read, a deadline is for the whole."""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import make_headers

__all__ = ["Flight", "open_pools"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Flight:
    """One request under way, and the connection that it took."""

    def __init__(self) -> None:
        self.connection: HTTPConnection | None = None
        self.aborted = False

    def abort(self) -> None:
        """End the request, whatever it waits for, with an error in its own thread."""
        self.aborted = True
        sock = getattr(self.connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def aborted_after(self, seconds: float) -> Generator[None]:
        """Abort what runs inside after `seconds`; a server that sends a byte now and then cannot hold it longer."""
        watch = threading.Timer(seconds, self.abort)
        watch.daemon = True
        # RuntimeError: no more threads can be started. The timeouts of the socket are left.
        with contextlib.suppress(RuntimeError):
            watch.start()
        _current.flight = self
        try:
            yield
        finally:
            _current.flight = None
            watch.cancel()


_current = threading.local()


def _board(connection: HTTPConnection) -> None:
    flight: Flight | None = getattr(_current, "flight", None)
    if flight is not None:
        flight.connection = connection
        if flight.aborted:
            raise ConnectionAbortedError


class _HTTPConnection(HTTPConnection):
    def connect(self) -> None:
        _board(self)
        super().connect()
        # Whoever aborts in between finds no socket to shut.
        _board(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _board(self)
        super().request(*args, **kwargs)


class _HTTPSConnection(HTTPSConnection):
    def connect(self) -> None:
        _board(self)
        super().connect()
        _board(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _board(self)
        super().request(*args, **kwargs)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection  # pyright: ignore[reportAssignmentType]  urllib3's own class does not fit it either


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection  # pyright: ignore[reportAssignmentType]  as above


_POOLS: dict[str, type[HTTPConnectionPool] | type[HTTPSConnectionPool]] = {"http": _HTTPPool, "https": _HTTPSPool}


def open_pools(endpoint: str, certificate_file: str | None) -> urllib3.PoolManager:
    """Connection pools for `endpoint`, through the proxy that the environment names for it. Opens no connection.

    Raises:
        ValueError: The proxy or the certificate file cannot be used; the message is for the user.
    """
    url = urlsplit(endpoint)
    options: dict[str, Any] = {"num_pools": 2, "maxsize": 2}
    if url.scheme == "https":
        options["ssl_context"] = _context(certificate_file)
    proxy = _proxy_for(url.scheme, url.hostname or "")
    pools = urllib3.PoolManager(**options) if proxy is None else _proxied(proxy, options)
    pools.pool_classes_by_scheme = _POOLS
    return pools


def _context(certificate_file: str | None) -> ssl.SSLContext:
    if certificate_file is not None:
        try:
            return ssl.create_default_context(cafile=certificate_file)
        except OSError as error:  # also the errors of ssl
            raise ValueError("the certificate file of the telemetry endpoint cannot be read") from error
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys():
        # A Python without the system's authorities, as python.org's for macOS is.
        with contextlib.suppress(ImportError, OSError):
            import certifi  # noqa: PLC0415  only where it is needed, and there if its owner installed it

            context.load_verify_locations(certifi.where())
    return context


def _proxy_for(scheme: str, host: str) -> str | None:
    """The proxy by the environment's `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`; never one for this machine itself."""
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    return proxy or None


def _proxied(proxy: str, options: dict[str, Any]) -> urllib3.PoolManager:
    url = urlsplit(proxy)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("the proxy of the environment is not an http or https one, so no telemetry is sent")
    headers = None
    if url.username is not None:
        # Its password goes into a header, never into a URL that an error could show.
        headers = make_headers(proxy_basic_auth=f"{url.username}:{url.password or ''}")
    plain = urlunsplit((url.scheme, url.netloc.rpartition("@")[2], "", "", ""))
    return urllib3.ProxyManager(plain, proxy_headers=headers, **options)
