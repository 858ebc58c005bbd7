"""Talking to the SDKs in every way, with a canary wherever one can stand."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import anthropic
import openai
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types import message_create_params as messages
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from anthropic.types.beta import message_create_params as beta_messages
from canaries import Canaries, fill
from openai.types import Completion, CreateEmbeddingResponse, embedding_create_params
from openai.types import completion_create_params as completions
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat import completion_create_params as chat
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses import response_create_params as responses
from scripted import CHAT_USAGE, MESSAGES_USAGE, RESPONSES_USAGE, Answer, ScriptedServer, sse


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One method of an SDK, with the types of what it takes and gives."""

    method: str
    request: Any
    response: Any
    usage: Mapping[str, Any]
    event: Any = None


APIS = {
    "chat": Api(
        method="chat.completions.create",
        request=chat.CompletionCreateParamsNonStreaming,
        response=ChatCompletion,
        event=ChatCompletionChunk,
        usage=CHAT_USAGE,
    ),
    "responses": Api(
        method="responses.create",
        request=responses.ResponseCreateParamsNonStreaming,
        response=Response,
        event=ResponseStreamEvent,
        usage=RESPONSES_USAGE,
    ),
    "completions": Api(
        method="completions.create",
        request=completions.CompletionCreateParamsNonStreaming,
        response=Completion,
        event=Completion,
        usage=CHAT_USAGE,
    ),
    "embeddings": Api(
        method="embeddings.create",
        request=embedding_create_params.EmbeddingCreateParams,
        response=CreateEmbeddingResponse,
        usage={"prompt_tokens": 9, "total_tokens": 9},
    ),
    "messages": Api(
        method="messages.create",
        request=messages.MessageCreateParamsNonStreaming,
        response=Message,
        event=RawMessageStreamEvent,
        usage=MESSAGES_USAGE,
    ),
    "beta messages": Api(
        method="beta.messages.create",
        request=beta_messages.MessageCreateParamsNonStreaming,
        response=BetaMessage,
        event=BetaRawMessageStreamEvent,
        usage=MESSAGES_USAGE,
    ),
}
KINDS = {name: "anthropic" if "messages" in name else "openai" for name in APIS}


def client_of(sdk: str, canaries: Canaries, url: str, *, asynchronous: bool, login: bool = False) -> Any:
    """A client with a canary in everything that it can be given; `login` is one in the URL, in place of the key."""
    plant = canaries.plant
    if login:
        url = url.replace("://", f"://{plant('client.user')}:{plant('client.password')}@")
    common: dict[str, Any] = {
        "base_url": f"{url}/{plant('client.path')}",
        "default_headers": {"x-tenant": plant("client.header"), plant("client.header name"): "1"},
        "default_query": {"tenant": plant("client.query")},
        "max_retries": 0,
    }
    if sdk == "openai":
        kind: Any = openai.AsyncOpenAI if asynchronous else openai.OpenAI
        return kind(
            **common,
            api_key="key" if login else plant("client.api_key"),
            organization=plant("client.organization"),
            project=plant("client.project"),
        )
    if asynchronous:
        return anthropic.AsyncAnthropic(**common, auth_token="token" if login else plant("client.auth_token"))
    return anthropic.Anthropic(**common, api_key=plant("client.api_key"))


def extras(canaries: Canaries) -> dict[str, Any]:
    """A canary in everything that can be added to one request."""
    plant = canaries.plant
    return {
        "extra_headers": {"x-user": plant("call.header"), plant("call.header name"): "1"},
        "extra_query": {"user": plant("call.query")},
        "extra_body": {plant("call.body key"): [plant("call.body"), {"deep": plant("call.body deep")}]},
    }


def answered(canaries: Canaries, data: Any, status: int = 200) -> Answer:
    """An answer with a canary in its headers too."""
    names = ("x-request-id", "request-id", "openai-organization", "anthropic-organization-id", "set-cookie", "location")
    return Answer.json(data, status, **{name: canaries.plant(f"response.header {name}") for name in names})


