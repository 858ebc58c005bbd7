"""The analyzer: from one observed call to what is known of its prompt and the verdict on its cache."""

import threading
from array import array
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import NamedTuple

from llm_observer.analysis.beside import judge_beside
from llm_observer.analysis.boundaries import Boundary, writes
from llm_observer.analysis.compare import Difference, common, shared_canonical
from llm_observer.analysis.diagnostics import reconcile
from llm_observer.analysis.fingerprint import Fingerprinter
from llm_observer.analysis.index import PrefixIndex, Trace
from llm_observer.analysis.kept import parted
from llm_observer.analysis.leaving import leave
from llm_observer.analysis.lineage import landmarks, lineage
from llm_observer.analysis.observed import Finding, Observation
from llm_observer.analysis.peers import Peers
from llm_observer.analysis.rules import CacheRule, CacheRules, shipped_rules
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.tokens import Fits
from llm_observer.analysis.tracer import WIDTH, Known, Tracer
from llm_observer.analysis.turns import Turn, Turns
from llm_observer.analysis.verdict import judge
from llm_observer.privacy import Hasher
from llm_observer.results import PromptReport, Verdict

__all__ = ["Analyzer", "Finding", "Observation", "Sizes"]

_MOST_CHAIN_IDS = 16
_NO_COLUMNS = array("f")


