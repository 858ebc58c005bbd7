"""Beside another instrumentation of the same SDK: its span is the call's, as it is, and what it lacks is added.

The peers here are made up after the real ones, whose scopes they use; `tests/integration/test_peers.py` has those.
"""

import functools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import anthropic
import openai
import pytest
import wrapt
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode
from scripted import Answer, ScriptedServer
from sdk_styles import CHAT, MESSAGE
from spans import Listening, Spans, attributes

from llm_observer.instrumentor import Runtime

PEER = "opentelemetry.instrumentation.openai.v1"
OURS = "llm_observer"
NATIVE = "com.anthropic.sdk.python"


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0) as made:
        yield made


@pytest.fixture
def claude(server: ScriptedServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="key", max_retries=0) as made:
        yield made


def start(scope: str = PEER, *, kind: SpanKind = SpanKind.CLIENT, **found: Any) -> Any:
    """A span of an instrumentation. A `__` in the names of attributes stands for a dot."""
    values = {name.replace("__", "."): value for name, value in found.items()}
    return trace.get_tracer(scope).start_span("openai.chat", kind=kind, attributes=values)


@contextmanager
def current(span: Any) -> Generator[Any]:
    """`span`, current and ended at last."""
    with trace.use_span(span, end_on_exit=True):
        yield span


def scopes(spans: Spans) -> list[str]:
    return sorted(span.instrumentation_scope.name for span in spans.all() if span.instrumentation_scope)


def explained(spans: Spans) -> list[ReadableSpan]:
    return [span for span in spans.all() if "llm_observer.cache.outcome" in attributes(span)]


