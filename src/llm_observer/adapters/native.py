"""The span that the Anthropic SDK starts for a call by itself, since its release 1.14."""

from collections.abc import Mapping
from typing import Any, cast

from opentelemetry import trace

from llm_observer.telemetry.foreign import Foreign
from llm_observer.telemetry.providers import Providers, takes_processors

__all__ = ["expected_span"]

_SCOPE = "com.anthropic.sdk.python"


def expected_span(client: Any, options: Any, providers: Providers) -> Foreign | None:
    """The span that the SDK will start for this request, with our processors on the provider that it will be on.

    `None` when the SDK starts none: it is too old, tracing is switched off on the client, the request is not one of
    its methods', or there is no provider that records.
    """
    # The client's word first: a model of pydantic's takes long to say that it has no such field.
    settings = getattr(client, "open_telemetry", None)
    if not isinstance(settings, Mapping):
        return None
    name = getattr(options, "span_name", None)
    if not isinstance(name, str):
        return None
    resolved = cast("Mapping[str, Any]", settings)
    traces = resolved.get("traces")
    if not (cast("Mapping[str, Any]", traces).get("enabled") if isinstance(traces, Mapping) else traces):
        return None
    provider = resolved.get("tracer_provider") or trace.get_tracer_provider()
    if not takes_processors(provider) or not providers.ensure(provider):
        return None
    return Foreign(_SCOPE, name)
