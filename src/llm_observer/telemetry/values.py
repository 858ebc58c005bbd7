"""What attributes are made of: values of the types that OpenTelemetry has, taken from bodies that may hold anything."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeGuard, cast

__all__ = ["AttributeValue", "Attributes", "count", "dig", "is_code"]

AttributeValue: TypeAlias = str | bool | int | float | Sequence[str] | Sequence[float]
Attributes: TypeAlias = dict[str, AttributeValue]

_CODE = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")


def is_code(value: object) -> TypeGuard[str]:
    """Whether `value` looks like a provider's code for something: a gateway may put a sentence where one belongs."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def count(value: object) -> int | None:
    """`value` if it is a number of tokens."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def dig(value: object, path: tuple[str, ...]) -> object:
    """What stands at `path` in nested mappings; `None` when nothing does."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(key)
    return value
