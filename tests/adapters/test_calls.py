"""What a call's span says of errors, retries, clients, providers of models, the application's line, and its context."""
# ruff: noqa: E501  a row of a table stands on one line

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import anthropic
import openai
import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan
from scripted import CHAT as CHAT_ANSWER
from scripted import CHAT_USAGE, Answer, ScriptedServer
from sdk_styles import CHAT, MESSAGE, modern
from spans import Finished, Listening, Spans, attributes

from llm_observer.counters import counters
from llm_observer.instrumentor import Runtime
from llm_observer.telemetry.tags import tag


def span_id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-secret", max_retries=0) as made:
        yield made


@pytest.fixture
def calls(instrument: Callable[..., Runtime]) -> list[Finished]:
    """The finished calls."""
    told = Listening()
    instrument().listeners.append(told)
    return told.finished


def test_the_body_is_the_bytes_on_the_wire(client: Any, server: ScriptedServer, calls: list[Finished]) -> None:
    """What is analysed is what was sent, `extra_body` included, and it is dropped afterwards."""
    client.chat.completions.create(**CHAT, extra_body={"top_k": 5})
    assert calls[0].body == server.requests[0].body
    assert b'"top_k"' in (calls[0].body or b"")


def test_messages_from_a_generator_are_sent_and_seen(
    server: ScriptedServer, calls: list[Finished], spans: Spans
) -> None:
    """A body that can be read only once is not read by us."""
    with anthropic.Anthropic(base_url=server.url, api_key="key") as client:
        arguments = MESSAGE | {"messages": iter(MESSAGE["messages"])}
        client.messages.create(**arguments)
    assert calls[0].body == server.requests[0].body
    assert b"capital of France" in (calls[0].body or b"")
    assert attributes(spans.one())["llm_observer.prompt.segments"] >= 1


def test_retries_are_one_call(client: Any, server: ScriptedServer, calls: list[Finished], spans: Spans) -> None:
    """Attempts do not make spans; they are counted on the one."""
    server.script(*[Answer.json({}, 429, **{"retry-after-ms": "1"})] * 2)
    client.with_options(max_retries=2).chat.completions.create(**CHAT)
    assert len(server.requests) == 3
    assert attributes(spans.one())["http.request.resend_count"] == 2
    assert calls[0].call.attempts == 3


@modern
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": {"code": "context_length_exceeded", "type": "invalid_request_error", "message": "m"}}, "context_length_exceeded"),
        (429, {"error": {"code": None, "type": "rate_limit_error", "message": "m"}}, "rate_limit_error"),
        (503, {"error": {"code": "we are sorry, dear user@example.com", "message": "m"}}, "503"),
        (404, {"detail": "nothing here"}, "404"),
        (500, "<html>", "500"),
    ],
)  # fmt: skip
def test_error_type_is_the_providers_code_or_the_status(
    client: Any,
    server: ScriptedServer,
    calls: list[Finished],
    spans: Spans,
    status: int,
    body: object,
    expected: str,
) -> None:
    """Low in cardinality, and never a sentence of anyone's."""
    server.script(Answer.json(body, status))
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(**CHAT)
    span = spans.one()
    assert attributes(span)["error.type"] == expected
    assert calls[0].call.error_type == expected
    assert span.status.status_code.name == "ERROR"
    assert span.status.description is None
    assert span.events == ()


def test_no_connection(instrument: Callable[..., Runtime], spans: Spans) -> None:
    """A server that is not there is the SDK's connection error."""
    instrument()
    client = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="key", max_retries=0)
    with client, pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**CHAT)
    assert attributes(spans.one())["error.type"] == "openai.APIConnectionError"


@modern
@pytest.mark.usefixtures("calls")
def test_a_structured_answer_cut_short_was_billed(client: Any, server: ScriptedServer, spans: Spans) -> None:
    """`parse` raises on a truncated answer, and its usage is known all the same."""
    choice = {**CHAT_ANSWER["choices"][0], "finish_reason": "length"}  # type: ignore[index]
    server.script(Answer.json({**CHAT_ANSWER, "choices": [choice]}))
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(**CHAT, response_format={"type": "json_object"})
    values = attributes(spans.one())
    assert values["gen_ai.usage.input_tokens"] == 100
    assert values["gen_ai.response.finish_reasons"] == ("length",)
    assert values["error.type"] == "openai.LengthFinishReasonError"


@pytest.mark.usefixtures("calls")
def test_usage_of_zero_is_kept_and_missing_usage_left_out(client: Any, server: ScriptedServer, spans: Spans) -> None:
    """Zero is a figure; absence is not."""
    usage = {**CHAT_USAGE, "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": None}
    server.script(Answer.json({**CHAT_ANSWER, "usage": usage}), Answer.json({**CHAT_ANSWER, "usage": None}))
    client.chat.completions.create(**CHAT)
    client.chat.completions.create(**CHAT)
    with_zero, without = (attributes(span) for span in spans.all())
    assert with_zero["gen_ai.usage.cache_read.input_tokens"] == 0
    assert "gen_ai.usage.reasoning.output_tokens" not in with_zero
    assert not [name for name in without if name.startswith("gen_ai.usage.")]


