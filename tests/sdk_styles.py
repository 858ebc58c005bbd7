"""The ways people call the SDKs, each as a function of a client that returns all that the application gets to see."""
# ruff: noqa: E501  a row of a table stands on one line

import importlib
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import openai
import pydantic
import pytest

__all__ = [
    "ANTHROPIC",
    "CHAT",
    "CHAT_CREATE",
    "CHAT_STREAM",
    "EMBEDDINGS_CREATE",
    "MESSAGE",
    "MESSAGES_CREATE",
    "MESSAGES_HELPER",
    "MESSAGES_STREAM",
    "MESSAGES_STREAMING_BYTES",
    "MESSAGES_STREAMING_LINES",
    "MESSAGES_STREAM_BYTES",
    "OPENAI",
    "RESPONSES_CREATE",
    "RESPONSES_STREAM",
    "Style",
    "has",
    "modern",
    "outcome",
    "seen",
]

MESSAGES: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
CHAT: dict[str, Any] = {"model": "gpt-4o-mini", "messages": MESSAGES}
MESSAGE: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 64, "messages": MESSAGES}


modern = pytest.mark.skipif(not hasattr(openai.Stream, "close"), reason="needs a later release of the openai SDK")
"""For what the first releases, 1.0 and a few more, do not have at all."""


class Answer(pydantic.BaseModel):
    """What a structured answer is parsed to."""

    a: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One way of calling.

    Attributes:
        name: What it is called in the coverage table.
        api: `Call.api`.
        call: Calls a client; of an async one it returns an awaitable. Returns what `seen` makes of it.
        needs: The resource method, which an older SDK may lack.
        stream: Whether the request asks for a stream.
        spans: How many calls it makes.
        usage: Whether the provider reports the usage.
    """

    name: str
    api: str
    call: Callable[[Any], Any]
    needs: str
    stream: bool = False
    spans: int = 1
    usage: bool = True


def has(client: Any, path: str) -> bool:
    """Whether the SDK has the resource method at `path`."""
    try:
        reduce(getattr, path.split("."), client)
    except AttributeError:
        return False
    return True


def seen(value: Any) -> Any:
    """A result as plain data with its types, to be compared."""
    if isinstance(value, pydantic.BaseModel):
        return type(value).__name__, value.model_dump(warnings=False)
    if isinstance(value, list | tuple):
        return [seen(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


async def _await(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def outcome(style: Style, client: Any) -> Any:
    """What comes of a call: what the application sees, or the type and text of what is raised."""
    try:
        return await _await(style.call(client))
    except Exception as error:  # noqa: BLE001  any exception is an outcome to compare
        return type(error), str(error)


# Each way is written once for both kinds of clients: what a sync one returns is used as it is.


def created(path: str, **arguments: Any) -> Callable[[Any], Any]:
    """`client.path(**arguments)`."""

    def call(client: Any) -> Any:
        result = reduce(getattr, path.split("."), client)(**arguments)
        if inspect.isawaitable(result):

            async def later(awaitable: Awaitable[Any]) -> Any:
                return seen(await awaitable)

            return later(result)
        return seen(result)

    return call


def streamed(path: str, **arguments: Any) -> Callable[[Any], Any]:
    """All items of `client.path(**arguments, stream=True)`."""

    def call(client: Any) -> Any:
        result = reduce(getattr, path.split("."), client)(**arguments, stream=True)
        if inspect.isawaitable(result):

            async def later(awaitable: Awaitable[Any]) -> Any:
                stream = await awaitable
                return type(stream).__name__, [seen(item) async for item in stream]

            return later(result)
        return type(result).__name__, [seen(item) for item in result]

    return call


def helper(path: str, final: str, **arguments: Any) -> Callable[[Any], Any]:
    """The events and the final word of the helper `client.path(**arguments)`."""

    def call(client: Any) -> Any:
        manager = reduce(getattr, path.split("."), client)(**arguments)
        if hasattr(manager, "__aenter__"):

            async def later() -> Any:
                async with manager as stream:
                    kinds = [type(event).__name__ async for event in stream]
                    return kinds, seen(await _await(getattr(stream, final)()))

            return later()
        with manager as stream:
            kinds = [type(event).__name__ for event in stream]
            return kinds, seen(getattr(stream, final)())

    return call


def raw(path: str, *, parse: bool = True, **arguments: Any) -> Callable[[Any], Any]:
    """`with_raw_response`, parsed or its text."""
    resource, _, method = path.rpartition(".")

    def call(client: Any) -> Any:
        result = getattr(reduce(getattr, resource.split("."), client).with_raw_response, method)(**arguments)
        if inspect.isawaitable(result):

            async def later(awaitable: Awaitable[Any]) -> Any:
                response = await awaitable
                if not parse:
                    return await _await(response.http_response.aread())
                parsed = await _await(response.parse())
                if arguments.get("stream"):
                    return type(parsed).__name__, [seen(item) async for item in parsed]
                return seen(parsed)

            return later(result)
        if not parse:
            return result.http_response.read()
        parsed = result.parse()
        if arguments.get("stream"):
            return type(parsed).__name__, [seen(item) for item in parsed]
        return seen(parsed)

    return call


def streaming(path: str, how: str, **arguments: Any) -> Callable[[Any], Any]:
    """`with_streaming_response`, consumed by its method `how`."""
    resource, _, method = path.rpartition(".")

    def call(client: Any) -> Any:
        manager = getattr(reduce(getattr, resource.split("."), client).with_streaming_response, method)(**arguments)
        if hasattr(manager, "__aenter__"):

            async def later() -> Any:
                async with manager as response:
                    result = getattr(response, how)()
                    if hasattr(result, "__aiter__"):
                        return [item async for item in result]
                    return await drained(await result)

            return later()
        with manager as response:
            result = getattr(response, how)()
            if hasattr(result, "__next__"):
                return [seen(item) for item in result]
            return seen(result)

    return call


async def drained(value: Any) -> Any:
    """The items of an async stream, or the value itself."""
    return [seen(item) async for item in value] if hasattr(value, "__aiter__") else seen(value)


def posted(path: str, body: dict[str, Any]) -> Callable[[Any], Any]:
    """`client.post`, as people call an endpoint that the SDK does not know."""

    def call(client: Any) -> Any:
        result = client.post(path, body=body, cast_to=dict[str, Any])
        if inspect.isawaitable(result):

            async def later(awaitable: Awaitable[Any]) -> Any:
                return seen(await awaitable)

            return later(result)
        return seen(result)

    return call


def within(path: str, **arguments: Any) -> Callable[[Any], Any]:
    """The items of a stream that is read in its `with` block."""

    def call(client: Any) -> Any:
        result = reduce(getattr, path.split("."), client)(**arguments, stream=True)
        if inspect.isawaitable(result):

            async def later(awaitable: Awaitable[Any]) -> Any:
                async with await awaitable as stream:
                    return type(stream).__name__, [seen(item) async for item in stream]

            return later(result)
        with result as stream:
            return type(stream).__name__, [seen(item) for item in stream]

    return call


def through(method: str, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The call on the client that `client.method(timeout=30)` gives."""
    return lambda client: call(getattr(client, method)(timeout=30))


