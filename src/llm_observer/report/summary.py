"""Calls summed up by prompt family: what each cost, what the cache gave and should have given, and why not."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from llm_observer.pricing.prices import Prices
from llm_observer.pricing.resolve import STANDARD_TIERS
from llm_observer.pricing.suggestion import entry_to_fill_in
from llm_observer.report.families import Family, Report, Unpriced, has_no_price
from llm_observer.report.groups import HASH, Groups
from llm_observer.report.records import Record, record

__all__ = ["sum_up", "summarize"]

_MOST_REASONS = 1000
"""Models without a price that are listed."""

_PRICES_WAIT_S = 30.0


def summarize(events: Iterable[Mapping[str, Any]], prices: Prices | None = None) -> Report:
    """Sum events up by family; see `sum_up`."""
    return sum_up(map(record, events), prices)


def sum_up(calls: Iterable[Record], prices: Prices | None = None) -> Report:
    """Sum calls up by family, in memory that grows with the families, up to a bound, and not with the calls.

    Args:
        calls: In the order in which they were sent.
        prices: To say when a cache pays and for how long to keep it; waited for if they are still loading.
    """
    groups = Groups()
    report = Report()
    reasons: Counter[_Reason] = Counter()
    for call in calls:
        groups.add(call)
        report.totals.add(call)
        if call.at is not None:
            report.first = min(report.first or call.at, call.at)
            report.last = max(report.last or call.at, call.at)
        if has_no_price(call) and (len(reasons) < _MOST_REASONS or _reason(call) in reasons):
            reasons[_reason(call)] += 1
    if prices is not None:
        prices.wait(_PRICES_WAIT_S)
    report.families = groups.families(prices)
    report.errors = dict(sum((family.errors for family in report.families), Counter[str]()).most_common())
    report.totals.lost_avoidable = sum((family.totals.lost_avoidable for family in report.families), Decimal(0))
    report.totals.lost_by_choice = sum((family.totals.lost_by_choice for family in report.families), Decimal(0))
    report.families.sort(key=lambda family: (-family.totals.lost, -family.totals.broke, -family.totals.calls))
    _tell_apart(report.families)
    report.unpriced = [_unpriced(*reason, calls=calls) for reason, calls in reasons.most_common()]
    return report


_Reason = tuple[str | None, str | None, str | None, str | None, str | None]
"""Provider, model, billed model, tier where it matters, and why there is no cost."""


def _reason(call: Record) -> _Reason:
    because = call.unpriced_because
    return call.provider, call.model, call.billed_model, call.tier if because == "unknown_tier" else None, because


def _unpriced(
    provider: str | None, model: str | None, billed: str | None, tier: str | None, because: str | None, *, calls: int
) -> Unpriced:
    entry = None
    if provider and billed:
        served = (tier or "").lower()
        if because in {"unknown_provider", "unknown_model"}:
            entry = entry_to_fill_in(provider, billed)
        elif because == "unknown_tier" and served not in STANDARD_TIERS:
            entry = entry_to_fill_in(provider, billed, served)
    return Unpriced(provider=provider, model=billed or model, reason=because or "?", calls=calls, entry=entry)


def _tell_apart(families: list[Family]) -> None:
    """Families of one name and model get a piece of their ids, or their provider's name."""
    names = Counter((family.name, family.model) for family in families)
    for family in families:
        if names[family.name, family.model] > 1:
            if family.id is not None and HASH.fullmatch(family.id) and family.id[:8] not in family.name:
                family.name += f" ({family.id[:4]})"
            elif family.provider is not None:
                family.name += f" ({family.provider})"
