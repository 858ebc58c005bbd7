"""The three processors on a provider: order, doubles, exporters before and behind, foreign spans, threads."""

import functools
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from spans import Listening

from llm_observer.call import Call
from llm_observer.config import Settings
from llm_observer.engine import Engine
from llm_observer.telemetry import reaper
from llm_observer.telemetry.callspan import CallSpan
from llm_observer.telemetry.processors import CacheProcessor, CostProcessor, PromptHashProcessor
from llm_observer.telemetry.runtime import Runtime


@pytest.fixture
def engine() -> Engine:
    return Engine.create(Settings.resolve({}, hash_key="0" * 64))


def runtime_on(provider: TracerProvider, engine: Engine) -> Runtime:
    return Runtime(Settings(), engine, tracer_provider=provider)


def observed(runtime: Runtime) -> CallSpan:
    call = Call(provider="openai", api="chat.completions", model="gpt-4o-mini")
    call.body = b'{"messages": [{"role": "user", "content": "hello"}]}'
    call.raw_usage = {"prompt_tokens": 10, "completion_tokens": 2}
    span = CallSpan(runtime, call, address=("api.openai.com", 443))
    span.enter()
    span.leave()
    span.busy = False
    return span


def exporting(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def rooms(exporter: InMemorySpanExporter) -> list[str]:
    """The rooms of our attributes on the one span, in their order."""
    (span,) = exporter.get_finished_spans()
    names = [name.split(".")[1] for name in span.attributes or {} if name.startswith("llm_observer.")]
    return list(dict.fromkeys(name for name in names if name in {"prompt", "cost", "cache"}))


def test_exporters_before_and_behind_get_the_same(engine: Engine) -> None:
    """Wherever an exporter stands, what it gets is complete."""
    provider = TracerProvider(shutdown_on_exit=False)
    before = exporting(provider)
    runtime = runtime_on(provider, engine)
    runtime.providers.prepare()
    behind = exporting(provider)
    observed(runtime).finish()
    assert rooms(before) == ["prompt", "cost", "cache"]
    assert before.get_finished_spans()[0].attributes == behind.get_finished_spans()[0].attributes


@pytest.mark.parametrize(
    "by_hand",
    [
        (CacheProcessor, CostProcessor, PromptHashProcessor),
        (CostProcessor,),
        (PromptHashProcessor, PromptHashProcessor),
    ],
)
def test_processors_added_by_hand_too(by_hand: tuple[type[SpanProcessor], ...], engine: Engine) -> None:
    """In any order and any number: each aspect is set once, in the fixed order."""
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = exporting(provider)
    for kind in by_hand:
        provider.add_span_processor(kind())
    observed(runtime_on(provider, engine)).finish()
    assert rooms(exporter) == ["prompt", "cost", "cache"]


def test_spans_that_are_not_calls_are_left_alone(engine: Engine) -> None:
    """Also one that is started inside a call."""
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = exporting(provider)
    runtime = runtime_on(provider, engine)
    call = Call(provider="openai", api="responses")
    span = CallSpan(runtime, call)
    span.enter()
    inner = provider.get_tracer("http").start_span("GET")
    assert "end" not in vars(inner)
    inner.end()
    span.leave()
    span.busy = False
    span.finish()
    first, second = exporter.get_finished_spans()
    assert dict(first.attributes or {}) == {}
    assert first.parent == second.context


def test_nothing_of_ours_stays_on_a_span(engine: Engine) -> None:
    """After its end a span is its class's again, and freed without the garbage collector."""
    provider = TracerProvider(shutdown_on_exit=False)
    runtime = runtime_on(provider, engine)
    span = observed(runtime)
    made = weakref.ref(span._held.span)  # pyright: ignore[reportPrivateUsage]
    gc.disable()
    try:
        span.finish()
        assert made() is None
    finally:
        gc.enable()


def test_an_end_by_someone_else_ends_the_call(engine: Engine) -> None:
    """Who has the span may end it: the call ends with it, complete, and only once."""
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = exporting(provider)
    span = observed(runtime_on(provider, engine))
    theirs: Any = span._held.span  # pyright: ignore[reportPrivateUsage]
    theirs.end(end_time=span._start_ns + 5_000_000)  # pyright: ignore[reportPrivateUsage]
    span.finish()
    assert rooms(exporter) == ["prompt", "cost", "cache"]
    assert span.call.duration_s == pytest.approx(0.005)


def test_an_end_while_the_response_is_read_waits(engine: Engine) -> None:
    """It leaves its time only."""
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = exporting(provider)
    span = observed(runtime_on(provider, engine))
    span.busy = True
    span._held.span.end()  # pyright: ignore[reportPrivateUsage]
    assert exporter.get_finished_spans() == ()
    span.busy = False
    span.finish()
    assert len(exporter.get_finished_spans()) == 1


class RecordOnly(Sampler):
    """Records what it does not sample."""

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY)

    def get_description(self) -> str:
        return "record only"


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF, ParentBased(ALWAYS_OFF), RecordOnly()])
def test_listeners_learn_of_every_call(sampler: Sampler, engine: Engine) -> None:
    """Sampled or not, with all that the span has or would have, and ids that say which."""
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    exporter = exporting(provider)
    runtime = runtime_on(provider, engine)
    runtime.listeners.append(told := Listening())
    observed(runtime).finish()
    (call,) = told.finished
    assert call.report is not None
    assert call.context.is_valid
    assert call.start_ns <= call.end_ns
    assert call.attributes["llm_observer.cache.outcome"]
    assert call.attributes["gen_ai.usage.input_tokens"] == 10
    spans = exporter.get_finished_spans()
    assert call.context.trace_flags.sampled is bool(spans)
    if spans:
        assert dict(spans[0].attributes or {}) == call.attributes
        assert (spans[0].start_time, spans[0].end_time) == (call.start_ns, call.end_ns)


