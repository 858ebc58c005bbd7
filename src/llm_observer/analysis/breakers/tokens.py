"""Numbers and runs of letters, digits, `-` and `_`: read once from the left, each told by its shape and its key."""

# ruff: noqa: E501 - one line of a pattern is one alternative

import re
from functools import partial
from itertools import islice

from llm_observer.analysis.breakers.ages import find_age
from llm_observer.analysis.breakers.counters import REACH, find_counter
from llm_observer.analysis.breakers.digits import Digits
from llm_observer.analysis.breakers.ids import classify
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.memo import Memo, effort
from llm_observer.analysis.breakers.numbers import classify_address, classify_number
from llm_observer.analysis.breakers.plain import find_plain_ids

__all__ = ["find_tokens"]

# What begins with a digit and is long enough to be an id, an epoch or an address, alone or behind letters; what leads up
# to that digit is read backwards by `_LEAD`. The first item is a character class, which is searched for quickly.
_FROM_DIGIT = re.compile(
    r"""[0-9](?:
      (?<=[A-Za-z_-][0-9]) (?: [A-Za-z0-9_-]{3,}+ | (?<=[A-Za-z_-]{3}[0-9]) [A-Za-z0-9_-]{2}+ | (?<=[A-Za-z_-]{5}[0-9]) [A-Za-z0-9_-]?+ )
    | (?<![A-Za-z0-9_-][0-9]) (?: [A-Za-z0-9_-]{3,}+ | [0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9] | [0-9]{0,2}[smhdwy]?(?=\ ?(?:[a-z]{1,7}\ )?(?:ago|old)\b) | [0-9]?[mh](?=\ [0-9]{1,2}[a-z]{1,3}\ ago\b) )
    )""",
    re.VERBOSE,
)
# A number that may count something: behind a word, a separator or a bracket, or at the start of a line before a word.
_COUNT = re.compile(
    r"""[0-9](?:
      (?<=[A-Za-z)\]"'`*_][\ :=#][0-9]) | (?<=[A-Za-z)\]"'`*_:=#][\ :#"'*`][0-9]) | (?<=[\ \\\[][\"'`][0-9]) | (?<=[|>:]\ [0-9]) | (?<=[rRoO]\.\ [0-9]) | (?<=:\ \ [0-9]) | (?<=[\[(#=>~][0-9]) | (?<=[^\x00-\x7f][0-9]) | (?<=[^\x00-\x7f][\ :=#][0-9]) | (?<=[\n\ >/][0-9])(?=[0-9,]{0,9}(?:%|/[0-9]|s?\ [A-Za-z/])) | (?<=^[0-9])
    )[0-9]{0,6}(?:(?![0-9A-Za-z_])|(?=(?:m?s|st|nd|rd|th|[ap]m)\b|[dhm](?:[0-9]|\b)))""",
    re.VERBOSE,
)
# How often an event came, as Kubernetes tells it: "4m53s (x72 over 20m)".
_TIMES = re.compile(r"\(x(?P<times>[0-9]{1,7}) over (?P<span>[0-9]{1,4}[smhd](?:[0-9]{1,2}[smh])?)\)")
_LAST_CAME = re.compile(r"(?<![0-9A-Za-z])[0-9]{1,4}[smhd](?:[0-9]{1,2}[smh])?(?= \Z)")
# The seconds since start that a kernel logs.
_KERNEL = re.compile(r"\[ {0,8}(?P<time>[0-9]{1,7}\.[0-9]{6})\] ")
# The number of a connection in nginx's log of errors: "[error] 7101#0: *34810 upstream timed out".
_NGINX = re.compile(r"#0: \*(?P<number>[0-9]{1,12}) ")
_DAY = re.compile(r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?:T[0-9]{2})?\Z")
_DAY_SIZES = frozenset((10, 13))
_SHORTEST, _UNIT, _WORD = 6, 14, 32
_LEAD = re.compile(r"[A-Za-z_-]+")
_LEAD_REACH = 96
_LONG = 512
_UNIT_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_JOINED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")
# Random letters behind a prefix happen to hold no digit once in fifty ids.
_LETTERS = re.compile(r"_[A-Za-z]{14,64}+(?![A-Za-z0-9_-])")


