"""Reading of JSON that anyone may have written: every accessor takes any value and returns the type it promises."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

__all__ = ["as_list", "as_mapping", "as_text", "dump", "without"]


def as_mapping(value: object) -> Mapping[str, Any]:
    """`value` when it is a JSON object, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[Any]:
    """`value` when it is a JSON array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def as_text(value: object) -> str:
    """`value` when it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def dump(value: object) -> str:
    """Compact JSON with the keys in their order. A value nested too deeply for that is named so."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return '"nested too deeply"'


def without(value: Any, key: str) -> Any:
    """`value` without `key` in any object on any level; the same object where there is none."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        cleaned = {name: without(item, key) for name, item in mapping.items() if name != key}
        return cleaned if len(cleaned) != len(mapping) or _changed(mapping.values(), cleaned.values()) else mapping
    if isinstance(value, list):
        items = cast("list[Any]", value)
        cleaned_items = [without(item, key) for item in items]
        return cleaned_items if _changed(items, cleaned_items) else items
    return value


def _changed(before: Any, after: Any) -> bool:
    return any(a is not b for a, b in zip(cast("Iterator[Any]", before), cast("Iterator[Any]", after), strict=True))
