"""The content codings of HTTP, taken off a body piece by piece.

`br` and `zstd` are decoded by the library that the HTTP client decodes them with: it asks the server for no coding
that it cannot read.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["MOST_DECODED", "Decode", "decoder"]

Decode = Callable[[bytes], Iterator[bytes]]
"""Takes the next piece of a body, gives pieces of what it says. Raises what the library raises for a broken one."""

MOST_DECODED = 64 << 20
"""Bytes of a body behind which the caller stops: a few of a coding can stand for very many."""

_AT_ONCE = 1 << 20


def decoder(encoding: str) -> Decode | None:
    """Takes off the coding that a `Content-Encoding` names; `None` for one that cannot be read here."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return _as_it_is
    if name in {"gzip", "deflate"}:
        return _Inflating().decode
    if name == "br":
        return _by(("brotli", "Decompressor"), ("brotlicffi", "Decompressor"))
    if name == "zstd":
        return _by(("compression.zstd", "ZstdDecompressor"), ("backports.zstd", "ZstdDecompressor")) or _zstandard()
    return None


def _as_it_is(data: bytes) -> Iterator[bytes]:
    yield data


class _Inflating:
    """`gzip`, and `deflate` with a header or without."""

    def __init__(self) -> None:
        self._started = False
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def decode(self, data: bytes) -> Iterator[bytes]:
        try:
            decoded = self._inner.decompress(data, _AT_ONCE)
        except zlib.error:
            if self._started:
                raise
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            decoded = self._inner.decompress(data, _AT_ONCE)
        self._started = True
        while decoded:
            yield decoded
            decoded = self._inner.decompress(self._inner.unconsumed_tail, _AT_ONCE)


def _by(*places: tuple[str, str]) -> Decode | None:
    """Decodes with the first of the named classes whose module the HTTP client has loaded."""
    for module, name in places:
        found = sys.modules.get(module)
        if found is not None:
            inner: Any = getattr(found, name)()
            # What `brotli` calls `process`.
            decompress = getattr(inner, "decompress", None) or inner.process
            return lambda data: iter((decompress(data),))
    return None


def _zstandard() -> Decode | None:
    found: Any = sys.modules.get("zstandard")
    if found is None:
        return None
    inner = found.ZstdDecompressor().decompressobj()
    return lambda data: iter((inner.decompress(data),))
