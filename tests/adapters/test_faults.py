"""Whatever fails around a call or inside us, the application gets what it gets without us."""

import threading
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from scripted import CHAT as CHAT_ANSWER
from scripted import MESSAGE as MESSAGE_ANSWER
from scripted import Answer, ScriptedServer, chat_chunks, message_events, sse
from sdk_styles import CHAT, MESSAGE, modern, seen
from spans import Spans, attributes

from llm_observer.adapters import hook, watch
from llm_observer.adapters.reading import ChatReading, MessagesReading
from llm_observer.adapters.watch import Watch
from llm_observer.counters import counters
from llm_observer.engine import Engine
from llm_observer.guard import Guard
from llm_observer.instrumentor import Runtime
from llm_observer.telemetry import callspan, processors
from llm_observer.telemetry.callspan import CallSpan
from llm_observer.telemetry.providers import Providers


@pytest.fixture(autouse=True)
def fail_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: our failures are swallowed and counted."""
    monkeypatch.setattr(Guard, "strict", False)


def fail(*_: object, **__: object) -> Any:
    raise RuntimeError("injected")


class Raising(SpanProcessor):
    """A user's processor with a bug."""

    def __init__(self, where: str) -> None:
        setattr(self, where, fail)


class RaisingSampler(Sampler):
    def should_sample(self, *args: Any, **kwargs: Any) -> Any:
        return fail()

    def get_description(self) -> str:
        return "raising"


class RaisingIds(RandomIdGenerator):
    def generate_span_id(self) -> int:
        return fail()


async def everything(server: ScriptedServer) -> list[Any]:
    """What an application sees of calls of every kind, and of failing ones."""
    results: list[Any] = []
    client: Any = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
    with client:
        results.append(seen(client.chat.completions.create(**CHAT)))
        results.append([seen(item) for item in client.chat.completions.create(**CHAT, stream=True)])
        results.append(client.chat.completions.with_raw_response.create(**CHAT).http_response.text)
        with client.chat.completions.with_streaming_response.create(**CHAT) as response:
            results.append(list(response.iter_lines()))
        with client.chat.completions.create(**CHAT, stream=True) as stream:
            results.append(seen(next(stream)))
        server.script(Answer.json({"error": {"code": "bad", "message": "m"}}, 400))
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(**CHAT)
        results.append(str(caught.value))
    aclient: Any = anthropic.AsyncAnthropic(base_url=server.url, api_key="key", max_retries=0)
    async with aclient:
        results.append(seen(await aclient.messages.create(**MESSAGE)))
        results.append([seen(item) async for item in await aclient.messages.create(**MESSAGE, stream=True)])
        async with aclient.messages.stream(**MESSAGE) as astream:
            results.append(seen(await astream.get_final_message()))
        async with aclient.messages.with_streaming_response.create(**MESSAGE) as aresponse:
            results.append([line async for line in aresponse.iter_lines()])
        server.script(Answer.stream([*message_events()[:3], *sse([{"type": "error", "error": {}}], named=True)]))
        broken = await aclient.messages.create(**MESSAGE, stream=True)
        with pytest.raises(anthropic.APIStatusError) as acaught:
            assert [item async for item in broken]
        results.append(str(acaught.value))
    return results


def with_processor(processor: SpanProcessor) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider


def without_processors() -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor = fail
    return provider


PROVIDERS: dict[str, Callable[[], TracerProvider]] = {
    "a processor's on_start raises": lambda: with_processor(Raising("on_start")),
    "a processor's on_end raises": lambda: with_processor(Raising("on_end")),
    "the sampler raises": lambda: TracerProvider(sampler=RaisingSampler(), shutdown_on_exit=False),
    "the id generator raises": lambda: TracerProvider(id_generator=RaisingIds(), shutdown_on_exit=False),
    "the provider takes no processors": without_processors,
}


