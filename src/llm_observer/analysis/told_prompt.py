"""The prompt of a call that another instrumentation tells of, in the messages of OpenTelemetry's conventions.

They are read by their names, from dataclasses and mappings alike, whatever library made them. What is not known of the
request stays unknown: JSON is put in one key order and tools in the order of their names, so that neither is ever taken
for a difference, and there are no markers and no parameters.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, cast

from llm_observer.analysis.jsons import as_text, dump
from llm_observer.analysis.segments import Kind, Prompt, Segment

__all__ = ["MOST_BYTES", "read_told"]

MOST_BYTES = 16 << 20
"""A larger prompt is not read: it is millions of tokens, or files."""

_NODE_BYTES = 64
"""What a value counts for besides its text: reading it takes time too."""

_DEEPEST = 64

_KINDS: Mapping[str, Kind] = {
    "tool_call": "tool_use",
    "server_tool_call": "tool_use",
    "tool_call_response": "tool_result",
    "server_tool_call_response": "tool_result",
    "reasoning": "thinking",
    "blob": "media",
    "uri": "media",
    "file": "media",
    "compaction": "other",
}
_ROLES: Mapping[str, Kind] = {
    "system": "system",
    "developer": "system",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool_result",
}
_LISTS = (list, tuple, deque)
_SETS = (set, frozenset)


def read_told(inputs: object, system: object = None, tools: object = None, *, most: int = MOST_BYTES) -> Prompt | None:
    """The prompt that these input messages, system instructions and tool definitions make.

    `None` where it cannot be told: it is larger than `most` bytes, nested too deeply, or holds something that cannot be
    read without using it up. Changes nothing.
    """
    reader = _Reader(most)
    try:
        named = [(reader.tool(tool), i) for i, tool in enumerate(_items(tools))]
        found = [
            tool._replace(path=f"tools[{i}]") for tool, i in sorted(named, key=lambda one: (one[0].name, one[0].text))
        ]
        count = len(found)
        found += _ended(list(reader.parts("system", "system", "system", "", system)))
        for i, message in enumerate(_items(inputs)):
            found += reader.message(f"messages[{i}]", message)
    except _UnreadableError:
        return None
    head = count
    while head < len(found) and found[head].kind == "system":
        head += 1
    return Prompt(segments=tuple(found), head=head, counted=False, as_sent=False)


class _UnreadableError(Exception):
    """The prompt cannot be told."""


class _Reader:
    """Reads one prompt, up to so many bytes."""

    def __init__(self, most: int) -> None:
        self._left = most

    def tool(self, tool: object) -> Segment:
        """A tool definition; its path is the caller's to give."""
        plain = self._plain(tool)
        return Segment("", "tool", dump(plain, sort_keys=True), is_json=True, name=as_text(_get(plain, "name")))

    def message(self, path: str, message: object) -> list[Segment]:
        """An input message."""
        role = self._text(_get(message, "role"))
        name = self._text(_get(message, "name"))
        spoken = f"{role} {name}" if name else role
        return _ended(list(self.parts(f"{path}.parts", _ROLES.get(role, "user"), spoken, role, _get(message, "parts"))))

    def parts(self, path: str, kind: Kind, role: str, alone: str, parts: object) -> Iterator[Segment]:
        """The parts of a message, or of the system instructions; `alone` is the role of a content that is a text."""
        if isinstance(parts, str):
            yield Segment(path, kind, self._text(parts), role=alone or role)
            return
        for i, part in enumerate(_items(parts)):
            yield self._part(f"{path}[{i}]", kind, role, part)

    def _part(self, path: str, kind: Kind, role: str, part: object) -> Segment:
        if isinstance(part, str):
            return Segment(path, kind, self._text(part), role=role)
        of = self._text(_get(part, "type"))
        content = _get(part, "content")
        if isinstance(content, str) and of in {"text", "reasoning"}:
            return Segment(path, _KINDS.get(of, kind), self._text(content), role=role)
        text = dump(self._plain(part), sort_keys=True)
        return Segment(path, _KINDS.get(of, "other"), text, is_json=True, role=role)

    def _text(self, value: object) -> str:
        """A text as it is, also one of an enumeration's or another subclass; an empty one for anything else."""
        if isinstance(value, Enum):
            value = value.value
        if not isinstance(value, str):
            return ""
        self._take(len(value))
        return str.__str__(value)

    def _take(self, size: int) -> None:
        self._left -= size + _NODE_BYTES
        if self._left < 0:
            raise _UnreadableError

    def _plain(self, value: Any, depth: int = 0) -> Any:
        """`value` as parsed JSON is. Bytes are told by their digest."""
        if depth > _DEEPEST:
            raise _UnreadableError
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, (bool, int, float)):
            self._take(0)
            return value
        if isinstance(value, (bytes, bytearray, memoryview)):
            view = memoryview(cast("bytes", value))
            self._take(view.nbytes)
            return {"sha256": hashlib.sha256(view).hexdigest()}
        if isinstance(value, _LISTS):
            self._take(0)
            return [self._plain(item, depth + 1) for item in cast("list[Any]", value)]
        if isinstance(value, _SETS):
            self._take(0)
            return sorted((self._plain(item, depth + 1) for item in cast("set[Any]", value)), key=dump)
        self._take(0)
        return {self._key(name): self._plain(item, depth + 1) for name, item in _named(value)}

    def _key(self, name: object) -> str:
        if isinstance(name, (str, Enum)):
            return self._text(name)
        if name is None or isinstance(name, (bool, int, float)):
            return dump(name)
        raise _UnreadableError


def _named(value: Any) -> Iterator[tuple[object, Any]]:
    """The names in an object and what they stand for. Of a class's fields, one that is not given counts as not there.

    Raises:
        _UnreadableError: It is no object with names: an iterator is not ours to use up, and a `repr` names what
            differs from run to run.
    """
    if isinstance(value, Mapping):
        yield from cast("Mapping[object, Any]", value).items()
        return
    if is_dataclass(value):
        names = [field.name for field in fields(value)]
    else:
        # pydantic's models
        names = list(cast("Mapping[str, Any]", getattr(cast("object", type(value)), "model_fields", ())))
    if not names:
        raise _UnreadableError
    for name in names:
        item = getattr(value, name, None)
        if item is not None:
            yield name, item


def _get(item: object, name: str) -> Any:
    if isinstance(item, Mapping):
        return cast("Mapping[str, Any]", item).get(name)
    return getattr(item, name, None)


def _items(value: object) -> list[Any]:
    return list(cast("list[Any]", value)) if isinstance(value, _LISTS) else []


def _ended(segments: list[Segment]) -> list[Segment]:
    """The segments of one message."""
    if segments:
        segments[-1] = segments[-1]._replace(message_end=True)
    return segments
