"""What the package counts of itself is in the application's metrics, the same as in `stats()`."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import openai
import pytest
from endpoint import Behaviour, Endpoint, reply, reset
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from scripted import ScriptedServer
from semconv_registry import collect

import llm_observer
from llm_observer.export import backoff, processor
from llm_observer.guard import Guard
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.summary import callbacks

CALLS = 6
Figures = Mapping[str, Mapping[str, float]]


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "strict", False)
    monkeypatch.setattr(backoff, "_FIRST_S", 0.01)
    monkeypatch.setattr(processor, "_LINGER_S", 60.0)
    monkeypatch.setattr(callbacks, "_functions", ())


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Callable[..., tuple[Figures, llm_observer.Stats]]]:
    """Makes calls with these settings, and reads what was counted of them; flushed or not."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    tracer_provider = TracerProvider(shutdown_on_exit=False)

    def measure(*, flushed: bool = True, **settings: Any) -> tuple[Figures, llm_observer.Stats]:
        given: dict[str, Any] = {"store": str(tmp_path / "state" / "calls.db"), "hash_key": "0" * 64} | settings
        llm_observer.patch(tracer_provider=tracer_provider, meter_provider=provider, **given)
        with ScriptedServer() as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
            for n in range(CALLS):
                client.chat.completions.create(model="gpt-5.1", messages=[{"role": "user", "content": f"question {n}"}])
            if flushed:
                llm_observer.flush(10)
        return figures(reader), llm_observer.stats()

    yield measure
    if LLMObserverInstrumentor().is_instrumented_by_opentelemetry:
        llm_observer.unpatch()
    provider.shutdown()


def figures(reader: InMemoryMetricReader) -> Figures:
    """Of each metric about the package itself: the values by what tells them apart."""
    found: dict[str, dict[str, float]] = {}
    data = reader.get_metrics_data()
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
    for metric in [metric for scope in scopes for metric in scope.metrics]:
        for point in metric.data.data_points:
            attributes = dict(point.attributes or {})
            if "otel.component.type" in attributes:
                name = str(attributes["otel.component.name"])
                key = str(attributes.get("error.type", "" if name.endswith("/0") else name))
                value = point.count if isinstance(point, HistogramDataPoint) else getattr(point, "value")  # noqa: B009
                assert key not in found.setdefault(metric.name, {}), "one stream for each"
                found[metric.name][key] = value
    return found


FAULTS: dict[str, tuple[Behaviour, ...]] = {
    "none": (),
    "a broken connection, then taken": (reset, reset),
    "an unwilling endpoint, then taken": (reply(503), reply(429, Retry_After="0")),
    "a refused batch": (reply(400),),
    "a refused key": (reply(401),),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_metrics_and_stats_say_the_same(
    fault: str, measured: Callable[..., tuple[Figures, llm_observer.Stats]]
) -> None:
    def broken(_: llm_observer.CallReport) -> None:
        raise RuntimeError

    llm_observer.on_call(broken)
    with Endpoint(*FAULTS[fault]) as endpoint:
        found, stats = measured(enabled=True, api_key="k", endpoint=endpoint.url)
    exported = dict(found["otel.sdk.exporter.span.exported"])
    assert exported.pop("", 0) == stats.sent
    assert exported == stats.dropped
    assert sum(found["otel.sdk.exporter.span.exported"].values()) == CALLS
    assert found["otel.sdk.processor.span.processed"] == {"": CALLS}
    assert found.get("llm_observer.exporter.retries", {}) == stats.retries
    assert found["llm_observer.store.calls"] == {"": stats.stored} == {"": CALLS}
    assert found["llm_observer.errors"] == stats.errors == {"on_call": CALLS}
    assert found["otel.sdk.exporter.operation.duration"] == {next(iter(stats.dropped), ""): 1}
    assert found["otel.sdk.exporter.span.inflight"] == {"": 0}
    assert found["otel.sdk.processor.span.queue.size"] == {"": 0}
    assert found["otel.sdk.processor.span.queue.capacity"] == {"": 2048}
    assert found["llm_observer.store.queue.size"] == {"": 0}
    names = {raw["name"] for raw in collect("metrics") if any("component" in ref["ref"] for ref in raw["attributes"])}
    assert found.keys() == names - ({"llm_observer.exporter.retries"} if not stats.retries else set())


def test_what_waits_and_what_the_queue_dropped_is_told_apart_from_what_failed(
    measured: Callable[..., tuple[Figures, llm_observer.Stats]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setitem(processor.EnvelopeProcessor.__init__.__kwdefaults__ or {}, "max_queue", 3)
    with Endpoint() as endpoint:
        found, stats = measured(
            flushed=False, enabled=True, api_key="k", endpoint=endpoint.url, store=str(blocked / "x")
        )
        dropped = found["otel.sdk.processor.span.processed"]["queue_full"]
        # The sending thread may have taken the first into its hands.
        assert dropped == stats.dropped["queue_full"]
        assert dropped + found["otel.sdk.processor.span.queue.size"][""] in {CALLS, CALLS - 1}
        assert found["otel.sdk.processor.span.queue.capacity"] == {"": 3}
        assert "otel.sdk.exporter.span.exported" not in found
        llm_observer.flush(10)
    # What comes soon after the first failure is not tried.
    lost = llm_observer.stats().dropped
    assert lost.get("store_unwritable", 0) + lost.get("store_unavailable", 0) == CALLS


def test_nothing_is_collected_of_what_is_not_in_use(
    measured: Callable[..., tuple[Figures, llm_observer.Stats]],
) -> None:
    found, stats = measured(store="off")
    assert found == {}
    assert stats.calls == CALLS


def test_patching_again_counts_on_in_the_same_streams(
    measured: Callable[..., tuple[Figures, llm_observer.Stats]],
) -> None:
    measured()
    llm_observer.unpatch()
    found, _ = measured()
    assert found["llm_observer.store.calls"] == {"": 2 * CALLS}
