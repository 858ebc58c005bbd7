"""Span attributes ↔ event fields: the one table, and the reading of a span through it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, cast, get_args

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from llm_observer._version import __version__
from llm_observer.counters import counters
from llm_observer.export.shape import SCHEMA_VERSION, event_shape
from llm_observer.telemetry import attributes as names

__all__ = [
    "OPERATIONS",
    "TABLE",
    "Event",
    "Field",
    "event_from_attributes",
    "event_from_span",
    "event_id_of",
    "is_llm_call",
]

Event = dict[str, Any]
"""One call, in the shape of `telemetry_event_v1.json`."""

OPERATIONS: frozenset[str] = frozenset(get_args(names.GenAiOperationName))
"""The operations that are one billed call of a model, by OpenTelemetry's names. Agents, tools and workflows are not."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OTHER = "_OTHER"
"""OpenTelemetry's `error.type` where nothing better is known."""

_APIS = {"chat_completions": "chat.completions"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event and the attributes it is read from: the first that is set counts."""

    path: str
    attributes: tuple[str, ...]
    convert: Callable[[Any], Any] | None = None


def _money(value: object) -> object:
    """A float as the shortest decimal that reads back as the same float, without exponent."""
    if type(value) is not float and type(value) is not int:
        return value
    number = Decimal(repr(value))
    if not number.is_finite():
        return value
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _api(value: object) -> object:
    """OpenTelemetry's name of an OpenAI interface as ours."""
    return _APIS.get(value, value) if isinstance(value, str) else value


def _flag(value: object) -> bool:
    """A flag that every event has: what is no flag counts as unset."""
    if not isinstance(value, bool):
        _dropped("call.stream")
    return value is True


TABLE: tuple[Field, ...] = (
    Field("call.provider", (names.GEN_AI_PROVIDER_NAME,)),
    Field("call.api", (names.CALL_API, names.OPENAI_API_TYPE), _api),
    Field("call.operation", (names.GEN_AI_OPERATION_NAME,)),
    Field("call.request_model", (names.GEN_AI_REQUEST_MODEL,)),
    Field("call.response_model", (names.GEN_AI_RESPONSE_MODEL,)),
    Field("call.stream", (names.GEN_AI_REQUEST_STREAM,), _flag),
    Field("call.time_to_first_chunk_s", (names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,)),
    Field("call.finish_reasons", (names.GEN_AI_RESPONSE_FINISH_REASONS,)),
    Field("call.error_type", (names.ERROR_TYPE,)),
    Field("call.service_tier", (names.CALL_SERVICE_TIER, names.OPENAI_RESPONSE_SERVICE_TIER)),
    Field("call.resend_count", (names.HTTP_REQUEST_RESEND_COUNT,)),
    Field("call.server_address", (names.SERVER_ADDRESS,)),
    Field("call.site.file", (names.CODE_FILE_PATH,)),
    Field("call.site.function", (names.CODE_FUNCTION_NAME,)),
    Field("call.site.line", (names.CODE_LINE_NUMBER,)),
    Field("usage.input_tokens", (names.GEN_AI_USAGE_INPUT_TOKENS,)),
    Field("usage.output_tokens", (names.GEN_AI_USAGE_OUTPUT_TOKENS,)),
    Field("usage.cache_read_tokens", (names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,)),
    # Renamed upstream; released instrumentations and backends use either name.
    Field(
        "usage.cache_write_tokens",
        (names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, names.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS),
    ),
    Field("usage.cache_write_1h_tokens", (names.USAGE_CACHE_WRITE_1H_TOKENS,)),
    Field("usage.cache_write_12h_tokens", (names.USAGE_CACHE_WRITE_12H_TOKENS,)),
    Field("usage.input_audio_tokens", (names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,)),
    Field("usage.cache_read_audio_tokens", (names.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,)),
    Field("usage.input_image_tokens", (names.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,)),
    Field("usage.reasoning_tokens", (names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,)),
    Field("usage.output_audio_tokens", (names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,)),
    Field("usage.output_image_tokens", (names.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,)),
    Field("cost.usd", (names.COST_USD,), _money),
    Field("cost.saved_usd", (names.COST_SAVED_USD,), _money),
    Field("cost.reason", (names.COST_REASON,)),
    Field("cost.source", (names.COST_SOURCE,)),
    Field("prompt.hash", (names.PROMPT_HASH,)),
    Field("prompt.canonical_hash", (names.PROMPT_CANONICAL_HASH,)),
    Field("prompt.family", (names.PROMPT_FAMILY,)),
    Field("prompt.segments", (names.PROMPT_SEGMENTS,)),
    Field("prompt.key_id", (names.PROMPT_KEY_ID,)),
    Field("prompt.similarity", (names.PROMPT_SIMILARITY,)),
    Field("prompt.chain", (names.PROMPT_CHAIN,)),
    Field("cache.outcome", (names.CACHE_OUTCOME,)),
    Field("cache.broke", (names.CACHE_BROKE,)),
    Field("cache.avoidable", (names.CACHE_AVOIDABLE,)),
    Field("cache.cause", (names.CACHE_CAUSE,)),
    Field("cache.causes", (names.CACHE_CAUSES,)),
    Field("cache.location", (names.CACHE_LOCATION,)),
    Field("cache.offset", (names.CACHE_OFFSET,)),
    Field("cache.expected_tokens", (names.CACHE_EXPECTED_TOKENS,)),
    Field("cache.reported_tokens", (names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,)),
    Field("cache.missed_tokens", (names.CACHE_MISSED_TOKENS,)),
    Field("cache.gap_s", (names.CACHE_GAP,)),
    Field("cache.tokens_method", (names.CACHE_TOKENS_METHOD,)),
    Field("cache.tokens_error", (names.CACHE_TOKENS_ERROR,)),
    Field("cache.lost_usd", (names.CACHE_LOST_USD,), _money),
    Field("cache.confidence", (names.CACHE_CONFIDENCE,)),
    Field("cache.confirmed_by", (names.CACHE_CONFIRMED_BY,)),
    Field("cache.hint", (names.CACHE_HINT,)),
    Field("breakers.category", (names.BREAKER_CATEGORIES,)),
    Field("breakers.confidence", (names.BREAKER_CONFIDENCES,)),
)
"""Every field that is read from an attribute. `x-source` in the schema says the same to readers of events."""

_STEPS = tuple((tuple(field.path.split(".")[:-1]), field.path.rpartition(".")[2], field) for field in TABLE)
"""The table with each path taken apart, once."""

_SERVICE = {
    "name": (names.SERVICE_NAME,),
    "version": (names.SERVICE_VERSION,),
    "environment": (names.DEPLOYMENT_ENVIRONMENT_NAME, "deployment.environment"),
}


def is_llm_call(attributes: Mapping[str, Any] | None) -> bool:
    """Whether the attributes are those of one call of a model."""
    if not attributes or not isinstance(attributes.get(names.GEN_AI_PROVIDER_NAME), str):
        return False
    operation = attributes.get(names.GEN_AI_OPERATION_NAME)
    return isinstance(operation, str) and operation in OPERATIONS


def event_from_span(span: ReadableSpan) -> Event | None:
    """The event of an ended span; `None` when it is not a call of a model."""
    context = span.get_span_context()
    attributes = span.attributes or {}
    if span.dropped_attributes:
        # The oldest go first: the span may be told from others no more, or say less than was measured.
        counters.add("events", "attributes_dropped", span.dropped_attributes)
    if context is None or span.start_time is None or not is_llm_call(attributes):
        return None
    return event_from_attributes(
        attributes,
        trace_id=context.trace_id,
        span_id=context.span_id,
        parent_span_id=span.parent.span_id if span.parent is not None else None,
        sampled=context.trace_flags.sampled,
        start_ns=span.start_time,
        end_ns=span.end_time,
        resource=span.resource.attributes,
        error=span.status.status_code is StatusCode.ERROR,
    )


def event_from_attributes(
    attributes: Mapping[str, Any],
    *,
    trace_id: int,
    span_id: int,
    parent_span_id: int | None = None,
    sampled: bool,
    start_ns: int,
    end_ns: int | None,
    resource: Mapping[str, Any],
    error: bool = False,
) -> Event | None:
    """The event of a call from its span's attributes; `None` when they are not those of a call of a model.

    A missing, truncated or wrongly typed attribute leaves its field out and is counted; the event stays valid.

    Args:
        attributes: Those of the span.
        trace_id: Of the span context. 0 (no span was made): the call gets ids of its own.
        span_id: Of the span context.
        parent_span_id: `None` or 0 at the root of a trace.
        sampled: Whether the span was sampled.
        start_ns: Start of the call in Unix nanoseconds.
        end_ns: Its end, `None` when unknown.
        resource: Attributes of the resource.
        error: Whether the span's status says that the call failed.
    """
    if not is_llm_call(attributes):
        return None
    if not trace_id or not span_id:
        trace_id, span_id, parent_span_id, sampled = secrets.randbits(128) or 1, secrets.randbits(64) or 1, None, False
    event: Event = {
        "schema_version": SCHEMA_VERSION,
        "event_id": event_id_of(trace_id, span_id),
        "occurred_at": _time(start_ns),
        "sdk": {"name": "llm-observer", "version": __version__, "language": "python"},
        "service": _service(resource),
        "trace": {"trace_id": f"{trace_id:032x}", "span_id": f"{span_id:016x}", "sampled": sampled},
        "call": {"stream": False},
        "usage": {},
        "cost": {},
    }
    if parent_span_id:
        event["trace"]["parent_span_id"] = f"{parent_span_id:016x}"
    if end_ns is not None and end_ns >= start_ns:
        event["call"]["duration_s"] = (end_ns - start_ns) / 1e9
    for parents, leaf, field in _STEPS:
        for name in field.attributes:
            value = attributes.get(name)
            if value is not None:
                part = event
                for parent in parents:
                    part = part.setdefault(parent, {})
                part[leaf] = value if field.convert is None else field.convert(value)
                break
    if error and "error_type" not in event["call"]:
        event["call"]["error_type"] = _OTHER
    if event.get("cache", {}).keys() == {"reported_tokens"}:
        # Without a verdict the tokens read stand in `usage` alone.
        del event["cache"]
    _pair_breakers(event)
    return cast("Event | None", event_shape(names=True).clean(event, _dropped))


def _pair_breakers(event: Event) -> None:
    """Turn the parallel arrays of the attributes into one array of objects."""
    breakers = event.pop("breakers", None)
    if breakers is None:
        return
    categories, confidences = breakers.get("category"), breakers.get("confidence")
    if isinstance(categories, (list, tuple)) and isinstance(confidences, (list, tuple)):
        pairs = zip(cast("Sequence[Any]", categories), cast("Sequence[Any]", confidences), strict=False)
        event["breakers"] = [{"category": category, "confidence": confidence} for category, confidence in pairs]
    else:
        _dropped("breakers")


def _dropped(path: str) -> None:
    counters.add("events", "field_dropped" if path else "invalid")


def event_id_of(trace_id: int, span_id: int) -> str:
    """Equal for the same span wherever and whenever it is computed; says nothing of the ids themselves."""
    ids = trace_id.to_bytes(16, "big") + span_id.to_bytes(8, "big")
    return blake2b(ids, digest_size=16, person=b"llm-observer evt").hexdigest()


def _time(unix_ns: int) -> str:
    moment = _EPOCH + timedelta(microseconds=unix_ns // 1000)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _service(resource: Mapping[str, Any]) -> dict[str, Any]:
    service: dict[str, Any] = {}
    for name, keys in _SERVICE.items():
        value = next((resource[key] for key in keys if resource.get(key)), None)
        # The SDK's own default names the interpreter, not the service.
        if isinstance(value, str) and not value.startswith("unknown_service"):
            service[name] = value
    return service
