"""Keeps finished calls in the local store: the listener between the calls and the store's thread."""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from opentelemetry.trace import SpanContext

from llm_observer.call import Call
from llm_observer.engine import billing_terms
from llm_observer.export.events import event_from_attributes
from llm_observer.export.store import Store
from llm_observer.pricing.prices import Prices
from llm_observer.telemetry.describe_call import Attributes
from llm_observer.telemetry.providers import Providers
from llm_observer.usage import Usage

__all__ = ["Keeper"]

_LOADING_WAIT_S = 10.0
"""How long the store's thread waits for prices that are still loading."""
_MOST_UNPRICED = 10_000


class Keeper:
    """A listener that keeps each call, sampled or not, in a store of its own."""

    def __init__(self, path: Path, providers: Providers, prices: Prices) -> None:
        self._providers = providers
        self._prices = prices
        self._unpriced: OrderedDict[str, tuple[Usage, Mapping[str, Any]]] = OrderedDict()
        self.store = Store(path, reprice=self._priced)

    def __call__(
        self, call: Call, span_context: SpanContext, start_ns: int, end_ns: int, attributes: Attributes, /
    ) -> None:
        """Hand the call's event to the store's thread."""
        event = event_from_attributes(
            attributes,
            trace_id=span_context.trace_id,
            span_id=span_context.span_id,
            sampled=span_context.trace_flags.sampled,
            start_ns=start_ns,
            end_ns=end_ns,
            resource=self._resource(),
            error=call.error_type is not None,
        )
        if event is None:
            return
        if call.usage is not None and event["cost"].get("reason") == "prices_loading":
            # An event says less than what decides the price: speed, place, searches.
            self._unpriced[event["event_id"]] = call.usage, billing_terms(call)
            if len(self._unpriced) > _MOST_UNPRICED:
                self._unpriced.popitem(last=False)
        self.store.put(event)

    def _resource(self) -> Mapping[str, Any]:
        resource = getattr(self._providers.current(), "resource", None)
        return getattr(resource, "attributes", None) or {}

    def _priced(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event with its cost, now that prices have loaded. On the store's thread, which may wait."""
        known = self._unpriced.pop(event["event_id"], None)
        if known is None:
            return event
        self._prices.wait(_LOADING_WAIT_S)
        usage, terms = known
        estimate = self._prices.estimate(usage=usage, **terms)
        figures = {"usd": estimate.usd, "saved_usd": estimate.saved_usd}
        words = {"reason": estimate.reason, "source": estimate.source}
        event["cost"] = {name: _plain(value) for name, value in figures.items() if value is not None}
        event["cost"] |= {name: value for name, value in words.items() if value is not None}
        return event


def _plain(amount: Decimal) -> str:
    """An amount without exponent and without zeros at its end."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
