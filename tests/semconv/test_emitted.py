"""What real calls put on spans and into metrics is what the registry says: names, types, values, presence."""

from collections.abc import Iterator, Mapping
from typing import Any

import anthropic
import openai
import pytest
from loopback import loopback_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Histogram, InMemoryMetricReader, Metric, Sum
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from semconv_registry import OWN, collect, is_of_type

from llm_observer.instrumentor import LLMObserverInstrumentor

Emitted = tuple[list[ReadableSpan], list[Metric]]

ATTRIBUTES = {raw["key"]: raw for raw in collect("attributes")}
SPANS = {raw.get("type") or raw["id"]: raw["attributes"] for raw in [*collect("spans"), *collect("span_refinements")]}
METRICS = {raw["name"]: raw for raw in collect("metrics")}
INSTRUMENTS = {"histogram": Histogram, "counter": Sum, "updowncounter": Sum}

ON_A_CALL: dict[str, str | dict[str, str]] = {
    ref["ref"]: ref["requirement_level"]
    for span in ("gen_ai.client.inference", "llm_observer.gen_ai.client.inference")
    for ref in SPANS[span]
}

LONG = "You are the support agent of a shop. Be short, be kind, and never promise a refund. " * 200
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("look_up_order", "send_mail")
]


def members(raw: Mapping[str, Any]) -> set[str] | None:
    """The values that an attribute, or an element of it, may have; `None` for any."""
    if not isinstance(raw["type"], str):
        return {member["id"] for member in raw["type"]["members"]}
    elements: str | list[dict[str, str]] | None = raw.get("annotations", {}).get("elements")
    if isinstance(elements, str):
        return members(ATTRIBUTES[elements])
    return {member["id"] for member in elements} if elements else None


def faults(found: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong by the registry with attributes in a namespace that it covers."""
    for key, value in found.items():
        raw = ATTRIBUTES.get(key)
        if raw is None:
            yield f"{key} is not in the registry"
            continue
        kind = raw["type"] if isinstance(raw["type"], str) else "string"
        if not is_of_type(value, kind):
            yield f"{key} is {value!r}, not {kind}"
        allowed = members(raw)
        values = set(value) if kind.endswith("[]") else {value}
        if allowed is not None and not values <= allowed:
            yield f"{key} has the unregistered value {values - allowed}"


def condition(level: str | Mapping[str, str]) -> str:
    """The words for when an attribute is there; empty where the level has none."""
    return "" if isinstance(level, str) else next(iter(level.values()))


def openai_calls() -> None:
    with openai.OpenAI(max_retries=0) as client:
        for n in range(4):
            list(
                client.chat.completions.create(
                    model="gpt-4.1",
                    messages=[
                        {"role": "system", "content": f"It is 2026-11-22T10:0{n}:00Z. {LONG}"},
                        {"role": "user", "content": f"Question {n}"},
                    ],
                    tools=TOOLS[:: -1 if n % 2 else 1],
                    temperature=0,
                    n=2,
                    stop=["END"],
                    stream=True,
                    stream_options={"include_usage": True},
                )
            )
        client.responses.create(
            model="gpt-5.6", instructions=LONG, input="Hello", reasoning={"effort": "low"}, service_tier="flex"
        )
        client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "Hello"}])
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="text-embedding-3-small", input="Hello", dimensions=256)


def anthropic_calls() -> None:
    with anthropic.Anthropic(max_retries=0) as client:
        for n in range(4):
            client.messages.create(
                model="claude-sonnet-5-5",
                max_tokens=100,
                system=[
                    {
                        "type": "text",
                        "text": LONG if n % 2 else f"{LONG} Session 5f0c2b1e-6a57-4e0b-9d53-0b8f3c1d2a4{n}",
                        "cache_control": {"type": "ephemeral", "ttl": "1h"},
                    }
                ],
                messages=[{"role": "user", "content": f"Question {n}"}],
            )


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    """The spans and metrics of calls of every kind."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer_provider, meter_provider = TracerProvider(), MeterProvider([reader])
    tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = LLMObserverInstrumentor()
    with pytest.MonkeyPatch.context() as monkeypatch, loopback_provider(monkeypatch):
        instrumentor.instrument(tracer_provider=tracer_provider, meter_provider=meter_provider, store="off")
        try:
            openai_calls()
            anthropic_calls()
        finally:
            instrumentor.uninstrument()
    spans = [span for span in exporter.get_finished_spans() if f"{OWN}cache.outcome" in (span.attributes or {})]
    data = reader.get_metrics_data()
    assert data is not None
    metrics = [m for resource in data.resource_metrics for scope in resource.scope_metrics for m in scope.metrics]
    tracer_provider.shutdown()
    meter_provider.shutdown()
    return spans, metrics


def of_ours(span: ReadableSpan) -> dict[str, Any]:
    """The span's attributes in the namespaces that the registry covers. Another's span may have more of gen_ai."""
    found = dict(span.attributes or {})
    scope = span.instrumentation_scope
    made_here = scope is not None and scope.name == OWN.rstrip(".")
    return {key: value for key, value in found.items() if made_here or key.startswith(OWN) or key in ATTRIBUTES}


def test_every_attribute_is_registered_and_has_a_value_of_its_type(
    emitted: Emitted,
) -> None:
    spans, _ = emitted
    assert len(spans) >= 10
    assert {of_ours(span)[f"{OWN}cache.broke"] for span in spans} == {True, False}, "the calls show both"
    assert [fault for span in spans for fault in faults(of_ours(span))] == []


def test_what_is_always_present_is_present(emitted: Emitted) -> None:
    spans, _ = emitted
    required = {key for key, level in ON_A_CALL.items() if level == "required"}
    for span in spans:
        assert required - of_ours(span).keys() == set()


def test_what_comes_together_comes_together(emitted: Emitted) -> None:
    """Where the registry says that one attribute is there with another, it is there exactly then."""
    spans, _ = emitted
    conditions = {key: condition(level) for key, level in ON_A_CALL.items()}
    together = {key: text.split("`")[1] for key, text in conditions.items() if text.startswith("with `")}
    assert len(together) > 5
    for span in spans:
        found = of_ours(span)
        for key, other in together.items():
            assert (key in found) == (other in found), f"{key} and {other} on {span.name}"


def test_a_cost_or_the_reason_for_having_none_is_on_every_call(
    emitted: Emitted,
) -> None:
    spans, _ = emitted
    for span in spans:
        found = of_ours(span)
        assert (f"{OWN}cost.usd" in found) != (f"{OWN}cost.reason" in found)


def test_every_metric_is_registered_with_its_unit_instrument_and_attributes(
    emitted: Emitted,
) -> None:
    _, metrics = emitted
    assert "llm_observer.client.cost" in {metric.name for metric in metrics}
    for metric in metrics:
        raw = METRICS[metric.name]
        assert (metric.unit, metric.description) == (raw["unit"], raw["brief"])
        assert isinstance(metric.data, INSTRUMENTS[raw["instrument"]])
        declared = {ref["ref"]: ref.get("requirement_level") for ref in raw["attributes"]}
        required = {key for key, level in declared.items() if level == "required"}
        for point in metric.data.data_points:
            found = dict(point.attributes or {})
            assert required <= found.keys() <= declared.keys()
            assert list(faults(found)) == []
