"""The canonical form of a segment, and the forms with one kind of noise left in, for telling which noise it was.

Noise is what a person would not call a change: white space, line endings and Unicode form, the order of JSON keys and
the spelling of numbers and escapes, and volatile values (which are masked by their category).
"""

import json
import re
import unicodedata
from typing import Any, NamedTuple, cast

from llm_observer.analysis.breakers import mask
from llm_observer.analysis.jsons import dump
from llm_observer.analysis.segments import Segment

__all__ = ["Forms", "canonical_forms", "tidy_text"]

_SPACE = re.compile(r"\s+")


class Forms(NamedTuple):
    """The canonical form, and the three that leave one kind of noise as it was sent."""

    canonical: str
    with_space: str
    with_key_order: str
    with_values: str


def tidy_text(text: str) -> str:
    """`text` with runs of white space as one space, none at its ends, in Unicode form NFC."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return _SPACE.sub(" ", text).strip()


def canonical_forms(segment: Segment) -> Forms:
    """The forms of a segment. What claims to be JSON and is not, or nests too deeply, is taken as text."""
    if segment.is_json:
        try:
            value = json.loads(segment.text)
            plain = _tidy(value, strings=False)
            tidy = _tidy(value, strings=True)
            return Forms(
                canonical=mask(dump(tidy, sort_keys=True)),
                with_space=mask(dump(plain, sort_keys=True)),
                with_key_order=mask(dump(tidy)),
                with_values=dump(tidy, sort_keys=True),
            )
        except (ValueError, RecursionError):
            pass
    masked = mask(segment.text)
    tidied = tidy_text(masked)
    return Forms(canonical=tidied, with_space=masked, with_key_order=tidied, with_values=tidy_text(segment.text))


def _tidy(value: Any, *, strings: bool) -> Any:
    """`value` with whole floats as integers, JSON in strings (tool arguments) opened, and, if asked, tidy strings."""
    if isinstance(value, str):
        if value.startswith(("{", "[")):
            try:
                return _tidy(json.loads(value), strings=strings)
            except (ValueError, RecursionError):
                pass
        return tidy_text(value) if strings else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_tidy(item, strings=strings) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _tidy(item, strings=strings) for key, item in cast("dict[str, Any]", value).items()}
    return value
