"""The verdict on one call: what its cache could have served, what it served, and what stands between.

The call is compared with the earlier one that shares most with it, in worlds that differ from what was sent in one
thing each: the parameters as before, the noise evened out, a boundary where the shared part ends, an entry still alive.
A world in which more could have been read names a cause; usage has the last word on whether anything was lost.
"""

from dataclasses import replace

from llm_observer.analysis.causes import CHOICES, hint, in_order
from llm_observer.analysis.compare import Difference, common, noise, tool_changes
from llm_observer.analysis.fingerprint import Fingerprinter
from llm_observer.analysis.index import PrefixIndex, Trace
from llm_observer.analysis.kept import parted_heads
from llm_observer.analysis.lineage import answered_anew, lineage, turn_between
from llm_observer.analysis.parameters import changed_parameters
from llm_observer.analysis.placement import misplaced
from llm_observer.analysis.reads import LEAST_LOSS, NOTHING, Read, Reads, agree
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.structure import rearranged
from llm_observer.analysis.tokens import Fit
from llm_observer.analysis.unsized import surely_lost
from llm_observer.results import Outcome, Verdict
from llm_observer.usage import Usage

__all__ = ["judge"]

_EXACT = 0.03
"""A bound up to which a count is known rather than estimated: a volatile value more or less."""
_AS_SENT = frozenset({"ttl_expired", "concurrent_cold_start", "evicted_or_rerouted"})
"""Causes that lost what the request asked for as it was sent; the others lost what it could have asked for."""
_OF_THE_WIRE = _AS_SENT | {"json_key_order", "whitespace", "tool_order"}
"""Causes that only the request as it was sent can show, or rule out."""
_UNSIZED = 0.6
"""What is staked on a loss whose size cannot be told: no count bears it out."""
_TOLD = 0.6
"""The most that is staked on a prompt which another told of: whose cache it read, and with what parameters, is open."""


def judge(
    prompt: Prompt,
    now: Trace,
    rule: CacheRule | None,
    index: PrefixIndex,
    fingerprints: Fingerprinter,
    usage: Usage | None,
    fit: Fit,
    before: Trace | None = None,
) -> tuple[Verdict, int]:
    """The verdict on a call, and the position up to which its prompt could be read as it was sent.

    `before` is the call whose conversation, which the provider keeps, this one goes on with. Without a reported read
    there is no verdict: not reported is not zero. Changes nothing in the index.
    """
    reported = usage.cache_read_tokens if usage is not None else None
    if reported is None or not prompt.segments:
        return Verdict(outcome="not_reported"), 0
    if rule is None or rule.match == "object" or not (prompt.as_sent or _tells_itself(rule)):
        outcome: Outcome = "hit" if reported else "cold"
        return Verdict(outcome=outcome, reported_tokens=reported, confirmed_by=("usage",)), 0
    _, then = index.deepest(now.canonical_chain, now.seed, now.at)
    reads = Reads(prompt, now, rule, index, fingerprints, usage, fit, then)
    judged = _Judge(prompt, now, rule, index, fingerprints, usage, fit, reads, then)
    verdict = judged.kept(before, reported) if before is not None else None
    return verdict or judged.verdict(reported), reads.sent.position


def _tells_itself(rule: CacheRule) -> bool:
    """Whether a prompt's content alone decides what is cached: no marker, and no parameter that has to be given."""
    return rule.match == "interval" and rule.needs is None


