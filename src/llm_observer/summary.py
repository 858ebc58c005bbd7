"""The running totals of this process: what `summary()` returns, and who asked to be told of each call."""

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from llm_observer.guard import Guard, guard
from llm_observer.lifetimes import CachePays, cache_pays
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.reuse import Reuse
from llm_observer.pricing.terms import CallTerms
from llm_observer.results import CallReport, CostEstimate, GroupSummary, Summary

__all__ = ["Callbacks", "Price", "Tally", "callbacks", "tally"]

_MOST_FAMILIES = 1000
_OTHERS = "(others)"
_MOST_LOADING = 10_000
_UNKNOWN = CachePays()

Price = Callable[[], CostEstimate]
"""Prices a call, waiting for prices if it must. Does not raise."""

Billed = tuple[Prices, CallTerms]
"""What decides the unit prices of a call."""

CallbackT = TypeVar("CallbackT", bound=Callable[[CallReport], object])


@dataclass(slots=True)
class _Totals:
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    saved_usd: Decimal = Decimal(0)
    lost_usd: Decimal = Decimal(0)
    unpriced_calls: int = 0

    def price(self, cost: CostEstimate) -> None:
        """Add the cost of a call that was counted without one."""
        self.unpriced_calls -= cost.usd is not None
        self.cost_usd += cost.usd or 0
        self.saved_usd += cost.saved_usd or 0

    def add(self, report: CallReport) -> None:
        self.calls += 1
        usage = report.usage
        if usage is not None:
            self.input_tokens += usage.input_tokens or 0
            self.output_tokens += usage.output_tokens or 0
            self.cache_read_tokens += usage.cache_read_tokens or 0
        if report.cost.usd is None:
            self.unpriced_calls += 1
        self.cost_usd += report.cost.usd or 0
        self.saved_usd += report.cost.saved_usd or 0
        self.lost_usd += report.cache.lost_usd or 0

    def frozen(self, pays: CachePays = _UNKNOWN) -> GroupSummary:
        return GroupSummary(
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cache_read_tokens=self.cache_read_tokens,
            cost_usd=self.cost_usd,
            saved_usd=self.saved_usd,
            lost_usd=self.lost_usd,
            unpriced_calls=self.unpriced_calls,
            break_even=pays.break_even,
            lifetime=pays.lifetime,
        )


@dataclass(slots=True)
class _Family(_Totals):
    reuse: Reuse = field(default_factory=Reuse)
    billed: Billed | None = None
    """Of the latest call."""
    mixed: bool = False
    """Several models were called, each with a cache and prices of its own."""

    def count(self, report: CallReport, billed: Billed | None) -> None:
        """Note how soon and how much of the prompt came again."""
        usage = report.usage
        if usage is None or billed is None:
            return
        known = self.billed
        self.mixed |= known is not None and known[1]["model"] != billed[1]["model"]
        self.billed = billed
        self.reuse.add(
            read=usage.cache_read_tokens,
            write=usage.cache_write_tokens,
            write_1h=usage.cache_write_1h_tokens,
            write_12h=usage.cache_write_12h_tokens,
            expected_tokens=report.cache.expected_tokens,
            gap_s=report.cache.gap_s,
        )

    def pays(self) -> CachePays:
        """When its cache pays, and how long to keep it."""
        if self.billed is None or self.mixed:
            return _UNKNOWN
        prices, terms = self.billed
        return cache_pays(self.reuse, prices, prompt_tokens=self.input_tokens // max(1, self.calls), **terms)


class Tally:
    """Totals by family and by cause. Safe in threads; a forked child starts at zero.

    Beyond a bound, families are added up under `(others)`.
    """

    def __init__(self) -> None:
        self.clear()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.clear)

    def clear(self) -> None:
        """Start at zero."""
        self._lock = threading.Lock()
        self._total = _Totals()
        self._families: OrderedDict[str, _Family] = OrderedDict()
        self._causes: dict[str, _Totals] = {}
        self._loading: deque[tuple[list[_Totals], Price]] = deque(maxlen=_MOST_LOADING)

    def add(self, report: CallReport, price: Price | None = None, billed: Billed | None = None) -> None:
        """Count one finished call.

        Args:
            report: The call.
            price: Prices it later, if it ended while prices were loading.
            billed: What decides its unit prices.
        """
        with self._lock:
            totals = [self._total]
            if report.prompt is not None:
                totals.append(self._family(report.prompt.family, report, billed))
            if report.cache.broke:
                totals.append(self._causes.setdefault(report.cache.cause, _Totals()))
            for one in totals:
                one.add(report)
            if price is not None:
                self._loading.append((totals, price))

    def _family(self, name: str, report: CallReport, billed: Billed | None) -> _Family:
        """The family's totals, with what the call says of its prompt's reuse; those of the rest beyond the bound."""
        family = self._families.get(name)
        if family is None:
            if len(self._families) >= _MOST_FAMILIES:
                return self._families.setdefault(_OTHERS, _Family())
            family = self._families[name] = _Family()
        family.count(report, billed)
        return family

    def summary(self) -> Summary:
        """The totals so far. Prices that are still loading are waited for, once."""
        with self._lock:
            waiting, self._loading = self._loading, deque(maxlen=_MOST_LOADING)
        priced: list[tuple[list[_Totals], CostEstimate]] = []
        for totals, price in waiting:
            with guard("summary.price"):
                priced.append((totals, price()))
        with self._lock:
            for totals, cost in priced:
                for one in totals:
                    one.price(cost)
            return Summary(
                total=self._total.frozen(),
                by_family={name: family.frozen(family.pays()) for name, family in self._families.items()},
                by_cause={name: totals.frozen() for name, totals in self._causes.items()},
            )


class Callbacks:
    """The functions that want each call's report. One that raises is counted, and the others still run."""

    def __init__(self) -> None:
        self._functions: tuple[Callable[[CallReport], object], ...] = ()

    def add(self, function: CallbackT) -> CallbackT:
        """Call `function` with the report of each call from now on."""
        self._functions = (*self._functions, function)
        return function

    def remove(self, function: Callable[[CallReport], object]) -> None:
        """Call `function` no more."""
        self._functions = tuple(known for known in self._functions if known != function)

    def tell(self, report: CallReport) -> None:
        """Call each with `report`."""
        for function in self._functions:
            with Guard("on_call", function):
                function(report)


tally = Tally()
"""The totals of this process."""

callbacks = Callbacks()
"""Who is told of this process's calls."""
