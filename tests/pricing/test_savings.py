"""When a cache pays, and how long an entry should live: checked by hand from the vendors' factors."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_observer.pricing.reuse import Reuse
from llm_observer.pricing.savings import break_even, lifetime_advice
from llm_observer.results import LIFETIMES, LifetimeAdvice


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


OPUS: dict[str, Any] = {
    "input_price": Decimal(5),
    "read_price": Decimal("0.5"),
    "write_prices": {"5m": Decimal("6.25"), "1h": Decimal(10)},
    "usual": "5m",
}
TERRA: dict[str, Any] = {
    "input_price": Decimal(1),
    "read_price": Decimal("0.05"),
    "write_prices": {"30m": Decimal("1.25"), "12h": Decimal("2.5")},
    "usual": "30m",
}
PREFIX = 1_000_000


def observed(gaps: Sequence[float], *, alive_s: float = 300, long: str | None = None) -> Reuse:
    """Calls with the same prefix of a million tokens, which the provider keeps for `alive_s`."""
    reuse = Reuse()
    for gap in (None, *gaps):
        hit = gap is not None and gap <= alive_s
        written: dict[str, int] = {} if hit or long is None else {f"write_{long}": PREFIX}
        reuse.add(
            read=PREFIX if hit else 0,
            write=0 if hit else PREFIX,
            expected_tokens=None if gap is None else PREFIX,
            gap_s=gap,
            **written,
        )
    return reuse


def advice(reuse: Reuse, model: dict[str, Any] = OPUS) -> LifetimeAdvice:
    given = lifetime_advice(reuse, **model)
    assert given is not None
    return given


def test_short_gaps_want_the_short_life() -> None:
    """Four calls a minute apart: 6.25 + 3 x 0.50 against 10 + 3 x 0.50 against 4 x 5."""
    found = advice(observed([60, 60, 60]))
    assert found.now == found.best == LIFETIMES["5m"]
    assert found.costs_usd == {"none": Decimal(20), "5m": Decimal("7.75"), "1h": Decimal("11.5")}
    assert found.saves_usd == 0
    assert found.calls == 4
    assert str(found.pays) == "pays from the 2nd call within 5 minutes"


def test_gaps_beyond_five_minutes_want_the_hour() -> None:
    """Four calls ten minutes apart write four times at 6.25, or once at 10 and read three times."""
    found = advice(observed([600, 600, 600]))
    assert (found.now, found.best) == (LIFETIMES["5m"], LIFETIMES["1h"])
    assert found.saves_usd == Decimal("13.5")
    assert str(found.pays) == "pays from the 3rd call within 1 hour"


def test_an_hour_that_is_not_needed_is_found_too() -> None:
    """Four calls a minute apart, written for an hour."""
    found = advice(observed([60, 60, 60], alive_s=3600, long="1h"))
    assert (found.now, found.best) == (LIFETIMES["1h"], LIFETIMES["5m"])
    assert found.saves_usd == Decimal("3.75")


def test_gaps_beyond_the_hour_want_no_cache() -> None:
    """Every call would write and none would read."""
    found = advice(observed([4_000, 90_000]))
    assert (found.now, found.best, found.pays) == (LIFETIMES["5m"], None, None)
    assert found.saves_usd == Decimal("3.75")


def test_half_an_hour_against_twelve() -> None:
    """OpenAI's two, at 1.25x and 2.5x: two gaps over lunch pay for the long one, one does not."""
    once = advice(observed([60, 3_600, 60], alive_s=1_800), TERRA)
    twice = advice(observed([3_600, 60, 3_600], alive_s=1_800), TERRA)
    assert (once.now, once.best) == (LIFETIMES["30m"], LIFETIMES["30m"])
    assert twice.best == LIFETIMES["12h"]
    assert advice(observed([60] * 5, alive_s=43_200, long="12h"), TERRA).now == LIFETIMES["12h"]


def test_the_end_of_a_life_is_within_it() -> None:
    """A call exactly at the lifetime still reads."""
    assert advice(observed([300, 300])).costs_usd["5m"] == Decimal("7.25")


def test_long_parts_weigh_more_than_short_ones() -> None:
    """A head that many conversations keep warm says nothing of their long histories, which expire."""
    reuse = Reuse()
    for _ in range(10):
        # the head of 1,000 is alive, the history of 99,000 was last used ten minutes ago
        reuse.add(read=1_000, write=99_000, expected_tokens=100_000, gap_s=600)
    found = advice(reuse)
    assert found.best == LIFETIMES["1h"]
    # under five minutes as it was: 10 x (1,000 x 0.50 + 99,000 x 6.25) per million
    assert found.costs_usd["5m"] == Decimal("6.1925")


def test_a_prompt_that_was_never_marked() -> None:
    """Nothing was written: its first call would have written as much as the others could have read."""
    reuse = Reuse()
    reuse.add(read=0, write=0)
    for _ in range(3):
        reuse.add(read=0, write=None, expected_tokens=PREFIX, gap_s=900)
    found = advice(reuse)
    assert found.now is None
    assert found.best == LIFETIMES["1h"]
    assert found.costs_usd == {"none": Decimal(20), "5m": Decimal(25), "1h": Decimal("11.5")}


def test_a_read_of_what_another_process_wrote_is_a_read_under_any_lifetime() -> None:
    """Nobody knows how long ago that was."""
    reuse = Reuse()
    reuse.add(read=PREFIX, write=0)
    reuse.add(read=0, write=PREFIX)
    assert (reuse.readable["5m"], reuse.readable["12h"]) == (PREFIX, PREFIX)


def test_nothing_to_advise() -> None:
    """One call, no choice of lifetimes, a lifetime in use that has no price or is not known, usage that is silent."""
    assert lifetime_advice(observed([]), **OPUS) is None
    no_choice: dict[str, Any] = {**OPUS, "write_prices": {"5m": Decimal(6)}}
    assert lifetime_advice(observed([60]), **no_choice) is None
    assert lifetime_advice(observed([60], long="12h"), **OPUS) is None
    unwritten = Reuse()
    silent = Reuse()
    for _ in range(4):
        unwritten.add(read=PREFIX, write=0, expected_tokens=PREFIX, gap_s=60)
        silent.add(read=None, write=None)
    assert lifetime_advice(unwritten, **OPUS) is None
    assert lifetime_advice(silent, **OPUS) is None
    assert silent.calls == 0


@settings(max_examples=60, derandomize=True, database=None)
@given(st.lists(st.floats(0, 100_000), min_size=1, max_size=30))
def test_no_other_lifetime_costs_less_than_the_best(gaps: list[float]) -> None:
    """The advice never costs more than what is in use, and never more than anything it could have advised."""
    found = advice(observed(gaps))
    best = found.costs_usd[found.best.name if found.best else "none"]
    assert best == min(found.costs_usd.values())
    assert found.saves_usd >= 0
