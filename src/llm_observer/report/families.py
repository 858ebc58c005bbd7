"""What a report says of calls: sums over them, the families they belong to, and the causes of what was lost."""

from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from llm_observer.lifetimes import CachePays
from llm_observer.report.records import Record
from llm_observer.results import CallSite

__all__ = ["FEWEST_CALLS", "Family", "Finding", "Report", "Status", "Totals", "Unpriced", "has_no_price"]

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

    def add(self, call: Record) -> None:
        """Count a call."""
        self.calls += 1
        self.failed += call.error is not None
        self.input_tokens = _plus(self.input_tokens, call.input_tokens)
        self.output_tokens = _plus(self.output_tokens, call.output_tokens)
        self.cost = _plus(self.cost, call.cost)
        self.saved = _plus(self.saved, call.saved)
        self.broke += call.broke
        self.unclaimed += call.broke and call.lost is None
        self.unpriced += has_no_price(call)
        if call.read_tokens is not None and call.input_tokens is not None:
            self.judged += 1
            self.judged_input = _plus(self.judged_input, call.input_tokens)
            self.read = _plus(self.read, call.read_tokens)
            self.could_read = _plus(self.could_read, max(call.read_tokens, call.expected_tokens or 0))
        if call.broke and call.lost is not None and call.lost > 0:
            if call.avoidable:
                self.lost_avoidable += call.lost
            else:
                self.lost_by_choice += call.lost

    def merge(self, others: "Totals") -> None:
        """Count the calls of `others` too."""
        for each in fields(self):
            setattr(self, each.name, _plus(getattr(self, each.name), getattr(others, each.name)))


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
    snippet: str | None = None


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
    pays: CachePays
    """When its cache pays, and how long to keep it."""
    errors: Counter[str]
    """Failed calls by the type of their error."""

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
    entry: str | None = None
    """What to put into the file of prices, where that is what it takes."""


@dataclass(slots=True, kw_only=True)
class Report:
    """All calls of a period."""

    totals: Totals = field(default_factory=Totals)
    families: list[Family] = field(default_factory=list[Family])
    """Those that lose most first."""
    unpriced: list[Unpriced] = field(default_factory=list[Unpriced])
    errors: dict[str, int] = field(default_factory=dict[str, int])
    """Failed calls by the type of their error, the commonest first."""
    first: datetime | None = None
    last: datetime | None = None


def has_no_price(call: Record) -> bool:
    """Whether a call came back and its cost is not known."""
    return call.cost is None and call.unpriced_because is not None and call.error is None


def _plus(total: Any, more: Any) -> Any:
    """The sum of what is known; of nothing known, `None`."""
    return total if more is None else more if total is None else total + more
