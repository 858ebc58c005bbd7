"""`Prices`: what a call cost, from list prices that load off the caller's path and are resolved once per model."""

import functools
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Unpack

from llm_observer.guard import guard
from llm_observer.pricing.catalog import Catalog
from llm_observer.pricing.entries import PriceFile
from llm_observer.pricing.loading import BackgroundLoad
from llm_observer.pricing.price_file import read_prices
from llm_observer.pricing.rates import EXACT, RateCard, UnitPrices
from llm_observer.pricing.resolve import Resolver
from llm_observer.pricing.terms import At, CallTerms
from llm_observer.results import CostEstimate
from llm_observer.usage import IteratedUsage, Usage

__all__ = ["Prices"]

log = logging.getLogger("llm_observer")

_REMEMBERED: Final = 1024
"""Rate cards, and reasons for having none, that are kept, last used first."""

_LONGEST_NAME: Final = 512
_SLOT_SECONDS: Final = 900
"""Prices by the time of day change on quarter hours: a card is good for one."""

_TOLD: Final = 5
"""Problems of the overrides that are logged; `Prices.problems` has all."""

_PROVIDER: Final = "provider"
"""The source of a bill that the usage itself holds."""

_ZERO: Final = Decimal(0)

_Terms = tuple[str, str | None, str | None, bool, str | None, str | None]
"""Provider, model, service tier, batch, speed, place."""


