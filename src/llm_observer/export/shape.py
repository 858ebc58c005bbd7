"""The contract as an allow-list: what `telemetry_event_v1.json` names passes in the type it names, nothing else."""

import functools
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, cast

__all__ = ["SCHEMA_FILE", "SCHEMA_VERSION", "Shape", "event_shape", "schema"]

SCHEMA_FILE = "telemetry_event_v1.json"
SCHEMA_VERSION = "1.0"
"""What is written into events and batches."""

_MISSING: Final = object()

OnDrop = Callable[[str], object]
"""Told the path of a value that was given and left out, such as `call.request_model`."""


@functools.cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of a batch, as published."""
    text = resources.files(__package__ or "").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
    return cast("Mapping[str, Any]", json.loads(text))


@functools.cache
def event_shape(*, names: bool) -> "Shape":
    """The shape of one event; without `names` it lacks what the schema marks `x-sent: with_names`."""
    return _compile(schema()["$defs"]["event"], "", names=names)


class Shape(ABC):
    """One node of the contract. It understands the keywords that the contract uses and refuses to load others."""

    path: str
    """Where in an event it stands."""

    @abstractmethod
    def pick(self, value: object, on_drop: OnDrop) -> Any:
        """The part of `value` that the contract allows, new and sharing nothing that can change; else `_MISSING`."""

    def clean(self, value: object, on_drop: OnDrop = lambda _: None) -> Any | None:
        """The part of `value` that the contract allows; `None` when something required is missing."""
        picked = self.pick(value, on_drop)
        return None if picked is _MISSING else picked


@dataclass(frozen=True, slots=True)
class _Leaf(Shape):
    path: str
    accepts: Callable[[Any], bool]

    def pick(self, value: object, on_drop: OnDrop) -> Any:
        if self.accepts(value):
            return value
        on_drop(self.path)
        return _MISSING


@dataclass(frozen=True, slots=True)
class _Array(Shape):
    path: str
    items: Shape
    shortest: int
    longest: int

    def pick(self, value: object, on_drop: OnDrop) -> Any:
        if not isinstance(value, (list, tuple)):
            on_drop(self.path)
            return _MISSING
        values = cast("list[object] | tuple[object, ...]", value)
        if len(values) > self.longest:
            on_drop(self.path)
        picked = [self.items.pick(item, on_drop) for item in values[: self.longest]]
        kept = [item for item in picked if item is not _MISSING]
        return kept if len(kept) >= self.shortest else _MISSING


@dataclass(frozen=True, slots=True)
class _Object(Shape):
    path: str
    properties: Sequence[tuple[str, Shape]]
    required: frozenset[str]

    def pick(self, value: object, on_drop: OnDrop) -> Any:
        if not isinstance(value, Mapping):
            on_drop(self.path)
            return _MISSING
        given = cast("Mapping[str, object]", value)
        picked: dict[str, Any] = {}
        for name, shape in self.properties:
            part = given.get(name)
            if part is not None:
                kept = shape.pick(part, on_drop)
                if kept is not _MISSING:
                    picked[name] = kept
        if self.required <= picked.keys():
            return picked
        if given:
            on_drop(self.path)
        return _MISSING


def _compile(node: Mapping[str, Any], path: str, *, names: bool) -> Shape:
    match node["type"]:
        case "object":
            properties = tuple(
                (name, _compile(child, f"{path}.{name}" if path else name, names=names))
                for name, child in node["properties"].items()
                if names or child.get("x-sent") != "with_names"
            )
            return _Object(path, properties, frozenset(node.get("required", ())))
        case "array":
            items = _compile(node["items"], path, names=names)
            return _Array(path, items, node.get("minItems", 0), node["maxItems"])
        case "string":
            return _Leaf(path, _string(node))
        case "integer":
            low, high = node["minimum"], node["maximum"]
            return _Leaf(path, lambda value: type(value) is int and low <= value <= high)
        case "number":
            return _Leaf(path, _number(node["minimum"], node.get("maximum", math.inf)))
        case "boolean":
            return _Leaf(path, lambda value: type(value) is bool)
        case other:
            raise ValueError(f"the contract uses a type that is not understood: {other}")


def _string(node: Mapping[str, Any]) -> Callable[[object], bool]:
    if "enum" in node:
        known = frozenset(node["enum"])
        return lambda value: type(value) is str and value in known
    shortest, longest = node["minLength"], node["maxLength"]
    if "pattern" not in node:
        return lambda value: type(value) is str and shortest <= len(value) <= longest and _encodes(value)
    # fullmatch: `$` alone lets a line feed pass at the end.
    fits = re.compile(node["pattern"]).fullmatch
    return lambda value: type(value) is str and len(value) <= longest and fits(value) is not None


def _encodes(text: str) -> bool:
    """Whether `text` can be written as UTF-8: a lone surrogate, as in an undecodable file name, cannot."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _number(low: float, high: float) -> Callable[[object], bool]:
    def accepts(value: object) -> bool:
        return (type(value) is float or type(value) is int) and math.isfinite(value) and low <= value <= high

    return accepts
