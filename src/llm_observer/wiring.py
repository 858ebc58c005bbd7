"""Connects a runtime to all that takes note of finished calls: totals, callbacks, the local store, the envelope."""

import atexit
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanContext

from llm_observer.adapters.scope import key_scopes
from llm_observer.call import Call
from llm_observer.config import Settings
from llm_observer.engine import billing_terms
from llm_observer.guard import guard
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.terms import CallTerms
from llm_observer.results import CostEstimate
from llm_observer.stages import reached, watched
from llm_observer.summary import Price, callbacks, tally
from llm_observer.telemetry.itself import Queues, observe
from llm_observer.telemetry.runtime import Listener, Runtime
from llm_observer.telemetry.values import Attributes

if TYPE_CHECKING:
    from llm_observer.export.processor import EnvelopeProcessor
    from llm_observer.keeping import Keeper

__all__ = ["Process", "connect", "connected", "disconnect"]

_EXIT_S = 2.0
_LOADING_WAIT_S = 5.0
"""How long `summary` waits for prices that are still loading."""


@dataclass(frozen=True, slots=True)
class Process:
    """What one instrumentation of this process is made of."""

    runtime: Runtime
    keeper: "Keeper | None"
    senders: "list[EnvelopeProcessor]"
    """What sends to the endpoint, one for each provider."""

    def flush(self, timeout: float) -> bool:
        """Wait at most about `timeout` seconds for spans and stored calls; whether all are out."""
        until = time.monotonic() + timeout
        flushed = self.runtime.flush(timeout)
        left = max(0.0, until - time.monotonic())
        return (self.keeper is None or self.keeper.store.flush(left)) and flushed

    def queued(self) -> int:
        """How many events wait to be written or sent."""
        queues = self.queues()
        return (queues.to_store or 0) + (queues.to_send or 0)

    def queues(self) -> Queues:
        """How full the queues are."""
        return Queues(
            to_send=sum(sender.queued for sender in self.senders) if self.senders else None,
            room_to_send=sum(sender.max_queue for sender in self.senders) if self.senders else None,
            to_store=self.keeper.store.queued if self.keeper is not None else None,
        )


_connected: list[Process] = []


def connected() -> Process | None:
    """What the latest instrumentation of this process is made of."""
    return _connected[-1] if _connected else None


def connect(runtime: Runtime, *, meter_provider: MeterProvider | None = None) -> None:
    """Let all that takes note of calls listen to `runtime`. Opens no file and no socket yet."""
    runtime.listeners.append(_reporter(runtime.engine.prices))
    runtime.listeners.append(_log_end)
    keeper = _keeper(runtime)
    if keeper is not None:
        runtime.listeners.append(keeper)
    senders: list[EnvelopeProcessor] = []
    if runtime.settings.sends:
        runtime.providers.extensions.append(lambda provider: senders.append(_send_from(provider, runtime.settings)))
    if not _connected:
        # The first to register, so the last to run: by then every other exit hook has ended the calls it knew of.
        atexit.register(_flush_at_exit)
    _connected[:] = [Process(runtime, keeper, senders)]
    with guard("wiring.metrics"):
        observe(meter_provider, _queues)


def _queues() -> Queues:
    process = connected()
    return process.queues() if process is not None else Queues()


def _flush_at_exit() -> None:
    """Write and send, in bounded time, what became known when the interpreter was already exiting."""
    for process in _connected:
        with guard("wiring.exit"):
            if process.keeper is not None:
                process.keeper.store.flush(_EXIT_S)
            for sender in process.senders:
                sender.force_flush(int(_EXIT_S * 1000))


def disconnect(runtime: Runtime | None) -> None:
    """Send what is waiting, and nothing from then on. Streams that are still open are kept in the store."""
    process = connected()
    for sender in process.senders if process is not None and process.runtime is runtime else ():
        with guard("wiring.disconnect"):
            sender.shutdown()


def _send_from(provider: Any, settings: Settings) -> "EnvelopeProcessor":
    """Put the opt-in exporter on `provider`."""
    # Not before it is wanted: the HTTP client takes its time to load.
    from llm_observer.export.exporter import EnvelopeExporter  # noqa: PLC0415
    from llm_observer.export.processor import EnvelopeProcessor  # noqa: PLC0415

    exporter = EnvelopeExporter(settings.endpoint, settings.api_key, send_names=settings.send_names)
    processor = EnvelopeProcessor(exporter)
    provider.add_span_processor(processor)
    return processor


def _keeper(runtime: Runtime) -> "Keeper | None":
    if runtime.settings.store is None:
        return None
    # Not before it is wanted: SQLite takes its time to load, and some builds of Python are without it.
    from llm_observer.keeping import Keeper  # noqa: PLC0415

    keeper = Keeper(runtime.settings.store, runtime.providers, runtime.engine.prices)
    _share(runtime, keeper)
    return keeper


def _share(runtime: Runtime, keeper: "Keeper") -> None:
    """Let the processes of this host know of one another's calls, through the store and on its thread."""
    from llm_observer.export.sharing import Sharing  # noqa: PLC0415  it needs SQLite

    engine, store = runtime.engine, keeper.store
    sharing = Sharing(engine.hasher.key_id, engine.analyzer.tell, engine.analyzer.hear, store.exchange_soon)
    store.exchange = sharing.exchange
    key_scopes(engine.hasher)
    engine.share(sharing.look)


def _priced_later(call: Call, prices: Prices, terms: CallTerms) -> Price:
    """What prices a call once prices have loaded."""
    usage = call.usage

    def price() -> CostEstimate:
        prices.wait(_LOADING_WAIT_S)
        return prices.estimate(usage=usage, **terms)

    return price


def _log_end(call: Call, context: SpanContext, start_ns: int, end_ns: int, _attributes: Attributes, /) -> None:
    """Say in the log that the call ended, and what was found."""
    if not watched():
        return
    # Not before it is wanted: it reads the contract.
    from llm_observer.export.events import event_id_of  # noqa: PLC0415

    report = call.report
    reached(
        "ended",
        [event_id_of(context.trace_id, context.span_id)],
        provider=call.provider,
        api=call.api,
        seconds=round((end_ns - start_ns) / 1e9, 3),
        failed="yes" if call.error_type else None,
        outcome=report.cache.outcome if report is not None else None,
        cause=report.cache.cause if report is not None and report.cache.broke else None,
    )


def _reporter(prices: Prices) -> Listener:
    """Tells the totals and the callbacks of each call."""

    def report(call: Call, _context: SpanContext, _start_ns: int, _end_ns: int, _attributes: Attributes, /) -> None:
        if call.report is None:
            return
        loading = call.report.cost.reason == "prices_loading"
        terms = billing_terms(call)
        tally.add(call.report, _priced_later(call, prices, terms) if loading else None, (prices, terms))
        callbacks.tell(call.report)

    return report
