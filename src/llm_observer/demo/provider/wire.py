"""Reading request bodies whose shape nothing guarantees."""

import json
from typing import Any, TypeAlias, cast

__all__ = ["JSON", "BadRequestError", "as_dict", "as_list", "compact"]

JSON: TypeAlias = dict[str, Any]


class BadRequestError(Exception):
    """The request is one that the vendor answers with status 400."""


def as_dict(value: object) -> JSON:
    """`value` if it is a JSON object, else an empty one."""
    return cast("JSON", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """`value` if it is a JSON array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def compact(value: object) -> str:
    """`value` as JSON in the key order it came in, which is what providers render."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
