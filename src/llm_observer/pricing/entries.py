"""Entries of a price file: which calls each is for, and what it makes of the list's prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

from llm_observer.pricing.rates import EXACT, RateCard, UnitPrices

__all__ = ["STANDARD", "PriceEntry", "PriceFile"]

STANDARD: Final = "standard"
"""The tier that a call is served at when nothing says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """One entry of a price file.

    Attributes:
        provider: A provider's name, or a pattern with `*` and `?`.
        model: A model's name in lower case, or a pattern.
        tier: The tier it is for. `None`, for an entry without prices of its own: every tier.
        starts: The first day that it holds, in UTC.
        ends: The first day that it no longer holds.
        steps: Prices by prompt length, as `RateCard` takes them; empty for a discount alone.
        multiplier: A factor on the prices: its own, or the list's where it has none.
        of_standard: The factor is on the standard tier's list price, not on that of its own tier.
        extends: Its prices add to the list's or replace them one by one.
        times_input: Prices that are a multiple of the price of input.
        most_tokens: The longest prompt whose price is known.
        absent: Why there is no price.
    """

    provider: str
    model: str
    tier: str | None
    starts: date | None = None
    ends: date | None = None
    steps: tuple[tuple[int, UnitPrices], ...] = ()
    multiplier: Decimal | None = None
    of_standard: bool = False
    extends: bool = False
    times_input: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    most_tokens: int | None = None
    absent: str | None = None

    def matches(self, providers: Sequence[str], model: str, tier: str, day: date) -> bool:
        """Whether it is for a call of this model and tier on that day, whichever of its provider's names it uses."""
        return (
            (self.tier is None or self.tier == tier)
            and (self.starts is None or self.starts <= day)
            and (self.ends is None or day < self.ends)
            and fnmatchcase(model, self.model)
            and any(fnmatchcase(name, self.provider) for name in providers)
        )

    @property
    def rank(self) -> tuple[bool, bool, int, date]:
        """What makes one of several matching entries win: an exact name, a tier, a longer pattern, a later start."""
        exact = not any(sign in self.model for sign in "*?[")
        return exact, self.tier is not None, len(self.model), self.starts or date.min

    def on(self, card: RateCard) -> RateCard:
        """The rate card that it makes of the list's."""
        steps: list[tuple[int, UnitPrices | None]] = []
        for above, prices in card.steps:
            if prices is None:
                steps.append((above, None))
                continue
            made = self._at(above).or_else(prices) if self.steps else prices
            if self.times_input and made.input is not None:
                unit = made.input
                ratios = {name: EXACT.multiply(unit, factor) for name, factor in self.times_input.items()}
                made = UnitPrices(**ratios).or_else(made)
            steps.append((above, made.times(self.multiplier) if self.multiplier is not None else made))
        return RateCard(self._capped(steps), card.source)

    def card(self, source: str) -> RateCard:
        """The rate card that it is by itself."""
        factor = Decimal(1) if self.multiplier is None else self.multiplier
        return RateCard(self._capped([(above, prices.times(factor)) for above, prices in self.steps]), source)

    def _capped(self, steps: Sequence[tuple[int, UnitPrices | None]]) -> list[tuple[int, UnitPrices | None]]:
        """Without prices for longer prompts than are priced."""
        most = self.most_tokens
        if most is None:
            return list(steps)
        return [*((above, prices) for above, prices in steps if above < most), (most, None)]

    def _at(self, above: int) -> UnitPrices:
        return next(prices for start, prices in reversed(self.steps) if start <= above)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """The entries of a price file; none when it has a problem.

    Attributes:
        entries: What it holds.
        problems: One line for each fault, with the line of the file and how to mend it.
        dated: The file's own date, `checked` at its head.
    """

    entries: tuple[PriceEntry, ...] = ()
    problems: tuple[str, ...] = ()
    dated: date | None = None

    def find(self, providers: Sequence[str], model: str, tier: str, day: date) -> PriceEntry | None:
        """The entry for a call: the most exact that matches, of equals the last in the file."""
        found: PriceEntry | None = None
        for entry in self.entries:
            if entry.matches(providers, model, tier, day) and (found is None or entry.rank >= found.rank):
                found = entry
        return found
