"""Every way a stream can end: one span, once, with what was learned until then."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from scripted import Answer, ScriptedServer, chat_chunks, message_events, sse
from sdk_styles import CHAT, MESSAGE, modern
from spans import Spans, attributes

from llm_observer.instrumentor import Runtime

pytestmark = pytest.mark.usefixtures("spans")

PROVIDERS = ("openai", "anthropic")


@pytest.fixture(autouse=True)
def instrumented(instrument: Callable[..., Runtime]) -> Runtime:
    return instrument()


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stream(provider: str, server: ScriptedServer) -> Iterator[Callable[[], Any]]:
    """Starts a stream with a sync client."""
    if provider == "openai":
        client: Any = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
        yield lambda: client.chat.completions.create(**CHAT, stream=True)
    else:
        client = anthropic.Anthropic(base_url=server.url, api_key="key", max_retries=0)
        yield lambda: client.messages.create(**MESSAGE, stream=True)
    client.close()


@pytest.fixture
async def astream(provider: str, server: ScriptedServer) -> AsyncIterator[Callable[[], Any]]:
    """Starts a stream with an async client."""
    if provider == "openai":
        client: Any = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
        yield lambda: client.chat.completions.create(**CHAT, stream=True)
    else:
        client = anthropic.AsyncAnthropic(base_url=server.url, api_key="key", max_retries=0)
        yield lambda: client.messages.create(**MESSAGE, stream=True)
    await client.close()


def pieces(provider: str) -> list[bytes]:
    return chat_chunks() if provider == "openai" else message_events()


def test_a_stream_is_the_sdks_own_and_nothing_is_read_ahead(stream: Callable[[], Any], spans: Spans) -> None:
    """Type, response and laziness are the SDK's: no span ends before the application reads."""
    result = stream()
    assert type(result) in {openai.Stream, anthropic.Stream}
    assert result.response.status_code == 200
    assert not result.response.is_stream_consumed
    assert spans.all() == []
    assert len(list(result)) > 4
    assert spans.one().end_time


def test_next_to_the_end(stream: Callable[[], Any], spans: Spans) -> None:
    """Reading with `next` until it is exhausted ends the span."""
    result = stream()
    while next(result, None) is not None:
        pass
    assert attributes(spans.one())["gen_ai.usage.output_tokens"] == 20


@modern
def test_close_before_the_first_item(stream: Callable[[], Any], spans: Spans) -> None:
    """A stream that is closed unread ends its span at once, without usage and without an error."""
    result = stream()
    result.close()
    span = spans.one()
    assert "gen_ai.usage.output_tokens" not in attributes(span)
    assert span.status.status_code.name == "UNSET"
    result.close()


@modern
def test_leaving_a_with_block_early(stream: Callable[[], Any], spans: Spans) -> None:
    """`with` and `break`: the span ends with the block, and has what the first items told."""
    with stream() as result:
        for _ in result:
            break
        assert spans.all() == []
    span = spans.one()
    assert attributes(span)["gen_ai.response.id"]
    assert "error.type" not in attributes(span)


def test_break_and_drop(stream: Callable[[], Any], spans: Spans, collect: Callable[[], object]) -> None:
    """A stream that is dropped half-read ends its span once it is collected."""
    result = stream()
    for _ in result:
        break
    del result
    collect()
    span = spans.wait_for_one()
    assert "error.type" not in attributes(span)


def test_never_read_and_dropped(stream: Callable[[], Any], spans: Spans, collect: Callable[[], object]) -> None:
    """A stream that is dropped unread ends its span once it is collected."""
    stream()
    collect()
    spans.wait_for_one()


@modern
def test_an_exception_in_the_loop(stream: Callable[[], Any], spans: Spans) -> None:
    """The application's own exception passes through, and is no error of the call."""
    result = stream()

    def read() -> None:
        with result:
            for _ in result:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read()
    assert "error.type" not in attributes(spans.one())


def test_a_broken_connection(provider: str, server: ScriptedServer, stream: Callable[[], Any], spans: Spans) -> None:
    """A connection that breaks is an error of the call, and what had arrived stays known."""
    server.script(Answer.stream(pieces(provider)[:3], broken=True))
    with pytest.raises(Exception) as caught:
        list(stream())
    span = spans.one()
    assert span.status.status_code.name == "ERROR"
    # An SDK of older releases lets the HTTP library's error through.
    module = type(caught.value).__module__.partition(".")[0]
    assert module in {provider, "httpx", "httpx2"}
    assert attributes(span)["error.type"] in {f"{module}.{type(caught.value).__name__}", "connection_error"}
    assert attributes(span)["gen_ai.response.id"]


def test_an_error_event(provider: str, server: ScriptedServer, stream: Callable[[], Any], spans: Spans) -> None:
    """An error inside the stream has the provider's code, not the status 200 of the response that opened it."""
    error = {"type": "overloaded_error", "message": "busy, says secret@example.com"}
    last = sse([{"type": "error", "error": error}], named=True) if provider == "anthropic" else sse([{"error": error}])
    server.script(Answer.stream([*pieces(provider)[:3], *last]))
    with pytest.raises((openai.APIError, anthropic.APIError)):
        list(stream())
    span = spans.one()
    assert attributes(span)["error.type"] == "overloaded_error"
    assert span.status.status_code.name == "ERROR"
    assert "secret" not in span.to_json()


