"""Attributes from calls and reports: absent stays absent, types hold, nothing of the content."""
# ruff: noqa: E501  a row of a table stands on one line

from decimal import Decimal
from typing import Any

import pytest

from llm_observer.call import Call
from llm_observer.results import Breaker, CallReport, CallSite, CostEstimate, PromptReport, Verdict
from llm_observer.telemetry.describe_call import call_attributes, span_name, start_attributes
from llm_observer.telemetry.describe_report import report_attributes
from llm_observer.usage import Usage


def made(api: str, request: dict[str, Any], provider: str = "openai", **details: Any) -> dict[str, Any]:
    """The attributes of a call with that request, without the two that every call has."""
    call = Call(provider=provider, api=api, **details)
    call.request = request
    found = dict(call_attributes(call))
    assert found.pop("llm_observer.call.api") == api
    found.pop("openai.api.type", None)
    return found


@pytest.mark.parametrize(
    ("api", "request_body", "expected"),
    [
        ("responses", {"max_output_tokens": 9, "reasoning": {"effort": "high"}}, {"gen_ai.request.max_tokens": 9, "gen_ai.request.reasoning.level": "high"}),
        ("responses", {"conversation": "conv_1"}, {"gen_ai.conversation.id": "conv_1"}),
        ("responses", {"conversation": {"id": "conv_2"}, "previous_response_id": "resp_0"}, {"gen_ai.conversation.id": "conv_2", "gen_ai.request.previous_response.id": "resp_0"}),
        ("responses", {"text": {"format": {"type": "json_schema", "name": "secret"}}}, {"gen_ai.output.type": "json"}),
        ("responses", {"input": "secret", "instructions": "secret", "metadata": {"a": "secret"}}, {}),
        ("messages", {"max_tokens": 5, "top_k": 3, "stop_sequences": ["a", "b"]}, {"gen_ai.request.max_tokens": 5, "gen_ai.request.top_k": 3, "gen_ai.request.stop_sequences": ("a", "b")}),
        ("messages", {"output_config": {"effort": "low", "format": {"type": "json_schema"}}}, {"gen_ai.request.reasoning.level": "low", "gen_ai.output.type": "json"}),
        ("embeddings", {"dimensions": 256, "encoding_format": "float", "input": "secret"}, {"gen_ai.embeddings.dimension.count": 256, "gen_ai.request.encoding_formats": ("float",)}),
        ("completions", {"prompt": "secret", "suffix": "secret", "n": 1, "stop": "x"}, {"gen_ai.request.stop_sequences": ("x",)}),
        ("chat.completions", {"service_tier": "auto", "n": True, "temperature": "hot", "seed": 1.5}, {}),
        ("chat.completions", {"stop": ["ok", 3], "max_tokens": None, "response_format": "json"}, {}),
        ("chat.completions", {"stop": "x" * 1000, "reasoning_effort": "y" * 1000}, {}),
        ("chat.completions", {"response_format": {"type": "grammar"}, "temperature": True}, {}),
        ("chat.completions", {"max_tokens": 1, "max_completion_tokens": 2}, {"gen_ai.request.max_tokens": 2}),
        ("chat.completions", {"modalities": ["text", "audio"]}, {"gen_ai.output.type": "speech"}),
        ("chat.completions", {"modalities": ["text", 1]}, {}),
        ("chat.completions", {"modalities": ["text", "image"], "response_format": {"type": "text"}}, {"gen_ai.output.type": "text"}),
        ("chat.completions", {"reasoning": {"effort": "high"}}, {"gen_ai.request.reasoning.level": "high"}),
        ("responses", {"prompt": {"id": "pmpt_1", "version": "2", "variables": {"a": "secret"}}}, {"gen_ai.prompt.name": "pmpt_1", "gen_ai.prompt.version": "2"}),
    ],
)  # fmt: skip
def test_request_parameters_by_api(api: str, request_body: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each API's own spelling of a parameter; a value of another type or length sets nothing."""
    assert made(api, request_body) == expected


def test_a_call_of_which_nothing_is_known() -> None:
    """Only what is certain is there."""
    assert made("messages", {}, provider="anthropic") == {}
    assert start_attributes(Call(provider="anthropic", api="messages"), None, None) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
    }
    assert span_name("chat", None) == "chat"


def test_openai_attributes_are_for_openai() -> None:
    """Another provider behind the same protocol does not get `openai.*`."""
    found = made("chat.completions", {"service_tier": "flex"}, provider="groq", service_tier="on_demand")
    assert found == {"llm_observer.call.service_tier": "on_demand"}


def test_usage_has_both_spellings_of_cache_writes() -> None:
    """Backends read either name."""
    usage = Usage(
        input_tokens=10, output_tokens=0, cache_write_tokens=4, cache_write_1h_tokens=4, cache_read_tokens=0,
        input_audio_tokens=1, cache_read_audio_tokens=0, input_image_tokens=2, output_audio_tokens=3,
        output_image_tokens=5, reasoning_tokens=0, cache_write_12h_tokens=0,
    )  # fmt: skip
    call = Call(provider="anthropic", api="messages")
    call.usage = usage
    found = {
        name.removeprefix("gen_ai.usage."): value for name, value in call_attributes(call).items() if "usage" in name
    }
    assert found == {
        "input_tokens": 10,
        "output_tokens": 0,
        "cache_read.input_tokens": 0,
        "cache_write.input_tokens": 4,
        "cache_creation.input_tokens": 4,
        "llm_observer.usage.cache_write_1h_tokens": 4,
        "llm_observer.usage.cache_write_12h_tokens": 0,
        "reasoning.output_tokens": 0,
        "audio.input_tokens": 1,
        "audio.cache_read.input_tokens": 0,
        "audio.output_tokens": 3,
        "image.input_tokens": 2,
        "image.output_tokens": 5,
    }


