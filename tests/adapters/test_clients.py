"""Hooks of the HTTP client, subclasses, and processes that fork."""

import os
from collections.abc import Callable
from typing import Any

import openai
import pytest
from scripted import ScriptedServer
from sdk_styles import CHAT, modern
from spans import Listening, Spans, attributes

from llm_observer.instrumentor import LLMObserverInstrumentor, Runtime


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
