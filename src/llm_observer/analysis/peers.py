"""What this process tells others of its host about its calls, and what it hears of theirs."""

import threading
from collections import deque

from llm_observer.analysis.fingerprint import Fingerprinter
from llm_observer.analysis.index import Entry, PrefixIndex, Trace
from llm_observer.analysis.sharing import MOST_SHARED, Shared, as_text, from_text

__all__ = ["Peers"]

_MOST_UNTOLD = 256
_MOST_UNTOLD_SEGMENTS = 10_000
"""Calls, and segments of them, that wait to be told; then the oldest is not told."""
_MOST_TOLD = 10_000
"""Fingerprints that are known to be told; then they are told again."""


class _Call:
    """A call that is to be told."""

    __slots__ = ("family", "landmarks", "read", "trace")

    def __init__(self, trace: Trace, family: str, landmarks: list[bytes], read: int) -> None:
        self.trace = trace
        self.family = family
        self.landmarks = landmarks
        self.read = read


class Peers:
    """The other processes.

    Args:
        index: What is remembered of calls.
        fingerprints: And of segments.
        lock: Guards both.
    """

    def __init__(self, index: PrefixIndex, fingerprints: Fingerprinter, lock: threading.Lock) -> None:
        self._index = index
        self._fingerprints = fingerprints
        self._lock = lock
        self._listening = False
        self._untold: deque[_Call] = deque()
        self._segments = 0
        self._told: set[bytes] = set()

    def share(self) -> None:
        """From now on keep what others are to know of each call."""
        self._listening = True

    def note(self, trace: Trace, family: str, landmarks: list[bytes], read: int) -> None:
        """Have a finished call told later, if there is anyone to tell. The caller holds the lock."""
        if not self._listening or len(trace) > MOST_SHARED:
            return
        self._untold.append(_Call(trace, family, landmarks, read))
        self._segments += len(trace)
        while len(self._untold) > _MOST_UNTOLD or self._segments > _MOST_UNTOLD_SEGMENTS:
            self._segments -= len(self._untold.popleft().trace)

    def tell(self) -> list[str]:
        """What others are to know of the calls since the last time; for one thread only, not the caller's."""
        with self._lock:
            calls, self._untold = self._untold, deque()
            self._segments = 0
        return [self._text(call) for call in calls]

    def _text(self, call: _Call) -> str:
        trace = call.trace
        untold = (wire for wire in trace.wire if wire not in self._told)
        fresh = [fp for wire in untold if (fp := self._fingerprints.known(wire)) is not None]
        if len(self._told) > _MOST_TOLD:
            self._told.clear()
        self._told.update(fp.wire for fp in fresh)
        entries = {position: self._index.entry(trace.chain[position - 1]) for position in trace.cached}
        lifetimes = {position: entry.lifetime for position, entry in entries.items() if entry is not None}
        return as_text(Shared(trace, call.family, call.landmarks, lifetimes, call.read, fresh))

    def hear(self, text: str) -> None:
        """Remember what another process tells of a call, as if it had been made here.

        Raises:
            ValueError, KeyError, TypeError: It is not what `tell` gives.
        """
        shared = from_text(text)
        if shared is None:
            return
        trace = shared.trace
        with self._lock:
            self._fingerprints.learn(shared.prints)
            for position, lifetime in shared.lifetimes.items():
                link = trace.chain[position - 1]
                known = self._index.entry(link)
                lives = known is not None and (lifetime is None or abs(trace.at - known.used_at) <= lifetime)
                self._index.keep(link, _shared_entry(trace, position, lifetime, known if lives else None))
            if shared.least_read:
                self._index.note_read(trace.seed, shared.least_read)
            self._index.add(trace, shared.family, shared.landmarks)


def _shared_entry(trace: Trace, position: int, lifetime: float | None, known: Entry | None) -> Entry:
    """What another process's call left at a position, and this process's own."""
    tokens = trace.anchors.get(position)
    if known is None:
        return Entry(trace.at, trace.ready_at, trace.at, lifetime, tokens)
    return Entry(
        max(trace.at, known.used_at),
        min(trace.ready_at, known.ready_at),
        min(trace.at, known.made_at),
        lifetime if trace.at > known.used_at else known.lifetime,
        known.tokens if known.tokens is not None else tokens,
    )