def test_usage_by_modality_is_what_the_provider_reports() -> None:
    """A figure that is no count of tokens is not reported."""
    call = Call(provider="openai", api="responses")
    call.raw_usage = {
        "input_tokens": 10,
        "input_tokens_details": {"text_tokens": 0, "cached_tokens_details": {"text_tokens": "4", "image_tokens": True}},
        "output_tokens_details": {"text_tokens": -1},
    }
    found = {name for name in call_attributes(call) if "usage" in name}
    assert found == {"gen_ai.usage.input_tokens", "gen_ai.usage.text.input_tokens"}


def test_error_resends_and_site() -> None:
    """What went wrong, how often it was sent again, and where from."""
    found = made(
        "messages", {}, "anthropic", error_type="429", attempts=3, site=CallSite(file="/a.py", function="f", line=7)
    )
    assert found == {
        "error.type": "429",
        "http.request.resend_count": 2,
        "code.file.path": "/a.py",
        "code.function.name": "f",
        "code.line.number": 7,
    }


@pytest.mark.parametrize(
    ("diagnostics", "reason", "missed"),
    [
        ({"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 40}}, "tools_changed", 40),
        ({"type": "cache_miss", "reason": "input_changed", "cache_missed_tokens": 7}, "input_changed", 7),
        ({"type": "cache_hit"}, "cache_hit", None),
        ({"cache_miss_reason": {"type": "unavailable"}}, "unavailable", None),
        ({"cache_miss_reason": {"type": "since the tool `secret` changed"}}, None, None),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_the_providers_own_word_on_its_cache(
    diagnostics: dict[str, Any] | None, reason: str | None, missed: int | None
) -> None:
    """Either provider's diagnostics, as a code and a count; a sentence is left out."""
    found = made("messages", {}, "anthropic", diagnostics=diagnostics)
    expected = {"llm_observer.cache.provider_reason": reason, "llm_observer.cache.provider_missed_tokens": missed}
    assert found == {name: value for name, value in expected.items() if value is not None}


def test_a_report_of_which_nothing_is_known() -> None:
    """The verdict says that it does not know; there is no cost, no prompt, no figure."""
    assert report_attributes(CallReport(provider="openai", api="responses", model=None, at=0.0)) == {
        "llm_observer.cache.outcome": "not_reported",
        "llm_observer.cache.broke": False,
        "llm_observer.cache.cause": "none",
        "llm_observer.cache.confidence": 0.0,
    }


def test_a_full_report() -> None:
    """Every attribute of the contract, money as floats."""
    report = CallReport(
        provider="openai",
        api="responses",
        model="m",
        at=0.0,
        cost=CostEstimate(usd=Decimal("0.25"), saved_usd=Decimal("-0.5"), source="genai-prices 1"),
        prompt=PromptReport(
            hash="h", canonical_hash="c", family="f", segments=3, key_id="k", similarity=0.5, chain=("a", "b")
        ),
        cache=Verdict(
            outcome="partial",
            broke=True,
            avoidable=True,
            cause="timestamp",
            causes=("timestamp", "tool_order"),
            location="system[0]",
            offset=0,
            expected_tokens=5,
            missed_tokens=0,
            gap_s=1.5,
            tokens_method="anchored",
            tokens_error=0.0,
            lost_usd=Decimal(0),
            confidence=0.75,
            confirmed_by=("usage",),
            hint="Move it.",
        ),
        breakers=(Breaker(category="date", start=0, end=1, confidence=0.5, hint=""),),
    )
    found = {name.removeprefix("llm_observer."): value for name, value in report_attributes(report).items()}
    assert found == {
        "prompt.hash": "h",
        "prompt.canonical_hash": "c",
        "prompt.family": "f",
        "prompt.segments": 3,
        "prompt.key_id": "k",
        "prompt.similarity": 0.5,
        "prompt.chain": ("a", "b"),
        "cost.usd": 0.25,
        "cost.saved_usd": -0.5,
        "cost.source": "genai-prices 1",
        "cache.outcome": "partial",
        "cache.broke": True,
        "cache.avoidable": True,
        "cache.cause": "timestamp",
        "cache.causes": ("timestamp", "tool_order"),
        "cache.location": "system[0]",
        "cache.offset": 0,
        "cache.expected_tokens": 5,
        "cache.missed_tokens": 0,
        "cache.gap": 1.5,
        "cache.tokens_method": "anchored",
        "cache.tokens_error": 0.0,
        "cache.lost_usd": 0.0,
        "cache.confidence": 0.75,
        "cache.confirmed_by": ("usage",),
        "cache.hint": "Move it.",
        "breaker.categories": ("date",),
        "breaker.confidences": (0.5,),
    }