@modern
@pytest.mark.parametrize("fault", PROVIDERS)
async def test_faults_around_us(fault: str, server: ScriptedServer, instrument: Callable[..., Runtime]) -> None:
    """A user's own telemetry that fails does not fail the call through us, and the call is counted."""
    expected = await everything(server)
    given = PROVIDERS[fault]()
    instrument(tracer_provider=given)
    assert await everything(server) == expected
    assert counters.total("calls") == len(expected)


INJECTED: dict[str, tuple[Any, str]] = {
    "reading the options": (hook, "api_of"),
    "finding the call site": (hook, "call_site"),
    "finding the scope": (hook, "scope_of"),
    "starting to observe": (CallSpan, "__init__"),
    "finding the tracer": (Providers, "tracer"),
    "reading a response": (watch, "_http_response"),
    "watching a body": (watch, "watched"),
    "taking a stream over": (Watch, "read_by_items"),
    "explaining": (Engine, "explain"),
    "describing the call": (callspan, "call_attributes"),
    "describing the report": (callspan, "report_attributes"),
    "the hash processor": (processors, "prompt_attributes"),
    "the cost processor": (processors, "cost_attributes"),
    "the cache processor": (processors, "cache_attributes"),
    "binding a span": (CallSpan, "bind"),
    "setting attributes": (Span, "set_attributes"),
    "setting the status": (Span, "set_status"),
    "ending the span": (Span, "end"),
}


