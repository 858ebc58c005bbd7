"""Whether a cache boundary stands where it does not help: the shared part is long, and nothing is cached at its end."""

from typing import NamedTuple

from llm_observer.analysis.boundaries import dropped
from llm_observer.analysis.compare import Difference, common
from llm_observer.analysis.index import Trace
from llm_observer.analysis.reads import LEAST_LOSS, Read, Reads
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.segments import Prompt
from llm_observer.usage import Usage

__all__ = ["Misplaced", "misplaced"]

_DEVIATION = 1 / 3
"""Of a bound: one standard deviation. A prefix that passes the minimum by less may as well fall short of it."""


class Misplaced(NamedTuple):
    """A cause, and what could have been read but for it; `None` where nothing could have been."""

    difference: Difference
    there: Read | None


def misplaced(
    prompt: Prompt, now: Trace, then: Trace, rule: CacheRule, reads: Reads, best: Read, usage: Usage | None
) -> Misplaced | None:
    """The cause that lies in where boundaries stand, if there is one.

    Args:
        prompt: The call's.
        now: Its trace.
        then: That of the earlier call which shares most with it.
        rule: How the provider's cache matches.
        reads: What could be read.
        best: The most that could have been read but for the causes that are known already.
        usage: What the provider reported.
    """
    shared = reads.shared(then)
    repeated = shared == len(now) == len(then)
    if repeated and prompt.head and rule.match == "boundary" and not reads.uncached():
        # A retry or a duplicate says nothing about where the part that stays the same ends.
        return None
    if repeated and reads.tokens(prompt.head).tokens >= (rule.min_tokens or 0):
        shared = prompt.head or shared
    end = reads.tokens(shared)
    minimum = rule.min_tokens
    if shared <= now.tools < prompt.head:
        # Nothing but tools in common: another prompt, whose first call this is.
        return None
    if minimum is None or not reads.within_lifetime(then):
        return None
    path = prompt.segments[shared - 1].path if shared else ""
    if end.tokens * (1 + end.error) < minimum:
        return _short(prompt, usage, minimum, shared, path)
    if rule.match == "interval":
        return None
    likely = end.tokens * (1 - _DEVIATION * end.error)
    if reads.uncached():
        return Misplaced(Difference("no_breakpoint", path, None, shared), end) if likely >= minimum else None
    if reads.blocked is not None and reads.unbegun(then):
        # Neither could a boundary more, or elsewhere, have been read in time.
        return None
    # A boundary that is there and could not be read in time is not missing.
    blocked = reads.tokens(reads.blocked.position).tokens if reads.blocked is not None else 0
    known = max(best.tokens, reads.sent.tokens, blocked)
    lost = [position for position, _ in dropped(prompt, rule) if reads.sent.position < position <= shared]
    unseen = [position for position in then.cached if position <= shared and position not in reads.lookups]
    behind = [position for position, _ in prompt.markers if position > shared]
    there = reads.tokens(max(unseen, default=0))
    reaches = any(position > there.position for position, _ in reads.writes)
    exact = common(now.wire, then.wire)
    passed = bool(unseen) and there.position <= exact and there.tokens >= minimum and reaches
    if likely - known < minimum and not (passed and there.tokens - known > LEAST_LOSS):
        return None
    if lost and end.tokens - known >= minimum:
        where = prompt.segments[lost[0] - 1].path
        return Misplaced(Difference("too_many_breakpoints", where, None, lost[0]), end)
    if passed:
        where = prompt.segments[there.position - 1].path
        return Misplaced(Difference("lookback_exceeded", where, None, there.position), there)
    if shared == len(then) and not then.cached and (behind or prompt.automatic is not None):
        # The conversation went on and asks for the cache from here on: no earlier call of it did.
        return None
    if any(position == shared for position, _ in reads.writes):
        # There is one at its end, and nothing was written at it: what is marked may be too short.
        return _short(prompt, usage, minimum, shared, path) if end.tokens * (1 - end.error) < minimum else None
    if behind or (prompt.automatic is not None and not rule.implicit):
        where = prompt.segments[(behind[0] if behind else len(now)) - 1].path
        return Misplaced(Difference("breakpoint_after_volatile", where, None, shared), end)
    return Misplaced(Difference("boundary_missing", path, None, shared), end)


def _short(prompt: Prompt, usage: Usage | None, minimum: int, shared: int, path: str) -> Misplaced | None:
    """What is marked is too short to be cached, as far as can be seen."""
    quiet = usage is not None and not usage.cache_read_tokens and not usage.cache_write_tokens
    if usage is not None and not prompt.counted and (usage.input_tokens or 0) >= minimum:
        # There is more than can be seen here.
        return None
    if quiet and shared and shared >= prompt.head:
        return Misplaced(Difference("below_minimum", path, None, shared), None)
    return None
