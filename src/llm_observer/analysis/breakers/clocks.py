"""Clock times: with a day but no year, as loggers write them, and alone."""

import re
from collections.abc import Iterator
from functools import partial

from llm_observer.analysis.breakers.announced import HEAD, clock_is_announced
from llm_observer.analysis.breakers.date_parts import day_before, with_zone
from llm_observer.analysis.breakers.date_patterns import CLOCK, GLOG, SHORT_DAY, YEAR_AFTER, YEARLESS
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.memo import Memo
from llm_observer.analysis.breakers.names import is_month

__all__ = ["TAIL", "with_clocks"]

# How far a clock and its zone may reach behind a date.
TAIL = 224

# Zero, or the form that a time has.
_NO_TIME = "00:00:00"
# What git writes at the head of every patch.
_OF_PATCHES = "Sep 17 00:00:00 2001"
# A line of a chat: "[14:33] <ana> hello".
_STAMPED = re.compile(r"(?:^|\s)\[\Z")


def with_clocks(text: str, begin: int, limit: int, dates: list[Span], memo: Memo) -> Iterator[Span]:
    """The dates, and between them the clocks with a day but no year, log prefixes and clocks that stand alone."""
    at = begin
    for date in dates:
        yield from _yearless(text, at, date.start, memo)
        yield date
        at = date.end
    yield from _yearless(text, at, limit, memo)


def _yearless(text: str, begin: int, limit: int, memo: Memo) -> Iterator[Span]:
    at = begin
    while match := YEARLESS.search(text, at, limit):
        start, end = match.span()
        if memo.is_spent(start):
            return
        memo.spend()
        at = start + 1
        word = match["word1"] or match["word2"]
        if word:
            if not is_month(word):
                continue
        elif "月" not in match[0] and text.count(":", start, end) < 2:
            continue
        yield from _alone(text, begin, start, memo)
        if text.startswith(_OF_PATCHES, start):
            begin = at = end
            continue
        end = with_zone(text, end)
        if year := YEAR_AFTER.match(text, end):
            end = with_zone(text, year.end())
        yield span_of(start - day_before(text[max(begin, start - HEAD) : start]), end, "datetime")
        begin = at = end
    yield from _alone(text, begin, limit, memo)


def _alone(text: str, at: int, limit: int, memo: Memo) -> Iterator[Span]:
    """Log prefixes; clocks without a date: with seconds, or where the words before say that it is the time now."""
    while match := CLOCK.search(text, at, limit):
        start, at = match.span()
        if memo.is_spent(start):
            return
        lead = min(start, HEAD)
        # Negative, as dates have keys in the same memory.
        key = (~lead, at - start, text[start - lead : at + TAIL])
        if span := memo.ask(key, start, partial(_clock, text, start, at)):
            yield span
            at = span.end


def _clock(text: str, start: int, end: int) -> Span | None:
    """The clock from `start` to `end` with its zone, where it is the time of something."""
    if text.count(":", start, end) < 2:
        if _STAMPED.search(text, max(0, start - 2), start) and text[end : end + 1] == "]":
            return span_of(start, end, "clock")
        if not clock_is_announced(text[max(0, start - HEAD) : start]):
            return None
    elif text[start:end] == _NO_TIME:
        return None
    elif log := GLOG.match(text, max(0, start - 6)):
        return span_of(*log.span(), "datetime")
    elif text[start - 1 : start] == " " and SHORT_DAY.match(text, max(0, start - 8), start):
        return span_of(start - 7, with_zone(text, end), "datetime")
    return span_of(start, with_zone(text, end), "clock")
