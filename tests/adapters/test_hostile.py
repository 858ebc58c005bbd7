"""Requests and answers that no one should make: the application gets what it gets without us, in bounded time."""
# ruff: noqa: E501  a row of a table stands on one line

import asyncio
import gc
import json
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anthropic
import openai
import pydantic
import pytest
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from scripted import CHAT as CHAT_ANSWER
from scripted import MESSAGE as MESSAGE_ANSWER
from scripted import Answer, ScriptedServer, chat_chunks
from sdk_styles import CHAT, MESSAGE, MESSAGES, modern, seen
from spans import Spans, attributes

from llm_observer.counters import counters
from llm_observer.guard import Guard
from llm_observer.instrumentor import Runtime
from llm_observer.summary import callbacks

Instrument = Callable[..., Runtime]


def post(client: Any, **body: Any) -> Any:
    return client.post("/chat/completions", cast_to=dict[str, Any], body=body)


CREATES: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "openai": lambda client: client.chat.completions.create,
    # Past the SDK's own checks, which take seconds for what is very long.
    "openai post": lambda client: partial(post, client),
    "anthropic": lambda client: client.messages.create,
}


def asked(server: ScriptedServer, sdk: str, arguments: Callable[[], dict[str, Any]]) -> Any:
    """What comes of a call, and what was sent; the arguments are made anew, as some can be read only once."""
    server.requests.clear()
    made: Any = (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
        if sdk.startswith("openai")
        else anthropic.Anthropic(base_url=server.url, api_key="key", max_retries=0)
    )
    with made as client:
        create = CREATES[sdk](client)
        try:
            result = seen(create(**arguments()))
        except Exception as error:  # noqa: BLE001  an outcome to compare
            result = type(error), str(error)
    return result, [request.body for request in server.requests]


class Message(pydantic.BaseModel):
    """A message as an application may have it."""

    role: str = "user"
    content: str = "What is the capital of France?"


class Unwilling(str):
    """A text that lets nobody ask it anything."""

    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__
    __bool__ = __len__


class UnwillingList(list[Any]):
    """A list that says nothing of its length, and prints nothing."""

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def nested(depth: int) -> dict[str, Any]:
    """A schema within a schema."""
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"type": "object", "properties": {"a": found}}
    return found


def tool(depth: int) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": nested(depth)}}


