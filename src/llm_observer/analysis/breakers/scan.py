"""One pass over a text: every finder, overlaps settled, values replaced by markers."""

from llm_observer.analysis.breakers.dates import find_dates
from llm_observer.analysis.breakers.digits import Digits, has_other_digits
from llm_observer.analysis.breakers.ids import find_letter_ids
from llm_observer.analysis.breakers.kinds import MARKERS, Span
from llm_observer.analysis.breakers.places import find_addresses, find_signed_urls, find_temp_paths
from llm_observer.analysis.breakers.tokens import find_tokens

__all__ = ["find_spans", "mask", "settle"]

_PASSES = 8

# How far behind the limit the text is read on, so that a value across it is seen whole and left out.
_MARGIN = 256

_PLACES = frozenset(("signed_url", "temp_path"))


class _AsciiDigits(dict[int, str]):
    """A translation table from every decimal digit to its ASCII one, filled as they are met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = value = str(int(char)) if char.isdecimal() else char
        return value


_TO_ASCII = _AsciiDigits()


def find_spans(text: str, limit: int | None = None) -> list[Span]:
    """Find the volatile values of a text.

    Args:
        text: Any text.
        limit: How many characters to examine at most; values that end behind them are not reported. `None` for all.

    Returns:
        Spans in order, disjoint, never empty, with offsets in characters of `text`.
    """
    if limit is not None and limit < len(text):
        return [span for span in find_spans(text[: limit + _MARGIN]) if span.end <= limit]
    if has_other_digits(text):
        text = text.translate(_TO_ASCII)
    digits = Digits(text)
    found = find_tokens(text, digits)
    found += find_dates(text, digits)
    found += find_signed_urls(text)
    found += find_addresses(text)
    found += find_temp_paths(text)
    found += find_letter_ids(text, digits)
    return settle(found)


def settle(found: list[Span]) -> list[Span]:
    """Disjoint spans: of two that overlap the longer is kept, of two alike the one that says more of its place."""
    found.sort(key=lambda span: (span.start, -span.end, span.kind not in _PLACES))
    kept: list[Span] = []
    for span in found:
        while kept and kept[-1].end > span.start:
            if span.end - span.start <= kept[-1].end - kept[-1].start:
                break
            kept.pop()
        else:
            kept.append(span)
    return kept


def mask(text: str) -> str:
    """Replace every volatile value by a marker of its category, so that texts that differ in such values become equal.

    A marker in the place of a value may free what was joined to it to be known as a value itself, so the search is made
    again until nothing is found: masking what is masked changes nothing. Only a text made to need more than
    `_PASSES` searches keeps what is left then, so that the time stays linear.
    """
    for _ in range(_PASSES):
        spans = find_spans(text)
        if not spans:
            break
        parts: list[str] = []
        at = 0
        for span in spans:
            parts += (text[at : span.start], MARKERS[span.category])
            at = span.end
        parts.append(text[at:])
        text = "".join(parts)
    return text
