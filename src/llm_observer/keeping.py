"""Keeps finished calls in the local store: the listener between the calls and the store's thread."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from opentelemetry.trace import SpanContext

from llm_observer.call import Call
from llm_observer.engine import billing_terms
from llm_observer.export.events import event_from_attributes
from llm_observer.export.store import Store
from llm_observer.guard import guard
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.terms import CallTerms
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.providers import Providers
from llm_observer.telemetry.values import Attributes
from llm_observer.usage import Usage

__all__ = ["Keeper"]

_LOADING_WAIT_S = 10.0
"""How long the store's thread waits for prices that are still loading."""


class Keeper:
    """A listener that keeps each call, sampled or not, in a store of its own."""

    def __init__(self, path: Path, providers: Providers, prices: Prices) -> None:
        self._providers = providers
        self._prices = prices
        self.store = Store(path)

    def __call__(
        self, call: Call, span_context: SpanContext, start_ns: int, end_ns: int, attributes: Attributes, /
    ) -> None:
        """Hand over to the store's thread, which makes the event: the call need not wait for that."""
        failed = call.error_type is not None
        loading = call.report is not None and call.report.cost.reason == "prices_loading"
        # An event says less than what decides the price: speed, place, searches.
        unpriced = (call.usage, billing_terms(call)) if loading and call.usage is not None else None
        resource = self._resource()

        def make() -> dict[str, Any] | None:
            event = event_from_attributes(
                attributes,
                trace_id=span_context.trace_id,
                span_id=span_context.span_id,
                sampled=span_context.trace_flags.sampled,
                start_ns=start_ns,
                end_ns=end_ns,
                resource=resource,
                error=failed,
            )
            if event is not None and unpriced is not None:
                with guard("keeping.price"):
                    event["cost"] = self._cost(*unpriced)
            if event is not None and names.CACHE_SNIPPET in attributes:
                # The contract does not know it, so it cannot leave the machine.
                event["local"] = {"snippet": attributes[names.CACHE_SNIPPET]}
            return event

        self.store.put(make)

    def _resource(self) -> Mapping[str, Any]:
        resource = getattr(self._providers.current(), "resource", None)
        return getattr(resource, "attributes", None) or {}

    def _cost(self, usage: Usage, terms: CallTerms) -> dict[str, str]:
        """The cost of a call, now that prices have loaded. On the store's thread, which may wait."""
        self._prices.wait(_LOADING_WAIT_S)
        estimate = self._prices.estimate(usage=usage, **terms)
        figures = {"usd": estimate.usd, "saved_usd": estimate.saved_usd}
        words = {"reason": estimate.reason, "source": estimate.source}
        cost = {name: _plain(value) for name, value in figures.items() if value is not None}
        return cost | {name: value for name, value in words.items() if value is not None}


def _plain(amount: Decimal) -> str:
    """An amount without exponent and without zeros at its end."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