def test_no_sdk_no_span_and_still_a_call(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_SDK_DISABLED=true`: nothing is recorded as a span, the call has ids of its own."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    runtime = Runtime(Settings(), engine, tracer_provider=TracerProvider(shutdown_on_exit=False))
    runtime.listeners.append(told := Listening())
    observed(runtime).finish()
    (call,) = told.finished
    assert call.context.is_valid
    assert not call.context.trace_flags.sampled


def test_content_is_dropped_when_the_listeners_return(engine: Engine) -> None:
    """Nothing of the request is kept behind."""
    span = observed(runtime_on(TracerProvider(shutdown_on_exit=False), engine))
    span.finish()
    assert span.call.body is None
    assert span.call.request == {}


def test_what_is_handed_over_ends_on_another_thread(engine: Engine) -> None:
    """A finalizer queues, and waits a moment for the end."""
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = exporting(provider)
    runtime = runtime_on(provider, engine)
    runtime.reaper.start()
    span = observed(runtime)
    span.hand_over()
    span.hand_over()
    assert runtime.reaper.drain(5)
    assert rooms(exporter) == ["prompt", "cost", "cache"]


def test_a_finalizer_is_held_up_for_a_moment_and_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold the very lock that an exporter wants: neither waits for the other, and the next does not wait."""
    runtime = runtime_on(TracerProvider(shutdown_on_exit=False), engine)
    runtime.reaper.start()
    lock = threading.Lock()
    ended: list[int] = []
    waited: list[float] = []
    drain = runtime.reaper.drain

    def end(n: int) -> None:
        with lock:
            ended.append(n)

    def counted(timeout: float) -> bool:
        waited.append(timeout)
        return drain(timeout)

    monkeypatch.setattr(runtime.reaper, "drain", counted)
    with lock:
        for n in range(100):
            runtime.reaper.put(functools.partial(end, n))
        assert (len(waited), ended) == (1, [])
    assert drain(5)
    assert ended == list(range(100))
    # What held it up is gone: it is waited for again.
    monkeypatch.setattr(reaper, "_MOMENT_S", 30.0)
    assert drain(5)
    runtime.reaper.put(functools.partial(end, 100))
    assert ended[-1] == 100


def test_a_span_ended_by_a_finalizer_is_handed_over(engine: Engine) -> None:
    """The SDK's own span may be ended by `__del__`: then too nothing of ours runs there."""
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = exporting(provider)
    runtime = runtime_on(provider, engine)
    runtime.reaper.start()
    span = observed(runtime)

    class Body:
        def __init__(self, end: Callable[[], None]) -> None:
            self.end = end

        def __del__(self) -> None:
            self.end()

    Body(span._held.span.end)  # pyright: ignore[reportPrivateUsage]
    assert runtime.flush(5)
    assert len(exporter.get_finished_spans()) == 1


def test_draining_where_no_thread_runs() -> None:
    """There is nothing to wait for."""
    runtime = Runtime(Settings(), Engine.create(Settings.resolve({}, hash_key="0" * 64)))
    assert runtime.reaper.drain(0.1)
