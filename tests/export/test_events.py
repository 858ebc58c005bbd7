"""A span becomes an event that validates, whatever was lost or bent on the way."""

import itertools
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from export_helpers import FULL, MINIMAL, RESOURCE, make_event, validate_event
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from llm_observer.counters import counters
from llm_observer.export.events import TABLE, event_from_attributes, event_from_span, is_llm_call


def spans(attributes: Mapping[str, Any], *, limits: SpanLimits | None = None, error: bool = False) -> ReadableSpan:
    """An ended span as the SDK hands it to exporters."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource(RESOURCE), span_limits=limits or SpanLimits())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("parent"):
        span = tracer.start_span("chat gpt-5", attributes=dict(attributes))
        if error:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
    provider.shutdown()
    return exporter.get_finished_spans()[0]


def test_a_full_span_becomes_the_event_of_the_contract() -> None:
    event = make_event(FULL)
    validate_event(event)
    assert event == {
        "schema_version": "1.0",
        "event_id": event["event_id"],
        "occurred_at": "2026-01-15T09:30:07.123456Z",
        "sdk": {"name": "llm-observer", "version": event["sdk"]["version"], "language": "python"},
        "service": {"name": "support", "version": "1.4", "environment": "production"},
        "trace": {"trace_id": f"{1:032x}", "span_id": f"{2:016x}", "parent_span_id": f"{3:016x}", "sampled": True},
        "call": {
            "provider": "openai",
            "api": "chat.completions",
            "operation": "chat",
            "request_model": "gpt-5.6",
            "response_model": "gpt-5.6-2026-08-01",
            "stream": True,
            "duration_s": 1.5,
            "time_to_first_chunk_s": 0.25,
            "finish_reasons": ["stop"],
            "error_type": "timeout",
            "service_tier": "default",
            "resend_count": 2,
            "server_address": "api.openai.com",
            "site": {"file": "/app/support.py", "function": "answer", "line": 42},
        },
        "usage": {
            "input_tokens": 5000,
            "output_tokens": 200,
            "cache_read_tokens": 1024,
            "cache_write_tokens": 3000,
            "cache_write_1h_tokens": 1000,
            "cache_write_12h_tokens": 0,
            "input_audio_tokens": 7,
            "cache_read_audio_tokens": 3,
            "input_image_tokens": 9,
            "reasoning_tokens": 64,
            "output_audio_tokens": 5,
            "output_image_tokens": 6,
        },
        "cost": {"usd": "0.0123", "saved_usd": "-0.00000125", "source": "genai-prices 0.2.3"},
        "prompt": {
            "hash": "0123456789abcdef",
            "canonical_hash": "fedcba9876543210",
            "family": "00112233aabbccdd",
            "segments": 12,
            "key_id": "0a1b2c3d",
            "similarity": 0.75,
            "chain": ["c:0123456789abcdef", "w:fedcba9876543210"],
        },
        "cache": {
            "outcome": "partial",
            "broke": True,
            "avoidable": True,
            "cause": "timestamp",
            "causes": ["timestamp", "tool_order"],
            "location": "system[0]",
            "offset": 17,
            "expected_tokens": 4800,
            "reported_tokens": 1024,
            "missed_tokens": 3776,
            "gap_s": 42.5,
            "tokens_method": "anchored",
            "tokens_error": 0.02,
            "lost_usd": "0.0042",
            "confidence": 0.95,
            "confirmed_by": ["usage"],
            "hint": "Move the timestamp behind the stable part of the system prompt.",
        },
        "breakers": [{"category": "timestamp", "confidence": 0.9}, {"category": "uuid", "confidence": 0.8}],
    }


def test_the_full_example_fills_every_field_of_the_table() -> None:
    names = {name for field in TABLE for name in field.attributes[:1]}
    assert names - set(FULL) == {"llm_observer.cost.reason"}


def test_a_bare_call_becomes_an_event_without_inventions() -> None:
    """What the span does not say is absent, not zero."""
    event = make_event(MINIMAL, parent_span_id=None, end_ns=None, resource={})
    validate_event(event)
    assert event["call"] == {"provider": "anthropic", "operation": "chat", "stream": False}
    assert event["usage"] == event["cost"] == event["service"] == {}
    assert "parent_span_id" not in event["trace"]
    assert not event.keys() & {"prompt", "cache", "breakers"}


def test_a_span_of_the_sdk_gives_the_same_event_as_its_attributes() -> None:
    span = spans(FULL)
    event = event_from_span(span)
    assert event is not None
    validate_event(event)
    assert span.context is not None
    assert span.parent is not None
    assert event["trace"]["trace_id"] == f"{span.context.trace_id:032x}"
    assert event["trace"]["parent_span_id"] == f"{span.parent.span_id:016x}"
    reference = make_event(FULL)
    for part in ("service", "usage", "cost", "prompt", "cache", "breakers"):
        assert event[part] == reference[part]


def test_a_failed_span_without_a_type_says_other() -> None:
    event = event_from_span(spans(MINIMAL, error=True))
    assert event is not None
    assert event["call"]["error_type"] == "_OTHER"


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"gen_ai.operation.name": "chat"},
        {"gen_ai.provider.name": "openai"},
        {"gen_ai.provider.name": "openai", "gen_ai.operation.name": "invoke_agent"},
        {"gen_ai.provider.name": "openai", "gen_ai.operation.name": "execute_tool"},
        {"gen_ai.provider.name": 1, "gen_ai.operation.name": "chat"},
        {"gen_ai.provider.name": "openai", "gen_ai.operation.name": ["chat"]},
        {"http.request.method": "POST"},
    ],
)
def test_other_spans_are_no_events(attributes: dict[str, Any]) -> None:
    assert not is_llm_call(attributes)
    assert event_from_span(spans(attributes)) is None
    assert make_event(attributes) is None


def test_a_span_that_never_started_is_no_event() -> None:
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    assert event_from_span(ReadableSpan("x", context=context, attributes=MINIMAL)) is None


def test_the_event_id_follows_from_the_span_alone() -> None:
    """A call that is sent twice can be told; two calls cannot be mistaken."""
    first, again = make_event(MINIMAL), make_event(FULL)
    assert first["event_id"] == again["event_id"]
    ids = {make_event(MINIMAL, trace_id=t, span_id=s)["event_id"] for t, s in itertools.product((1, 2, 258), repeat=2)}
    assert len(ids) == 9


def test_calls_without_a_span_get_ids_of_their_own() -> None:
    """With tracing off every span context is zero; the calls are still told apart."""
    events = [make_event(MINIMAL, trace_id=0, span_id=0) for _ in range(3)]
    for event in events:
        validate_event(event)
        assert event["trace"]["sampled"] is False
        assert "parent_span_id" not in event["trace"]
    assert len({event["event_id"] for event in events}) == 3


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.0123, "0.0123"),
        (1e-07, "0.0000001"),
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (3, "3"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e22, "10000000000000000000000"),
        (100.0, "100"),
    ],
)
def test_money_is_written_plainly(usd: float, text: str) -> None:
    event = make_event({**MINIMAL, "llm_observer.cost.usd": usd})
    validate_event(event)
    assert event["cost"]["usd"] == text


@given(usd=st.floats(min_value=1e-15, max_value=1e15, allow_nan=False))
def test_money_reads_back_as_the_same_float(usd: float) -> None:
    text = make_event({**MINIMAL, "llm_observer.cost.usd": usd})["cost"]["usd"]
    assert float(text) == usd
    assert float(Decimal(text)) == usd


@pytest.mark.parametrize("usd", [math.nan, math.inf, -1.0, True, "12", 1e-300])
def test_money_that_is_none_is_left_out_and_counted(usd: object) -> None:
    event = make_event({**MINIMAL, "llm_observer.cost.usd": usd})
    if usd == "12":
        assert event["cost"] == {"usd": "12"}
        return
    assert event["cost"] == {}
    assert counters.of("events") == {"field_dropped": 1}


@pytest.mark.parametrize("spelling", ["cache_write", "cache_creation"])
def test_either_spelling_of_cache_writes_is_read(spelling: str) -> None:
    event = make_event({**MINIMAL, f"gen_ai.usage.{spelling}.input_tokens": 10})
    assert event["usage"] == {"cache_write_tokens": 10}


def test_openai_api_types_are_read_under_our_name() -> None:
    event = make_event({**MINIMAL, "openai.api.type": "chat_completions"})
    assert event["call"]["api"] == "chat.completions"
    assert "api" not in make_event({**MINIMAL, "openai.api.type": 3})["call"]


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("gen_ai.usage.input_tokens", "12", "usage.input_tokens"),
        ("gen_ai.usage.input_tokens", -1, "usage.input_tokens"),
        ("gen_ai.usage.input_tokens", 1.5, "usage.input_tokens"),
        ("gen_ai.usage.input_tokens", True, "usage.input_tokens"),
        ("gen_ai.usage.input_tokens", 2**53, "usage.input_tokens"),
        ("gen_ai.request.model", "m" * 257, "call.request_model"),
        ("gen_ai.request.model", "", "call.request_model"),
        ("gen_ai.request.model", "\udcff", "call.request_model"),
        ("gen_ai.request.stream", "yes", "call.stream"),
        ("gen_ai.response.finish_reasons", "stop", "call.finish_reasons"),
        ("error.type", "Error: the prompt was ...", "call.error_type"),
        ("error.type", "timeout\n", "call.error_type"),
        ("server.address", "https://user:pw@host/", "call.server_address"),
        ("llm_observer.prompt.hash", "0123", "prompt.hash"),
        ("llm_observer.prompt.similarity", 1.5, "prompt.similarity"),
        ("llm_observer.cache.outcome", "parti", "cache.outcome"),
        ("llm_observer.cache.location", "system[0] You are", "cache.location"),
        ("llm_observer.breaker.categories", "uuid", "breakers"),
    ],
)
def test_a_bent_attribute_costs_its_field_alone(name: str, value: object, path: str) -> None:
    """Truncated, of another type, out of range: the field is left out and counted, the event stands."""
    event = make_event({**FULL, name: value})
    part: Any = event
    *parents, leaf = path.split(".")
    for parent in parents:
        part = part.get(parent, {})
    validate_event(event)
    assert not part.get(leaf)
    assert counters.of("events")["field_dropped"] >= 1


def test_tokens_read_without_a_verdict_are_usage_alone() -> None:
    event = make_event({**MINIMAL, "gen_ai.usage.cache_read.input_tokens": 5})
    validate_event(event)
    assert event["usage"] == {"cache_read_tokens": 5}
    assert "cache" not in event
    assert counters.of("events") == {}


def test_breakers_of_unequal_length_are_paired_as_far_as_they_go() -> None:
    event = make_event({**FULL, "llm_observer.breaker.confidences": (0.5,)})
    assert event["breakers"] == [{"category": "timestamp", "confidence": 0.5}]


def test_long_arrays_are_cut() -> None:
    event = make_event({**FULL, "llm_observer.prompt.chain": [f"{n:016x}" for n in range(500)]})
    validate_event(event)
    assert len(event["prompt"]["chain"]) == 128


def test_a_clock_that_jumped_gives_no_duration() -> None:
    event = make_event(MINIMAL, start_ns=2_000_000_000, end_ns=1_000_000_000)
    assert "duration_s" not in event["call"]


def test_a_default_service_name_is_no_name() -> None:
    event = make_event(MINIMAL, resource={"service.name": "unknown_service:python", "service.version": 3})
    assert event["service"] == {}


def test_the_older_name_of_the_environment_is_read() -> None:
    assert make_event(MINIMAL, resource={"deployment.environment": "dev"})["service"] == {"environment": "dev"}


def test_attributes_that_the_sdk_dropped_are_said() -> None:
    span = spans({**{f"app.{n}": n for n in range(10)}, **FULL}, limits=SpanLimits(max_span_attributes=len(FULL)))
    event = event_from_span(span)
    assert event is not None
    validate_event(event)
    assert counters.of("events")["attributes_dropped"] == 10


@pytest.mark.parametrize("limit", [1, 4, 8, 15, 40])
def test_events_survive_any_limit_on_the_length_of_attributes(limit: int) -> None:
    span = spans(FULL, limits=SpanLimits(max_span_attribute_length=limit))
    event = event_from_span(span)
    if event is None:
        # "chat" cut to "c" is no operation.
        assert limit < 4
        return
    validate_event(event)


@pytest.mark.parametrize("keep", range(0, len(FULL), 3))
def test_events_survive_any_limit_on_the_number_of_attributes(keep: int) -> None:
    event = event_from_span(spans(FULL, limits=SpanLimits(max_span_attributes=keep)))
    if event is not None:
        validate_event(event)


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.lists(st.text(max_size=5), max_size=4),
)


@settings(max_examples=150)
@given(attributes=st.dictionaries(st.sampled_from(sorted(FULL)), values), keep=st.sets(st.sampled_from(sorted(FULL))))
def test_whatever_the_attributes_hold_the_event_validates(attributes: dict[str, Any], keep: set[str]) -> None:
    base = {name: value for name, value in FULL.items() if name in keep} | attributes
    event = make_event({**base, **MINIMAL})
    validate_event(event)


def test_nothing_outside_the_table_is_read() -> None:
    """Content that another instrumentation put on the span does not reach the event."""
    secret = "MARKER-8f2a"
    stranger = {
        "gen_ai.input.messages": secret,
        "gen_ai.output.messages": secret,
        "gen_ai.system_instructions": secret,
        "gen_ai.tool.definitions": secret,
        "llm_observer.snippet": secret,
        "exception.message": secret,
        "user.id": secret,
        "url.full": secret,
    }
    event = make_event({**FULL, **stranger}, resource={**RESOURCE, "host.name": secret})
    assert not re.search(secret, str(event))


def test_event_from_attributes_is_public_by_keyword() -> None:
    event = event_from_attributes(
        MINIMAL, trace_id=1, span_id=2, sampled=False, start_ns=0, end_ns=1, resource={}, error=False
    )
    assert event is not None
    assert event["occurred_at"] == "1970-01-01T00:00:00.000000Z"
