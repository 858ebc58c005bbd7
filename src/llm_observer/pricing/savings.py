"""When a prompt cache pays, and for how long to keep an entry: pure arithmetic on prices and on what was sent again."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from llm_observer.pricing.rates import EXACT
from llm_observer.pricing.reuse import Reuse
from llm_observer.results import LIFETIMES, BreakEven, Lifetime, LifetimeAdvice

__all__ = ["break_even", "lifetime_advice"]

_PER_TOKEN: Final = Decimal("1e-6")


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
    reuse: Reuse, *, input_price: Decimal, read_price: Decimal, write_prices: Mapping[str, Decimal], usual: str
) -> LifetimeAdvice | None:
    """Which lifetime would have been the cheapest for these calls, or none.

    Of equal costs the one in use wins, then the shorter, and no cache over all. `None` where there is nothing to choose
    from, or where the calls do not tell which lifetime is in use.

    Args:
        reuse: What was sent again, and when.
        input_price: US dollars per million tokens of plain input.
        read_price: The same of a cache read.
        write_prices: The same of a cache write, by the lifetime's name as in `LIFETIMES`.
        usual: The lifetime that applies when a request names none.
    """
    choices = {name: LIFETIMES[name] for name in LIFETIMES if name in write_prices}
    tokens = reuse.tokens
    if len(choices) < 2 or reuse.calls < 2 or not tokens:
        return None
    now: Lifetime | None = None
    if reuse.cached:
        named = _in_use(reuse, usual)
        if named is None or named not in choices:
            return None
        now = choices[named]
    costs = {"none": _usd(tokens * input_price)}
    for name in choices:
        read = reuse.readable[name]
        costs[name] = _usd((tokens - read) * write_prices[name] + read * read_price)
    best = now.name if now is not None else "none"
    for name in ("none", *choices):
        if costs[name] < costs[best]:
            best = name
    chosen = choices.get(best)
    return LifetimeAdvice(
        now=now,
        best=chosen,
        costs_usd=costs,
        pays=None
        if chosen is None
        else break_even(
            input_price=input_price, read_price=read_price, write_price=write_prices[best], lifetime=chosen.name
        ),
        calls=reuse.calls,
    )


def _in_use(reuse: Reuse, usual: str) -> str | None:
    """The lifetime that most of what was written was written for; `None` where nothing was written."""
    if not reuse.written:
        return None
    for name, tokens in reuse.long_writes.items():
        if 2 * tokens > reuse.written:
            return name
    return usual


def _usd(amount: Decimal) -> Decimal:
    return EXACT.multiply(amount, _PER_TOKEN)
