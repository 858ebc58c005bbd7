"""OpenAI's prompt cache, as the prompt-caching guide and the SDK's docstrings describe it (read 2026-11-22).

Before GPT-5.6 a prefix can be read up to the last point of a fixed grid. From GPT-5.6 on it can be read only where an
earlier request wrote a boundary and where this request looks for one. Where the guide gives a range, this cache keeps
to the end of it that a caller can rely on: 5 minutes of idleness for `in_memory`, 30 minutes for `24h`.

Reasoned where the documents are silent: using a prefix also refreshes the shorter ones that the request looked up;
another `prompt_cache_key` is another cache on every model; another service tier is one from GPT-5.6 on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

from llm_observer.demo.provider.entries import Entries, Served, Ticket
from llm_observer.demo.provider.openai_prompt import Prompt
from llm_observer.demo.provider.tokens import digest

__all__ = ["OpenAICache", "reports_writes"]

_MODEL = re.compile(r"(?:ft:)?gpt-(\d+)(?:\.(\d+))?")

_BOUNDARIES_SINCE = (5, 6)
_MINIMUM = 1024
_WRITES = 4
_FIRST_EXPLICIT, _LATEST_EXPLICIT, _EARLIER_ENDINGS = 2, 50, 20
_TTL_S = {"30m": 1_800.0, "12h": 43_200.0}
_LONG = "12h"

_REPORTED_IN = 128
_RETENTION_S = {"in_memory": (300.0, 3_600.0), "24h": (1_800.0, 86_400.0)}
"""Seconds that an entry lives idle, and at most."""


@dataclass(frozen=True, slots=True)
class _Grid:
    interval: int
    minimum: int


_GRID_5_5 = _Grid(interval=2048, minimum=2048)
_GRID_OLDER = _Grid(interval=128, minimum=_MINIMUM)


class OpenAICache:
    """The prompt caches of all organisations.

    Args:
        hidden_tokens: Length of the provider's own text before every prompt. It is not counted to the input, but the
            grid of the models before GPT-5.6 starts with it.
        default_retention: What applies on models before GPT-5.5 when a request does not say. `in_memory` is the
            default of organisations with zero data retention, `24h` of the others.
    """

    def __init__(self, *, hidden_tokens: int = 0, default_retention: str = "in_memory") -> None:
        self._hidden = hidden_tokens
        self._retention = default_retention
        self._entries = Entries()

    def look_up(self, prompt: Prompt, *, scope: str, at: float) -> Ticket:
        """What the cache serves to a request that starts at `at`; `scope` names the organisation and project."""
        version = _version(prompt.model)
        if version >= _BOUNDARIES_SINCE:
            return self._at_boundaries(prompt, digest(scope, prompt.model, prompt.key, prompt.tier), at)
        grid, retention = _GRID_OLDER, prompt.retention or self._retention
        if version == (5, 5):
            grid, retention = _GRID_5_5, "24h"
        return self._on_grid(prompt, digest(scope, prompt.model, prompt.key), at, grid, retention)

    def _on_grid(self, prompt: Prompt, seed: str, at: float, grid: _Grid, retention: str) -> Ticket:
        tokens = list(chain.from_iterable(block.tokens for block in prompt.blocks))
        points = [
            point - self._hidden
            for point in range(grid.interval, self._hidden + len(tokens) + 1, grid.interval)
            if point - self._hidden >= grid.minimum
        ]
        names = list(_names_at(tokens, points, digest(seed, prompt.settings)))
        found = next((n for n in reversed(range(len(names))) if self._entries.live(names[n], at)), None)
        read = 0
        if found is not None:
            read = points[found] // _REPORTED_IN * _REPORTED_IN
            for name in names[: found + 1]:
                if self._entries.live(name, at):
                    self._entries.use(name, at)
        idle_s, age_s = _RETENTION_S[retention]

        def write(readable_at: float) -> None:
            for name in names:
                self._entries.write(name, at=at, readable_at=readable_at, idle_s=idle_s, age_s=age_s)

        return Ticket(Served(total=len(tokens), read=read), write)

    def _at_boundaries(self, prompt: Prompt, seed: str, at: float) -> Ticket:
        ends: list[int] = []
        total = 0
        for block in prompt.blocks:
            total += len(block.tokens)
            ends.append(total)
        tokens = list(chain.from_iterable(block.tokens for block in prompt.blocks))
        names = dict(zip(ends, _names_at(tokens, ends, digest(seed, prompt.settings)), strict=True))
        looked_up, writes = _boundaries(prompt, ends)
        live = sorted(end for end in looked_up if self._entries.live(names[end], at))
        for end in live:
            self._entries.use(names[end], at)
        read = live[-1] if live else 0
        written = max(0, max(writes, default=0) - read)

        def write(readable_at: float) -> None:
            for end in writes:
                self._entries.write(names[end], at=at, readable_at=readable_at, idle_s=_TTL_S[prompt.ttl])

        kept_long = written if prompt.ttl == _LONG else 0
        return Ticket(Served(total=total, read=read, written=written, written_long=kept_long), write)


def reports_writes(model: str) -> bool:
    """Whether the usage of this model tells what was written to the cache."""
    return _version(model) >= _BOUNDARIES_SINCE


def _version(model: str) -> tuple[int, int]:
    """Major and minor of a GPT model; of any other, older than all that differ."""
    match = _MODEL.match(model)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def _boundaries(prompt: Prompt, ends: list[int]) -> tuple[set[int], list[int]]:
    """Where a request to GPT-5.6 or later looks for an earlier write, and where it writes, as token positions."""
    explicit = [end for end, block in zip(ends, prompt.blocks, strict=True) if block.explicit]
    looked_up = {*explicit[:_FIRST_EXPLICIT], *explicit[-_LATEST_EXPLICIT:]}
    if prompt.explicit_only:
        writes = explicit[-_WRITES:]
    else:
        endings = [end for end, block in zip(ends, prompt.blocks, strict=True) if block.ending]
        looked_up.update(endings[-1 - _EARLIER_ENDINGS :])
        looked_up.update(end for end, block in zip(ends, prompt.blocks, strict=True) if block.opening)
        implicit = endings[-1:]
        writes = [*[end for end in explicit if end not in implicit][-(_WRITES - 1) :], *implicit]
    return looked_up, [end for end in writes if end >= _MINIMUM]


def _names_at(tokens: list[str], points: list[int], seed: str) -> Iterator[str]:
    """For each of the rising `points`, the digest of the tokens before it."""
    state = blake2b(seed.encode(), digest_size=16)
    done = 0
    for point in points:
        state.update("\x1f".join(tokens[done:point]).encode(errors="surrogatepass"))
        state.update(b"\x1e")
        done = point
        yield state.copy().hexdigest()
