"""No content gets out: a unique string in every place of a request and of a response, then none of them anywhere.

The places come from the SDKs' own types. What OpenTelemetry's conventions put on a span by design is listed with the
reason why it is no content, and with all that it may reach.
"""

import asyncio
import base64
import gc
import logging
import pkgutil
import re
from collections.abc import Mapping
from typing import Any

import pytest
from canaries import Canaries, fill
from canary_talk import APIS, KINDS, Talk, answered, client_of, plain, raw, streamed, streams, talk
from giving import Given
from openai.types.chat import ChatCompletion
from opentelemetry import trace
from scripted import CHAT_USAGE, ScriptedServer

import llm_observer
from llm_observer.call import Call
from llm_observer.counters import counters
from llm_observer.guard import Guard

EVERYWHERE = {"span", "metrics", "store", "redacted", "redacted, with names", "sent", "reprs"}

ALLOWED: Mapping[str, tuple[set[str], str]] = {
    "request.model": (EVERYWHERE, "names which model is asked for: without it no figure means anything"),
    "response.model": (EVERYWHERE, "names which model answered and is billed"),
    "request.stop": ({"span"}, "a parameter of the convention, where text ends; on the user's own spans only"),
    "request.stop_sequences": ({"span"}, "the same of Anthropic"),
    "request.previous_response_id": ({"span"}, "an id that the provider made, to join calls; on the user's own spans"),
    "request.conversation": ({"span"}, "the same"),
    "request.conversation.id": ({"span"}, "the same"),
    "request.prompt.id": ({"span"}, "an id that the provider made, of a prompt template; on the user's own spans"),
    "request.prompt.version": ({"span"}, "the same"),
    "response.id": ({"span"}, "an id that the provider made, to find the call in its log; on the user's own spans"),
    "response.code": (EVERYWHERE, "`error.type`: the provider's code for what went wrong, and no sentence"),
    "response.error.code": (EVERYWHERE, "the same"),
    "response.system_fingerprint": ({"span"}, "an id of the provider's back end"),
}
"""What a span has by OpenTelemetry's conventions: the place, what it may reach, and why it is no content."""


def leaks(canaries: Canaries, texts: Mapping[str, str]) -> dict[str, set[str]]:
    """Where canaries are that must not be there."""
    found = {
        where: {place for place in canaries.found_in(text) if where not in allowed(place)}
        for where, text in texts.items()
    }
    return {where: places for where, places in found.items() if places}


def allowed(place: str) -> set[str]:
    # A stream's first event holds the response or the message as it begins.
    plain = re.sub(r"^response\.(response|message)\.", "response.", place.replace("[]", ""))
    return ALLOWED.get(plain, (set[str](), ""))[0]


def unsent(canaries: Canaries, server: ScriptedServer) -> set[str]:
    """The places of requests that no request had: nothing would be shown of them."""
    sent = "".join(f"{one.path} {one.headers} {one.body.decode('latin-1')}" for one in server.requests)
    logins = [one.headers.get("authorization", "").removeprefix("Basic ") for one in server.requests]
    sent += "".join(base64.b64decode(login).decode() for login in logins if login and " " not in login)
    planted = {place for place in canaries.places if place.startswith(("request", "call", "client"))}
    return planted - canaries.found_in(sent)


VARIANTS = [
    pytest.param(name, asynchronous, id=f"{name} {'async' if asynchronous else 'sync'}")
    for name in APIS
    for asynchronous in (False, True)
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(("name", "asynchronous"), VARIANTS)
async def test_no_content_of_any_place_gets_out(
    name: str, canaries: Canaries, server: ScriptedServer, given: Given, *, asynchronous: bool
) -> None:
    """Nor is anything added to what the application gets when a call fails."""
    client = client_of(KINDS[name], canaries, server.url, asynchronous=asynchronous)
    bare = await talk(name, client, canaries, server, only_failures=True)
    server.requests.clear()
    given.patch()
    client = client_of(KINDS[name], canaries, server.url, asynchronous=asynchronous)
    raised = await talk(name, client, canaries, server)
    assert unsent(canaries, server) == set()
    assert len(given.reports) == len(given.spans.get_finished_spans()) > 9
    assert leaks(canaries, given.texts()) == {}
    assert bare
    assert raised[: len(bare)] == bare
    assert canaries.found_in(repr(raised)), "the application learns what went wrong"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ["chat", "messages"])
async def test_no_login_in_a_url_gets_out(name: str, canaries: Canaries, server: ScriptedServer, given: Given) -> None:
    given.patch()
    client = client_of(KINDS[name], canaries, server.url, asynchronous=True, login=True)
    await talk(name, client, canaries, server)
    assert unsent(canaries, server) == set()
    assert leaks(canaries, given.texts()) == {}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
