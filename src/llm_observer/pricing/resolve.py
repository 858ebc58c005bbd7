"""Which prices hold for a call: the user's overrides, else our corrections, else the price list, else none."""

import tomllib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Final

from llm_observer.pricing.catalog import PROVIDERS, Catalog
from llm_observer.pricing.conditions import Conditions
from llm_observer.pricing.entries import STANDARD, PriceEntry, PriceFile
from llm_observer.pricing.price_file import parse_prices
from llm_observer.pricing.rates import RateCard

__all__ = ["Resolver"]

STANDARD_TIERS: Final = frozenset({"", "default", "standard", "standard_only", "on_demand"})
"""How providers say that a call was served as usual."""


class Resolver:
    """Finds the rate card of a call. Pure; holds the price data and no state.

    Args:
        catalog: The price list, `None` when it could not be loaded.
        overrides: The user's prices.
        corrections: Ours.
        conditions: Places and peak hours.
    """

    def __init__(
        self, catalog: Catalog | None, overrides: PriceFile, corrections: PriceFile, conditions: Conditions
    ) -> None:
        self._catalog = catalog
        self._overrides = overrides
        self._corrections = corrections
        self._conditions = conditions
        self._corrected = f"llm-observer corrections {corrections.dated}"

    @classmethod
    def with_bundled(cls, catalog: Catalog | None, overrides: PriceFile) -> "Resolver":
        """With the corrections and conditions that come with the package."""
        corrections = parse_prices(_bundled("corrections.toml"))
        conditions = Conditions.of(tomllib.loads(_bundled("conditions.toml"), parse_float=Decimal))
        return cls(catalog, overrides, corrections, conditions)

    def card(
        self,
        provider: str,
        model: str,
        *,
        at: datetime,
        service_tier: str | None = None,
        batch: bool = False,
        speed: str | None = None,
        place: str | None = None,
    ) -> RateCard | str:
        """The rate card, or why there is none: see `docs/pricing.md`."""
        tier = _tier(service_tier, batch=batch, speed=speed)
        if tier is None:
            return "unknown_tier"
        provider, model = provider.lower(), model.lower()
        providers = (provider, PROVIDERS.get(provider, provider))
        entry = self._overrides.find(providers, model, tier, at.date())
        if entry is not None and entry.steps and not entry.extends:
            # The user's own prices are what the user pays, wherever the call ran.
            return entry.card("overrides")
        factor = self._conditions.place_factor(providers, model, place)
        if isinstance(factor, str):
            return factor
        card = (
            self._listed(providers, model, tier, at)
            if entry is None
            else self._overridden(entry, providers, model, tier, at)
        )
        return card if isinstance(card, str) or factor == 1 else card.times(factor)

    def _overridden(
        self, entry: PriceEntry, providers: Sequence[str], model: str, tier: str, at: datetime
    ) -> RateCard | str:
        if entry.absent is not None:
            return entry.absent
        card = self._listed(providers, model, STANDARD if entry.of_standard else tier, at)
        return card if isinstance(card, str) else entry.on(card).sourced("overrides")

    def _listed(self, providers: Sequence[str], model: str, tier: str, at: datetime) -> RateCard | str:
        """The corrected list price, with peak hours."""
        entry = self._corrections.find(providers, model, tier, at.date())
        if entry is None:
            return self._at_hour(providers[1], model, tier, at)
        if entry.absent is not None:
            return entry.absent
        if entry.steps and not entry.extends:
            return entry.card(self._corrected)
        card = self._at_hour(providers[1], model, STANDARD if entry.of_standard else tier, at)
        return card if isinstance(card, str) else entry.on(card).sourced(self._corrected)

    def _at_hour(self, provider: str, model: str, tier: str, at: datetime) -> RateCard | str:
        if self._catalog is None:
            return "prices_unavailable"
        peak = self._conditions.peak(provider, model)
        if peak is None:
            return self._catalog.card(provider, model, tier, at)
        factor = peak.factor(at)
        if isinstance(factor, str):
            return factor
        card = self._catalog.card(provider, model, tier, peak.off_peak(at))
        return card if isinstance(card, str) or factor == 1 else card.times(factor)


def _tier(service_tier: str | None, *, batch: bool, speed: str | None) -> str | None:
    """The one tier that the three together name, `None` when they contradict each other."""
    named = {
        name
        for name in ((service_tier or "").strip().lower(), (speed or "").strip().lower(), "batch" if batch else "")
        if name not in STANDARD_TIERS
    }
    if len(named) > 1:
        return None
    return named.pop() if named else STANDARD


def _bundled(name: str) -> str:
    return files("llm_observer.pricing").joinpath(name).read_text(encoding="utf-8")
