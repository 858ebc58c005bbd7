"""Everything that the package gives out, gathered as text: where a canary must not be."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import Answer, Recorded, ScriptedServer

import llm_observer
from llm_observer.call import Call
from llm_observer.export.names import redact
from llm_observer.export.reading import read_events
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.wiring import connected

OTHERS = ("openai", "anthropic", "httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "asyncio")
"""Loggers of the SDKs and of what they are built on. They log requests when they are told to, with us or without."""


class Endpoint(ScriptedServer):
    """Takes events."""

    def answer(self, request: Recorded) -> Answer:
        self.requests.append(request)
        return Answer(status=200)


class Given:
    """What was given out, by where it went."""

    def __init__(self, directory: Path, endpoint: Endpoint, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
        self.spans = InMemorySpanExporter()
        self.metrics = InMemoryMetricReader()
        self.reports: list[llm_observer.CallReport] = []
        self.calls: list[Call] = []
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self._others: set[str] = set()
        self._store = directory / "calls.db"
        self._endpoint = endpoint
        self._caplog = caplog
        self._capfd = capfd

    def leave_out(self) -> None:
        """From now on, leave out the attributes that are on spans now: those that the SDK sets by itself."""
        self._others = {name for span in self.spans.get_finished_spans() for name in span.attributes or ()}
        self.spans.clear()

    def patch(self, *, adopt: bool = False, snippets: bool = False) -> None:
        """Patch with everything on that can give something out, snippets where asked for."""
        llm_observer.patch(
            enabled=True,
            api_key="endpoint-key",
            endpoint=f"{self._endpoint.url}/events",
            store=str(self._store),
            send_names=True,
            snippets=snippets,
            log_level="DEBUG",
            tracer_provider=None if adopt else self.provider,
            meter_provider=MeterProvider([self.metrics], shutdown_on_exit=False),
        )
        llm_observer.on_call(self.reports.append)
        runtime = LLMObserverInstrumentor.runtime
        assert runtime is not None
        runtime.listeners.append(self._finished)

    def _finished(self, call: Call, *_: object) -> None:
        self.calls.append(call)

    def texts(self) -> Mapping[str, str]:
        """All of it as text, once all is out."""
        runtime, process = LLMObserverInstrumentor.runtime, connected()
        assert runtime is not None
        assert process is not None
        assert process.keeper is not None
        assert llm_observer.flush(20.0)
        stored = self._stored()
        events = list(read_events(self._store)) if self._store.exists() else []
        objects = [
            runtime, runtime.settings, runtime.engine, runtime.engine.hasher, process, process.keeper,
            process.keeper.store, *process.senders, *self.calls, *self.reports,
        ]  # fmt: skip
        out, err = self._capfd.readouterr()
        return {
            "span": "\n".join(self._span(span) for span in self.spans.get_finished_spans()),
            "metrics": data.to_json() if (data := self.metrics.get_metrics_data()) is not None else "",
            "store": stored + json.dumps(events),
            "redacted": json.dumps([redact(event, send_names=False) for event in events]),
            "redacted, with names": json.dumps([redact(event, send_names=True) for event in events]),
            "sent": "\n".join(self._posted(request) for request in self._endpoint.requests),
            "logs": "\n".join(self._logged()),
            "reprs": "\n".join(f"{one!r} {one!s}" for one in objects),
            "totals": f"{llm_observer.summary()!r} {llm_observer.stats()!r}",
            "terminal": out + err,
        }

    def _span(self, span: Any) -> str:
        data = json.loads(span.to_json())
        data["attributes"] = {name: value for name, value in data["attributes"].items() if name not in self._others}
        return json.dumps(data) + repr(span.status.description)

    def _stored(self) -> str:
        return "".join(path.read_bytes().decode("latin-1") for path in sorted(self._store.parent.glob("*")))

    @staticmethod
    def _posted(request: Recorded) -> str:
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        return f"{request.path} {request.headers} {body.decode()}"

    def _logged(self) -> Iterator[str]:
        for record in self._caplog.records:
            if record.name.partition(".")[0] not in OTHERS:
                yield f"{record.getMessage()} {record.__dict__!r} {record.exc_text} {record.exc_info}"
