"""What tokens cost: unit prices by prompt length, and the exact arithmetic on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Context, Decimal
from typing import Final

from llm_observer.usage import Usage

__all__ = ["EXACT", "PRICE_NAMES", "RateCard", "UnitPrices"]

EXACT: Final = Context(prec=100, traps=[])
"""Our own decimal context: the application's may round or trap."""

_MILLION_EXPONENT: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrices:
    """List prices in US dollars per million tokens; `None` is "not known", never zero.

    `web_search` is per million requests, so that every price has one unit.
    """

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    cache_write_12h: Decimal | None = None
    input_audio: Decimal | None = None
    cache_read_audio: Decimal | None = None
    input_image: Decimal | None = None
    reasoning: Decimal | None = None
    output_audio: Decimal | None = None
    output_image: Decimal | None = None
    web_search: Decimal | None = None

    def times(self, factor: Decimal) -> "UnitPrices":
        """Every token price times `factor`; fees per request stay."""
        scaled = {name: EXACT.multiply(price, factor) for name, price in self.known() if name not in _FEES}
        return replace(self, **scaled)

    def or_else(self, other: "UnitPrices") -> "UnitPrices":
        """These prices, and `other`'s where these are not known."""
        return replace(other, **dict(self.known()))

    def known(self) -> Iterable[tuple[str, Decimal]]:
        """The prices that are known, by name."""
        for name in PRICE_NAMES:
            price: Decimal | None = getattr(self, name)
            if price is not None:
                yield name, price


PRICE_NAMES: Final = tuple(field.name for field in fields(UnitPrices))
_FEES: Final = frozenset({"web_search"})


class _Rates:
    """`UnitPrices` as integers per token, `None` where a kind of token has no known price."""

    __slots__ = (*PRICE_NAMES,)

    input: int
    output: int | None
    cache_read: int | None
    cache_write: int | None
    cache_write_1h: int | None
    cache_write_12h: int | None
    input_audio: int | None
    cache_read_audio: int | None
    input_image: int | None
    reasoning: int | None
    output_audio: int | None
    output_image: int | None
    web_search: int | None

    def __init__(self, prices: UnitPrices, decimals: int) -> None:
        for name in PRICE_NAMES:
            price: Decimal | None = getattr(prices, name)
            setattr(self, name, None if price is None else int(price.scaleb(decimals, EXACT)))