def entered(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The call inside the client's own `with` block."""

    def inside(client: Any) -> Any:
        if hasattr(client, "__aenter__"):

            async def later() -> Any:
                async with client as same:
                    return await _await(call(same))

            return later()
        with client as same:
            return call(same)

    return inside


def tool_run(*, stream: bool = False) -> Callable[[Any], Any]:
    """Anthropic's tool runner, which calls the model, the tool, and the model again."""

    def call(client: Any) -> Any:
        anthropic: Any = importlib.import_module("anthropic")
        arguments: dict[str, Any] = {**MESSAGE, "stream": stream}

        def look_up(place: str) -> str:
            """Look a place up."""
            return f"{place} is there"

        if hasattr(client, "__aenter__"):

            async def look_up_later(place: str) -> str:
                """Look a place up."""
                return look_up(place)

            async def later() -> Any:
                runner = client.beta.messages.tool_runner(
                    **arguments, tools=[anthropic.beta_async_tool(name="look_up")(look_up_later)]
                )
                return [await drained(item) async for item in runner]

            return later()
        runner = client.beta.messages.tool_runner(**arguments, tools=[anthropic.beta_tool(look_up)])
        return [[seen(each) for each in item] if stream else seen(item) for item in runner]

    return call


_RESPONSE: dict[str, Any] = {"model": "gpt-4o-mini", "input": "What is the capital of France?"}
_COMPLETION: dict[str, Any] = {"model": "gpt-3.5-turbo-instruct", "prompt": "What is the capital of France?"}
_EMBEDDING: dict[str, Any] = {"model": "text-embedding-3-small", "input": "France", "encoding_format": "float"}

_BATCH: dict[str, Any] = {"completion_window": "24h", "endpoint": "/v1/chat/completions", "input_file_id": "file-1"}
_MESSAGE_BATCH: dict[str, Any] = {"requests": [{"custom_id": "1", "params": MESSAGE}]}
_UNCOUNTED: dict[str, Any] = {**CHAT, "extra_body": {"stream_options": {"include_usage": False}}}


def _style(sdk_api: str, name: str, needs: str, call: Callable[[Any], Any], **more: Any) -> Style:
    return Style(name=name, api=sdk_api, needs=needs, call=call, **more)


def _chat(name: str, call: Callable[[Any], Any], needs: str = "chat.completions", **more: Any) -> Style:
    return _style("chat.completions", f"chat {name}", needs, call, **more)


def _responses(name: str, call: Callable[[Any], Any], needs: str = "responses.create", **more: Any) -> Style:
    return _style("responses", f"responses {name}", needs, call, **more)


def _messages(name: str, call: Callable[[Any], Any], needs: str = "messages", **more: Any) -> Style:
    return _style("messages", f"messages {name}", needs, call, **more)


def _beta_messages(name: str, call: Callable[[Any], Any], needs: str = "beta.messages.create", **more: Any) -> Style:
    return _style("messages", f"beta messages {name}", needs, call, **more)


def _none(name: str, needs: str, call: Callable[[Any], Any]) -> Style:
    return _style("", name, needs, call, spans=0)


CHAT_CREATE = _chat("create", created("chat.completions.create", **CHAT))
CHAT_STREAM = _chat("stream", streamed("chat.completions.create", **CHAT), stream=True)
RESPONSES_CREATE = _responses("create", created("responses.create", **_RESPONSE))
RESPONSES_STREAM = _responses("stream", streamed("responses.create", **_RESPONSE), stream=True)
EMBEDDINGS_CREATE = _style("embeddings", "embeddings create", "embeddings", created("embeddings.create", **_EMBEDDING))
MESSAGES_CREATE = _messages("create", created("messages.create", **MESSAGE))
MESSAGES_STREAM = _messages("stream", streamed("messages.create", **MESSAGE), stream=True)
MESSAGES_HELPER = _messages(
    "stream helper", helper("messages.stream", "get_final_message", **MESSAGE), "messages.stream", stream=True
)
MESSAGES_STREAMING_LINES = _messages(
    "streaming lines",
    streaming("messages.create", "iter_lines", **MESSAGE, stream=True),
    "messages.with_streaming_response",
    stream=True,
)
MESSAGES_STREAMING_BYTES = _messages(
    "streaming bytes", streaming("messages.create", "iter_bytes", **MESSAGE), "messages.with_streaming_response"
)
MESSAGES_STREAM_BYTES = _messages(
    "stream bytes",
    streaming("messages.create", "iter_bytes", **MESSAGE, stream=True),
    "messages.with_streaming_response",
    stream=True,
)

OPENAI = (
    CHAT_CREATE,
    CHAT_STREAM,
    _chat("stream without usage", streamed("chat.completions.create", **_UNCOUNTED), stream=True, usage=False),
    _chat("stream in its with block", within("chat.completions.create", **CHAT), "chat.completions.create", stream=True),
    _chat("parse", created("chat.completions.parse", **CHAT, response_format=Answer), "chat.completions.parse"),
    _chat("stream helper", helper("chat.completions.stream", "get_final_completion", **CHAT), "chat.completions.stream", stream=True),
    _style("chat.completions", "beta chat parse", "beta.chat.completions.parse", created("beta.chat.completions.parse", **CHAT, response_format=Answer)),
    _style("chat.completions", "beta chat stream helper", "beta.chat.completions.stream", helper("beta.chat.completions.stream", "get_final_completion", **CHAT), stream=True),
    _chat("raw", raw("chat.completions.create", **CHAT)),
    _chat("raw stream", raw("chat.completions.create", **CHAT, stream=True), stream=True),
    _chat("raw stream bytes", raw("chat.completions.create", parse=False, **CHAT, stream=True), stream=True),
    _chat("streaming parse", streaming("chat.completions.create", "parse", **CHAT), "chat.completions.with_streaming_response"),
    _chat("streaming json", streaming("chat.completions.create", "json", **CHAT), "chat.completions.with_streaming_response"),
    _chat("streaming lines", streaming("chat.completions.create", "iter_lines", **CHAT, stream=True), "chat.completions.with_streaming_response", stream=True),
    _chat("streaming bytes", streaming("chat.completions.create", "iter_bytes", **CHAT), "chat.completions.with_streaming_response"),
    _chat("streaming items", streaming("chat.completions.create", "parse", **CHAT, stream=True), "chat.completions.with_streaming_response", stream=True),
    _chat("post", posted("/chat/completions", CHAT)),
    _chat("create, with_options", through("with_options", created("chat.completions.create", **CHAT)), "with_options"),
    _chat("create, copy", through("copy", created("chat.completions.create", **CHAT)), "copy"),
    _chat("create, client in a with block", entered(created("chat.completions.create", **CHAT))),
    RESPONSES_CREATE,
    RESPONSES_STREAM,
    _responses("parse", created("responses.parse", **_RESPONSE, text_format=Answer), "responses.parse"),
    _responses("stream helper", helper("responses.stream", "get_final_response", **_RESPONSE), "responses.stream", stream=True),
    _responses("background", created("responses.create", **_RESPONSE, extra_body={"background": True}), usage=False),
    _responses("raw", raw("responses.create", **_RESPONSE)),
    _responses("raw stream", raw("responses.create", **_RESPONSE, stream=True), stream=True),
    _responses("streaming parse", streaming("responses.create", "parse", **_RESPONSE), "responses.with_streaming_response"),
    _responses("streaming lines", streaming("responses.create", "iter_lines", **_RESPONSE, stream=True), "responses.with_streaming_response", stream=True),
    _style("responses", "beta responses create", "beta.responses.create", created("beta.responses.create", **_RESPONSE)),
    _responses("post", posted("/responses", _RESPONSE), "models"),
    _style("completions", "completions create", "completions", created("completions.create", **_COMPLETION)),
    _style("completions", "completions stream", "completions", streamed("completions.create", **_COMPLETION), stream=True),
    _style("completions", "completions raw", "completions", raw("completions.create", **_COMPLETION)),
    EMBEDDINGS_CREATE,
    _style("embeddings", "embeddings raw", "embeddings", raw("embeddings.create", **_EMBEDDING)),
    _style("embeddings", "embeddings streaming bytes", "embeddings.with_streaming_response", streaming("embeddings.create", "iter_bytes", **_EMBEDDING)),
    _none("responses input_tokens count", "responses.input_tokens.count", created("responses.input_tokens.count", **_RESPONSE)),
    _none("batches create", "batches.create", created("batches.create", **_BATCH)),
    _none("post elsewhere", "models", posted("/nowhere", {})),
)  # fmt: skip

ANTHROPIC = (
    MESSAGES_CREATE,
    MESSAGES_STREAM,
    _messages("stream in its with block", within("messages.create", **MESSAGE), stream=True),
    MESSAGES_HELPER,
    _messages("parse", created("messages.parse", **MESSAGE, output_format=Answer), "messages.parse"),
    _messages("raw", raw("messages.create", **MESSAGE)),
    _messages("raw stream", raw("messages.create", **MESSAGE, stream=True), stream=True),
    _messages("streaming parse", streaming("messages.create", "parse", **MESSAGE), "messages.with_streaming_response"),
    MESSAGES_STREAMING_LINES,
    MESSAGES_STREAMING_BYTES,
    _messages("streaming items", streaming("messages.create", "parse", **MESSAGE, stream=True), "messages.with_streaming_response", stream=True),
    _messages("post", posted("/v1/messages", MESSAGE)),
    _messages("create, with_options", through("with_options", created("messages.create", **MESSAGE)), "with_options"),
    _messages("create, copy", through("copy", created("messages.create", **MESSAGE)), "copy"),
    _messages("create, client in a with block", entered(created("messages.create", **MESSAGE))),
    _beta_messages("create", created("beta.messages.create", **MESSAGE)),
    _beta_messages("stream", streamed("beta.messages.create", **MESSAGE), stream=True),
    _beta_messages("stream helper", helper("beta.messages.stream", "get_final_message", **MESSAGE), "beta.messages.stream", stream=True),
    _beta_messages("parse", created("beta.messages.parse", **MESSAGE, output_format=Answer), "beta.messages.parse"),
    _beta_messages("raw", raw("beta.messages.create", **MESSAGE)),
    _beta_messages("tool runner", tool_run(), "beta.messages.tool_runner", spans=2),
    _beta_messages("tool runner stream", tool_run(stream=True), "beta.messages.tool_runner", spans=2, stream=True),
    _none("messages count_tokens", "messages.count_tokens", created("messages.count_tokens", model="claude-sonnet-5", messages=MESSAGES)),
    _none("beta messages count_tokens", "beta.messages.count_tokens", created("beta.messages.count_tokens", model="claude-sonnet-5", messages=MESSAGES)),
    _none("messages batches create", "messages.batches.create", created("messages.batches.create", **_MESSAGE_BATCH)),
    _none("beta messages batches create", "beta.messages.batches.create", created("beta.messages.batches.create", **_MESSAGE_BATCH)),
)  # fmt: skip