REQUESTS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "a generator of messages": ("openai", lambda: {**CHAT, "messages": iter(MESSAGES)}),
    "a generator of messages, anthropic": ("anthropic", lambda: {**MESSAGE, "messages": iter(MESSAGES)}),
    "a generator that raises": ("openai", lambda: {**CHAT, "messages": (1 // 0 for _ in range(2))}),
    "a generator that raises, anthropic": ("anthropic", lambda: {**MESSAGE, "messages": (1 // 0 for _ in range(2))}),
    "a tuple of messages": ("openai", lambda: {**CHAT, "messages": tuple(MESSAGES)}),
    "models of pydantic": ("openai", lambda: {**CHAT, "messages": [Message()]}),
    "models of pydantic, anthropic": ("anthropic", lambda: {**MESSAGE, "messages": [Message()]}),
    "a text without a length": ("openai", lambda: {**CHAT, "messages": [{"role": "user", "content": Unwilling("x")}]}),
    "a model's name without a length": ("openai", lambda: {**CHAT, "model": Unwilling("gpt-4o-mini")}),
    "a model's name without a length, anthropic": ("anthropic", lambda: {**MESSAGE, "model": Unwilling("claude")}),
    "a list without a length": ("openai", lambda: {**CHAT, "messages": UnwillingList(MESSAGES)}),
    "a list without a length, anthropic": ("anthropic", lambda: {**MESSAGE, "messages": UnwillingList(MESSAGES)}),
    "half a surrogate": ("openai", lambda: {**CHAT, "messages": [{"role": "user", "content": "a\ud800b"}]}),
    "half a surrogate, anthropic": ("anthropic", lambda: {**MESSAGE, "messages": [{"role": "user", "content": "\udfff"}]}),
    "half a surrogate for a model": ("openai", lambda: {**CHAT, "model": "gpt\ud800"}),
    "a deep schema": ("openai", lambda: {**CHAT, "tools": [tool(60)]}),
    "a schema deeper than can be sent": ("openai", lambda: {**CHAT, "tools": [tool(5_000)]}),
    "no messages": ("openai", lambda: {**CHAT, "messages": []}),
    "messages that are none": ("openai", lambda: {**CHAT, "messages": None}),
    "messages that are a number": ("openai", lambda: {**CHAT, "messages": 7}),
    "an argument too many": ("openai", lambda: {**CHAT, "unheard_of": 1}),
    "numbers that JSON has not": ("openai", lambda: {**CHAT, "temperature": float("nan")}),
    "a body that is a list": ("openai", lambda: {**CHAT, "extra_body": [1]}),
    "NUL": ("openai", lambda: {**CHAT, "messages": [{"role": "user", "content": "\0"}]}),
}  # fmt: skip


@pytest.mark.usefixtures("spans")
@pytest.mark.parametrize("what", REQUESTS)
def test_odd_requests(what: str, server: ScriptedServer, instrument: Instrument) -> None:
    """What the SDK makes of them is the application's; nothing of ours fails on them."""
    sdk, arguments = REQUESTS[what]
    expected = asked(server, sdk, arguments)
    instrument()
    assert asked(server, sdk, arguments) == expected
    assert counters.total("errors") == 0


# Large ones. What we add is CPU time of this thread, bare and observed in turn.


def cost(server: ScriptedServer, sdk: str, arguments: dict[str, Any], answer: Answer | None) -> float:
    """Seconds of this thread's CPU that a call takes."""
    if answer is not None:
        server.script(answer)
    before = time.thread_time()
    asked(server, sdk, lambda: arguments)
    return time.thread_time() - before


def many() -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[n % 2], "content": f"message {n}"} for n in range(20_001)]


LARGE: dict[str, tuple[str, Callable[[], dict[str, Any]], Callable[[], Answer | None]]] = {
    "50 MB asked": ("openai", lambda: {**CHAT, "messages": [{"role": "user", "content": "x" * 50_000_000}]}, lambda: None),
    "50 MB answered": ("openai", lambda: CHAT, lambda: Answer.json(large_answer())),
    "20,000 messages": ("openai post", lambda: {**CHAT, "messages": many()}, lambda: None),
    "20,000 messages, anthropic": ("anthropic", lambda: {**MESSAGE, "messages": many()}, lambda: None),
}  # fmt: skip


def large_answer() -> dict[str, Any]:
    choice = {**CHAT_ANSWER["choices"][0], "message": {"role": "assistant", "content": "x" * 50_000_000}}  # type: ignore[index]
    return {**CHAT_ANSWER, "choices": [choice]}


@pytest.mark.parametrize("what", LARGE)
def test_large_calls_are_not_held_up(what: str, server: ScriptedServer, instrument: Instrument, spans: Spans) -> None:
    """Observed in bounded time: what is added has an upper limit that no size of a body moves."""
    sdk, arguments, answer = LARGE[what]
    given, answered = arguments(), answer()
    bare = cost(server, sdk, given, answered)
    instrument()
    observed = min(cost(server, sdk, given, answered) for _ in range(2))
    assert [attributes(span)["gen_ai.usage.input_tokens"] for span in spans.all()][-2:] == [100, 100]
    # Several times what was measured: reading 50 MB byte by byte, or each message twenty times, takes longer.
    assert observed - bare < 1.0, (bare, observed)


# Telemetry that fails.


class RaisingExporter(SpanExporter):
    def export(self, spans: Any) -> Any:
        raise RuntimeError("injected")

    def shutdown(self) -> None: ...


def test_an_exporter_and_a_callback_that_raise(
    server: ScriptedServer, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application does not hear of it."""
    monkeypatch.setattr(Guard, "strict", False)
    expected = asked(server, "openai", lambda: CHAT)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(RaisingExporter()))
    told: list[Any] = []

    def tell(report: Any) -> None:
        told.append(report)
        raise RuntimeError("injected")

    instrument(tracer_provider=provider)
    callbacks.add(tell)
    try:
        assert asked(server, "openai", lambda: CHAT) == expected
    finally:
        callbacks.remove(tell)
    assert len(told) == 1
    assert counters.of("errors") == {"on_call": 1}


# Event loops and cancellation.


async def acall(server: ScriptedServer, sdk: str) -> Any:
    """A whole streamed call."""
    made: Any = (
        openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
        if sdk == "openai"
        else anthropic.AsyncAnthropic(base_url=server.url, api_key="key", max_retries=0)
    )
    async with made as client:
        if sdk == "openai":
            stream = await client.chat.completions.create(**CHAT, stream=True)
        else:
            stream = await client.messages.create(**MESSAGE, stream=True)
        return [seen(item) async for item in stream]


@modern
@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
async def test_a_call_cancelled_at_each_step(
    sdk: str, server: ScriptedServer, instrument: Instrument, spans: Spans
) -> None:
    """Wherever that is: `CancelledError`, one span at most, nothing left in the context, no complaint of the loop's."""
    runtime = instrument()
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    context = otel_context.get_current()
    done = False
    cancelled = 0
    for steps in range(200):
        spans.clear()
        task = asyncio.create_task(acall(server, sdk))
        for _ in range(steps):
            # A step of the loop; the server answers meanwhile.
            await asyncio.sleep(0.0005 if steps % 7 == 0 else 0)
        done = not task.cancel()
        if done:
            assert len(await task) > 4
        else:
            cancelled += 1
            with pytest.raises(asyncio.CancelledError):
                await task
        assert otel_context.get_current() is context
        runtime.reaper.drain(2)
        assert not runtime.open
        assert len(spans.all()) <= 1
        assert all("error.type" not in attributes(span) for span in spans.all())
        if done:
            break
    assert cancelled > 5
    assert complaints == []
    assert counters.total("errors") == 0


def test_a_loop_that_is_closed_under_a_stream(server: ScriptedServer, instrument: Instrument, spans: Spans) -> None:
    """The stream is dropped with no loop to close it in: its span ends."""
    instrument()

    async def begin() -> Any:
        client: Any = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
        stream = await client.chat.completions.create(**CHAT, stream=True)
        items = stream.__aiter__()
        await items.__anext__()
        return stream

    with warnings.catch_warnings():
        # Of sockets and generators that are left open, as without us.
        warnings.simplefilter("ignore")
        loop = asyncio.new_event_loop()
        stream = loop.run_until_complete(begin())
        loop.close()
        assert spans.all() == []
        del stream
        gc.collect()
        spans.wait_for_one()
    assert counters.total("errors") == 0


def test_a_client_that_outlives_its_loop(server: ScriptedServer, instrument: Instrument, spans: Spans) -> None:
    """Each call in a loop of its own, as with `asyncio.run` around each."""
    instrument()
    for _ in range(3):
        asyncio.run(acall(server, "openai"))
    assert len(spans.all()) == 3


# Generators around streams.


def reading(client: Any) -> Iterator[Any]:
    """As applications wrap a stream."""
    yield from client.chat.completions.create(**CHAT, stream=True)


@modern
@pytest.mark.parametrize("how", ["close", "drop", "throw", "exhaust"])
def test_a_generator_around_a_stream(how: str, server: ScriptedServer, instrument: Instrument, spans: Spans) -> None:
    """However it ends, the span does."""
    instrument()
    server.script(Answer.stream(chat_chunks(texts=50)))
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        items = reading(client)
        next(items)
        if how == "close":
            items.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        elif how == "throw":
            with pytest.raises(ZeroDivisionError):
                items.throw(ZeroDivisionError)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        elif how == "exhaust":
            assert len(list(items)) == 52
        del items
        gc.collect()
        spans.wait_for_one()
    assert "error.type" not in attributes(spans.one())


def test_an_answer_with_a_usage_that_is_endless(server: ScriptedServer, instrument: Instrument, spans: Spans) -> None:
    """It is no usage, and not walked through."""
    instrument()
    server.script(Answer.json({**MESSAGE_ANSWER, "usage": {"input_tokens": 5, "x": list(range(50_000))}}))
    before = time.thread_time()
    client: Any = anthropic.Anthropic(base_url=server.url, api_key="key")
    with client:
        raw = client.messages.with_raw_response.create(**MESSAGE)
    assert json.loads(raw.http_response.content)["usage"]["input_tokens"] == 5
    assert time.thread_time() - before < 2
    assert attributes(spans.one())["gen_ai.usage.input_tokens"] == 5
