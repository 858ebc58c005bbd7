"""The running totals of this process: what `summary()` returns, and who asked to be told of each call."""

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from llm_observer.guard import guard
from llm_observer.results import CallReport, CostEstimate, GroupSummary, Summary

__all__ = ["Callbacks", "Price", "Tally", "callbacks", "tally"]

_MOST_FAMILIES = 1000
_OTHERS = "(others)"
_MOST_LOADING = 10_000

Price = Callable[[], CostEstimate]
"""Prices a call, waiting for prices if it must. Does not raise."""

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

    def frozen(self) -> GroupSummary:
        return GroupSummary(
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cache_read_tokens=self.cache_read_tokens,
            cost_usd=self.cost_usd,
            saved_usd=self.saved_usd,
            lost_usd=self.lost_usd,
            unpriced_calls=self.unpriced_calls,
        )


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
        self._families: OrderedDict[str, _Totals] = OrderedDict()
        self._causes: dict[str, _Totals] = {}
        self._loading: deque[tuple[list[_Totals], Price]] = deque(maxlen=_MOST_LOADING)

    def add(self, report: CallReport, price: Price | None = None) -> None:
        """Count one finished call; `price` prices it later, if it ended while prices were loading."""
        with self._lock:
            totals = [self._total]
            if report.prompt is not None:
                known = report.prompt.family in self._families or len(self._families) < _MOST_FAMILIES
                totals.append(self._families.setdefault(report.prompt.family if known else _OTHERS, _Totals()))
            if report.cache.broke:
                totals.append(self._causes.setdefault(report.cache.cause, _Totals()))
            for one in totals:
                one.add(report)
            if price is not None:
                self._loading.append((totals, price))

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
                by_family={name: totals.frozen() for name, totals in self._families.items()},
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
            with guard("on_call"):
                function(report)


tally = Tally()
"""The totals of this process."""

callbacks = Callbacks()
"""Who is told of this process's calls."""
