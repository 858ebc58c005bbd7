"""How soon and how much of a prompt was sent again: what choosing a cache lifetime needs, in constant memory."""

from llm_observer.results import LIFETIMES

__all__ = ["Reuse"]


class Reuse:
    """The calls of one prompt to one model, counted by what each cache lifetime would have let them read.

    A call's prefix is what it read from and wrote to the cache, or could have read. Under a lifetime it is read as far
    as an earlier call used it no longer ago than the lifetime, which a read renews, and written for the rest.
    Calls of which the provider did not say what was read do not count.

    Attributes:
        calls: How many calls were counted.
        prefix_tokens: Their prefixes, added up.
        written: Tokens written to the cache, as the provider reports them.
        long_writes: Those of them that were written for longer than usual, by lifetime.
        readable: Tokens of the prefixes that could be read, by lifetime.
    """

    __slots__ = ("_read", "_unsized", "calls", "long_writes", "prefix_tokens", "readable", "written")

    def __init__(self) -> None:
        self.calls = 0
        self.prefix_tokens = 0
        self.written = 0
        self.long_writes: dict[str, int] = {}
        self.readable = dict.fromkeys(LIFETIMES, 0)
        self._read = 0
        self._unsized = 0

    def add(
        self,
        *,
        read: int | None,
        write: int | None,
        write_1h: int | None = None,
        write_12h: int | None = None,
        expected_tokens: int | None = None,
        gap_s: float | None = None,
    ) -> None:
        """Count a call.

        Args:
            read: Tokens that it read from the cache.
            write: Tokens that it wrote.
            write_1h: Those of them that were written for an hour.
            write_12h: Those that were written for twelve.
            expected_tokens: What it could have read, had nothing stood in the way.
            gap_s: Seconds since an earlier call last used that; `None` where no such call is known.
        """
        if read is None:
            return
        self.calls += 1
        self._read += read
        write = write or 0
        self.written += write
        for name, tokens in (("1h", write_1h), ("12h", write_12h)):
            if tokens:
                self.long_writes[name] = self.long_writes.get(name, 0) + tokens
        reusable = max(read, expected_tokens or 0) if gap_s is not None else read
        prefix = max(read + write, reusable)
        self._unsized += not prefix
        self.prefix_tokens += prefix
        # Where the long part was gone already, the rest that was read is taken to live as it did.
        rest = read if gap_s is None or read < reusable else 0
        for name, lifetime in LIFETIMES.items():
            self.readable[name] += reusable if gap_s is not None and gap_s <= lifetime.seconds else rest

    @property
    def tokens(self) -> int:
        """The prefixes; where the cache was never used, the calls before any comparison count as the others do."""
        sized = self.calls - self._unsized
        if self.written or self._read or not sized:
            return self.prefix_tokens
        return self.prefix_tokens * self.calls // sized

    @property
    def cached(self) -> bool:
        """Whether the provider's cache was used at all."""
        return bool(self.written or self._read)
