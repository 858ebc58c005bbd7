"""What may be claimed as lost: per family, net of the cache writes that a fix would have paid for."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from decimal import Decimal

from llm_observer.analysis.analyzer import Finding
from llm_observer.call import Call
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.rates import EXACT
from llm_observer.pricing.terms import CallTerms
from llm_observer.results import Verdict

__all__ = ["CLAIMED_FROM", "Ledger"]

CLAIMED_FROM = 3
"""The call of a family from which on money is claimed: a prompt that does not recur loses nothing."""

_MOST_FAMILIES = 10_000
_UNWRITTEN = frozenset({"no_breakpoint"})
"""Causes whose fix pays for a cache write that was not paid for so far."""


@dataclass(slots=True)
class _Account:
    debt: Decimal | None = None
    """What the fix would have paid for the first write, as far as what it saved has not covered it yet."""


class Ledger:
    """Puts a price on lost reads.

    A loss is the cost of the call as it was minus its cost had the missed tokens been read (`Prices.lost`). Where the
    fix would first have paid for a write, that premium is taken from what it saves until it is covered. Nothing is
    claimed before the third call of a family, nor more than the call cost. Safe in threads.
    """

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._lock = threading.Lock()
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def claim(self, call: Call, finding: Finding, terms: CallTerms) -> Verdict:
        """The verdict with what the call lost, in US dollars, where that is known and may be claimed."""
        verdict = finding.verdict
        if not verdict.broke or not verdict.missed_tokens:
            return verdict
        lost = self._prices.lost(usage=call.usage, missed_tokens=verdict.missed_tokens, **terms)
        if lost is None:
            return verdict
        with self._lock:
            account = self._account(finding.prompt.family)
            if account.debt is None and verdict.cause in _UNWRITTEN:
                account.debt = self._prices.write_premium(tokens=verdict.expected_tokens or 0, **terms)
            covered = min(lost, account.debt or Decimal(0))
            if account.debt:
                account.debt = EXACT.subtract(account.debt, covered)
        if finding.seen + 1 < CLAIMED_FROM:
            return verdict
        return replace(verdict, lost_usd=EXACT.subtract(lost, covered))

    def _account(self, family: str) -> _Account:
        account = self._accounts.pop(family, None) or _Account()
        self._accounts[family] = account
        if len(self._accounts) > _MOST_FAMILIES:
            self._accounts.popitem(last=False)
        return account