@modern
@pytest.mark.usefixtures("spans")
@pytest.mark.parametrize("fault", [*INJECTED, "a reading", "a listener", "the metrics"])
async def test_faults_inside_us(
    fault: str,
    server: ScriptedServer,
    instrument: Callable[..., Runtime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each boundary of ours holds."""
    expected = await everything(server)
    runtime = instrument()
    if fault in INJECTED:
        monkeypatch.setattr(*INJECTED[fault], fail)
    elif fault == "a reading":
        for kind in (ChatReading, MessagesReading):
            monkeypatch.setattr(kind, "item", fail)
            monkeypatch.setattr(kind, "response", fail)
            monkeypatch.setattr(kind, "end", fail)
    elif fault == "a listener":
        runtime.listeners.append(fail)
    else:
        runtime.metrics.record = fail
    assert await everything(server) == expected


def test_the_other_processors_attributes_survive_a_failing_one(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One aspect that fails takes nothing else down, and the failure is counted."""
    instrument()
    monkeypatch.setattr(processors, "cost_attributes", fail)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        client.chat.completions.create(**CHAT)
    values = attributes(spans.one())
    assert values["llm_observer.prompt.hash"]
    assert values["llm_observer.cache.outcome"]
    assert not [name for name in values if name.startswith("llm_observer.cost")]
    assert counters.of("errors") == {"processor.cost": 1}


def test_a_span_that_others_on_start_broke_is_still_the_calls(
    server: ScriptedServer, instrument: Callable[..., Runtime]
) -> None:
    """Started, and then a processor raised: it is ended and exported."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrument(tracer_provider=provider)
    provider.add_span_processor(Raising("on_start"))
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        client.chat.completions.create(**CHAT)
    assert len(exporter.get_finished_spans()) == 1


ODD_CHAT: dict[str, Any] = {
    "usage as strings": {**CHAT_ANSWER, "usage": {"prompt_tokens": "many", "completion_tokens": "few"}},
    "usage as a list": {**CHAT_ANSWER, "usage": [1, 2]},
    "null choices": {**CHAT_ANSWER, "choices": None},
    "choices that are numbers": {**CHAT_ANSWER, "choices": [1, 2]},
    "a finish reason that is an object": {**CHAT_ANSWER, "choices": [{"index": "x", "finish_reason": {}}]},
    "numbers for ids": {**CHAT_ANSWER, "id": 7, "model": 8, "service_tier": 9, "system_fingerprint": []},
    "nothing": {},
    "a list": [],
    "a number": 3,
    "deep": {"usage": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {}}}}}}}}}}},
}


@pytest.mark.parametrize("body", ODD_CHAT)
@pytest.mark.parametrize("raw", [False, True])
async def test_odd_bodies(
    body: str, *, raw: bool, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """An answer that no provider should give is the application's to make sense of."""

    def call() -> Any:
        server.script(Answer.json(ODD_CHAT[body]))
        client: Any = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
        with client:
            try:
                if raw:
                    return client.chat.completions.with_raw_response.create(**CHAT).http_response.text
                return repr(client.chat.completions.create(**CHAT))
            except Exception as error:  # noqa: BLE001  an outcome to compare
                return repr(error)

    expected = call()
    instrument()
    assert call() == expected
    assert spans.one()
    assert counters.total("errors") == 0


ODD_STREAMS: dict[str, list[bytes]] = {
    "an unknown event": sse([{"object": "something.else"}, {"choices": [], "usage": {"prompt_tokens": 3}}, "[DONE]"]),
    "half a line": [*chat_chunks()[:2], b'data: {"id": "chat'],
    "an empty stream": [b"\n"],
    "no end marker": chat_chunks()[:-1],
    "a comment": [b": keep-alive\n\n", *chat_chunks()],
    "numbers": sse([{"choices": [{"delta": 1, "finish_reason": 2}], "usage": 5}, "[DONE]"]),
}


@modern
@pytest.mark.parametrize("name", ODD_STREAMS)
@pytest.mark.parametrize("raw", [False, True])
async def test_odd_streams(
    name: str, *, raw: bool, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """The same for streams, read as items and as lines."""

    def call() -> Any:
        server.script(Answer.stream(ODD_STREAMS[name]))
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0) as client:
            try:
                if raw:
                    with client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
                        return list(response.iter_lines())
                return [repr(item) for item in client.chat.completions.create(**CHAT, stream=True)]
            except Exception as error:  # noqa: BLE001  an outcome to compare
                return repr(error)

    expected = call()
    instrument()
    assert call() == expected
    assert spans.one()
    assert counters.total("errors") == 0


def test_odd_messages(server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """Anthropic answers without usage, or with words for numbers."""
    instrument()
    with anthropic.Anthropic(base_url=server.url, api_key="key", max_retries=0) as client:
        odd: list[Any] = [None, {}, {"input_tokens": "ten"}, 5, []]
        for usage in odd:
            server.script(Answer.json({**MESSAGE_ANSWER, "usage": usage, "stop_reason": 5}))
            client.messages.create(**MESSAGE)
    assert len(spans.all()) == 5
    assert counters.total("errors") == 0


@modern
def test_a_large_request(server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """Many messages, surrogates and deep nesting go through."""
    instrument()
    deep: Any = {}
    for _ in range(100):
        deep = {"properties": {"a": deep}}
    tools: Any = [{"type": "function", "function": {"name": "f", "parameters": deep}}]
    messages: Any = [{"role": "user", "content": f"{n} \U0001f600"} for n in range(2_000)]
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools)
    assert attributes(spans.one())["gen_ai.usage.input_tokens"] == 100


def test_a_logged_failure_has_no_content(
    server: ScriptedServer,
    instrument: Callable[..., Runtime],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log line of a swallowed failure quotes nothing."""
    instrument()

    def quoting(*_: object) -> Any:
        raise ValueError("capital of France")

    monkeypatch.setattr(callspan, "call_attributes", quoting)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        client.chat.completions.create(**CHAT)
    ours = [record for record in caplog.records if record.name == "llm_observer"]
    assert len(ours) == 1
    assert "France" not in caplog.text


def test_it_stays_usable_in_threads_that_end(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """A call in a thread that ends right after is complete."""
    instrument()

    def work() -> None:
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
            client.chat.completions.create(**CHAT)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert spans.one()
