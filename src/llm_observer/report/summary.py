"""Calls summed up by prompt family: what each cost, what the cache gave and should have given, and why not."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from llm_observer.report.records import Record, record
from llm_observer.results import CallSite

__all__ = ["FEWEST_CALLS", "Family", "Finding", "Report", "Status", "Totals", "Unpriced", "summarize"]

FEWEST_CALLS = 3
"""A family seen less often claims no money: nobody knows yet whether it recurs."""

Status = Literal["losing", "suspect", "healthy", "uncached", "not_reported", "few_calls", "failed"]
"""How a family does:

- `losing`: money was lost.
- `suspect`: reads were lost and what they are worth is not known, since the model has no price.
- `healthy`: the cache gave what it could.
- `uncached`: nothing was lost and nothing read, mostly for want of a prompt long enough to be cached.
- `not_reported`: the provider does not say what was read.
- `few_calls`: seen too seldom to say.
- `failed`: no call came back.
"""

_HASH = re.compile(r"[0-9a-f]{12,64}")


@dataclass(slots=True, kw_only=True)
class Totals:
    """Sums over calls. A sum of what no call reported is `None`; tokens of the cache are those of `judged` calls."""

    calls: int = 0
    failed: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    judged: int = 0
    """Calls of which the provider said what was read from the cache."""
    judged_input: int | None = None
    read: int | None = None
    could_read: int | None = None
    """What the cache read, or could have read by its rules where that is more."""
    cost: Decimal | None = None
    saved: Decimal | None = None
    lost_avoidable: Decimal = Decimal(0)
    lost_by_choice: Decimal = Decimal(0)
    broke: int = 0
    unclaimed: int = 0
    """Calls that lost a read of which nobody says what it was worth."""
    unpriced: int = 0

    @property
    def lost(self) -> Decimal:
        """All that was lost, in US dollars."""
        return self.lost_avoidable + self.lost_by_choice

    @property
    def share(self) -> float | None:
        """The part of the input that was read from the cache."""
        return self.read / self.judged_input if self.read is not None and self.judged_input else None

    @property
    def possible_share(self) -> float | None:
        """The part of the input that could have been read from the cache."""
        return self.could_read / self.judged_input if self.could_read is not None and self.judged_input else None

    def add(self, call: Record, *, claim: bool) -> None:
        """Count a call; `claim` says whether its loss may be claimed."""
        self.calls += 1
        self.failed += call.error is not None
        self.input_tokens = _plus(self.input_tokens, call.input_tokens)
        self.output_tokens = _plus(self.output_tokens, call.output_tokens)
        self.cost = _plus(self.cost, call.cost)
        self.saved = _plus(self.saved, call.saved)
        self.broke += call.broke
        self.unclaimed += call.broke and call.lost is None
        self.unpriced += _unpriced(call)
        if call.read_tokens is not None and call.input_tokens is not None:
            self.judged += 1
            self.judged_input = _plus(self.judged_input, call.input_tokens)
            self.read = _plus(self.read, call.read_tokens)
            self.could_read = _plus(self.could_read, max(call.read_tokens, call.expected_tokens or 0))
        if claim and call.broke and call.lost is not None and call.lost > 0:
            if call.avoidable:
                self.lost_avoidable += call.lost
            else:
                self.lost_by_choice += call.lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause in the calls of one line of the application, with the place where it was seen most."""

    cause: str
    location: str | None
    offset: int | None
    site: CallSite | None
    hint: str | None
    avoidable: bool
    calls: int
    lost: Decimal | None
    confidence: float | None


@dataclass(slots=True, kw_only=True)
class Family:
    """The calls of one prompt to one model."""

    id: str | None
    name: str
    provider: str | None
    model: str | None
    site: CallSite | None
    totals: Totals
    findings: list[Finding]
    status: Status

    @property
    def lost_per_1000(self) -> Decimal | None:
        """US dollars lost in a thousand calls, at the rate of the calls of which the loss is known."""
        known = self.totals.calls - self.totals.unclaimed
        return round(self.totals.lost * 1000 / known, 6) if self.totals.lost > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """Calls of one model whose cost is not known, and why."""

    provider: str | None
    model: str | None
    reason: str
    calls: int


