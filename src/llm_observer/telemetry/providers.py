"""Which tracer provider a call's span belongs to, and our processors on it."""

import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from llm_observer._version import __version__
from llm_observer.guard import guard
from llm_observer.telemetry.attributes import SCHEMA_URL
from llm_observer.telemetry.processors import CacheProcessor, CostProcessor, PromptHashProcessor

__all__ = ["SCOPE", "Providers", "takes_processors"]

SCOPE = "llm_observer"
"""The instrumentation scope of the spans and metrics that we make."""

# Of the process, not of a runtime: instrumenting again must not add the processors again.
_equipped: WeakValueDictionary[int, Any] = WeakValueDictionary()
_lock = threading.Lock()

_PROCESSORS = (PromptHashProcessor(), CostProcessor(), CacheProcessor())
"""They hold nothing, so all providers share them."""


def takes_processors(provider: object) -> bool:
    """Whether `provider` is an SDK's, or a proxy of one, and not the API's placeholder."""
    return callable(getattr(provider, "add_span_processor", None))


class Providers:
    """Resolves the provider at each call, so that one that is set late is found.

    The one given, else the global one once it is an SDK's, else a private one that samples everything and is never
    made global. Once a global one appears, the private one gets no more spans.
    """

    processors = _PROCESSORS

    def __init__(self, given: trace.TracerProvider | None = None) -> None:
        self._given = given
        self._private: TracerProvider | None = None
        self._tracer: tuple[Any, trace.Tracer] | None = None
        self._extended: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self.extensions: list[Callable[[Any], None]] = []
        """Called once with each provider that our processors were put on, to add what else it needs."""

    def current(self) -> trace.TracerProvider:
        """The provider that a span started now belongs to."""
        if self._given is not None:
            return self._given
        provider = trace.get_tracer_provider()
        if takes_processors(provider):
            return provider
        if self._private is None:
            with _lock:
                if self._private is None:
                    self._private = TracerProvider(sampler=ALWAYS_ON)
        return self._private

    @property
    def is_private(self) -> bool:
        """Whether a span started now is nobody's but ours: the application has no tracing."""
        return self._private is not None and self.current() is self._private

    def refresh(self) -> None:
        """Put our processors on the current provider, unless they are on it."""
        provider = self.current()
        if self._extended.get(id(provider)) is not provider:
            self.ensure(provider)

    def may_have(self, span: Any) -> bool:
        """Whether `span` is on the provider that was given, as far as its resource tells, or none was given."""
        return self._given is None or getattr(self._given, "resource", None) is getattr(span, "resource", None)

    def tracer(self) -> trace.Tracer:
        """A tracer of the current provider, with our processors on it."""
        provider = self.current()
        cached = self._tracer
        if cached is not None and cached[0] is provider:
            return cached[1]
        self.ensure(provider)
        tracer = provider.get_tracer(SCOPE, __version__, schema_url=SCHEMA_URL)
        self._tracer = (provider, tracer)
        return tracer

    def prepare(self) -> None:
        """Put our processors on the provider that is there already, if one is."""
        self.ensure(self._given if self._given is not None else trace.get_tracer_provider())

    def ensure(self, provider: Any) -> bool:
        """Put our processors on `provider`, once. False when it takes none. Never raises."""
        if self._extended.get(id(provider)) is provider:
            return True
        if not takes_processors(provider):
            return False
        with guard("providers.ensure"):
            with _lock:
                fresh = _equipped.get(id(provider)) is not provider
                if fresh:
                    _equipped[id(provider)] = provider
                extend = self._extended.get(id(provider)) is not provider
                if extend:
                    self._extended[id(provider)] = provider
            if fresh:
                for processor in self.processors:
                    provider.add_span_processor(processor)
            if extend:
                for extension in self.extensions:
                    with guard("providers.extension"):
                        extension(provider)
        return True

    def force_flush(self, timeout_millis: int) -> bool:
        """Flush the providers that spans of ours may be on: ours, and the current one."""
        flushed = True
        for provider in {id(one): one for one in (self._private, self.current()) if one is not None}.values():
            flush = getattr(provider, "force_flush", None)
            if callable(flush):
                with guard("providers.flush"):
                    flushed = flush(timeout_millis) is not False and flushed
        return flushed
