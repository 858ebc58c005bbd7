"""What the cache saved on a call, what a miss lost, and what a write costs above plain input."""

from decimal import Decimal, localcontext

import pytest

from llm_observer.pricing.prices import Prices
from llm_observer.pricing.terms import CallTerms
from llm_observer.usage import Usage

AT = 1795176000.0
"""2026-11-20 12:00 UTC."""

OPUS = CallTerms(provider="anthropic", model="claude-opus-4-5", at=AT)  # 5, read 0.50, write 6.25 and 10, output 25
GPT = CallTerms(provider="openai", model="gpt-5.6-sol", at=AT)  # 4, read 0.40, write 5, output 20
OLD_GPT = CallTerms(provider="openai", model="gpt-4o", at=AT)  # 2.50, read 1.25, writes free
UNCACHED = CallTerms(provider="openai", model="gpt-5-pro", at=AT)  # no cached rate


def saved(prices: Prices, terms: CallTerms, usage: Usage) -> Decimal | None:
    return prices.estimate(usage=usage, **terms).saved_usd


class TestSaved:
    """Against the same call without the cache, net of write premiums."""

    def test_reads_save(self, prices: Prices) -> None:
        """10,000 x (5 - 0.50)."""
        usage = Usage(input_tokens=11_000, output_tokens=100, cache_read_tokens=10_000, cache_write_tokens=0)
        assert saved(prices, OPUS, usage) == Decimal("0.045")

    def test_a_write_that_nothing_read_yet_loses(self, prices: Prices) -> None:
        """8,000 x (5 - 6.25): negative, and shown so."""
        usage = Usage(input_tokens=11_000, output_tokens=100, cache_read_tokens=0, cache_write_tokens=8_000)
        assert saved(prices, OPUS, usage) == Decimal("-0.01")

    def test_net_of_both_lifetimes(self, prices: Prices) -> None:
        """10,000 x 4.50 - 1,000 x 1.25 - 2,000 x 5."""
        usage = Usage(
            input_tokens=20_000,
            output_tokens=0,
            cache_read_tokens=10_000,
            cache_write_tokens=3_000,
            cache_write_1h_tokens=2_000,
        )
        assert saved(prices, OPUS, usage) == Decimal("0.03375")

    def test_reported_zero_is_zero(self, prices: Prices) -> None:
        """A cache that gave nothing saved nothing."""
        assert saved(prices, OPUS, Usage(input_tokens=9, output_tokens=1, cache_read_tokens=0)) == 0

    def test_not_reported_is_unknown(self, prices: Prices) -> None:
        """A provider that says nothing of its cache leaves the saving absent, not zero."""
        estimate = prices.estimate(usage=Usage(input_tokens=9, output_tokens=1), **OPUS)
        assert estimate.usd is not None
        assert estimate.saved_usd is None

    def test_beside_a_reported_bill(self, prices: Prices) -> None:
        """The bill is the provider's, the saving is by list prices."""
        usage = Usage(
            input_tokens=10_000, output_tokens=1, cache_read_tokens=10_000, reported_cost_usd=Decimal("0.001")
        )
        estimate = prices.estimate(usage=usage, **OPUS)
        assert (estimate.usd, estimate.saved_usd, estimate.source) == (Decimal("0.001"), Decimal("0.045"), "provider")

    def test_cached_audio(self, prices: Prices) -> None:
        """gpt-realtime: text 4 and 0.40, audio 32 and 0.40; 100 text and 50 audio tokens were read."""
        usage = Usage(
            input_tokens=1_000,
            output_tokens=0,
            cache_read_tokens=150,
            input_audio_tokens=400,
            cache_read_audio_tokens=50,
        )
        estimate = prices.estimate(provider="openai", model="gpt-realtime", usage=usage, at=AT)
        # 500 x 4 + 350 x 32 + 150 x 0.40, against 600 x 4 + 400 x 32
        assert estimate.usd == Decimal("0.01326")
        assert estimate.saved_usd == Decimal("0.00194")