# How much of the text around a run of digits tells what it is. Behind one of `_OPEN` a JWT or base64 may go on at any
# length.
_BEFORE, _AFTER = 256, 112
_OPEN = frozenset("+/.")


def find_tokens(text: str, digits: Digits) -> list[Span]:
    """The ids, hashes, epochs, counters, ages, IPv4 and memory addresses in `text`, whose `digits` are given."""
    found: list[Span] = []
    memo = Memo(effort(text))
    for match in digits.matches(_FROM_DIGIT):
        start, end = match.span()
        if _says_nothing(text, start, end):
            continue
        if memo.is_spent(start):
            found += find_plain_ids(text, start)
            break
        if end - start > _LONG or text[end : end + 1] in _OPEN:
            memo.spend()
            span = _at_digit(text, start, end)
        else:
            lead = min(start, _BEFORE)
            key = (lead, end - start, text[start - lead : end + _AFTER])
            memo.spend((end - start) // _WORD)
            span = memo.ask(key, start, partial(_at_digit, text, start, end))
        if span:
            found.append(span)
    memo = Memo(effort(text))
    for match in digits.matches(_COUNT):
        start, end = match.span()
        if memo.is_spent(start):
            break
        lead = min(start, REACH)
        key = (lead, end - start, text[start - lead : end + _AFTER])
        if span := memo.ask(key, start, partial(find_counter, text, start, end)):
            found.append(span)
    if "(x" in text:
        for match in islice(_TIMES.finditer(text), effort(text)):
            found += (span_of(*match.span("times"), "counter"), span_of(*match.span("span"), "age"))
            if last := _LAST_CAME.search(text, max(0, match.start() - 12), match.start()):
                found.append(span_of(*last.span(), "age"))
    if "] " in text:
        found += [span_of(*match.span("time"), "clock") for match in _KERNEL.finditer(text)]
        found += [span_of(*match.span("number"), "counter") for match in _NGINX.finditer(text)]
    for match in islice(_LETTERS.finditer(text), effort(text)):
        start = match.start()
        if span := classify(text, start - _lead(text, start), match.end()):
            found.append(span)
    return found


def _says_nothing(text: str, start: int, end: int) -> bool:
    """Whether a run is one that logs are full of and that is sought elsewhere, or nowhere: `2026-03-24`, `31ms`."""
    size = end - start
    if size in _DAY_SIZES:
        return _DAY.match(text, start, end) is not None
    return (
        size < _SHORTEST
        and text[end - 1].isalpha()
        and (not start or text[start - 1] not in _JOINED)
        and " ago" not in (after := text[end : end + _UNIT])
        and " old" not in after
    )


def _at_digit(text: str, start: int, end: int) -> Span | None:
    """What is found where a run that `_FROM_DIGIT` matches goes from `start` to `end`."""
    run = text[start:end]
    if start and text[start - 1] in _JOINED:
        return classify(text, start - _lead(text, start), end)
    if run.isdigit():
        return classify_number(text, start, end)
    if "." in run:
        return classify_address(text, start)
    if end - start < _SHORTEST:
        return _age(text, start, end)
    return classify(text, start, end)


def _lead(text: str, start: int) -> int:
    """The length of the letters, `-` and `_` that lead up to `start`."""
    lead = _LEAD.match(text[max(0, start - _LEAD_REACH) : start][::-1])
    return lead.end() if lead else 0


def _age(text: str, start: int, end: int) -> Span | None:
    """An age with its unit joined on: `4m old`, `12s ago`."""
    digits = start + len(text[start:end].rstrip(_UNIT_LETTERS))
    if text[start:digits].isdigit() and (age := find_age(text, start, digits)):
        return span_of(start, age, "age")
    return None
