"""The verdict on one call: what its cache could have served, what it served, and what stands between.

The call is compared with the earlier one that shares most with it, in worlds that differ from what was sent in one
thing each: the parameters as before, the noise evened out, a boundary where the shared part ends, an entry still alive.
A world in which more could have been read names a cause; usage has the last word on whether anything was lost.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from llm_observer.analysis.boundaries import Boundary, dropped, lookups, markers, writes
from llm_observer.analysis.causes import CHOICES, hint, in_order
from llm_observer.analysis.compare import Difference, common, noise, shared_canonical, tool_changes
from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import PrefixIndex, Trace
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.structure import rearranged
from llm_observer.analysis.tokens import Fit, Positions
from llm_observer.results import Outcome, Verdict
from llm_observer.usage import Usage

__all__ = ["Judge", "Read", "landmarks"]

_LEAST_LOSS = 64
"""Tokens below which a difference is rounding and not a loss."""

_PARAM_CAUSES = {
    "cache_key": "cache_key_changed",
    "service_tier": "service_tier_changed",
    "tool_choice": "tool_choice_changed",
    "thinking": "thinking_changed",
    "effort": "effort_changed",
    "speed": "speed_changed",
    "text_format": "text_format_changed",
    "verbosity": "verbosity_changed",
    "parallel_tool_calls": "input_changed",
    "media": "image_changed",
}
_EXACT = 0.03
"""A bound up to which a count is known rather than estimated: a volatile value more or less."""
_UNCACHEABLE = frozenset({"no_breakpoint", "below_minimum"})


_MOST_LANDMARKS = 6
_MOST_LINEAGE = 3


def landmarks(prints: Iterable[Fingerprint], trace: Trace) -> list[bytes]:
    """What a call is found by later: its segments behind the tools, and how its texts begin and end."""
    rest = list(prints)[trace.tools :]
    return [*(fp.canonical for fp in rest), *edges(rest)]


def edges(prints: Iterable[Fingerprint]) -> list[bytes]:
    """Marks of the first and the last line of system texts that have several."""
    found: list[bytes] = []
    for fp in prints:
        if fp.kind == "system" and len(fp.sketch) > 1:
            found += (b"first:%d" % fp.sketch[0], b"last:%d" % fp.sketch[-1])
    return found


class Read(NamedTuple):
    """A prefix that can be read: its position, its tokens, and the relative bound on their error."""

    position: int
    tokens: int
    error: float


_NOTHING = Read(0, 0, 0.0)


def _agree(read: Read, reported: int) -> bool:
    """Whether a reported count may be that of a prefix, by the bound on its error."""
    return abs(read.tokens - reported) <= max(_LEAST_LOSS, read.error * read.tokens)


class Judge:
    """Judges one call. Reads the index and changes nothing in it.

    Attributes:
        sent: What could be read of the request as it was sent.
    """

    def __init__(
        self,
        prompt: Prompt,
        now: Trace,
        rule: CacheRule | None,
        index: PrefixIndex,
        fingerprints: Fingerprinter,
        usage: Usage | None,
        fit: Fit,
    ) -> None:
        self._prompt = prompt
        self._now = now
        self._index = index
        self._fingerprints = fingerprints
        self._usage = usage
        self._fit = fit
        self._rule = rule
        self.sent = _NOTHING
        self._blocked: Difference | None = None
        self._lookups: list[int] = []
        self._writes: list[Boundary] = []
        self._shares: dict[int, int] = {}
        self._found: list[Difference] = []
        self._best = _NOTHING

    def verdict(self) -> Verdict:
        """The verdict. Without a reported read there is none: not reported is not zero."""
        usage, rule = self._usage, self._rule
        reported = usage.cache_read_tokens if usage is not None else None
        if reported is None or not self._prompt.segments:
            return Verdict(outcome="not_reported")
        if rule is None:
            return Verdict(outcome="hit" if reported else "cold", reported_tokens=reported, confirmed_by=("usage",))
        boundary = rule.match == "boundary"
        self._lookups = lookups(self._prompt, rule) if boundary else []
        self._writes = writes(self._prompt, rule) if boundary else []
        _, then = self._index.deepest(self._now.canonical_chain, self._now.seed)
        anchors = self._anchors(rule, then)
        self._positions = Positions(self._now.weights, anchors, self._fit)
        self.sent = self._as_sent(rule)
        if rule.match == "boundary" and reported and _agree(self.sent, reported):
            # What was read is a prefix that is known, so its size is known too, and better than by weight.
            self._positions = Positions(self._now.weights, {**anchors, self.sent.position: reported}, self._fit)
            self.sent = Read(self.sent.position, reported, 0.0)
        self._best = self.sent
        _, elsewhere = self._index.deepest(self._now.canonical_chain, self._now.owner)
        self._judge_scope(rule, then, elsewhere)
        if then is not None:
            self._judge_content(rule, then)
        if then is None or self._shared(then) < min(len(then), len(self._now)):
            self._judge_structure(rule, then)
        if then is not None:
            self._judge_placement(rule, then)
        if self._blocked is not None and not self._found:
            self._found.append(self._blocked)
        return self._conclude(rule, reported)

    # -- what was sent -------------------------------------------------------------------------------------------

    def _anchors(self, rule: CacheRule, then: Trace | None) -> dict[int, int]:
        """Exact token counts at positions of this prompt: of earlier calls, and of this call's own usage."""
        anchors: dict[int, int] = {}
        if then is not None:
            same = common(self._now.wire, then.wire)
            anchors = {position: tokens for position, tokens in then.anchors.items() if position <= same}
        for position in self._lookups:
            entry = self._index.entry(self._now.chain[position - 1])
            if entry is not None and entry.tokens is not None:
                anchors[position] = entry.tokens
        usage = self._usage
        if usage is None:
            return anchors
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        if rule.match == "boundary" and read is not None and written and self._writes:
            anchors[self._writes[-1][0]] = read + written
        if usage.input_tokens:
            anchors[len(self._now)] = usage.input_tokens
        return anchors

    def _shared(self, then: Trace) -> int:
        """How many leading segments an earlier call shares canonically."""
        known = self._shares.get(id(then))
        if known is None:
            known = self._shares[id(then)] = shared_canonical(self._now, then)
        return known

    def _tokens(self, position: int, extra: float = 0.0) -> Read:
        tokens, error = self._positions.at(position, extra)
        return Read(position, tokens, error)

    def _as_sent(self, rule: CacheRule) -> Read:
        if rule.match == "interval":
            return self._interval_as_sent(rule)
        now = self._now
        for position in self._lookups:
            entry = self._index.entry(now.chain[position - 1])
            if entry is None:
                continue
            path = self._prompt.segments[position - 1].path
            if entry.ready_at > now.at:
                self._blocked = self._blocked or Difference("concurrent_cold_start", path, None, position)
            elif entry.lifetime is not None and now.at - entry.used_at > entry.lifetime:
                self._blocked = self._blocked or Difference("ttl_expired", path, None, position)
            else:
                return self._tokens(position)
        return _NOTHING

    def _interval_as_sent(self, rule: CacheRule) -> Read:
        now = self._now
        position, then = self._index.deepest(now.chain)
        if then is None:
            return _NOTHING
        read = self._on_grid(rule, position, then)
        path = self._prompt.segments[position - 1].path
        if then.ready_at > now.at:
            self._blocked = Difference("concurrent_cold_start", path, None, position)
            return _NOTHING
        if rule.ttl_sure_s is not None and now.at - then.at > rule.ttl_sure_s:
            # It may have lived on: only a read that did not come says that it did not.
            self._blocked = Difference("ttl_expired", path, None, position)
            return _NOTHING
        return read

    def _on_grid(self, rule: CacheRule, position: int, then: Trace) -> Read:
        """The prefix that an earlier prompt shares, into the segment where they part, rounded as the provider does."""
        extra = 0.0
        if position < len(self._now) and position < len(then):
            a = self._fingerprints.known(self._now.wire[position])
            b = self._fingerprints.known(then.wire[position])
            if a is not None and b is not None and len(a.sketch):
                extra = (
                    (self._now.weights[position + 1] - self._now.weights[position])
                    * common(a.sketch, b.sketch)
                    / len(a.sketch)
                )
        read = self._tokens(position, extra)
        tokens = read.tokens
        if rule.grid:
            tokens -= tokens % rule.grid
        if rule.report_grid:
            tokens -= tokens % rule.report_grid
        if rule.min_tokens is not None and read.tokens < rule.min_tokens:
            return _NOTHING
        return Read(position, tokens, read.error)

    # -- what could have been ------------------------------------------------------------------------------------

    def _judge_scope(self, rule: CacheRule, then: Trace | None, elsewhere: Trace | None) -> None:
        """The same prompt under another model, key, tier or parameter."""
        here = self._readable(rule, then) if then is not None else _NOTHING
        known = self._shared(then) if then is not None else 0
        if elsewhere is not None and self._shared(elsewhere) > known:
            there = self._readable(rule, elsewhere)
            if there.tokens > max(here.tokens, self.sent.tokens) + _LEAST_LOSS:
                self._note(there, [Difference("model_changed", "model", None, 0)])
        if then is None or here.tokens <= self.sent.tokens:
            return
        names = {kind: param.name for kind, param in self._prompt.params.items()}
        starts = {"all": 0, "system": self._now.tools, "messages": self._now.head}
        changed = [
            Difference(_PARAM_CAUSES[kind], names.get(kind, kind), None, starts[tier])
            for kind, tier in rule.params.items()
            if self._now.params.get(kind) != then.params.get(kind) and here.position > starts[tier]
        ]
        if changed:
            self._note(here, changed)

    def _judge_content(self, rule: CacheRule, then: Trace) -> None:
        """Noise ahead of what the two prompts share canonically."""
        shared = self._shared(then)
        there = self._readable(rule, then)
        if there.tokens <= self.sent.tokens and rule.match == "interval":
            return
        differences = noise(self._prompt, self._now, then, shared, self._fingerprints)
        if rule.match == "boundary" and there.tokens <= self.sent.tokens:
            # No boundary to read behind the noise; with one, the noise would still be in the way.
            end = self._tokens(shared)
            if not self._uncached(rule) or end.tokens <= self.sent.tokens + _LEAST_LOSS:
                return
            there = end
        reached = [d for d in differences if d.position < there.position]
        if reached:
            self._note(there, reached)

    def _readable(self, rule: CacheRule, then: Trace) -> Read:
        """What could be read of an earlier call's prefix if all that the two share canonically were byte-equal."""
        shared = self._shared(then)
        if not shared:
            return _NOTHING
        if rule.match == "interval":
            return self._on_grid(rule, shared, then)
        for position in sorted(then.cached, reverse=True):
            if position <= shared and position in self._lookups and self._alive(then, position):
                exact = then.anchors.get(position)
                return Read(position, exact, 0.02) if exact is not None else self._tokens(position)
        return _NOTHING

    def _alive(self, then: Trace, position: int) -> bool:
        """Whether what an earlier call left at a position could still be read when this one started."""
        entry = self._index.entry(then.chain[position - 1])
        if entry is None or entry.ready_at > self._now.at:
            return False
        return entry.lifetime is None or self._now.at - entry.used_at <= entry.lifetime

    def _judge_structure(self, rule: CacheRule, then: Trace | None) -> None:
        """Content added, removed or rearranged ahead of content that an earlier call had too."""
        best: tuple[Read, list[Difference]] | None = None
        for other in self._lineage(then):
            shared = self._shared(other)
            found = self._changes(other, shared)
            if found is None:
                continue
            differences, end = found
            if differences[0].cause == "compaction" and self._readable_behind(rule, other, shared):
                # What the summary replaced is gone: had it been there before, it would have been read.
                there = self._tokens(end)
            else:
                there = self._reachable(rule, other, shared, end)
            if there.tokens > self.sent.tokens + _LEAST_LOSS and (best is None or there.tokens > best[0].tokens):
                best = there, differences
        if best is not None:
            self._note(*best)

    def _changes(self, other: Trace, shared: int) -> tuple[list[Difference], int] | None:
        """How this prompt parts from an earlier one, and up to where it would be known without that."""
        now = self._now
        if shared < now.tools or shared < other.tools:
            changes = tool_changes(self._prompt, now, other)
            same = common(now.canonical[now.tools :], other.canonical[other.tools :])
            return (changes, now.tools + same) if changes and same else None
        found = rearranged(self._prompt, now, other, shared, self._fingerprints)
        return None if found is None else ([found.difference], found.end)

    def _lineage(self, then: Trace | None) -> list[Trace]:
        """Earlier calls that this one may have come from: they have much in common with it, wherever it stands."""
        now = self._now
        shared = self._shared(then) if then is not None else 0
        behind = [*now.canonical[max(shared, now.tools) :]]
        prints = [fp for wire in now.wire[shared:] if (fp := self._fingerprints.known(wire)) is not None]
        marks = [*behind[:_MOST_LANDMARKS], *behind[-_MOST_LANDMARKS:], *edges(prints[:_MOST_LANDMARKS])]
        found = {id(then): then} if then is not None else {}
        for mark in marks:
            other = self._index.holding(mark)
            if other is not None and other.seed == now.seed:
                found[id(other)] = other
        own = Counter(now.canonical)
        return sorted(found.values(), key=lambda other: -(own & Counter(other.canonical)).total())[:_MOST_LINEAGE]

    def _readable_behind(self, rule: CacheRule, other: Trace, shared: int) -> bool:
        """Whether an earlier call left more in the cache than the first `shared` segments."""
        if rule.match == "interval":
            return rule.ttl_sure_s is None or self._now.at - other.at <= rule.ttl_sure_s
        return any(position > shared and self._alive(other, position) for position in other.cached)

    def _reachable(self, rule: CacheRule, other: Trace, shared: int, end: int) -> Read:
        """What could be read up to `end`, had the earlier call's content stood where it was."""
        now = self._now
        if rule.match == "interval":
            read = self._tokens(end)
            if rule.min_tokens is None or read.tokens < rule.min_tokens:
                return _NOTHING
            return read._replace(tokens=read.tokens - read.tokens % (rule.report_grid or 1))
        moved = {canonical: position for position, canonical in enumerate(now.canonical[:end], 1)}
        for position in sorted(other.cached, reverse=True):
            if not self._alive(other, position):
                continue
            if position <= shared:
                here: int | None = position
            elif position == shared + 1:
                # The changed segment itself ends at the boundary.
                here = position if position <= end else None
            else:
                here = moved.get(other.canonical[position - 1])
            if here is not None and any(here <= looked for looked in self._lookups):
                read = self._tokens(here)
                exact = other.anchors.get(position)
                return read._replace(tokens=min(read.tokens, exact)) if exact is not None else read
        return _NOTHING

    def _within_lifetime(self, rule: CacheRule, then: Trace) -> bool:
        """Whether what the earlier call could have written would still be there, by the lifetime that is asked for."""
        _, seconds = rule.lifetime(self._prompt.automatic)
        return seconds is None or self._now.at - then.at <= seconds

    def _uncached(self, rule: CacheRule) -> bool:
        """Whether the request has no boundary at all where the provider wants one."""
        return rule.match == "boundary" and not self._writes

    def _judge_placement(self, rule: CacheRule, then: Trace) -> None:
        """The shared part is long, and no boundary at its end was written and looked up."""
        now, prompt = self._now, self._prompt
        shared = self._shared(then)
        repeated = shared == len(now) == len(then)
        if repeated and prompt.head and rule.match == "boundary" and not self._uncached(rule):
            # A retry or a duplicate says nothing about where the part that stays the same ends.
            return
        if repeated and self._tokens(prompt.head).tokens >= (rule.min_tokens or 0):
            shared = prompt.head or shared
        end = self._tokens(shared)
        minimum = rule.min_tokens
        if minimum is None or not self._within_lifetime(rule, then):
            return
        path = prompt.segments[shared - 1].path if shared else ""
        if end.tokens * (1 + end.error) < minimum:
            self._judge_minimum(shared, path)
            return
        if rule.match == "interval":
            return
        if self._uncached(rule):
            if end.tokens >= minimum:
                self._note(end, [Difference("no_breakpoint", path, None, shared)])
            return
        # A boundary that is there and could not be read in time is not missing.
        blocked = self._tokens(self._blocked.position).tokens if self._blocked is not None else 0
        if end.tokens - max(self._best.tokens, self.sent.tokens, blocked) < minimum:
            return
        lost = [position for position, _ in dropped(prompt, rule) if self.sent.position < position <= shared]
        unseen = [position for position in then.cached if position <= shared and position not in self._lookups]
        exact = common(now.wire, then.wire)
        behind = [position for position, _ in markers(prompt) if position > shared]
        if lost:
            self._note(end, [Difference("too_many_breakpoints", prompt.segments[lost[0] - 1].path, None, lost[0])])
        elif unseen and max(unseen) <= exact and self._tokens(max(unseen)).tokens >= minimum:
            there = self._tokens(max(unseen))
            where = prompt.segments[there.position - 1].path
            self._note(there, [Difference("lookback_exceeded", where, None, there.position)])
        elif behind or (prompt.automatic is not None and not rule.implicit):
            where = prompt.segments[(behind[0] if behind else len(now)) - 1].path
            self._note(end, [Difference("breakpoint_after_volatile", where, None, shared)])
        else:
            self._note(end, [Difference("boundary_missing", path, None, shared)])

    def _judge_minimum(self, shared: int, path: str) -> None:
        usage = self._usage
        quiet = usage is not None and not usage.cache_read_tokens and not usage.cache_write_tokens
        if quiet and shared and shared >= self._prompt.head:
            self._found.append(Difference("below_minimum", path, None, shared))

    def _note(self, there: Read, differences: list[Difference]) -> None:
        """Differences that stand between this call and a larger read."""
        self._found += differences
        if there.tokens > self._best.tokens:
            self._best = there

    # -- the conclusion ------------------------------------------------------------------------------------------

    def _conclude(self, rule: CacheRule, reported: int) -> Verdict:
        best = self._best
        if self._blocked is not None and self._found == [self._blocked]:
            best = self._tokens(self._blocked.position)
            if rule.match == "interval" and rule.report_grid:
                best = best._replace(tokens=best.tokens - best.tokens % rule.report_grid)
        tolerance = max(_LEAST_LOSS, best.error * best.tokens, 2 * (rule.report_grid or 0) if rule.grid else 0)
        lost = best.tokens - reported > tolerance and best.tokens >= (rule.min_tokens or 1)
        causes = in_order(difference.cause for difference in self._found)
        if not lost:
            return self._unbroken(rule, reported, causes)
        if not causes:
            causes = ("evicted_or_rerouted",)
            where = self._prompt.segments[best.position - 1].path if best.position else None
            self._found.append(Difference("evicted_or_rerouted", where or "", None, best.position))
        cause = causes[0]
        first = min((d for d in self._found if d.cause == cause), key=lambda d: d.position)
        counterfactual = cause not in {"evicted_or_rerouted", "ttl_expired", "concurrent_cold_start"}
        outcome: Outcome = "partial" if reported else "uncacheable" if cause in _UNCACHEABLE else "miss"
        return Verdict(
            outcome=outcome,
            broke=True,
            avoidable=self._avoidable(rule, cause),
            cause=cause,
            causes=causes,
            location=first.location or None,
            offset=first.offset,
            expected_tokens=best.tokens,
            reported_tokens=reported,
            missed_tokens=best.tokens - reported,
            tokens_method=self._method(best),
            tokens_error=round(best.error, 4),
            confidence=self._confidence(rule, cause, best),
            confirmed_by=("usage", "counterfactual") if counterfactual else ("usage",),
            hint=hint(cause),
        )

    def _method(self, read: Read) -> str:
        """How the tokens of a read were come by."""
        if read.error < _EXACT:
            return "anchored"
        return "fitted" if self._fit.warm else "weights"

    def _unbroken(self, rule: CacheRule, reported: int, causes: tuple[str, ...]) -> Verdict:
        short = "below_minimum" in causes and not reported
        outcome: Outcome = "hit" if reported else "cold"
        if not reported and (short or self._uncacheable(rule)):
            outcome = "uncacheable"
        where = next((d.location for d in self._found if d.cause == "below_minimum"), None) if short else None
        return Verdict(
            outcome=outcome,
            cause="below_minimum" if short else "none",
            causes=("below_minimum",) if short else (),
            location=where,
            expected_tokens=reported,
            reported_tokens=reported,
            missed_tokens=0,
            tokens_method="provider_reported",
            tokens_error=0.0,
            confidence=0.9 if reported else 0.7,
            confirmed_by=("usage",),
            hint=hint("below_minimum") if short else None,
        )

    def _uncacheable(self, rule: CacheRule) -> bool:
        """Whether nothing of this request can be cached as it was sent."""
        usage = self._usage
        whole = usage.input_tokens if usage is not None else None
        if whole is not None and rule.min_tokens is not None and whole < rule.min_tokens:
            return True
        return self._uncached(rule)

    def _avoidable(self, rule: CacheRule, cause: str) -> bool:
        if cause == "ttl_expired":
            position = self._blocked.position if self._blocked is not None else 0
            entry = self._index.entry(self._now.chain[position - 1]) if position else None
            gap = self._now.at - entry.used_at if entry is not None else None
            return gap is not None and gap <= max(rule.ttl_s.values(), default=0)
        return cause not in CHOICES

    def _confidence(self, rule: CacheRule, cause: str, best: Read) -> float:
        if cause == "evicted_or_rerouted":
            return 0.5
        if rule.min_tokens is not None and best.tokens * (1 - best.error) < rule.min_tokens:
            return 0.5
        if cause in {"ttl_expired", "concurrent_cold_start"}:
            return 0.8
        return 0.95 if best.error < 0.05 else 0.9
