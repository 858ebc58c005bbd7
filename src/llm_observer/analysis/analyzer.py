"""The analyzer: from one observed call to what is known of its prompt and the verdict on its cache."""

import math
import threading
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import add
from typing import Any, NamedTuple

from llm_observer.analysis.boundaries import Boundary, writes
from llm_observer.analysis.breakers import as_breaker
from llm_observer.analysis.compare import common
from llm_observer.analysis.diagnostics import reconcile
from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import Entry, PrefixIndex, Trace
from llm_observer.analysis.lineage import landmarks
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

__all__ = ["Analyzer", "Finding", "Observation"]

_WIDTH = len(COLUMNS)
_MOST_CHAIN_IDS = 16
_MOST_BREAKERS = 32
_MOST_LINKS = 25_000
_MOST_PLACES = 1000
_MOST_UNTOLD = 256
"""Calls that wait to be told to other processes; then the oldest is not told."""


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


class _Place(NamedTuple):
    """Digests of what is neither prompt nor parameter: whose fit, whose cache, and of which model."""

    fit: bytes
    owner: bytes
    seed: bytes


class Analyzer:
    """Explains calls one after another; each is compared with those before it. Safe in threads.

    What it remembers is bounded, with the defaults to about 40 MB in all: half of it is the index.
    """

    def __init__(
        self,
        hasher: Hasher,
        *,
        index: PrefixIndex | None = None,
        turns: Turns | None = None,
        rules: CacheRules | None = None,
    ) -> None:
        self._hasher = hasher
        self._rules = rules if rules is not None else CacheRules(shipped_rules())
        self._lock = threading.Lock()
        self._fingerprints = Fingerprinter(hasher)
        self._fits = Fits()
        self._links: dict[bytes, bytes] = {}
        self._places: dict[tuple[str, str | None, str], _Place] = {}
        self._turns = turns if turns is not None else Turns()
        self._index = index if index is not None else PrefixIndex()
        self._outbox: deque[tuple[Trace, str, Sequence[Fingerprint], int]] | None = None
        self._told: set[bytes] = set()

    def share(self) -> None:
        """From now on keep what other processes are to know of each call, for `tell`."""
        self._outbox = deque(maxlen=_MOST_UNTOLD)

    def tell(self) -> list[str]:
        """What other processes are to know of the calls since the last time; for one thread only, not the caller's."""
        texts: list[str] = []
        while self._outbox:
            trace, family, prints, read = self._outbox.popleft()
            fresh = [fp for fp in prints if fp.wire not in self._told]
            if len(self._told) > _MOST_LINKS:
                self._told.clear()
            self._told.update(fp.wire for fp in fresh)
            entries = {position: self._index.entry(trace.chain[position - 1]) for position in trace.cached}
            lifetimes = {position: entry.lifetime for position, entry in entries.items() if entry is not None}
            texts.append(as_text(Shared(trace, family, landmarks(prints, trace), lifetimes, read, fresh)))
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

    def sizes(self) -> tuple[int, int]:
        """Bytes that the index holds, about, and segments of the last turns."""
        with self._lock:
            return self._index.used_bytes, self._turns.held

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
        prints = self._prints(segments, self._fingerprints.keys(segments), 0, None)
        return self._trace(call, rule, place, prints, fit, 0, None)

    def _explain(self, call: Observation) -> Finding:
        prompt, segments = call.prompt, call.prompt.segments
        rule = self._rules.find(call.provider, call.model)
        place = self._place(call.provider, call.model, call.scope)
        fit = self._fits.of(place.fit)
        keys = self._fingerprints.keys(segments)
        name = (place.seed, prompt.head, hash(tuple(keys[: prompt.head + 1])))
        last = self._turns.last(name)
        same = common(keys, last.keys) if last is not None else 0
        prints = self._prints(segments, keys, same, last)
        weights = fit.weights
        trace = self._trace(call, rule, place, prints, fit, same, last)
        family = call.tag or self._family(call, trace)
        position, closest = self._index.deepest(trace.canonical_chain, trace.owner)
        judged, read_at = judge(prompt, trace, rule, self._index, self._fingerprints, call.usage, fit)
        verdict = reconcile(judged, call.diagnostics)
        if self._fingerprints.skipped:
            verdict = replace(verdict, skipped=("volatile_values",))
        seen = self._index.seen(family)
        written = writes(prompt, rule) if rule is not None and rule.match == "boundary" else []
        self._remember(call, rule, trace, prints, family, read_at, fit, written)
        if (tokens := _learnt(call, prints)) is not None:
            head = (place.seed, prompt.head, hash(tuple(keys[: prompt.head])))
            fit.observe(
                trace.columns[-_WIDTH:],
                tokens,
                weight=trace.weights[-1],
                shared=trace.weights[same if last is not None else prompt.head],
                names=(name, head) if prompt.head else (name,),
            )
        weight = trace.weights[-1]
        report = PromptReport(
            hash=self._hasher.name(b"".join(trace.wire)),
            canonical_hash=self._hasher.name(*self._in_canonical_order(trace)),
            family=family,
            segments=len(segments),
            key_id=self._hasher.key_id,
            similarity=None if closest is None else round(trace.weights[position] / weight, 4) if weight else 1.0,
            chain=self._chain_ids(trace, written),
        )
        breakers = (
            last.breakers
            if last is not None and same >= prompt.head
            else tuple(as_breaker(value.span) for fp in prints[: prompt.head] for value in fp.values)[:_MOST_BREAKERS]
        )
        self._turns.keep(name, Turn(keys, prints, trace, weights, breakers))
        return Finding(prompt=report, verdict=verdict, breakers=breakers, seen=seen)

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

    def _prints(
        self, segments: Sequence[Segment], keys: Sequence[int], same: int, last: Turn | None
    ) -> list[Fingerprint]:
        """The fingerprints of the segments, of which the first `same` are those of the last turn."""
        self._fingerprints.begin()
        known = last.prints[:same] if last is not None else []
        self._fingerprints.touch(known)
        named = self._fingerprints.named
        return known + [named(key, segment) for key, segment in zip(keys[same:], segments[same:], strict=True)]

    def _trace(
        self,
        call: Observation,
        rule: CacheRule | None,
        place: _Place,
        prints: list[Fingerprint],
        fit: Fit,
        same: int,
        last: Turn | None,
    ) -> Trace:
        prompt = call.prompt
        tools = 0
        while tools < len(prompt.segments) and prompt.segments[tools].kind == "tool":
            tools += 1
        before = last.trace if last is not None and same >= prompt.head else None
        weighed = same + 1 if last is not None and last.weights == fit.weights else 0
        weights = last.trace.weights[:weighed] if last is not None and weighed else array("f", [0.0])
        for fp in prints[len(weights) - 1 :]:
            weights.append(weights[-1] + fit.estimate(fp.columns))
        columns = last.trace.columns[: (same + 1) * _WIDTH] if last is not None else array("f", bytes(4 * _WIDTH))
        for fp in prints[len(columns) // _WIDTH - 1 :]:
            columns.extend(map(add, columns[-_WIDTH:], fp.columns))
        known = last.trace if last is not None and same else None
        fresh = prints[same:] if known is not None else prints
        wire = [*(known.wire[:same] if known is not None else ()), *(fp.wire for fp in fresh)]
        canonical = [*(known.canonical[:same] if known is not None else ()), *(fp.canonical for fp in fresh)]
        params = {
            kind: self._hasher.digest(param.value.encode("utf-8", "surrogatepass"))[:8]
            for kind, param in prompt.params.items()
        }
        if before is not None:
            names = before.names
            canonical_chain = self._chain([*before.canonical_chain[:same]], b"", canonical[same:])
        else:
            segments = prompt.segments
            names = [self._hasher.digest(s.name.encode("utf-8", "surrogatepass"))[:8] for s in segments[:tools]]
            by_name = sorted(range(tools), key=lambda i: (segments[i].name, canonical[i]))
            canonical_chain = self._chain([], b"", [*(canonical[i] for i in by_name), *canonical[tools:]])
        if before is not None and before.params == params:
            chain = self._chain([*before.chain[:same]], place.seed, wire[same:])
        else:
            chain = self._chain([], place.seed, self._joined(prompt, tools, params, rule, wire))
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

    def _chain(self, ids: list[bytes], seed: bytes, digests: Sequence[bytes]) -> list[bytes]:
        """The ids of a chain, which goes on behind `ids`."""
        last = ids[-1] if ids else seed
        for digest in digests:
            last = self._link(last + digest)
            ids.append(last)
        return ids

    def _link(self, joined: bytes) -> bytes:
        """The keyed hash of a link of a chain, remembered: a conversation has the same ones on every turn."""
        link = self._links.get(joined)
        if link is None:
            if len(self._links) >= _MOST_LINKS:
                self._links.clear()
            link = self._links[joined] = self._hasher.digest(joined)
        return link

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
        prints: list[Fingerprint],
        family: str,
        read_at: int,
        fit: Fit,
        written: list[Boundary],
    ) -> None:
        """Add the call to the index, and what it left in the provider's cache."""
        usage = call.usage
        if usage is not None and usage.input_tokens and call.prompt.counted:
            trace.anchors[len(trace)] = usage.input_tokens
        if rule is not None and rule.match == "boundary":
            self._remember_boundaries(call, rule, trace, read_at, fit, written)
        if usage is not None and usage.cache_read_tokens:
            self._index.note_read(trace.seed, usage.cache_read_tokens)
        self._index.add(trace, family, landmarks(prints, trace))
        if self._outbox is not None and len(trace) <= MOST_SHARED:
            read = usage.cache_read_tokens if usage is not None else None
            self._outbox.append((trace, family, prints, read or 0))

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


def _learnt(call: Observation, prints: Sequence[Fingerprint]) -> int | None:
    """The tokens of a prompt from which the fit may learn: what an image counts for depends on its size."""
    if call.usage is None or not call.prompt.counted or any(fp.kind == "media" for fp in prints):
        return None
    return call.usage.input_tokens
