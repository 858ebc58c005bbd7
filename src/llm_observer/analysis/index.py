"""The prefix index: which prompts this process has sent, as chains of keyed hashes. Bounded, and free of content."""

import sys
import weakref
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Entry", "PrefixIndex", "Trace"]


@dataclass(slots=True, kw_only=True, eq=False, weakref_slot=True)
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
        columns: What `measure` says of it, likewise; let go when a later turn has them.
        anchors: Exact token counts by position, as usage gave them.
        cached: Positions at which a prefix was in the provider's cache after this call.
        before: The earlier trace with the longest prefix in common. Calls overlap: the latest may have begun too late.
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
    before: "weakref.ref[Trace] | None" = None

    def __len__(self) -> int:
        return len(self.wire)

    def size(self) -> int:
        """Bytes held, about: hashes are shared with fingerprints and nodes, their references are not."""
        return 680 + 8 * (len(self.wire) * 4 + len(self.names)) + sys.getsizeof(self.weights)


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


_NODE_BYTES = 200
_MOST_SEEDS = 1000
_MOST_OVERLAPPING = 32
"""Calls that are looked through for one that began early enough."""
_ENTRY_BYTES = 300


class PrefixIndex:
    """Traces by chain, and the provider's cache as this process's calls left it.

    Everything is kept in order of last use, and the least recently used goes first when `max_bytes` is reached. Not
    safe in threads by itself: its owner holds a lock.
    """

    def __init__(self, *, max_bytes: int = 20_000_000) -> None:
        self._budget = max_bytes
        self._used = 0
        self._nodes: OrderedDict[bytes, Trace] = OrderedDict()
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self.entry: Callable[[bytes], Entry | None] = self._entries.get
        """The provider's cache entry for the prefix with this chain id, if this process's calls made one."""
        self._traces: OrderedDict[int, Trace] = OrderedDict()
        self.least_read: OrderedDict[bytes, int] = OrderedDict()
        """The smallest read that was reported, by seed: as large a prefix is cached there."""
        self._families: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def used_bytes(self) -> int:
        """Bytes held, about."""
        return self._used

    def deepest(self, chain: Sequence[bytes], salt: bytes = b"", at: float | None = None) -> tuple[int, Trace | None]:
        """The longest prefix of `chain` that an earlier trace has, and the latest such trace.

        With `at` only calls that started by then count, and one whose response had begun is preferred.
        """
        nodes = self._nodes
        for position in range(len(chain), 0, -1):
            trace = nodes.get(chain[position - 1] + salt)
            if trace is not None and at is not None and trace.ready_at > at:
                trace = _started_by(trace, at, chain[position - 1], position, canonical=bool(salt))
            if trace is not None:
                return position, trace
        return 0, None

    def holding(self, landmark: bytes) -> Trace | None:
        """The latest trace with this landmark."""
        return self._nodes.get(landmark)

    def seen(self, family: str) -> int:
        """How many calls of a family were added."""
        return self._families.get(family, 0)

    def add(self, trace: Trace, family: str, landmarks: Sequence[bytes]) -> None:
        """Add a finished call; `landmarks` are hashes of what stands in it, by which it can be found."""
        self._families[family] = self._families.pop(family, 0) + 1
        if len(self._families) > 10_000:
            self._families.popitem(last=False)
        self._traces[id(trace)] = trace
        self._used += trace.size()
        heads = {trace.tools, trace.head}
        before = self.deepest(trace.canonical_chain, trace.seed)[1]
        trace.before = weakref.ref(before) if before is not None else None
        self._put_chain(trace.chain, b"", trace, heads)
        self._put_chain(trace.canonical_chain, trace.seed, trace, heads)
        self._put_chain(trace.canonical_chain, trace.owner, trace, heads)
        nodes, known = self._nodes, len(self._nodes)
        touch = nodes.move_to_end
        # Written out: there is one for each segment of the prompt. Hashes of other things than chains, so keys of
        # their own.
        for landmark in landmarks:
            nodes[landmark] = trace
            touch(landmark)
        self._used += _NODE_BYTES * (len(nodes) - known)
        self._shrink()

    def note_read(self, seed: bytes, tokens: int) -> None:
        """Note that a prefix of so many tokens was read from the cache."""
        self.least_read[seed] = min(tokens, self.least_read.pop(seed, tokens))
        if len(self.least_read) > _MOST_SEEDS:
            self.least_read.popitem(last=False)

    def keep(self, chain_id: bytes, entry: Entry) -> None:
        """Note that a prefix is in the provider's cache."""
        if chain_id not in self._entries:
            self._used += _ENTRY_BYTES
        self._entries[chain_id] = entry
        self._entries.move_to_end(chain_id)

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
        before = nodes.get(key)
        if before is not None:
            if before.at <= trace.at:
                nodes[key] = trace
            nodes.move_to_end(key)
            return False
        nodes[key] = trace
        self._used += _NODE_BYTES
        return True

    def _shrink(self) -> None:
        while self._used > self._budget and len(self._traces) > 1:
            _, oldest = self._traces.popitem(last=False)
            self._used -= oldest.size()
            while self._nodes:
                key, trace = next(iter(self._nodes.items()))
                if trace.at > oldest.at:
                    break
                del self._nodes[key]
                self._used -= _NODE_BYTES
            while self._entries and next(iter(self._entries.values())).used_at <= oldest.at:
                self._entries.popitem(last=False)
                self._used -= _ENTRY_BYTES


def _started_by(trace: Trace, at: float, link: bytes, position: int, *, canonical: bool) -> Trace | None:
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
        here = here.before() if here.before is not None else None
    return started
