"""Where a context has the call that runs in it, and what a processor and a call know of each other."""

from typing import Any, Protocol

from opentelemetry import context as otel_context

from llm_observer.results import CallReport
from llm_observer.telemetry.values import Attributes

__all__ = ["KEY", "Aspect", "Observed"]

KEY = otel_context.create_key("llm-observer-call")
"""Where a context has the call that runs in it."""


class Aspect(Protocol):
    """What a processor gives the observation: the attributes of one aspect of the report."""

    def attributes(self, report: CallReport) -> Attributes:
        """What to set on the span."""
        ...


class Observed(Protocol):
    """What stands under `KEY`: a call that is observed."""

    def bind(self, span: Any, name: str, aspect: Aspect) -> None:
        """Let `span`, which was just started in this call's context, be the call's, if it is that."""
        ...
