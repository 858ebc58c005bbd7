"""What can be read from the cache: of the request as it was sent, and had it been like an earlier one."""

from typing import NamedTuple

from llm_observer.analysis.boundaries import Boundary, lookups, writes
from llm_observer.analysis.compare import Difference, common, first_piece, shared_canonical
from llm_observer.analysis.fingerprint import Fingerprinter
from llm_observer.analysis.index import PrefixIndex, Trace
from llm_observer.analysis.measure import measure, weigh
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.tokens import Fit, Positions
from llm_observer.usage import Usage

__all__ = ["LEAST_LOSS", "NOTHING", "Read", "Reads", "agree"]

LEAST_LOSS = 64
"""Tokens below which a difference is rounding and not a loss."""
_SWAPPED = 0.02
"""Bound on a count taken over from an earlier prompt that differs in noise: a value is a few tokens more or less."""
_SURE = 0.05
"""Bound up to which a count by itself tells a prefix from others."""


class Read(NamedTuple):
    """A prefix that can be read: its position, its tokens, and the relative bound on their error."""

    position: int
    tokens: int
    error: float


NOTHING = Read(0, 0, 0.0)


def agree(read: Read, reported: int) -> bool:
    """Whether a reported count may be that of a prefix, by the bound on its error."""
    return abs(read.tokens - reported) <= max(LEAST_LOSS, read.error * read.tokens)


