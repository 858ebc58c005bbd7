"""Which earlier calls one may have come from, wherever what they share stands in it, and which it cannot."""

from collections import Counter
from collections.abc import Iterable

from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import PrefixIndex, Trace
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.turns import Mark

__all__ = ["answered_anew", "edge", "landmarks", "lineage", "turn_between"]

_MOST_LANDMARKS = 6
_MOST_LINEAGE = 3
_OF_ANSWERS = frozenset({"assistant", "tool_use", "thinking"})
"""Kinds of segments that a model's answer is made of."""


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


def turn_between(prompt: Prompt, now: Trace, then: Trace, index: PrefixIndex) -> bool:
    """Whether a later turn of this conversation than `then` had another head: this call has all its messages.

    It has them, their answer and more. The same question sent to two prompts side by side is no such turn.
    """
    shared = len(then)
    if not now.head <= shared < len(now):
        return False
    other = index.holding(now.canonical[shared])
    if other is None or other is then or other.seed != now.seed or other.at > now.at:
        return False
    messages = len(other) - other.head
    behind = now.head + messages
    if not shared < behind < len(now) or prompt.segments[behind].role != "assistant":
        return False
    return [*other.canonical[other.head :]] == [*now.canonical[now.head : behind]]


def answered_anew(prompt: Prompt, now: Trace, then: Trace, position: int, index: PrefixIndex) -> bool:
    """Whether two prompts part at `position` because one question was asked twice, and each was answered by itself.

    The ids in an answer are the provider's. A conversation whose history is written anew each turn parts there as
    well, but from its own last turn: it is longer than that, and has been at no earlier turn since.
    """
    if prompt.segments[position].kind not in _OF_ANSWERS:
        return False
    if len(now) <= len(then):
        return True
    length, own = index.deepest(now.chain, at=now.at)
    return own is not None and length == len(own) <= position and own.at > then.at
