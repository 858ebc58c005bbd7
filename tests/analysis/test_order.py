"""Calls that overlap, finish in another order than they started, or have the same time."""

import json
import random
from typing import Any

import pytest

from llm_observer.call import Call
from llm_observer.config import Settings
from llm_observer.engine import Engine
from llm_observer.pricing.estimate import default_prices
from llm_observer.privacy import Hasher
from llm_observer.replay import analyze, call_from_record
from llm_observer.results import CallReport
from llm_observer.telemetry.callspan import CallSpan
from llm_observer.telemetry.runtime import Runtime

JSON = dict[str, Any]

RULES = " ".join(f"Rule {i}: be polite, and read section {chr(65 + i % 26)} of the handbook first." for i in range(300))
SIZE = 6000


def call(at: float, question: str, *, system: str = RULES, read: int = 0, **more: Any) -> JSON:
    """A call with a marked head of `SIZE` tokens, of which `read` were read, and a short question."""
    block = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
    request = {"model": "claude-sonnet-4-5", "system": [block], "messages": [{"role": "user", "content": question}]}
    usage = {
        "input_tokens": 12,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": SIZE - read,
        "output_tokens": 9,
    }
    return {"at": at, "provider": "anthropic", "api": "messages", "request": request, "usage": usage, **more}


def causes(reports: list[CallReport]) -> list[str]:
    return [report.cache.cause for report in reports]


def test_calls_of_the_same_moment_were_sent_before_any_response_began() -> None:
    records = [call(1000.0, f"Question {i}?") for i in range(4)]
    assert causes(analyze(records)) == ["none", *["concurrent_cold_start"] * 3]


@pytest.mark.parametrize("timing", [{"first_byte_s": 2.0}, {"duration_s": 2.0}, {}])
def test_calls_sent_within_the_time_to_the_first_byte(timing: JSON) -> None:
    records = [call(1000.0 + i / 10, f"Question {i}?", **timing) for i in range(4)]
    records.append(call(1010.0, "And now?", read=SIZE, **timing))
    assert causes(analyze(records)) == ["none", *["concurrent_cold_start"] * 3, "none"]


def test_a_cold_start_after_the_entry_expired_is_concurrent_again() -> None:
    records = [call(0.0, "First?", first_byte_s=1.0), call(1000.0, "Later?", first_byte_s=1.0)]
    records.append(call(1000.2, "At once?", first_byte_s=1.0))
    assert causes(analyze(records)) == ["none", "ttl_expired", "concurrent_cold_start"]


def test_a_call_that_was_dropped_and_written_anew_makes_the_next_one_wait() -> None:
    records = [call(0.0, "First?"), call(10.0, "Dropped?"), call(10.2, "At once?"), call(20.0, "Read?", read=SIZE)]
    assert causes(analyze(records)) == ["none", "evicted_or_rerouted", "concurrent_cold_start", "none"]


def test_the_first_to_start_is_not_blamed_for_what_a_later_one_wrote() -> None:
    """It comes last, since its response took longest."""
    second = call(1001.0, "Short?", first_byte_s=0.5, duration_s=1.0)
    first = call(1000.0, "Long?", first_byte_s=5.0, duration_s=60.0)
    assert causes(analyze([second, first])) == ["none", "none"]


def stamped(i: int) -> str:
    return f"Current time: 2026-11-22T10:{i // 60 % 60:02d}:{i % 60:02d}Z\n{RULES}"


def test_a_value_that_changes_is_named_among_calls_that_overlap() -> None:
    """Eight workers at a time, recorded as they finish."""
    rng = random.Random(5)
    free = [0.0] * 8
    records: list[JSON] = []
    for i in range(80):
        worker = free.index(min(free))
        at, lasts = free[worker], rng.uniform(2.0, 6.0)
        free[worker] = at + lasts
        records.append(call(at, f"Question {i}?", system=stamped(i), first_byte_s=1.0, duration_s=lasts))
    records.sort(key=lambda record: record["at"] + record["duration_s"])
    reports = analyze(records)
    started_late = [report for report, record in zip(reports, records, strict=True) if record["at"] > 10]
    assert len(started_late) > 50
    assert {report.cache.cause for report in started_late} == {"timestamp"}


def test_an_entry_that_outlived_its_lifetime_was_read() -> None:
    """A lifetime is what is promised at the least; usage has the last word, and the read renews the entry."""
    records = [call(0.0, "First?"), call(400.0, "Still there?", read=SIZE), call(650.0, "And again?", read=SIZE)]
    records.append(call(900.0, "Dropped?"))
    assert causes(analyze(records)) == ["none", "none", "none", "evicted_or_rerouted"]


def under_way(record: JSON, **more: Any) -> Call:
    """A live call: its body is in bytes, and what its response said is known when it ends."""
    made = call_from_record(record)
    live = Call(provider=made.provider, api=made.api, model=made.model, scope="mine", at=made.at)
    live.body = json.dumps(record["request"]).encode()
    live.raw_usage = made.raw_usage
    for name, value in more.items():
        setattr(live, name, value)
    return live


def ended(calls: list[Call], *, order: list[int]) -> list[str]:
    """The causes of calls that were all under way at once, as they end one after another."""
    engine = Engine(Hasher(b"some key"), default_prices())
    runtime = Runtime(Settings.resolve(), engine)
    spans = [CallSpan(runtime, call) for call in calls]
    found = [""] * len(calls)
    for span, at in zip(spans, [call.at for call in calls], strict=True):
        span.call.at = at
        runtime.open.add(span)
    for i in order:
        found[i] = engine.explain(calls[i]).cache.cause
        runtime.open.discard(spans[i])
    return found


def test_the_writer_of_a_prefix_may_still_be_under_way() -> None:
    """The first to start ends last: the others were sent before any response had begun all the same."""
    calls = [under_way(call(1000.0 + i / 10, f"Question {i}?"), first_byte_s=3.0 - i / 2) for i in range(3)]
    assert ended(calls, order=[2, 1, 0]) == ["none", "concurrent_cold_start", "concurrent_cold_start"]


def test_a_call_that_started_later_or_shares_nothing_explains_nothing() -> None:
    later = under_way(call(1001.0, "Later?"))
    other = under_way(call(999.0, "Another prompt?", system=RULES[::-1]))
    elsewhere = under_way(call(999.0, "Elsewhere?"), scope="theirs")
    begun = under_way(call(990.0, "Begun?"), first_byte_s=1.0)
    cold = under_way(call(1000.0, "Cold?"))
    assert ended([cold, later, other, elsewhere, begun], order=[0])[0] == "none"
