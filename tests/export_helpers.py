"""What the tests of the export room share: example attributes, an event made of them, the contract's validator."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator

from llm_observer.export.events import event_from_attributes
from llm_observer.export.shape import schema

_BATCH = Draft202012Validator(schema())
_EVENT = Draft202012Validator({"$schema": schema()["$schema"], "$defs": schema()["$defs"], "$ref": "#/$defs/event"})


def validate_event(event: object) -> None:
    """Raise unless `event` is one by the contract."""
    _EVENT.validate(event)  # pyright: ignore[reportUnknownMemberType]  a decorator hides its signature


def validate_batch(batch: object) -> None:
    """Raise unless `batch` is the body of one POST by the contract."""
    _BATCH.validate(batch)  # pyright: ignore[reportUnknownMemberType]


START_NS = int(datetime(2026, 1, 15, 9, 30, 7, tzinfo=UTC).timestamp()) * 10**9 + 123_456_789

RESOURCE: Mapping[str, Any] = {
    "service.name": "support",
    "service.version": "1.4",
    "deployment.environment.name": "production",
}

MINIMAL: Mapping[str, Any] = {"gen_ai.provider.name": "anthropic", "gen_ai.operation.name": "chat"}

FULL: Mapping[str, Any] = {
    "gen_ai.provider.name": "openai",
    "gen_ai.operation.name": "chat",
    "llm_observer.call.api": "chat.completions",
    "gen_ai.request.model": "gpt-5.6",
    "gen_ai.response.model": "gpt-5.6-2026-08-01",
    "gen_ai.request.stream": True,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.response.finish_reasons": ("stop",),
    "error.type": "timeout",
    "llm_observer.call.service_tier": "default",
    "http.request.resend_count": 2,
    "server.address": "api.openai.com",
    "code.file.path": "/app/support.py",
    "code.function.name": "answer",
    "code.line.number": 42,
    "gen_ai.usage.input_tokens": 5000,
    "gen_ai.usage.output_tokens": 200,
    "gen_ai.usage.cache_read.input_tokens": 1024,
    "gen_ai.usage.cache_write.input_tokens": 3000,
    "llm_observer.usage.cache_write_1h_tokens": 1000,
    "llm_observer.usage.cache_write_12h_tokens": 0,
    "gen_ai.usage.audio.input_tokens": 7,
    "gen_ai.usage.audio.cache_read.input_tokens": 3,
    "gen_ai.usage.image.input_tokens": 9,
    "gen_ai.usage.reasoning.output_tokens": 64,
    "gen_ai.usage.audio.output_tokens": 5,
    "gen_ai.usage.image.output_tokens": 6,
    "llm_observer.cost.usd": 0.0123,
    "llm_observer.cost.saved_usd": -0.00000125,
    "llm_observer.cost.source": "genai-prices 0.2.3",
    "llm_observer.prompt.hash": "0123456789abcdef",
    "llm_observer.prompt.canonical_hash": "fedcba9876543210",
    "llm_observer.prompt.family": "00112233aabbccdd",
    "llm_observer.prompt.segments": 12,
    "llm_observer.prompt.key_id": "0a1b2c3d",
    "llm_observer.prompt.similarity": 0.75,
    "llm_observer.prompt.chain": ("c:0123456789abcdef", "w:fedcba9876543210"),
    "llm_observer.cache.outcome": "partial",
    "llm_observer.cache.broke": True,
    "llm_observer.cache.avoidable": True,
    "llm_observer.cache.cause": "timestamp",
    "llm_observer.cache.causes": ("timestamp", "tool_order"),
    "llm_observer.cache.location": "system[0]",
    "llm_observer.cache.offset": 17,
    "llm_observer.cache.expected_tokens": 4800,
    "llm_observer.cache.missed_tokens": 3776,
    "llm_observer.cache.gap": 42.5,
    "llm_observer.cache.tokens_method": "anchored",
    "llm_observer.cache.tokens_error": 0.02,
    "llm_observer.cache.lost_usd": 0.0042,
    "llm_observer.cache.confidence": 0.95,
    "llm_observer.cache.confirmed_by": ("usage",),
    "llm_observer.cache.hint": "Move the timestamp behind the stable part of the system prompt.",
    "llm_observer.breaker.categories": ("timestamp", "uuid"),
    "llm_observer.breaker.confidences": (0.9, 0.8),
}
"""Every attribute that an event is read from, as on a span of ours."""


def make_event(attributes: Mapping[str, Any], **changes: Any) -> Any:
    """The event of these attributes on span 2 of trace 1, which took 1.5 s."""
    given: dict[str, Any] = {
        "trace_id": 1,
        "span_id": 2,
        "parent_span_id": 3,
        "sampled": True,
        "start_ns": START_NS,
        "end_ns": START_NS + 1_500_000_000,
        "resource": RESOURCE,
    }
    return event_from_attributes(attributes, **(given | changes))
