"""What is kept of a response that the application reads by itself, and the reading of it at the end."""

import json
from collections import deque
from typing import Any, cast

from llm_observer.adapters.decoding import MOST_DECODED, Decode, decoder
from llm_observer.adapters.eventstream import events
from llm_observer.adapters.fragments import first_members, last_members
from llm_observer.adapters.reading import Reading, code

__all__ = ["Tee", "read_body"]

_HEAD = 256 * 1024
_TAIL = 256 * 1024
_STREAMS = frozenset({"text/event-stream", "application/vnd.amazon.eventstream"})
_MOST_PARSED = 1024 * 1024
"""A longer body is read at its ends only: parsing all of it would hold up the application."""


class Tee:
    """A bounded copy of a body: its head, where a message starts, and its tail, where the usage stands.

    Args:
        encoding: The body's content coding, which is taken off before it is copied.
    """

    __slots__ = ("_decode", "_head", "_size", "_tail", "_tailed")

    def __init__(self, encoding: str = "") -> None:
        self._decode: Decode | None = decoder(encoding)
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tailed = 0
        self._size = 0

    def add(self, data: bytes) -> None:
        """Keep of `data` what there is room for."""
        if self._decode is None:
            return
        try:
            for piece in self._decode(data):
                self._keep(piece)
                if self._size > MOST_DECODED:
                    self._decode = None
                    return
        except Exception:  # noqa: BLE001  each library has its own; the body is the application's to fail on
            self._decode = None

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        room = _HEAD - len(self._head)
        if room:
            self._head += piece[:room]
            piece = piece[room:]
        if piece:
            self._tail.append(piece[-_TAIL:])
            self._tailed += len(self._tail[-1])
            while self._tailed - len(self._tail[0]) >= _TAIL:
                self._tailed -= len(self._tail.popleft())

    def read(self, reading: Reading, content_type: str) -> None:
        """Have `reading` read what is here: JSON, or the events of a stream."""
        whole = len(self._head) + self._tailed == self._size
        _read(reading, content_type, bytes(self._head), b"".join(self._tail), whole=whole)


def read_body(reading: Reading, content_type: str, body: bytes) -> None:
    """Have `reading` read a body, at both of its ends if it is very long."""
    if len(body) <= _MOST_PARSED:
        _read(reading, content_type, body, b"", whole=True)
    else:
        _read(reading, content_type, body[:_HEAD], body[-_TAIL:], whole=False)


def _read(reading: Reading, content_type: str, head: bytes, tail: bytes, *, whole: bool) -> None:
    """Have `reading` read a body, given in two pieces that have a gap between them unless it is `whole`."""
    kind = _kind(content_type, head)
    pieces = (head + tail,) if whole else (head, tail)
    if kind == "text/event-stream":
        for piece in pieces:
            _read_lines(reading, piece)
        # The event that the gap ends in may be the one that has the usage, behind all of the output again.
        if not whole and (found := last_members(tail.partition(b"\n")[0], within=True)):
            reading.response(found)
        reading.end()
    elif kind == "application/vnd.amazon.eventstream":
        for piece in pieces:
            for event in events(piece):
                _read_event(reading, event)
        reading.end()
    elif kind.endswith("json"):
        data = _parsed(pieces[0]) if whole else {**first_members(head), **last_members(tail)}
        if isinstance(data, dict) and data:
            reading.response(cast("dict[str, Any]", data))


def _kind(content_type: str, head: bytes) -> str:
    """What a body is by its header; where that tells none of what models answer with, by how the body begins."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _STREAMS or kind.endswith("json"):
        return kind
    # Some gateways say plain text, or nothing, and the SDKs read what they send all the same.
    begins = head[:64].lstrip()
    if begins.startswith(b"{"):
        return "application/json"
    return "text/event-stream" if begins.startswith((b"data:", b"event:", b":")) else kind


def _read_lines(reading: Reading, piece: bytes) -> None:
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
