"""Instrumenting and undoing it: in any order with imports, exactly, and without a trace."""

import importlib.util
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import Answer, ScriptedServer
from sdk_styles import CHAT, modern
from spans import Spans

from llm_observer.adapters import watch
from llm_observer.guard import Guard
from llm_observer.instrumentor import LLMObserverInstrumentor, Runtime

SDKS: tuple[Any, ...] = (openai._base_client, anthropic._base_client)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]


def functions() -> list[Any]:
    """All functions that are patched."""
    return [
        vars(owner)[name]
        for sdk in SDKS
        for owner, name in (
            (sdk.SyncAPIClient, "request"),
            (sdk.AsyncAPIClient, "request"),
            (sdk.BaseClient, "_build_request"),
            (sdk.Stream, "__stream__"),
            (sdk.AsyncStream, "__stream__"),
        )
    ]


def test_uninstrument_restores_the_identical_functions(instrument: Callable[..., Runtime]) -> None:
    """Nothing of ours is left on the classes, as often as one likes."""
    before = functions()
    for _ in range(2):
        instrument()
        assert all(patched is not original for patched, original in zip(functions(), before, strict=True))
        LLMObserverInstrumentor().uninstrument()
        assert all(restored is original for restored, original in zip(functions(), before, strict=True))


def test_patched_functions_look_like_the_originals(instrument: Callable[..., Runtime]) -> None:
    """Names, signatures, and being a coroutine function or not."""
    before = functions()
    instrument()
    for patched, original in zip(functions(), before, strict=True):
        assert patched.__name__ == original.__name__
        assert patched.__doc__ == original.__doc__
        assert inspect.signature(patched) == inspect.signature(original)
        if patched.__name__ != "__stream__":
            assert inspect.iscoroutinefunction(patched) == inspect.iscoroutinefunction(original)


def test_what_another_has_wrapped_since_stays(
    instrument: Callable[..., Runtime], server: ScriptedServer, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uninstrumenting does not tear off a later wrapper; ours below it passes straight through."""
    instrument()
    base: Any = SDKS[0].SyncAPIClient
    ours: Any = getattr(base, "request")  # noqa: B009  untyped on purpose
    passed: list[bool] = []

    def later(*args: Any, **kwargs: Any) -> Any:
        passed.append(True)
        return ours(*args, **kwargs)

    monkeypatch.setattr(base, "request", later)
    LLMObserverInstrumentor().uninstrument()
    assert vars(base)["request"] is later
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        client.chat.completions.create(**CHAT)
    assert passed == [True]
    assert spans.all() == []
    monkeypatch.setattr(base, "request", ours.__wrapped__)


HALF_IMPORTED = """
import importlib.abc, sys, threading
import llm_observer

class Noting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "httpx2" and threading.current_thread() is not threading.main_thread():
            sys.stdout.write("in a thread of its own\\n")  # at once, line and end

sys.meta_path.insert(0, Noting())
llm_observer.patch(store="off")
import openai
assert "httpx2" in sys.modules or "openai._httpx2" not in sys.modules
with openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="key", max_retries=0) as client:
    try:
        client.chat.completions.create(model="m", messages=[])
    except openai.APIConnectionError:
        sys.stdout.write("refused\\n")
"""


def test_the_http_library_is_never_half_imported_during_a_call() -> None:
    """A release of the SDK that uses it only if it was imported would fail on it: it looks at each request."""
    done = subprocess.run(
        [sys.executable, "-c", HALF_IMPORTED], capture_output=True, text=True, check=False, timeout=60
    )
    said = done.stdout.split("\n")
    assert "refused" in said, done.stderr
    if importlib.util.find_spec("openai._httpx2") is not None:
        assert "in a thread of its own" not in said


def test_an_open_stream_survives_uninstrumenting(
    instrument: Callable[..., Runtime], server: ScriptedServer, spans: Spans
) -> None:
    """It is read to its end, and its span ends with it."""
    instrument()
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        stream = client.chat.completions.create(**CHAT, stream=True)
        next(stream)
        LLMObserverInstrumentor().uninstrument()
        assert len(list(stream)) > 3
        client.chat.completions.create(**CHAT)
    assert spans.one()


def test_disabled_patches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`LLM_OBSERVER_DISABLED=true` wins over everything."""
    monkeypatch.setenv("LLM_OBSERVER_DISABLED", "true")
    before = functions()
    LLMObserverInstrumentor().instrument(disabled=False)
    assert functions() == before
    assert LLMObserverInstrumentor.runtime is None
    LLMObserverInstrumentor().uninstrument()


