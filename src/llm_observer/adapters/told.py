"""A call that another instrumentation tells of: what its span says by OpenTelemetry's conventions, as a `Call`.

Nothing is known of the request as it was sent. Figures that the span does not have stay unknown.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast, get_args

from llm_observer.call import Call
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.describe_call import USAGE
from llm_observer.telemetry.foreign import scope_name
from llm_observer.telemetry.values import count
from llm_observer.usage import Usage

__all__ = ["told_attributes", "told_call"]

_OPERATIONS: Final = frozenset(get_args(names.GenAiOperationName))
"""One billed call of a model each. What is told of agents, tools and workflows is made of such calls."""

_PROVIDERS: Final[Mapping[str, str]] = {
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "az.ai.openai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "xai": "x_ai",
}
"""Names of earlier conventions that instrumentations still give, by the present ones."""

_WITHOUT_CACHED: Final = ("opentelemetry.instrumentation.genai.bedrock", frozenset({"1.3b0"}))
"""Who gives Bedrock's `inputTokens` for all input (seen on 2026-12-01), from which what was cached is left out."""

_KEPT: Final = (
    names.GEN_AI_OPERATION_NAME,
    names.GEN_AI_REQUEST_MODEL,
    names.GEN_AI_RESPONSE_MODEL,
    names.GEN_AI_RESPONSE_ID,
    names.GEN_AI_RESPONSE_FINISH_REASONS,
    names.GEN_AI_REQUEST_STREAM,
    names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
    names.OPENAI_RESPONSE_SERVICE_TIER,
    names.ERROR_TYPE,
    names.SERVER_ADDRESS,
    names.SERVER_PORT,
)
"""What else of the span's attributes is passed on: no content among them."""

_NONE: Final[Mapping[str, Any]] = {}


def told_call(span: Any) -> Call | None:
    """The call that `span` stands for; `None` when it is no call of a model."""
    found: Mapping[str, Any] = span.attributes or _NONE
    operation, provider = _text(found, names.GEN_AI_OPERATION_NAME), _text(found, names.GEN_AI_PROVIDER_NAME)
    if operation is None or operation not in _OPERATIONS or provider is None:
        return None
    address = _text(found, names.SERVER_ADDRESS)
    first_byte: object = found.get(names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
    reasons: object = found.get(names.GEN_AI_RESPONSE_FINISH_REASONS)
    call = Call(
        provider=_PROVIDERS.get(provider, provider),
        # Which of the provider's interfaces is not told.
        api=operation,
        operation=operation,
        at=(span.start_time or 0) / 1e9,
        model=_text(found, names.GEN_AI_REQUEST_MODEL),
        stream=found.get(names.GEN_AI_REQUEST_STREAM) is True,
        # Whose key it was is not told. What is told of is compared with the like alone.
        scope=f"told {address or ''}",
        server_address=address,
        first_byte_s=first_byte if isinstance(first_byte, float) else None,
        response_id=_text(found, names.GEN_AI_RESPONSE_ID),
        response_model=_text(found, names.GEN_AI_RESPONSE_MODEL),
        finish_reasons=cast("tuple[str, ...]", reasons) if isinstance(reasons, tuple) else (),
        service_tier=_text(found, names.OPENAI_RESPONSE_SERVICE_TIER),
        error_type=_text(found, names.ERROR_TYPE),
    )
    call.usage = _usage(span, found)
    return call


def told_attributes(span: Any, call: Call) -> dict[str, Any]:
    """What the span says of its call, without content, and in the names and figures that other calls have."""
    found: Mapping[str, Any] = span.attributes or _NONE
    kept: dict[str, Any] = {name: found[name] for name in _KEPT if name in found}
    kept[names.GEN_AI_PROVIDER_NAME] = call.provider
    for attribute, figure in USAGE if call.usage is not None else ():
        tokens = getattr(call.usage, figure)
        if tokens is not None:
            kept[attribute] = tokens
    return kept


def _usage(span: Any, found: Mapping[str, Any]) -> Usage | None:
    counts: dict[str, int] = {}
    for attribute, figure in USAGE:
        tokens = count(found.get(attribute))
        if tokens is not None:
            counts.setdefault(figure, tokens)
    usage = Usage(**cast("dict[str, Any]", counts)) if counts else None
    scope, versions = _WITHOUT_CACHED
    if usage is not None and usage.input_tokens is not None and scope_name(span) == scope:
        cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
        version = getattr(span.instrumentation_scope, "version", None)
        if version in versions or cached > usage.input_tokens:
            return replace(usage, input_tokens=usage.input_tokens + cached)
    return usage


def _text(found: Mapping[str, Any], name: str) -> str | None:
    value: object = found.get(name)
    return value if isinstance(value, str) and value else None
