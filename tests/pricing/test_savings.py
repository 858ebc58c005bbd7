"""When a cache pays, and how long an entry should live: checked by hand from the vendors' factors."""

from decimal import Decimal

import pytest

from llm_observer.pricing.savings import LIFETIMES, break_even, lifetime_advice


@pytest.mark.parametrize(
    ("read", "write", "lifetime", "text"),
    [
        # Anthropic: 1.25 + 0.1 < 2, and 2 + 2 x 0.1 < 3 but 2 + 0.1 > 2 (prompt-caching guide)
        ("0.1", "1.25", "5m", "pays from the 2nd call within 5 minutes"),
        ("0.1", "2", "1h", "pays from the 3rd call within 1 hour"),
        ("0.025", "2", "1h", "pays from the 3rd call within 1 hour"),
        ("0.1", "1.25", "30m", "pays from the 2nd call within 30 minutes"),
        ("0.05", "2.5", "12h", "pays from the 3rd call within 12 hours"),
        # at a half, 1.5 + 0.5 = 2 saves nothing yet
        ("0.5", "1.5", None, "pays from the 3rd call"),
        ("0.5", None, None, "pays from the 2nd call"),
        ("0.9", "2", None, "pays from the 12th call"),
        ("0.9", "3", None, "pays from the 22nd call"),
    ],
)
def test_break_even(read: str, write: str | None, lifetime: str | None, text: str) -> None:
    """The first call at which one write and the reads are strictly cheaper."""
    result = break_even(
        input_price=Decimal(1),
        read_price=Decimal(read),
        write_price=None if write is None else Decimal(write),
        lifetime=lifetime,
    )
    assert str(result) == text


def test_a_cache_that_never_pays() -> None:
    """Reads that cost as much as input save nothing."""
    assert break_even(input_price=Decimal(1), read_price=Decimal(1)) is None


OPUS = {"input_price": Decimal(5), "read_price": Decimal("0.5")}
WRITES = {"5m": Decimal("6.25"), "1h": Decimal(10)}


def test_short_gaps_want_the_short_life() -> None:
    """Four calls a minute apart: 6.25 + 3 x 0.50 against 10 + 3 x 0.50 against 4 x 5."""
    advice = lifetime_advice([60, 60, 60], write_prices=WRITES, **OPUS)
    assert advice is not None
    assert advice.best == LIFETIMES["5m"]
    assert advice.costs == {"none": Decimal(20), "5m": Decimal("7.75"), "1h": Decimal("11.5")}
    assert advice.saves_over("1h") == Decimal("3.75")
    assert advice.calls == 4


def test_gaps_beyond_five_minutes_want_the_hour() -> None:
    """Four calls ten minutes apart write four times, or once."""
    advice = lifetime_advice([600, 600, 600], write_prices=WRITES, **OPUS)
    assert advice is not None
    assert advice.best == LIFETIMES["1h"]
    assert advice.saves_over("5m") == Decimal("13.5")


def test_gaps_beyond_the_hour_want_no_cache() -> None:
    """Every call would write and none would read."""
    advice = lifetime_advice([4_000, 90_000], write_prices=WRITES, **OPUS)
    assert advice is not None
    assert advice.best is None
    assert advice.saves_over("5m") == Decimal("3.75")


def test_half_an_hour_against_twelve() -> None:
    """OpenAI's two, at 1.25x and 2.5x: two gaps over lunch pay for the long one, one does not."""
    prices = {"input_price": Decimal(1), "read_price": Decimal("0.05")}
    writes = {"30m": Decimal("1.25"), "12h": Decimal("2.5")}
    once = lifetime_advice([60, 3_600, 60], write_prices=writes, **prices)
    twice = lifetime_advice([3_600, 60, 3_600], write_prices=writes, **prices)
    assert once is not None
    assert once.best == LIFETIMES["30m"]
    assert twice is not None
    assert twice.best == LIFETIMES["12h"]


def test_the_end_of_a_life_is_within_it() -> None:
    """A call exactly at the lifetime still reads."""
    advice = lifetime_advice([300, 300], write_prices=WRITES, **OPUS)
    assert advice is not None
    assert advice.costs["5m"] == Decimal("7.25")


def test_nothing_to_advise() -> None:
    """One call, or no price for any lifetime."""
    assert lifetime_advice([], write_prices=WRITES, **OPUS) is None
    assert lifetime_advice([60], write_prices={"24h": Decimal(1)}, **OPUS) is None
