"""Recorded calls: what a record must be, and that it is explained as a live call is."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import recorder

import llm_observer
from llm_observer import RecordError, analyze, iter_analyze
from llm_observer.pricing.prices import Prices
from llm_observer.results import CallReport

RECORD: Mapping[str, Any] = {
    "at": 1_790_000_000.0,
    "provider": "openai",
    "api": "chat.completions",
    "request": {"model": "gpt-5.6", "messages": [{"role": "user", "content": "Where is my parcel?"}]},
    "response": {
        "model": "gpt-5.6-sol",
        "service_tier": "default",
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 0}},
    },
    "first_byte_s": 0.5,
    "duration_s": 2,
    "scope": "project",
}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in RECORD.items() if name not in names}


def test_a_record_is_explained() -> None:
    (report,) = analyze([RECORD])
    assert (report.provider, report.api, report.model) == ("openai", "chat.completions", "gpt-5.6")
    assert report.response_model == "gpt-5.6-sol"
    assert (report.at, report.duration_s) == (1_790_000_000.0, 2.0)
    assert report.usage is not None
    assert report.usage.input_tokens == 100
    assert report.cost.usd is not None
    assert report.prompt is not None
    assert report.cache.outcome in {"cold", "uncacheable"}
    assert report.site is None


def test_the_usage_may_stand_alone() -> None:
    usage = RECORD["response"]["usage"]
    (report,) = analyze([without("response") | {"usage": usage}])
    assert report.usage is not None
    assert report.usage.output_tokens == 20
    assert report.response_model is None
    assert report.cost.usd is not None, "the model asked for has a price too"


def test_what_is_not_recorded_is_absent() -> None:
    (report,) = analyze([without("response", "duration_s", "first_byte_s", "scope")])
    assert report.usage is None
    assert report.cost.reason == "no_usage"
    assert report.cache.outcome == "not_reported"
    assert report.duration_s is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at": None}, '"at" is missing: give Unix seconds at the start of the request'),
        ({"at": "2026-01-01"}, '"at" is not a number of seconds'),
        ({"at": True}, '"at" is not a number of seconds'),
        ({"at": math.nan}, '"at" is not a number of seconds'),
        ({"at": 10**400}, '"at" is not a number of seconds'),
        ({"duration_s": math.inf}, '"duration_s" is not a number of seconds'),
        ({"duration_s": "2"}, '"duration_s" is not a number of seconds'),
        ({"first_byte_s": []}, '"first_byte_s" is not a number of seconds'),
        ({"provider": None}, '"provider" is missing: give a string such as "openai" or "anthropic"'),
        ({"provider": 1}, '"provider" is not a text: give a string such as "openai" or "anthropic"'),
        ({"api": ""}, '"api" is not a text: give "chat.completions", "responses", "messages" or "converse"'),
        ({"api": None}, '"api" is missing: give "chat.completions", "responses", "messages" or "converse"'),
        (
            {"api": "chat"},
            '"api" is not one that is known: give "chat.completions", "responses", "messages" or "converse"',
        ),
        ({"at": 1_790_000_000_000}, '"at" is not in Unix seconds: divide milliseconds by 1000'),
        ({"at": -1}, '"at" is not in Unix seconds: divide milliseconds by 1000'),
        ({"tag": 7}, '"tag" is not a text: give the prompt a name, or leave it out'),
        ({"scope": {}}, '"scope" is not a text: give the name of the workspace or project, or leave it out'),
        ({"request": None}, '"request" is missing: give the body as sent, as a JSON object'),
        ({"request": "{}"}, '"request" is missing: give the body as sent, as a JSON object'),
        ({"request": {}}, '"request" is missing: give the body as sent, as a JSON object'),
    ],
)
def test_a_record_that_is_none_is_refused_by_the_name_of_the_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError) as caught:
        analyze([{**RECORD, **change}])
    assert str(caught.value) == message


@pytest.mark.parametrize("record", [None, 1, "text", [RECORD]])
def test_what_is_no_object_is_refused(record: Any) -> None:
    with pytest.raises(RecordError, match="a record is a JSON object"):
        analyze([record])


def test_an_error_quotes_no_content() -> None:
    with pytest.raises(RecordError) as caught:
        analyze([without("api") | {"at": "secret", "api": ["secret"]}])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "api"),
    [
        ("chat_completions", "chat.completions"),
        ("/v1/chat/completions", "chat.completions"),
        ("/v1/responses", "responses"),
        ("Messages", "messages"),
    ],
)
def test_an_api_may_be_named_by_its_path_or_as_opentelemetry_does(written: str, api: str) -> None:
    (report,) = analyze([{**RECORD, "api": written, "provider": "OpenAI"}])
    assert (report.api, report.provider) == (api, "openai")


def test_a_tag_names_the_prompt() -> None:
    (report,) = analyze([{**RECORD, "tag": "triage"}])
    assert report.prompt is not None
    assert report.prompt.family == "triage"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "overloaded_error", "message": "secret"}, "overloaded_error"),
        ({"code": "rate_limit_exceeded", "type": "requests"}, "rate_limit_exceeded"),
        ({"message": "secret"}, "_OTHER"),
        ({"code": "a secret sentence"}, "_OTHER"),
        (None, None),
    ],
)
def test_a_response_that_is_an_error_is_a_failed_call(error: Any, kind: str | None) -> None:
    (report,) = analyze([without("response") | {"response": {"type": "error", "error": error}}])
    assert report.error_type == kind


def test_prices_are_there_for_the_first_record_and_are_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    wait = Prices.wait

    def waited(self: Prices, timeout_s: float) -> bool:
        waits.append(timeout_s)
        return wait(self, timeout_s)

    monkeypatch.setattr(Prices, "wait", waited)
    assert all(report.cost.usd is not None for report in analyze([RECORD] * 3))
    assert waits[0] > 1
    assert max(waits[1:]) == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(derandomize=True, database=None)
@given(change=st.dictionaries(st.sampled_from(sorted(RECORD)), json_values, max_size=4))
def test_any_record_is_explained_or_refused(change: dict[str, Any]) -> None:
    try:
        (report,) = analyze([{**RECORD, **change}])
    except RecordError:
        return
    assert isinstance(report, CallReport)


def test_reading_is_lazy_and_goes_on_for_ever() -> None:
    taken: list[int] = []

    def records() -> Iterator[Mapping[str, Any]]:
        for n in itertools.count():
            taken.append(n)
            yield {**RECORD, "at": RECORD["at"] + n}

    reports = iter_analyze(records())
    assert taken == []
    assert len(list(itertools.islice(reports, 3))) == 3
    assert taken == [0, 1, 2]


def test_an_error_comes_when_its_record_does_and_what_was_before_it_is_explained() -> None:
    reports = iter_analyze([RECORD, without("at")])
    assert next(reports).provider == "openai"
    with pytest.raises(RecordError, match='"at"'):
        next(reports)


def test_analyze_is_the_list_of_iter_analyze(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the same from a file of JSON lines. The hashes are those of the key that is set."""
    monkeypatch.setenv("LLM_OBSERVER_HASH_KEY", "0" * 64)
    system = [{"type": "text", "text": "Answer briefly. " * 1000, "cache_control": {"type": "ephemeral"}}]
    with recorder() as record:
        for n in range(4):
            head = {"type": "text", "text": f"It is 2026-09-2{n}T10:00:00Z."}
            messages = [{"role": "user", "content": f"question {n}"}]
            record.call(
                "messages",
                {"model": "claude-sonnet-4-5", "max_tokens": 9, "system": [head, *system], "messages": messages},
            )
    reports = analyze(record.records)
    assert list(iter_analyze(record.records)) == reports
    assert analyze(json.loads(json.dumps(record.records))) == reports
    assert [report.cache.cause for report in reports[1:]] == ["timestamp"] * 3


def test_hashes_without_a_key_set_are_of_no_use_elsewhere() -> None:
    """Each analysis has a key of its own; all but the hashes is equal."""
    (one,), (other,) = analyze([RECORD]), analyze([RECORD])
    assert one.prompt is not None
    assert other.prompt is not None
    assert one.prompt.hash != other.prompt.hash
    assert replace(one, prompt=None) == replace(other, prompt=None)


def test_nothing_is_written_and_nothing_is_counted_as_a_call(tmp_path: Any) -> None:
    analyze([RECORD])
    assert list(tmp_path.iterdir()) == []
    assert llm_observer.stats().calls == 0
