"""What a call leaves behind: exact sizes of its prompt, and prefixes in the provider's cache."""

from collections.abc import Sequence

from llm_observer.analysis.boundaries import Boundary
from llm_observer.analysis.index import Entry, PrefixIndex, Trace
from llm_observer.analysis.observed import Observation
from llm_observer.analysis.reads import LEAST_LOSS
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.tokens import Fit, Positions
from llm_observer.usage import Usage

__all__ = ["leave"]


def leave(
    call: Observation,
    rule: CacheRule | None,
    trace: Trace,
    boundaries: Sequence[Boundary],
    read_at: int,
    fit: Fit,
    index: PrefixIndex,
) -> None:
    """Note in its trace and in the index what a call says of its prompt's size, and what is cached after it.

    Args:
        call: The call.
        rule: How its provider's cache matches.
        trace: Its trace.
        boundaries: Where its request has boundaries.
        read_at: Up to where its prompt could be read.
        fit: What is known of its model's tokens.
        index: What earlier calls left.
    """
    usage = call.usage
    if usage is None:
        return
    if usage.input_tokens and call.prompt.counted:
        trace.anchors[len(trace)] = usage.input_tokens
    if rule is not None and (call.prompt.counted or call.prompt.repeats or call.prompt.kept is not None):
        trace.whole = usage.input_tokens or 0
        trace.held = _held(rule, usage)
    if rule is not None and rule.match == "boundary" and (usage.cache_read_tokens or usage.cache_write_tokens):
        # Where nothing was read or written, no boundary of this request is in the cache.
        _leave_boundaries(call, rule, trace, boundaries, read_at, fit, index)
    if usage.cache_read_tokens:
        index.note_read(trace.seed, usage.cache_read_tokens)


def _held(rule: CacheRule, usage: Usage) -> int:
    """The tokens of a call that can be read after it, by its own usage."""
    if rule.match != "interval":
        return (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    tokens = usage.input_tokens or 0
    if rule.min_tokens is None or tokens < rule.min_tokens:
        return 0
    tokens -= tokens % (rule.grid or 1)
    return tokens - tokens % (rule.report_grid or 1)


def _leave_boundaries(
    call: Observation,
    rule: CacheRule,
    trace: Trace,
    boundaries: Sequence[Boundary],
    read_at: int,
    fit: Fit,
    index: PrefixIndex,
) -> None:
    usage, chain = call.usage, trace.chain
    read = usage.cache_read_tokens if usage is not None else None
    written = usage.cache_write_tokens if usage is not None else None
    counted = call.prompt.counted
    if boundaries and read is not None and written is not None and counted:
        trace.anchors[boundaries[-1][0]] = read + written
    positions = Positions(trace.columns, trace.anchors, fit)
    cached: list[int] = []
    if read and read_at and (entry := index.entry(chain[read_at - 1])) is not None:
        # A read renews the entry. Its size is what was read: exact, unless less was read than there is.
        exact = counted and (entry.tokens == read or _may_be(read, *positions.at(read_at)))
        if exact:
            trace.anchors[read_at] = read
        size = read if exact else entry.tokens
        index.keep(chain[read_at - 1], _entry(call, entry, entry.lifetime, size, was_read=True))
        cached.append(read_at)
    for position, ttl in boundaries:
        known = index.entry(chain[position - 1])
        if known is None and rule.min_tokens is not None:
            tokens, error = positions.at(position)
            if tokens * (1 + error) < rule.min_tokens:
                continue
        _, lifetime = rule.lifetime(ttl)
        size = trace.anchors.get(position, known.tokens if known is not None else None)
        was_read = bool(read) and position <= read_at
        index.keep(chain[position - 1], _entry(call, known, lifetime, size, was_read=was_read))
        cached.append(position)
    trace.cached = tuple(cached)


def _may_be(read: int, tokens: int, error: float) -> bool:
    """Whether a prefix may be as large as what was read, by the bound on its error."""
    return abs(tokens - read) <= max(LEAST_LOSS, error * tokens)


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
