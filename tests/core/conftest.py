"""A scripted server, clients of both SDKs, and an instrumentation that is undone."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import anthropic
import openai
import pytest
from scripted import ScriptedServer

import llm_observer
from llm_observer.guard import Guard
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.pricing.catalog import Catalog
from llm_observer.summary import callbacks, tally


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def fail_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production."""
    monkeypatch.setattr(Guard, "strict", False)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the local store of the test is."""
    return tmp_path / "state" / "calls.db"


@pytest.fixture
def patched(store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`patch`, with what it leaves behind cleared away at the end."""
    monkeypatch.setattr(callbacks, "_functions", ())
    tally.clear()

    def patch(**arguments: object) -> None:
        llm_observer.patch(**({"store": str(store), "hash_key": "0" * 64} | arguments))  # pyright: ignore[reportArgumentType]

    yield patch
    llm_observer.flush()
    if LLMObserverInstrumentor().is_instrumented_by_opentelemetry:
        llm_observer.unpatch()
    tally.clear()


@pytest.fixture
def ask(server: ScriptedServer) -> Iterator[Callable[..., object]]:
    """Sends a chat completion and returns the answer."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0) as client:

        def ask(text: str = "Where is my parcel?", *, model: str = "gpt-5.6", **more: Any) -> object:
            create = cast("Callable[..., object]", client.chat.completions.create)
            return create(model=model, messages=[{"role": "user", "content": text}], **more)

        yield ask


@pytest.fixture
def claude(server: ScriptedServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="key", max_retries=0) as client:
        yield client


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Prices load when the event is set, and not before."""
    gate, load = threading.Event(), Catalog.load

    def late() -> Catalog:
        gate.wait(30)
        return load()

    monkeypatch.setattr(Catalog, "load", late)
    yield gate
    gate.set()
