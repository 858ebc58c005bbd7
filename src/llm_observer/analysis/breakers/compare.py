"""How far two texts agree, as they stand and with their volatile values masked."""

from typing import NamedTuple

from llm_observer.analysis.breakers.faint import find_faint
from llm_observer.analysis.breakers.kinds import Span

__all__ = ["MaskedComparison", "compare_masked"]


class MaskedComparison(NamedTuple):
    """What `compare_masked` finds.

    Attributes:
        first_difference: The offset of the first character that differs, in both texts; `None` when they are equal.
        masked_prefix: The offset in the first text up to which the two agree when volatile values are masked.
        span: The volatile value of the first text that the first difference lies in, else `None`.
    """

    first_difference: int | None
    masked_prefix: int
    span: Span | None

    @property
    def restores(self) -> bool:
        """Whether the first difference lies in a volatile value, and masking makes the texts agree for longer."""
        return (
            self.span is not None and self.first_difference is not None and self.masked_prefix > self.first_difference
        )


def compare_masked(first: str, second: str) -> MaskedComparison:
    """Compare two texts, as they stand and with their volatile values masked."""
    if first == second:
        return MaskedComparison(None, len(first), None)
    raw = _shared(first, second)
    return MaskedComparison(raw, *_masked_prefix(first, second, raw))


def _masked_prefix(first: str, second: str, raw: int) -> tuple[int, Span | None]:
    """The agreement of the masked texts as an offset in the first, and the value in which they first differ."""
    ours, theirs = find_faint(first, len(first)), find_faint(second, len(second))
    culprit = next((span for span in ours if span.start <= raw < span.end), None)
    at = other = 0
    for mine, yours in zip(ours, theirs, strict=False):
        gap, other_gap = first[at : mine.start], second[other : yours.start]
        if gap != other_gap or _name(mine) != _name(yours):
            agreed = _shared(first[at:], second[other:])
            return max(raw, at + min(agreed, mine.start - at if gap != other_gap else agreed)), culprit
        at, other = mine.end, yours.end
    return max(raw, at + _shared(first[at:], second[other:])), culprit


def _name(span: Span) -> str:
    """What two values must have in common to stand for one another; a date is a timestamp of a day."""
    return "timestamp" if span.category == "date" else span.category


def _shared(first: str, second: str) -> int:
    """The length of the longest common prefix, found by halving: slices are compared at the speed of memory."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first.startswith(second[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low
