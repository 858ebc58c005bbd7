"""Calls summed up by prompt family: what each cost, what the cache gave and should have given, and why not."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from llm_observer.pricing.overrides import entry_to_fill_in
from llm_observer.pricing.resolve import STANDARD_TIERS
from llm_observer.report.families import FEWEST_CALLS, Family, Finding, Report, Status, Totals, Unpriced, has_no_price
from llm_observer.report.records import Record, record
from llm_observer.results import CallSite

__all__ = ["MOST_FAMILIES", "sum_up", "summarize"]

MOST_FAMILIES = 10_000
"""Families that are told apart; of more, those that matter least are told together."""

_HASH = re.compile(r"[0-9a-f]{12,64}")

_MOST_REASONS = 1000
"""Models without a price that are listed."""

_MOST_PLACES = 1000
"""Different places that are counted for a cause; more differ on every call, and none of them is seen most."""


def summarize(events: Iterable[Mapping[str, Any]]) -> Report:
    """Sum events up by family; see `sum_up`."""
    return sum_up(map(record, events))


def sum_up(calls: Iterable[Record]) -> Report:
    """Sum calls up by family, in memory that grows with the families, up to a bound, and not with the calls."""
    groups = _Groups()
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
    report.families = groups.families()
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


class _Groups:
    """The families, as far as they are told apart."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str | None, ...], _Group] = {}
        self._rest: _Group | None = None
        self._folded = 0

    def add(self, call: Record) -> None:
        """Count a call with its family."""
        function = call.site.function if call.site is not None and call.family is None else None
        key = (call.provider, call.model, call.family, function)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MOST_FAMILIES:
                self._fold()
            group = self._groups[key] = _Group(first=call)
        group.add(call)

    def families(self) -> list[Family]:
        """All of them, in no order."""
        families = [group.family() for group in self._groups.values()]
        if self._rest is not None:
            rest = self._rest.family()
            rest.name = f"other prompts ({self._folded:,})"
            families.append(rest)
        return families

    def _fold(self) -> None:
        """Make room: put the half together that loses least and is seen least."""
        rest = self._rest = self._rest or _Group(first=Record())
        by_weight = sorted(self._groups, key=lambda key: self._groups[key].weight)
        for key in by_weight[: len(by_weight) // 2 + 1]:
            rest.merge(self._groups.pop(key))
            self._folded += 1


@dataclass(slots=True, kw_only=True)
class _Cause:
    """The calls of one line of the application that lost reads for one cause."""

    calls: int = 0
    lost: Decimal | None = None
    confidence: float | None = None
    places: Counter[tuple[str | None, int | None]] = field(default_factory=Counter[tuple[str | None, int | None]])
    hints: Counter[str] = field(default_factory=Counter[str])
    snippets: dict[tuple[str | None, int | None], str] = field(default_factory=dict[tuple[str | None, int | None], str])
    """What the prompt said at a place, when that was asked for."""

    def add(self, call: Record) -> None:
        self.calls += 1
        if call.lost is not None:
            self.lost = (self.lost or Decimal(0)) + call.lost
        if call.confidence is not None:
            self.confidence = max(self.confidence or 0.0, call.confidence)
        if len(self.places) < _MOST_PLACES or (call.location, call.offset) in self.places:
            self.places[call.location, call.offset] += 1
            if call.snippet is not None:
                self.snippets[call.location, call.offset] = call.snippet
        if call.hint is not None:
            self.hints[call.hint] += 1

    def merge(self, others: "_Cause", *, claims: bool) -> None:
        """Count the calls of `others` too; their money if it may be claimed."""
        self.calls += others.calls
        if claims and others.lost is not None:
            self.lost = (self.lost or Decimal(0)) + others.lost
        if others.confidence is not None:
            self.confidence = max(self.confidence or 0.0, others.confidence)
        self.hints += others.hints

    def place(self) -> tuple[str | None, int | None]:
        """The segment seen most, and the offset seen most in it."""
        locations: Counter[str | None] = Counter()
        for (location, _), calls in self.places.items():
            locations[location] += calls
        named = {location: calls for location, calls in locations.items() if location is not None}
        if not named:
            return None, None
        location = max(named, key=lambda name: named[name])
        offsets = {offset: calls for (path, offset), calls in self.places.items() if path == location}
        return location, max(offsets, key=lambda offset: offsets[offset])


@dataclass(slots=True, kw_only=True)
class _Group:
    """The calls of one family, summed up as they come."""

    first: Record
    totals: Totals = field(default_factory=Totals)
    sites: Counter[CallSite] = field(default_factory=Counter[CallSite])
    causes: dict[tuple[str, CallSite | None, bool], _Cause] = field(
        default_factory=dict[tuple[str, CallSite | None, bool], _Cause]
    )
    worth_unknown: bool = False
    """A read was lost whose worth is not known for want of a price."""

    def add(self, call: Record) -> None:
        self.totals.add(call)
        if call.site is not None:
            self.sites[call.site] += 1
        if call.broke:
            key = (call.cause or "input_changed", call.site, call.avoidable)
            self.causes.setdefault(key, _Cause()).add(call)
            self.worth_unknown |= call.lost is None and call.cost is None

    @property
    def weight(self) -> tuple[Decimal, int]:
        """What it may claim and how often it is seen: the less, the sooner it is told with others."""
        calls = self.totals.calls
        return (self.totals.lost if calls >= FEWEST_CALLS else Decimal(0)), calls

    def merge(self, others: "_Group") -> None:
        """Count the calls of another family too. Places in its prompt mean nothing in this one."""
        claims = others.claims()
        self.totals.merge(others.totals)
        self.worth_unknown |= others.worth_unknown
        for key, cause in others.causes.items():
            self.causes.setdefault(key, _Cause()).merge(cause, claims=claims)

    def claims(self) -> bool:
        """Whether money may be claimed; where not, the totals do not."""
        claims = self.totals.calls >= FEWEST_CALLS
        if not claims:
            self.totals.lost_avoidable = self.totals.lost_by_choice = Decimal(0)
        return claims

    def family(self) -> Family:
        claims = self.claims()
        site = self.sites.most_common(1)[0][0] if self.sites else None
        return Family(
            id=self.first.family,
            name=_name(self.first.family, site, self.first),
            provider=self.first.provider,
            model=self.first.model,
            site=site,
            totals=self.totals,
            findings=self._findings(claims=claims),
            status=self._status(claims=claims),
        )

    def _findings(self, *, claims: bool) -> list[Finding]:
        """The causes of what was lost, the dearest first."""
        found: list[Finding] = []
        for (cause, site, avoidable), group in self.causes.items():
            location, offset = group.place()
            finding = Finding(
                cause=cause,
                location=location,
                offset=offset,
                site=site,
                hint=group.hints.most_common(1)[0][0] if group.hints else None,
                avoidable=avoidable,
                calls=group.calls,
                lost=group.lost if claims else None,
                confidence=group.confidence,
                snippet=group.snippets.get((location, offset)),
            )
            found.append(finding)
        found.sort(key=lambda finding: (-(finding.lost or 0), -finding.calls))
        return found

    def _status(self, *, claims: bool) -> Status:
        if self.totals.failed == self.totals.calls:
            return "failed"
        if not claims:
            return "few_calls"
        if self.totals.lost > 0:
            return "losing"
        if not self.totals.judged:
            return "not_reported"
        if self.worth_unknown:
            return "suspect"
        return "healthy" if self.totals.read else "uncached"


def _name(family: str | None, site: CallSite | None, call: Record) -> str:
    """The name that the application gave, else the function that calls, else a short id."""
    if family is not None and not _HASH.fullmatch(family):
        return family
    if site is not None and site.function not in {"?", "<module>"}:
        return site.function.replace("<locals>.", "")
    if site is not None:
        return site.file.replace("\\", "/").rpartition("/")[2]
    return f"prompt {family[:8]}" if family is not None else call.model or "?"


def _tell_apart(families: list[Family]) -> None:
    """Families of one name and model get a piece of their ids, or their provider's name."""
    names = Counter((family.name, family.model) for family in families)
    for family in families:
        if names[family.name, family.model] > 1:
            if family.id is not None and _HASH.fullmatch(family.id) and family.id[:8] not in family.name:
                family.name += f" ({family.id[:4]})"
            elif family.provider is not None:
                family.name += f" ({family.provider})"