@modern
def test_a_connection_that_breaks_under_a_raw_reader(server: ScriptedServer, spans: Spans) -> None:
    """Who reads the bytes gets the HTTP library's error, and the span has what had arrived."""
    server.script(Answer.stream(chat_chunks()[:3], broken=True))
    client: Any = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key")
    with client, client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
        lines = response.iter_lines()
        with pytest.raises(Exception, match=r"peer closed|incomplete"):
            list(lines)
    span = spans.one()
    assert attributes(span)["gen_ai.response.id"]
    assert attributes(span)["error.type"] in {"httpx.RemoteProtocolError", "httpx2.RemoteProtocolError"}


@modern
async def test_a_connection_that_breaks_under_an_async_raw_reader(server: ScriptedServer, spans: Spans) -> None:
    """The same for async clients."""
    server.script(Answer.stream(chat_chunks()[:3], broken=True))
    client: Any = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key")
    async with client, client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
        with pytest.raises(Exception, match=r"peer closed|incomplete"):
            assert [line async for line in response.iter_lines()]
    assert attributes(spans.one())["error.type"] in {"httpx.RemoteProtocolError", "httpx2.RemoteProtocolError"}


@modern
async def test_the_iterator_inside_is_an_async_generator_as_ever(astream: Callable[[], Any], spans: Spans) -> None:
    """Who reaches for it finds all that an async generator has, and closing it ends the call."""
    result = await astream()
    inner = result._iterator
    assert inner.__aiter__() is inner
    assert await inner.asend(None)
    assert inner.ag_running is False
    with pytest.raises(ZeroDivisionError):
        await inner.athrow(ZeroDivisionError)
    await inner.aclose()
    await spans.appear()


def test_a_stream_read_in_another_thread(stream: Callable[[], Any], spans: Spans) -> None:
    """Where a stream is read does not matter."""
    result = stream()
    thread = threading.Thread(target=lambda: list(result))
    thread.start()
    thread.join()
    assert attributes(spans.one())["gen_ai.usage.output_tokens"] == 20


def test_output_tokens_are_the_last_word_not_a_sum(stream: Callable[[], Any], spans: Spans) -> None:
    """Cumulative counts in a stream are not added up."""
    list(stream())
    assert attributes(spans.one())["gen_ai.usage.output_tokens"] == 20


def test_a_chat_stream_without_usage_has_none(server: ScriptedServer, spans: Spans) -> None:
    """Without `include_usage` the provider says nothing, and nothing is made up."""
    server.script(Answer.stream(chat_chunks(usage=False)))
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key")
    list(client.chat.completions.create(**CHAT, stream=True))
    values = attributes(spans.one())
    assert not [name for name in values if name.startswith("gen_ai.usage.")]
    assert values["gen_ai.response.finish_reasons"] == ("stop",)
    client.close()


async def test_an_async_stream_read_to_the_end(astream: Callable[[], Any], spans: Spans) -> None:
    """Reading all items ends the span."""
    result = await astream()
    assert type(result) in {openai.AsyncStream, anthropic.AsyncStream}
    assert spans.all() == []
    assert len([item async for item in result]) > 4
    assert attributes(spans.one())["gen_ai.usage.output_tokens"] == 20


@modern
async def test_an_async_stream_closed_early(astream: Callable[[], Any], spans: Spans) -> None:
    """`async with` and `break` end the span with the block."""
    async with await astream() as result:
        async for _ in result:
            break
    assert attributes(spans.one())["gen_ai.response.id"]


@modern
async def test_an_async_stream_closed_unread(astream: Callable[[], Any], spans: Spans) -> None:
    """Closing an unread one ends its span."""
    result = await astream()
    await result.close()
    spans.one()


async def test_an_async_stream_dropped_half_read(
    astream: Callable[[], Any], spans: Spans, collect: Callable[[], object]
) -> None:
    """Dropping one half-read ends its span."""
    result = await astream()
    async for _ in result:
        break
    del result
    for _ in range(10):
        # The event loop closes the generators, some of which are collected only then.
        await asyncio.sleep(0)
        collect()
    await spans.appear()


async def test_an_async_stream_dropped_unread(
    astream: Callable[[], Any], spans: Spans, collect: Callable[[], object]
) -> None:
    """Dropping one unread ends its span."""
    await astream()
    collect()
    await spans.appear()


async def test_a_cancelled_reader(
    provider: str, server: ScriptedServer, astream: Callable[[], Any], spans: Spans
) -> None:
    """A cancellation is the application's decision: the span ends, its status stays unset."""
    gate = threading.Event()
    server.script(Answer.stream(pieces(provider), gate=gate))
    started = asyncio.Event()

    async def read() -> None:
        async for _ in await astream():
            started.set()

    task = asyncio.create_task(read())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    span = spans.one()
    assert span.status.status_code.name == "UNSET"
    assert "error.type" not in attributes(span)


async def test_a_cancelled_request(server: ScriptedServer, astream: Callable[[], Any], spans: Spans) -> None:
    """Cancelled while it waits for the response: one span, status unset."""
    gate = threading.Event()
    server.script(Answer(gate=gate))

    task = asyncio.create_task(astream())
    while not server.requests:  # noqa: ASYNC110  the server is in another thread
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    assert spans.one().status.status_code.name == "UNSET"


async def test_an_async_stream_read_in_another_task(astream: Callable[[], Any], spans: Spans) -> None:
    """Where it is read does not matter."""
    result = await astream()

    async def read() -> int:
        return len([item async for item in result])

    assert await asyncio.create_task(read()) > 4
    assert attributes(spans.one())["gen_ai.usage.output_tokens"] == 20
