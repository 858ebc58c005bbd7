"""Finished spans, as tests look at them."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from llm_observer.call import Call
from llm_observer.results import CallReport

__all__ = ["Finished", "Listening", "Spans", "attributes", "exported"]


def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What a global provider exports that is there for this test: its exporter came before whatever comes later."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return exporter


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished call as a listener was told of it, with what it held of content then."""

    call: Call
    body: bytes | None
    report: CallReport | None
    context: SpanContext
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]


class Listening:
    """A listener of finished calls."""

    def __init__(self) -> None:
        self.finished: list[Finished] = []

    def __call__(
        self, call: Call, context: SpanContext, start_ns: int, end_ns: int, found: Mapping[str, Any], /
    ) -> None:
        self.finished.append(Finished(call, call.body, call.report, context, start_ns, end_ns, found))


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    """Its attributes."""
    return span.attributes or {}


class Spans:
    """What an exporter has received."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self.exporter = exporter

    def all(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def one(self) -> ReadableSpan:
        """The only span."""
        (span,) = self.all()
        return span

    def wait_for_one(self) -> ReadableSpan:
        """The only span, which another thread may be about to end."""
        deadline = time.monotonic() + 5
        while not self.all() and time.monotonic() < deadline:
            time.sleep(0.002)
        return self.one()

    async def appear(self) -> ReadableSpan:
        """The only span, which a task or another thread may be about to end."""
        deadline = time.monotonic() + 5
        while not self.all() and time.monotonic() < deadline:  # noqa: ASYNC110  an exporter knows no event loop
            await asyncio.sleep(0.002)
        return self.one()

    def clear(self) -> None:
        self.exporter.clear()
