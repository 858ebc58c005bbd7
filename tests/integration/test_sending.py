"""The opt-in, end to end: real calls, real requests to an endpoint, and nothing without the user's word."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from endpoint import Endpoint
from loopback import loopback_provider

import llm_observer
from llm_observer.demo.provider import Provider
from llm_observer.instrumentor import LLMObserverInstrumentor

KEY = "token-for-the-endpoint"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with loopback_provider(monkeypatch) as running:
        yield running
    if LLMObserverInstrumentor().is_instrumented_by_opentelemetry:
        llm_observer.unpatch()


def call_both() -> None:
    with openai.OpenAI() as gpt, anthropic.Anthropic() as claude:
        gpt.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Where is my parcel?"}])
        claude.messages.create(
            model="claude-sonnet-4-6", max_tokens=16, messages=[{"role": "user", "content": "Where is my parcel?"}]
        )


def events_of(endpoint: Endpoint) -> list[Any]:
    return [event for request in endpoint.requests for event in request.batch["events"]]


@pytest.mark.usefixtures("provider")
def test_enabled_with_key_and_endpoint_sends_one_event_per_call(tmp_path: Path) -> None:
    with Endpoint() as endpoint:
        llm_observer.patch(enabled=True, api_key=KEY, endpoint=endpoint.url, store=str(tmp_path / "calls.db"))
        call_both()
        assert llm_observer.flush()
        sent = events_of(endpoint)
        assert [event["call"]["provider"] for event in sent] == ["openai", "anthropic"]
        assert {request.headers["authorization"] for request in endpoint.requests} == {f"Bearer {KEY}"}
        assert not any("site" in event["call"] for event in sent)
        assert llm_observer.stats().sent == 2
        assert llm_observer.stats().stored == 2


@pytest.mark.usefixtures("provider")
def test_after_unpatch_nothing_more_is_sent_and_patching_again_sends_once(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"enabled": True, "api_key": KEY, "store": str(tmp_path / "calls.db")}
    with Endpoint() as endpoint:
        llm_observer.patch(endpoint=endpoint.url, **settings)
        call_both()
        llm_observer.unpatch()
        assert len(events_of(endpoint)) == 2
        call_both()
        llm_observer.patch(endpoint=endpoint.url, **settings)
        call_both()
        llm_observer.flush()
        assert len(events_of(endpoint)) == 4


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("setting", [{}, {"enabled": True}, {"enabled": True, "api_key": KEY}, {"api_key": KEY}])
def test_without_the_whole_opt_in_nothing_is_sent(setting: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with Endpoint() as endpoint:
        if "api_key" not in setting or "enabled" not in setting:
            monkeypatch.setenv("LLM_OBSERVER_ENDPOINT", endpoint.url)
        llm_observer.patch(store="off", **setting)
        call_both()
        llm_observer.flush()
        assert endpoint.requests == []


@pytest.mark.usefixtures("provider")
def test_a_false_in_the_environment_wins_over_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_OBSERVER_ENABLED", "false")
    with Endpoint() as endpoint:
        llm_observer.patch(enabled=True, api_key=KEY, endpoint=endpoint.url, store="off")
        call_both()
        llm_observer.flush()
        assert endpoint.requests == []
