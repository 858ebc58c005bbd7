"""The events in a body of `application/vnd.amazon.eventstream`, in which Bedrock streams.

A frame is: length of it all and of its headers (4 bytes each, big-endian), the CRC-32 of those eight bytes, the
headers, the payload, the CRC-32 of all before. Source:
https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
"""

import base64
import binascii
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any, cast

__all__ = ["events"]

_PRELUDE = 12
_CRC = 4
_TYPE_OF_A_STRING = 7
_FIRST_HEADERS = (b"\x0b:event-type", b"\x0d:content-type", b"\x0d:message-type", b"\x0f:exception-type")
"""What the headers of a frame begin with; they come in any order."""
_MOST_STARTS = 64
"""How many places are tried for the start of a frame."""


def events(data: bytes) -> Iterator[dict[str, Any]]:
    """The events in `data`, which may begin in the middle of a frame and end in one.

    An exception of the provider is `{"type": "error", "error": {"type": its code}}`.
    """
    at = _start(data)
    while at is not None and at + _PRELUDE <= len(data):
        size, headers = struct.unpack_from(">II", data, at)
        if not _is_prelude(data, at) or size < _PRELUDE + headers + _CRC or at + size > len(data):
            return
        body = at + _PRELUDE + headers
        code = _exception(data[at + _PRELUDE : body])
        if code is not None:
            yield {"type": "error", "error": {"type": code}}
        elif (event := _event(data[body : at + size - _CRC])) is not None:
            yield event
        at += size


def _is_prelude(data: bytes, at: int) -> bool:
    return zlib.crc32(data[at : at + 8]) == int.from_bytes(data[at + 8 : at + _PRELUDE])


def _start(data: bytes) -> int | None:
    """Where the first whole frame begins."""
    if _is_prelude(data, 0):
        return 0
    behind = 0
    for _ in range(_MOST_STARTS):
        found = [at for name in _FIRST_HEADERS if (at := data.find(name, behind)) >= 0]
        if not found:
            return None
        at = min(found) - _PRELUDE
        if at >= 0 and _is_prelude(data, at):
            return at
        behind = min(found) + 1
    return None


def _exception(headers: bytes) -> str | None:
    """The value of the header `:exception-type`."""
    at = headers.find(b":exception-type")
    if at < 0:
        return None
    at += len(b":exception-type")
    if headers[at : at + 1] != bytes([_TYPE_OF_A_STRING]):
        return None
    size = int.from_bytes(headers[at + 1 : at + 3])
    return headers[at + 3 : at + 3 + size].decode(errors="replace")


def _event(payload: bytes) -> dict[str, Any] | None:
    """What the provider of the model says, which Bedrock wraps."""
    try:
        outer: object = json.loads(payload)
        inner = cast("dict[str, object]", outer).get("bytes") if isinstance(outer, dict) else None
        event: object = json.loads(base64.b64decode(inner)) if isinstance(inner, str) else None
    except (ValueError, RecursionError, binascii.Error):
        return None
    return cast("dict[str, Any]", event) if isinstance(event, dict) else None
