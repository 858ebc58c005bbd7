"""The last turn of each conversation, so that what the next one begins with need not be worked out again."""

from array import array
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from llm_observer.analysis.fingerprint import Fingerprint
from llm_observer.analysis.index import Trace
from llm_observer.results import Breaker

__all__ = ["Turn", "Turns"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What was worked out for a prompt. No text.

    Attributes:
        keys: The key of each segment, see `Fingerprinter.keys`.
        prints: Its fingerprint.
        trace: The prompt's trace.
        weights: The factors that the weights of the trace come from.
        breakers: The volatile values in its head.
    """

    keys: list[int]
    prints: list[Fingerprint]
    trace: Trace
    weights: tuple[float, ...]
    breakers: tuple[Breaker, ...]


class Turns:
    """The last turns, by what tells conversations apart. Bounded in segments; the least recently kept goes first."""

    def __init__(self, most_segments: int = 40_000) -> None:
        self._most = most_segments
        self._held = 0
        self._turns: OrderedDict[Hashable, Turn] = OrderedDict()

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def held(self) -> int:
        """Segments held."""
        return self._held

    def last(self, name: Hashable) -> Turn | None:
        """The last turn of a conversation."""
        return self._turns.get(name)

    def keep(self, name: Hashable, turn: Turn) -> None:
        """Remember a turn in place of the one before."""
        before = self._turns.pop(name, None)
        if before is not None:
            before.trace.columns = array("f")
        self._turns[name] = turn
        self._held += len(turn.keys) - (len(before.keys) if before is not None else 0)
        while self._held > self._most:
            _, oldest = self._turns.popitem(last=False)
            self._held -= len(oldest.keys)
            oldest.trace.columns = array("f")
