"""Answers for places of a text that look alike, and an end to the asking where too many do not.

A dense text repeats itself, and is asked about once. A text whose places all differ (random ids with a blank between
them, an attack) is read closely only as far as its `effort` goes; behind that `plain` finds what needs no context.
"""

from collections.abc import Callable

from llm_observer.analysis.breakers.kinds import Span

__all__ = ["Memo", "effort"]

# A text whose places all differ fills a memory and no more.
_MOST = 1024

# How many different places of a text are looked at by one finder: in a text of any length, and per thousand characters.
_LEAST_EFFORT = 6_000
_DENSITY = 4
# What a place costs that is like none before, where one that is known costs 1.
_NEW = 8

Key = tuple[int, int, str]


def effort(text: str) -> int:
    """How many different places of `text` one finder looks at.

    Real text stays below it: a log of 300,000 characters has some 4,000 lines, each with a time, an id and a number.
    """
    return max(_LEAST_EFFORT, len(text) * _DENSITY // 1000)


class Memo:
    """What was found at places of one text. It lasts for one search, so that nothing of the text is kept."""

    def __init__(self, most: int) -> None:
        self._known: dict[Key, Span | None] = {}
        self._left = most * _NEW
        self.stop: int | None = None
        """Where a finder stopped, as it had looked at as many places as it may."""

    def spend(self, much: int = 1) -> None:
        """Count a place that is looked at without asking, or costs more than others."""
        self._left -= much * _NEW

    def is_spent(self, at: int) -> bool:
        """Whether no more places may be looked at, the next one being `at`."""
        if self._left > 0:
            return False
        if self.stop is None:
            self.stop = at
        return True

    def ask(self, key: Key, start: int, find: Callable[[], Span | None]) -> Span | None:
        """What `find` gives, or gave at another place with the same key.

        Args:
            key: All of the text that `find` may look at, and where in it the place is.
            start: The place; what is found is kept relative to it.
            find: Finds the value at the place.
        """
        known = self._known
        if key in known:
            self._left -= 1
            seen = known[key]
            return seen and Span(seen.start + start, seen.end + start, seen.category, seen.kind)
        self._left -= _NEW
        span = find()
        if len(known) < _MOST:
            known[key] = span and Span(span.start - start, span.end - start, span.category, span.kind)
        return span
