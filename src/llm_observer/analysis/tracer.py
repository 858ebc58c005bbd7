"""From a prompt to its trace: what was worked out for the turn before is taken over, and only the rest is hashed."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from operator import add
from typing import NamedTuple

from llm_observer.analysis.breakers import as_breaker
from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import Trace
from llm_observer.analysis.lineage import edge
from llm_observer.analysis.measure import COLUMNS
from llm_observer.analysis.observed import Observation
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.segments import Segment
from llm_observer.analysis.summaries import OPENING, opens_with_summary
from llm_observer.analysis.tokens import Fit
from llm_observer.analysis.turns import Mark, Turn
from llm_observer.privacy import Hasher
from llm_observer.results import Breaker

__all__ = ["WIDTH", "Known", "Place", "Traced", "Tracer"]

WIDTH = len(COLUMNS)
_SHORT = 8
_MOST_BREAKERS = 32
_MOST_PLACES = 1000


class Place(NamedTuple):
    """Digests of what is neither prompt nor parameter: whose fit, whose cache, and of which model."""

    fit: bytes
    owner: bytes
    seed: bytes


class Known(NamedTuple):
    """The last turn of a conversation, its trace, and how many of the first segments this one has too."""

    turn: Turn
    trace: Trace
    same: int


class Traced(NamedTuple):
    """A call's trace and what else is to be known of its prompt.

    Attributes:
        trace: The trace.
        edges: The segments that are found by their lines.
        media: Position of the first image or file, `None` for none.
        breakers: The volatile values in the head.
    """

    trace: Trace
    edges: tuple[Mark, ...]
    media: int | None
    breakers: tuple[Breaker, ...]


class Tracer:
    """Makes traces. Not safe in threads by itself: its owner holds a lock."""

    def __init__(self, hasher: Hasher, fingerprints: Fingerprinter) -> None:
        self._hasher = hasher
        self._fingerprints = fingerprints
        self._places: dict[tuple[str, str | None, str], Place] = {}

    def place(self, provider: str, model: str | None, scope: str) -> Place:
        """What is hashed of a call besides its prompt, remembered."""
        place = self._places.get((provider, model, scope))
        if place is None:
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            digest, name = self._hasher.digest, provider.encode()
            owner = digest(name, b"\0", scope.encode("utf-8", "surrogatepass"))
            place = self._places[provider, model, scope] = Place(
                fit=digest(name, b"\0", (model or "").encode("utf-8", "replace")),
                owner=owner,
                seed=digest(owner, (model or "").encode("utf-8", "surrogatepass")),
            )
        return place

    def trace(
        self,
        call: Observation,
        rule: CacheRule | None,
        place: Place,
        fit: Fit,
        keys: "array[int]",
        known: Known | None = None,
    ) -> Traced:
        """The trace of a call whose segments have these keys.

        Args:
            call: The call.
            rule: How its provider's cache matches.
            place: Where it was made.
            fit: What is known of its model's tokens.
            keys: See `Fingerprinter.keys`.
            known: What of it the last turn has, at least the head.
        """
        prompt, segments = call.prompt, call.prompt.segments
        self._fingerprints.begin()
        if known is None:
            prints = fresh = self._prints(keys, segments)
            tools, names = self._tools(segments)
            before, same = None, 0
            columns, weights = array("f", bytes(4 * WIDTH)), _weighed(array("f", (0.0,)), fit, prints)
        else:
            before, same = known.trace, known.same
            tools, names = before.tools, before.names
            # What the last turn had is looked up only to be weighed anew, or where it might soon be forgotten.
            anew = known.turn.weights != fit.weights
            start = 0 if anew or self._fingerprints.filling else same
            prints = self._prints(keys[start:], segments[start:])
            fresh = prints[same - start :]
            columns = known.turn.columns[: (same + 1) * WIDTH]
            if anew:
                weights = _weighed(array("f", (0.0,)), fit, prints)
            else:
                weights = _weighed(before.weights[: same + 1], fit, fresh)
        for fp in fresh:
            columns.extend(map(add, columns[-WIDTH:], fp.columns))
        params = {
            kind: self._hasher.digest(param.value.encode("utf-8", "surrogatepass"))[:_SHORT]
            for kind, param in prompt.params.items()
        }
        wire, canonical = [fp.wire for fp in fresh], [fp.canonical for fp in fresh]
        if before is None:
            by_name = sorted(range(tools), key=lambda i: (segments[i].name, canonical[i]))
            canonical_chain = self._chain(b"", (*(canonical[i] for i in by_name), *canonical[tools:]))
        else:
            canonical_chain = self._going_on(before.canonical_chain[:same], b"", canonical)
        if before is not None and before.params == params:
            params = before.params
            chain = self._going_on(before.chain[:same], place.seed, wire)
            wire, canonical = [*before.wire[:same], *wire], [*before.canonical[:same], *canonical]
        else:
            if before is not None:
                wire, canonical = [*before.wire[:same], *wire], [*before.canonical[:same], *canonical]
            chain = self._chain(place.seed, _joined(prompt.head, tools, params, rule, wire))
        trace = Trace(
            at=call.at,
            ready_at=_readable_at(call, rule),
            model=call.model,
            owner=place.owner,
            seed=place.seed,
            params=params,
            wire=wire,
            canonical=canonical,
            chain=chain,
            canonical_chain=canonical_chain,
            tools=tools,
            head=prompt.head,
            names=names,
            weights=weights,
            columns=columns,
            summarised=opens_with_summary(prompt)
            if before is None or same < prompt.head + OPENING
            else before.summarised,
        )
        return _with_rest(trace, fresh, same, known)

    def _prints(self, keys: "array[int]", segments: Sequence[Segment]) -> list[Fingerprint]:
        return [*map(self._fingerprints.named, keys, segments)]

    def _tools(self, segments: Sequence[Segment]) -> tuple[int, list[bytes]]:
        """How many of the first segments are tools, and their names, hashed."""
        tools = 0
        while tools < len(segments) and segments[tools].kind == "tool":
            tools += 1
        digest = self._hasher.digest
        return tools, [digest(s.name.encode("utf-8", "surrogatepass"))[:_SHORT] for s in segments[:tools]]

    def _chain(self, last: bytes, digests: Iterable[bytes]) -> list[bytes]:
        """The ids of a chain from `last` on."""
        digest = self._hasher.digest
        ids: list[bytes] = []
        for one in digests:
            last = digest(last, one)
            ids.append(last)
        return ids

    def _going_on(self, ids: Sequence[bytes], seed: bytes, digests: list[bytes]) -> list[bytes]:
        """The ids of a chain of which the first are given."""
        return [*ids, *self._chain(ids[-1] if ids else seed, digests)]


def _weighed(weights: "array[float]", fit: Fit, prints: Iterable[Fingerprint]) -> "array[float]":
    """The weights of prefixes, of which the first are given."""
    for fp in prints:
        weights.append(weights[-1] + fit.estimate(fp.columns))
    return weights


def _joined(
    head: int, tools: int, params: Mapping[str, bytes], rule: CacheRule | None, wire: list[bytes]
) -> list[bytes]:
    """What the chain of what was sent is made of; a parameter joins it where, by the rule, it begins to matter."""
    if not params or rule is None:
        return wire
    links = [*wire]
    for tier, position in (("messages", head), ("system", tools), ("all", 0)):
        if position < len(links):
            of_tier = (kind.encode() + params[kind] for kind in sorted(params) if rule.params.get(kind) == tier)
            links[position] = b"".join(of_tier) + links[position]
    return links


def _with_rest(trace: Trace, fresh: list[Fingerprint], same: int, known: Known | None) -> Traced:
    """A trace with what else is to be known of its prompt, whose segments from `same` on are new."""
    found: list[Mark] = []
    media: int | None = None
    for i, fp in enumerate(fresh, same):
        if fp.kind == "system" and len(fp.sketch) > 1:
            found.append(edge(i, fp))
        elif fp.kind == "media" and media is None:
            media = i
    if known is None:
        values = (value for fp in fresh[: trace.head] for value in fp.values)
        return Traced(trace, tuple(found), media, tuple(as_breaker(v.span) for v in values)[:_MOST_BREAKERS])
    turn = known.turn
    edges = (*(mark for mark in turn.edges if mark[0] < same), *found) if turn.edges else tuple(found)
    if turn.media is not None and turn.media < same:
        media = turn.media
    return Traced(trace, edges, media, turn.breakers)


def _readable_at(call: Observation, rule: CacheRule | None) -> float:
    """When what the call wrote could be read."""
    if rule is not None and rule.readable_after == "end" and call.ended_at is not None:
        return call.ended_at
    return call.ready_at