class Prices:
    """The cost of calls by list prices. Safe in threads and across fork; no network, ever.

    Args:
        overrides: A file of prices that win over the list's, see `llm_observer.pricing.price_file`.
    """

    def __init__(self, overrides: Path | None = None) -> None:
        self._overrides_path = overrides
        self._resolver = BackgroundLoad(self._load, "prices")
        self.problems: tuple[str, ...] = ()
        """What is wrong with the overrides, one line each; known once loaded."""
        self._card = functools.lru_cache(maxsize=_REMEMBERED)(self._resolve)
        self.cache_info = self._card.cache_info
        """How many rate cards, and reasons for having none, are kept."""

    @property
    def loaded(self) -> bool:
        """Whether loading has ended, well or not."""
        return self._resolver.ended()

    def start_loading(self) -> None:
        """Load the prices in a daemon thread, once. Returns at once."""
        self._resolver.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until the prices are loaded, at most `timeout_s`; starts loading when nothing has."""
        return self._resolver.wait(timeout_s)

    def estimate(
        self,
        *,
        provider: str,
        model: str | None,
        usage: Usage | None,
        service_tier: str | None = None,
        batch: bool = False,
        speed: str | None = None,
        inference_geo: str | None = None,
        at: At = None,
    ) -> CostEstimate:
        """What a call cost and what its cache use saved, or why that is not known. Never raises for odd values.

        Args:
            provider: OpenTelemetry's provider name, or the gateway's.
            model: The model as billed; see `llm_observer.pricing.terms`.
            usage: Its tokens.
            service_tier: The tier that served it.
            batch: It ran in a batch; OpenAI's usage does not tell.
            speed: Anthropic's `speed`.
            inference_geo: Where it ran, when that has a price.
            at: When it started: Unix seconds or a datetime (naive is UTC); now when left out.
        """
        if usage is None:
            return CostEstimate(reason="no_usage")
        bill = usage.reported_cost_usd
        if usage.problem is not None:
            return CostEstimate(reason="invalid_usage") if bill is None else _billed(bill)
        terms = (provider, model, service_tier, batch, speed, inference_geo)
        if type(usage) is not Usage and isinstance(usage, IteratedUsage):
            return self._estimate_iterations(usage, terms, at)
        card = self._card_for(terms, at)
        charge = card if isinstance(card, str) else card.charge(usage)
        if isinstance(card, str) or isinstance(charge, str):
            return CostEstimate(reason=str(charge)) if bill is None else _billed(bill)
        cost, saved = charge
        return CostEstimate(
            usd=card.usd(cost) if bill is None else bill,
            saved_usd=None if saved is None else card.usd(saved),
            source=card.source if bill is None else _PROVIDER,
        )

    def lost(
        self,
        *,
        usage: Usage | None,
        missed_tokens: int,
        **terms: Unpack[CallTerms],
    ) -> Decimal | None:
        """What a call would have cost less, had `missed_tokens` more of its prompt been read from the cache.

        The cost as it was minus the cost of the same tokens with the missed ones moved to the cache reads, taken from
        its cache writes first, then from plain text input. At least zero, at most what the call cost; `None` when
        either cost is not known.
        """
        if usage is None or usage.problem is not None or usage.input_tokens is None or missed_tokens < 0:
            return None
        card = self._card_for(*_key(**terms))
        if isinstance(card, str):
            return None
        paid, fixed = card.charge(usage), card.charge(_with_reads(usage, missed_tokens))
        if isinstance(paid, str) or isinstance(fixed, str):
            return None
        most = card.usd(paid[0]) if usage.reported_cost_usd is None else usage.reported_cost_usd
        return max(_ZERO, min(card.usd(paid[0] - fixed[0]), most))

    def write_premium(
        self,
        *,
        tokens: int,
        ttl: str | None = None,
        **terms: Unpack[CallTerms],
    ) -> Decimal | None:
        """What writing `tokens` to the cache for `ttl` costs above plain input; `None` when not known.

        `ttl` is `1h` or `12h` for the long lifetimes; anything else is the provider's usual one.
        """
        card = self._card_for(*_key(**terms))
        if isinstance(card, str):
            return None
        written = Usage(
            input_tokens=tokens,
            output_tokens=0,
            cache_write_tokens=tokens,
            cache_write_1h_tokens=tokens if ttl == "1h" else None,
            cache_write_12h_tokens=tokens if ttl == "12h" else None,
        )
        charge = card.charge(written)
        return None if isinstance(charge, str) or charge[1] is None else card.usd(-charge[1])

    def unit_prices(
        self,
        *,
        prompt_tokens: int = 0,
        **terms: Unpack[CallTerms],
    ) -> UnitPrices | None:
        """The prices per million tokens of a call with a prompt of `prompt_tokens`; `None` when not known."""
        card = self._card_for(*_key(**terms))
        return None if isinstance(card, str) else card.unit_prices(prompt_tokens)

    def _estimate_iterations(self, usage: IteratedUsage, terms: _Terms, at: At) -> CostEstimate:
        """The sum over the runs of a model that one call was billed as; searches are reported for all together."""
        if not usage.iterations:
            return CostEstimate(reason="separate_iterations")
        usd = saved = _ZERO
        source: str | None = None
        searches = usage.web_search_requests
        for run in usage.iterations:
            card = self._card_for((terms[0], run.model or terms[1], *terms[2:]), at)
            tokens = replace(run.usage, web_search_requests=searches) if searches else run.usage
            searches = None
            charge = card if isinstance(card, str) else "invalid_usage" if tokens.problem else card.charge(tokens)
            if isinstance(card, str) or isinstance(charge, str):
                return CostEstimate(reason=str(charge))
            usd = EXACT.add(usd, card.usd(charge[0]))
            saved = EXACT.add(saved, card.usd(charge[1] or 0))
            source = source or card.source
        return CostEstimate(usd=usd, saved_usd=saved, source=source)

    def _card_for(self, terms: _Terms, at: At) -> RateCard | str:
        if not self._resolver.ended():
            return "prices_loading"
        model = terms[1]
        try:
            if not model or len(model) > _LONGEST_NAME:
                return "unknown_model"
            if type(terms[3]) is not bool:
                return "invalid_terms"
            seconds = time.time() if at is None else at if isinstance(at, float | int) else _timestamp(at)
            return self._card(terms, int(seconds // _SLOT_SECONDS))
        except (TypeError, ValueError, ArithmeticError, AttributeError, OSError):
            # A value that is not of its declared type, or a time out of any calendar.
            return "invalid_terms"

    def _resolve(self, terms: _Terms, slot: int) -> RateCard | str:
        provider, model, service_tier, batch, speed, place = terms
        resolver = self._resolver.value
        if resolver is None:
            return "prices_unavailable"
        return resolver.card(
            provider,
            model or "",
            at=datetime.fromtimestamp(slot * _SLOT_SECONDS, UTC),
            service_tier=service_tier,
            batch=batch,
            speed=speed,
            place=place,
        )

    def _load(self) -> Resolver:
        overrides = PriceFile() if self._overrides_path is None else read_prices(self._overrides_path)
        self.problems = overrides.problems
        if overrides.problems:
            log.error("prices are used without the overrides: %s", "; ".join(overrides.problems[:_TOLD]))
        catalog = None
        with guard("prices.catalog"):
            catalog = Catalog.load()
        return Resolver.with_bundled(catalog, overrides)


def _billed(usd: Decimal) -> CostEstimate:
    return CostEstimate(usd=usd, source=_PROVIDER)


def _key(
    *,
    provider: str,
    model: str | None,
    service_tier: str | None = None,
    batch: bool = False,
    speed: str | None = None,
    inference_geo: str | None = None,
    at: At = None,
) -> tuple[_Terms, At]:
    return (provider, model, service_tier, batch, speed, inference_geo), at


def _timestamp(at: datetime) -> float:
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _with_reads(usage: Usage, missed: int) -> Usage:
    """The same tokens with `missed` more of them cache reads: from the usual writes, the long ones, then plain text."""
    whole = usage.input_tokens or 0
    read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    long, longest = usage.cache_write_1h_tokens or 0, usage.cache_write_12h_tokens or 0
    other = (usage.input_audio_tokens or 0) + (usage.input_image_tokens or 0)
    plain = max(0, whole - read - write - other)
    written = min(missed, write)
    moved = written + min(missed - written, plain)
    beyond = max(0, written - (write - long - longest))
    from_long = min(beyond, long)
    return replace(
        usage,
        cache_read_tokens=read + moved,
        cache_write_tokens=write - written,
        cache_write_1h_tokens=long - from_long,
        cache_write_12h_tokens=longest - (beyond - from_long),
    )