async def test_nothing_is_added_to_the_span_that_an_sdk_makes_itself(
    canaries: Canaries, server: ScriptedServer, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Anthropic's SDK puts on its own span is its own affair; what we add to it has no content."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", given.provider)
    client = client_of("anthropic", canaries, server.url, asynchronous=False)
    await talk("messages", client, canaries, server)
    given.leave_out()
    given.patch(adopt=True)
    client = client_of("anthropic", canaries, server.url, asynchronous=False)
    await talk("messages", client, canaries, server)
    spans = given.spans.get_finished_spans()
    assert len(spans) == len(given.reports)
    assert all("llm_observer.cache.outcome" in (span.attributes or ()) for span in spans)
    assert leaks(canaries, given.texts()) == {}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ["chat", "completions", "messages", "responses"])
async def test_content_that_is_switched_on_is_on_the_span_and_nowhere_else(
    name: str, canaries: Canaries, server: ScriptedServer, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the store, in events that are sent, in metrics, logs, totals or reprs."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_AND_EVENT")
    given.patch()
    client = client_of(KINDS[name], canaries, server.url, asynchronous=False)
    await talk(name, client, canaries, server)
    texts = given.texts()
    captured = {place for place in canaries.found_in(texts["span"]) if "span" not in allowed(place)}
    assert any(place.startswith("request") for place in captured)
    assert any(place.startswith("response") for place in captured)
    assert not any(place.startswith(("client", "call")) for place in captured), "a header, a key, a URL"
    assert leaks(canaries, {where: text for where, text in texts.items() if where != "span"}) == {}


@pytest.mark.parametrize("name", ["chat", "responses", "messages"])
async def test_a_sentence_where_a_code_belongs_does_not_get_out(
    name: str, canaries: Canaries, server: ScriptedServer, given: Given
) -> None:
    """As some gateways put one: as finish reason, service tier, fingerprint, kind of error."""
    plant = canaries.plant
    sentence = {
        key: f"stopped, since {plant(f'gateway.{key}')}"
        for key in ("stop_reason", "service_tier", "system_fingerprint")
    }
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": sentence["stop_reason"]}
    error = {"type": f"it said {plant('gateway.error type')}", "code": f"no {plant('gateway.error code')}"}
    answer = {
        **sentence,
        "id": "1",
        "model": "gpt-5.6",
        "status": "incomplete",
        "choices": [choice],
        "content": [],
        "output": [],
        "incomplete_details": {"reason": sentence["stop_reason"]},
        "usage": {**APIS[name].usage, "service_tier": sentence["service_tier"]},
        "error": error,
    }
    given.patch()
    client = client_of(KINDS[name], canaries, server.url, asynchronous=False)
    say = Talk(client, APIS[name], canaries, server)
    body: dict[str, Any] = fill(canaries, APIS[name].request, "request")[0]
    await say(plain, body, answered(canaries, answer))
    await say(plain, body, answered(canaries, answer | {"status": "failed"}))
    await say(raw, body, answered(canaries, {"error": error}, 400))
    client.close()
    assert len(given.reports) == 3
    assert leaks(canaries, given.texts()) == {}


STAGES = [
    ("llm_observer.adapters.hook", "call_site"),
    ("llm_observer.adapters.hook", "_read_request"),
    ("llm_observer.adapters.reading.ChatReading", "response"),
    ("llm_observer.adapters.reading.ChatReading", "item"),
    ("llm_observer.usage.Usage", "from_provider"),
    ("llm_observer.pricing.prices.Prices", "estimate"),
    ("llm_observer.analysis.analyzer.Analyzer", "explain"),
    ("llm_observer.ledger.Ledger", "claim"),
    ("llm_observer.telemetry.callspan", "call_attributes"),
    ("llm_observer.telemetry.processors", "prompt_attributes"),
    ("llm_observer.telemetry.metrics.Metrics", "record"),
    ("llm_observer.keeping", "event_from_attributes"),
    ("llm_observer.export.store.Store", "put"),
    ("llm_observer.summary.Tally", "add"),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: ".".join(stage).removeprefix("llm_observer."))
async def test_no_content_gets_out_when_a_stage_fails_on_it(
    stage: tuple[str, str], canaries: Canaries, server: ScriptedServer, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages of exceptions quote what they failed on; the log names the stage and the kind of the exception."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"cannot take {canaries.plant('failure.message')}") from KeyError(
            canaries.plant("failure.cause")
        )

    monkeypatch.setattr(Guard, "strict", False)
    target: Any = pkgutil.resolve_name(stage[0])
    monkeypatch.setattr(target, stage[1], broken)
    given.patch()
    client = client_of("openai", canaries, server.url, asynchronous=False)
    say = Talk(client, APIS["chat"], canaries, server)
    body: dict[str, Any] = fill(canaries, APIS["chat"].request, "request")[0]
    body.pop("stream", None)
    for _ in range(2):
        await say(
            plain, body, answered(canaries, fill(canaries, ChatCompletion, "response")[0] | {"usage": CHAT_USAGE})
        )
    await say(streamed, body, streams(canaries, APIS["chat"], "chat")[0])
    client.close()
    assert say.raised == []
    texts = given.texts()
    assert sum(llm_observer.stats().errors.values()) > 0
    assert "ValueError" in texts["logs"]
    assert leaks(canaries, texts) == {}


