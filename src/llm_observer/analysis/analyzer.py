"""The analyzer: from one observed call to what is known of its prompt and the verdict on its cache."""

import threading
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from llm_observer.analysis.boundaries import writes
from llm_observer.analysis.breakers import as_breaker
from llm_observer.analysis.diagnostics import reconcile
from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import Entry, PrefixIndex, Trace
from llm_observer.analysis.lineage import landmarks
from llm_observer.analysis.rules import CacheRule, rule_for
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.tokens import Fit, Fits, Positions
from llm_observer.analysis.verdict import judge
from llm_observer.privacy import Hasher
from llm_observer.results import Breaker, PromptReport, Verdict
from llm_observer.usage import Usage

__all__ = ["Analyzer", "Finding", "Observation"]

_MOST_CHAIN_IDS = 16
_MOST_BREAKERS = 32
_MOST_LINKS = 25_000

MEDIA_TOKENS = 1000.0
"""What an image or a file is taken for: providers count some 85 to 1,600 tokens by its size, which is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One finished call, as the analysis needs it. Times are Unix seconds.

    Attributes:
        at: Start of the request.
        ready_at: When its response began, as far as that is known.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the analysis found out. `seen` is how many calls of the family came before."""

    prompt: PromptReport
    verdict: Verdict
    breakers: tuple[Breaker, ...]
    seen: int


