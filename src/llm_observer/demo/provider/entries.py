"""What a prompt cache holds, and what it tells of one request."""

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Entries", "Entry", "Served", "Ticket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The truth about one request: input tokens in all, and of them those read from the cache and written to it.

    `written_long` is the part of `written` that is kept for longer: 1 hour at Anthropic, 12 hours at OpenAI.
    """

    total: int
    read: int = 0
    written: int = 0
    written_long: int = 0


@dataclass(slots=True, kw_only=True)
class Entry:
    """One cached prefix. Times are seconds of the provider's clock."""

    readable_at: float
    created_at: float
    used_at: float
    idle_s: float
    """How long it lives after its last use."""
    age_s: float = float("inf")
    """How long it lives at most, used or not."""


@dataclass(slots=True)
class Entries:
    """Cached prefixes by the digest of all that leads to their end."""

    _by_digest: dict[str, Entry] = field(default_factory=dict[str, Entry])

    def live(self, name: str, at: float) -> bool:
        """Whether the prefix can be read at `at`."""
        entry = self._by_digest.get(name)
        return (
            entry is not None
            and entry.readable_at <= at
            and at - entry.used_at <= entry.idle_s
            and at - entry.created_at <= entry.age_s
        )

    def use(self, name: str, at: float) -> None:
        """Start the lifetime of a prefix anew from `at`."""
        entry = self._by_digest[name]
        entry.used_at = max(entry.used_at, at)

    def write(self, name: str, *, at: float, readable_at: float, idle_s: float, age_s: float = float("inf")) -> None:
        """Keep a prefix of a request that started at `at`; of one that is there already, start the lifetime anew."""
        if self.live(name, readable_at):
            self.use(name, at)
        else:
            self._by_digest[name] = Entry(
                readable_at=readable_at, created_at=at, used_at=at, idle_s=idle_s, age_s=age_s
            )


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that the cache has looked up. What it writes becomes readable when its response begins."""

    served: Served
    _write: Callable[[float], None]

    def begin_response(self, at: float) -> None:
        """The first byte of the response leaves at `at`."""
        self._write(at)
