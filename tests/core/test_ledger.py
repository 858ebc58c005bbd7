"""What may be claimed as lost. The rates of the price list are restated here as literals."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_observer.analysis.analyzer import Finding
from llm_observer.call import Call
from llm_observer.engine import billing_terms
from llm_observer.ledger import CLAIMED_FROM, Ledger
from llm_observer.pricing.prices import Prices
from llm_observer.results import PromptReport, Verdict
from llm_observer.usage import Usage

PRICES = Prices()
INPUT, WRITE, READ = Decimal(3), Decimal("3.75"), Decimal("0.3")
"""Claude Sonnet 4.5, US dollars per million tokens."""
MILLION = 1_000_000


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    assert PRICES.wait(30)


def finding(
    seen: int, *, cause: str = "timestamp", missed: int | None = 10_000, family: str = "f", **more: Any
) -> Finding:
    verdict = Verdict(outcome="miss", broke=cause != "none", cause=cause, missed_tokens=missed, **more)
    prompt = PromptReport(hash="h", canonical_hash="c", family=family, segments=1, key_id="k")
    return Finding(prompt=prompt, verdict=verdict, breakers=(), seen=seen)


def call(*, model: str = "claude-sonnet-4-5", **usage: int) -> Call:
    one = Call(provider="anthropic", api="messages", at=1_790_000_000.0, model=model)
    one.usage = Usage(**({"input_tokens": 12_000, "output_tokens": 100} | usage))  # pyright: ignore[reportArgumentType]
    return one


def claim(ledger: Ledger, one: Finding, of: Call | None = None) -> Decimal | None:
    of = of if of is not None else call()
    return ledger.claim(of, one, billing_terms(of)).lost_usd


def test_a_loss_is_claimed_from_the_third_call_of_a_family_on() -> None:
    """A prompt that does not recur loses nothing."""
    ledger = Ledger(PRICES)
    claims = [claim(ledger, finding(seen)) for seen in range(4)]
    assert CLAIMED_FROM == 3
    assert claims == [None, None, *[10_000 * (INPUT - READ) / MILLION] * 2]


def test_missed_tokens_that_were_written_anew_are_lost_at_the_price_of_a_write() -> None:
    lost = claim(Ledger(PRICES), finding(5), call(cache_write_tokens=12_000, cache_read_tokens=0))
    assert lost == 10_000 * (WRITE - READ) / MILLION


def test_the_first_write_that_a_fix_would_have_paid_for_is_taken_off_until_it_is_covered() -> None:
    ledger = Ledger(PRICES)
    saved = 10_000 * (INPUT - READ) / MILLION
    debt = 100_000 * (WRITE - INPUT) / MILLION
    assert 2 * saved < debt < 3 * saved
    claims = [claim(ledger, finding(seen, cause="no_breakpoint", expected_tokens=100_000)) for seen in range(1, 6)]
    assert claims == [None, Decimal(0), 3 * saved - debt, saved, saved]


def test_each_family_has_its_own_debt() -> None:
    ledger = Ledger(PRICES)
    saved = 10_000 * (INPUT - READ) / MILLION
    debt = 10_000 * (WRITE - INPUT) / MILLION
    claims = [
        claim(ledger, finding(9, cause="no_breakpoint", expected_tokens=10_000, family=family)) for family in "abab"
    ]
    assert claims == [saved - debt, saved - debt, saved, saved]


def test_what_was_paid_for_before_is_no_debt() -> None:
    """Where a boundary was written all along, a fix pays for no new write."""
    assert claim(Ledger(PRICES), finding(9, expected_tokens=100_000)) == 10_000 * (INPUT - READ) / MILLION


@pytest.mark.parametrize(
    "one", [finding(9, cause="none"), finding(9, missed=None), finding(9, missed=0)], ids=["whole", "unknown", "zero"]
)
def test_nothing_is_claimed_where_nothing_was_lost(one: Finding) -> None:
    assert Ledger(PRICES).claim(call(), one, billing_terms(call())) is one.verdict


def test_nothing_is_claimed_where_the_price_is_not_known() -> None:
    assert claim(Ledger(PRICES), finding(9), call(model="unheard-of")) is None
    assert claim(Ledger(Prices()), finding(9)) is None, "prices that are not loaded yet"
    no_usage = Call(provider="anthropic", api="messages", model="claude-sonnet-4-5")
    assert claim(Ledger(PRICES), finding(9), no_usage) is None


@given(
    data=st.data(),
    tokens=st.integers(0, 200_000),
    output=st.integers(0, 10_000),
    missed=st.integers(1, 400_000),
    cause=st.sampled_from(["timestamp", "no_breakpoint"]),
)
def test_never_more_than_the_call_cost_and_never_less_than_nothing(
    data: st.DataObject, tokens: int, output: int, missed: int, cause: str
) -> None:
    read = data.draw(st.integers(0, tokens))
    written = data.draw(st.integers(0, tokens - read))
    one = call(input_tokens=tokens, output_tokens=output, cache_read_tokens=read, cache_write_tokens=written)
    ledger = Ledger(PRICES)
    cost = PRICES.estimate(usage=one.usage, **billing_terms(one)).usd
    assert cost is not None
    for _ in range(3):
        lost = claim(ledger, finding(9, cause=cause, missed=missed, expected_tokens=missed), one)
        assert lost is not None
        assert 0 <= lost <= cost


def test_families_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was not seen longest is forgotten first, and with it what it owed."""
    monkeypatch.setattr("llm_observer.ledger._MOST_FAMILIES", 2)
    ledger = Ledger(PRICES)

    def owe(family: str) -> Decimal | None:
        return claim(ledger, finding(9, cause="no_breakpoint", expected_tokens=20_000, family=family))

    first = owe("a")
    assert owe("b") == first
    assert (settled := owe("a")) != first
    assert owe("c") == first, "b is forgotten, not a"
    assert owe("a") == settled
    assert owe("b") == first