class RateCard:
    """The unit prices of one model under one tier at one time.

    Args:
        steps: Pairs of a prompt length in tokens and the prices of calls whose prompt is longer, shortest first; the
            first length is -1. The step applies to the whole call. `None`: there is no price from that length on.
        source: Where the prices come from.
    """

    __slots__ = ("_exponent", "_rates", "source", "steps")

    def __init__(self, steps: Sequence[tuple[int, UnitPrices | None]], source: str) -> None:
        self.source = source
        self.steps = tuple(steps)
        known = [price for _, prices in steps if prices is not None for _, price in prices.known()]
        decimals = max((-int(price.normalize(EXACT).as_tuple().exponent) for price in known), default=0)
        decimals = max(decimals, 0)
        self._exponent = -decimals - _MILLION_EXPONENT
        self._rates = tuple(
            (above, None if prices is None or prices.input is None else _Rates(prices, decimals))
            for above, prices in steps
        )

    def unit_prices(self, prompt_tokens: int = 0) -> UnitPrices | None:
        """The prices of a call with a prompt of `prompt_tokens`."""
        chosen = None
        for above, prices in self.steps:
            if prompt_tokens > above:
                chosen = prices
        return chosen

    def times(self, factor: Decimal) -> "RateCard":
        """The same card with every token price times `factor`."""
        return RateCard(
            [(above, None if prices is None else prices.times(factor)) for above, prices in self.steps], self.source
        )

    def sourced(self, source: str) -> "RateCard":
        """The same card from another source."""
        return RateCard(self.steps, source)

    def usd(self, amount: int) -> Decimal:
        """An amount in this card's unit as US dollars, exactly."""
        return Decimal(amount).scaleb(self._exponent, EXACT)

    def charge(self, usage: Usage) -> tuple[int, int | None] | str:
        """What `usage` costs and what its cache reads saved, net of what its writes cost above plain input.

        Returns:
            Cost and saving as exact amounts in this card's unit (the saving `None` when no cache use is reported), or
            why there is none: `incomplete_usage`, `unknown_rate`.
        """
        prompt = usage.input_tokens
        if prompt is None:
            return "incomplete_usage"
        rates = self._rates[0][1]
        if len(self._rates) > 1:
            for above, step in self._rates:
                if prompt > above:
                    rates = step
        if rates is None:
            return "unknown_rate"
        unit = rates.input
        cost = prompt * unit
        saved = 0
        read = usage.cache_read_tokens
        if read:
            if rates.cache_read is None:
                return "unknown_rate"
            saved += read * (unit - rates.cache_read)
        write = usage.cache_write_tokens
        if write:
            long, longest = usage.cache_write_1h_tokens, usage.cache_write_12h_tokens
            if long:
                if rates.cache_write_1h is None:
                    return "unknown_rate"
                saved += long * (unit - rates.cache_write_1h)
                write -= long
            if longest:
                if rates.cache_write_12h is None:
                    return "unknown_rate"
                saved += longest * (unit - rates.cache_write_12h)
                write -= longest
            if write:
                if rates.cache_write is None:
                    return "unknown_rate"
                saved += write * (unit - rates.cache_write)
        out = usage.output_tokens
        extra = 0
        if out:
            if rates.output is None:
                return "unknown_rate"
            extra = out * rates.output
        elif out is None and rates.output is not None:
            return "incomplete_usage"
        if (
            usage.input_audio_tokens
            or usage.input_image_tokens
            or usage.reasoning_tokens
            or usage.output_audio_tokens
            or usage.output_image_tokens
            or usage.web_search_requests
        ):
            more = _modalities(rates, usage)
            if isinstance(more, str):
                return more
            extra += more[0]
            saved += more[1]
        return cost - saved + extra, None if read is None and usage.cache_write_tokens is None else saved


def _modalities(rates: _Rates, usage: Usage) -> tuple[int, int] | str:
    """What audio, images, reasoning and searches cost beyond text at the plain rates, and save beyond it."""
    more = saved = 0
    read = usage.cache_read_tokens or 0
    audio, cached_audio = usage.input_audio_tokens or 0, usage.cache_read_audio_tokens
    if audio:
        if rates.input_audio is None:
            return "unknown_rate"
        more += audio * (rates.input_audio - rates.input)
        if read and cached_audio is None and rates.input_audio != rates.input:
            # Which of the cached tokens were audio is not told, and they cost differently.
            return "unknown_rate"
        if cached_audio:
            if rates.cache_read_audio is None or rates.cache_read is None:
                return "unknown_rate"
            saved += cached_audio * (rates.input_audio - rates.cache_read_audio - rates.input + rates.cache_read)
    image = usage.input_image_tokens or 0
    if image and rates.input_image is not None and rates.input_image != rates.input:
        if read:
            # No usage tells how many of the cached tokens were images.
            return "unknown_rate"
        more += image * (rates.input_image - rates.input)
    reasoning = usage.reasoning_tokens or 0
    if reasoning and rates.reasoning is not None and rates.output is not None:
        more += reasoning * (rates.reasoning - rates.output)
    audio = usage.output_audio_tokens or 0
    if audio:
        if rates.output_audio is None or rates.output is None:
            return "unknown_rate"
        more += audio * (rates.output_audio - rates.output)
    image = usage.output_image_tokens or 0
    if image and rates.output_image is not None and rates.output is not None:
        more += image * (rates.output_image - rates.output)
    if usage.web_search_requests:
        if rates.web_search is None:
            return "unknown_rate"
        more += usage.web_search_requests * rates.web_search
    return more, saved
