"""Token usage as OpenTelemetry counts it, converted from each provider's own shape: a module for each family."""

from llm_observer.usage.model import IteratedUsage, Iteration, Usage

__all__ = ["IteratedUsage", "Iteration", "Usage"]
