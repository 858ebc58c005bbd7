"""The analyzer: from one observed call to what is known of its prompt and the verdict on its cache."""

import math
import threading
from array import array
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import add
from typing import Any, NamedTuple

from llm_observer.analysis.boundaries import Boundary, writes
from llm_observer.analysis.breakers import as_breaker
from llm_observer.analysis.compare import common
from llm_observer.analysis.diagnostics import reconcile
from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import Entry, PrefixIndex, Trace
from llm_observer.analysis.lineage import edges, landmarks
from llm_observer.analysis.measure import COLUMNS
from llm_observer.analysis.reads import LEAST_LOSS
from llm_observer.analysis.rules import CacheRule, CacheRules, shipped_rules
from llm_observer.analysis.segments import Prompt, Segment
from llm_observer.analysis.sharing import MOST_SHARED, Shared, as_text, from_text
from llm_observer.analysis.tokens import Fit, Fits, Positions
from llm_observer.analysis.turns import Turn, Turns
from llm_observer.analysis.verdict import judge
from llm_observer.privacy import Hasher
from llm_observer.results import Breaker, PromptReport, Verdict
from llm_observer.usage import Usage

__all__ = ["Analyzer", "Finding", "Observation", "Sizes"]

_WIDTH = len(COLUMNS)
_MOST_CHAIN_IDS = 16
_MOST_BREAKERS = 32
_MOST_PLACES = 1000
_MOST_UNTOLD = 64
"""Calls that wait to be told to other processes; then the oldest is not told."""
_MOST_TOLD = 10_000
"""Fingerprints that are known to be told; then they are told again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One finished call, as the analysis needs it. Times are Unix seconds.

    Attributes:
        at: Start of the request.
        ready_at: When its response began, as far as that is known.
        ended_at: When its response ended; `None` for when it began.
        scope: Whose cache.
    """

    provider: str
    model: str | None
    scope: str
    at: float
    ready_at: float
    prompt: Prompt
    usage: Usage | None = None
    diagnostics: Mapping[str, Any] | None = None
    tag: str | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the analysis found out. `seen` is how many calls of the family came before."""

    prompt: PromptReport
    verdict: Verdict
    breakers: tuple[Breaker, ...]
    seen: int


class Sizes(NamedTuple):
    """Bytes held, about: of the index, of fingerprints, and of the last turns."""

    prefixes: int
    fingerprints: int
    turns: int


class _Place(NamedTuple):
    """Digests of what is neither prompt nor parameter: whose fit, whose cache, and of which model."""

    fit: bytes
    owner: bytes
    seed: bytes


class _Last(NamedTuple):
    """The last turn of a conversation, its trace, and how many of the first segments this one has too."""

    turn: Turn
    trace: Trace
    same: int


_NO_COLUMNS = array("f")


class Analyzer:
    """Explains calls one after another; each is compared with those before it. Safe in threads.

    Args:
        hasher: Keys the hashes.
        max_bytes: Of all that is remembered; what was used least lately is forgotten first.
        index: To remember prompts in, instead of one of its own.
        rules: How providers' caches match; those of this version when left out.
    """

    def __init__(
        self,
        hasher: Hasher,
        *,
        max_bytes: int = 40_000_000,
        index: PrefixIndex | None = None,
        rules: CacheRules | None = None,
    ) -> None:
        self._hasher = hasher
        self._rules = rules if rules is not None else CacheRules(shipped_rules())
        self._lock = threading.Lock()
        # What is left over is for the fits and what else is bounded by number.
        self._fingerprints = Fingerprinter(hasher, max_bytes=max_bytes // 4, max_foreign_bytes=max_bytes // 20)
        self._fits = Fits()
        self._places: dict[tuple[str, str | None, str], _Place] = {}
        self._turns = Turns(max_bytes // 8)
        self._index = index if index is not None else PrefixIndex(max_bytes=max_bytes * 9 // 20)
        self._outbox: deque[tuple[Trace, str, list[bytes], int]] | None = None
        self._told: set[bytes] = set()

    def share(self) -> None:
        """From now on keep what other processes are to know of each call, for `tell`."""
        self._outbox = deque(maxlen=_MOST_UNTOLD)

    def tell(self) -> list[str]:
        """What other processes are to know of the calls since the last time; for one thread only, not the caller's."""
        texts: list[str] = []
        while self._outbox:
            trace, family, found_by, read = self._outbox.popleft()
            untold = (wire for wire in trace.wire if wire not in self._told)
            fresh = [fp for wire in untold if (fp := self._fingerprints.known(wire)) is not None]
            if len(self._told) > _MOST_TOLD:
                self._told.clear()
            self._told.update(fp.wire for fp in fresh)
            entries = {position: self._index.entry(trace.chain[position - 1]) for position in trace.cached}
            lifetimes = {position: entry.lifetime for position, entry in entries.items() if entry is not None}
            texts.append(as_text(Shared(trace, family, found_by, lifetimes, read, fresh)))
        return texts

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

    def sizes(self) -> Sizes:
        """Bytes that are held, about."""
        with self._lock:
            return Sizes(self._index.used_bytes, self._fingerprints.used_bytes, self._turns.used_bytes)

    def explain(self, call: Observation) -> Finding:
        """The finding on a finished call, which is then remembered."""
        with self._lock:
            return self._explain(call)

    def beside(self, call: Observation, others: Sequence[Observation]) -> Verdict | None:
        """The verdict on a call for which nothing earlier is known, had `others` written what they share with it.

        They are calls that started before it and whose responses had not begun then. `None` where they explain
        nothing. Remembers nothing of them: that is done when they end.
        """
        rule = self._rules.find(call.provider, call.model)
        if rule is None:
            return None
        with self._lock:
            place = self._place(call.provider, call.model, call.scope)
            fit = self._fits.of(place.fit)
            index = PrefixIndex()
            for other in others:
                trace = self._trace_alone(other, rule, place, fit)
                for position, _ in writes(other.prompt, rule) if rule.match == "boundary" else ():
                    index.keep(trace.chain[position - 1], Entry(other.at, math.inf, other.at, None))
                index.add(trace, "", ())
            now = self._trace_alone(call, rule, place, fit)
            verdict, _ = judge(call.prompt, now, rule, index, self._fingerprints, call.usage, fit)
        return verdict if verdict.cause == "concurrent_cold_start" else None

    def _trace_alone(self, call: Observation, rule: CacheRule, place: _Place, fit: Fit) -> Trace:
        segments = call.prompt.segments
        self._fingerprints.begin()
        return self._trace(call, rule, place, self._prints(segments, self._fingerprints.keys(segments)), fit)

    def _explain(self, call: Observation) -> Finding:
        prompt, segments = call.prompt, call.prompt.segments
        rule = self._rules.find(call.provider, call.model)
        place = self._place(call.provider, call.model, call.scope)
        fit = self._fits.of(place.fit)
        keys = self._fingerprints.keys(segments)
        name = (place.seed, prompt.head, hash(keys[: prompt.head + 1].tobytes()))
        last = self._last(name, keys, prompt.head)
        same = last.same if last is not None else 0
        self._fingerprints.begin()
        # What the last turn had need not be looked at again, unless it is weighed anew or might soon be forgotten.
        carried = same if last is not None and last.turn.weights == fit.weights else 0
        begin = 0 if self._fingerprints.filling else carried
        prints = self._prints(segments[begin:], keys[begin:])[carried - begin :]
        fresh = prints[same - carried :]
        fit_weights = fit.weights
        trace = self._trace(call, rule, place, prints, fit, last)
        marks = (
            *(mark for mark in (last.turn.edges if last is not None else ()) if mark[0] < same),
            *edges(fresh[max(0, trace.tools - same) :], max(same, trace.tools)),
        )
        media = last.turn.media if last is not None else None
        if media is None or media >= same:
            media = next((i for i, fp in enumerate(fresh, same) if fp.kind == "media"), None)
        family = call.tag or self._family(call, trace)
        position, closest = self._index.deepest(trace.canonical_chain, trace.owner)
        judged, read_at = judge(prompt, trace, rule, self._index, self._fingerprints, call.usage, fit)
        verdict = reconcile(judged, call.diagnostics)
        if self._fingerprints.skipped:
            verdict = replace(verdict, skipped=("volatile_values",))
        seen = self._index.seen(family)
        written = writes(prompt, rule) if rule is not None and rule.match == "boundary" else []
        self._remember(call, rule, trace, read_at, fit, written)
        found_by = landmarks(trace, marks)
        self._index.add(trace, family, found_by, last.trace if last is not None else None, same)
        if self._outbox is not None and len(trace) <= MOST_SHARED:
            read = call.usage.cache_read_tokens if call.usage is not None else None
            self._outbox.append((trace, family, found_by, read or 0))
        # What an image counts for depends on its size, so that its count would teach nothing.
        if call.usage is not None and call.usage.input_tokens is not None and prompt.counted and media is None:
            head = (place.seed, prompt.head, hash(keys[: prompt.head].tobytes()))
            fit.observe(
                trace.columns[-_WIDTH:],
                call.usage.input_tokens,
                weight=trace.weights[-1],
                shared=trace.weights[same if last is not None else prompt.head],
                names=(name, head) if prompt.head else (name,),
            )
        weight = trace.weights[-1]
        report = PromptReport(
            hash=self._hasher.name(b"".join(trace.wire)) if prompt.as_sent else None,
            canonical_hash=self._hasher.name(*self._in_canonical_order(trace)),
            family=family,
            segments=len(segments),
            key_id=self._hasher.key_id,
            similarity=None if closest is None else round(trace.weights[position] / weight, 4) if weight else 1.0,
            chain=self._chain_ids(trace, written) if prompt.as_sent else (),
        )
        breakers = (
            last.turn.breakers
            if last is not None
            else tuple(as_breaker(value.span) for fp in prints[: prompt.head] for value in fp.values)[:_MOST_BREAKERS]
        )
        self._turns.keep(name, Turn(keys, trace.number, trace.columns, fit_weights, breakers, marks, media))
        trace.columns = _NO_COLUMNS
        return Finding(prompt=report, verdict=verdict, breakers=breakers, seen=seen)

    def _last(self, name: Hashable, keys: "array[int]", head: int) -> "_Last | None":
        """The last turn of a conversation and what it has in common with this one, whose head is the same."""
        turn = self._turns.last(name)
        trace = self._index.trace(turn.number) if turn is not None else None
        if turn is None or trace is None:
            return None
        same = common(keys, turn.keys)
        return _Last(turn, trace, same) if same >= head else None

    def _place(self, provider: str, model: str | None, scope: str) -> _Place:
        """What is hashed of a call besides its prompt, remembered."""
        place = self._places.get((provider, model, scope))
        if place is None:
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            digest, name = self._hasher.digest, provider.encode()
            owner = digest(name, b"\0", scope.encode("utf-8", "surrogatepass"))
            place = self._places[provider, model, scope] = _Place(
                fit=digest(name, b"\0", (model or "").encode("utf-8", "replace")),
                owner=owner,
                seed=digest(owner, (model or "").encode("utf-8", "surrogatepass")),
            )
        return place

    def _prints(self, segments: Sequence[Segment], keys: Sequence[int]) -> list[Fingerprint]:
        return [*map(self._fingerprints.named, keys, segments)]

    def _trace(
        self,
        call: Observation,
        rule: CacheRule | None,
        place: _Place,
        prints: list[Fingerprint],
        fit: Fit,
        last: _Last | None = None,
    ) -> Trace:
        """The trace of a call; `prints` are of all its segments, or of those that the last turn does not have."""
        prompt, segments = call.prompt, call.prompt.segments
        params = {
            kind: self._hasher.digest(param.value.encode("utf-8", "surrogatepass"))[:8]
            for kind, param in prompt.params.items()
        }
        fresh = prints if last is None else prints[len(prints) - len(segments) + last.same :]
        wire, canonical = [fp.wire for fp in fresh], [fp.canonical for fp in fresh]
        chain: list[bytes] | None = None
        if last is None:
            tools = 0
            while tools < len(segments) and segments[tools].kind == "tool":
                tools += 1
            names = [self._hasher.digest(s.name.encode("utf-8", "surrogatepass"))[:8] for s in segments[:tools]]
            by_name = sorted(range(tools), key=lambda i: (segments[i].name, canonical[i]))
            canonical_chain = self._chain([], b"", [*(canonical[i] for i in by_name), *canonical[tools:]])
            columns = array("f", bytes(4 * _WIDTH))
        else:
            before, same = last.trace, last.same
            tools, names = before.tools, before.names
            canonical_chain = self._chain([*before.canonical_chain[:same]], b"", canonical)
            columns = last.turn.columns[: (same + 1) * _WIDTH]
            if before.params == params:
                params = before.params
                chain = self._chain([*before.chain[:same]], place.seed, wire)
            wire, canonical = [*before.wire[:same], *wire], [*before.canonical[:same], *canonical]
        if chain is None:
            chain = self._chain([], place.seed, self._joined(prompt, tools, params, rule, wire))
        weights = last.trace.weights[: last.same + 1] if len(fresh) == len(prints) and last else array("f", [0.0])
        for fp in prints:
            weights.append(weights[-1] + fit.estimate(fp.columns))
        for fp in fresh:
            columns.extend(map(add, columns[-_WIDTH:], fp.columns))
        return Trace(
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
        )

    def _chain(self, ids: list[bytes], seed: bytes, digests: Iterable[bytes]) -> list[bytes]:
        """The ids of a chain, which goes on behind `ids`."""
        last, digest = ids[-1] if ids else seed, self._hasher.digest
        for one in digests:
            last = digest(last, one)
            ids.append(last)
        return ids

    @staticmethod
    def _joined(
        prompt: Prompt, tools: int, params: Mapping[str, bytes], rule: CacheRule | None, wire: list[bytes]
    ) -> list[bytes]:
        """What the chain of what was sent is made of; a parameter joins it where, by the rule, it begins to matter."""
        if not params or rule is None:
            return wire
        links = [*wire]
        for tier, position in (("messages", prompt.head), ("system", tools), ("all", 0)):
            if position < len(links):
                of_tier = (kind.encode() + params[kind] for kind in sorted(params) if rule.params.get(kind) == tier)
                links[position] = b"".join(of_tier) + links[position]
        return links

    def _family(self, call: Observation, trace: Trace) -> str:
        """Id of the canonical head; of a prompt without one, of its first message."""
        position = call.prompt.head or min(1, len(trace))
        return trace.canonical_chain[position - 1][:8].hex() if position else "empty"

    @staticmethod
    def _in_canonical_order(trace: Trace) -> list[bytes]:
        return [trace.canonical_chain[-1]] if trace.canonical_chain else []

    @staticmethod
    def _chain_ids(trace: Trace, written: list[Boundary]) -> tuple[str, ...]:
        positions = {trace.tools, trace.head, len(trace), *(position for position, _ in written)}
        return tuple(
            f"{position}:{trace.canonical_chain[position - 1][:8].hex()}:{trace.chain[position - 1][:8].hex()}"
            for position in sorted(positions)[-_MOST_CHAIN_IDS:]
            if position
        )

    def _remember(
        self,
        call: Observation,
        rule: CacheRule | None,
        trace: Trace,
        read_at: int,
        fit: Fit,
        written: list[Boundary],
    ) -> None:
        """Note what a call says of its prompt's size, and what it left in the provider's cache."""
        usage = call.usage
        if usage is not None and usage.input_tokens and call.prompt.counted:
            trace.anchors[len(trace)] = usage.input_tokens
        if rule is not None and rule.match == "boundary":
            self._remember_boundaries(call, rule, trace, read_at, fit, written)
        if usage is not None and usage.cache_read_tokens:
            self._index.note_read(trace.seed, usage.cache_read_tokens)

    def _remember_boundaries(
        self,
        call: Observation,
        rule: CacheRule,
        trace: Trace,
        read_at: int,
        fit: Fit,
        boundaries: list[Boundary],
    ) -> None:
        usage = call.usage
        read = usage.cache_read_tokens if usage is not None else None
        written = usage.cache_write_tokens if usage is not None else None
        if not read and not written:
            # Nothing was read or written: no boundary of this request is in the cache.
            return
        counted = call.prompt.counted
        if boundaries and read is not None and written is not None and counted:
            trace.anchors[boundaries[-1][0]] = read + written
        positions = Positions(trace.columns, trace.anchors, fit)
        cached: list[int] = []
        if read and read_at and (entry := self._index.entry(trace.chain[read_at - 1])) is not None:
            # A read renews the entry. Its size is what was read: exact, unless less was read than there is.
            tokens, error = positions.at(read_at)
            exact = counted and abs(tokens - read) <= max(LEAST_LOSS, error * tokens)
            if exact:
                trace.anchors[read_at] = read
            size = read if exact else entry.tokens
            self._index.keep(trace.chain[read_at - 1], _entry(call, entry, entry.lifetime, size, was_read=True))
            cached.append(read_at)
        for position, ttl in boundaries:
            tokens, error = positions.at(position)
            if rule.min_tokens is not None and tokens * (1 + error) < rule.min_tokens:
                continue
            _, lifetime = rule.lifetime(ttl)
            known = self._index.entry(trace.chain[position - 1])
            exact = trace.anchors.get(position, known.tokens if known is not None else None)
            was_read = bool(read) and position <= read_at
            self._index.keep(trace.chain[position - 1], _entry(call, known, lifetime, exact, was_read=was_read))
            cached.append(position)
        trace.cached = tuple(cached)


def _readable_at(call: Observation, rule: CacheRule | None) -> float:
    """When what the call wrote could be read."""
    if rule is not None and rule.readable_after == "end" and call.ended_at is not None:
        return call.ended_at
    return call.ready_at


def _entry(
    call: Observation, known: Entry | None, lifetime: float | None, tokens: int | None, *, was_read: bool
) -> Entry:
    """What a call that wrote or read a prefix leaves of it; a prefix that was there and not read was made anew."""
    used_at, ready_at, made_at = call.at, call.ready_at, call.at
    if known is not None:
        used_at = max(used_at, known.used_at)
        if was_read or known.ready_at > call.at:
            ready_at, made_at = min(ready_at, known.ready_at), min(made_at, known.made_at)
    return Entry(used_at, ready_at, made_at, lifetime, tokens)


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