def test_instrumenting_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is raised here would keep every other instrumentation from loading."""
    monkeypatch.setattr(Guard, "strict", False)
    before = functions()
    LLMObserverInstrumentor().instrument(tracer_provider=object(), meter_provider=object(), store="off")
    LLMObserverInstrumentor().uninstrument()
    assert functions() == before


def test_no_dependency_is_required() -> None:
    """Either SDK is enough, so neither is asked for."""
    assert tuple(LLMObserverInstrumentor().instrumentation_dependencies()) == ()


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_instrumenting_imports_no_sdk_and_patches_on_import() -> None:
    """Whichever is imported later is patched then, and alone."""
    assert (
        run("""
            import sys
            from llm_observer.instrumentor import LLMObserverInstrumentor
            LLMObserverInstrumentor().instrument(store="off")
            assert not {"openai", "anthropic"} & set(sys.modules)
            import openai
            assert "anthropic" not in sys.modules
            request = openai._base_client.SyncAPIClient.request
            print(request.__module__, hasattr(request, "__wrapped__"))
            """)
        == "openai._base_client True"
    )


def test_an_sdk_imported_after_uninstrumenting_is_left_alone() -> None:
    """The hook on its import has nothing to do any more; after instrumenting again it has, once."""
    assert (
        run("""
            from llm_observer.instrumentor import LLMObserverInstrumentor
            instrumentor = LLMObserverInstrumentor()
            instrumentor.instrument(store="off")
            instrumentor.uninstrument()
            import openai
            print(hasattr(openai._base_client.SyncAPIClient.request, "__wrapped__"))
            import anthropic
            instrumentor.instrument(store="off")
            instrumentor.uninstrument()
            instrumentor.instrument(store="off")
            print(hasattr(anthropic._base_client.SyncAPIClient.request.__wrapped__, "__wrapped__"))
            """)
        == "False\nFalse"
    )


def exporting(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def call(server: ScriptedServer) -> None:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        client.chat.completions.create(**CHAT)


def test_the_provider_given_wins(instrument: Callable[..., Runtime], server: ScriptedServer, spans: Spans) -> None:
    """`tracer_provider=` gets the spans, the global one none."""
    given = TracerProvider(shutdown_on_exit=False)
    exporter = exporting(given)
    instrument(tracer_provider=given)
    call(server)
    assert len(exporter.get_finished_spans()) == 1
    assert spans.all() == []


def test_a_global_provider_that_is_set_late_takes_over(
    instrument: Callable[..., Runtime], server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then a private one has the spans, which is never made global."""
    runtime = instrument()
    before: Any = runtime.providers.current()
    private = exporting(before)
    call(server)
    assert trace.get_tracer_provider() is not before
    late = TracerProvider(shutdown_on_exit=False)
    exporter = exporting(late)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", late)
    call(server)
    assert len(private.get_finished_spans()) == 1
    (span,) = exporter.get_finished_spans()
    assert span.attributes
    assert span.attributes["llm_observer.cache.outcome"]
    assert runtime.flush(1.0)


def test_what_a_provider_needs_besides_is_added_once(
    instrument: Callable[..., Runtime], server: ScriptedServer
) -> None:
    """An extension sees each provider once."""
    runtime = instrument()
    seen: list[Any] = []
    runtime.providers.extensions.append(seen.append)
    call(server)
    call(server)
    assert seen == [runtime.providers.current()]


@modern
async def test_the_arrivals_of_a_stream_are_bounded(
    instrument: Callable[..., Runtime], server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each item that the application reads is one, up to a number."""
    monkeypatch.setattr(watch, "MOST_ARRIVALS", 2)
    reader = InMemoryMetricReader()
    instrument(meter_provider=MeterProvider([reader], shutdown_on_exit=False))
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0) as client:
        items = [item async for item in await client.chat.completions.create(**CHAT, stream=True)]
    data = reader.get_metrics_data()
    assert data
    (gaps,) = (
        list(metric.data.data_points)
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        if metric.name == "gen_ai.client.operation.time_per_output_chunk"
    )
    assert isinstance(gaps[0], HistogramDataPoint)
    assert gaps[0].count == 1 < len(items) - 1
    assert 0 <= gaps[0].sum < 10


@modern
def test_metrics_of_a_call(instrument: Callable[..., Runtime], server: ScriptedServer) -> None:
    """Duration, tokens, first chunk and cost are recorded, also when no span is sampled."""
    reader = InMemoryMetricReader()
    instrument(meter_provider=MeterProvider([reader], shutdown_on_exit=False))
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0) as client:
        items = list(client.chat.completions.create(**CHAT, stream=True))
        server.script(Answer.json({"error": {"type": "not_found_error", "message": "m"}}, 404))
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model="gpt-4o-mini", input="x")
    data = reader.get_metrics_data()
    assert data
    points: dict[str, list[Any]] = {
        metric.name: list(metric.data.data_points) for metric in data.resource_metrics[0].scope_metrics[0].metrics
    }
    tokens = {point.attributes["gen_ai.token.type"]: point.sum for point in points["gen_ai.client.token.usage"]}
    assert tokens == {"input": 100, "output": 20}
    assert points["gen_ai.client.operation.time_to_first_chunk"][0].count == 1
    assert points["gen_ai.client.operation.time_per_output_chunk"][0].count == len(items) - 1 > 0
    errors = [point.attributes.get("error.type") for point in points["gen_ai.client.operation.duration"]]
    assert errors == [None, "not_found_error"]
    assert points["gen_ai.client.operation.duration"][0].explicit_bounds[0] == 0.01
    assert points["gen_ai.client.operation.duration"][0].attributes["gen_ai.provider.name"] == "openai"
