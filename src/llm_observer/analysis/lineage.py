"""Which earlier calls one may have come from, wherever what they share stands in it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import PrefixIndex, Trace

__all__ = ["landmarks", "lineage"]

_MOST_LANDMARKS = 6
_MOST_LINEAGE = 3


def landmarks(prints: Sequence[Fingerprint], trace: Trace) -> list[bytes]:
    """What a call is found by later: its segments behind the tools, and how its texts begin and end."""
    return [*trace.canonical[trace.tools :], *edges(prints[trace.tools :])]


def edges(prints: Iterable[Fingerprint]) -> list[bytes]:
    """Marks of the first and the last line of system texts that have several."""
    found: list[bytes] = []
    for fp in prints:
        if fp.kind == "system" and len(fp.sketch) > 1:
            found += (b"first:%d" % fp.sketch[0], b"last:%d" % fp.sketch[-1])
    return found


def lineage(
    now: Trace, then: Trace | None, shared: int, index: PrefixIndex, fingerprints: Fingerprinter
) -> list[Trace]:
    """Earlier calls that this one may have come from: they have much in common with it, wherever it stands."""
    behind = [*now.canonical[max(shared, now.tools) :]]
    prints = [fp for wire in now.wire[shared:] if (fp := fingerprints.known(wire)) is not None]
    marks = [*behind[:_MOST_LANDMARKS], *behind[-_MOST_LANDMARKS:], *edges(prints[:_MOST_LANDMARKS])]
    found = {id(then): then} if then is not None else {}
    for mark in marks:
        other = index.holding(mark)
        if other is not None and other.seed == now.seed and other.at <= now.at:
            found[id(other)] = other
    if len(found) < 2:
        return list(found.values())
    own = Counter(now.canonical)
    return sorted(found.values(), key=lambda other: -(own & Counter(other.canonical)).total())[:_MOST_LINEAGE]
