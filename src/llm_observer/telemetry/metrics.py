"""Metrics of calls, recorded for each call whether its span was sampled or not."""

from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.trace import SpanContext

from llm_observer._version import __version__
from llm_observer.call import Call
from llm_observer.results import CallReport
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.attributes import SCHEMA_URL, Metric
from llm_observer.telemetry.held import SCOPE
from llm_observer.telemetry.values import Attributes

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram

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
    """The instruments. On the global meter provider they begin to record once one is set."""

    def __init__(self, meter_provider: metrics.MeterProvider | None = None) -> None:
        self._meter = metrics.get_meter(SCOPE, __version__, meter_provider, schema_url=SCHEMA_URL)
        self._duration = self._histogram(names.METRIC_GEN_AI_CLIENT_OPERATION_DURATION)
        self._tokens = self._histogram(names.METRIC_GEN_AI_CLIENT_TOKEN_USAGE)
        self._first_chunk = self._histogram(names.METRIC_GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK)
        self._cost = self._histogram(names.METRIC_CLIENT_COST)

    def _histogram(self, metric: Metric) -> "Histogram":
        return self._meter.create_histogram(
            metric.name,
            unit=metric.unit,
            description=metric.description,
            explicit_bucket_boundaries_advisory=metric.boundaries,
        )

    def record(self, call: Call, report: CallReport | None, span_context: SpanContext, found: Attributes) -> None:
        """Record a finished call; `found` has its span's attributes."""
        # So that exemplars point to the call's span.
        context = trace.set_span_in_context(trace.NonRecordingSpan(span_context))
        dimensions = {name: found[name] for name in _DIMENSIONS if name in found}
        usage = call.usage
        if usage is not None:
            for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
                if tokens is not None:
                    self._tokens.record(tokens, {**dimensions, names.GEN_AI_TOKEN_TYPE: kind}, context)
        if report is not None and report.cost.usd is not None:
            self._cost.record(float(report.cost.usd), dimensions, context)
        if call.stream and call.first_byte_s is not None:
            self._first_chunk.record(call.first_byte_s, dimensions, context)
        if call.error_type:
            dimensions[names.ERROR_TYPE] = call.error_type
        if call.duration_s is not None:
            self._duration.record(call.duration_s, dimensions, context)
