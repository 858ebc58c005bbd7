"""The prefix index: which prompts this process has sent, as chains of keyed hashes. Bounded, and free of content."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Entry", "PrefixIndex", "Trace"]


_TRACE_BYTES = 1400
_SEGMENT_BYTES = 36
"""Four references and a weight."""
_DIGESTS_BYTES = 4 * 49
"""Of one segment: wire, canonical, and the two chains."""
_NODE_BYTES = 200
_FAMILY_BYTES = 220
_ENTRY_BYTES = 400
_MOST_FAMILIES = 10_000
_MOST_SEEDS = 1000
_MOST_OVERLAPPING = 32
"""Calls that are looked through for one that began early enough."""


@dataclass(slots=True, kw_only=True, eq=False)
class Trace:
    """What is remembered of one call's prompt.

    Attributes:
        at: Unix seconds at the start of the request.
        ready_at: When the response began: from then on what the request wrote can be read.
        owner: Whose cache at which provider.
        seed: The same, and which model.
        params: Hash of each cache-relevant parameter by its kind.
        wire: Wire hash of each segment.
        canonical: Canonical hash of each segment, tools in the order of the wire.
        chain: Wire chain id at each position from 1 on, seeded.
        canonical_chain: Canonical chain id at each position from 1 on, tools sorted, not seeded.
        tools: How many of the first segments are tools.
        head: How many of the first segments are tools and system text.
        names: Name of each tool, hashed.
        weights: Weight of the prefix at each position from 0 on.
        columns: What `measure` says of it, likewise, while the call is explained.
        anchors: Exact token counts by position, as usage gave them.
        cached: Positions at which a prefix was in the provider's cache after this call.
        summarised: Whether its messages open with a summary of a conversation.
        whole: What usage says of the whole prompt, of each run of the model.
        held: What it says can be read of it afterwards.
        number: By which an index knows it, 0 for none.
        before: Number of the earlier trace with the longest prefix in common, 0 for none. Calls overlap: the latest may
            have begun too late.
        own: How many segments' digests are counted as held by this trace: a later turn takes over those that it has.
    """

    at: float
    ready_at: float
    model: str | None
    owner: bytes
    seed: bytes
    params: Mapping[str, bytes]
    wire: Sequence[bytes]
    canonical: Sequence[bytes]
    chain: Sequence[bytes]
    canonical_chain: Sequence[bytes]
    tools: int
    head: int
    names: Sequence[bytes]
    weights: "array[float]"
    columns: "array[float]" = field(default_factory=lambda: array("f"))
    anchors: dict[int, int] = field(default_factory=dict[int, int])
    cached: tuple[int, ...] = ()
    summarised: bool = False
    whole: int = 0
    held: int = 0
    number: int = 0
    before: int = 0
    own: int = 0

    def __len__(self) -> int:
        return len(self.wire)

    def size(self) -> int:
        """Bytes held, about."""
        return _TRACE_BYTES + _SEGMENT_BYTES * len(self.wire) + _DIGESTS_BYTES * self.own + 8 * len(self.names)


@dataclass(slots=True)
class Entry:
    """A prefix in the provider's cache.

    Attributes:
        used_at: Start of the request that last wrote or read it.
        ready_at: From when on it can be read.
        made_at: Start of the first request that wrote it.
        lifetime: Seconds from `used_at`, `None` when not known.
        tokens: Exact size when usage gave it.
    """

    used_at: float
    ready_at: float
    made_at: float
    lifetime: float | None
    tokens: int | None = None


class PrefixIndex:
    """Traces by chain, and the provider's cache as this process's calls left it.

    Everything is kept in order of last use, and the least recently used goes first when `max_bytes` is reached. A node
    names its trace by number, so that only the list of traces holds any. Not safe in threads by itself: its owner holds
    a lock.
    """

    def __init__(self, *, max_bytes: int = 18_000_000) -> None:
        self._budget = max_bytes
        self._used = 0
        self._count = 0
        self._nodes: OrderedDict[bytes, int] = OrderedDict()
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self.entry: Callable[[bytes], Entry | None] = self._entries.get
        """The provider's cache entry for the prefix with this chain id, if this process's calls made one."""
        self._traces: OrderedDict[int, Trace] = OrderedDict()
        self.trace: Callable[[int], Trace | None] = self._traces.get
        """The trace with this number, unless it is forgotten."""
        self.least_read: OrderedDict[bytes, int] = OrderedDict()
        """The smallest read that was reported, by seed: as large a prefix is cached there."""
        self._families: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def used_bytes(self) -> int:
        """Bytes held, about."""
        return self._used + _NODE_BYTES * len(self._nodes) + _ENTRY_BYTES * len(self._entries)

    def deepest(self, chain: Sequence[bytes], salt: bytes = b"", at: float | None = None) -> tuple[int, Trace | None]:
        """The longest prefix of `chain` that an earlier trace has, and the latest such trace.

        With `at` only calls that started by then count, and one whose response had begun is preferred.
        """
        number, trace_of = self._nodes.get, self._traces.get
        for position in range(len(chain), 0, -1):
            found = number(chain[position - 1] + salt)
            if found is None:
                continue
            trace = trace_of(found)
            if trace is not None and at is not None and trace.ready_at > at:
                trace = self._started_by(trace, at, chain[position - 1], position, canonical=bool(salt))
            if trace is not None:
                return position, trace
        return 0, None

    def holding(self, landmark: bytes) -> Trace | None:
        """The latest trace with this landmark."""
        return self._traces.get(self._nodes.get(landmark, 0))

    def seen(self, family: str) -> int:
        """How many calls of a family were added."""
        return self._families.get(family, 0)

    def add(
        self, trace: Trace, family: str, landmarks: Sequence[bytes], last: Trace | None = None, same: int = 0
    ) -> None:
        """Add a finished call.

        Args:
            trace: Its trace.
            family: Its family.
            landmarks: Hashes of what stands in it, by which it can be found.
            last: The trace of the turn before it, whose digests of the first `same` segments it has.
            same: How many these are.
        """
        self._count += 1
        number = trace.number = self._count
        trace.own = len(trace)
        if last is not None and last.number in self._traces:
            moved = min(same, last.own)
            last.own -= moved
            self._used -= _DIGESTS_BYTES * moved
        self._used += trace.size()
        self._traces[number] = trace
        self._add_family(family)
        heads = {trace.tools, trace.head}
        before = self.deepest(trace.canonical_chain, trace.seed)[1]
        trace.before = before.number if before is not None else 0
        self._put_chain(trace.chain, b"", trace, heads)
        self._put_chain(trace.canonical_chain, trace.seed, trace, heads)
        self._put_chain(trace.canonical_chain, trace.owner, trace, heads)
        nodes = self._nodes
        touch = nodes.move_to_end
        # Written out: there is one for each segment of the prompt. Hashes of other things than chains, so keys of
        # their own.
        for landmark in landmarks:
            nodes[landmark] = number
            touch(landmark)
        self._shrink()

    def note_read(self, seed: bytes, tokens: int) -> None:
        """Note that a prefix of so many tokens was read from the cache."""
        self.least_read[seed] = min(tokens, self.least_read.pop(seed, tokens))
        if len(self.least_read) > _MOST_SEEDS:
            self.least_read.popitem(last=False)

    def keep(self, chain_id: bytes, entry: Entry) -> None:
        """Note that a prefix is in the provider's cache."""
        self._entries[chain_id] = entry
        self._entries.move_to_end(chain_id)

    def _add_family(self, family: str) -> None:
        families = self._families
        seen = families.pop(family, 0)
        families[family] = seen + 1
        if not seen:
            self._used += _FAMILY_BYTES + len(family)
        if len(families) > _MOST_FAMILIES:
            self._forget_family()

    def _forget_family(self) -> None:
        oldest, _ = self._families.popitem(last=False)
        self._used -= _FAMILY_BYTES + len(oldest)

    def _put_chain(self, chain: Sequence[bytes], salt: bytes, trace: Trace, heads: set[int]) -> None:
        """Note a chain from its end back to what is known; of what is known only the heads, where calls part."""
        position = len(chain)
        while position and self._put(chain[position - 1] + salt, trace):
            position -= 1
        for head in heads:
            if 0 < head < position:
                self._put(chain[head - 1] + salt, trace)

    def _put(self, key: bytes, trace: Trace) -> bool:
        """Note that `trace` has `key`; whether it is the first that does."""
        nodes = self._nodes
        before = self._traces.get(nodes.get(key, 0))
        if before is None or before.at <= trace.at:
            nodes[key] = trace.number
        nodes.move_to_end(key)
        return before is None

    def _shrink(self) -> None:
        nodes, entries, traces = self._nodes, self._entries, self._traces
        while self.used_bytes > self._budget and len(traces) > 1:
            _, oldest = traces.popitem(last=False)
            self._used -= oldest.size()
            while nodes:
                # Nodes are in the order in which calls had them last, so those of traces that are gone come first.
                key = next(iter(nodes))
                if nodes[key] in traces:
                    break
                del nodes[key]
            # Neither are clocks always right, nor do recorded calls have to come in order.
            most = self._budget // (4 * _ENTRY_BYTES)
            while entries and (len(entries) > most or next(iter(entries.values())).used_at <= oldest.at):
                entries.popitem(last=False)
            if len(self._families) * _FAMILY_BYTES > self._budget // 4:
                self._forget_family()

    def _started_by(self, trace: Trace, at: float, link: bytes, position: int, *, canonical: bool) -> Trace | None:
        """Of a trace and those before it, the latest that was ready at `at` and has `link`, else that had started."""
        started: Trace | None = None
        here: Trace | None = trace
        for _ in range(_MOST_OVERLAPPING):
            if here is None:
                break
            chain = here.canonical_chain if canonical else here.chain
            if here.at <= at and len(chain) >= position and chain[position - 1] == link:
                if here.ready_at <= at:
                    return here
                started = started or here
            here = self._traces.get(here.before)
        return started