def failures(canaries: Canaries) -> list[Answer]:
    """Answers that are errors, each way that providers and gateways have of saying so."""
    plant = canaries.plant
    error = {
        "message": f"Invalid: {plant('error.message')}",
        "type": "invalid_request_error",
        "param": plant("error.param"),
        "code": "context_length_exceeded",
        "inner": {plant("error.key"): plant("error.inner")},
    }
    said = {"type": f"it said: {plant('error.type sentence')}", "code": f"{plant('error.code sentence')} was refused"}
    return [
        answered(canaries, {"type": "error", "error": error, "request_id": plant("error.request_id")}, 400),
        answered(canaries, {"error": plant("error.text")}, 401),
        answered(canaries, {"error": said}, 403),
        answered(canaries, {"detail": plant("error.detail")}, 404),
        answered(canaries, [plant("error.list")], 409),
        Answer(status=500, body=f"<h1>{plant('error.html')}</h1>".encode(), headers={"content-type": "text/html"}),
        Answer(body=f"{{{plant('error.no json')}".encode(), headers={"content-type": "application/json"}),
    ]


def streams(canaries: Canaries, api: Api, name: str) -> list[Answer]:
    """Streams: with every event that there is, with an error inside, and cut off."""
    plant = canaries.plant
    events: list[dict[str, Any]] = fill(canaries, api.event, "response")
    named = name not in {"chat", "completions"}
    error = {"error": {"message": plant("stream error.message"), "param": plant("stream error.param"), "code": "oops"}}
    failed = [f"event: error\ndata: {json.dumps({'type': 'error', **error})}\n\n".encode()]
    return [
        Answer.stream(sse([*events, "[DONE]"], named=named)),
        Answer.stream([*sse(events[:1], named=named), *failed]),
        Answer.stream(sse([*events[:1], error], named=False)),
        Answer.stream([*sse(events[:2], named=named), f"data: {{{plant('stream.no json')}\n\n".encode()]),
        Answer.stream(sse(events[:2], named=named), broken=True),
    ]


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def items(stream: Any) -> list[Any]:
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


class Talk:
    """Calls a method in every way, and keeps what was raised."""

    def __init__(self, client: Any, api: Api, canaries: Canaries, server: ScriptedServer) -> None:
        self._resource = reduce(getattr, api.method.split(".")[:-1], client)
        self._canaries = canaries
        self._server = server
        self.raised: list[tuple[type, Any, Any]] = []

    async def __call__(self, how: Callable[[Any, dict[str, Any]], Any], body: dict[str, Any], answer: Answer) -> None:
        self._server.script(answer)
        try:
            await how(self._resource, body | extras(self._canaries))
        except Exception as error:  # noqa: BLE001  what is raised is what the application gets, and is compared
            self.raised.append((type(error), error.args, getattr(error, "__notes__", None)))


async def plain(resource: Any, body: dict[str, Any]) -> None:
    repr(await settled(resource.create(**body)))


async def streamed(resource: Any, body: dict[str, Any]) -> None:
    await items(await settled(resource.create(**body, stream=True)))


async def abandoned(resource: Any, body: dict[str, Any]) -> None:
    stream = await settled(resource.create(**body, stream=True))
    iterator = aiter(stream) if hasattr(stream, "__aiter__") else iter(stream)
    await settled(anext(iterator) if hasattr(iterator, "__anext__") else next(iterator))
    await settled(stream.close())


async def raw(resource: Any, body: dict[str, Any]) -> None:
    response = await settled(resource.with_raw_response.create(**body))
    await settled(response.parse())


async def streaming(resource: Any, body: dict[str, Any]) -> None:
    manager = resource.with_streaming_response.create(**body)
    if hasattr(manager, "__aenter__"):
        async with manager as response:
            await items(response.iter_lines())
    else:
        with manager as response:
            list(response.iter_lines())


async def talk(
    name: str, client: Any, canaries: Canaries, server: ScriptedServer, *, only_failures: bool = False
) -> list[tuple[type, Any, Any]]:
    """Everything once: each shape of a request, each of a response, each way of calling, each way of failing."""
    api = APIS[name]
    say = Talk(client, api, canaries, server)
    bodies: list[dict[str, Any]] = fill(canaries, api.request, "request")
    for body in bodies:
        body.pop("stream", None)
    answers = [row | {"usage": api.usage} for row in fill(canaries, api.response, "response")]
    ways = (plain, raw, streaming)
    for n in range(0 if only_failures else max(len(bodies), len(answers), len(ways))):
        body = bodies[n % len(bodies)]
        await say(ways[n % len(ways)], body, answered(canaries, answers[n % len(answers)]))
    for answer in failures(canaries):
        await say(plain, bodies[0], answer)
    if api.event is not None and not only_failures:
        for n, answer in enumerate(streams(canaries, api, name)):
            await say(streamed, bodies[n % len(bodies)], answer)
        await say(abandoned, bodies[0], streams(canaries, api, name)[0])
    await settled(client.close())
    return say.raised