@modern
@pytest.mark.usefixtures("calls")
def test_request_parameters(client: Any, spans: Spans) -> None:
    """Those that the conventions name, with their types; none of another type."""
    client.chat.completions.create(
        **CHAT, temperature=0, top_p=0.5, max_completion_tokens=7, seed=3, n=2, stop=["END"], presence_penalty=1,
        frequency_penalty=0.25, reasoning_effort="low", service_tier="flex", response_format={"type": "json_object"},
        user="user-123", metadata={"customer": "c-9"}, extra_body={"top_k": "many"},
    )  # fmt: skip
    values = attributes(spans.one())
    assert {name.removeprefix("gen_ai.request."): value for name, value in values.items() if ".request." in name} == {
        "model": "gpt-4o-mini",
        "temperature": 0.0,
        "top_p": 0.5,
        "max_tokens": 7,
        "seed": 3,
        "choice.count": 2,
        "stop_sequences": ("END",),
        "presence_penalty": 1.0,
        "frequency_penalty": 0.25,
        "reasoning.level": "low",
        "openai.request.service_tier": "flex",
    }
    assert values["gen_ai.output.type"] == "json"
    assert "user-123" not in str(values)
    assert "c-9" not in str(values)


@pytest.mark.usefixtures("calls")
def test_sampling_relevant_attributes_are_there_at_the_start(
    client: Any, spans: Spans, monkeypatch: pytest.MonkeyPatch, server: ScriptedServer
) -> None:
    """A sampler sees operation, provider, model, server and stream."""
    asked: list[dict[str, Any]] = []
    provider: Any = trace.get_tracer_provider()
    sample = provider.sampler.should_sample

    def should_sample(*args: Any, **kwargs: Any) -> Any:
        asked.append(dict(args[4]))
        return sample(*args, **kwargs)

    monkeypatch.setattr(provider.sampler, "should_sample", should_sample)
    list(client.chat.completions.create(**CHAT, stream=True))
    assert spans.one()
    assert asked == [
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "server.address": "127.0.0.1",
            "server.port": server.port,
            "gen_ai.request.stream": True,
        }
    ]


