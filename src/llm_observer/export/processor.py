"""Takes the calls out of all that a provider's spans are, and has them exported in the background."""

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from llm_observer.counters import counters
from llm_observer.export.events import is_llm_call
from llm_observer.export.exporter import EnvelopeExporter
from llm_observer.export.worker import Worker
from llm_observer.guard import guard

__all__ = ["EnvelopeProcessor"]

_LINGER_S = 1.0
_SHORT_LINGER_S = 0.05
"""Where a crash is to lose next to nothing."""
_MAX_BATCH = 512
_COUNT_S = 1.0


class EnvelopeProcessor(SpanProcessor):
    """Batches sampled spans of LLM calls for an `EnvelopeExporter`.

    Where a `BatchSpanProcessor` would do, this one is better in three ways: other spans take no place in its queue,
    what the queue loses is counted (`dropped`, `queue_full`), and what it holds is sent before a child of
    `multiprocessing` ends.

    Args:
        exporter: Gets the spans, on the processor's thread.
        max_queue: Most spans waiting; then the oldest is dropped.
    """

    def __init__(self, exporter: EnvelopeExporter, *, max_queue: int = 2048) -> None:
        self._exporter = exporter
        self.max_queue = max_queue
        self._worker: Worker[ReadableSpan] = Worker(
            self._export,
            name="llm_observer.envelope",
            max_queue=max_queue,
            max_batch=_MAX_BATCH,
            linger_s=_SHORT_LINGER_S if exporter.spools else _LINGER_S,
            on_drop=_count_drop,
            on_pause=_nothing,
        )

    @property
    def queued(self) -> int:
        """How many spans wait to be sent."""
        return self._worker.queued

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: a call is known at its end."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span if it is a call. Neither blocks nor raises."""
        with guard("export.queue"):
            context = span.get_span_context()
            if context is not None and context.trace_flags.sampled and is_llm_call(span.attributes):
                self._worker.put(span)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Wait until every call that ended before has been tried; whether it was in time."""
        return self._worker.flush(timeout_millis / 1000)

    def shutdown(self, timeout_millis: float = 5000) -> None:
        """Send what waits, within the timeout, and take no more."""
        with guard("export.shutdown"):
            if self._worker.close(timeout_millis / 1000):
                self._exporter.shutdown(0)
                return
            # From here on nothing is sent any more, so that the rest is soon counted as lost.
            self._exporter.shutdown(0)
            self._worker.close(_COUNT_S)

    def _export(self, spans: list[ReadableSpan]) -> None:
        counters.add("processed", n=len(spans))
        # What fails is counted where it fails.
        self._exporter.export(spans)


def _count_drop(cause: str, spans: list[ReadableSpan]) -> None:
    counters.add("dropped", cause, len(spans))


def _nothing() -> None:
    """There is no file to close between batches."""
