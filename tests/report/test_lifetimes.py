"""When caching a prompt pays and how long to keep it: from what a provider served to the report, its JSON, `summary()`.

The provider is the demo's, which keeps its cache by the vendors' rules; what a lifetime costs is worked out by hand.
"""

import functools
import io
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from recorded import JSON, Recorder, recorder
from report_events import broken, event
from rich.console import Console

from llm_observer.engine import billing_terms
from llm_observer.pricing.prices import Prices
from llm_observer.replay import call_from_record, iter_analyze, replay_engine
from llm_observer.report.families import Family, Report
from llm_observer.report.machine import as_json
from llm_observer.report.records import record_of
from llm_observer.report.render import render
from llm_observer.report.summary import sum_up, summarize
from llm_observer.results import LIFETIMES, GroupSummary
from llm_observer.summary import Tally

RULES = "Stay polite, read the section that applies and promise nothing else. " * 200
MILLION = Decimal(10**6)


@functools.cache
def prices() -> Prices:
    loaded = Prices()
    assert loaded.wait(60)
    return loaded


@pytest.fixture
def calls() -> Iterator[Recorder]:
    with recorder() as made:
        yield made


def claude(n: int, *, ttl: str | None = None, model: str = "claude-sonnet-4-5", marked: bool = True) -> JSON:
    """The `n`th question to one prompt."""
    control: JSON = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    block: JSON = {"type": "text", "text": RULES} | ({"cache_control": control} if marked else {})
    messages = [{"role": "user", "content": f"question {n}"}]
    return {"model": model, "max_tokens": 64, "system": [block], "messages": messages}


def terra(n: int) -> JSON:
    content = [{"type": "input_text", "text": RULES, "prompt_cache_breakpoint": {"mode": "explicit"}}]
    return {
        "model": "gpt-6.1-terra",
        "input": [{"role": "developer", "content": content}, {"role": "user", "content": f"question {n}"}],
        "prompt_cache_options": {"mode": "explicit"},
    }


def talk(calls: Recorder, api: str, body: Callable[[int], JSON], gaps: Sequence[float]) -> None:
    for n, gap in enumerate((0.0, *gaps)):
        calls.call(api, body(n), after_s=gap)


def analyzed(calls: Recorder) -> Report:
    return sum_up(map(record_of, iter_analyze(calls.records)), prices())


def only(report: Report) -> Family:
    (family,) = report.families
    return family


def text(report: Report) -> str:
    out = Console(file=io.StringIO(), width=100, highlight=False, markup=False, emoji=False)
    with out.capture() as captured:
        out.print(render(report, title=""))
    return " ".join(captured.get().split())


def live(calls: Recorder) -> GroupSummary:
    """What `summary()` says of the same calls."""
    tally, engine = Tally(), replay_engine()
    for one in map(call_from_record, calls.records):
        tally.add(engine.explain(one), None, (engine.prices, billing_terms(one)))
    (group,) = tally.summary().by_family.values()
    return group


def test_short_gaps_keep_the_short_life(calls: Recorder) -> None:
    """The break-even is that of the lifetime in use, and no other is advised."""
    talk(calls, "messages", claude, [60] * 4)
    family = only(analyzed(calls))
    assert str(family.pays.break_even) == "pays from the 2nd call within 5 minutes"
    assert family.pays.lifetime is not None
    assert family.pays.lifetime.best == family.pays.lifetime.now == LIFETIMES["5m"]
    assert "keep" not in text(analyzed(calls))


def test_ten_minutes_apart_the_hour_is_advised_with_what_it_saves(calls: Recorder) -> None:
    """Sonnet 4.5: five writes at 3.75, or one at 6 and four reads at 0.30."""
    talk(calls, "messages", claude, [600] * 4)
    report = analyzed(calls)
    prefix = calls.truth[0].served.written
    saves = prefix * (5 * Decimal("3.75") - 6 - 4 * Decimal("0.30")) / MILLION
    advice = only(report).pays.lifetime
    assert advice is not None
    assert (advice.now, advice.best) == (LIFETIMES["5m"], LIFETIMES["1h"])
    assert advice.saves_usd == saves
    said = f"keep for 1 hour instead of 5 minutes: about ${saves:.4f} less over these 5 calls;"
    assert said in text(report)
    assert "pays from the 3rd call within 1 hour" in text(report)
    (family,) = as_json(report)["families"]
    assert family["break_even"] == {
        "calls": 2,
        "lifetime": "5m",
        "words": "pays from the 2nd call within 5 minutes",
    }
    assert (family["lifetime"]["now"], family["lifetime"]["best"], family["lifetime"]["calls"]) == ("5m", "1h", 5)
    assert Decimal(family["lifetime"]["saves_usd"]) == saves
    assert set(family["lifetime"]["costs_usd"]) == {"none", "5m", "1h"}
    assert live(calls).lifetime == advice
    assert str(live(calls).break_even) == "pays from the 2nd call within 5 minutes"


def test_an_hour_without_need_is_told_for_a_healthy_prompt(calls: Recorder) -> None:
    """One write at 6 and four reads, where a write at 3.75 would have done."""
    talk(calls, "messages", functools.partial(claude, ttl="1h"), [60] * 4)
    report = analyzed(calls)
    assert only(report).status == "healthy"
    assert str(only(report).pays.break_even) == "pays from the 3rd call within 1 hour"
    assert "How long to keep a prompt cached" in text(report)
    assert "keep for 5 minutes instead of 1 hour: about $" in text(report)


