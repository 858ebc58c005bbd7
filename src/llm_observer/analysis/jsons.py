"""Reading of JSON that anyone may have written: every accessor takes any value and returns the type it promises."""

import json
from collections.abc import Mapping
from typing import Any, cast

__all__ = ["as_list", "as_mapping", "as_text", "dump", "dump_without"]


def as_mapping(value: Any) -> Mapping[str, Any]:
    """`value` when it is a JSON object, else an empty one."""
    # A dict first: asking whether something is a `Mapping` costs ten times as much.
    return value if issubclass(type(value), dict) or issubclass(type(value), Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """`value` when it is a JSON array, else an empty one."""
    return value if issubclass(type(value), list) else []


def as_text(value: object) -> str:
    """`value` when it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_encode_sorted = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, sort_keys=True
).encode


def dump(value: object, *, sort_keys: bool = False) -> str:
    """Compact JSON, with the keys in their order or sorted. A value nested too deeply for that is named so."""
    try:
        return (_encode_sorted if sort_keys else _encode)(value)
    except RecursionError:
        return '"nested too deeply"'


def dump_without(value: object, key: str) -> str:
    """Compact JSON of `value` without `key` in any object on any level."""
    text = dump(value)
    # Few values have the key, and looking for it in the text costs next to nothing.
    return dump(_without(value, key)) if f'"{key}":' in text else text


def _without(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return {name: _without(item, key) for name, item in mapping.items() if name != key}
    if isinstance(value, list):
        return [_without(item, key) for item in cast("list[Any]", value)]
    return value
