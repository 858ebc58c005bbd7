"""Numbers and runs of letters, digits, `-` and `_`: read once from the left, each told by its shape and its key."""

# ruff: noqa: E501 - one line of a pattern is one alternative

import re

from llm_observer.analysis.breakers.ages import find_age
from llm_observer.analysis.breakers.counters import find_counter
from llm_observer.analysis.breakers.ids import classify
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.numbers import classify_address, classify_number

__all__ = ["find_tokens"]

# What begins with a digit and is long enough to be an id, an epoch or an address, alone or behind letters; what leads up
# to that digit is read backwards by `_LEAD`. The first item is a character class, which is searched for quickly.
_FROM_DIGIT = re.compile(
    r"""[0-9](?:
      (?<=[A-Za-z_-][0-9]) (?: [A-Za-z0-9_-]{3,}+ | (?<=[A-Za-z_-]{3}[0-9]) [A-Za-z0-9_-]{2}+ | (?<=[A-Za-z_-]{5}[0-9]) [A-Za-z0-9_-]?+ )
    | (?<![A-Za-z0-9_-][0-9]) (?: [A-Za-z0-9_-]{3,}+ | [0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9] | [0-9]{0,2}[smhdwy]?(?=\ ?(?:[a-z]{1,7}\ )?(?:ago|old)\b) )
    )""",
    re.VERBOSE,
)
# A number that may count something: behind a word, a separator or a bracket, or at the start of a line before a word.
_COUNT = re.compile(
    r"""[0-9](?:
      (?<=[A-Za-z)\]"'`*_][\ :=#][0-9]) | (?<=[A-Za-z)\]"'`*_:=#][\ :#"'*`][0-9]) | (?<=[\[(#=>][0-9]) | (?<=[\n\ >/][0-9])(?=[0-9,]{0,9}\ [a-z/]) | (?<=^[0-9])
    )[0-9]{0,6}(?:(?![0-9A-Za-z_])|(?=m?s\b))""",
    re.VERBOSE,
)
_LEAD = re.compile(r"[A-Za-z_-]+")
_LEAD_REACH = 96
_AGE_UNITS = ("s", "m", "h", "d", "w", "y")
_JOINED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")
# Random letters behind a prefix happen to hold no digit once in fifty ids.
_LETTERS = re.compile(r"_[A-Za-z]{14,40}+(?![A-Za-z0-9_-])")


def find_tokens(text: str) -> list[Span]:
    """The ids, hashes, epochs, counters, ages, IPv4 and memory addresses in `text`."""
    found: list[Span] = []
    for match in _FROM_DIGIT.finditer(text):
        start, end = match.span()
        run = match[0]
        if start and text[start - 1] in _JOINED:
            lead = _LEAD.match(text[max(0, start - _LEAD_REACH) : start][::-1])
            start -= lead.end() if lead else 0
            span = classify(text, start, end)
        elif run.isdigit():
            span = classify_number(text, start, end)
        elif "." in run:
            span = classify_address(text, start)
        elif end - start < 6:
            span = _age(text, start, end)
        else:
            span = classify(text, start, end)
        if span:
            found.append(span)
    counters = (find_counter(text, *match.span()) for match in _COUNT.finditer(text))
    found.extend(span_of(*counter, "counter") for counter in counters if counter)
    for match in _LETTERS.finditer(text):
        lead = _LEAD.match(text[max(0, match.start() - _LEAD_REACH) : match.start()][::-1])
        if lead and (span := classify(text, match.start() - lead.end(), match.end())):
            found.append(span)
    return found


def _age(text: str, start: int, end: int) -> Span | None:
    """An age with its unit joined on: `4m old`, `12s ago`."""
    digits = end - text[start:end].endswith(_AGE_UNITS)
    if text[start:digits].isdigit() and (age := find_age(text, start, digits)):
        return span_of(start, age, "age")
    return None
