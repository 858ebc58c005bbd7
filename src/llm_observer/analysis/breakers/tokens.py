"""Numbers and runs of letters, digits, `-` and `_`: read once from the left, each told by its shape and its key."""

import re

from llm_observer.analysis.breakers.counters import find_age
from llm_observer.analysis.breakers.ids import classify
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.numbers import classify_number

__all__ = ["find_tokens"]

# From its first digit on, the rest of a run; what leads up to that digit is read backwards by `_LEAD`.
_FROM_DIGIT = re.compile(r"[0-9][A-Za-z0-9_-]*+")
_LEAD = re.compile(r"[A-Za-z_-]+")
_LEAD_REACH = 96
_JOINED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")
# Random letters behind a prefix happen to hold no digit once in fifty ids.
_LETTERS = re.compile(r"_[A-Za-z]{14,40}+(?![A-Za-z0-9_-])")


def _age(text: str, start: int, end: int) -> Span | None:
    """An age with its unit joined on: `4m old`, `12s ago`."""
    if text[end - 1] in "smhdwy" and text[start : end - 1].isdigit():
        age = find_age(text, start, end - 1)
        return span_of(start, age, "age") if age else None
    return None


def find_tokens(text: str) -> list[Span]:
    """The ids, hashes, epochs, counters, IPv4 and memory addresses in `text`."""
    found: list[Span] = []
    for match in _FROM_DIGIT.finditer(text):
        start, end = match.span()
        if start and text[start - 1] in _JOINED:
            lead = _LEAD.match(text[max(0, start - _LEAD_REACH) : start][::-1])
            start -= lead.end() if lead else 0
            if end - start < 6:
                continue
            span = classify(text, start, end)
        elif match[0].isdigit():
            span = classify_number(text, start, end)
        elif end - start < 6:
            span = _age(text, start, end)
        else:
            span = classify(text, start, end)
        if span:
            found.append(span)
    for match in _LETTERS.finditer(text):
        lead = _LEAD.match(text[max(0, match.start() - _LEAD_REACH) : match.start()][::-1])
        if lead and (span := classify(text, match.start() - lead.end(), match.end())):
            found.append(span)
    return found