class Reads:
    """The provider's cache as one call finds it, simulated from what earlier calls left.

    Attributes:
        sent: What could be read of the request as it was sent.
        blocked: A deeper entry that is there and could not be read in time, as a cause.
        used_at: When the deepest entry that is there, alive or not, was last used; `None` where there is none.
        lookups: Positions at which the provider looks, deepest first.
        writes: Boundaries that this request writes.
    """

    def __init__(
        self,
        prompt: Prompt,
        now: Trace,
        rule: CacheRule,
        index: PrefixIndex,
        fingerprints: Fingerprinter,
        usage: Usage | None,
        fit: Fit,
        then: Trace | None,
    ) -> None:
        self._prompt = prompt
        self._now = now
        self._rule = rule
        self._index = index
        self._fingerprints = fingerprints
        self._usage = usage
        self._shares: dict[int, int] = {}
        self._sizes: dict[tuple[int, int], Read] = {}
        # No prefix has more than the whole; of a prompt that is not counted as it was sent, no more is known.
        self._most = usage.input_tokens if usage is not None and not prompt.counted else None
        self.blocked: Difference | None = None
        self.used_at: float | None = None
        boundary = rule.match == "boundary"
        self.writes: list[Boundary] = writes(prompt, rule) if boundary else []
        self.lookups: list[int] = lookups(prompt, rule, self.writes) if boundary else []
        chain, entry = now.chain, index.entry
        self._entries = [(p, found) for p in self.lookups if (found := entry(chain[p - 1])) and found.made_at <= now.at]
        anchors = self._anchors(then)
        self._positions = Positions(now.columns, anchors, fit)
        self.sent = self._as_sent()
        reported = usage.cache_read_tokens if usage is not None else None
        if boundary and reported and prompt.counted and agree(self.sent, reported):
            # What was read is a prefix that is known, so its size is known too, and better than by weight.
            self._positions = Positions(now.columns, {**anchors, self.sent.position: reported}, fit)
            self._sizes.clear()
            self.sent = Read(self.sent.position, reported, 0.0)

    def _anchors(self, then: Trace | None) -> dict[int, int]:
        """Exact token counts at positions of this prompt: of earlier calls, and of this call's own usage."""
        anchors: dict[int, int] = {}
        if then is not None:
            same = common(self._now.wire, then.wire)
            anchors = {position: tokens for position, tokens in then.anchors.items() if position <= same}
        for position, entry in self._entries:
            if entry.tokens is not None:
                anchors[position] = entry.tokens
        usage = self._usage
        if usage is None or not self._prompt.counted:
            return anchors
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        if self._rule.match == "boundary" and read is not None and written and self.writes:
            anchors[self.writes[-1][0]] = read + written
        if usage.input_tokens:
            anchors[len(self._now)] = usage.input_tokens
        return anchors

    def shared(self, then: Trace) -> int:
        """How many leading segments an earlier call shares canonically."""
        known = self._shares.get(id(then))
        if known is None:
            known = self._shares[id(then)] = shared_canonical(self._now, then)
        return known

    def covers(self, then: Trace, reported: int) -> bool:
        """Whether a reported read is all that could be read of what an earlier call shares with this one."""
        could = max(self.sent.tokens, self.readable(then).tokens, self.tokens(self.shared(then)).tokens)
        return could - reported <= LEAST_LOSS

    def tokens(self, position: int, offset: int = 0, piece: str = "") -> Read:
        """The prefix that ends at `position`, or somewhere in the piece at an offset of the segment behind it."""
        read = self._sizes.get((position, offset))
        if read is None:
            into, unsure = None, 0.0
            if offset:
                segment = self._prompt.segments[position]
                into = measure(segment.text[: offset + len(piece) // 2], segment.kind)
                unsure = weigh(piece)
            tokens, error = self._positions.at(position, into, unsure)
            read = Read(position, tokens if self._most is None else min(tokens, self._most), error)
            self._sizes[position, offset] = read
        return read

    def _as_sent(self) -> Read:
        if self._rule.needs is not None and self._rule.needs not in self._prompt.params:
            return NOTHING
        if self._rule.match == "interval":
            return self._interval_as_sent()
        now = self._now
        reported = self._usage.cache_read_tokens if self._usage is not None else None
        self.used_at = self._entries[0][1].used_at if self._entries else None
        for position, entry in self._entries:
            path = self._prompt.segments[position - 1].path
            if reported and (read := self.tokens(position)).error < _SURE and agree(read, reported):
                # It was read, so it was there: lifetimes are what is promised at the least.
                self.blocked = None
                return read
            if entry.ready_at > now.at or entry.made_at == now.at:
                self.blocked = self.blocked or Difference("concurrent_cold_start", path, None, position)
            elif entry.lifetime is not None and now.at - entry.used_at > entry.lifetime:
                self.blocked = self.blocked or Difference("ttl_expired", path, None, position)
            else:
                return self.tokens(position)
        return NOTHING

    def _interval_as_sent(self) -> Read:
        now = self._now
        position, then = self._index.deepest(now.chain, at=now.at)
        if then is None:
            return NOTHING
        self.used_at = then.at
        read = self._on_grid(position, then)
        path = self._prompt.segments[position - 1].path
        if self.unbegun(then):
            self.blocked = Difference("concurrent_cold_start", path, None, position)
            return NOTHING
        if self._rule.ttl_sure_s is not None and now.at - then.at > self._rule.ttl_sure_s:
            # It may have lived on: only a read that did not come says that it did not.
            self.blocked = Difference("ttl_expired", path, None, position)
            return NOTHING
        return read

    def _on_grid(self, position: int, then: Trace) -> Read:
        """The prefix that an earlier prompt shares, into the segment where they part, rounded as the provider does."""
        offset, piece = 0, ""
        if position < len(self._now) and position < len(then):
            a = self._fingerprints.known(self._now.wire[position])
            b = self._fingerprints.known(then.wire[position])
            if a is not None and b is not None and a.kind != "media":
                offset, piece = first_piece(self._prompt.segments[position].text, a, b)
        return self.rounded(self.tokens(position, offset, piece))

    def rounded(self, read: Read) -> Read:
        """A prefix as the provider reads it: in its steps, and from its minimum on."""
        tokens = read.tokens
        if self._rule.grid:
            tokens -= tokens % self._rule.grid
        if self._rule.report_grid:
            tokens -= tokens % self._rule.report_grid
        if self._rule.min_tokens is not None and read.tokens < self._rule.min_tokens:
            return NOTHING
        return read._replace(tokens=tokens)

    def readable(self, then: Trace) -> Read:
        """What could be read of an earlier call's prefix if all that the two share canonically were byte-equal."""
        shared = self.shared(then)
        if not shared:
            return NOTHING
        if self._rule.needs is not None and self._rule.needs not in self._prompt.params:
            return NOTHING
        if self._rule.match == "interval":
            return self._on_grid(shared, then)
        for position in sorted(then.cached, reverse=True):
            if position <= shared and position in self.lookups and self.alive(then, position):
                exact = then.anchors.get(position)
                return Read(position, exact, _SWAPPED) if exact is not None else self.tokens(position)
        return NOTHING

    def alive(self, then: Trace, position: int) -> bool:
        """Whether what an earlier call left at a position could still be read when this one started."""
        entry = self._index.entry(then.chain[position - 1])
        if entry is None or entry.ready_at > self._now.at:
            return False
        return entry.lifetime is None or self._now.at - entry.used_at <= entry.lifetime

    def unbegun(self, then: Trace) -> bool:
        """Whether an earlier call's response had not begun when this one started: nothing that it writes is there."""
        return then.ready_at > self._now.at or then.at == self._now.at

    def readable_behind(self, other: Trace, shared: int) -> bool:
        """Whether an earlier call left more in the cache than the first `shared` segments."""
        if self._rule.match == "interval":
            return self._rule.ttl_sure_s is None or self._now.at - other.at <= self._rule.ttl_sure_s
        return any(position > shared and self.alive(other, position) for position in other.cached)

    def may_live(self, then: Trace) -> bool:
        """Whether what an earlier call left in the cache is surely there by its lifetime."""
        if self._rule.match == "interval":
            return self._rule.ttl_sure_s is not None and self._now.at - then.at <= self._rule.ttl_sure_s
        return self.within_lifetime(then)

    def left_behind(self, other: Trace, shared: int) -> bool:
        """Whether counts say that what an earlier call left behind the first `shared` segments was not read."""
        reported = self._usage.cache_read_tokens if self._usage is not None else None
        if reported is None or not self.readable_behind(other, shared):
            return False
        if self._rule.match == "interval":
            return other.anchors.get(len(other), 0) - reported > 2 * (self._rule.report_grid or LEAST_LOSS)
        sizes = [other.anchors.get(p, 0) for p in other.cached if p > shared and self.alive(other, p)]
        return self.sent.tokens == reported and max(sizes, default=0) - reported > LEAST_LOSS

    def reachable(self, other: Trace, shared: int, end: int) -> Read:
        """What could be read up to `end`, had the earlier call's content stood where it was."""
        now = self._now
        if self._rule.match == "interval":
            read, whole = self.tokens(end), other.anchors.get(len(other))
            return self.rounded(read if whole is None else read._replace(tokens=min(read.tokens, whole)))
        moved = {canonical: position for position, canonical in enumerate(now.canonical[:end], 1)}
        for position in sorted(other.cached, reverse=True):
            if not self.alive(other, position):
                continue
            here: int | None = position if position <= shared else moved.get(other.canonical[position - 1])
            if here is None and position == shared + 1 and position <= end:
                # The changed segment itself ends at the boundary.
                here = position
            elif here is None and position == shared + 1 and end == shared:
                # It was taken out, and what stands before it ends where no boundary is.
                here = shared
            if here is not None and any(here <= looked for looked in self.lookups):
                read = self.tokens(here)
                exact = other.anchors.get(position)
                return read._replace(tokens=min(read.tokens, exact)) if exact is not None else read
        return NOTHING

    def uncached(self) -> bool:
        """Whether the request has no boundary at all where the provider wants one, or not what caching needs."""
        if self._rule.needs is not None and self._rule.needs not in self._prompt.params:
            return True
        return self._rule.match == "boundary" and not self.writes

    def within_lifetime(self, then: Trace) -> bool:
        """Whether what the earlier call could have written would still be there, by the lifetime that is asked for."""
        _, seconds = self._rule.lifetime(self._prompt.automatic)
        return seconds is None or self._now.at - then.at <= seconds
