"""Metrics of calls, recorded for each call whether its span was sampled or not."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext

from llm_observer._version import __version__
from llm_observer.call import Call
from llm_observer.results import CallReport
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.attributes import SCHEMA_URL, Metric
from llm_observer.telemetry.providers import SCOPE
from llm_observer.telemetry.values import Attributes
from llm_observer.usage import Usage

__all__ = ["Metrics"]

_DIMENSIONS = (
    names.GEN_AI_OPERATION_NAME,
    names.GEN_AI_PROVIDER_NAME,
    names.GEN_AI_REQUEST_MODEL,
    names.GEN_AI_RESPONSE_MODEL,
    names.SERVER_ADDRESS,
    names.SERVER_PORT,
)


class Metrics:
    """The instruments. On the global meter provider they begin to record once one is set.

    Args:
        meter_provider: Where they are, if not on the global one.
        newest_names: Whether inference is recorded under the names that the conventions have now.
    """

    def __init__(self, meter_provider: metrics.MeterProvider | None = None, *, newest_names: bool = False) -> None:
        meter = metrics.get_meter(SCOPE, __version__, meter_provider, schema_url=SCHEMA_URL)
        self._released = _Released(meter)
        self._newest = _Newest(meter) if newest_names else None
        self._cost = _histogram(meter, names.METRIC_CLIENT_COST)

    def record(
        self, call: Call, report: CallReport | None, span_context: SpanContext, found: Attributes, *, told: bool = False
    ) -> None:
        """Record a finished call; `found` has its span's attributes.

        Of one that another instrumentation `told` of, only what it cost: the rest is recorded by that.
        """
        # So that exemplars point to the call's span.
        context = trace.set_span_in_context(trace.NonRecordingSpan(span_context))
        dimensions = {name: found[name] for name in _DIMENSIONS if name in found}
        if report is not None and report.cost.usd is not None:
            self._cost.record(float(report.cost.usd), dimensions, context)
        if told:
            return
        failed = {names.ERROR_TYPE: call.error_type} if call.error_type else {}
        # Embeddings have no names of their own among the newest.
        if self._newest is not None and call.operation != "embeddings":
            self._newest.record(call, dimensions, dimensions | failed, context)
        else:
            self._released.record(call, dimensions, dimensions | failed, context)


class _Released:
    """The names that the conventions' last release has, and the official instrumentations."""

    def __init__(self, meter: metrics.Meter) -> None:
        self._duration = _histogram(meter, names.METRIC_GEN_AI_CLIENT_OPERATION_DURATION)
        self._tokens = _histogram(meter, names.METRIC_GEN_AI_CLIENT_TOKEN_USAGE)
        self._chunks = _Chunks(
            _histogram(meter, names.METRIC_GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK),
            _histogram(meter, names.METRIC_GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK),
        )

    def record(self, call: Call, dimensions: Attributes, ended: Attributes, context: Context) -> None:
        """Record `call`; `ended` are the dimensions with how it ended."""
        usage = call.usage
        if usage is not None:
            for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
                if tokens is not None:
                    self._tokens.record(tokens, {**dimensions, names.GEN_AI_TOKEN_TYPE: kind}, context)
        self._chunks.record(call, dimensions, context)
        if call.duration_s is not None:
            self._duration.record(call.duration_s, ended, context)


class _Newest:
    """The names of inference in the conventions to come. What a provider did not report is not recorded as zero."""

    def __init__(self, meter: metrics.Meter) -> None:
        self._duration = _histogram(meter, names.METRIC_GEN_AI_CLIENT_INFERENCE_DURATION)
        self._chunks = _Chunks(
            _histogram(meter, names.METRIC_GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK),
            _histogram(meter, names.METRIC_GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK),
        )
        self._sizes = tuple(
            (_histogram(meter, metric), figure)
            for metric, figure in (
                (names.METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS, "input_tokens"),
                (names.METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS, "output_tokens"),
            )
        )
        self._counts = tuple(
            (meter.create_counter(metric.name, unit=metric.unit, description=metric.description), figure, parts)
            for metric, figure, parts in (
                (names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS, "input_tokens", _INPUT),
                (names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS, "output_tokens", _OUTPUT),
                (names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS, "cache_read_tokens", _READ),
                (names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS, "cache_write_tokens", ()),
                (names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS, "reasoning_tokens", ()),
            )
        )

    def record(self, call: Call, dimensions: Attributes, ended: Attributes, context: Context) -> None:
        """Record `call`; `ended` are the dimensions with how it ended."""
        usage = call.usage
        if usage is not None:
            for size, figure in self._sizes:
                tokens: int | None = getattr(usage, figure)
                if tokens is not None:
                    size.record(tokens, ended, context)
            for counter, figure, parts in self._counts:
                tokens = getattr(usage, figure)
                if tokens is not None:
                    for modality, part in _by_modality(usage, tokens, parts):
                        counter.add(part, {**dimensions, names.GEN_AI_TOKEN_MODALITY: modality}, context)
        self._chunks.record(call, dimensions, context)
        if call.duration_s is not None:
            self._duration.record(call.duration_s, ended, context)


class _Chunks(NamedTuple):
    """When a stream's chunks came."""

    first: metrics.Histogram
    further: metrics.Histogram

    def record(self, call: Call, dimensions: Attributes, context: Context) -> None:
        """Record `call`, if it was streamed."""
        if call.stream and call.first_byte_s is not None:
            self.first.record(call.first_byte_s, dimensions, context)
        if call.arrivals is not None:
            for before, now in pairwise(call.arrivals):
                self.further.record(now - before, dimensions, context)


_Parts: TypeAlias = tuple[tuple[str, str], ...]
_INPUT: _Parts = (("audio", "input_audio_tokens"), ("image", "input_image_tokens"))
_OUTPUT: _Parts = (("audio", "output_audio_tokens"), ("image", "output_image_tokens"))
_READ: _Parts = (("audio", "cache_read_audio_tokens"),)


def _by_modality(usage: Usage, whole: int, parts: _Parts) -> Iterator[tuple[str, int]]:
    """`whole` by modality: what was told apart, and the rest, of which that is not known."""
    told = [(modality, tokens) for modality, figure in parts if (tokens := getattr(usage, figure))]
    rest = whole - sum(tokens for _, tokens in told)
    if rest < 0:
        told, rest = [], whole
    yield from told
    if rest or not told:
        yield "unknown", rest


def _histogram(meter: metrics.Meter, metric: Metric) -> metrics.Histogram:
    return meter.create_histogram(
        metric.name,
        unit=metric.unit,
        description=metric.description,
        explicit_bucket_boundaries_advisory=metric.boundaries,
    )
