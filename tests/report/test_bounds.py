"""Reports of more calls and families than could be kept."""

import tracemalloc
from collections.abc import Iterator
from decimal import Decimal

import pytest

from llm_observer.report import groups
from llm_observer.report.records import Record
from llm_observer.report.summary import sum_up


def call(family: str, *, lost: str | None = None, **more: str | None) -> Record:
    place = {"cause": "timestamp", "location": "system[0]", "offset": 3, "hint": "Move it."} if lost else {}
    known = {"provider": "openai", "model": "gpt-4.1", "cost": Decimal("0.01"), "lost": Decimal(lost) if lost else None}
    return Record(family=family, input_tokens=100, read_tokens=10, broke=lost is not None, **(known | place | more))  # pyright: ignore[reportArgumentType]


def test_memory_does_not_grow_with_the_calls() -> None:
    def calls(n: int) -> Iterator[Record]:
        for i in range(n):
            yield call(f"family {i % 20}", lost="0.001")

    def peak(n: int) -> int:
        tracemalloc.start()
        try:
            assert sum_up(calls(n)).totals.calls == n
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    assert peak(5000) < 2 * peak(500)


def test_families_that_matter_least_are_told_together_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that loses money and one that is called often stay apart; every call, dollar and token is in the sums."""
    monkeypatch.setattr(groups, "MOST_FAMILIES", 10)
    calls: list[Record] = []
    for n in range(200):
        calls += [call("dear", lost="0.02"), call("frequent"), call(f"once {n}", lost="0.5")]
    report = sum_up(calls)
    names = {family.name: family for family in report.families}
    assert {"dear", "frequent"} <= names.keys()
    assert len(report.families) <= 11
    (rest,) = [family for name, family in names.items() if name.startswith("other prompts (")]
    assert sum(family.totals.calls for family in report.families) == report.totals.calls == 600
    assert sum(family.totals.input_tokens or 0 for family in report.families) == report.totals.input_tokens == 60_000
    assert report.totals.lost == Decimal("4.00"), "a prompt that was seen once claims nothing"
    assert rest.totals.lost == 0
    assert rest.findings[0].cause == "timestamp"
    assert rest.findings[0].location is None
    assert names["dear"].totals.lost == Decimal("4.00")


def test_what_a_family_may_claim_it_claims_among_others_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_FAMILIES", 4)
    calls = [call(f"family {n}", lost="0.01") for n in range(20) for _ in range(3)]
    report = sum_up(calls)
    assert report.totals.lost == Decimal("0.60")
    (rest,) = [family for family in report.families if family.name.startswith("other prompts")]
    assert (rest.status, rest.findings[0].lost) == ("losing", rest.totals.lost)


def test_models_without_a_price_are_listed_up_to_a_limit() -> None:
    calls = [
        call("f", model=f"model-{n}", billed_model=f"model-{n}", cost=None, unpriced_because="unknown_model")
        for n in range(1500)
    ]
    report = sum_up(calls)
    assert len(report.unpriced) == 1000
    assert report.totals.unpriced == 1500


@pytest.mark.parametrize(
    ("because", "tier", "entry"),
    [
        ("unknown_provider", None, True),
        ("unknown_model", "flex", True),
        ("unknown_tier", "Flex", True),
        ("unknown_tier", "standard", False),
        ("unknown_tier", None, False),
        ("unknown_rate", None, False),
        ("no_usage", None, False),
    ],
)
def test_an_entry_is_proposed_where_it_would_give_the_calls_a_price(
    because: str, tier: str | None, *, entry: bool
) -> None:
    (unpriced,) = sum_up([call("f", billed_model="acme-7b", tier=tier, cost=None, unpriced_because=because)]).unpriced
    assert (unpriced.entry is not None) is entry
    if unpriced.entry is not None:
        assert ('tier = "flex"' in unpriced.entry) is (because == "unknown_tier")
        assert 'model = "acme-7b"' in unpriced.entry


def test_a_deployment_has_the_price_of_the_model_behind_it() -> None:
    azure = {"provider": "azure.ai.openai", "model": "my-deployment", "cost": None, "unpriced_because": "unknown_model"}
    (known,) = sum_up([call("f", billed_model="gpt-99", **azure)]).unpriced  # pyright: ignore[reportArgumentType]
    assert (known.model, 'model = "gpt-99"' in (known.entry or "")) == ("gpt-99", True)
    (unknown,) = sum_up([call("f", **azure)]).unpriced  # pyright: ignore[reportArgumentType]
    assert (unknown.model, unknown.entry) == ("my-deployment", None)
