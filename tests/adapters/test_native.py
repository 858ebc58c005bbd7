"""The Anthropic SDK's own span is the call's span: enriched, and never beside one of ours."""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from scripted import Answer, ScriptedServer, message_events
from sdk_styles import MESSAGE
from spans import Listening, Spans, attributes

from llm_observer.counters import counters
from llm_observer.instrumentor import Runtime

pytestmark = pytest.mark.skipif(
    not hasattr(anthropic.Anthropic, "open_telemetry"), reason="this SDK makes no span of its own"
)

NATIVE = "com.anthropic.sdk.python"
OURS = "llm_observer"


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=server.url, api_key="key", max_retries=0) as made:
        yield made


def scope(spans: Spans) -> str:
    found = spans.one().instrumentation_scope
    assert found is not None
    return found.name


def provider_with(exporter: InMemorySpanExporter, **arguments: Any) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False, **arguments)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.mark.parametrize("stream", [False, True])
def test_the_sdks_span_is_enriched(
    client: Any, *, stream: bool, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """It gets the name, finish reasons and figures that the conventions ask for, and keeps what the SDK set."""
    instrument()
    result = client.messages.create(**MESSAGE, stream=stream)
    if stream:
        list(result)
    span = spans.one()
    values = attributes(span)
    assert scope(spans) == NATIVE
    assert span.name == "chat claude-sonnet-5"
    assert values["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert values["gen_ai.usage.input_tokens"] == 100
    assert values["gen_ai.usage.cache_write.input_tokens"] == 20
    assert values["gen_ai.usage.cache_creation.input_tokens"] == 20
    assert values["anthropic.message.stop_reason"] == "end_turn"
    assert values["http.response.status_code"] == 200
    assert values["llm_observer.cache.outcome"]
    assert "end" not in vars(span)


def test_a_stream_that_the_sdk_ends_early_by_close(
    client: Any, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """Closed half-read: the SDK ends its span, and what we add is on it."""
    instrument()
    with client.messages.create(**MESSAGE, stream=True) as stream:
        next(stream)
    assert scope(spans) == NATIVE
    assert attributes(spans.one())["llm_observer.prompt.hash"]


def test_an_error_has_one_name(
    client: Any, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """A failed call has the SDK's `error.type`, once."""
    runtime = instrument()
    told = Listening()
    runtime.listeners.append(told)
    server.script(Answer.json({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, 529))
    with pytest.raises(anthropic.APIStatusError):
        client.messages.create(**MESSAGE)
    assert attributes(spans.one())["error.type"] == "overloaded_error"
    assert [each.call.error_type for each in told.finished] == ["overloaded_error"]
    assert spans.one().status.status_code.name == "ERROR"


def test_retries_are_inside_the_one_span(
    client: Any, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """Two failed attempts and a good one are one call."""
    instrument()
    server.script(*[Answer.json({}, 529, **{"retry-after-ms": "1"})] * 2)
    client.with_options(max_retries=2).messages.create(**MESSAGE)
    assert attributes(spans.one())["http.request.resend_count"] == 2


def test_tracing_switched_off_on_the_client(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """Then the span is ours."""
    instrument()
    with anthropic.Anthropic(base_url=server.url, api_key="key", open_telemetry=False) as client:
        client.messages.create(**MESSAGE)
    assert scope(spans) == OURS


def test_tracing_switched_off_in_the_environment(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then too."""
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")
    instrument()
    with anthropic.Anthropic(base_url=server.url, api_key="key") as client:
        client.messages.create(**MESSAGE)
    assert scope(spans) == OURS


def test_a_client_with_a_provider_of_its_own(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """The span is on that provider, enriched, and none is on the global one."""
    instrument()
    exporter = InMemorySpanExporter()
    provider = provider_with(exporter)
    with anthropic.Anthropic(
        base_url=server.url, api_key="key", open_telemetry={"tracer_provider": provider}
    ) as client:
        client.messages.create(**MESSAGE)
        client.messages.create(**MESSAGE)
    assert spans.all() == []
    first, _ = exporter.get_finished_spans()
    assert first.attributes
    assert first.attributes["llm_observer.cache.outcome"]


def test_content_mode_keeps_the_sdks_content(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """What the user asked the SDK to record stays; we add none."""
    instrument()
    options = {"traces": {"content_mode": "content"}}
    with anthropic.Anthropic(base_url=server.url, api_key="key", open_telemetry=options) as client:  # pyright: ignore[reportArgumentType]
        client.messages.create(**MESSAGE)
    values = attributes(spans.one())
    assert "capital of France" in str(values["gen_ai.input.messages"])
    assert not [name for name, value in values.items() if name.startswith("llm_observer") and "capital" in str(value)]


@pytest.mark.parametrize("propagation", [True, False])
def test_a_span_that_is_sampled_out(
    server: ScriptedServer,
    *,
    propagation: bool,
    instrument: Callable[..., Runtime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No span of either is exported, and the call is counted all the same."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider_with(exporter, sampler=ParentBased(ALWAYS_OFF)))
    runtime = instrument()
    told = Listening()
    runtime.listeners.append(told)
    options: Any = {"propagation": propagation}
    with anthropic.Anthropic(base_url=server.url, api_key="key", open_telemetry=options) as client:
        client.messages.create(**MESSAGE)
        list(client.messages.create(**MESSAGE, stream=True))
    assert exporter.get_finished_spans() == ()
    assert [each.context.trace_flags.sampled for each in told.finished] == [False, False]
    assert counters.total("calls") == 2


def test_no_provider_at_all(client: Any, instrument: Callable[..., Runtime]) -> None:
    """Without a global provider the SDK makes no span; ours goes to the private one."""
    runtime = instrument()
    exporter = InMemorySpanExporter()
    runtime.providers.current().add_span_processor(SimpleSpanProcessor(exporter))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.messages.create(**MESSAGE)
    (span,) = exporter.get_finished_spans()
    assert span.instrumentation_scope
    assert span.instrumentation_scope.name == OURS


def test_without_tracing_no_header_tells_the_provider_of_ours(
    client: Any, server: ScriptedServer, instrument: Callable[..., Runtime]
) -> None:
    """The SDK writes the current trace into a header: a span that the application knows nothing of is not current."""
    client.messages.create(**MESSAGE)
    instrument()
    client.messages.create(**MESSAGE)
    bare, observed = (sorted(request.headers) for request in server.requests)
    assert "traceparent" not in observed
    assert observed == bare


def test_within_tracing_the_header_names_the_calls_span(
    client: Any, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """As the SDK does by itself."""
    instrument()
    client.messages.create(**MESSAGE)
    context = spans.one().get_span_context()
    assert context is not None
    assert f"{context.span_id:016x}" in server.requests[-1].headers["traceparent"]


def test_count_tokens_is_left_alone(client: Any, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """It is no inference: the SDK's span of it is as it was."""
    instrument()
    client.messages.count_tokens(model="claude-sonnet-5", messages=MESSAGE["messages"])
    span = spans.one()
    assert span.name == "anthropic.messages.count_tokens"
    assert not [name for name in attributes(span) if name.startswith("llm_observer")]


def test_the_tool_runner_has_one_enriched_span_per_turn(
    client: Any, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """Its own span around the turns is not taken for a call's."""

    @anthropic.beta_tool
    def add(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    asks = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1, "b": 2}}
    usage = {"input_tokens": 1, "output_tokens": 1}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "usage": usage}
    server.script(Answer.json({**head, "content": [asks], "stop_reason": "tool_use", "stop_sequence": None}))
    instrument()
    client.beta.messages.tool_runner(**MESSAGE, tools=[add]).until_done()
    names = [span.name for span in spans.all()]
    assert names.count("chat claude-sonnet-5") == 2
    assert names.count("anthropic.messages.tool_runner") == 1
    for span in spans.all():
        assert ("llm_observer.cache.outcome" in attributes(span)) is (span.name == "chat claude-sonnet-5")


def test_suppression_is_not_for_the_sdks_span(client: Any, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """The SDK does not heed `suppress_instrumentation`: its span is there, so it is enriched."""
    instrument()
    with suppress_instrumentation():
        client.messages.create(**MESSAGE)
    assert attributes(spans.one())["llm_observer.cache.outcome"]


def test_a_provider_that_starts_spans_on_other_threads(
    client: Any, instrument: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a concurrent processor the SDK's span cannot be told to be the call's, and no second one is made."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False, active_span_processor=ConcurrentMultiSpanProcessor(2))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    instrument()
    client.messages.create(**MESSAGE)
    list(client.messages.create(**MESSAGE, stream=True))
    assert len(exporter.get_finished_spans()) == 2
    provider.shutdown()


async def test_async_calls_too(server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """The same for async clients, to the end of the stream."""
    instrument()
    async with anthropic.AsyncAnthropic(base_url=server.url, api_key="key") as client:
        await client.messages.create(**MESSAGE)
        async with client.messages.stream(**MESSAGE) as stream:
            await stream.get_final_message()
        server.script(Answer.stream([*message_events()[:2], b"event: error\ndata: {}\n\n"]))
        broken = await client.messages.create(**MESSAGE, stream=True)
        with pytest.raises(anthropic.APIStatusError):
            assert [item async for item in broken]
    assert [span.name for span in spans.all()] == ["chat claude-sonnet-5"] * 3
    assert all(span.instrumentation_scope and span.instrumentation_scope.name == NATIVE for span in spans.all())
    assert all("llm_observer.cache.outcome" in attributes(span) for span in spans.all())
