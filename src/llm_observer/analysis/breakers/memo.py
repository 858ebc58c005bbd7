"""Answers for places of a text that look alike: a dense text repeats itself, and is then asked about once."""

from collections.abc import Callable

from llm_observer.analysis.breakers.kinds import Span

__all__ = ["Memo"]

# A text whose places all differ fills a memory and no more.
_MOST = 1024

Key = tuple[int, int, str]


class Memo:
    """What was found at places of one text. It lasts for one search, so that nothing of the text is kept."""

    def __init__(self) -> None:
        self._known: dict[Key, Span | None] = {}

    def ask(self, key: Key, start: int, find: Callable[[], Span | None]) -> Span | None:
        """What `find` gives, or gave at another place with the same key.

        Args:
            key: All of the text that `find` may look at, and where in it the place is.
            start: The place; what is found is kept relative to it.
            find: Finds the value at the place.
        """
        known = self._known
        if key in known:
            seen = known[key]
            return seen and Span(seen.start + start, seen.end + start, seen.category, seen.kind)
        span = find()
        if len(known) < _MOST:
            known[key] = span and Span(span.start - start, span.end - start, span.category, span.kind)
        return span
