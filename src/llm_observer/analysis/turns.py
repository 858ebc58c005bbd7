"""The last turn of each conversation, so that what the next one begins with need not be worked out again."""

from array import array
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from llm_observer.analysis.measure import COLUMNS
from llm_observer.results import Breaker

__all__ = ["Mark", "Turn", "Turns"]

Mark = tuple[int, bytes, bytes]
"""The position of a segment that is found by its first and last line, and the marks of these."""

_TURN_BYTES = 700
_SEGMENT_BYTES = 8 + 4 * len(COLUMNS)
"""A key and the columns."""
_BREAKER_BYTES = 150
_MARK_BYTES = 250


@dataclass(frozen=True, slots=True)
class Turn:
    """What was worked out for a prompt, besides its trace, which is the index's. No text.

    Attributes:
        keys: The key of each segment, see `Fingerprinter.keys`.
        number: By which the index knows the prompt's trace, which is its own to forget.
        columns: What `measure` says of the prompt up to each position, from 0 on.
        weights: The factors that the weights of the trace come from.
        breakers: The volatile values in its head.
        edges: Its segments that are found by their lines.
        media: Position of its first image or file, `None` for none.
    """

    keys: "array[int]"
    number: int
    columns: "array[float]"
    weights: tuple[float, ...]
    breakers: tuple[Breaker, ...]
    edges: tuple[Mark, ...]
    media: int | None

    def size(self) -> int:
        """Bytes held, about, without the trace."""
        return (
            _TURN_BYTES
            + _SEGMENT_BYTES * len(self.keys)
            + _BREAKER_BYTES * len(self.breakers)
            + _MARK_BYTES * len(self.edges)
        )


class Turns:
    """The last turns, by what tells conversations apart. Bounded in bytes; the least recently kept goes first."""

    def __init__(self, max_bytes: int) -> None:
        self._most = max_bytes
        self._used = 0
        self._turns: OrderedDict[Hashable, Turn] = OrderedDict()

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def used_bytes(self) -> int:
        """Bytes held, about."""
        return self._used

    def last(self, name: Hashable) -> Turn | None:
        """The last turn of a conversation."""
        return self._turns.get(name)

    def keep(self, name: Hashable, turn: Turn) -> None:
        """Remember a turn in place of the one before."""
        before = self._turns.pop(name, None)
        if before is not None:
            self._forget(before)
        self._turns[name] = turn
        self._used += turn.size()
        while self._used > self._most and len(self._turns) > 1:
            self._forget(self._turns.popitem(last=False)[1])

    def _forget(self, turn: Turn) -> None:
        self._used -= turn.size()
