"""Whether words such as "today is" or "the current time:" stand before a date or clock."""

# ruff: noqa: SIM905 - a list of words reads best as text

import re

from llm_observer.analysis.breakers.date_patterns import (
    ANNOUNCES,
    AT,
    FAR_ANNOUNCES,
    FOREIGN_CLOCK,
    FOREIGN_DATE,
    IT_IS,
    TIME_ANNOUNCES,
)

__all__ = ["HEAD", "clock_is_announced", "date_is_announced"]

# How much text before a date is looked at for a weekday, a clock, or the words that announce it.
HEAD = 48

# A date or clock behind one of these, or behind a digit and a space, is one of a list.
_MIDST = frozenset("0123456789,;/|")

# One of these words announces a date or a clock.
_DATE_WORDS = frozenset(
    "date time today now datum fecha data dato heute hoy oggi hui starting ending beginning dated due until".split()
)
_TIME_WORDS = frozenset(
    """
    time uhrzeit uhr heure hora ora ore tijd aika saat tid czas godzina godz klokka klokken klockan kello waktu jam
    """.split()
)
_HERE = frozenset("local current server system in".split())
_CLOCK_WORDS = _TIME_WORDS | frozenset("now today date clock of updated since started ended".split())
_LETTERS = re.compile(r"[a-z]+")


def date_is_announced(head: str) -> bool:
    """Whether `head` ends in words such as "today is"."""
    if not _MIDST.isdisjoint(head[-2:]):
        return False
    low = head[-32:].lower()
    return _ends_in(low, _DATE_WORDS) or (not low.isascii() and FOREIGN_DATE.search(low) is not None)


def clock_is_announced(head: str) -> bool:
    """Whether `head` ends in words such as "the current time is"."""
    if not _MIDST.isdisjoint(head[-2:]):
        return False
    low = head[-HEAD:].lower()
    if _ends_in(low, _CLOCK_WORDS) or IT_IS.search(low, max(0, len(low) - 24)) or AT.search(low, max(0, len(low) - 16)):
        return True
    return not low.isascii() and FOREIGN_CLOCK.search(low) is not None


def _ends_in(low: str, names: frozenset[str]) -> bool:
    """Whether one of `names` ends `low`, but for marks and a verb."""
    words = names.intersection(letters := _LETTERS.findall(low))
    for word in words:
        pattern = TIME_ANNOUNCES if word in _TIME_WORDS else ANNOUNCES
        at = low.rfind(word)
        if pattern.match(low, at + len(word)) and (word != "of" or low.endswith("as ", 0, at)):
            return True
    at = low.rfind("time ")
    return at >= 0 and not _HERE.isdisjoint(letters) and FAR_ANNOUNCES.match(low, at + 4) is not None
