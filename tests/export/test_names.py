"""What leaves the machine: nothing that the contract does not name, and no given names unless the user lets them."""

import copy
from typing import Any

import pytest
from export_helpers import FULL, make_event, validate_event

from llm_observer.export.names import redact


def sent(event: dict[str, Any], *, send_names: bool = False) -> dict[str, Any]:
    redacted = redact(event, send_names=send_names)
    assert redacted is not None
    validate_event(redacted)
    return redacted


def test_without_names_the_call_site_stays_at_home() -> None:
    event = make_event(FULL)
    expected = copy.deepcopy(event)
    del expected["call"]["site"]
    assert sent(event) == expected


def test_with_names_everything_of_the_contract_is_sent() -> None:
    event = make_event(FULL)
    assert sent(event, send_names=True) == event


def test_the_event_that_was_given_is_left_as_it_was() -> None:
    event = make_event(FULL)
    before = copy.deepcopy(event)
    sent(event)["call"]["finish_reasons"].append("x")
    sent(event, send_names=True)["usage"]["input_tokens"] = 0
    assert event == before


@pytest.mark.parametrize("send_names", [True, False])
def test_what_the_contract_does_not_name_cannot_leave(*, send_names: bool) -> None:
    event = make_event(FULL)
    event["prompt_text"] = event["call"]["messages"] = event["prompt"]["text"] = "MARKER"
    event["breakers"][0]["value"] = "MARKER"
    event["call"]["request_model"] = {"name": "MARKER"}
    event["call"]["error_type"] = "MARKER with words of a message"
    event["cache"]["location"] = "system[0]: MARKER"
    event["cache"]["causes"] = "MARKER"
    event["usage"] = {"MARKER": 1, "input_tokens": "MARKER"}
    assert "MARKER" not in str(sent(event, send_names=send_names))


@pytest.mark.parametrize(
    "model",
    [
        "ft:gpt-5-mini:acme-corp:tickets:9xYz",
        "FT:gpt-5-mini:acme",
        "davinci:ft-acme-corp-2023-01-01",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/acme",
        "projects/acme/locations/us/endpoints/123",
        "publishers/x/projects/acme",
        "accounts/acme/models/tickets",
        "accounts/acme/deployments/tickets",
    ],
)
def test_names_of_fine_tunes_and_resources_stay_at_home(model: str) -> None:
    event = make_event({**FULL, "gen_ai.request.model": model, "gen_ai.response.model": model})
    assert not sent(event)["call"].keys() & {"request_model", "response_model"}
    assert sent(event, send_names=True)["call"]["request_model"] == model


def test_the_model_asked_of_azure_is_a_deployment_and_stays_at_home() -> None:
    event = make_event({**FULL, "gen_ai.provider.name": "azure.ai.openai", "gen_ai.request.model": "acme-prod"})
    call = sent(event)["call"]
    assert "request_model" not in call
    assert call["response_model"] == "gpt-5.6-2026-08-01"


@pytest.mark.parametrize("model", ["gpt-5.6", "claude-sonnet-4-5", "meta-llama/Llama-4", "anthropic/claude-opus-4.1"])
def test_public_names_of_models_are_sent(model: str) -> None:
    assert sent(make_event({**FULL, "gen_ai.request.model": model}))["call"]["request_model"] == model


@pytest.mark.parametrize(
    "host", ["acme.openai.azure.com", "llm.corp.internal", "10.0.0.7", "api.openai.com.evil.example"]
)
def test_hosts_of_the_users_own_stay_at_home(host: str) -> None:
    event = make_event({**FULL, "server.address": host})
    assert "server_address" not in sent(event)["call"]
    assert sent(event, send_names=True)["call"]["server_address"] == host


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com",
        "eu.api.openai.com",
        "api.anthropic.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "us-central1-aiplatform.googleapis.com",
        "openrouter.ai",
        "127.0.0.1",
    ],
)
def test_public_hosts_are_sent(host: str) -> None:
    assert sent(make_event({**FULL, "server.address": host}))["call"]["server_address"] == host


def test_what_is_no_event_is_not_sent() -> None:
    event = make_event(FULL)
    del event["trace"]
    assert redact(event, send_names=True) is None
    assert redact({}, send_names=False) is None
