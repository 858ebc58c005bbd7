"""`HeldSpan`: the one span of a call, whoever starts it: we, the SDK by itself, or another instrumentation."""

import time
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from llm_observer.guard import guard
from llm_observer.results import CallReport
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.current import Aspect
from llm_observer.telemetry.foreign import Foreign, complete, scope_name, take
from llm_observer.telemetry.providers import SCOPE, Providers
from llm_observer.telemetry.values import Attributes, is_code

__all__ = ["HeldSpan"]

_ORDER = (("prompt", "processor.prompt"), ("cost", "processor.cost"), ("cache", "processor.cache"))
"""The order in which the processors set their attributes, and the boundaries where they may fail."""

_ids = RandomIdGenerator()


class HeldSpan:
    """The span of one call. Its `end` is ours as long as it is held.

    What the SDK starts by itself goes before what another instrumentation has started, and we start one when neither
    has. The span of another instrumentation ends when that ends it, but not before the call has ended.

    Args:
        providers: Where spans are started.
        model: The model that the call names.
        parent: The context in which the call was made.
        foreign: The span that the SDK is expected to start by itself.
        inside: Whether another instrumentation may start one yet, once `request` runs.
        suppressed: Whether no span may be started.
    """

    __slots__ = (
        "_aspects",
        "_expecting",
        "_foreign",
        "_model",
        "_parent",
        "_peer_end_ns",
        "_providers",
        "_suppressed",
        "_unsampled",
        "is_peers",
        "is_private",
        "span",
    )

    def __init__(
        self,
        providers: Providers,
        model: str | None,
        parent: Context,
        *,
        foreign: Foreign | None,
        inside: bool,
        suppressed: bool,
    ) -> None:
        self._providers = providers
        self._model = model
        self._parent = parent
        self._foreign = foreign
        self._expecting = foreign is not None or inside
        self._suppressed = suppressed
        self._unsampled: SpanContext | None = None
        """The ids of the SDK's own span, when that does not record."""
        self._aspects: dict[str, Aspect] = {}
        self._peer_end_ns: int | None = None
        self.span: Any = None
        self.is_peers = False
        """Whether the span is another instrumentation's."""
        self.is_private = False
        """Whether it is on no provider of the application's."""

    @property
    def is_others(self) -> bool:
        """Whether the span is the SDK's own or another instrumentation's."""
        return self.span is not None and (self._foreign is not None or self.is_peers)

    @property
    def is_own(self) -> bool:
        """Whether the span is one that we started, recording or not."""
        own = self.span is not None and not self.is_peers
        # Not by its name, which we change.
        return own and (self._foreign is None or not scope_name(self.span).startswith(self._foreign.scope))

    @property
    def error_type(self) -> str | None:
        """What another's span says went wrong, unless it took a sentence from the response for that."""
        theirs: object = self.span.attributes.get(names.ERROR_TYPE) if self.is_others else None
        return theirs if is_code(theirs) else None

    # Coming by it.

    def is_to_start(self, *, late: bool) -> bool:
        """Whether we start one: at once when none is expected, or late, when the one expected did not come."""
        return self._expecting is late and not self._suppressed and self.span is None and self._unsampled is None

    def start(self, name: str, context: Context, attributes: Attributes, start_ns: int) -> None:
        """Start a span of ours in `context`, which leads the processors to the call."""
        self.span = self._providers.tracer().start_span(
            name, context=context, kind=SpanKind.CLIENT, attributes=attributes, start_time=start_ns
        )
        self.is_private = self._providers.is_private

    def bind(self, span: Any, name: str, aspect: Aspect, end: Callable[[int | None], None]) -> None:
        """Take `span`, which was just started in the call's context, if it is the call's, with one aspect more.

        Args:
            span: The span.
            name: What the aspect is called.
            aspect: What a processor will put on the span.
            end: Stands in for the span's own `end`, if the span is ours or the SDK's.
        """
        if self.span is None or self.is_peers:
            if span is self.span:
                return
            if not self._is_ours(span):
                if self.span is None and self._providers.may_have(span) and take(span, self._model):
                    self.take_peers(span)
                return
            if self.is_peers:
                # Of one that is started where instrumentation is suppressed, a provider may hide the end (Logfire's).
                if not is_instrumentation_enabled():
                    return
                self._release()
            self.span = span
            span.end = end
        elif self.span is not span:
            return
        self._aspects.setdefault(name, aspect)

    def _is_ours(self, span: Any) -> bool:
        return scope_name(span) == SCOPE or (self._foreign is not None and self._foreign.is_it(span))

    def unseen(self) -> Any:
        """The SDK's own span, if it was started where the processors do not see the call, as in a pool of threads.

        One that does not record is only remembered: it is the call's all the same.
        """
        if not self._expecting or self._unsampled is not None or not (self.span is None or self.is_peers):
            return None
        current: Any = trace.get_current_span()
        context: SpanContext = current.get_span_context()
        if not context.is_valid or context.span_id == self._outer().span_id:
            return None
        if not current.is_recording():
            self._unsampled = context
            return None
        return current if self._foreign is not None and self._foreign.is_it(current) else None

    def take_peers(self, span: Any) -> None:
        """Have `span`, of another instrumentation, for the call's. Never raises."""

        def end(end_time: int | None = None) -> None:
            self._peer_end_ns = time.time_ns() if end_time is None else end_time
            # Let go by another thread just now.
            if "end" not in vars(span):
                span.end(self._peer_end_ns)

        with guard("held.take_peers"):
            span.end = end
            self.span = span
            self.is_peers = True
            for processor in self._providers.processors:
                self._aspects[processor.aspect] = processor

    # Letting it go.

    def _release(self) -> None:
        """Leave the span to the instrumentation that made it, which may have ended it already."""
        span = self.span
        span.__dict__.pop("end", None)
        if self._peer_end_ns is not None and span.is_recording():
            span.end(self._peer_end_ns)
        self.is_peers = False

    def describe(self, name: str, found: Attributes, report: CallReport | None, *, failed: bool) -> None:
        """Set on the span what is known at the call's end. Never raises."""
        span = self.span
        if span is None or not span.is_recording():
            return
        if self.is_peers:
            known, found = found, {}
            with guard("held.complete"):
                found = complete(span, known, failed=failed)
        else:
            with guard("held.set_status"):
                if self._foreign is not None:
                    span.update_name(name)
                if failed:
                    span.set_status(StatusCode.ERROR)
        if report is not None:
            for aspect, boundary in _ORDER:
                if aspect in self._aspects:
                    with guard(boundary):
                        found = found | self._aspects[aspect].attributes(report)
        # All at once: a span checks and locks for each time that something is set on it.
        with guard("held.set_attributes"):
            span.set_attributes(found)

    def end(self, end_ns: int) -> None:
        """End the span and let go of it. Never raises."""
        span = self.span
        if span is not None:
            with guard("held.end"):
                if self.is_peers:
                    self._release()
                else:
                    # Ours off first: the span's own `end` is the class's again, and no cycle through it remains.
                    span.__dict__.pop("end", None)
                    span.end(end_ns)
        self.span = None
        self._aspects.clear()

    # Its ids.

    def _outer(self) -> SpanContext:
        return trace.get_current_span(self._parent).get_span_context()

    def identity(self) -> SpanContext:
        """The call's ids: its span's, or ids of their own when it has none."""
        with guard("held.identity"):
            context = self._unsampled if self.span is None else self.span.get_span_context()
            if context is not None and context.is_valid:
                if self.is_peers or context.span_id != self._outer().span_id:
                    return context
                # A tracer that makes no spans hands out the parent: its ids are not this call's.
                return SpanContext(context.trace_id, _ids.generate_span_id(), is_remote=False)
        return SpanContext(_ids.generate_trace_id(), _ids.generate_span_id(), is_remote=False)
