"""Fields of a JSON object of which only the beginning and the end were kept.

A body grows large by what stands in the middle of it: embeddings, images. Its names stand ahead of that or behind it,
its usage behind.
"""

import json
import re
from typing import Any

__all__ = ["first_members", "last_members"]

_SPACE = re.compile(r"[ \t\r\n]*")
_NAMES = re.compile(r'"(?:model|service_tier|stop_reason|usage)"[ \t\r\n]*:')
_OUTER_END = re.compile(r'(?:,\s*"\w+"\s*:\s*\w+\s*)*\}\s*')
"""What may stand behind an object within an event: a sequence number."""
_MOST_PLACES = 64
"""Places, from the end, that are tried as the first field of the object's own."""

_decode = json.JSONDecoder().raw_decode


def first_members(head: bytes) -> dict[str, Any]:
    """The members of the object that `head` begins with, as far as they are whole."""
    text = head.decode("utf-8", "replace")
    start = _skip(text, 0)
    return _members(text, start + 1)[0] if text.startswith("{", start) else {}


def last_members(tail: bytes, *, within: bool = False) -> dict[str, Any]:
    """The last members of the object that `tail` ends with, from the first on whose name is looked for.

    Args:
        tail: The end of the text.
        within: Whether the object itself is a member of another one that ends right behind it.
    """
    text = tail.decode("utf-8", "replace")
    for place in list(_NAMES.finditer(text))[-_MOST_PLACES:]:
        found, end = _members(text, place.start())
        # Fields of an object further within end before the text does.
        if end is not None and (_OUTER_END.fullmatch(text, end) if within else _skip(text, end) == len(text)):
            return found
    return {}


def _members(text: str, at: int) -> tuple[dict[str, Any], int | None]:
    """The members of an object from `at` on, and where it ends; `None` when it is cut off before."""
    found: dict[str, Any] = {}
    while True:
        try:
            name, at = _decode(text, _skip(text, at))
            at = _skip(text, at)
            if not isinstance(name, str) or not text.startswith(":", at):
                return found, None
            found[name], at = _decode(text, _skip(text, at + 1))
        except (ValueError, RecursionError):
            return found, None
        at = _skip(text, at)
        if text.startswith("}", at):
            return found, at + 1
        if not text.startswith(",", at):
            return found, None
        at += 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found is not None else at
