"""When a prompt cache pays, and for how long to keep an entry: pure arithmetic on prices and gaps between calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

__all__ = [
    "LIFETIMES",
    "BreakEven",
    "Lifetime",
    "LifetimeAdvice",
    "break_even",
    "lifetime_advice",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long a provider keeps a cache entry that nobody reads.

    Attributes:
        name: As the request names it: `5m`, `1h`, `30m`, `12h`.
        seconds: The same in seconds, from the start of the last call that wrote or read it.
        words: As a person says it.
    """

    name: str
    seconds: int
    words: str


LIFETIMES = {
    lifetime.name: lifetime
    for lifetime in (
        Lifetime(name="5m", seconds=300, words="5 minutes"),
        Lifetime(name="30m", seconds=1_800, words="30 minutes"),
        Lifetime(name="1h", seconds=3_600, words="1 hour"),
        Lifetime(name="12h", seconds=43_200, words="12 hours"),
    )
}
"""The lifetimes that Anthropic (5m, 1h) and OpenAI from GPT-5.6 on (30m, 12h) let a request choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """From which call on a prefix that is written once and then read costs less than one that is never cached.

    Attributes:
        calls: The number of calls, the writing one included.
        lifetime: Within which they have to come, each after the one before; `None` when the provider chooses.
    """

    calls: int
    lifetime: Lifetime | None = None

    def __str__(self) -> str:
        within = f" within {self.lifetime.words}" if self.lifetime else ""
        return f"pays from the {_ordinal(self.calls)} call{within}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeAdvice:
    """What the observed gaps would have cost under each lifetime, for one token of the prefix per million.

    Attributes:
        best: The cheapest way; `None` is "do not cache".
        costs: US dollars per million tokens of the prefix, over all the calls observed, by lifetime name; `none` is
            without the cache.
        calls: How many calls were observed.
    """

    best: Lifetime | None
    costs: dict[str, Decimal]
    calls: int

    def saves_over(self, name: str) -> Decimal:
        """US dollars per million tokens that the best way costs less than `name` over the calls observed."""
        return self.costs[name] - self.costs[self.best.name if self.best else "none"]


def break_even(
    *, input_price: Decimal, read_price: Decimal, write_price: Decimal | None = None, lifetime: str | None = None
) -> BreakEven | None:
    """The smallest N with one write and N-1 reads cheaper than N times plain input; `None` when it never pays.

    Prices are per token in any one unit. Where writing has no price of its own it costs plain input.
    """
    write = input_price if write_price is None else write_price
    gain = input_price - read_price
    if gain <= 0:
        return None
    # write + (N - 1) * read < N * input  <=>  N > (write - read) / (input - read)
    calls = int((write - read_price) // gain) + 1
    return BreakEven(calls=max(calls, 2), lifetime=LIFETIMES.get(lifetime) if lifetime else None)


def lifetime_advice(
    gaps_s: Sequence[float],
    *,
    input_price: Decimal,
    read_price: Decimal,
    write_prices: dict[str, Decimal],
) -> LifetimeAdvice | None:
    """Which lifetime would have been the cheapest for calls with these gaps, or none; `None` without gaps or prices.

    Every call reads the prefix when the last call's start lies no longer back than the lifetime, which a read renews
    for free, and writes it again otherwise. Of equal costs the shorter lifetime wins, and no cache over all.

    Args:
        gaps_s: Seconds from the start of each call to the start of the next with the same prefix.
        input_price: Plain input, per million tokens.
        read_price: A cache read.
        write_prices: A cache write, by the lifetime's name as in `LIFETIMES`.
    """
    known = [LIFETIMES[name] for name in write_prices if name in LIFETIMES]
    if not gaps_s or not known:
        return None
    calls = len(gaps_s) + 1
    costs = {"none": input_price * calls}
    best: Lifetime | None = None
    for lifetime in sorted(known, key=lambda lifetime: lifetime.seconds):
        reads = sum(1 for gap in gaps_s if gap <= lifetime.seconds)
        costs[lifetime.name] = write_prices[lifetime.name] * (calls - reads) + read_price * reads
        if costs[lifetime.name] < costs[best.name if best else "none"]:
            best = lifetime
    return LifetimeAdvice(best=best, costs=costs, calls=calls)


def _ordinal(number: int) -> str:
    teen = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
