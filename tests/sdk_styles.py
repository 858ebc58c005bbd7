"""The ways people call the SDKs, each as a function of a client that returns all that the application gets to see."""
# ruff: noqa: E501  a row of a table stands on one line

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import openai
import pydantic
import pytest

__all__ = ["ANTHROPIC", "OPENAI", "Style", "has", "modern", "outcome", "seen"]

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
        usage: Whether the usage can be known.
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


_RESPONSE: dict[str, Any] = {"model": "gpt-4o-mini", "input": "What is the capital of France?"}
_COMPLETION: dict[str, Any] = {"model": "gpt-3.5-turbo-instruct", "prompt": "What is the capital of France?"}
_EMBEDDING: dict[str, Any] = {"model": "text-embedding-3-small", "input": "France", "encoding_format": "float"}

OPENAI = (
    Style(name="chat create", api="chat.completions", needs="chat.completions", call=created("chat.completions.create", **CHAT)),
    Style(name="chat stream", api="chat.completions", needs="chat.completions", stream=True, call=streamed("chat.completions.create", **CHAT)),
    Style(name="chat parse", api="chat.completions", needs="chat.completions.parse", call=created("chat.completions.parse", **CHAT, response_format=Answer)),
    Style(name="chat stream helper", api="chat.completions", needs="chat.completions.stream", stream=True, call=helper("chat.completions.stream", "get_final_completion", **CHAT)),
    Style(name="beta chat parse", api="chat.completions", needs="beta.chat.completions.parse", call=created("beta.chat.completions.parse", **CHAT, response_format=Answer)),
    Style(name="chat raw", api="chat.completions", needs="chat.completions", call=raw("chat.completions.create", **CHAT)),
    Style(name="chat raw stream", api="chat.completions", needs="chat.completions", stream=True, call=raw("chat.completions.create", **CHAT, stream=True)),
    Style(name="chat raw stream bytes", api="chat.completions", needs="chat.completions", stream=True, call=raw("chat.completions.create", parse=False, **CHAT, stream=True)),
    Style(name="chat streaming parse", api="chat.completions", needs="chat.completions.with_streaming_response", call=streaming("chat.completions.create", "parse", **CHAT)),
    Style(name="chat streaming json", api="chat.completions", needs="chat.completions.with_streaming_response", call=streaming("chat.completions.create", "json", **CHAT)),
    Style(name="chat streaming lines", api="chat.completions", needs="chat.completions.with_streaming_response", stream=True, call=streaming("chat.completions.create", "iter_lines", **CHAT, stream=True)),
    Style(name="chat streaming bytes", api="chat.completions", needs="chat.completions.with_streaming_response", call=streaming("chat.completions.create", "iter_bytes", **CHAT)),
    Style(name="chat streaming items", api="chat.completions", needs="chat.completions.with_streaming_response", stream=True, call=streaming("chat.completions.create", "parse", **CHAT, stream=True)),
    Style(name="chat post", api="chat.completions", needs="chat.completions", call=posted("/chat/completions", CHAT)),
    Style(name="responses create", api="responses", needs="responses.create", call=created("responses.create", **_RESPONSE)),
    Style(name="responses stream", api="responses", needs="responses.create", stream=True, call=streamed("responses.create", **_RESPONSE)),
    Style(name="responses parse", api="responses", needs="responses.parse", call=created("responses.parse", **_RESPONSE, text_format=Answer)),
    Style(name="responses stream helper", api="responses", needs="responses.stream", stream=True, call=helper("responses.stream", "get_final_response", **_RESPONSE)),
    Style(name="responses raw", api="responses", needs="responses.create", call=raw("responses.create", **_RESPONSE)),
    Style(name="completions create", api="completions", needs="completions", call=created("completions.create", **_COMPLETION)),
    Style(name="completions stream", api="completions", needs="completions", stream=True, call=streamed("completions.create", **_COMPLETION)),
    Style(name="embeddings create", api="embeddings", needs="embeddings", call=created("embeddings.create", **_EMBEDDING)),
    Style(name="embeddings raw", api="embeddings", needs="embeddings", call=raw("embeddings.create", **_EMBEDDING)),
    Style(name="post elsewhere", api="", needs="models", spans=0, call=posted("/nowhere", {})),
)  # fmt: skip

ANTHROPIC = (
    Style(name="messages create", api="messages", needs="messages", call=created("messages.create", **MESSAGE)),
    Style(name="messages stream", api="messages", needs="messages", stream=True, call=streamed("messages.create", **MESSAGE)),
    Style(name="messages stream helper", api="messages", needs="messages.stream", stream=True, call=helper("messages.stream", "get_final_message", **MESSAGE)),
    Style(name="messages parse", api="messages", needs="messages.parse", call=created("messages.parse", **MESSAGE, output_format=Answer)),
    Style(name="messages raw", api="messages", needs="messages", call=raw("messages.create", **MESSAGE)),
    Style(name="messages raw stream", api="messages", needs="messages", stream=True, call=raw("messages.create", **MESSAGE, stream=True)),
    Style(name="messages streaming parse", api="messages", needs="messages.with_streaming_response", call=streaming("messages.create", "parse", **MESSAGE)),
    Style(name="messages streaming lines", api="messages", needs="messages.with_streaming_response", stream=True, call=streaming("messages.create", "iter_lines", **MESSAGE, stream=True)),
    Style(name="messages streaming bytes", api="messages", needs="messages.with_streaming_response", call=streaming("messages.create", "iter_bytes", **MESSAGE)),
    Style(name="messages streaming items", api="messages", needs="messages.with_streaming_response", stream=True, call=streaming("messages.create", "parse", **MESSAGE, stream=True)),
    Style(name="messages post", api="messages", needs="messages", call=posted("/v1/messages", MESSAGE)),
    Style(name="beta messages create", api="messages", needs="beta.messages.create", call=created("beta.messages.create", **MESSAGE)),
    Style(name="beta messages stream", api="messages", needs="beta.messages.create", stream=True, call=streamed("beta.messages.create", **MESSAGE)),
    Style(name="count tokens", api="", needs="messages.count_tokens", spans=0, call=created("messages.count_tokens", model="claude-sonnet-5", messages=MESSAGES)),
)  # fmt: skip
