"""Families of calls as they are summed up: what each cost, what it lost and why, and what was sent again."""

import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from llm_observer.lifetimes import CachePays, cache_pays
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.reuse import Reuse
from llm_observer.report.families import FEWEST_CALLS, Family, Finding, Status, Totals
from llm_observer.report.records import Record
from llm_observer.results import CallSite

__all__ = ["HASH", "MOST_FAMILIES", "Groups"]

MOST_FAMILIES = 10_000
"""Families that are told apart; of more, those that matter least are told together."""

HASH = re.compile(r"[0-9a-f]{12,64}")
"""What the id of a family looks like that the application gave no name."""

_MOST_ERRORS, _OTHER_ERRORS = 20, "other"

_MOST_PLACES = 1000
"""Different places that are counted for a cause; more differ on every call, and none of them is seen most."""


class Groups:
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

    def families(self, prices: Prices | None) -> list[Family]:
        """All of them, in no order."""
        families = [group.family(prices) for group in self._groups.values()]
        if self._rest is not None:
            rest = self._rest.family(None)
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
    reuse: Reuse = field(default_factory=Reuse)
    last: Record = field(default_factory=Record)
    """The latest call that came back and tells what was read from the cache."""
    sites: Counter[CallSite] = field(default_factory=Counter[CallSite])
    causes: dict[tuple[str, CallSite | None, bool], _Cause] = field(
        default_factory=dict[tuple[str, CallSite | None, bool], _Cause]
    )
    errors: Counter[str] = field(default_factory=Counter[str])
    worth_unknown: bool = False
    """A read was lost whose worth is not known for want of a price."""

    def add(self, call: Record) -> None:
        self.totals.add(call)
        self._note_reuse(call)
        if call.error is not None:
            self.errors[call.error if len(self.errors) < _MOST_ERRORS else _OTHER_ERRORS] += 1
        if call.site is not None:
            self.sites[call.site] += 1
        if call.broke:
            key = (call.cause or "input_changed", call.site, call.avoidable)
            self.causes.setdefault(key, _Cause()).add(call)
            self.worth_unknown |= call.lost is None and call.cost is None

    def _note_reuse(self, call: Record) -> None:
        """Count what came again, and how soon."""
        if call.error is not None or call.read_tokens is None:
            return
        gap, expected, before = call.gap_s, call.expected_tokens, self.last
        size = call.read_tokens + (call.write_tokens or 0)
        alike = size and size == (before.read_tokens or 0) + (before.write_tokens or 0)
        if gap is None and alike and call.prefixes & before.prefixes and call.at and before.at:
            # The first call of its process, and another one has sent that very prefix: as long, and it begins alike.
            gap, expected = (call.at - before.at).total_seconds(), size
        self.reuse.add(
            read=call.read_tokens,
            write=call.write_tokens,
            write_1h=call.write_1h_tokens,
            write_12h=call.write_12h_tokens,
            expected_tokens=expected,
            gap_s=gap,
        )
        self.last = call

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
        self.errors += others.errors
        for key, cause in others.causes.items():
            self.causes.setdefault(key, _Cause()).merge(cause, claims=claims)

    def claims(self) -> bool:
        """Whether money may be claimed; where not, the totals do not."""
        claims = self.totals.calls >= FEWEST_CALLS
        if not claims:
            self.totals.lost_avoidable = self.totals.lost_by_choice = Decimal(0)
        return claims

    def family(self, prices: Prices | None) -> Family:
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
            pays=CachePays() if prices is None else self._pays(prices),
            errors=self.errors,
        )

    def _pays(self, prices: Prices) -> CachePays:
        """When the cache pays, by the prices of the latest call."""
        last = self.last
        return cache_pays(
            self.reuse,
            prices,
            prompt_tokens=(self.totals.input_tokens or 0) // self.totals.calls,
            provider=last.provider or "",
            model=last.billed_model,
            service_tier=last.tier,
            at=last.at,
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
    if family is not None and not HASH.fullmatch(family):
        return family
    if site is not None and site.function not in {"?", "<module>"}:
        return site.function.replace("<locals>.", "")
    if site is not None:
        return site.file.replace("\\", "/").rpartition("/")[2]
    return f"prompt {family[:8]}" if family is not None else call.model or "?"
