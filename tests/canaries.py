"""Unique strings for every place of the SDKs' requests and responses where content can stand, and the search for them.

What a place is follows from the SDKs' own types: each string, key and free value that a request or a response can hold
gets a canary of its own, so a field that a later release adds is covered when that release is installed.
"""

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import chain
from typing import Any, Literal, Union, get_args, get_origin

import pydantic
import typing_extensions

__all__ = ["Canaries", "fill"]

_TOKEN = re.compile(r"cnry[0-9a-f]{6,16}", re.IGNORECASE)
_DEEPEST = 14


class Canaries:
    """Plants strings and finds them, whole or cut."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def plant(self, place: str) -> str:
        """The string that stands for `place`: valid as text, as a name, in a URL, as base64, in a header."""
        token = "Cnry" + blake2b(place.encode(), digest_size=8).hexdigest()
        self._places[token.lower()] = place
        return token

    @property
    def places(self) -> set[str]:
        """Where canaries were planted."""
        return set(self._places.values())

    def found_in(self, text: str) -> set[str]:
        """The places whose canaries are in `text`."""
        return {self._place(match.lower()) for match in _TOKEN.findall(text)}

    def _place(self, token: str) -> str:
        return next((place for known, place in self._places.items() if known.startswith(token)), f"unknown {token}")


def fill(canaries: Canaries, kind: Any, place: str) -> list[Any]:
    """Values of the type `kind` that together have every variant of it, with a canary for each string."""
    return _Filler(canaries).values(kind, place, ())


class _Filler:
    """Writes each type out in full once for each type that it stands in; elsewhere one plain value of it will do."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._written: set[tuple[Any, ...]] = set()

    def values(self, kind: Any, place: str, stack: tuple[Any, ...], *, brief: bool = False) -> list[Any]:
        if len(stack) > _DEEPEST or stack.count(kind) > 1:
            return []
        if isinstance(kind, typing_extensions.TypeAliasType):
            return self.values(kind.__value__, place, stack, brief=brief)
        origin, args = get_origin(kind), get_args(kind)
        if origin in {typing.Required, typing.NotRequired, typing.Annotated, typing_extensions.ReadOnly}:
            return self.values(args[0], place, stack, brief=brief)
        if origin in {Union, types.UnionType}:
            found: Iterator[list[Any]] = (self.values(arg, place, stack, brief=brief) for arg in args)
            return (
                next((values for values in found if values), list[Any]()) if brief else list(chain.from_iterable(found))
            )
        if origin in {Literal, typing_extensions.Literal}:
            return [args[0]]
        if isinstance(origin, type) and issubclass(origin, Mapping):
            values = self.values(args[1], f"{place}.*", stack, brief=brief)
            return [{self._canaries.plant(f"{place} key {n}"): value for n, value in enumerate(values)}]
        if isinstance(origin, type) and issubclass(origin, Iterable):
            return [self.values(args[0], f"{place}[]", stack, brief=brief)]
        return self._plain(kind, place, stack, brief=brief)

    def _plain(self, kind: Any, place: str, stack: tuple[Any, ...], *, brief: bool) -> list[Any]:
        if kind in {str, Any, object}:
            return [self._canaries.plant(place)]
        if kind in {bool, int, float}:
            return [kind(1)]
        if typing_extensions.is_typeddict(kind):
            hints = typing_extensions.get_type_hints(kind, include_extras=True)
            return self._rows(hints.items(), place, (*stack, kind), brief=brief)
        if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
            fields = ((info.alias or name, info.annotation) for name, info in kind.model_fields.items())
            return self._rows(fields, place, (*stack, kind), brief=brief)
        return []

    def _rows(self, fields: Iterable[tuple[str, Any]], place: str, stack: tuple[Any, ...], *, brief: bool) -> list[Any]:
        """Objects with every field, as many as it takes to have each variant of each field once."""
        standing = stack[-2:]
        brief = brief or standing in self._written
        self._written.add(standing)
        columns = {name: self.values(kind, f"{place}.{name}", stack, brief=brief) for name, kind in fields}
        columns = {name: values for name, values in columns.items() if values}
        rows = 1 if brief else max((len(values) for values in columns.values()), default=1)
        return [{name: values[row % len(values)] for name, values in columns.items()} for row in range(rows)]
