"""A scripted server, a provider with an exporter, and the instrumentation on both."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import ScriptedServer
from spans import Spans

from llm_observer.instrumentor import LLMObserverInstrumentor, Runtime


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Answers both SDKs."""
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def provider() -> TracerProvider:
    return TracerProvider(shutdown_on_exit=False)


@pytest.fixture
def spans(provider: TracerProvider) -> Spans:
    """What an exporter of the provider gets."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Spans(exporter)


@pytest.fixture
def instrument(provider: TracerProvider) -> Iterator[Callable[..., Runtime]]:
    """Instruments with the arguments given, on the provider, and undoes it at the end of the test."""
    instrumentor = LLMObserverInstrumentor()

    def start(**arguments: Any) -> Runtime:
        defaults: dict[str, Any] = {"store": "off", "hash_key": "0" * 64, "tracer_provider": provider}
        instrumentor.instrument(**(defaults | arguments))
        runtime = LLMObserverInstrumentor.runtime
        assert runtime is not None
        return runtime

    yield start
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