def test_calls_days_apart_are_better_not_cached(calls: Recorder) -> None:
    talk(calls, "messages", claude, [90_000] * 3)
    assert "keep it out of the cache: about $" in text(analyzed(calls))


def test_openai_has_half_an_hour_and_twelve(calls: Recorder) -> None:
    """Terra, five calls an hour apart: five writes at 1.25, or one at 2.50 and four reads at 0.05."""
    talk(calls, "responses", terra, [3600] * 4)
    family = only(analyzed(calls))
    prefix = calls.truth[0].served.written
    assert str(family.pays.break_even) == "pays from the 2nd call within 30 minutes"
    advice = family.pays.lifetime
    assert advice is not None
    assert (advice.now, advice.best) == (LIFETIMES["30m"], LIFETIMES["12h"])
    assert advice.costs_usd["12h"] == prefix * (Decimal("2.5") + 4 * Decimal("0.05")) / MILLION
    assert str(advice.pays) == "pays from the 3rd call within 12 hours"


def test_a_model_without_a_price_for_the_long_life_has_no_advice(calls: Recorder) -> None:
    """The break-even of the usual one is known all the same."""
    talk(calls, "responses", lambda n: terra(n) | {"model": "gpt-5.6-sol"}, [3600] * 3)
    pays = only(analyzed(calls)).pays
    assert pays.lifetime is None
    assert str(pays.break_even) == "pays from the 2nd call within 30 minutes"


def test_a_prompt_that_is_not_marked_is_told_when_it_would_pay(calls: Recorder) -> None:
    talk(calls, "messages", functools.partial(claude, marked=False), [60] * 4)
    report = analyzed(calls)
    assert "could have given" in text(report)
    assert "pays from the 2nd call within 5 minutes" in text(report)
    assert "keep" not in text(report)
    advice = only(report).pays.lifetime
    assert advice is not None
    assert (advice.now, advice.best) == (None, LIFETIMES["5m"])


def test_where_the_provider_chooses_there_is_a_break_even_alone(calls: Recorder) -> None:
    body = {"model": "gpt-4.1", "messages": [{"role": "system", "content": RULES}]}
    talk(calls, "chat.completions", lambda _: body, [60] * 3)
    pays = only(analyzed(calls)).pays
    assert (str(pays.break_even), pays.lifetime) == ("pays from the 2nd call", None)


def kept(n: int, *, at: int, written: int, chain: str = "1:aa:bb", **more: Any) -> dict[str, Any]:
    """The only call of its process, as the store has it: cold, and with no gap that the process could know."""
    made = event(n, model="claude-sonnet-4-5", outcome="cold", **more)
    made["occurred_at"] = f"2026-11-22T{10 + at // 60:02}:{at % 60:02}:00Z"
    made["usage"]["cache_write_tokens"] = written
    made["prompt"]["chain"] = [chain, f"2:cc:{n:016x}"]
    return made


def test_processes_that_make_one_call_each_are_seen_together() -> None:
    """A job that starts every ten minutes writes the same prefix each time; no process of it can know."""
    advice = only(summarize([kept(n, at=10 * n, written=5000) for n in range(6)], prices())).pays.lifetime
    assert advice is not None
    assert (advice.now, advice.best) == (LIFETIMES["5m"], LIFETIMES["1h"])
    assert advice.costs_usd["1h"] == 5000 * (6 + 5 * Decimal("0.30")) / MILLION


@pytest.mark.parametrize(
    "different",
    [
        [kept(n, at=10 * n, written=5000 + n) for n in range(6)],
        [kept(n, at=10 * n, written=5000, chain=f"1:aa:{n:016x}") for n in range(6)],
    ],
    ids=["another length", "another beginning"],
)
def test_prefixes_that_may_differ_are_not_taken_for_one(different: list[dict[str, Any]]) -> None:
    """Then no call could have read, under any lifetime."""
    advice = only(summarize(different, prices())).pays.lifetime
    assert advice is not None
    assert advice.best is None


def test_failed_calls_and_silent_ones_say_nothing() -> None:
    failed = [kept(n, at=n, written=5000, call={"error_type": "APITimeoutError"}) for n in range(4)]
    assert only(summarize(failed, prices())).pays.lifetime is None
    silent = [event(n, read=None) for n in range(4)]
    assert only(summarize(silent, prices())).pays.lifetime is None


def test_without_a_price_nothing_is_said() -> None:
    pays = only(summarize([broken(n, model="acme-7b") for n in range(4)], prices())).pays
    assert pays == (None, None)


def test_a_tag_on_calls_of_two_models_has_no_one_lifetime(calls: Recorder) -> None:
    """Each model has a cache and prices of its own; `summary()` groups by prompt alone."""
    for n, model in enumerate(("claude-sonnet-4-5", "claude-opus-4-5") * 2):
        record = calls.call("messages", claude(n, model=model))
        record["tag"] = "triage"
    group = live(calls)
    assert (group.calls, group.break_even, group.lifetime) == (4, None, None)