class _Judge:
    """Judges one call."""

    def __init__(
        self,
        prompt: Prompt,
        now: Trace,
        rule: CacheRule,
        index: PrefixIndex,
        fingerprints: Fingerprinter,
        usage: Usage | None,
        fit: Fit,
        reads: Reads,
        then: Trace | None,
    ) -> None:
        self._prompt = prompt
        self._now = now
        self._rule = rule
        self._index = index
        self._fingerprints = fingerprints
        self._usage = usage
        self._fit = fit
        self._reads = reads
        self._then = then
        self._found: list[Difference] = []
        self._sure: list[Difference] = []
        self._best = reads.sent
        self._tolerance: int | None = None
        """The difference that is certain to be a loss, where counts make it so."""

    def verdict(self, reported: int) -> Verdict:
        """The verdict on a call that read `reported` tokens."""
        then = self._then
        _, elsewhere = self._index.deepest(self._now.canonical_chain, self._now.owner, self._now.at)
        parts = (
            then is None
            or self._reads.shared(then) < min(len(then), len(self._now))
            or turn_between(self._prompt, self._now, then, self._index)
        )
        if then is not None and reported and self._shares_most(then, elsewhere) and self._reads.covers(then, reported):
            # All is read that any earlier call shares from the start on. What one shares elsewhere is left.
            if parts:
                self._judge_structure(then)
            if not self._found:
                return self._unbroken(reported, ())
            self._found, self._sure, self._best = [], [], self._reads.sent
        if not reported and self._is_short():
            # Nothing of it is cached, whatever the difference: what is left to say is that it is short.
            if then is not None:
                self._judge_placement(then)
            return self._unbroken(reported, in_order(difference.cause for difference in self._found))
        self._judge_scope(then, elsewhere)
        if then is not None:
            self._judge_content(then)
        if parts:
            self._judge_structure(then)
        if then is not None:
            self._judge_placement(then)
        if self._reads.blocked is not None and not self._found:
            self._found.append(self._reads.blocked)
        return self._conclude(reported)

    def kept(self, before: Trace, reported: int) -> Verdict | None:
        """The verdict on a call that goes on with a conversation which the provider keeps, otherwise than `before` did.

        All that was in the cache of the earlier call stands in this one's prompt too, though not in its request, and
        the earlier call's usage says how much that was. `None` where nothing parts the two, or the read was not lost.
        """
        steps = 2 * (self._rule.report_grid or 0) if self._rule.grid else 0
        whole = self._usage.input_tokens if self._usage is not None else None
        if before.held - reported <= max(LEAST_LOSS, steps) or whole is None or whole < before.whole:
            # It was read, or it is not all there any more.
            return None
        if self._rule.match == "boundary" and not self._prompt.implicit:
            # Whether it keeps the markers of earlier requests is not documented.
            return None
        sent = self._reads.sent
        if (reported and not (sent.position and agree(sent, reported))) or not self._reads.may_live(before):
            return None
        parted = parted_heads(self._prompt, self._now, before, self._rule, self._fingerprints)
        if not parted:
            return None
        self._then = before
        self._found = parted
        prints = map(self._fingerprints.known, before.wire[before.head :])
        if any(fp is None or fp.kind == "tool_result" for fp in prints):
            # What the model thought between its calls of tools is left out once they are done.
            self._sure = parted
            return None if reported else self._unsized(reported)
        verdict = self._broken(Read(self._now.head, before.held, steps / before.held), reported)
        return replace(verdict, tokens_method="anchored")

    def _shares_most(self, then: Trace, elsewhere: Trace | None) -> bool:
        """Whether no call to another model shares more than `then`."""
        return elsewhere is None or elsewhere is then or self._reads.shared(elsewhere) <= self._reads.shared(then)

    def _is_short(self) -> bool:
        """Whether the whole prompt, by the provider's count, is shorter than what is cached."""
        whole = self._usage.input_tokens if self._usage is not None else None
        return whole is not None and self._rule.min_tokens is not None and whole < self._rule.min_tokens

    def _judge_scope(self, then: Trace | None, elsewhere: Trace | None) -> None:
        """The same prompt under another model, key, tier or parameter."""
        here = self._reads.readable(then) if then is not None else NOTHING
        known = self._reads.shared(then) if then is not None else 0
        if elsewhere is not None and self._reads.shared(elsewhere) > known:
            there = self._reads.readable(elsewhere)
            if there.tokens > max(here.tokens, self._reads.sent.tokens) + LEAST_LOSS:
                self._note(there, [Difference("model_changed", "model", None, 0)], elsewhere)
        if then is None or here.tokens <= self._reads.sent.tokens:
            return
        parted = changed_parameters(self._prompt, self._now, then, self._rule)
        changed = [difference for difference in parted if here.position > difference.position]
        if changed:
            self._note(here, changed, then)

    def _judge_content(self, then: Trace) -> None:
        """Noise ahead of what the two prompts share canonically."""
        shared = self._reads.shared(then)
        there, written = self._reads.readable(then), then
        if there.tokens <= self._reads.sent.tokens and self._rule.match == "interval":
            return
        if self._rule.match == "boundary" and there.tokens <= self._reads.sent.tokens:
            # No boundary to read behind the noise; with one, the noise would still be in the way. Whether one would
            # have helped is known only where the minimum is.
            end = self._reads.tokens(shared)
            helps = self._reads.uncached() and self._rule.min_tokens is not None
            if not helps or end.tokens <= self._reads.sent.tokens + LEAST_LOSS:
                return
            there, written = end, None
        differences = noise(self._prompt, self._now, then, shared, self._fingerprints)
        reached = [d for d in differences if d.position < there.position]
        if reached and not self._is_other_answer(then, reached[0]):
            self._note(there, reached, written)

    def _is_other_answer(self, then: Trace, difference: Difference) -> bool:
        return answered_anew(self._prompt, self._now, then, difference.position, self._index)

    def _judge_structure(self, then: Trace | None) -> None:
        """Content added, removed or rearranged ahead of content that an earlier call had too."""
        best: tuple[Read, list[Difference], Trace] | None = None
        least = self._reads.sent.tokens + LEAST_LOSS
        for other in lineage(
            self._now, then, self._reads.shared(then) if then is not None else 0, self._index, self._fingerprints
        ):
            shared = self._reads.shared(other)
            found = self._changes(other, shared)
            if found is None:
                continue
            differences, end = found
            if differences[0].cause == "history_rewritten" and self._is_other_answer(other, differences[0]):
                continue
            if differences[0].cause == "compaction" and self._reads.readable_behind(other, shared):
                # What the summary replaced is gone: had it been there before, it would have been read.
                there = self._reads.rounded(self._reads.tokens(end))
                if self._reads.left_behind(other, shared):
                    # The counts say that it went, however short the summary is that had to be written in its place.
                    self._tolerance = max(0, (self._rule.report_grid or 1) - 1)
                    least = self._reads.sent.tokens
            else:
                there = self._reads.reachable(other, shared, end)
            if there.tokens > least and (best is None or there.tokens > best[0].tokens):
                best = there, [*differences, *self._noise_besides(other, shared, end)], other
        if best is not None:
            self._note(*best)

    def _noise_besides(self, other: Trace, shared: int, end: int) -> list[Difference]:
        """Noise ahead of a change of content, or behind changed tools: without it no more would have been read."""
        now, prints = self._now, self._fingerprints
        if shared >= now.tools or now.tools != other.tools:
            return noise(self._prompt, now, other, shared, prints) if shared >= now.tools else []
        # The tools differ one by one; what follows them stands at the same place in both.
        return [d for d in noise(self._prompt, now, other, end, prints) if d.position >= now.tools]

    def _changes(self, other: Trace, shared: int) -> tuple[list[Difference], int] | None:
        """How this prompt parts from an earlier one, and up to where it would be known without that."""
        now = self._now
        if shared < now.tools or shared < other.tools:
            changes = tool_changes(self._prompt, now, other)
            same = common(now.canonical[now.tools :], other.canonical[other.tools :])
            return (changes, now.tools + same) if changes and same else None
        found = rearranged(self._prompt, now, other, shared, self._fingerprints)
        return None if found is None else ([found.difference], found.end)

    def _judge_placement(self, then: Trace) -> None:
        """The shared part is long, and no boundary at its end was written and looked up."""
        found = misplaced(self._prompt, self._now, then, self._rule, self._reads, self._best, self._usage)
        if found is not None and found.there is not None:
            self._note(found.there, [found.difference])
        elif found is not None:
            self._found.append(found.difference)

    def _note(self, there: Read, differences: list[Difference], written: Trace | None = None) -> None:
        """Differences that stand between this call and a larger read: of what the call `written` left."""
        self._found += differences
        if written is not None and self._prompt.repeats:
            self._sure += surely_lost(
                differences, self._prompt, self._now, written, self._reads.sent, there, self._usage, self._fingerprints
            )
        if there.tokens > self._best.tokens:
            self._best = there

    def _conclude(self, reported: int) -> Verdict:
        best = self._best
        if self._reads.blocked is not None and self._found == [self._reads.blocked]:
            best = self._reads.tokens(self._reads.blocked.position)
            if self._rule.match == "interval" and self._rule.report_grid:
                best = best._replace(tokens=best.tokens - best.tokens % self._rule.report_grid)
        steps = 2 * (self._rule.report_grid or 0) if self._rule.grid else 0
        tolerance = max(LEAST_LOSS, best.error * best.tokens, steps)
        if self._tolerance is not None and best.tokens:
            tolerance, best = self._tolerance, best._replace(error=max(best.error, steps / best.tokens))
        lost = best.tokens - reported > tolerance and best.tokens >= (self._rule.min_tokens or 1)
        if not self._prompt.as_sent:
            self._found = [difference for difference in self._found if difference.cause not in _OF_THE_WIRE]
        causes = in_order(difference.cause for difference in self._found)
        if self._found in ([], [self._reads.blocked]) and best.position <= self._now.tools < self._prompt.head:
            # Nothing but tools in common: another prompt, whose first call this is.
            lost, causes = False, ()
        if not lost:
            return self._unsized(reported) if self._sure else self._unbroken(reported, causes)
        # More could have been read than the minimum, so what is too short is not what was in the way.
        self._found = [difference for difference in self._found if difference.cause != "below_minimum"]
        causes = in_order(difference.cause for difference in self._found)
        if not self._is_known(best.tokens) or not (causes or self._tells_loss()):
            return self._undecided(reported)
        if not causes:
            if reported and best.tokens - reported <= 2 * tolerance:
                # Nothing differs, and most was read: the count is more likely to be off than the provider.
                return self._unbroken(reported, ())
            causes = ("evicted_or_rerouted",)
            where = self._prompt.segments[best.position - 1].path if best.position else None
            self._found.append(Difference("evicted_or_rerouted", where or "", None, best.position))
        return self._broken(best, reported)

    def _broken(self, best: Read, reported: int) -> Verdict:
        """The verdict where what was found kept `best` from being read."""
        causes = in_order(difference.cause for difference in self._found)
        cause = causes[0]
        first = min((d for d in self._found if d.cause == cause), key=lambda d: d.position)
        counterfactual = cause not in _AS_SENT
        outcome: Outcome = "partial" if reported else "uncacheable" if cause == "no_breakpoint" else "miss"
        told = not any(i < best.position for i in self._prompt.veiled)
        return Verdict(
            outcome=outcome,
            broke=True,
            avoidable=self._avoidable(cause),
            cause=cause,
            causes=causes,
            location=first.location or None,
            offset=first.offset if self._has_offsets(first) else None,
            expected_tokens=best.tokens if told else None,
            reported_tokens=reported,
            missed_tokens=best.tokens - reported if told else None,
            gap_s=self._gap(self._reads.used_at if cause in _AS_SENT or self._then is None else self._then.at),
            tokens_method=self._method(best) if told else None,
            tokens_error=round(best.error, 4) if told else None,
            confidence=self._confidence(cause, best),
            confirmed_by=("usage", "counterfactual") if counterfactual else ("usage",),
            hint=hint(cause),
        )

    def _unsized(self, reported: int) -> Verdict:
        """The verdict where a read was lost for certain, and its tokens are not those of any text that is known."""
        causes = in_order(difference.cause for difference in self._sure)
        first = min((d for d in self._sure if d.cause == causes[0]), key=lambda d: d.position)
        return Verdict(
            outcome="partial" if reported else "miss",
            broke=True,
            avoidable=self._avoidable(first.cause),
            cause=first.cause,
            causes=causes,
            location=first.location or None,
            offset=first.offset,
            reported_tokens=reported,
            gap_s=self._gap(self._then.at if self._then is not None else None),
            confidence=_UNSIZED,
            confirmed_by=("counterfactual",) if reported else ("usage", "counterfactual"),
            hint=hint(first.cause),
        )

    def _tells_loss(self) -> bool:
        """Whether what no cause explains can be called the provider's doing."""
        return self._rule.tells_loss and self._prompt.as_sent

    def _has_offsets(self, found: Difference) -> bool:
        """Whether the text of the segment that differs is one that the application wrote."""
        segments = self._prompt.segments
        return self._prompt.as_sent or (found.position < len(segments) and not segments[found.position].is_json)

    def _gap(self, used_at: float | None) -> float | None:
        return None if used_at is None else round(max(0.0, self._now.at - used_at), 3)

    def _is_known(self, tokens: int) -> bool:
        """Whether a prefix of that size is known to be cached: by the rule, or because as small a one was read."""
        if self._rule.min_tokens is not None or self._rule.match != "interval":
            return True
        least = self._index.least_read.get(self._now.seed)
        return least is not None and least <= tokens

    @staticmethod
    def _undecided(reported: int) -> Verdict:
        """Less was read than there might be, and what the provider documents does not say whether it was to be had."""
        return Verdict(
            outcome="partial" if reported else "miss",
            reported_tokens=reported,
            confidence=0.3,
            confirmed_by=("usage",),
        )

    def _method(self, read: Read) -> str:
        """How the tokens of a read were come by."""
        if read.error < _EXACT:
            return "anchored"
        return "fitted" if self._fit.warm else "weights"

    def _unbroken(self, reported: int, causes: tuple[str, ...]) -> Verdict:
        short = "below_minimum" in causes and not reported
        outcome: Outcome = "hit" if reported else "cold"
        if not reported and (short or self._uncacheable()):
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
            gap_s=self._gap(self._reads.used_at) if reported else None,
            tokens_method="provider_reported",
            tokens_error=0.0,
            confidence=0.9 if reported else 0.7,
            confirmed_by=("usage",),
            hint=hint("below_minimum") if short else None,
        )

    def _uncacheable(self) -> bool:
        """Whether nothing of this request can be cached as it was sent."""
        return self._is_short() or self._reads.uncached()

    def _avoidable(self, cause: str) -> bool:
        if cause == "ttl_expired":
            position = self._reads.blocked.position if self._reads.blocked is not None else 0
            entry = self._index.entry(self._now.chain[position - 1]) if position else None
            gap = self._now.at - entry.used_at if entry is not None else None
            return gap is not None and gap <= max(self._rule.ttl_s.values(), default=0)
        return cause not in CHOICES

    def _confidence(self, cause: str, best: Read) -> float:
        sure = self._sureness(cause, best)
        return sure if self._prompt.as_sent else min(sure, _TOLD)

    def _sureness(self, cause: str, best: Read) -> float:
        if cause == "evicted_or_rerouted":
            return 0.5
        if self._rule.min_tokens is not None and best.tokens * (1 - best.error) < self._rule.min_tokens:
            return 0.5
        if cause == "ttl_expired" and self._rule.match == "interval":
            # Between what is sure and what is the most, the entry may have lived on and been lost otherwise.
            gap = self._now.at - self._reads.used_at if self._reads.used_at is not None else 0.0
            return 0.9 if self._rule.ttl_most_s is not None and gap > self._rule.ttl_most_s else 0.6
        if cause in {"ttl_expired", "concurrent_cold_start"}:
            return 0.8
        return 0.95 if best.error < 0.05 else 0.9
