"""Whatever is wrong with endpoint or store, calls come back as ever, and the counters tell what was lost.

The table of these faults in docs/transport.md is held to what happens here; `UPDATE_DOCS=1` writes it anew.
"""

import contextlib
import functools
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from endpoint import Endpoint, boast, bomb, close, drip, endless, garbage, hang, reply, reset, trickle
from opentelemetry.sdk.trace import TracerProvider

import llm_observer
from llm_observer.counters import counters
from llm_observer.demo.provider import Provider
from llm_observer.engine import Engine
from llm_observer.export import backoff, database, processor
from llm_observer.export.exporter import EnvelopeExporter
from llm_observer.export.processor import EnvelopeProcessor
from llm_observer.guard import Guard
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.summary import Tally
from llm_observer.telemetry.metrics import Metrics

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "transport.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
CERTIFICATE = (str(HERE / "certificate.pem"), str(HERE / "key.pem"))
CALLS = 8


def converse() -> tuple[list[Any], float]:
    """Eight calls of both SDKs to a provider of its own: the answers, and how long the slowest took."""
    answers: list[Any] = []
    slowest = 0.0
    with (
        Provider() as provider,
        openai.OpenAI(base_url=provider.openai_url, api_key="sk-test") as chat,
        anthropic.Anthropic(base_url=provider.anthropic_url, api_key="sk-test") as claude,
    ):
        create: tuple[Callable[..., Any], ...] = (
            functools.partial(chat.chat.completions.create, model="gpt-5.1"),
            functools.partial(claude.messages.create, model="claude-opus-4-5", max_tokens=9),
        )
        for n in range(CALLS // 2):
            for call in create:
                started = time.perf_counter()
                answer = call(messages=[{"role": "user", "content": f"question {n}"}])
                slowest = max(slowest, time.perf_counter() - started)
                answers.append(answer.model_dump(exclude={"id", "created"}))
    return answers, slowest


@pytest.fixture(scope="module")
def without() -> list[Any]:
    """What the application gets without us."""
    return converse()[0]


@contextmanager
def instrumented(**settings: Any) -> Generator[TracerProvider]:
    provider = TracerProvider(shutdown_on_exit=False)
    instrumentor = LLMObserverInstrumentor()
    instrumentor.instrument(tracer_provider=provider, hash_key="0" * 64, **settings)
    try:
        yield provider
    finally:
        instrumentor.uninstrument()
        provider.shutdown()


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are swallowed, waits are short, and all calls are one batch."""
    monkeypatch.setattr(Guard, "strict", False)
    monkeypatch.setattr(backoff, "_FIRST_S", 0.01)
    monkeypatch.setattr(processor, "_LINGER_S", 60.0)
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)


@contextmanager
def deadly(kind: type, method: str) -> Generator[None]:
    """Inside, the method ends the thread that calls it."""
    dead: list[threading.Thread] = []

    def die(*_: object) -> None:
        dead.append(threading.current_thread())
        raise SystemExit

    def unseen(_: object) -> None:
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", unseen)
        patch.setattr(kind, method, die)
        yield
        for thread in dead:
            thread.join(10)


def row(fault: str, kept: int, answers: list[Any], without: list[Any], slowest: float) -> str:
    """What happened, as a line of the table."""
    assert answers == without
    assert slowest < 5.0
    lost = "nothing" if kept == CALLS else "every event" if not kept else "some events"
    assert kept + sum(counters.of("dropped").values()) == CALLS
    counted = [f"`{name}` {cause}" for name in ("dropped", "retries", "errors") for cause in sorted(counters.of(name))]
    return f"| {fault} | as ever | {lost} | {', '.join(counted) or 'nothing'} |"


def check(fault: str, happened: str) -> None:
    """The document says what happened."""
    document = DOCUMENT.read_text(encoding="utf-8")
    head, _, rest = document.partition(BEGIN)
    table, _, tail = rest.partition(END)
    lines = table.strip().splitlines()
    if os.environ.get("UPDATE_DOCS"):
        kept = [line for line in lines[2:] if not line.startswith(f"| {fault} |")]
        order = list(FAULTS)
        made = sorted([*kept, happened], key=lambda line: order.index(line.split("|")[1].strip()))
        table = "\n".join([*lines[:2], *made])
        DOCUMENT.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")
        return
    assert happened in lines


# --- the endpoint

ENDPOINTS: dict[str, Callable[[], Endpoint]] = {
    "the endpoint hangs": lambda: Endpoint(then=hang),
    "the endpoint answers a byte at a time": lambda: Endpoint(then=drip),
    "the endpoint resets every connection": lambda: Endpoint(then=reset),
    "the endpoint resets a connection now and then": lambda: Endpoint(reset, reset),
    "the endpoint closes every connection": lambda: Endpoint(then=close),
    "the endpoint answers with garbage": lambda: Endpoint(then=garbage),
    "the endpoint answers without end": lambda: Endpoint(then=endless),
    "the endpoint answers with its body a byte at a time": lambda: Endpoint(then=trickle),
    "the endpoint answers with headers without end": lambda: Endpoint(then=boast),
    "the endpoint answers with a gzip bomb": lambda: Endpoint(then=bomb),
    "the endpoint's certificate is not trusted": lambda: Endpoint(certificate=CERTIFICATE),
    "the endpoint answers 500 for a while": lambda: Endpoint(reply(500), reply(502), reply(503)),
    "the endpoint answers 500 for long": lambda: Endpoint(then=reply(500)),
    "the endpoint asks for patience (429, `Retry-After: 0`)": lambda: Endpoint(reply(429, Retry_After="0")),
    "the endpoint asks for too much patience (429, `Retry-After: 3600`)": lambda: Endpoint(
        then=reply(429, Retry_After="3600")
    ),
    "the key is refused (401)": lambda: Endpoint(then=reply(401)),
    "the batch is refused (400)": lambda: Endpoint(then=reply(400)),
    "every batch is too large (413)": lambda: Endpoint(then=reply(413)),
    "the endpoint redirects (302)": lambda: Endpoint(then=reply(302, Location="https://example.org/")),
}


PASSING = {fault for fault in ENDPOINTS if "while" in fault or "now and then" in fault or "`Retry-After: 0`" in fault}


def send(url: str, timeout: float = 0.5) -> tuple[list[Any], float]:
    with instrumented(store="off") as provider:
        provider.add_span_processor(EnvelopeProcessor(EnvelopeExporter(url, "secret-token", timeout=timeout)))
        answers = converse()
        assert provider.force_flush(10_000)
    return answers


@pytest.mark.parametrize("fault", ENDPOINTS)
def test_an_endpoint_that_fails(fault: str, without: list[Any]) -> None:
    with ENDPOINTS[fault]() as endpoint:
        answers, slowest = send(endpoint.url, 10.0 if fault in PASSING else 0.5)
    check(fault, row(fault, counters.total("sent"), answers, without, slowest))


def test_nobody_listens(without: list[Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answers, slowest = send(f"http://127.0.0.1:{port}/")
    check("nobody listens", row("nobody listens", counters.total("sent"), answers, without, slowest))


def test_the_thread_that_sends_dies(without: list[Any]) -> None:
    fault = "the thread that sends dies"
    with deadly(EnvelopeExporter, "export"):
        answers, slowest = send("http://127.0.0.1:1/")
    check(fault, row(fault, counters.total("sent"), answers, without, slowest))


# --- the store


@contextmanager
def damaged(path: Path) -> Generator[Path]:
    path.write_bytes(b"no database" * 100)
    yield path


@contextmanager
def foreign(path: Path) -> Generator[Path]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    yield path


@contextmanager
def locked(path: Path) -> Generator[Path]:
    with contextlib.closing(database.Database(path)):
        pass
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield path


@contextmanager
def unwritable(path: Path) -> Generator[Path]:
    path.touch()
    yield path / "calls.db"


@contextmanager
def full(path: Path) -> Generator[Path]:
    def refuse(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database.Database, "write", refuse)
        yield path


@contextmanager
def dying(path: Path) -> Generator[Path]:
    with deadly(database.Database, "write"):
        yield path


STORES: dict[str, Callable[[Path], contextlib.AbstractContextManager[Path]]] = {
    "the store is damaged": damaged,
    "the store is another program's database": foreign,
    "the store is locked": locked,
    "the store cannot be written": unwritable,
    "the disk is full": full,
    "the thread that stores dies": dying,
}


@pytest.fixture
def one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_observer.export.store._LINGER_S", 60.0)


@pytest.mark.usefixtures("one_batch")
@pytest.mark.parametrize("fault", STORES)
def test_a_store_that_fails(fault: str, without: list[Any], tmp_path: Path) -> None:
    with STORES[fault](tmp_path / "file") as path, instrumented(store=str(path)):
        answers, slowest = converse()
        llm_observer.flush(10)
    check(fault, row(fault, counters.total("stored"), answers, without, slowest))


# --- what runs on the way of the call

INSIDE: dict[str, tuple[object, str]] = {
    "the analysis fails": (Engine, "_finding"),
    "pricing fails": (Engine, "_cost"),
    "counting fails": (Tally, "add"),
    "metrics fail": (Metrics, "record"),
}


@pytest.mark.usefixtures("one_batch")
@pytest.mark.parametrize("fault", INSIDE)
def test_what_fails_on_the_way_of_a_call(
    fault: str, without: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is stored with what is known of it."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(*INSIDE[fault], broken)
    with instrumented(store=str(tmp_path / "calls.db")):
        answers, slowest = converse()
        llm_observer.flush(10)
    check(fault, row(fault, counters.total("stored"), answers, without, slowest))


FAULTS = ["nobody listens", *ENDPOINTS, "the thread that sends dies", *STORES, *INSIDE]


def test_the_table_has_no_other_rows() -> None:
    table = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [line.split("|")[1].strip() for line in table.strip().splitlines()[2:]]
    assert rows == FAULTS
