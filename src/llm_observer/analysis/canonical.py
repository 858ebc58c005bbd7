"""The canonical form of a segment, and the forms with one kind of noise left in, for telling which noise it was.

Noise is what a person would not call a change: white space, line endings and Unicode form, the order of JSON keys and
the spelling of numbers and escapes, and volatile values (which are masked by their category).
"""

import json
import unicodedata
from typing import Any, NamedTuple, cast

from llm_observer.analysis.breakers import Span, find_spans
from llm_observer.analysis.breakers.faint import find_faint
from llm_observer.analysis.breakers.kinds import MARKERS
from llm_observer.analysis.jsons import dump
from llm_observer.analysis.segments import Segment

__all__ = ["EXAMINED", "Forms", "canonical_forms", "tidy_text"]

EXAMINED = 24_000
"""Characters of one segment that are looked through for volatile values: half of what one call may spend."""


_OTHER_SPACE = ("\n", "\t", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f")
"""What `str.split` splits ASCII text at, besides blanks."""


class Forms(NamedTuple):
    """The canonical form, the three that leave one kind of noise as it was sent, and the volatile values found."""

    spans: list[Span]
    canonical: str
    with_space: str
    with_key_order: str
    with_values: str


def tidy_text(text: str) -> str:
    """`text` with runs of white space as one space, none at its ends, in Unicode form NFC."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    elif text and "  " not in text and text[0] != " " != text[-1] and not any(space in text for space in _OTHER_SPACE):
        return text
    return " ".join(text.split())


def canonical_forms(segment: Segment, examine: int = EXAMINED) -> Forms:
    """The forms of a segment. What claims to be JSON and is not, or nests too deeply, is taken as text.

    Args:
        segment: The segment.
        examine: How many characters are looked through for volatile values; those behind stay as they are.
    """
    masked: dict[str, str] = {}

    def mask_once(text: str) -> str:
        if text not in masked:
            masked[text] = _masked(text, find_faint(text, examine)) if examine else text
        return masked[text]

    if segment.kind == "media":
        return _media_forms(segment, examine)
    raw_spans = find_faint(segment.text, examine) if examine else []
    masked[segment.text] = _masked(segment.text, raw_spans)
    if segment.is_json:
        try:
            value = json.loads(segment.text)
            tidy = _tidy(value, strings=True)
            ordered = dump(tidy, sort_keys=True)
            return Forms(
                spans=raw_spans,
                canonical=mask_once(ordered),
                with_space=mask_once(dump(_tidy(value, strings=False), sort_keys=True)),
                with_key_order=mask_once(dump(tidy)),
                with_values=ordered,
            )
        except (ValueError, RecursionError):
            pass
    with_space = mask_once(segment.text)
    tidied = tidy_text(with_space)
    return Forms(
        spans=raw_spans,
        canonical=tidied,
        with_space=with_space,
        with_key_order=tidied,
        with_values=tidy_text(segment.text) if raw_spans else tidied,
    )


_OF_MEDIA = frozenset({"volatile_url", "temp_path"})
"""What may be volatile around an image or a file. Its data and its id are the image or the file."""


def _media_forms(segment: Segment, examine: int) -> Forms:
    spans = [span for span in find_spans(segment.text, examine) if span.category in _OF_MEDIA] if examine else []
    masked = _masked(segment.text, spans)
    return Forms(spans, masked, masked, masked, segment.text)


def _masked(text: str, spans: list[Span]) -> str:
    """`text` with each span replaced by the marker of its category."""
    if not spans:
        return text
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += (text[at : span.start], MARKERS[span.category])
        at = span.end
    parts.append(text[at:])
    return "".join(parts)


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
