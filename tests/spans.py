"""Finished spans, as tests look at them."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

__all__ = ["Spans", "attributes"]


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
        while not self.all() and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        return self.one()

    def clear(self) -> None:
        self.exporter.clear()
