"""What the shapes have in common: the values in them, and the counts that are made of these."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypedDict, cast

__all__ = [
    "NO_COUNT",
    "Counts",
    "as_count",
    "as_mapping",
    "as_money",
    "as_sequence",
    "as_total",
    "first_mapping",
    "is_mapping",
    "plus",
]

_MOST: Final = 2**53
"""No call has this many tokens; up to here JSON readers and OTLP keep a count exact."""

NO_COUNT: Final = -(2**60)
"""Stands for what is no count until a `Usage` is made of the counts. Any sum with it is negative too."""

_EMPTY: Final[Mapping[str, Any]] = {}


class Counts(TypedDict, total=False):
    """The fields of a `Usage` that a shape has; negative where it has something that is no count."""

    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    cache_write_12h_tokens: int | None
    input_audio_tokens: int | None
    cache_read_audio_tokens: int | None
    input_image_tokens: int | None
    reasoning_tokens: int | None
    output_audio_tokens: int | None
    output_image_tokens: int | None
    web_search_requests: int | None
    reported_cost_usd: Decimal | None


def as_count(value: Any) -> int | None:
    """A count; `NO_COUNT` for what is there and is none."""
    # `type is`, since a bool is an int too.
    return value if value is None or (type(value) is int and 0 <= value <= _MOST) else NO_COUNT


def as_total(value: Any) -> int | None:
    """A count that others are compared with, and nothing is charged by: `None` for what is none."""
    return value if type(value) is int and 0 <= value <= _MOST else None


def as_money(value: Any) -> Decimal | None:
    """A finite amount that is not negative, as written in the JSON."""
    if type(value) is float:
        value = Decimal(repr(value))
    elif type(value) is int:
        value = Decimal(value)
    if isinstance(value, Decimal) and value.is_finite() and value >= 0:
        return value
    return None


def plus(first: int | None, second: int | None) -> int | None:
    """The sum of what is reported; `None` when neither is."""
    return None if first is None and second is None else (first or 0) + (second or 0)


def is_mapping(value: Any) -> bool:
    """Whether it is a mapping; a dict, most of the time, is told fast."""
    return type(value) is dict or isinstance(value, Mapping)


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The mapping, an empty one for what is none."""
    return value if is_mapping(value) else _EMPTY


def first_mapping(raw: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The first of these fields that is there, as a mapping."""
    for name in names:
        value = raw.get(name)
        if value is not None:
            return as_mapping(value)
    return _EMPTY


def as_sequence(value: Any) -> Sequence[Any]:
    """The list or tuple, an empty one for what is none."""
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()
