"""Totals and callbacks."""

import os
import threading
from decimal import Decimal

import pytest

from llm_observer.counters import counters
from llm_observer.results import CallReport, CostEstimate, GroupSummary, PromptReport, Summary, Verdict
from llm_observer.summary import Callbacks, Tally
from llm_observer.usage import Usage


def report(
    family: str | None = "f", *, usd: str | None = "0.5", cause: str = "none", lost: str | None = None
) -> CallReport:
    prompt = PromptReport(hash="h", canonical_hash="c", family=family, segments=1, key_id="k") if family else None
    return CallReport(
        provider="openai",
        api="chat.completions",
        model="gpt-5.6",
        at=0.0,
        usage=Usage(input_tokens=10, output_tokens=2, cache_read_tokens=4),
        cost=CostEstimate(usd=Decimal(usd), saved_usd=Decimal("0.1")) if usd else CostEstimate(reason="unknown_model"),
        prompt=prompt,
        cache=Verdict(
            outcome="miss", broke=cause != "none", cause=cause, lost_usd=Decimal(lost) if lost is not None else None
        ),
    )


def test_a_process_without_calls_has_an_empty_summary() -> None:
    assert Tally().summary() == Summary()


def test_calls_are_added_up_in_all_by_family_and_by_cause() -> None:
    tally = Tally()
    tally.add(report("a", cause="uuid", lost="0.2"))
    tally.add(report("a", usd=None))
    tally.add(report("b", cause="uuid"))
    tally.add(report(None))
    summary = tally.summary()
    assert summary.total == GroupSummary(
        calls=4,
        input_tokens=40,
        output_tokens=8,
        cache_read_tokens=16,
        cost_usd=Decimal("1.5"),
        saved_usd=Decimal("0.3"),
        lost_usd=Decimal("0.2"),
        unpriced_calls=1,
    )
    assert {name: group.calls for name, group in summary.by_family.items()} == {"a": 2, "b": 1}
    assert {name: group.calls for name, group in summary.by_cause.items()} == {"uuid": 2}
    assert summary.by_cause["uuid"].lost_usd == Decimal("0.2")


def test_what_a_provider_did_not_report_adds_nothing() -> None:
    tally = Tally()
    tally.add(CallReport(provider="openai", api="embeddings", model=None, at=0.0, usage=Usage(input_tokens=3)))
    tally.add(CallReport(provider="openai", api="embeddings", model=None, at=0.0))
    assert tally.summary().total == GroupSummary(calls=2, input_tokens=3, unpriced_calls=2)


def test_money_is_added_exactly() -> None:
    tally = Tally()
    for _ in range(1000):
        tally.add(report(usd="0.000000000001"))
    assert tally.summary().total.cost_usd == Decimal("0.000000001")


def test_families_are_bounded_and_the_rest_are_added_up_together() -> None:
    tally = Tally()
    for n in range(1500):
        tally.add(report(f"family {n}"))
    tally.add(report("family 0"))
    families = tally.summary().by_family
    assert len(families) == 1001
    assert families["(others)"].calls == 500
    assert families["family 0"].calls == 2


def test_a_summary_does_not_change_with_later_calls() -> None:
    tally = Tally()
    tally.add(report("a"))
    before = tally.summary()
    tally.add(report("a"))
    assert before.by_family["a"].calls == before.total.calls == 1


def test_no_call_is_lost_between_threads() -> None:
    tally = Tally()
    one = report(cause="uuid", lost="0.001")

    def add() -> None:
        for _ in range(500):
            tally.add(one)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.summary().total.calls == 2000
    assert tally.summary().by_cause["uuid"].lost_usd == Decimal(2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_at_zero() -> None:
    tally = Tally()
    tally.add(report())
    pid = os.fork()
    if pid == 0:
        os._exit(0 if tally.summary() == Summary() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert tally.summary().total.calls == 1


def test_callbacks_are_told_in_order_until_they_are_removed() -> None:
    callbacks, told = Callbacks(), list[str]()

    @callbacks.add
    def first(_: CallReport) -> None:
        told.append("first")

    def second(_: CallReport) -> None:
        told.append("second")

    assert callbacks.add(second) is second
    callbacks.tell(report())
    callbacks.remove(first)
    callbacks.tell(report())
    assert told == ["first", "second", "second"]


@pytest.mark.usefixtures("fail_open")
def test_a_callback_that_raises_is_counted_and_the_others_still_run() -> None:
    callbacks, told = Callbacks(), list[CallReport]()

    @callbacks.add
    def broken(_: CallReport) -> None:
        raise RuntimeError

    callbacks.add(told.append)
    callbacks.tell(report())
    assert len(told) == 1
    assert counters.of("errors") == {"on_call": 1}


def test_a_callback_may_remove_itself_while_it_is_told() -> None:
    callbacks, told = Callbacks(), list[CallReport]()

    def once(one: CallReport) -> None:
        callbacks.remove(once)
        told.append(one)

    callbacks.add(once)
    callbacks.tell(report())
    callbacks.tell(report())
    assert len(told) == 1


def test_a_call_that_ended_while_prices_were_loading_is_priced_when_the_summary_is_asked_for() -> None:
    tally = Tally()
    loading = CostEstimate(reason="prices_loading")
    waiting = CallReport(provider="openai", api="responses", model="m", at=1.0, cost=loading)
    tally.add(waiting, lambda: CostEstimate(usd=Decimal("0.25"), saved_usd=Decimal("0.5")))
    tally.add(waiting, lambda: CostEstimate(reason="unknown_model"))
    for _ in range(2):
        total = tally.summary().total
        assert (total.calls, total.unpriced_calls) == (2, 1)
        assert (total.cost_usd, total.saved_usd) == (Decimal("0.25"), Decimal("0.5"))
