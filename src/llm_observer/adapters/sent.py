"""The body of a request as it is sent, taken from what the SDK makes it of, so that it need not be parsed again."""

from collections.abc import Mapping
from typing import Any, TypeGuard, cast

__all__ = ["is_plain", "sent_body"]

_SCALARS = frozenset({str, int, float, bool, type(None)})

_DEEPEST = 7
"""Levels of a body that are looked at one by one: to a cache marker on a part of a tool's result. What lies deeper is
only ever written as JSON, as the SDK does."""

_DEEPEST_OF_TOOLS = 2


def sent_body(options: Any) -> Mapping[str, Any] | None:
    """The body that a request is made of, once it was made; `None` for one that has to be parsed to be sure."""
    body: object = options.json_data
    extra: object = {} if options.extra_json is None else options.extra_json
    if not _is_dict(body) or not _is_dict(extra) or options.files:
        return None
    if extra:
        body = body | extra
    return body if _is_plain_body(body) else None


def _is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    return type(value) is dict


def _is_plain_body(body: dict[Any, Any]) -> bool:
    return all(
        is_plain(value, _DEEPEST_OF_TOOLS if name in ("tools", "functions") else _DEEPEST - 1)
        for name, value in body.items()
    )


def is_plain(value: object, deepest: int = _DEEPEST) -> bool:
    """Whether `value`, down to a level, is of the types that JSON is parsed into, and so what the provider reads.

    Not a subclass of one, an iterator, or a model, all of which the SDKs can send.
    """
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is dict:
        values = cast("dict[Any, object]", value).values()
    elif kind is list:
        values = cast("list[object]", value)
    else:
        return False
    if deepest:
        # By their types first: most are text.
        for item in values:
            if type(item) not in _SCALARS and not is_plain(item, deepest - 1):
                return False
    return True
