"""A scripted server, a global provider whose exporter came before ours, and clients of both SDKs."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted import ScriptedServer
from spans import Spans, exported

from llm_observer.engine import Engine
from llm_observer.instrumentor import LLMObserverInstrumentor, Runtime
from llm_observer.pricing.prices import Prices

_PRICES = Prices(None)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Answers both SDKs."""
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def collect() -> Iterator[Callable[[], object]]:
    """Collects garbage, quickly: of what was made since."""
    gc.collect(0)
    gc.freeze()
    yield gc.collect
    gc.unfreeze()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """What an exporter gets that was registered with the global provider before ours."""
    return Spans(exported(monkeypatch))


@pytest.fixture
def instrument(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Runtime]]:
    """Instruments with the arguments given, and undoes it at the end of the test."""

    def create(engine: type[Engine], settings: Any) -> Engine:
        # As it is made for users, except that the prices are loaded once for all tests.
        made = original.__func__(engine, settings)
        made.prices = _PRICES
        return made

    original = Engine.create
    monkeypatch.setattr(Engine, "create", classmethod(create))
    instrumentor = LLMObserverInstrumentor()

    def start(**arguments: Any) -> Runtime:
        instrumentor.instrument(store="off", hash_key="0" * 64, **arguments)
        runtime = LLMObserverInstrumentor.runtime
        assert runtime is not None
        return runtime

    yield start
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