class Sizes(NamedTuple):
    """Bytes held, about: of the index, of fingerprints, and of the last turns."""

    prefixes: int
    fingerprints: int
    turns: int


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
        self._index = index if index is not None else PrefixIndex(max_bytes=max_bytes * 9 // 20)
        self._fingerprints = Fingerprinter(hasher, max_bytes=max_bytes // 4, max_foreign_bytes=max_bytes // 20)
        self._turns = Turns(max_bytes // 10)
        self._fits = Fits()
        self._tracer = Tracer(hasher, self._fingerprints)
        self._peers = Peers(self._index, self._fingerprints, self._lock)
        self.share = self._peers.share
        """From now on keep what other processes are to know of each call, for `tell`."""
        self.tell = self._peers.tell
        """What other processes are to know of the calls since the last time."""
        self.hear = self._peers.hear
        """Remember what another process tells of a call."""

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
            place = self._tracer.place(call.provider, call.model, call.scope)
            fit = self._fits.of(place.fit)
            return judge_beside(call, others, rule, place, fit, self._tracer, self._fingerprints)

    def _explain(self, call: Observation) -> Finding:
        prompt, usage = call.prompt, call.usage
        rule = self._rules.find(call.provider, call.model)
        place = self._tracer.place(call.provider, call.model, call.scope)
        fit = self._fits.of(place.fit)
        weights = fit.weights
        keys = self._fingerprints.keys(prompt.segments)
        name = (place.seed, prompt.head, hash(keys[: prompt.head + 1].tobytes()))
        known = self._known(name, keys, prompt.head)
        traced = self._tracer.trace(call, rule, place, fit, keys, known)
        trace = traced.trace
        written = writes(prompt, rule) if rule is not None and rule.match == "boundary" else []
        family = call.tag or _family(trace)
        report = self._report(trace, family, written, as_sent=prompt.as_sent)
        before = self._answered(prompt.kept, trace)
        verdict, read_at = judge(prompt, trace, rule, self._index, self._fingerprints, usage, fit, before)
        if call.diagnostics:
            differences = self._compared(prompt, trace, rule) if rule is not None else []
            verdict = reconcile(verdict, call.diagnostics, differences)
        if self._fingerprints.skipped:
            verdict = replace(verdict, skipped=("volatile_values",))
        seen = self._index.seen(family)
        leave(call, rule, trace, written, read_at, fit, self._index)
        found_by = landmarks(trace, traced.edges) + [self._kept(name) for name in (call.answer, prompt.kept) if name]
        if known is None:
            self._index.add(trace, family, found_by)
        else:
            self._index.add(trace, family, found_by, known.trace, known.same)
        self._peers.note(trace, family, found_by, usage.cache_read_tokens or 0 if usage is not None else 0)
        # What an image counts for depends on its size, so that its count would teach nothing.
        if usage is not None and usage.input_tokens is not None and prompt.counted and traced.media is None:
            head = (place.seed, prompt.head, hash(keys[: prompt.head].tobytes()))
            fit.observe(
                trace.columns[-WIDTH:],
                usage.input_tokens,
                weight=trace.weights[-1],
                shared=trace.weights[known.same if known is not None else prompt.head],
                names=(name, head) if prompt.head else (name,),
            )
        self._turns.keep(
            name, Turn(keys, trace.number, trace.columns, weights, traced.breakers, traced.edges, traced.media)
        )
        trace.columns = _NO_COLUMNS
        return Finding(prompt=report, verdict=verdict, breakers=traced.breakers, seen=seen)

    def _kept(self, name: str) -> bytes:
        """By which a call is found by its response's id, and the last of a conversation by its name."""
        return self._hasher.digest(b"kept", name.encode("utf-8", "surrogatepass"))

    def _answered(self, name: str | None, trace: Trace) -> Trace | None:
        """The earlier call whose response has this id, or the last of the conversation of this name."""
        found = self._index.holding(self._kept(name)) if name is not None else None
        return found if found is not None and found.owner == trace.owner and found.at < trace.at else None

    def _compared(self, prompt: Prompt, trace: Trace, rule: CacheRule) -> list[Difference]:
        """How a call differs from the one with which its provider compares it, or else from the last of its prompt."""
        other = self._answered(prompt.compared, trace)
        if other is None:
            _, then = self._index.deepest(trace.canonical_chain, trace.seed, trace.at)
            shared = shared_canonical(trace, then) if then is not None else 0
            system = trace.canonical[trace.tools : trace.head]
            known = lineage(trace, then, shared, self._index, self._fingerprints) if system else []
            other = next((old for old in known if old.canonical[old.tools : old.head] == system), None)
        return parted(prompt, trace, other, rule, self._fingerprints) if other is not None else []

    def _known(self, name: Hashable, keys: "array[int]", head: int) -> Known | None:
        """The last turn of a conversation and what it has in common with this one, whose head is the same."""
        turn = self._turns.last(name)
        trace = self._index.trace(turn.number) if turn is not None else None
        if turn is None or trace is None:
            return None
        same = common(keys, turn.keys)
        return Known(turn, trace, same) if same >= head else None

    def _report(self, trace: Trace, family: str, written: Sequence[Boundary], *, as_sent: bool) -> PromptReport:
        """What is said of a prompt. `written` are the boundaries of its request, `as_sent` whether that is known."""
        position, closest = self._index.deepest(trace.canonical_chain, trace.owner)
        weight = trace.weights[-1]
        return PromptReport(
            hash=self._hasher.name(b"".join(trace.wire)) if as_sent else None,
            canonical_hash=self._hasher.name(*trace.canonical_chain[-1:]),
            family=family,
            segments=len(trace),
            key_id=self._hasher.key_id,
            similarity=None if closest is None else round(trace.weights[position] / weight, 4) if weight else 1.0,
            chain=_chain_ids(trace, written) if as_sent else (),
        )


def _family(trace: Trace) -> str:
    """Id of the canonical head; of a prompt without one, of its first message."""
    position = trace.head or min(1, len(trace))
    return trace.canonical_chain[position - 1][:8].hex() if position else "empty"


def _chain_ids(trace: Trace, written: Sequence[Boundary]) -> tuple[str, ...]:
    positions = {trace.tools, trace.head, len(trace), *(position for position, _ in written)}
    return tuple(
        f"{position}:{trace.canonical_chain[position - 1][:8].hex()}:{trace.chain[position - 1][:8].hex()}"
        for position in sorted(positions)[-_MOST_CHAIN_IDS:]
        if position
    )