@pytest.mark.parametrize("stream", [False, True])
def test_a_current_span_is_the_calls(
    client: Any, *, stream: bool, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """Name, kind and what it says stay; what it lacks is added; it ends when its maker ends it."""
    instrument()
    with current(start(gen_ai__system="openai", gen_ai__request__model="gpt-4o-mini", gen_ai__usage__input_tokens=7)):
        result = client.chat.completions.create(**CHAT, stream=stream)
        if stream:
            list(result)
        assert spans.all() == []
        time.sleep(0.002)
        left = time.time_ns()
    span = spans.one()
    values = attributes(span)
    assert (span.name, span.kind, span.status.status_code) == ("openai.chat", SpanKind.CLIENT, StatusCode.UNSET)
    assert values["gen_ai.system"] == "openai"
    assert values["gen_ai.usage.input_tokens"] == 7
    assert values["gen_ai.provider.name"] == "openai"
    assert values["gen_ai.response.finish_reasons"] == ("stop",)
    assert values["llm_observer.cache.outcome"]
    assert values["llm_observer.prompt.hash"]
    assert span.end_time is not None
    assert span.end_time >= left
    assert "end" not in vars(span)


def test_a_current_span_of_a_provider_that_starts_spans_on_other_threads(
    client: Any, instrument: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our processors do not see there that it starts here: it is the call's all the same."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False, active_span_processor=ConcurrentMultiSpanProcessor(2))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    instrument()
    for _ in range(2):
        with current(start()):
            client.chat.completions.create(**CHAT)
    found = exporter.get_finished_spans()
    assert [span.name for span in found] == ["openai.chat"] * 2
    assert all(attributes(span)["llm_observer.cache.outcome"] for span in found)
    provider.shutdown()


@pytest.mark.parametrize("under", [False, True])
def test_a_span_that_stands_beside_the_current_one(
    client: Any, *, under: bool, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """Some start their span and do not make it current."""
    instrument()
    with ExitStack() as stack:
        if under:
            stack.enter_context(current(start("an.application")))
        span = start()
        client.chat.completions.create(**CHAT)
        span.end()
        assert scopes(spans) == [PEER]
    assert attributes(spans.all()[0])["llm_observer.cache.outcome"]


def test_a_span_that_ends_before_its_stream_is_read(
    client: Any, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """It is held until the stream is read, and has the end that it was given."""
    instrument()
    with current(start()):
        stream = client.chat.completions.create(**CHAT, stream=True)
    left = time.time_ns()
    assert spans.all() == []
    list(stream)
    span = spans.one()
    assert attributes(span)["llm_observer.cache.outcome"]
    assert span.end_time is not None
    assert span.end_time <= left


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: start("an.application", gen_ai__operation__name="chat"), id="of another scope"),
        pytest.param(lambda: start("opentelemetry.instrumentation.openai_agents"), id="of a like scope"),
        pytest.param(lambda: start(gen_ai__operation__name="invoke_agent"), id="an agent's"),
        pytest.param(lambda: start(openinference__span__kind="CHAIN"), id="a chain's"),
        pytest.param(lambda: start(traceloop__span__kind="task"), id="a task's"),
        pytest.param(lambda: start(kind=SpanKind.INTERNAL), id="no sign of a call"),
        pytest.param(lambda: start(gen_ai__request__model="another"), id="of another model"),
    ],
)
def test_a_span_that_is_not_a_calls_stays_as_it_is(
    other: Callable[[], Any], client: Any, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    instrument()
    with current(other()) as outer:
        client.chat.completions.create(**CHAT)
    (span,) = explained(spans)
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == OURS
    assert len(spans.all()) == 2
    assert not any(name.startswith("llm_observer.") for name in outer.attributes)


@pytest.mark.parametrize(
    "values",
    [{"openinference__span__kind": "LLM"}, {"gen_ai__operation__name": "chat"}, {"llm__model_name": "gpt-4o-mini"}],
)
def test_a_span_of_another_kind_that_says_it_is_a_calls(
    values: dict[str, Any], client: Any, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    instrument()
    with current(start(kind=SpanKind.INTERNAL, **values)):
        client.chat.completions.create(**CHAT)
    assert scopes(spans) == [PEER]
    assert explained(spans)


def test_one_span_is_one_calls(client: Any, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """A second call below it has one of its own; so has a call after it has ended, and one elsewhere."""
    instrument()
    with current(start()):
        client.chat.completions.create(**CHAT)
        client.chat.completions.create(**CHAT)
    assert scopes(spans) == [OURS, PEER]
    client.chat.completions.create(**CHAT)
    assert scopes(spans) == [OURS, OURS, PEER]
    span = start()
    with current(start("an.application")):
        client.chat.completions.create(**CHAT)
    assert scopes(spans) == ["an.application", OURS, OURS, OURS, PEER]
    span.end()
    assert len(explained(spans)) == 4


def test_of_a_provider_that_was_set_late(
    client: Any, instrument: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call's span was started before our processors were there: it is known by being current."""
    instrument()
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    wrapped: Any = wrapt.ObjectProxy(start())
    with current(wrapped):
        client.chat.completions.create(**CHAT)
    (finished,) = exporter.get_finished_spans()
    assert attributes(finished)["llm_observer.cache.outcome"]


def test_on_a_provider_of_the_peers_own(client: Any, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """Where none was given to us, each of its spans is the call's, the first like the second; none of ours is made."""
    instrument()
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for _ in range(2):
        with current(provider.get_tracer(PEER).start_span("openai.chat", kind=SpanKind.CLIENT)):
            client.chat.completions.create(**CHAT)
    assert spans.all() == []
    outcomes = [attributes(span)["llm_observer.cache.outcome"] for span in exporter.get_finished_spans()]
    assert len(outcomes) == 2


def test_on_another_provider_than_the_one_given(
    client: Any, claude: Any, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """Each makes its own: also after a call of the Anthropic SDK, for whose span our processors went there too."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrument(tracer_provider=provider)
    claude.messages.create(**MESSAGE)
    spans.clear()
    exporter.clear()
    with current(start()):
        client.chat.completions.create(**CHAT)
    assert scopes(spans) == [PEER]
    assert explained(spans) == []
    (ours,) = exporter.get_finished_spans()
    assert attributes(ours)["llm_observer.cache.outcome"]
    with current(provider.get_tracer(PEER).start_span("openai.chat", kind=SpanKind.CLIENT)):
        client.chat.completions.create(**CHAT)
    assert len(exporter.get_finished_spans()) == 2


@pytest.mark.parametrize("says", [False, True])
def test_a_failed_call(
    client: Any, server: ScriptedServer, *, says: bool, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """A span that says nothing of it gets the error; what its maker says stays."""
    instrument()
    server.script(Answer.json({"error": {"message": "no"}}, status=429))
    span = start()
    if says:
        span.set_status(StatusCode.ERROR, "theirs")
        span.set_attribute("error.type", "theirs")
    with trace.use_span(span, end_on_exit=True), pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**CHAT)
    finished = spans.one()
    assert finished.status.status_code is StatusCode.ERROR
    assert finished.status.description == ("theirs" if says else None)
    assert attributes(finished)["error.type"] == ("theirs" if says else "429")


def test_where_instrumentation_is_suppressed(client: Any, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """As Logfire does around the call: nothing is started, and what is there is completed."""
    listening = Listening()
    instrument().listeners.append(listening)
    with current(start("logfire.openai")), suppress_instrumentation():
        client.chat.completions.create(**CHAT)
    assert attributes(spans.one())["llm_observer.cache.outcome"]
    (finished,) = listening.finished
    context = spans.one().get_span_context()
    assert context is not None
    assert finished.context.span_id == context.span_id


# A peer that has put a wrapper of the base client's `request` on a client's class before us.


def with_span(request: Any, *, makes_span: bool = True) -> Any:
    @functools.wraps(request)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not makes_span:
            return request(*args, **kwargs)
        with current(start("logfire.openai")):
            return request(*args, **kwargs)

    return wrapper


class OfWrapt:
    """As OpenInference does it: the wrapper needs to be bound, to tell the instance from the arguments."""

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        assert isinstance(instance, openai.OpenAI)
        assert len(args) == 2
        with current(
            start("openinference.instrumentation.openai", kind=SpanKind.INTERNAL, llm__model_name="gpt-4o-mini")
        ):
            return wrapped(*args, **kwargs)


WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "a function": with_span,
    "wrapt's": lambda request: wrapt.FunctionWrapper(request, OfWrapt()),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapper_on_a_clients_class_does_not_go_around_us(
    wrap: Callable[[Any], Any],
    client: Any,
    *,
    stream: bool,
    instrument: Callable[..., Runtime],
    spans: Spans,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its span, which it makes below us, is the call's."""
    monkeypatch.setattr(openai.OpenAI, "request", wrap(openai.OpenAI.request))
    instrument()
    result = client.chat.completions.create(**CHAT, stream=stream)
    if stream:
        assert spans.all() == []
        list(result)
    span = spans.one()
    assert span.name == "openai.chat"
    assert attributes(span)["gen_ai.response.finish_reasons"] == ("stop",)
    assert attributes(span)["llm_observer.cache.outcome"]
    assert "end" not in vars(span)


def test_the_wrapper_is_put_back(instrument: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> None:
    from llm_observer import LLMObserverInstrumentor  # noqa: PLC0415

    theirs = with_span(openai.OpenAI.request)
    monkeypatch.setattr(openai.OpenAI, "request", theirs)
    instrument()
    assert vars(openai.OpenAI)["request"] is not theirs
    LLMObserverInstrumentor().uninstrument()
    assert vars(openai.OpenAI)["request"] is theirs


def test_a_wrapper_that_makes_no_span(
    client: Any, instrument: Callable[..., Runtime], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the span is ours, from the call's start."""
    monkeypatch.setattr(openai.OpenAI, "request", with_span(openai.OpenAI.request, makes_span=False))
    instrument()
    client.chat.completions.create(**CHAT)
    assert scopes(spans) == [OURS]
    assert explained(spans)


def test_a_wrapper_whose_span_is_not_sampled(
    client: Any, instrument: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call whose span is left out has none, and is counted under that span's ids."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False, sampler=ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(openai.OpenAI, "request", with_span(openai.OpenAI.request))
    listening = Listening()
    instrument().listeners.append(listening)
    client.chat.completions.create(**CHAT)
    assert exporter.get_finished_spans() == ()
    (finished,) = listening.finished
    assert finished.context.is_valid
    assert not finished.context.trace_flags.sampled


def test_an_override_in_an_applications_subclass_is_left_alone(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    overridden: Any = openai.OpenAI.request

    def request(client: Any, *args: Any, **kwargs: Any) -> Any:
        overridden(client, *args, **kwargs)
        return overridden(client, *args, **kwargs)

    kind: Any = type("Client", (openai.OpenAI,), {"request": request})
    instrument()
    assert vars(kind)["request"] is request
    # As `super().request` would find it.
    overridden = openai.OpenAI.request
    with kind(base_url=f"{server.url}/v1", api_key="key", max_retries=0) as client:
        client.chat.completions.create(**CHAT)
    assert scopes(spans) == [OURS, OURS]


# Beside the Anthropic SDK's own span.

native = pytest.mark.skipif(not hasattr(anthropic.Anthropic, "open_telemetry"), reason="this SDK makes no span")


@native
@pytest.mark.parametrize("stream", [False, True])
def test_the_sdks_own_span_goes_first(
    claude: Any, *, stream: bool, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """The two that are there without us are there, and one is completed."""
    instrument()
    with current(start("opentelemetry.instrumentation.anthropic")) as peers:
        result = claude.messages.create(**MESSAGE, stream=stream)
        if stream:
            list(result)
    assert scopes(spans) == [NATIVE, "opentelemetry.instrumentation.anthropic"]
    (span,) = explained(spans)
    assert span.name == "chat claude-sonnet-5"
    assert not any(name.startswith("llm_observer.") for name in peers.attributes)
    assert "end" not in vars(peers)


@native
def test_the_sdks_own_span_goes_first_also_before_one_that_is_made_below_us(
    claude: Any, instrument: Callable[..., Runtime], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anthropic.Anthropic, "request", with_span(anthropic.Anthropic.request))
    instrument()
    claude.messages.create(**MESSAGE)
    assert scopes(spans) == [NATIVE, "logfire.openai"]
    (span,) = explained(spans)
    assert span.name == "chat claude-sonnet-5"


@native
def test_without_the_sdks_own_span(claude: Any, instrument: Callable[..., Runtime], spans: Spans) -> None:
    instrument()
    with current(start("opentelemetry.instrumentation.anthropic")):
        claude.with_options(open_telemetry=False).messages.create(**MESSAGE)
    assert attributes(spans.one())["llm_observer.cache.outcome"]


@native
def test_where_instrumentation_is_suppressed_the_sdks_own_span_comes_second(
    claude: Any, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """Logfire's provider hides what ends there."""
    instrument()
    with current(start("logfire.anthropic")), suppress_instrumentation():
        claude.messages.create(**MESSAGE)
    (span,) = explained(spans)
    assert span.name == "openai.chat"
