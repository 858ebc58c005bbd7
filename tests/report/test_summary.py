"""Calls summed up by family."""

from decimal import Decimal
from typing import Any

import pytest
from report_events import broken, event

from llm_observer.report.families import Report
from llm_observer.report.records import record
from llm_observer.report.summary import summarize


def only(report: Report):
    (family,) = report.families
    return family


class TestFamilies:
    def test_calls_of_one_prompt_to_one_model_are_a_family(self) -> None:
        report = summarize(
            [
                event(1),
                event(2),
                event(3, model="claude-opus-4-8"),
                event(4, family="0123456789abcdef", function="other"),
            ]
        )
        assert [(family.model, family.totals.calls) for family in report.families] == [
            ("claude-opus-5-5", 2),
            ("claude-opus-4-8", 1),
            ("claude-opus-5-5", 1),
        ]

    @pytest.mark.parametrize(
        ("family", "function", "name"),
        [
            ("checkout bot", "triage_tickets", "checkout bot"),
            ("5f0c2a9be4d17f33", "Agent.run.<locals>.step", "Agent.run.step"),
            ("5f0c2a9be4d17f33", "<module>", "claude.py"),
            (None, "triage_tickets", "triage_tickets"),
        ],
    )
    def test_its_name_is_the_one_that_the_app_gave_else_the_function_that_calls(
        self, family: str | None, function: str, name: str
    ) -> None:
        assert only(summarize([event(1, family=family, function=function)])).name == name

    def test_without_a_call_site_its_name_is_a_short_id_else_the_model(self) -> None:
        assert only(summarize([event(1, call={"site": None})])).name == "prompt 5f0c2a9b"
        assert only(summarize([event(1, family=None, call={"site": None})])).name == "claude-opus-5-5"

    def test_two_of_one_name_and_model_are_told_apart(self) -> None:
        prompts = summarize([event(1), event(2, family="aaaa0a9be4d17f33")])
        assert {family.name for family in prompts.families} == {"triage_tickets (5f0c)", "triage_tickets (aaaa)"}
        tagged = [event(n, family="bot", provider=provider) for n, provider in enumerate(("openai", "azure.ai.openai"))]
        assert {family.name for family in summarize(tagged).families} == {"bot (openai)", "bot (azure.ai.openai)"}

    def test_the_dearest_comes_first(self) -> None:
        dear = [broken(n, family="d" * 16, function="dear", lost_usd="0.1") for n in range(3)]
        cheap = [broken(n, lost_usd="0.001") for n in range(9)]
        assert [family.name for family in summarize([*cheap, *dear]).families] == ["dear", "triage_tickets"]


class TestMoney:
    def test_what_was_lost_is_split_into_avoidable_and_by_choice(self) -> None:
        report = summarize([*(broken(n) for n in range(4)), broken(5, avoidable=False, cause="compaction")])
        assert report.totals.lost_avoidable == Decimal("0.0320")
        assert report.totals.lost_by_choice == Decimal("0.0080")
        assert report.totals.cost == Decimal("0.0500")

    def test_a_family_of_fewer_than_three_calls_claims_none(self) -> None:
        report = summarize([broken(1), broken(2)])
        assert report.totals.lost == 0
        assert only(report).status == "few_calls"
        assert only(report).findings[0].lost is None
        assert only(summarize([broken(1), broken(2), broken(3)])).totals.lost == Decimal("0.0240")

    def test_the_rate_leaves_out_calls_whose_loss_nobody_knows(self) -> None:
        """One cold call, one lost but not claimed, two claimed at 0.8 cents: 1.6 cents in three calls."""
        family = only(summarize([event(1, outcome="cold"), broken(2, lost_usd=None), broken(3), broken(4)]))
        assert family.lost_per_1000 == Decimal("5.333333")

    def test_nothing_that_is_unknown_counts_as_zero(self) -> None:
        calls = [event(n, usd=None, saved=None, input_tokens=None, read=None, reason="no_usage") for n in range(3)]
        family = only(summarize(calls))
        totals = family.totals
        assert (totals.cost, totals.saved, totals.input_tokens, totals.read, totals.share) == (None,) * 5
        assert (totals.unpriced, totals.possible_share, family.lost_per_1000) == (3, None, None)
        assert family.status == "not_reported"

    def test_models_without_a_price_are_listed_with_the_reason(self) -> None:
        report = summarize([event(n, model="acme-7b", usd=None, reason="unknown_model") for n in range(2)])
        (unpriced,) = report.unpriced
        assert (unpriced.model, unpriced.reason, unpriced.calls) == ("acme-7b", "unknown_model", 2)

    def test_a_failed_call_is_no_unpriced_one(self) -> None:
        calls = [event(n, usd=None, reason="no_usage", call={"error_type": "RateLimitError"}) for n in range(3)]
        report = summarize(calls)
        assert report.unpriced == []
        assert (report.totals.failed, only(report).status) == (3, "failed")