async def test_what_the_application_raises_while_it_reads_does_not_get_out(
    canaries: Canaries, server: ScriptedServer, given: Given
) -> None:
    """Its own exception in the middle of a stream, a cancellation with a message, a stream that is dropped."""
    given.patch()
    client = client_of("openai", canaries, server.url, asynchronous=True)
    body: dict[str, Any] = fill(canaries, APIS["chat"].request, "request")[0] | {"stream": True}

    async def read(error: BaseException | None) -> None:
        server.script(streams(canaries, APIS["chat"], "chat")[0])
        stream = await client.chat.completions.create(**body)
        async for _ in stream:
            if error is not None:
                raise error
            return

    with pytest.raises(ValueError) as caught:
        await read(ValueError(canaries.plant("application.error")))
    assert caught.value.args == (canaries.plant("application.error"),)
    with pytest.raises(asyncio.CancelledError):
        await read(asyncio.CancelledError(canaries.plant("application.cancellation")))
    await read(None)
    del caught
    await client.close()
    for _ in range(500):
        # What is dropped is closed by a task of the event loop, once it is collected.
        gc.collect()
        await asyncio.sleep(0.002)
        if len(given.reports) == 3:
            break
    texts = given.texts()
    assert len(given.reports) == 3
    assert leaks(canaries, texts) == {}


def conversation(canaries: Canaries, n: int, *, turned: int) -> dict[str, Any]:
    """A prompt with everything that breaks a cache: each kind of finding has a canary at its place.

    Its tools are in another order by `turned` places.
    """
    plant = canaries.plant
    tools = [
        {
            "type": "function",
            "function": {
                "name": plant(f"request.tool {i}"),
                "description": f"{plant(f'request.description {i}')} " * 300,
                "parameters": {"type": "object", "properties": {plant(f"request.property {i}"): {"type": "string"}}},
            },
        }
        for i in range(3)
    ]
    system = (
        f"It is 2026-11-22T10:00:0{n}Z, session_id={plant('request.session')}{n}, "
        f"file /tmp/{plant('request.path')}{n}/x, "
        f"see https://{plant('request.host')}.example/a?X-Amz-Signature={plant('request.url')}{n}. "
    )
    text = f"{plant('request.system')} answers politely. " * 300
    turns = [{"role": "user", "content": f"{plant('request.turn')} {turn}"} for turn in range(n + 1)]
    return {
        "model": "gpt-4.1",
        "tools": tools[turned:] + tools[:turned],
        "messages": [{"role": "system", "content": system + text}, *turns],
    }


@pytest.mark.parametrize("snippets", [False, True])
async def test_no_content_gets_out_with_a_verdict(
    canaries: Canaries, server: ScriptedServer, given: Given, *, snippets: bool
) -> None:
    """Locations, hints, causes, breakers, families, chains: what is found in a prompt is told without its words.

    Nor do snippets show any that is not a common one, and they stay on the machine.
    """
    given.patch(snippets=snippets)
    client = client_of("openai", canaries, server.url, asynchronous=False)
    say = Talk(client, APIS["chat"], canaries, server)
    usage = {"prompt_tokens": 20_000, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 0}}
    answer = fill(canaries, ChatCompletion, "response")[0] | {"usage": usage, "model": "gpt-4.1"}
    for n in range(6):
        await say(plain, conversation(canaries, n, turned=0 if snippets else n % 3), answered(canaries, answer))
    client.close()
    assert say.raised == []
    assert any(report.cache.broke and report.cache.location for report in given.reports)
    assert any(report.breakers for report in given.reports)
    texts = given.texts()
    assert leaks(canaries, texts) == {}
    told = {where for where, text in texts.items() if "session_id=" in text}
    assert told == ({"span", "store", "reprs"} if snippets else set())


@pytest.mark.parametrize("where", ["span", "store", "metrics", "reprs", "totals", "logs", "terminal"])
async def test_a_leak_would_be_found(
    where: str, canaries: Canaries, server: ScriptedServer, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: with one string that gets out in one way, they do."""
    secret = canaries.plant("secret")

    def leaked(*_: object) -> dict[str, str]:
        return {"gen_ai.provider.name" if where == "metrics" else "llm_observer.cost.source": secret}

    def told(_: llm_observer.CallReport) -> None:
        match where:
            case "totals":
                counters.add("errors", secret)
            case "logs":
                logging.getLogger("llm_observer.room").debug("%s", secret)
            case "terminal":
                print(secret)
            case _:
                pass

    match where:
        case "span":
            monkeypatch.setattr("llm_observer.telemetry.processors.cost_attributes", leaked)
        case "store":
            monkeypatch.setattr("llm_observer.telemetry.callspan.report_attributes", leaked)
        case "metrics":
            monkeypatch.setattr("llm_observer.telemetry.callspan.start_attributes", leaked)
        case "reprs":
            monkeypatch.setattr(Call, "__repr__", lambda self: secret)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        case _:
            llm_observer.on_call(told)
    given.patch()
    client = client_of("openai", canaries, server.url, asynchronous=False)
    say = Talk(client, APIS["chat"], canaries, server)
    await say(plain, {"model": "gpt-4.1", "messages": []}, answered(canaries, {}))
    client.close()
    assert where in leaks(canaries, given.texts())
