"""Dates and clock times, in the formats that people, loggers and protocols write.

A date is looked for only near a year or a clock time: `_ANCHOR` finds those in one fast pass, the patterns that cost
more run in a window around each. Every quantifier is bounded or possessive, so the time is linear in the length of the
text.
"""

import re
from collections.abc import Iterator
from functools import partial
from itertools import chain

from llm_observer.analysis.breakers.announced import HEAD, date_is_announced
from llm_observer.analysis.breakers.clocks import TAIL, with_clocks
from llm_observer.analysis.breakers.date_parts import clock_before, day_before, with_zone
from llm_observer.analysis.breakers.date_patterns import (
    COMPACT_CLOCK,
    CORE,
    DAY_AFTER,
    MOMENT,
    NUMERALS,
    PATH_CLOCK,
    TIME_AFTER,
    TODAY,
    VERSION_BEFORE,
)
from llm_observer.analysis.breakers.digits import Digits
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.memo import Memo, effort
from llm_observer.analysis.breakers.names import is_month, is_weekday
from llm_observer.analysis.breakers.plain import find_plain_times

__all__ = ["find_dates"]

# How far a date may reach to either side of its year or clock, in characters.
_REACH = 72

# How much of a text is read for dates: all of it where it is no longer than this, else a third.
_LEAST_READ = 300_000

_ANCHOR = re.compile(
    r"[0-9](?::[0-5][0-9]|[05][0-9][0-9](?<=2[0-9]{3})|9[7-9][0-9](?<=1[0-9]{3})|[./-][0-9]{2}(?![0-9])|-[A-Za-z]{3}-|"
    r"\ ?[hH时時點点시년年])"
)

_NO_DAY = frozenset((". ", ".\n", "\n", ""))


def find_dates(text: str, digits: Digits) -> list[Span]:
    """Dates and times in `text`, whose `digits` are given; the kind is `datetime`, `date` or `clock`."""
    found: list[Span] = []
    dates, clocks = Memo(effort(text)), Memo(effort(text))
    left = max(_LEAST_READ, len(text) // 3)
    stop = None
    for begin, end in _windows(text, digits):
        floor = max(begin, found[-1].end) if found else begin
        limit = min(len(text), end + _REACH)
        if limit - floor > left:
            stop = floor + left - _REACH
            found += [span for span in _in_window(text, floor, floor + left, dates, clocks) if span.start < stop]
            break
        left -= limit - floor
        found += _in_window(text, floor, limit, dates, clocks)
    if stops := [at for at in (stop, dates.stop, clocks.stop) if at is not None]:
        found += find_plain_times(text, min(stops))
    found += [span_of(start, end, "date") for start, end in _days_of_today(text)]
    found += [span_of(*match.span(), "datetime") for match in MOMENT.finditer(text)]
    if "年" in text:
        found += [span_of(*match.span(), "date") for match in NUMERALS.finditer(text)]
    return found


def _days_of_today(text: str) -> Iterator[tuple[int, int]]:
    """What `today is` goes on with, where that is a weekday or a day of a month."""
    for match in chain.from_iterable(pattern.finditer(text) for pattern in TODAY):
        end = None
        day = month = False
        for name in ("first", "second", "third"):
            word = match[name]
            if word is None:
                break
            if word[0].isdigit():
                day = True
            elif is_month(word):
                month = True
            elif name != "first" or not is_weekday(word):
                break
            else:
                end = match.end(name)
                continue
            if day and month:
                end = match.end(name)
        if end:
            yield match.start("first"), end - (text[end - 1] == ".")


def _windows(text: str, digits: Digits) -> Iterator[tuple[int, int]]:
    """The stretches of the text in which a date can lie, each with at least one anchor."""
    begin = end = -1
    match = digits.search(_ANCHOR)
    while match:
        at = match.start()
        if begin < 0 or at - _REACH > end:
            if begin >= 0:
                yield begin, end
            begin = max(0, at - _REACH)
        end = min(len(text), at + _REACH)
        match = digits.search(_ANCHOR, max(match.end(), end - 8))
    if begin >= 0:
        yield begin, end


def _in_window(text: str, begin: int, limit: int, memo: Memo, clocks: Memo) -> list[Span]:
    found: list[Span] = []
    at = floor = begin
    while match := CORE.search(text, at, limit):
        start, end = match.span()
        if memo.is_spent(start):
            break
        at = start + 1
        lead = min(start - floor, HEAD)
        key = (lead, end - start, text[max(0, start - max(lead, 2)) : end + TAIL])
        if span := memo.ask(key, start, partial(_grow, text, match, floor)):
            found.append(span)
            at = floor = span.end
    return list(with_clocks(text, begin, limit, found, clocks))


def _is_date(match: re.Match[str]) -> bool:
    """Whether a match of `CORE` is a date and no version or fraction, by its own parts."""
    word = match["word1"] or match["word2"] or match["word3"] or match["word4"]
    if word:
        return is_month(word)
    if match["dmy"]:
        low, high = sorted((int(match["a"]), int(match["b"])))
        return 1 <= low <= 12 and 1 <= high <= 31
    return True


def _grow(text: str, match: re.Match[str], floor: int) -> Span | None:
    """The date of `match` with its weekday, clock and zone; `None` where it turns out to be part of a name."""
    if not _is_date(match):
        return None
    start, end = match.span()
    day = (
        DAY_AFTER.match(text, end)
        if text[end : end + 2] not in _NO_DAY and not text[end + 1 : end + 2].isdigit()
        else None
    )
    after = day.end() if day and (not day["word"] or is_weekday(day["word"])) else end
    compact = match["compact"]
    clock = (compact and COMPACT_CLOCK.match(text, end)) or PATH_CLOCK.match(text, end) or TIME_AFTER.match(text, after)
    joined = _joined_before(text, start)
    head = text[max(floor, start - HEAD) : start]
    if match["t"] == " " and (len(match["y"]) == 2 or not date_is_announced(head)):
        return None
    if clock:
        if joined and not compact and clock[0][:1] not in "Tt_ " and clock.re is not PATH_CLOCK:
            return None
        end = with_zone(text, clock.end())
        if (
            text[end : end + 1] == " "
            and text[end + 1 : end + 2] != "("
            and (last := DAY_AFTER.match(text, end))
            and last["word"]
            and is_weekday(last["word"])
        ):
            end = last.end()
        return span_of(start - day_before(head), end, "datetime")
    if joined or _joined_after(text, end) or (compact and not date_is_announced(head)):
        return None
    if after == end and text[end - 1] == "." and text[end - 2].isdigit():
        after -= 1
    back = day_before(head)
    if clock_back := clock_before(head[: len(head) - back]):
        back += clock_back
        return span_of(start - back - day_before(head[: len(head) - back]), after, "datetime")
    if match["dmy"] and len(match["y"]) == 2 and not date_is_announced(head):
        return None
    if VERSION_BEFORE.search(head, max(0, len(head) - 16)):
        return None
    return span_of(start - back, after, "date")


def _joined_before(text: str, start: int) -> bool:
    """Whether a name leads into the date: `gpt-4o-2024-08-06`, `/specification/2025-06-18`."""
    return start > 1 and text[start - 1] in "-_./" and (text[start - 2].isalnum() or text[start - 1] in "/_")


def _joined_after(text: str, end: int) -> bool:
    """Whether a name goes on behind the date: `2026-03-24.csv`, `2026-03-24-notes`, `20260324x`."""
    after = text[end : end + 2]
    if not after or not after.isascii() or not text[end - 1].isascii():
        return False
    return after[0].isalnum() or (after[0] in "-_./" and after[1:].isalnum())