class TestCache:
    def test_the_share_is_of_calls_that_report_it(self) -> None:
        report = summarize([event(1, read=1500, input_tokens=2000), event(2, read=None, input_tokens=9000)])
        assert report.totals.share == 0.75

    def test_what_could_have_been_read_is_never_less_than_what_was(self) -> None:
        report = summarize([event(1, read=1500, expected_tokens=1400), broken(2)])
        assert (report.totals.read, report.totals.could_read) == (1500, 3300)

    @pytest.mark.parametrize(
        ("calls", "status"),
        [
            ([event(n, read=1500) for n in range(3)], "healthy"),
            ([event(n, read=0, outcome="uncacheable") for n in range(3)], "uncached"),
            ([broken(n, lost_usd=None) | {"cost": {"reason": "unknown_model"}} for n in range(3)], "suspect"),
            ([broken(n) for n in range(3)], "losing"),
        ],
    )
    def test_status(self, calls: list[dict[str, object]], status: str) -> None:
        assert only(summarize(calls)).status == status

    def test_the_finding_is_the_cause_that_cost_most_and_the_place_seen_most(self) -> None:
        order = {"cause": "tool_order", "lost_usd": "0.001", "offset": None}
        calls = [
            broken(1),
            *(broken(n, location="tools[0]", **order) for n in (2, 3)),
            broken(4, location="tools[3]", **order),
        ]
        first, second = only(summarize(calls)).findings
        assert (first.cause, first.location, first.offset, first.calls) == ("timestamp", "system[0]", 14, 1)
        assert (second.cause, second.location, second.offset, second.calls) == ("tool_order", "tools[0]", None, 3)


def test_an_event_in_another_shape_is_read_as_far_as_it_goes() -> None:
    strange: dict[str, Any] = {
        "occurred_at": "yesterday",
        "call": {"provider": 3, "request_model": None, "response_model": "m", "site": {"file": "f.py"}},
        "usage": {"input_tokens": "many", "output_tokens": True},
        "cost": {"usd": "NaN", "saved_usd": 0.5, "reason": "x"},
        "cache": {"broke": "yes", "confidence": True, "lost_usd": "abc"},
        "prompt": [],
    }
    read = record(strange)
    assert (read.model, read.at, read.provider, read.site, read.cost, read.saved, read.lost) == ("m", *(None,) * 6)
    assert (read.input_tokens, read.output_tokens, read.broke, read.confidence) == (None, None, False, None)
    assert record({"occurred_at": "2026-11-22T10:00:00"}).at is None
    assert summarize([strange, {}]).totals.calls == 2


def test_places_that_differ_on_every_call_are_counted_up_to_a_limit() -> None:
    calls = [broken(n, location=f"messages[{n}]") for n in range(1, 1200)] + [broken(1, location="messages[7]")] * 3
    assert only(summarize(calls)).findings[0].location == "messages[7]"
