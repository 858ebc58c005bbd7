"""The opt-in, end to end: real calls, real requests to an endpoint, and nothing without the user's word."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from endpoint import Endpoint
from loopback import loopback_provider
from programs import run_instrumented

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


APP = """
import anthropic, openai
with openai.OpenAI(max_retries=0) as client:
    client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Where is my spade?"}])
with anthropic.Anthropic(max_retries=0) as client:
    client.messages.create(
        model="claude-sonnet-4-6", max_tokens=9, messages=[{"role": "user", "content": "Where is my spade?"}]
    )
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """What a program under `opentelemetry-instrument` finds in its environment, but who exports."""
    with Endpoint() as endpoint:
        monkeypatch.setenv("LLM_OBSERVER_API_KEY", KEY)
        monkeypatch.setenv("LLM_OBSERVER_ENDPOINT", endpoint.url)
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
        yield endpoint


def sent_once(endpoint: Endpoint) -> None:
    sent = events_of(endpoint)
    assert sorted(event["call"]["provider"] for event in sent) == ["anthropic", "openai"]
    assert {request.headers["authorization"] for request in endpoint.requests} == {f"Bearer {KEY}"}


@pytest.mark.usefixtures("provider")
def test_the_exporter_named_to_opentelemetry_sends_each_call_once(
    environment: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though `LLM_OBSERVER_ENABLED=true` makes an exporter of its own."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "llm_observer")
    monkeypatch.setenv("LLM_OBSERVER_ENABLED", "true")
    assert run_instrumented("-c", APP).stderr == ""
    sent_once(environment)


@pytest.mark.usefixtures("provider")
def test_a_configuration_file_of_opentelemetry_makes_the_exporter(
    environment: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it does not give comes from the environment."""
    options = "{api_key: '${LLM_OBSERVER_API_KEY}', timeout: 5}"
    file = tmp_path / "otel.yaml"
    processor = f"{{batch: {{exporter: {{llm_observer: {options}}}}}}}"
    file.write_text(f"file_format: '1.0'\ntracer_provider: {{processors: [{processor}]}}\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(file))
    # OpenTelemetry says that the file takes the place of the environment.
    assert "llm_observer" not in run_instrumented("-c", APP).stderr
    sent_once(environment)
