"""Clients of other platforms, middlewares and subclasses, and processes that fork."""

import os
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from scripted import ScriptedServer
from sdk_styles import CHAT, MESSAGE, modern
from spans import Listening, Spans, attributes

from llm_observer.instrumentor import LLMObserverInstrumentor, Runtime


def foundry(url: str) -> Any:
    return anthropic.AnthropicFoundry(api_key="key", base_url=url)


def vertex(url: str) -> Any:
    made: Any = anthropic
    return made.AnthropicVertex(region="us-east5", project_id="p", access_token="token", base_url=url)


def bedrock(url: str) -> Any:
    made: Any = anthropic
    return made.AnthropicBedrock(aws_access_key="a", aws_secret_key="b", aws_region="us-east-1", base_url=url)


PLATFORMS: dict[str, tuple[Callable[[str], Any], str]] = {
    "foundry": (foundry, "anthropic"),
    "vertex": (vertex, "gcp.vertex_ai"),
    "bedrock": (bedrock, "aws.bedrock"),
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_anthropic_on_other_platforms(
    platform: str, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """The platform is the provider; the model is the one asked for, wherever the platform puts it."""
    instrument()
    make, provider = PLATFORMS[platform]
    try:
        with make(server.url) as client:
            client.messages.create(**MESSAGE)
    except (ImportError, AttributeError, anthropic.AnthropicError) as error:
        pytest.skip(f"not to be had here: {type(error).__name__}")
    values = attributes(spans.one())
    assert values["gen_ai.provider.name"] == provider
    assert values["gen_ai.request.model"] == "claude-sonnet-5"
    assert values["gen_ai.usage.input_tokens"] == 100


@modern
def test_a_stream_over_a_body_that_was_read_already(
    server: ScriptedServer,
    instrument: Callable[..., Runtime],
    spans: Spans,
    collect: Callable[[], object],
) -> None:
    """As a hook of the HTTP client that reads every response leaves it: the items still tell all."""
    instrument()
    http = openai.DefaultHttpxClient(event_hooks={"response": [lambda response: response.read()]})  # pyright: ignore[reportUnknownLambdaType, reportUnknownMemberType]
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", http_client=http) as client:
        stream = client.chat.completions.create(**CHAT, stream=True)
        assert spans.all() == []
        assert list(stream)
        assert attributes(spans.one())["gen_ai.usage.output_tokens"] == 20
        spans.clear()
        del stream
        client.chat.completions.create(**CHAT, stream=True)
        collect()
    spans.wait_for_one()


class Own(openai.OpenAI):
    """An application's subclass that overrides what is patched."""

    def request(self, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        base: Any = super()
        return base.request(*args, **kwargs)


def test_an_applications_subclass(server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans) -> None:
    """One span, also through an override."""
    instrument()
    with Own(base_url=f"{server.url}/v1", api_key="key") as client:
        client.chat.completions.create(**CHAT)
    assert spans.one()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_end_its_parents_streams(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """The child drops its copy of an open stream without a word; its own calls are observed."""
    runtime = instrument()
    runtime.listeners.append(told := Listening())
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        stream = client.chat.completions.create(**CHAT, stream=True)
        next(stream)
        child = os.fork()
        if not child:
            status = 1
            try:
                del stream
                with openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as own:
                    list(own.chat.completions.create(**CHAT, stream=True))
                runtime.reaper.drain(2)
                status = 0 if len(told.finished) == 1 else 2
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert spans.all() == []
        list(stream)
    assert attributes(spans.one())["gen_ai.usage.output_tokens"] == 20


def test_a_runtime_is_there_while_instrumented(instrument: Callable[..., Runtime]) -> None:
    """And gone afterwards."""
    assert instrument() is LLMObserverInstrumentor.runtime
    LLMObserverInstrumentor().uninstrument()
    assert LLMObserverInstrumentor.runtime is None