class TestLost:
    """What a hit would have saved."""

    def test_plain_input_that_could_have_been_read(self, prices: Prices) -> None:
        """8,000 x (5 - 0.50)."""
        usage = Usage(input_tokens=10_000, output_tokens=500, cache_read_tokens=0, cache_write_tokens=0)
        assert prices.lost(usage=usage, missed_tokens=8_000, **OPUS) == Decimal("0.036")

    def test_writes_first(self, prices: Prices) -> None:
        """6,000 x (6.25 - 0.50) + 2,000 x (5 - 0.50)."""
        usage = Usage(input_tokens=10_000, output_tokens=500, cache_read_tokens=0, cache_write_tokens=6_000)
        assert prices.lost(usage=usage, missed_tokens=8_000, **OPUS) == Decimal("0.0435")

    def test_the_usual_writes_before_the_long_ones(self, prices: Prices) -> None:
        """2,000 x (6.25 - 0.50) + 1,000 x (10 - 0.50)."""
        usage = Usage(
            input_tokens=10_000,
            output_tokens=500,
            cache_read_tokens=0,
            cache_write_tokens=6_000,
            cache_write_1h_tokens=4_000,
        )
        assert prices.lost(usage=usage, missed_tokens=3_000, **OPUS) == Decimal("0.021")

    def test_the_longest_writes_last(self, prices: Prices) -> None:
        """gpt-6.1-terra: 1,000 x (1.25 - 0.05) + 1,000 x (2.50 - 0.05)."""
        usage = Usage(
            input_tokens=4_000,
            output_tokens=0,
            cache_read_tokens=0,
            cache_write_tokens=3_000,
            cache_write_12h_tokens=2_000,
        )
        lost = prices.lost(usage=usage, missed_tokens=2_000, provider="openai", model="gpt-6.1-terra", at=AT)
        assert lost == Decimal("0.00365")

    def test_no_more_than_there_was(self, prices: Prices) -> None:
        """Tokens that were read already, and more than the prompt has, cannot be lost."""
        usage = Usage(input_tokens=10_000, output_tokens=0, cache_read_tokens=9_000, cache_write_tokens=0)
        assert prices.lost(usage=usage, missed_tokens=50_000, **OPUS) == Decimal("0.0045")

    def test_long_context_stays_long(self, prices: Prices) -> None:
        """gpt-5.6-sol over 272,000: 300,000 x (8 - 0.80); the prompt is as long with a hit as without."""
        usage = Usage(input_tokens=300_000, output_tokens=0, cache_read_tokens=0)
        assert prices.lost(usage=usage, missed_tokens=300_000, **GPT) == Decimal("2.16")

    def test_no_more_than_the_bill(self, prices: Prices) -> None:
        """A gateway's own bill bounds what can be lost on it."""
        usage = Usage(input_tokens=10_000, output_tokens=0, cache_read_tokens=0, reported_cost_usd=Decimal("0.01"))
        assert prices.lost(usage=usage, missed_tokens=10_000, **OPUS) == Decimal("0.01")

    @pytest.mark.parametrize(
        ("terms", "usage", "missed"),
        [
            (UNCACHED, Usage(input_tokens=10, output_tokens=1), 5),
            (CallTerms(provider="openai", model="gpt-6.2-sol"), Usage(input_tokens=10, output_tokens=1), 5),
            (OPUS, None, 5),
            (OPUS, Usage(output_tokens=1), 5),
            (OPUS, Usage(input_tokens=10, output_tokens=1), -5),
            (OPUS, Usage(input_tokens=1, output_tokens=1, cache_read_tokens=2), 5),
        ],
    )
    def test_unknown(self, prices: Prices, terms: CallTerms, usage: Usage | None, missed: int) -> None:
        """No cached rate, no price, no usage or a contradictory one: nothing is claimed."""
        assert prices.lost(usage=usage, missed_tokens=missed, **terms) is None


class TestWritePremium:
    """What a write costs above plain input."""

    @pytest.mark.parametrize(
        ("terms", "ttl", "premium"),
        [
            (OPUS, None, "0.0125"),
            (OPUS, "5m", "0.0125"),
            (OPUS, "1h", "0.05"),
            (GPT, "30m", "0.01"),
            (GPT, "12h", None),
            (CallTerms(provider="openai", model="gpt-6.1-terra", at=AT), "12h", "0.015"),
            (OLD_GPT, None, "0"),
            (CallTerms(provider="gcp.gemini", model="gemini-2.5-pro", at=AT), None, "0"),
            (CallTerms(provider="openai", model="gpt-6.2-sol", at=AT), None, None),
        ],
    )
    def test_premium_of_10_000_tokens(
        self, prices: Prices, terms: CallTerms, ttl: str | None, premium: str | None
    ) -> None:
        """By lifetime; absent where the lifetime has no price."""
        expected = None if premium is None else Decimal(premium)
        assert prices.write_premium(tokens=10_000, ttl=ttl, **terms) == expected


class TestUnitPrices:
    """The prices behind the arithmetic."""

    def test_by_prompt_length(self, prices: Prices) -> None:
        """A long prompt has other prices."""
        short, long = prices.unit_prices(**GPT), prices.unit_prices(prompt_tokens=272_001, **GPT)
        assert short is not None
        assert long is not None
        assert (short.input, short.cache_read, short.cache_write, short.output) == (
            Decimal(4),
            Decimal("0.4"),
            Decimal(5),
            Decimal(20),
        )
        assert (long.input, long.output) == (Decimal(8), Decimal(30))

    def test_unknown(self, prices: Prices) -> None:
        """A model without a price has none."""
        assert prices.unit_prices(provider="openai", model="gpt-6.2-sol") is None


def test_the_application_s_decimal_context_does_not_round() -> None:
    """Whatever precision the application works with, also while prices are resolved, money is exact."""
    fresh = Prices()
    assert fresh.wait(60)
    usage = Usage(input_tokens=123_457, output_tokens=7, cache_read_tokens=0, web_search_requests=1)
    with localcontext() as context:
        context.prec = 2
        estimate = fresh.estimate(provider="anthropic", model="claude-opus-4-6", usage=usage, inference_geo="us", at=AT)
        lost = fresh.lost(usage=usage, missed_tokens=123_457, **OPUS)
    # 123,457 x 5.50 + 7 x 27.50, and a search at 0.01 wherever it ran
    assert estimate.usd == Decimal("0.689206")
    assert lost == Decimal("0.5555565")
