"""Anthropic's prompt cache, as its prompt-caching documentation describes it (read 2026-11-22).

Nothing is cached without a marker. An entry is written exactly at a marker and is the digest of all before it; a
marker reads the nearest entry that an earlier request wrote at most 20 positions back, itself counted as the first.

Reasoned where the documents are silent: a request refreshes every entry that its markers find, not the longest alone,
and a longer lifetime asked for an entry that is still alive does not lengthen it.
"""

import re
from hashlib import blake2b
from itertools import accumulate

from llm_observer.demo.provider.anthropic_prompt import LEVELS, Block, Prompt
from llm_observer.demo.provider.entries import Entries, Served, Ticket

__all__ = ["AnthropicCache", "minimum_tokens"]

_LOOKBACK = 20
_TTL_S = {"5m": 300.0, "1h": 3_600.0}
_RUNS = frozenset({"tool_use", "tool_result"})
"""Blocks of which consecutive ones count as one position."""

_MINIMUM = 1024
_OTHER_MINIMUMS = {
    512: r"(fable|mythos)-5|opus-5|sonnet-5-5|haiku-5-5",
    2048: r"opus-4-7|mythos-preview|3-5-haiku|haiku-3-5",
    4096: r"opus-4-[56]|haiku-4-5",
}


def minimum_tokens(model: str) -> int:
    """The shortest prefix that `model` caches; a shorter one is not cached, and nothing says so."""
    for minimum, names in _OTHER_MINIMUMS.items():
        if re.search(names, model):
            return minimum
    return _MINIMUM


class AnthropicCache:
    """The prompt caches of all workspaces."""

    def __init__(self) -> None:
        self._entries = Entries()

    def look_up(self, prompt: Prompt, *, scope: str, at: float) -> Ticket:
        """What the cache serves to a request that starts at `at`; `scope` names the workspace."""
        ends = list(accumulate(len(block.tokens) for block in prompt.blocks))
        total = ends[-1] if ends else 0
        names = _names(prompt, scope)
        markers = [n for n, block in enumerate(prompt.blocks) if block.ttl is not None]
        positions = _positions(prompt.blocks)
        found = {n for marker in markers if (n := self._nearest(names, positions, marker, at)) is not None}
        for n in found:
            self._entries.use(names[n], at)
        minimum = minimum_tokens(prompt.model)
        writes = [n for n in markers if ends[n] >= minimum]
        # The three places of the documentation's "Mixing different TTLs": the longest hit, the last marker of one
        # hour behind it, the last marker.
        hit = max((ends[n] for n in found), default=0)
        long = max((ends[n] for n in writes if prompt.blocks[n].ttl == "1h"), default=0)
        last = max((ends[n] for n in writes), default=0)

        def write(readable_at: float) -> None:
            for n in writes:
                idle_s = _TTL_S[prompt.blocks[n].ttl or "5m"]
                self._entries.write(names[n], at=at, readable_at=readable_at, idle_s=idle_s)

        served = Served(total=total, read=hit, written=max(0, last - hit), written_long=max(0, long - hit))
        return Ticket(served, write)

    def _nearest(self, names: list[str], positions: list[int], marker: int, at: float) -> int | None:
        for n in range(marker, -1, -1):
            if positions[marker] - positions[n] >= _LOOKBACK:
                return None
            if self._entries.live(names[n], at):
                return n
        return None


def _positions(blocks: tuple[Block, ...]) -> list[int]:
    positions: list[int] = []
    before = ""
    for block in blocks:
        joins = block.kind in _RUNS and block.kind == before
        positions.append(positions[-1] + (not joins) if positions else 0)
        before = block.kind
    return positions


def _names(prompt: Prompt, scope: str) -> list[str]:
    """For each block, the digest of all up to its end and of the settings that its level and those above depend on."""
    state = blake2b(f"{scope}\x1e{prompt.model}".encode(errors="surrogatepass"), digest_size=16)
    names: list[str] = []
    entered = -1
    for block in prompt.blocks:
        while entered < LEVELS.index(block.level):
            entered += 1
            state.update(f"\x1d{prompt.settings[LEVELS[entered]]}\x1d".encode(errors="surrogatepass"))
        state.update("\x1f".join(block.tokens).encode(errors="surrogatepass"))
        state.update(b"\x1e")
        names.append(state.copy().hexdigest())
    return names