def test_the_call_site_is_the_applications_line(client: Any, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """File, function and line of the first frame outside SDKs and libraries."""
    instrument()
    frame = inspect.currentframe()
    assert frame is not None
    line = frame.f_lineno + 1
    client.chat.completions.create(**CHAT)
    values = attributes(spans.one())
    assert values["code.file.path"] == __file__
    assert values["code.function.name"] == "test_the_call_site_is_the_applications_line"
    assert values["code.line.number"] == line


def test_the_call_site_can_be_switched_off(client: Any, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """Then no `code.*` attribute is there."""
    instrument(call_site=False)
    client.chat.completions.create(**CHAT)
    assert not [name for name in attributes(spans.one()) if name.startswith("code.")]


@pytest.mark.usefixtures("calls")
async def test_the_call_site_of_async_calls(server: ScriptedServer, spans: Spans) -> None:
    """The coroutine that awaits the call, or the task that runs it; none when nobody waits for that."""
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key") as client:

        async def answer() -> None:
            await client.chat.completions.create(**CHAT)

        await asyncio.gather(answer(), answer())
        await asyncio.gather(cast("Any", client).chat.completions.create(**CHAT))
        alone = asyncio.create_task(cast("Any", client).chat.completions.create(**CHAT))
        done = asyncio.Event()
        alone.add_done_callback(lambda _: done.set())
        await done.wait()
    *awaited, gathered, unwatched = (attributes(span) for span in spans.all())
    for values in awaited:
        assert values["code.function.name"].endswith("answer")
        assert values["code.file.path"] == __file__
    assert gathered["code.function.name"] == "test_the_call_site_of_async_calls"
    assert gathered["code.file.path"] == __file__
    assert "code.file.path" not in unwatched


@modern
@pytest.mark.usefixtures("calls")
def test_the_span_is_current_during_the_request_only(server: ScriptedServer, spans: Spans) -> None:
    """Whatever the HTTP client does is inside the span; the application's context stays its own."""
    seen: list[Any] = []

    def sending(_: object) -> None:
        seen.append(trace.get_current_span())

    http = openai.DefaultHttpxClient(event_hooks={"request": [sending]})
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", http_client=http) as client:
        before = otel_context.get_current()
        stream = client.chat.completions.create(**CHAT, stream=True)
        assert otel_context.get_current() is before
        for _ in stream:
            assert trace.get_current_span() is trace.INVALID_SPAN
    assert seen[0].get_span_context() == spans.one().get_span_context()


@pytest.mark.usefixtures("calls")
def test_the_span_is_a_child_of_the_applications(client: Any, spans: Spans) -> None:
    """Its parent is the span that was current."""
    with trace.get_tracer("app").start_as_current_span("work") as work:
        client.chat.completions.create(**CHAT)
    child, _ = spans.all()
    assert child.parent == work.get_span_context()


@pytest.mark.usefixtures("calls")
async def test_concurrent_calls_do_not_mix(server: ScriptedServer, spans: Spans) -> None:
    """Each of many tasks at once gets a span of its own under its own parent."""
    tracer = trace.get_tracer("app")
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key") as client:

        async def work(n: int) -> None:
            with tracer.start_as_current_span(f"work {n}"):
                await client.chat.completions.create(**CHAT, user=str(n))

        await asyncio.gather(*(work(n) for n in range(5)))
    parents = {span_id(span) for span in spans.all() if span.name.startswith("work")}
    children = [span for span in spans.all() if span.name.startswith("chat")]
    assert {span.parent.span_id for span in children if span.parent} == parents


def test_suppressed_instrumentation_makes_no_span(client: Any, calls: list[Finished], spans: Spans) -> None:
    """Who suppresses it has a span of its own, and money is spent all the same: the call is counted."""
    with suppress_instrumentation():
        client.chat.completions.create(**CHAT)
    assert spans.all() == []
    (finished,) = calls
    assert finished.call.usage is not None


@modern
def test_requests_that_are_no_inference_make_no_call(client: Any, calls: list[Finished], spans: Spans) -> None:
    """Listing, retrieving and the like are not calls to a model."""
    client.chat.completions.list()
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_1")
    with pytest.raises(openai.NotFoundError):
        client.models.list()
    assert spans.all() == []
    assert calls == []


def test_the_module_level_client(
    server: ScriptedServer, calls: list[Finished], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`openai.chat.completions.create` is a call like any other."""
    monkeypatch.setattr(openai, "base_url", f"{server.url}/v1")
    monkeypatch.setattr(openai, "api_key", "key")
    openai.chat.completions.create(**CHAT)
    openai._reset_client()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]
    assert attributes(spans.one())["server.port"] == server.port
    assert calls[0].call.api == "chat.completions"


@pytest.mark.usefixtures("calls")
def test_azure(server: ScriptedServer, spans: Spans) -> None:
    """The deployment is in the path, the provider is Azure, the model is the one asked for."""
    with openai.AzureOpenAI(
        azure_endpoint=server.url, api_key="key", api_version="2024-10-21", max_retries=0
    ) as client:
        client.chat.completions.create(**CHAT)
    assert "/deployments/gpt-4o-mini/" in server.requests[0].path
    values = attributes(spans.one())
    assert values["gen_ai.provider.name"] == "azure.ai.openai"
    assert values["gen_ai.request.model"] == "gpt-4o-mini"


@pytest.mark.usefixtures("calls")
def test_a_client_made_before_is_covered(server: ScriptedServer, spans: Spans) -> None:
    """Clients bind their methods when they are made; ours is below that."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        create = client.chat.completions.create
        create(**CHAT)
    assert spans.one()


def test_the_scope_tells_whose_cache_it_is(server: ScriptedServer, calls: list[Finished]) -> None:
    """Same URL, organisation and key: same scope. Another key or organisation: another. The key is not in it."""
    for key, organization in (("sk-one", "a"), ("sk-one", "a"), ("sk-two", "a"), ("sk-one", "b")):
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, organization=organization) as client:
            client.chat.completions.create(**CHAT)
    first, second, third, fourth = (call.call.scope for call in calls)
    assert first == second
    assert len({first, third, fourth}) == 3
    assert "sk" not in str(first)


def test_the_scope_outlives_a_token_of_an_hour(server: ScriptedServer, calls: list[Finished]) -> None:
    """A renewed Azure AD token does not make another customer."""
    tokens = iter(("first", "second"))
    with openai.AzureOpenAI(
        azure_endpoint=server.url, api_version="2024-10-21", azure_ad_token_provider=lambda: next(tokens)
    ) as client:
        for _ in range(2):
            client.chat.completions.create(**CHAT)
    assert server.requests[0].headers["authorization"] != server.requests[1].headers["authorization"]
    assert calls[0].call.scope == calls[1].call.scope


def test_a_tag_names_the_calls_inside(client: Any, calls: list[Finished]) -> None:
    """The innermost name counts, and only inside."""

    @tag("outer")
    def work() -> None:
        client.chat.completions.create(**CHAT)
        with tag("inner"):
            client.chat.completions.create(**CHAT)

    work()
    client.chat.completions.create(**CHAT)
    assert [call.call.tag for call in calls] == ["outer", "inner", None]


def test_threads_do_not_mix(client: Any, calls: list[Finished], spans: Spans) -> None:
    """Calls of many threads at once: one span each."""
    threads = [threading.Thread(target=lambda: client.chat.completions.create(**CHAT)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spans.all()) == len(calls) == 8
    assert len({span_id(span) for span in spans.all()}) == 8
    assert counters.total("calls") == 8
