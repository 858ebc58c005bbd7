"""The three span processors: hashes, cost, cache verdict.

A processor finds the call behind a span through a private key in the OpenTelemetry context when the span starts. The
attributes are set right before the span ends, by an `end` put on that one span and taken off again in it, because the
SDK freezes a span before any processor hears of its end. So they reach every exporter of the provider, also one that
was registered earlier, in the order hash, cost, cache, whatever the order of registration.
"""

from typing import ClassVar, cast

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from llm_observer.guard import guard
from llm_observer.results import CallReport
from llm_observer.telemetry.current import KEY, Observed
from llm_observer.telemetry.describe_report import cache_attributes, cost_attributes, prompt_attributes
from llm_observer.telemetry.foreign import saw
from llm_observer.telemetry.values import Attributes

__all__ = ["CacheProcessor", "CostProcessor", "PromptHashProcessor"]


class _CallProcessor(SpanProcessor):
    """Puts one aspect of a call's report on the call's span."""

    aspect: ClassVar[str]

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Tie the span to the call it belongs to, if any. Never raises."""
        with guard("processor.start"):
            owner = otel_context.get_value(KEY, parent_context)
            if owner is not None:
                cast("Observed", owner).bind(span, self.aspect, self)

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing is left to do: the span is frozen."""

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  the interface's
        """Nothing is queued."""
        return True

    def attributes(self, report: CallReport) -> Attributes:
        """What this processor puts on a span."""
        raise NotImplementedError


class PromptHashProcessor(_CallProcessor):
    """Sets `llm_observer.prompt.*`: keyed hashes of the prompt, its family, its likeness to earlier ones."""

    aspect = "prompt"

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Also remember a span of another instrumentation, whose call may begin next. Never raises."""
        with guard("processor.saw"):
            saw(span)
        super().on_start(span, parent_context)

    def attributes(self, report: CallReport) -> Attributes:
        """The prompt's hashes."""
        return prompt_attributes(report)


class CostProcessor(_CallProcessor):
    """Sets `llm_observer.cost.*`: what the call cost, and what the prompt cache saved."""

    aspect = "cost"

    def attributes(self, report: CallReport) -> Attributes:
        """The call's cost."""
        return cost_attributes(report)


class CacheProcessor(_CallProcessor):
    """Sets `llm_observer.cache.*` and `llm_observer.breaker.*`: the verdict on the provider's prompt cache."""

    aspect = "cache"

    def attributes(self, report: CallReport) -> Attributes:
        """The verdict."""
        return cache_attributes(report)
