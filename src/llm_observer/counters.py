"""What this process has counted of itself: the source of `stats()` and of the self-observability metrics."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping


class Counters:
    """Named counts, each split by one low-cardinality key. Safe in threads; a forked child starts at zero."""

    def __init__(self) -> None:
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        # A new lock too: the parent's may have been held by another thread at the moment of the fork. Re-entrant: a
        # finalizer that the garbage collector runs within `add` may count as well.
        self._lock = threading.RLock()
        self._counts: dict[str, Counter[str]] = {}

    def add(self, name: str, key: str = "", n: int = 1) -> int:
        """Count `n` more of `name` under `key`, and return the new count."""
        with self._lock:
            counter = self._counts.setdefault(name, Counter())
            counter[key] += n
            return counter[key]

    def of(self, name: str) -> Mapping[str, int]:
        """A copy of the counts of `name` by key."""
        with self._lock:
            return dict(self._counts.get(name, ()))

    def total(self, name: str) -> int:
        """The sum of the counts of `name` over its keys."""
        with self._lock:
            return sum(self._counts.get(name, Counter()).values())

    def clear(self) -> None:
        """Forget every count."""
        with self._lock:
            self._counts.clear()


class Durations:
    """Tells how long requests to the endpoint took, to who wants to know."""

    def __init__(self) -> None:
        self.listeners: tuple[Callable[[float, str], object], ...] = ()

    def tell(self, seconds: float, cause: str) -> None:
        """A request with all its tries took `seconds`, and failed for `cause`; empty when it did not."""
        for listener in self.listeners:
            listener(seconds, cause)


counters = Counters()
"""The counts of this process."""

durations = Durations()
"""The requests of this process."""
