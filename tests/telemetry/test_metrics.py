"""Metrics of calls: under the released names, under the newest on request, sampled or not."""

from array import array
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Histogram, HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.trace import INVALID_SPAN_CONTEXT

from llm_observer.call import Call
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.describe_call import call_attributes, start_attributes
from llm_observer.telemetry.metrics import Metrics
from llm_observer.usage import Usage

Points = dict[str, list[tuple[dict[str, Any], float]]]


def recorded(*calls: Call, newest_names: bool = False) -> Points:
    """Each metric's points: what tells them apart, and the sum."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    metrics = Metrics(provider, newest_names=newest_names)
    for call in calls:
        found = start_attributes(call, "api.example", 443) | call_attributes(call)
        metrics.record(call, None, INVALID_SPAN_CONTEXT, found)
    data = reader.get_metrics_data()
    assert data is not None
    told: Points = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        points: list[Any] = list(metric.data.data_points)
        told[metric.name] = [(_apart(point), _value(point)) for point in points]
        if isinstance(metric.data, Histogram):
            constant = f"METRIC_{metric.name.upper().replace('.', '_')}"
            (boundaries,) = {tuple(point.explicit_bounds) for point in metric.data.data_points}
            assert boundaries == getattr(names, constant).boundaries
    provider.shutdown()
    return told


def _apart(point: Any) -> dict[str, Any]:
    found = dict(point.attributes or {})
    for name in ("operation.name", "provider.name", "request.model"):
        assert found.pop(f"gen_ai.{name}")
    assert (found.pop("server.address"), found.pop("server.port")) == ("api.example", 443)
    return found


def _value(point: HistogramDataPoint | NumberDataPoint) -> float:
    return point.sum if isinstance(point, HistogramDataPoint) else point.value


def call(operation: str = "chat", **details: Any) -> Call:
    usage = details.pop("usage", None)
    made = Call(provider="openai", api="responses", operation=operation, model="m", duration_s=2.0, **details)
    made.usage = usage
    return made


USAGE = Usage(
    input_tokens=100,
    output_tokens=20,
    cache_read_tokens=0,
    input_audio_tokens=30,
    cache_read_audio_tokens=0,
    input_image_tokens=0,
    reasoning_tokens=5,
)


def test_the_released_names() -> None:
    """A first chunk is of a stream, an error of the duration."""
    arrivals = array("d", (7.5, 7.75, 9.0))
    assert recorded(call(usage=USAGE, stream=True, first_byte_s=0.5, arrivals=arrivals, error_type="429")) == {
        "gen_ai.client.operation.duration": [({"error.type": "429"}, 2.0)],
        "gen_ai.client.operation.time_to_first_chunk": [({}, 0.5)],
        "gen_ai.client.operation.time_per_output_chunk": [({}, 0.25 + 1.25)],
        "gen_ai.client.token.usage": [({"gen_ai.token.type": "input"}, 100), ({"gen_ai.token.type": "output"}, 20)],
    }


def test_the_newest_names() -> None:
    """Tokens are told apart by modality as far as the usage does; a reported zero is counted as that."""
    unknown = {"gen_ai.token.modality": "unknown"}
    streamed = call(usage=USAGE, stream=True, first_byte_s=0.5, arrivals=array("d", (7.5, 7.75)), error_type="429")
    assert recorded(streamed, newest_names=True) == {
        "gen_ai.client.inference.duration": [({"error.type": "429"}, 2.0)],
        "gen_ai.client.inference.time_to_first_chunk": [({}, 0.5)],
        "gen_ai.client.inference.time_per_output_chunk": [({}, 0.25)],
        "gen_ai.client.inference.operation.input_tokens": [({"error.type": "429"}, 100)],
        "gen_ai.client.inference.operation.output_tokens": [({"error.type": "429"}, 20)],
        "gen_ai.client.inference.usage.input_tokens": [({"gen_ai.token.modality": "audio"}, 30), (unknown, 70)],
        "gen_ai.client.inference.usage.output_tokens": [(unknown, 20)],
        "gen_ai.client.inference.usage.cache_read.input_tokens": [(unknown, 0)],
        "gen_ai.client.inference.usage.reasoning.output_tokens": [(unknown, 5)],
    }


def test_parts_that_exceed_their_whole_are_not_told_apart() -> None:
    """The whole is what was billed."""
    usage = Usage(input_tokens=10, input_audio_tokens=30)
    points = recorded(call(usage=usage), newest_names=True)
    assert points["gen_ai.client.inference.usage.input_tokens"] == [({"gen_ai.token.modality": "unknown"}, 10)]


def test_embeddings_keep_the_released_names() -> None:
    points = recorded(call("embeddings", usage=Usage(input_tokens=10)), newest_names=True)
    assert points == {
        "gen_ai.client.operation.duration": [({}, 2.0)],
        "gen_ai.client.token.usage": [({"gen_ai.token.type": "input"}, 10)],
    }


@pytest.mark.parametrize("newest_names", [False, True])
def test_what_is_not_reported_is_not_recorded(*, newest_names: bool) -> None:
    """A call without usage has a duration, and no tokens: no zeros."""
    (name,) = recorded(call(), newest_names=newest_names)
    assert name.endswith("duration")
