"""The engine: a whole report of a call, and of what is left of one when a stage fails."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from llm_observer.analysis.analyzer import Analyzer
from llm_observer.call import Call
from llm_observer.config import Settings
from llm_observer.counters import counters
from llm_observer.engine import Engine, billing_terms
from llm_observer.ledger import Ledger
from llm_observer.pricing.prices import Prices
from llm_observer.privacy import Hasher
from llm_observer.results import CallReport, CallSite, CostEstimate, Verdict
from llm_observer.usage import Usage

PRICES = Prices()
GUIDE = "Answer in one sentence, and politely. " * 600


def engine(**more: Any) -> Engine:
    options: dict[str, Any] = {"wait_s": 30.0} | more
    return Engine(Hasher(b"k" * 32), PRICES, **options)


def call(n: int = 0, *, head: str = "", usage: Mapping[str, int] | None = None, **more: Any) -> Call:
    system = [{"type": "text", "text": head + GUIDE, "cache_control": {"type": "ephemeral"}}]
    body = {"model": "claude-sonnet-4-5", "system": system, "messages": [{"role": "user", "content": f"question {n}"}]}
    one = Call(
        provider="anthropic",
        api="messages",
        model="claude-sonnet-4-5",
        at=1_790_000_000.0 + 10 * n,
        body=json.dumps(body).encode(),
        **more,
    )
    one.raw_usage = (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": 6000,
        }
        if usage is None
        else usage
    )
    one.duration_s = 1.0
    return one


def broken(*_: object, **__: object) -> None:
    raise RuntimeError


def test_a_report_says_all_that_is_known_of_a_call() -> None:
    site = CallSite(file="app.py", function="answer", line=7)
    one = call(site=site, response_model="claude-sonnet-4-5-20250929", error_type="overloaded_error")
    report = engine().explain(one)
    assert (report.provider, report.api, report.model) == ("anthropic", "messages", "claude-sonnet-4-5")
    assert (report.response_model, report.error_type, report.site) == (
        "claude-sonnet-4-5-20250929",
        "overloaded_error",
        site,
    )
    assert (report.at, report.duration_s) == (1_790_000_000.0, 1.0)
    assert report.usage == Usage(input_tokens=6010, output_tokens=5, cache_read_tokens=0, cache_write_tokens=6000)
    # 10 * $3 + 6000 * $3.75 + 5 * $15, per million.
    assert report.cost.usd == Decimal("0.022605")
    assert report.prompt is not None
    assert report.prompt.segments == 2
    assert report.cache.outcome == "cold"
    assert counters.of("errors") == {}


def test_a_call_is_explained_once() -> None:
    one, made = call(), engine()
    report = made.explain(one)
    one.release()
    assert made.explain(one) is report is one.report


def test_calls_are_compared_with_those_before_them_and_losses_are_claimed_from_the_third_on() -> None:
    made = engine()
    reports = [made.explain(call(n, head=f"It is 2026-09-2{n}T10:00:00Z. ")) for n in range(3)]
    assert [report.cache.cause for report in reports] == ["none", "timestamp", "timestamp"]
    assert [report.cache.lost_usd is not None for report in reports] == [False, False, True]
    assert [breaker.category for breaker in reports[0].breakers] == ["timestamp"]


def test_two_engines_know_nothing_of_each_other() -> None:
    assert engine().explain(call(0)).prompt == engine().explain(call(0)).prompt


@pytest.mark.usefixtures("fail_open")
def test_when_pricing_fails_the_verdict_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    made = engine()
    made.explain(call(0))
    monkeypatch.setattr(Prices, "estimate", broken)
    report = made.explain(call(1, head="2026-09-21T10:00:00Z "))
    assert report.cost == CostEstimate(reason="internal_error")
    assert report.cache.outcome == "cold" or report.cache.broke
    assert report.prompt is not None
    assert report.usage is not None
    assert counters.of("errors") == {"engine.cost": 1}


@pytest.mark.usefixtures("fail_open")
def test_when_the_analysis_fails_the_cost_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Analyzer, "explain", broken)
    report = engine().explain(call())
    assert report.cost.usd is not None
    assert report.prompt is None
    assert replace(report.cache, skipped=()) == Verdict(outcome="not_reported")
    assert report.breakers == ()
    assert counters.of("errors") == {"engine.analysis": 1}


@pytest.mark.usefixtures("fail_open")
def test_when_reading_the_prompt_fails_the_cost_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_observer.engine.read_prompt", broken)
    report = engine().explain(call())
    assert report.cost.usd is not None
    assert replace(report.cache, skipped=()) == Verdict(outcome="not_reported")
    assert counters.of("errors") == {"engine.analysis": 1}


@pytest.mark.usefixtures("fail_open")
def test_when_the_ledger_fails_the_verdict_stands_without_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "claim", broken)
    made = engine()
    reports = [made.explain(call(n, head=f"It is 2026-09-2{n}T10:00:00Z. ")) for n in range(3)]
    assert reports[2].cache.cause == "timestamp"
    assert reports[2].cache.lost_usd is None
    assert reports[2].cost.usd is not None
    assert counters.of("errors") == {"engine.ledger": 3}


@pytest.mark.usefixtures("fail_open")
def test_when_every_stage_fails_there_is_still_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Prices, "estimate", broken)
    monkeypatch.setattr(Analyzer, "explain", broken)
    monkeypatch.setattr(Usage, "from_provider", broken)
    report = engine().explain(call())
    assert replace(report.cache, skipped=()) == Verdict(outcome="not_reported")
    assert report == CallReport(
        provider="anthropic",
        api="messages",
        model="claude-sonnet-4-5",
        at=1_790_000_000.0,
        cost=CostEstimate(reason="no_usage"),
        cache=report.cache,
        duration_s=1.0,
    )


def test_a_stage_that_fails_fails_our_own_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Prices, "estimate", broken)
    with pytest.raises(RuntimeError):
        engine().explain(call())


def test_without_a_usage_the_cost_and_the_verdict_are_unknown_and_the_prompt_is_not() -> None:
    report = engine().explain(call(usage={}))
    assert report.cost.reason == "no_usage"
    assert report.cache.outcome == "not_reported"
    assert report.prompt is not None


@pytest.mark.usefixtures("loading")
def test_prices_that_are_still_loading_are_not_waited_for_long() -> None:
    report = Engine(Hasher(b"k" * 32), Prices(), wait_s=0.0).explain(call())
    assert report.cost == CostEstimate(reason="prices_loading")
    assert report.cache.outcome == "cold"


@pytest.mark.parametrize(
    ("api", "body"),
    [("images", b'{"prompt": "a cat"}'), ("messages", b"{}"), ("messages", None), ("messages", b"\xff"), ("", b"[]")],
)
def test_what_is_no_prompt_has_no_hashes(api: str, body: bytes | None) -> None:
    one = call()
    one.api, one.body = api, body
    report = engine().explain(one)
    assert report.prompt is None
    assert report.cache.outcome == "not_reported"


def test_a_call_is_priced_as_it_was_served() -> None:
    one = call(response_model="served", service_tier="priority")
    one.raw_usage = {"speed": "fast", "inference_geo": "us", "service_tier": "batch"}
    terms = {"provider": "anthropic", "model": "served", "service_tier": "priority"}
    assert billing_terms(one) == {**terms, "speed": "fast", "inference_geo": "us", "at": one.at}
    other = call()
    other.raw_usage = {"speed": 1, "inference_geo": ["us"], "service_tier": {}}
    nothing = dict.fromkeys(("service_tier", "speed", "inference_geo"))
    assert billing_terms(other) == {"provider": "anthropic", "model": "claude-sonnet-4-5", **nothing, "at": other.at}


def test_the_engine_of_settings_has_their_key_and_loads_prices_when_they_are_wanted() -> None:
    made = Engine.create(Settings(hash_key="0" * 64))
    assert made.hasher.key_id == Hasher(bytes(32)).key_id
    assert not made.prices.loaded
    made.warm_up()
    assert made.prices.wait(30)


def test_its_repr_holds_nothing() -> None:
    made = engine()
    made.explain(call())
    assert "Answer" not in repr(made)
    assert repr(made).startswith("<llm_observer.engine.Engine object at ")
