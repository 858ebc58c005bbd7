"""`CallSpan`: a call and its span, from the start of the request to the end of the response."""

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from llm_observer.call import Call
from llm_observer.guard import guard
from llm_observer.results import CallReport
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.describe_call import Attributes, call_attributes, is_code, span_name, start_attributes
from llm_observer.telemetry.describe_report import report_attributes
from llm_observer.telemetry.foreign import Foreign, complete, scope_name, take

if TYPE_CHECKING:
    from llm_observer.telemetry.runtime import Runtime

__all__ = ["KEY", "SCOPE", "CallSpan"]

SCOPE = "llm_observer"
"""The instrumentation scope of the spans and metrics that we make."""

KEY = otel_context.create_key("llm-observer-call")
"""Where a context has the call that runs in it."""

_ORDER = ("prompt", "cost", "cache")
"""The order in which the processors set their attributes."""

_FINALIZER_DEPTH = 10
"""How many frames above the end of a span a finalizer is looked for."""

_ids = RandomIdGenerator()


class Aspect(Protocol):
    """What a processor gives the observation: the attributes of one aspect of the report."""

    def attributes(self, report: CallReport) -> Attributes:
        """What to set on the span."""
        ...


class CallSpan:
    """One call, its span, and how far both have got.

    `finish` ends it, once, whoever calls it first. While `busy` is true an end of the span that does not come from
    here, such as the SDK's own, only leaves its time: the response is still being read.

    The span of another instrumentation ends when that ends it, but not before the call is finished.
    """

    __slots__ = (
        "_address",
        "_aspects",
        "_context",
        "_end_ns",
        "_expecting",
        "_foreign",
        "_handed_over",
        "_open",
        "_parent",
        "_peer",
        "_peer_end_ns",
        "_pid",
        "_runtime",
        "_span",
        "_start",
        "_start_ns",
        "_suppressed",
        "_token",
        "_unsampled",
        "busy",
        "call",
        "settle",
    )

    def __init__(
        self,
        runtime: "Runtime",
        call: Call,
        *,
        address: tuple[str | None, int | None] = (None, None),
        foreign: Foreign | None = None,
        peer: Any = None,
        inside: bool = False,
        suppressed: bool = False,
    ) -> None:
        """Begin a call.

        Args:
            runtime: What it is observed with.
            call: What is known of it.
            address: Host and port of the server.
            foreign: The span that the SDK is expected to start by itself.
            peer: The span that another instrumentation has started for the call.
            inside: Whether another instrumentation may start one yet, once `request` runs.
            suppressed: Whether no span may be started.
        """
        self._start_ns = time.time_ns()
        self._start = time.perf_counter()
        call.at = self._start_ns / 1e9
        self.call = call
        self._runtime = runtime
        self._address = address
        self._foreign = foreign
        self._peer: Any = peer
        self._peer_end_ns: int | None = None
        self._expecting = foreign is not None or inside
        self._unsampled: SpanContext | None = None
        self._suppressed = suppressed
        self._span: Any = None
        self._aspects: dict[str, Aspect] = {}
        self._parent: Context = otel_context.get_current()
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
        """Start the span, unless the SDK starts one, and make it current. Never raises."""
        self._runtime.open.add(self)
        if self._peer is not None:
            self._take_peers(self._peer)
        if self._span is None and not self._expecting and not self._suppressed:
            self._start_span()
        with guard("callspan.enter"):
            context = otel_context.set_value(KEY, self, self._parent)
            if self._span is not None and self._span is not self._peer:
                context = trace.set_span_in_context(self._span, context)
            self._context = context
            self._token = otel_context.attach(context)

    def leave(self) -> None:
        """Restore the caller's context, and start the span late when the SDK's did not come. Never raises."""
        with guard("callspan.leave"):
            # A coroutine that is closed from elsewhere leaves in another context, where nothing was attached.
            if self._token is not None and otel_context.get_current() is self._context:
                otel_context.detach(self._token)
            self._token = self._context = None
        if self._expecting and self._span is None and self._unsampled is None and not self._suppressed:
            self._start_span()

    def sent(self) -> None:
        """Note that an attempt is about to be sent: another's span for the call has been started by now."""
        self.call.attempts += 1
        if not self._expecting or self._span is not self._peer or self._unsampled is not None:
            return
        current: Any = trace.get_current_span()
        context: SpanContext = current.get_span_context()
        outer = trace.get_current_span(self._parent).get_span_context()
        if not context.is_valid or context.span_id == outer.span_id:
            return
        if not current.is_recording():
            self._unsampled = context
        elif self._foreign is not None and self._foreign.is_it(current):
            # Started where the processors did not see the call, as by a provider that runs them in a pool.
            for processor in self._runtime.providers.processors:
                self.bind(current, processor.aspect, processor)

    def _start_span(self) -> None:
        call = self.call
        with guard("callspan.start_span"):
            self._span = self._runtime.providers.tracer().start_span(
                span_name(call.operation, call.model),
                context=otel_context.set_value(KEY, self, self._parent),
                kind=SpanKind.CLIENT,
                attributes=start_attributes(call, *self._address),
                start_time=self._start_ns,
            )

    def bind(self, span: Any, name: str, aspect: Aspect) -> None:
        """Take `span`, which was just started in this call's context, if it is the call's.

        The first processor that brings it puts our `end` on it; each adds its aspect.
        """
        if self._span is self._peer:
            # What the SDK starts by itself goes before what another instrumentation has started.
            if self.done or span is self._peer:
                return
            if not self._is_ours(span):
                if self._span is None and self._runtime.providers.may_have(span) and take(span, self.call.model):
                    self._take_peers(span)
                return
            if self._peer is not None:
                # Of one that is started where instrumentation is suppressed, a provider may hide the end (Logfire's).
                if not is_instrumentation_enabled():
                    return
                self._release(self._peer)
                self._peer = None
            self._span = span
            span.end = self._span_ended
        elif self._span is not span:
            return
        self._aspects.setdefault(name, aspect)

    def _is_ours(self, span: Any) -> bool:
        return scope_name(span) == SCOPE or (self._foreign is not None and self._foreign.is_it(span))

    # The span of another instrumentation.

    def _take_peers(self, span: Any) -> None:
        """Have `span`, of another instrumentation, for the call's. Its end waits for the call's."""

        def end(end_time: int | None = None) -> None:
            self._peer_end_ns = time.time_ns() if end_time is None else end_time
            # Let go by another thread just now.
            if "end" not in vars(span):
                span.end(self._peer_end_ns)

        with guard("callspan.take_peers"):
            span.end = end
            self._peer = self._span = span
            for processor in self._runtime.providers.processors:
                self._aspects[processor.aspect] = processor

    def _release(self, span: Any) -> None:
        """Leave `span` to the instrumentation that made it, which may have ended it already."""
        span.__dict__.pop("end", None)
        if self._peer_end_ns is not None and span.is_recording():
            span.end(self._peer_end_ns)

    # The end.

    def _span_ended(self, end_time: int | None = None) -> None:
        """Stand in for the `end` of the span: someone else ends it."""
        with guard("callspan.span_ended"):
            self._end_ns = time.time_ns() if end_time is None else end_time
            if self.busy or self._handed_over:
                return
            if _in_finalizer():
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
        self._span = self._peer = None
        self._aspects.clear()

    def _conclude(self, call: Call, end_ns: int) -> None:
        span = self._span
        with guard("callspan.adopted_error"):
            # Another's span says what went wrong too: one error has one name. What it takes from the body of the
            # response may be a sentence, though.
            if self._others and call.error_type:
                theirs: object = span.attributes.get(names.ERROR_TYPE)
                if is_code(theirs):
                    call.error_type = theirs
        report = self._runtime.explain(call)
        found: Attributes = {}
        known: Attributes = {}
        with guard("callspan.attributes"):
            known = start_attributes(call, *self._address)
            found = call_attributes(call)
        if span is not None:
            # A span of ours has the others since its start.
            self._end_span(span, report, known | found if self._others else found, end_ns)
        found = known | found
        if report is not None:
            with guard("callspan.report"):
                found.update(report_attributes(report))
        self._runtime.finished(call, report, self._identity(span), self._start_ns, end_ns, found)

    def _end_span(self, span: Any, report: CallReport | None, found: Attributes, end_ns: int) -> None:
        call = self.call
        if span.is_recording():
            with guard("callspan.set_attributes"):
                if span is self._peer:
                    complete(span, found, failed=bool(call.error_type))
                else:
                    span.set_attributes(found)
            with guard("callspan.set_status"):
                if span is not self._peer:
                    if self._foreign is not None:
                        span.update_name(span_name(call.operation, call.model))
                    if call.error_type:
                        span.set_status(StatusCode.ERROR)
            if report is not None:
                for name in _ORDER:
                    aspect = self._aspects.get(name)
                    if aspect is not None:
                        with guard(f"processor.{name}"):
                            span.set_attributes(aspect.attributes(report))
        with guard("callspan.end_span"):
            if span is self._peer:
                self._release(span)
                return
            # Ours off first: the span's own `end` is the class's again, and no cycle through the span remains.
            span.__dict__.pop("end", None)
            span.end(end_ns)

    @property
    def _others(self) -> bool:
        """Whether the span is the SDK's own or another instrumentation's."""
        return self._span is not None and (self._foreign is not None or self._span is self._peer)

    def _identity(self, span: Any) -> SpanContext:
        """The call's ids: its span's, or ids of their own when it has none."""
        with guard("callspan.identity"):
            context = span.get_span_context() if span is not None else None
            if context is None:
                context = self._unsampled
            if context is not None and context.is_valid:
                outer = trace.get_current_span(self._parent).get_span_context()
                if context.span_id != outer.span_id or span is self._peer is not None:
                    return context
                # A tracer that makes no spans hands out the parent: its ids are not this call's.
                return SpanContext(context.trace_id, _ids.generate_span_id(), is_remote=False)
        return SpanContext(_ids.generate_trace_id(), _ids.generate_span_id(), is_remote=False)


def _in_finalizer() -> bool:
    """Whether this code runs because an object is being finalized."""
    frame = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  no public way is as cheap
    for _ in range(_FINALIZER_DEPTH):
        caller = frame.f_back
        if caller is None:
            return False
        if caller.f_code.co_name == "__del__":
            return True
        frame = caller
    return False
