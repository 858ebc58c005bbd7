"""`CallSpan`: a call and its span, from the start of the request to the end of the response."""

import os
import time
from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from llm_observer.call import Call
from llm_observer.guard import guard
from llm_observer.telemetry.current import KEY, Aspect
from llm_observer.telemetry.describe_call import call_attributes, span_name, start_attributes
from llm_observer.telemetry.describe_report import report_attributes
from llm_observer.telemetry.foreign import Foreign
from llm_observer.telemetry.held import HeldSpan
from llm_observer.telemetry.reaper import in_finalizer
from llm_observer.telemetry.runtime import Runtime
from llm_observer.telemetry.values import Attributes

__all__ = ["CallSpan"]


class CallSpan:
    """One call, its span, and how far both have got.

    `finish` ends it, once, whoever calls it first. While `busy` is true an end of the span that does not come from
    here, such as the SDK's own, only leaves its time: the response is still being read.

    Args:
        runtime: What the call is observed with.
        call: What is known of it.
        address: Host and port of the server.
        foreign: The span that the SDK is expected to start by itself.
        peer: The span that another instrumentation has started for the call.
        inside: Whether another instrumentation may start one yet, once `request` runs.
        suppressed: Whether no span may be started.
    """

    __slots__ = (
        "_address",
        "_context",
        "_end_ns",
        "_handed_over",
        "_held",
        "_open",
        "_parent",
        "_peer",
        "_pid",
        "_runtime",
        "_start",
        "_start_ns",
        "_token",
        "busy",
        "call",
        "settle",
    )

    def __init__(
        self,
        runtime: Runtime,
        call: Call,
        *,
        address: tuple[str | None, int | None] = (None, None),
        foreign: Foreign | None = None,
        peer: Any = None,
        inside: bool = False,
        suppressed: bool = False,
    ) -> None:
        self._start_ns = time.time_ns()
        self._start = time.perf_counter()
        call.at = self._start_ns / 1e9
        self.call = call
        self._runtime = runtime
        self._address = address
        self._peer: Any = peer
        self._parent: Context = otel_context.get_current()
        self._held = HeldSpan(
            runtime.providers, call.model, self._parent, foreign=foreign, inside=inside, suppressed=suppressed
        )
        self._context: Context | None = None
        self._token: Any = None
        self._end_ns: int | None = None
        self._handed_over = False
        self._pid = os.getpid()
        # Popped by the first `finish`: one atomic step, without a lock that a finalizer could find taken.
        self._open = [True]
        self.busy = True
        self.settle: Callable[[], None] | None = None
        """Reads what is left to read of the response, right before the end."""

    @property
    def done(self) -> bool:
        """Whether the call was finished."""
        return not self._open

    def elapsed(self) -> float:
        """Seconds since the call started."""
        return time.perf_counter() - self._start

    # The time inside the SDK's `request`.

    def enter(self) -> None:
        """Start the span, unless another is the call's, and make it current. Never raises."""
        self._runtime.open.add(self)
        if self._peer is not None:
            self._held.take_peers(self._peer)
            self._peer = None
        self._start_span(late=False)
        with guard("callspan.enter"):
            context = otel_context.set_value(KEY, self, self._parent)
            # One that the application knows nothing of is no parent, neither in a header to the provider.
            if self._held.span is not None and not self._held.is_peers and not self._held.is_private:
                context = trace.set_span_in_context(self._held.span, context)
            self._context = context
            self._token = otel_context.attach(context)

    def leave(self) -> None:
        """Restore the caller's context, and start the span late when the SDK's did not come. Never raises."""
        with guard("callspan.leave"):
            # A coroutine that is closed from elsewhere leaves in another context, where nothing was attached.
            if self._token is not None and otel_context.get_current() is self._context:
                otel_context.detach(self._token)
            self._token = self._context = None
        self._start_span(late=True)

    def _start_span(self, *, late: bool) -> None:
        if self._held.is_to_start(late=late):
            with guard("callspan.start_span"):
                self._held.start(
                    span_name(self.call.operation, self.call.model),
                    otel_context.set_value(KEY, self, self._parent),
                    start_attributes(self.call, *self._address),
                    self._start_ns,
                )

    def sent(self) -> None:
        """Note that an attempt is about to be sent: another's span for the call has been started by now."""
        self.call.attempts += 1
        span = self._held.unseen()
        if span is not None:
            for processor in self._runtime.providers.processors:
                self.bind(span, processor.aspect, processor)

    def bind(self, span: Any, name: str, aspect: Aspect) -> None:
        """Let `span`, which was just started in this call's context, be the call's, if it is that."""
        if not self.done:
            self._held.bind(span, name, aspect, self._span_ended)

    # The end.

    def _span_ended(self, end_time: int | None = None) -> None:
        """Stand in for the `end` of the span: someone else ends it."""
        with guard("callspan.span_ended"):
            self._end_ns = time.time_ns() if end_time is None else end_time
            if self.busy or self._handed_over:
                return
            if in_finalizer():
                self.hand_over()
            else:
                self.finish()

    def hand_over(self) -> None:
        """Finish on another thread, because this one runs a finalizer and may hold any lock. Never raises."""
        # A forked child finalizes its copies of what the parent is still reading.
        if self._handed_over or self.done or self._pid != os.getpid():
            return
        self._handed_over = True
        self._end_ns = self._end_ns or time.time_ns()
        self._runtime.reaper.put(self.finish)

    def finish(self) -> None:
        """End the call: explain it, put everything on its span and end that, tell the listeners. Never raises."""
        try:
            self._open.pop()
        except IndexError:
            return
        self._runtime.open.discard(self)
        call = self.call
        if self.settle is not None:
            with guard("callspan.settle"):
                self.settle()
            self.settle = None
        end_ns = self._end_ns or self._start_ns + int(self.elapsed() * 1e9)
        call.duration_s = max(0.0, (end_ns - self._start_ns) / 1e9)
        self._conclude(call, end_ns)
        call.release()

    def _conclude(self, call: Call, end_ns: int) -> None:
        held = self._held
        with guard("callspan.adopted_error"):
            # One error has one name.
            if call.error_type:
                call.error_type = held.error_type or call.error_type
        report = self._runtime.explain(call)
        found: Attributes = {}
        known: Attributes = {}
        with guard("callspan.attributes"):
            known = start_attributes(call, *self._address)
            found = call_attributes(call)
        # A span of ours has the others since its start.
        held.describe(
            span_name(call.operation, call.model),
            known | found if held.is_others else found,
            report,
            failed=bool(call.error_type),
        )
        identity = held.identity()
        recorder = self._runtime.content
        if recorder is not None and held.is_own:
            with guard("callspan.content"):
                recorder.record(call, held.span, known | found, end_ns)
        held.end(end_ns)
        found = known | found
        if report is not None:
            with guard("callspan.report"):
                found.update(report_attributes(report))
        self._runtime.finished(call, report, identity, self._start_ns, end_ns, found)
