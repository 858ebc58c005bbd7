"""Spans that others start for a call: the SDK's own, and those of other instrumentations of the same SDKs.

Such a span is the call's span: it is completed instead of a second one being made. Which of an application's spans is
a call's is told by its instrumentation scope first: by attributes alone an agent's or a tool's span could be taken.
"""

import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, cast

from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.values import Attributes

__all__ = ["Foreign", "claim", "complete", "outer_span", "saw", "scope_name", "take", "unwrapped"]

_SCOPES = (
    # The official ones: per SDK, and the helper that spans of theirs may come from.
    "opentelemetry.instrumentation.genai.openai",
    "opentelemetry.instrumentation.genai.anthropic",
    "opentelemetry.instrumentation.openai_v2",
    "opentelemetry.util.genai",
    # OpenLLMetry
    "opentelemetry.instrumentation.openai",
    "opentelemetry.instrumentation.anthropic",
    # OpenInference
    "openinference.instrumentation.openai",
    "openinference.instrumentation.anthropic",
    # Logfire
    "logfire.openai",
    "logfire.anthropic",
)
"""Scopes of instrumentations that start one span per call; what stands behind a dot or not at all is included."""

_PARTS = tuple(f"{scope}." for scope in _SCOPES)
_WHOLE = frozenset(_SCOPES)

_CALLS = frozenset({"chat", "text_completion", "embeddings", "generate_content"})
"""`gen_ai.operation.name` of calls to a model."""

_KINDS = frozenset({"LLM", "EMBEDDING"})
"""`openinference.span.kind` of calls to a model."""

_MODELS = (names.GEN_AI_REQUEST_MODEL, "llm.model_name", "llm.request.model", "embedding.model_name")

_NAMESPACES = tuple(f"{name.partition('.')[0]}." for name in _MODELS[:2])
"""What the attributes of a call to a model begin with, by OpenTelemetry's and by OpenInference's conventions."""

_NONE: Mapping[str, Any] = {}

_latest: ContextVar["weakref.ref[Any] | None"] = ContextVar("llm_observer_peers_span", default=None)
"""The span of another instrumentation that was last started here. Not all of them make theirs the current one."""

_taken: "weakref.WeakSet[Any]" = weakref.WeakSet()
"""Those that are some call's already."""


def scope_name(span: Any) -> str:
    """The name of the instrumentation that started `span`."""
    return str(getattr(getattr(span, "instrumentation_scope", None), "name", ""))


class Foreign:
    """A span that the SDK is expected to start for the call by itself."""

    __slots__ = ("name", "scope")

    def __init__(self, scope: str, name: str) -> None:
        self.scope = scope
        self.name = name

    def is_it(self, span: Any) -> bool:
        """Whether `span` is the expected one."""
        return scope_name(span).startswith(self.scope) and span.name == self.name


def saw(span: Any) -> None:
    """Take note of a span that was just started in this context."""
    if _is_known(span):
        _latest.set(weakref.ref(span))


def outer_span(model: str | None, fits: Callable[[Any], bool]) -> Any:
    """The span that another instrumentation has started for the call that begins here; `None` when there is none.

    It is the current span or stands beside it, still records, and is no other call's.

    Args:
        model: The model that the call names: the span of a call to another one is not this call's.
        fits: Whether a span is on a provider where the call's may be.
    """
    current = trace.get_current_span()
    latest = _latest.get()
    span = latest() if latest is not None else None
    if span is None or not span.is_recording():
        # Our processors have not seen it start: they came later, or the provider runs them in another thread.
        span = unwrapped(current)
    return span if span is not None and _is_here(span, current) and fits(span) and take(span, model) else None


def _is_here(span: Any, current: trace.Span) -> bool:
    """Whether `span` is the current one, or has the same parent as one that would be started now."""
    here = current.get_span_context().span_id
    if here == span.get_span_context().span_id:
        return True
    parent: SpanContext | None = getattr(span, "parent", None)
    return here == (parent.span_id if parent is not None else trace.INVALID_SPAN_ID)


def take(span: Any, model: str | None) -> bool:
    """Whether `span` is another instrumentation's for a call to `model`, and no other call's: then it is this one's."""
    if span in _taken or not _is_known(span) or not span.is_recording():
        return False
    found = cast("Mapping[str, Any]", span.attributes or _NONE)
    if not _is_call(span, found) or (model is not None and any(found.get(name, model) != model for name in _MODELS)):
        return False
    _taken.add(span)
    return True


def claim(span: Any) -> bool:
    """Whether `span` was no call's so far; from now on it is."""
    if span in _taken:
        return False
    _taken.add(span)
    return True


def _is_known(span: Any) -> bool:
    scope = scope_name(span)
    return scope in _WHOLE or scope.startswith(_PARTS)


def _is_call(span: Any, found: Mapping[str, Any]) -> bool:
    if (operation := found.get(names.GEN_AI_OPERATION_NAME)) is not None:
        return operation in _CALLS
    if (kind := found.get("openinference.span.kind")) is not None:
        return kind in _KINDS
    if "traceloop.span.kind" in found:
        return False
    return span.kind is SpanKind.CLIENT or any(name.startswith(_NAMESPACES) for name in found)


def unwrapped(span: Any) -> Any:
    """The SDK's span behind the one that an instrumentation has made current."""
    inner = getattr(span, "__wrapped__", None)
    if inner is None and not isinstance(span, trace.NonRecordingSpan):
        inner = getattr(span, "span", None)
    return span if inner is None else inner


def complete(span: Any, found: Attributes, *, failed: bool) -> Attributes:
    """What another's span lacks of `found`. Sets that the call failed, if the span says nothing about that."""
    if failed and span.status.status_code is StatusCode.UNSET:
        span.set_status(StatusCode.ERROR)
    theirs = cast("Mapping[str, Any]", span.attributes or _NONE)
    return {name: value for name, value in found.items() if name not in theirs}
