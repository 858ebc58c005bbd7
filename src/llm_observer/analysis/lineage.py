"""Which earlier calls one may have come from, wherever what they share stands in it."""

from collections import Counter
from collections.abc import Iterable

from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import PrefixIndex, Trace
from llm_observer.analysis.turns import Mark

__all__ = ["edge", "landmarks", "lineage"]

_MOST_LANDMARKS = 6
_MOST_LINEAGE = 3


def landmarks(trace: Trace, edges: Iterable[Mark]) -> list[bytes]:
    """What a call is found by later: its segments behind the tools, and how its system texts begin and end."""
    found = [*trace.canonical[trace.tools :]]
    for _, first, last in edges:
        found += (first, last)
    return found


def edge(position: int, fp: Fingerprint) -> Mark:
    """A segment of several lines, and marks of the first and the last of them."""
    return (position, b"first:%d" % fp.sketch[0], b"last:%d" % fp.sketch[-1])


def lineage(
    now: Trace, then: Trace | None, shared: int, index: PrefixIndex, fingerprints: Fingerprinter
) -> list[Trace]:
    """Earlier calls that this one may have come from: they have much in common with it, wherever it stands."""
    behind = [*now.canonical[max(shared, now.tools) :]]
    prints = [fp for wire in now.wire[shared:] if (fp := fingerprints.known(wire)) is not None]
    texts = [edge(0, fp) for fp in prints[:_MOST_LANDMARKS] if fp.kind == "system" and len(fp.sketch) > 1]
    marks = [*behind[:_MOST_LANDMARKS], *behind[-_MOST_LANDMARKS:], *(mark for _, *both in texts for mark in both)]
    found = {id(then): then} if then is not None else {}
    for mark in marks:
        other = index.holding(mark)
        if other is not None and other.seed == now.seed and other.at <= now.at:
            found[id(other)] = other
    if len(found) < 2:
        return list(found.values())
    own = Counter(now.canonical)
    return sorted(found.values(), key=lambda other: -(own & Counter(other.canonical)).total())[:_MOST_LINEAGE]
