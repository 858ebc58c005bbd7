"""Keeps the content of a response, of a stream put together from its items, on the call: where that was asked for."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from llm_observer.adapters.reading import Reading, field, plain

__all__ = ["assembling"]

_DEEPEST = 24

_MOST = 1 << 20
"""Characters of a stream's content that are kept: more would not fit on a span."""


def assembling(reading: Reading) -> Reading:
    """`reading`, which also keeps the response's content on the call, if its API has any."""
    assembly = _ASSEMBLIES.get(reading.call.api)
    return reading if assembly is None else _Assembling(reading, assembly())


class _Assembly:
    """Puts a stream's items together, in the shape of a response that is not streamed."""

    def __init__(self) -> None:
        self._room = _MOST

    def add(self, item: object) -> None:
        """Take an item of the stream."""
        raise NotImplementedError

    def whole(self) -> dict[str, Any]:
        """What the items made."""
        raise NotImplementedError

    def _append(self, target: dict[str, Any], name: str, text: object) -> None:
        """Add a piece to a text that comes in pieces; `_joined` makes one of them."""
        if isinstance(text, str) and text and self._room > 0:
            self._room -= len(text)
            pieces: list[str] = target.setdefault(name, [])
            pieces.append(text)


def _joined(value: Any) -> Any:
    """Lists of pieces as texts, all the way down."""
    if isinstance(value, list):
        return "".join(value) if value and all(isinstance(item, str) for item in value) else [*map(_joined, value)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, dict):
        return {name: _joined(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


class _Chat(_Assembly):
    """Chunks of Chat Completions, and of the legacy Completions."""

    def __init__(self) -> None:
        super().__init__()
        self._choices: dict[int, dict[str, Any]] = {}

    def add(self, item: object) -> None:
        for choice in field(item, "choices") or ():
            index = field(choice, "index") or 0
            kept = self._choices.setdefault(index, {"message": {"role": "assistant"}, "calls": {}})
            self._append(kept, "text", field(choice, "text"))
            delta = field(choice, "delta")
            for name in ("content", "refusal", "reasoning_content", "reasoning"):
                self._append(kept["message"], name, field(delta, name))
            for call in field(delta, "tool_calls") or ():
                self._call(kept["calls"], call)

    def _call(self, calls: dict[int, dict[str, Any]], call: object) -> None:
        kept = calls.setdefault(field(call, "index") or 0, {"function": {}})
        kept["id"] = kept.get("id") or field(call, "id")
        function = field(call, "function")
        kept["function"]["name"] = kept["function"].get("name") or field(function, "name")
        self._append(kept["function"], "arguments", field(function, "arguments"))

    def whole(self) -> dict[str, Any]:
        choices: list[dict[str, Any]] = []
        for _, kept in sorted(self._choices.items()):
            calls = [call for _, call in sorted(kept.pop("calls").items())]
            choices.append(_joined(kept))
            if calls:
                choices[-1]["message"]["tool_calls"] = _joined(calls)
        return {"choices": choices}


class _Responses(_Assembly):
    """Events of Responses: the last one has all, and what is done before it is there when it does not come."""

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[int, Any] = {}
        self._last: Any = None

    def add(self, item: object) -> None:
        kind = field(item, "type")
        if kind == "response.output_text.delta":
            self._append(self._items.setdefault(field(item, "output_index") or 0, {}), "text", field(item, "delta"))
        elif kind == "response.output_item.done":
            self._items[field(item, "output_index") or 0] = plain(field(item, "item"), _DEEPEST)
        elif field(field(item, "response"), "output"):
            self._last = field(item, "response")

    def whole(self) -> dict[str, Any]:
        if self._last is not None:
            return plain(self._last, _DEEPEST)
        return {
            "output": [
                item if "type" in item else {"role": "assistant", "content": _joined(item.get("text", ""))}
                for _, item in sorted(self._items.items())
            ]
        }


_PIECES: Mapping[str, tuple[str, str]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "input"),
    "compaction_delta": ("content", "content"),
}
"""By a delta's type: where its piece stands, and what of the block it is a piece of."""


class _Messages(_Assembly):
    """Events of Anthropic's Messages."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}

    def add(self, item: object) -> None:
        kind, index = field(item, "type"), field(item, "index") or 0
        if kind == "content_block_start":
            self._blocks[index] = (plain(field(item, "content_block"), _DEEPEST) or {}, {})
        elif kind == "content_block_delta" and index in self._blocks:
            delta = field(item, "delta")
            name, target = _PIECES.get(field(delta, "type") or "", ("", ""))
            self._append(self._blocks[index][1], target, field(delta, name))

    def whole(self) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        for _, (block, pieces) in sorted(self._blocks.items()):
            found = _joined(pieces)
            if "input" in found:
                found["input"] = _parsed(found["input"])
            content.append(block | found)
        return {"content": content}


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


class _Assembling(Reading):
    """Reads as another does, and keeps the content."""

    __slots__ = ("_assembly", "_reading", "_streamed")

    def __init__(self, reading: Reading, assembly: _Assembly) -> None:
        super().__init__(reading.call)
        self._reading = reading
        self._assembly = assembly
        self._streamed = False

    def response(self, data: object) -> None:
        """Read a whole response."""
        self._reading.response(data)
        self.call.answer = plain(data, _DEEPEST)

    def item(self, item: object) -> None:
        """Read one item of a stream."""
        self._reading.item(item)
        self._streamed = True
        self._assembly.add(item)

    def end(self) -> None:
        """Put what the items gave on the call."""
        self._reading.end()
        if self._streamed:
            self.call.answer = self._assembly.whole()


_ASSEMBLIES: Mapping[str, Callable[[], _Assembly]] = {
    "chat.completions": _Chat,
    "completions": _Chat,
    "responses": _Responses,
    "messages": _Messages,
}
