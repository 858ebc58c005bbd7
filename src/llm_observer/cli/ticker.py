"""What is told on standard error while a command works: how far it is, and what is wrong."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from llm_observer.report import words

__all__ = ["Ticker"]

_EVERY_S = 0.1
_MOST_NOTES = 20


class Ticker:
    """A line of progress, when standard error is a terminal, and notes that do not mix with it.

    Args:
        most: Notes that are printed; more are counted.
    """

    def __init__(self, *, most: int = _MOST_NOTES) -> None:
        self.most = most
        self._live = sys.stderr.isatty()
        self._drawn = False
        self._next = 0.0
        self._started = time.monotonic()
        self._notes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._clear()

    def tick(self, calls: int, position: Callable[[], int], size: int | None) -> None:
        """Say how far it is, a few times a second at most."""
        now = time.monotonic()
        if not self._live or now < self._next:
            return
        self._next = now + _EVERY_S
        read = position()
        part = f"{words.percent(read / size)} of {words.size(size)}" if size else words.size(read)
        speed = words.size(round(read / max(now - self._started, _EVERY_S)))
        sys.stderr.write(f"\r{part}, {words.calls(calls)}, {speed}/s\x1b[K")
        sys.stderr.flush()
        self._drawn = True

    def note(self, text: str) -> None:
        """Print a line, unless there were many."""
        self._notes += 1
        if self._notes <= self.most:
            self.say(text)

    def say(self, text: str) -> None:
        """Print a line."""
        self._clear()
        print(f"llm-observer: {text}", file=sys.stderr)

    def _clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False