@dataclass(slots=True, kw_only=True)
class Report:
    """All calls of a period."""

    totals: Totals = field(default_factory=Totals)
    families: list[Family] = field(default_factory=list[Family])
    """Those that lose most first."""
    unpriced: list[Unpriced] = field(default_factory=list[Unpriced])
    first: datetime | None = None
    last: datetime | None = None


def summarize(events: Iterable[Mapping[str, Any]]) -> Report:
    """Sum events up by family."""
    groups: dict[tuple[str | None, ...], list[Record]] = {}
    report = Report()
    reasons: Counter[tuple[str | None, str | None, str | None]] = Counter()
    for call in map(record, events):
        function = call.site.function if call.site is not None and call.family is None else None
        groups.setdefault((call.provider, call.model, call.family, function), []).append(call)
        if call.at is not None:
            report.first = min(report.first or call.at, call.at)
            report.last = max(report.last or call.at, call.at)
        if _unpriced(call):
            reasons[call.provider, call.model, call.unpriced_because] += 1
    for calls in groups.values():
        claim = len(calls) >= FEWEST_CALLS
        for call in calls:
            report.totals.add(call, claim=claim)
        report.families.append(_family(calls, claim=claim))
    report.families.sort(key=lambda family: (-family.totals.lost, -family.totals.broke, -family.totals.calls))
    _tell_apart(report.families)
    report.unpriced = [
        Unpriced(provider=provider, model=model, reason=reason or "?", calls=calls)
        for (provider, model, reason), calls in reasons.most_common()
    ]
    return report


def _family(calls: list[Record], *, claim: bool) -> Family:
    totals = Totals()
    for call in calls:
        totals.add(call, claim=claim)
    sites = Counter(call.site for call in calls if call.site is not None)
    site = sites.most_common(1)[0][0] if sites else None
    named = calls[0].family
    return Family(
        id=named,
        name=_name(named, site, calls[0]),
        provider=calls[0].provider,
        model=calls[0].model,
        site=site,
        totals=totals,
        findings=_findings(calls, claim=claim),
        status=_status(totals, calls, claim=claim),
    )


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


def _findings(calls: list[Record], *, claim: bool) -> list[Finding]:
    """The causes of what was lost, the dearest first."""
    groups: dict[tuple[str, CallSite | None, bool], list[Record]] = {}
    for call in calls:
        if call.broke:
            groups.setdefault((call.cause or "input_changed", call.site, call.avoidable), []).append(call)
    found: list[Finding] = []
    for (cause, site, avoidable), group in groups.items():
        location = _commonest(call.location for call in group)
        lost = [call.lost for call in group if call.lost is not None] if claim else []
        finding = Finding(
            cause=cause,
            location=location,
            offset=_commonest(call.offset for call in group if call.location == location),
            site=site,
            hint=_commonest(call.hint for call in group),
            avoidable=avoidable,
            calls=len(group),
            lost=sum(lost, Decimal(0)) if lost else None,
            confidence=max((call.confidence for call in group if call.confidence is not None), default=None),
        )
        found.append(finding)
    found.sort(key=lambda finding: (-(finding.lost or 0), -finding.calls))
    return found


def _status(totals: Totals, calls: list[Record], *, claim: bool) -> Status:
    if totals.failed == totals.calls:
        return "failed"
    if not claim:
        return "few_calls"
    if totals.lost > 0:
        return "losing"
    if not totals.judged:
        return "not_reported"
    if any(call.broke and call.lost is None and call.cost is None for call in calls):
        return "suspect"
    return "healthy" if totals.read else "uncached"


def _unpriced(call: Record) -> bool:
    return call.cost is None and call.unpriced_because is not None and call.error is None


def _commonest(values: Iterable[Any]) -> Any:
    counted = Counter(value for value in values if value is not None)
    return counted.most_common(1)[0][0] if counted else None


def _plus(total: Any, more: Any) -> Any:
    """The sum of what is known; of nothing known, `None`."""
    return total if more is None else more if total is None else total + more
