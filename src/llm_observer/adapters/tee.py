"""What is kept of a response that the application reads by itself, and the reading of it at the end."""

import json
import zlib
from collections import deque
from typing import Any, cast

from llm_observer.adapters.fragments import first_members, last_members
from llm_observer.adapters.reading import Reading, code

__all__ = ["Tee", "read_body"]

_HEAD = 256 * 1024
_TAIL = 256 * 1024
_DECODED = 4 * 1024 * 1024


class Tee:
    """A bounded copy of a body: its head, where a message starts, and its tail, where the usage stands."""

    __slots__ = ("_head", "_size", "_tail", "_tailed")

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tailed = 0
        self._size = 0

    def add(self, data: bytes) -> None:
        """Keep of `data` what there is room for."""
        self._size += len(data)
        if self._size <= _HEAD:
            self._head += data
            return
        self._tail.append(data[-_TAIL:])
        self._tailed += len(self._tail[-1])
        while self._tailed - len(self._tail[0]) >= _TAIL:
            self._tailed -= len(self._tail.popleft())

    def read(self, reading: Reading, content_type: str, encoding: str) -> None:
        """Have `reading` read what is here: JSON, or the events of a stream."""
        head, tail = bytes(self._head), b"".join(self._tail)
        whole = len(head) + self._tailed == self._size
        if encoding in {"gzip", "deflate"}:
            head, tail = _inflated(head + tail if whole else head), b""
        elif encoding not in {"", "identity"}:
            return
        read_body(reading, content_type, head, tail, whole=whole)


def read_body(reading: Reading, content_type: str, head: bytes, tail: bytes = b"", *, whole: bool = True) -> None:
    """Have `reading` read a body, given in two pieces that have a gap between them unless it is `whole`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        for piece in (head + tail,) if whole else (head, tail):
            _read_events(reading, piece)
        # The event that the gap ends in may be the one that has the usage, behind all of the output again.
        if not whole and (found := last_members(tail.partition(b"\n")[0], within=True)):
            reading.response(found)
        reading.end()
    elif kind.endswith("json"):
        data = _parsed(head + tail) if whole else {**first_members(head), **last_members(tail)}
        if isinstance(data, dict):
            reading.response(cast("dict[str, Any]", data))


def _read_events(reading: Reading, piece: bytes) -> None:
    for line in piece.splitlines():
        if line.startswith(b"data:"):
            data = _parsed(line[5:])
            if isinstance(data, dict):
                _read_event(reading, cast("dict[str, Any]", data))


def _read_event(reading: Reading, data: dict[str, Any]) -> None:
    error = data.get("error")
    if error and "type" not in data:
        # A chunk of Chat Completions that is an error instead.
        reading.call.error_type = code(error, "code") or code(error, "type") or "error"
    else:
        reading.item(data)


def _parsed(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _inflated(data: bytes) -> bytes:
    """The body decoded, as far as it goes; `deflate` comes with a header or without."""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        try:
            return zlib.decompressobj(window).decompress(data, _DECODED)
        except zlib.error:
            continue
    return b""
