"""`Runtime`: what one instrumentation of the process works with."""

import os
import weakref
from typing import Protocol

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanContext

from llm_observer.call import Call
from llm_observer.config import Settings
from llm_observer.counters import counters
from llm_observer.engine import Engine
from llm_observer.guard import guard
from llm_observer.results import CallReport
from llm_observer.telemetry.content.recorder import Recorder
from llm_observer.telemetry.metrics import Metrics
from llm_observer.telemetry.providers import Providers
from llm_observer.telemetry.reaper import Reaper
from llm_observer.telemetry.seen import Seen
from llm_observer.telemetry.switches import Switches
from llm_observer.telemetry.values import Attributes

__all__ = ["Listener", "OpenCall", "Runtime"]


class OpenCall(Protocol):
    """A call that has begun and not ended."""

    call: Call

    def finish(self) -> None:
        """End it. Never raises."""
        ...


class Listener(Protocol):
    """Learns of every finished call, sampled or not, on the thread where it ended, before its content is dropped."""

    def __call__(
        self, call: Call, span_context: SpanContext, start_ns: int, end_ns: int, attributes: Attributes, /
    ) -> None:
        """Take note of `call`. `call.report` explains it, unless that failed.

        Args:
            call: The call. What it holds of content is dropped when the listeners return.
            span_context: The ids of its span, or ids of its own when it has none; says whether it was sampled.
            start_ns: Unix time of the request, in nanoseconds.
            end_ns: Unix time of the end, in nanoseconds.
            attributes: All that its span has, or would have if it were sampled.
        """
        ...


class Runtime:
    """Settings, engine, listeners, and where spans and metrics go."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.providers = Providers(tracer_provider)
        switches = Switches.read()
        self.metrics = Metrics(meter_provider, newest_names=switches.newest_names)
        self.content = Recorder(switches, logger_provider) if switches.content or switches.events else None
        """Records content or events, where the user has switched that on."""
        self.open: set[OpenCall] = set()
        """Calls that have begun and not ended."""
        engine.open_calls = lambda: [span.call for span in tuple(self.open)]
        self.reaper = Reaper(self._finish_open)
        self.listeners: list[Listener] = []
        self.seen = Seen()
        _runtimes.add(self)

    def explain(self, call: Call) -> CallReport | None:
        """The report of a finished call; `None` when that failed. Never raises."""
        with guard("engine.explain"):
            return self.engine.explain(call)
        return None

    def _finish_open(self) -> None:
        """End the calls whose response nobody has read to its end, because the interpreter exits."""
        for span in tuple(self.open):
            with guard("runtime.exit"):
                span.finish()

    def finished(
        self,
        call: Call,
        report: CallReport | None,
        span_context: SpanContext,
        start_ns: int,
        end_ns: int,
        attributes: Attributes,
        *,
        told_by: str | None = None,
    ) -> None:
        """Count a finished call, record its metrics, tell the listeners. Never raises.

        `told_by` names the instrumentation that told of it, where it was not observed here.
        """
        counters.add("calls")
        self.seen.note(call, start_ns, end_ns, told_by)
        with guard("metrics"):
            self.metrics.record(call, report, span_context, attributes, told=told_by is not None)
        for listener in tuple(self.listeners):
            with guard("listener"):
                listener(call, span_context, start_ns, end_ns, attributes)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait for calls that ended in a finalizer, then for the spans; at most `timeout` seconds for each."""
        drained = self.reaper.drain(timeout)
        return self.providers.force_flush(int(timeout * 1000)) and drained


_runtimes: "weakref.WeakSet[Runtime]" = weakref.WeakSet()


def _forget_open_calls() -> None:
    """In a forked child: what was open is the parent's to end."""
    for runtime in tuple(_runtimes):
        runtime.open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_open_calls)