class Analyzer:
    """Explains calls one after another; each is compared with those before it. Safe in threads.

    What it remembers is bounded, with the defaults to about 40 MB in all: half of it is the index.
    """

    def __init__(self, hasher: Hasher, *, index: PrefixIndex | None = None) -> None:
        self._hasher = hasher
        self._lock = threading.Lock()
        self._fingerprints = Fingerprinter(hasher)
        self._fits = Fits()
        self._links: dict[bytes, bytes] = {}
        self._index = index if index is not None else PrefixIndex()

    def explain(self, call: Observation) -> Finding:
        """The finding on a finished call, which is then remembered."""
        with self._lock:
            return self._explain(call)

    def _explain(self, call: Observation) -> Finding:
        prompt = call.prompt
        rule = rule_for(call.provider, call.model)
        self._fingerprints.begin()
        prints = [self._fingerprints.of(segment) for segment in prompt.segments]
        fit = self._fits.of(
            self._hasher.digest(call.provider.encode(), b"\0", (call.model or "").encode("utf-8", "replace"))
        )
        trace = self._trace(call, rule, prints, fit)
        family = call.tag or self._family(call, trace)
        position, closest = self._index.deepest(trace.canonical_chain, trace.owner)
        judged, read_at = judge(prompt, trace, rule, self._index, self._fingerprints, call.usage, fit)
        verdict = reconcile(judged, call.diagnostics)
        if self._fingerprints.skipped:
            verdict = replace(verdict, skipped=("volatile_values",))
        seen = self._index.seen(family)
        self._remember(call, rule, trace, prints, family, read_at, fit)
        weight = trace.weights[-1]
        report = PromptReport(
            hash=self._hasher.name(*trace.wire),
            canonical_hash=self._hasher.name(*self._in_canonical_order(trace)),
            family=family,
            segments=len(prompt.segments),
            key_id=self._hasher.key_id,
            similarity=None if closest is None else round(trace.weights[position] / weight, 4) if weight else 1.0,
            chain=self._chain_ids(trace, rule, prompt),
        )
        breakers = tuple(as_breaker(value.span) for fp in prints[: prompt.head] for value in fp.values)[:_MOST_BREAKERS]
        return Finding(prompt=report, verdict=verdict, breakers=breakers, seen=seen)

    def _trace(self, call: Observation, rule: CacheRule | None, prints: list[Fingerprint], fit: Fit) -> Trace:
        prompt = call.prompt
        tools = 0
        while tools < len(prompt.segments) and prompt.segments[tools].kind == "tool":
            tools += 1
        weights = array("f", [0.0])
        for fp in prints:
            weights.append(weights[-1] + weight_of(fp, fit))
        wire, canonical = [fp.wire for fp in prints], [fp.canonical for fp in prints]
        params = {
            kind: self._hasher.digest(param.value.encode("utf-8", "surrogatepass"))[:8]
            for kind, param in prompt.params.items()
        }
        owner = self._hasher.digest(call.provider.encode(), b"\0", call.scope.encode("utf-8", "surrogatepass"))
        seed = self._hasher.digest(owner, (call.model or "").encode("utf-8", "surrogatepass"))
        by_name = sorted(range(tools), key=lambda i: (prompt.segments[i].name, canonical[i]))
        return Trace(
            at=call.at,
            ready_at=call.ready_at,
            model=call.model,
            owner=owner,
            seed=seed,
            params=params,
            wire=wire,
            canonical=canonical,
            chain=self._wire_chain(seed, prompt, tools, params, rule, wire),
            canonical_chain=self._chain(b"", [*(canonical[i] for i in by_name), *canonical[tools:]]),
            tools=tools,
            head=prompt.head,
            names=[self._hasher.digest(s.name.encode("utf-8", "surrogatepass"))[:8] for s in prompt.segments[:tools]],
            weights=weights,
        )

    def _chain(self, seed: bytes, digests: list[bytes]) -> list[bytes]:
        ids: list[bytes] = []
        last = seed
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

    def _wire_chain(
        self,
        seed: bytes,
        prompt: Prompt,
        tools: int,
        params: Mapping[str, bytes],
        rule: CacheRule | None,
        wire: list[bytes],
    ) -> list[bytes]:
        """The chain of what was sent; a parameter joins it where, by the rule, it begins to matter."""

        def of_tier(tier: str) -> bytes:
            tiers: Mapping[str, str] = rule.params if rule is not None else {}
            return b"".join(kind.encode() + params[kind] for kind in sorted(params) if tiers.get(kind) == tier)

        starts = {0: of_tier("all"), tools: of_tier("system"), prompt.head: of_tier("messages")}
        ids: list[bytes] = []
        last = seed
        for position, digest in enumerate(wire):
            joining = starts.get(position, b"")
            if position == 0 and tools == 0:
                joining = of_tier("all") + of_tier("system") + (of_tier("messages") if prompt.head == 0 else b"")
            elif position == tools == prompt.head:
                joining = of_tier("system") + of_tier("messages")
            last = self._link(last + joining + digest)
            ids.append(last)
        return ids

    def _family(self, call: Observation, trace: Trace) -> str:
        """Id of the canonical head; of a prompt without one, of its first message."""
        position = call.prompt.head or min(1, len(trace))
        return trace.canonical_chain[position - 1][:8].hex() if position else "empty"

    @staticmethod
    def _in_canonical_order(trace: Trace) -> list[bytes]:
        return [trace.canonical_chain[-1]] if trace.canonical_chain else []

    def _chain_ids(self, trace: Trace, rule: CacheRule | None, prompt: Prompt) -> tuple[str, ...]:
        positions = {trace.tools, trace.head, len(trace)}
        if rule is not None and rule.match == "boundary":
            positions.update(position for position, _ in writes(prompt, rule))
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
    ) -> None:
        """Add the call to the index, and what it left in the provider's cache."""
        usage = call.usage
        if usage is not None and usage.input_tokens:
            trace.anchors[len(trace)] = usage.input_tokens
            if not any(fp.kind == "media" for fp in prints):
                fit.observe(
                    [sum(column) for column in zip(*(fp.counts for fp in prints), strict=True)], usage.input_tokens
                )
        if rule is not None and rule.match == "boundary":
            self._remember_boundaries(call, rule, trace, read_at, fit)
        self._index.add(trace, family, landmarks(prints, trace))

    def _remember_boundaries(self, call: Observation, rule: CacheRule, trace: Trace, read_at: int, fit: Fit) -> None:
        usage = call.usage
        read = usage.cache_read_tokens if usage is not None else None
        written = usage.cache_write_tokens if usage is not None else None
        if not read and not written:
            # Nothing was read or written: no boundary of this request is in the cache.
            return
        boundaries = writes(call.prompt, rule)
        if boundaries and read is not None and written is not None:
            trace.anchors[boundaries[-1][0]] = read + written
        positions = Positions(trace.weights, trace.anchors, fit)
        cached: list[int] = []
        if read and read_at and (entry := self._index.entry(trace.chain[read_at - 1])) is not None:
            # A read renews the entry. Its size is what was read: exact.
            trace.anchors[read_at] = read
            self._index.keep(trace.chain[read_at - 1], Entry(call.at, entry.ready_at, entry.lifetime, read))
            cached.append(read_at)
        for position, ttl in boundaries:
            tokens, error = positions.at(position)
            if rule.min_tokens is not None and tokens * (1 + error) < rule.min_tokens:
                continue
            _, lifetime = rule.lifetime(ttl)
            known = self._index.entry(trace.chain[position - 1])
            ready = min(known.ready_at, call.ready_at) if known is not None else call.ready_at
            exact = trace.anchors.get(position, known.tokens if known is not None else None)
            self._index.keep(trace.chain[position - 1], Entry(call.at, ready, lifetime, exact))
            cached.append(position)
        trace.cached = tuple(cached)


def weight_of(fp: Fingerprint, fit: Fit) -> float:
    """The estimated tokens of a segment."""
    return MEDIA_TOKENS if fp.kind == "media" else fit.weight(fp.wire, fp.counts)
