"""What the package counts of itself, as metrics in the shape that OpenTelemetry's conventions give to SDKs.

The same counts as `stats()`, read when the reader of the application's meter provider collects; nothing here is counted
twice, and without a meter provider nothing is collected.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from weakref import WeakSet

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from llm_observer._version import __version__
from llm_observer.counters import counters, durations
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.attributes import SCHEMA_URL, Metric
from llm_observer.telemetry.providers import SCOPE

__all__ = ["Queues", "observe"]

_BY_THE_PROCESSOR: Mapping[str, str] = {"queue_full": "queue_full", "closed": "already_shutdown"}
"""Why the queue of spans drops one, with the conventions' word. What is dropped for another reason got further."""
_STORE = "store_"
"""What `dropped` begins with where the local store lost a call."""

_EXPORTER, _PROCESSOR, _KEEPER = (f"llm_observer_{kind}" for kind in ("exporter", "processor", "store"))
_GUARD = "llm_observer_guard"

_Observations = Iterable[Observation]


class Queues(NamedTuple):
    """How full the queues of this process are. `None` for one that there is not."""

    to_send: int | None = None
    room_to_send: int | None = None
    to_store: int | None = None


def observe(meter_provider: metrics.MeterProvider | None, queues: Callable[[], Queues]) -> None:
    """Have a meter provider, by default the global one, collect the counts of this process. Once for each."""
    given = meter_provider or _GLOBAL
    if given in _observed:
        return
    _observed.add(given)
    meter = metrics.get_meter(SCOPE, __version__, meter_provider, schema_url=SCHEMA_URL)
    duration = names.METRIC_OTEL_SDK_EXPORTER_OPERATION_DURATION
    histogram = meter.create_histogram(duration.name, unit=duration.unit, description=duration.description)

    def record(seconds: float, cause: str) -> None:
        histogram.record(seconds, _component(_EXPORTER) | _why(cause))

    durations.listeners += (record,)
    for metric, read in _COUNTERS:
        meter.create_observable_counter(metric.name, [_collected(read)], metric.unit, metric.description)
    for metric, measure in _LEVELS:

        def level(measure: Callable[[Queues], _Observations] = measure) -> _Observations:
            return measure(queues())

        meter.create_observable_up_down_counter(metric.name, [_collected(level)], metric.unit, metric.description)


class _Global:
    """Stands for the meter provider that is the process's, whichever it will be."""


_GLOBAL = _Global()
_observed: WeakSet[object] = WeakSet()


def _collected(read: Callable[[], _Observations]) -> Callable[[CallbackOptions], _Observations]:
    def callback(_: CallbackOptions) -> _Observations:
        return read()

    return callback


def _component(kind: str, name: str | None = None) -> dict[str, str]:
    return {names.OTEL_COMPONENT_TYPE: kind, names.OTEL_COMPONENT_NAME: name or f"{kind}/0"}


def _why(cause: str) -> dict[str, str]:
    return {names.ERROR_TYPE: cause} if cause else {}


def _done(counter: str, kind: str) -> _Observations:
    total = counters.total(counter)
    if total:
        yield Observation(total, _component(kind))


def _processed() -> _Observations:
    yield from _done("processed", _PROCESSOR)
    for cause, n in counters.of("dropped").items():
        if cause in _BY_THE_PROCESSOR:
            yield Observation(n, _component(_PROCESSOR) | _why(_BY_THE_PROCESSOR[cause]))


def _exported() -> _Observations:
    yield from _done("sent", _EXPORTER)
    for cause, n in counters.of("dropped").items():
        if cause not in _BY_THE_PROCESSOR and not cause.startswith(_STORE):
            yield Observation(n, _component(_EXPORTER) | _why(cause))


def _stored() -> _Observations:
    yield from _done("stored", _KEEPER)
    for cause, n in counters.of("dropped").items():
        if cause.startswith(_STORE):
            yield Observation(n, _component(_KEEPER) | _why(cause.removeprefix(_STORE)))


def _retried() -> _Observations:
    for cause, n in counters.of("retries").items():
        yield Observation(n, _component(_EXPORTER) | _why(cause))


def _errors() -> _Observations:
    for boundary, n in counters.of("errors").items():
        yield Observation(n, _component(_GUARD, boundary))


def _level(value: int | None, kind: str) -> _Observations:
    if value is not None:
        yield Observation(value, _component(kind))


_COUNTERS: tuple[tuple[Metric, Callable[[], _Observations]], ...] = (
    (names.METRIC_OTEL_SDK_PROCESSOR_SPAN_PROCESSED, _processed),
    (names.METRIC_OTEL_SDK_EXPORTER_SPAN_EXPORTED, _exported),
    (names.METRIC_EXPORTER_RETRIES, _retried),
    (names.METRIC_STORE_CALLS, _stored),
    (names.METRIC_ERRORS, _errors),
)

_LEVELS: tuple[tuple[Metric, Callable[[Queues], _Observations]], ...] = (
    (names.METRIC_OTEL_SDK_PROCESSOR_SPAN_QUEUE_SIZE, lambda queues: _level(queues.to_send, _PROCESSOR)),
    (names.METRIC_OTEL_SDK_PROCESSOR_SPAN_QUEUE_CAPACITY, lambda queues: _level(queues.room_to_send, _PROCESSOR)),
    (
        names.METRIC_OTEL_SDK_EXPORTER_SPAN_INFLIGHT,
        lambda queues: _level(None if queues.to_send is None else counters.total("inflight"), _EXPORTER),
    ),
    (names.METRIC_STORE_QUEUE_SIZE, lambda queues: _level(queues.to_store, _KEEPER)),
)
