"""One planted cause at a time, on each matching model; the truth comes from the demo provider's own rules."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from recorded import JSON, Recorder, recorder

from llm_observer.replay import analyze
from llm_observer.results import CallReport

RULES = " ".join(
    f"Rule {i}: stay polite, read section {chr(65 + i % 26)} and promise nothing else." for i in range(240)
)
QUESTIONS = [
    "Where is my parcel?",
    "How do I return a lamp?",
    "Can I change the address?",
    "Is the blue one in stock?",
    "What does the warranty cover?",
    "Who signs for the delivery?",
]
NAMES = ["find_order", "refund", "ship_again", "open_ticket", "escalate", "check_stock"]

OLDER, NEWER, CLAUDE = "gpt-4.1", "gpt-5.6", "claude-sonnet-4-5"


def tools(style: str) -> list[JSON]:
    schema = {
        "type": "object",
        "properties": {"order": {"type": "string", "description": "The order, as it stands on the invoice. " * 8}},
        "required": ["order"],
    }
    if style == "anthropic":
        return [{"name": n, "description": f"{n}: {'does it. ' * 20}", "input_schema": schema} for n in NAMES]
    return [
        {"type": "function", "function": {"name": n, "description": f"{n}: {'does it. ' * 20}", "parameters": schema}}
        for n in NAMES
    ]


def claude(i: int, *, system: str = RULES, marker: bool = True, **more: Any) -> JSON:
    block: JSON = {"type": "text", "text": system}
    if marker:
        block["cache_control"] = {"type": "ephemeral"}
    messages = [{"role": "user", "content": QUESTIONS[i]}]
    return {"model": CLAUDE, "max_tokens": 64, "system": [block], "messages": messages, **more}


def gpt(i: int, *, model: str = OLDER, system: Any = RULES, **more: Any) -> JSON:
    messages = [{"role": "developer", "content": system}, {"role": "user", "content": QUESTIONS[i]}]
    return {"model": model, "messages": messages, **more}


def marked(system: str) -> list[JSON]:
    return [{"type": "text", "text": system, "prompt_cache_breakpoint": {"mode": "explicit"}}]


@pytest.fixture
def calls() -> Iterator[Recorder]:
    with recorder() as made:
        yield made


def explain(calls: Recorder, api: str, body: Callable[[int], JSON], n: int = 4, **more: Any) -> list[CallReport]:
    for i in range(n):
        calls.call(api, body(i), **more)
    return analyze(calls.records)


def assert_planted(reports: list[CallReport], cause: str, location: str, offset: int | None = None) -> None:
    """The first call is not blamed; every later one is, for the planted cause, at its place."""
    assert reports[0].cache.broke is False
    assert reports[0].cache.cause == "none"
    for report in reports[1:]:
        verdict = report.cache
        assert (verdict.cause, verdict.broke) == (cause, True)
        assert verdict.location == location
        assert verdict.offset == offset
        assert verdict.expected_tokens is not None
        assert verdict.missed_tokens == verdict.expected_tokens - (verdict.reported_tokens or 0)
        assert verdict.hint
        assert verdict.confidence >= 0.8
    assert reports[1].cache.lost_usd is None  # twice is no pattern yet
    assert all(r.cache.lost_usd for r in reports[2:])
    assert all(r.cache.lost_usd <= r.cost.usd for r in reports[2:] if r.cache.lost_usd and r.cost.usd)


def assert_expected(reports: list[CallReport], truth: int, relative: float) -> None:
    """What should have been read is what the provider would have cached, within the stated bound."""
    for report in reports[1:]:
        verdict = report.cache
        assert verdict.expected_tokens is not None
        assert verdict.tokens_error is not None
        assert abs(verdict.expected_tokens - truth) <= max(relative, verdict.tokens_error) * truth


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("messages", claude),
        ("chat.completions", gpt),
        ("chat.completions", lambda i: gpt(i, model=NEWER, system=marked(RULES))),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    ],
    ids=["claude", "older gpt", "newer gpt"],
)
def test_healthy_calls_hit_and_nothing_broke(calls: Recorder, api: str, body: Callable[[int], JSON]) -> None:
    reports = explain(calls, api, body)
    assert [r.cache.outcome for r in reports] == ["cold", "hit", "hit", "hit"]
    for report, exchange in zip(reports, calls.truth, strict=True):
        assert report.cache.broke is False
        assert report.cache.cause == "none"
        assert report.cache.expected_tokens == report.cache.reported_tokens == exchange.served.read
    assert all(r.cost.saved_usd and r.cost.saved_usd > 0 for r in reports[1:])


def test_timestamp_at_the_head_of_the_system_prompt(calls: Recorder) -> None:
    def body(i: int) -> JSON:
        return claude(i, system=f"It is 2026-11-22T10:0{i}:27Z now. {RULES}")

    reports = explain(calls, "messages", body)
    assert_planted(reports, "timestamp", "system[0]", 6)
    assert_expected(reports, calls.truth[0].served.written, 0.02)


def test_timestamp_on_the_grid(calls: Recorder) -> None:
    def body(i: int) -> JSON:
        return gpt(i, system=f"It is 2026-11-22T10:0{i}:27Z now. {RULES}")

    reports = explain(calls, "chat.completions", body)
    assert_planted(reports, "timestamp", "messages[0]", 6)
    assert_expected(reports, calls.truth[0].served.total - 20, 0.05)


def test_uuid_under_the_key_of_a_session(calls: Recorder) -> None:
    ids = [f"9b2e{i}c1a-77d0-4c6e-8a51-0f3d5e7a9b{i}d" for i in range(4)]
    reports = explain(calls, "messages", lambda i: claude(i, system=f"session_id: {ids[i]}\n{RULES}"))
    assert_planted(reports, "session_id", "system[0]", 12)


def test_two_volatile_values_are_both_named(calls: Recorder) -> None:
    def body(i: int) -> JSON:
        return claude(i, system=f"Now: 2026-11-22T10:0{i}:27Z. Trace {i}f3a9c1e-77d0-4c6e-8a51-0f3d5e7a9b{i}d. {RULES}")

    reports = explain(calls, "messages", body)
    assert reports[2].cache.cause == "timestamp"
    assert len(reports[2].cache.causes) == 2


@pytest.mark.parametrize(("api", "style"), [("messages", "anthropic"), ("chat.completions", "openai")])
def test_tools_in_changing_order(calls: Recorder, api: str, style: str) -> None:
    def body(i: int) -> JSON:
        turned = tools(style)[i:] + tools(style)[:i]
        return claude(i, tools=turned) if style == "anthropic" else gpt(i, tools=turned)

    assert_planted(explain(calls, api, body), "tool_order", "tools[0]")


def test_key_order_within_a_tool(calls: Recorder) -> None:
    def body(i: int) -> JSON:
        made = tools("anthropic")
        if i % 2:
            made[2] = dict(reversed(made[2].items()))
        return claude(i, tools=made)

    reports = explain(calls, "messages", body, n=2)
    assert reports[1].cache.cause == "json_key_order"
    assert reports[1].cache.location == "tools[2]"


@pytest.mark.parametrize("noise", [" ", "\n", "\r\n\r\n"])
def test_white_space(calls: Recorder, noise: str) -> None:
    reports = explain(calls, "messages", lambda i: claude(i, system=RULES + noise * i))
    assert {r.cache.cause for r in reports[1:]} == {"whitespace"}


def test_a_tool_that_comes_and_goes(calls: Recorder) -> None:
    def body(i: int) -> JSON:
        return claude(i, tools=tools("anthropic")[: 6 - i])

    reports = explain(calls, "messages", body, n=3)
    assert [r.cache.cause for r in reports[1:]] == ["tool_membership"] * 2
    assert all(r.cache.broke and r.cache.avoidable for r in reports[1:])


def test_a_tool_defined_otherwise(calls: Recorder) -> None:
    def body(i: int) -> JSON:
        made = tools("anthropic")
        made[3]["description"] += f" Variant {'abcd'[i]}."
        return claude(i, tools=made)

    reports = explain(calls, "messages", body, n=3)
    assert [(r.cache.cause, r.cache.location) for r in reports[1:]] == [("tool_schema", "tools[3]")] * 2


def test_no_breakpoint_is_named_with_what_a_marker_would_save(calls: Recorder) -> None:
    reports = explain(calls, "messages", lambda i: claude(i, marker=False))
    assert_planted(reports, "no_breakpoint", "system[0]")
    assert {r.cache.outcome for r in reports} == {"uncacheable"}
    assert all(r.cache.avoidable for r in reports[1:])


def test_boundary_missing_behind_the_static_part(calls: Recorder) -> None:
    reports = explain(calls, "chat.completions", lambda i: gpt(i, model=NEWER))
    assert_planted(reports, "boundary_missing", "messages[0]")
    assert all(exchange.served.written > 0 and exchange.served.read == 0 for exchange in calls.truth)


def test_a_marker_behind_what_changes(calls: Recorder) -> None:
    def body(i: int) -> JSON:
        made = claude(i, marker=False)
        made["messages"][0]["content"] = [
            {"type": "text", "text": QUESTIONS[i], "cache_control": {"type": "ephemeral"}}
        ]
        return made

    assert_planted(explain(calls, "messages", body), "breakpoint_after_volatile", "messages[0].content[0]")


@pytest.mark.parametrize(("api", "body"), [("messages", claude), ("chat.completions", gpt)])
def test_below_the_minimum_is_said_and_blames_nobody(calls: Recorder, api: str, body: Callable[..., JSON]) -> None:
    reports = explain(calls, api, lambda i: body(i, system=RULES[:1500]))
    assert {r.cache.outcome for r in reports} == {"uncacheable"}
    assert not any(r.cache.broke for r in reports)
    if api == "messages":
        assert {r.cache.cause for r in reports[1:]} == {"below_minimum"}


@pytest.mark.parametrize(("api", "body"), [("messages", claude), ("chat.completions", gpt)])
def test_an_expired_entry(calls: Recorder, api: str, body: Callable[[int], JSON]) -> None:
    calls.call(api, body(0))
    calls.call(api, body(1), after_s=4000)
    verdict = analyze(calls.records)[1].cache
    assert (verdict.cause, verdict.broke) == ("ttl_expired", True)


def test_a_gap_longer_than_the_lifetime_without_markers_lost_nothing(calls: Recorder) -> None:
    """With a marker the entry would have expired too, so the marker is not to blame."""
    calls.call("messages", claude(0, marker=False))
    calls.call("messages", claude(1, marker=False), after_s=4000)
    assert analyze(calls.records)[1].cache.broke is False


def test_calls_sent_before_the_first_response_began(calls: Recorder) -> None:
    for i in range(3):
        calls.call("messages", claude(i), after_s=0.1)
    reports = analyze(calls.records)
    assert [r.cache.cause for r in reports] == ["none", "concurrent_cold_start", "concurrent_cold_start"]


def test_another_model(calls: Recorder) -> None:
    calls.call("messages", claude(0))
    calls.call("messages", {**claude(1), "model": "claude-opus-4-8"})
    verdict = analyze(calls.records)[1].cache
    assert (verdict.cause, verdict.location, verdict.avoidable) == ("model_changed", "model", False)


def test_another_cache_key(calls: Recorder) -> None:
    for i in range(2):
        calls.call("chat.completions", gpt(i, model=NEWER, system=marked(RULES), prompt_cache_key=f"user {i}"))
    verdict = analyze(calls.records)[1].cache
    assert (verdict.cause, verdict.location) == ("cache_key_changed", "prompt_cache_key")


def test_a_growing_conversation_with_a_moving_marker_never_breaks(calls: Recorder) -> None:
    messages: list[JSON] = []
    for i in range(5):
        messages.append({"role": "user", "content": [{"type": "text", "text": QUESTIONS[i] + " Please." * 40}]})
        body = copy.deepcopy({**claude(0), "messages": messages})
        body["messages"][-1]["content"][0]["cache_control"] = {"type": "ephemeral"}
        calls.call("messages", body)
        messages.append({"role": "assistant", "content": "It is on its way. " * 30})
    reports = analyze(calls.records)
    assert not any(r.cache.broke for r in reports)
    for report, exchange in zip(reports, calls.truth, strict=True):
        assert report.cache.expected_tokens == exchange.served.read
    assert [r.cache.outcome for r in reports] == ["cold", "hit", "hit", "hit", "hit"]


def test_a_conversation_that_asks_for_the_cache_from_its_second_turn_on_never_breaks(calls: Recorder) -> None:
    """What no earlier call asked to be kept was not lost by the first that does."""
    messages: list[JSON] = [{"role": "user", "content": RULES + QUESTIONS[0]}]
    for question in QUESTIONS[1:4]:
        calls.call("messages", {"model": CLAUDE, "max_tokens": 64, "messages": messages})
        text = {"type": "text", "text": question, "cache_control": {"type": "ephemeral"}}
        answer = {"role": "assistant", "content": "Certainly."}
        messages = [*copy.deepcopy(messages), answer, {"role": "user", "content": [text]}]
    verdicts = [report.cache for report in analyze(calls.records)]
    assert [(v.outcome, v.broke) for v in verdicts] == [("uncacheable", False), ("cold", False), ("hit", False)]


@pytest.mark.parametrize("lead", ["", "Again:\n"], ids=["rewritten whole", "a line stays"])
def test_an_earlier_message_written_anew_is_not_something_retrieved(calls: Recorder, lead: str) -> None:
    """Only what is put into text that stays can have been: a message of other words is another message."""
    said = [
        lead + "\n".join(f"{word} item {i}: it came late again, as I said." for i in range(30))
        for word in ("First", "Other")
    ]
    for first in said:
        marker = {"cache_control": {"type": "ephemeral"}}
        messages = [
            {"role": "user", "content": "A question of mine."},
            {"role": "assistant", "content": "Go on."},
            {"role": "user", "content": first},
            {"role": "assistant", "content": "I see. " * 300},
            {"role": "user", "content": [{"type": "text", "text": "What now?", **marker}]},
        ]
        calls.call("messages", {**claude(0), "messages": messages})
    verdict = analyze(calls.records)[1].cache
    assert (verdict.broke, verdict.location) == (True, "messages[2].content[0]")
    assert verdict.cause == ("retrieved_content" if lead else "history_rewritten")


def test_a_read_that_nothing_explains_is_the_providers_doing(calls: Recorder) -> None:
    explain(calls, "messages", claude, n=2)
    third = calls.call("messages", claude(2))
    usage = third["response"]["usage"]
    usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"] = usage["cache_read_input_tokens"], 0
    verdict = analyze(calls.records)[2].cache
    assert (verdict.cause, verdict.avoidable, verdict.confidence) == ("evicted_or_rerouted", False, 0.5)


def test_usage_without_a_cache_count_is_not_zero(calls: Recorder) -> None:
    for i in range(3):
        calls.call("chat.completions", gpt(i))["response"]["usage"].pop("prompt_tokens_details")
    for report in analyze(calls.records):
        assert report.cache.outcome == "not_reported"
        assert report.cache.broke is False
        assert report.cache.expected_tokens is None
        assert report.cache.lost_usd is None


def test_another_workspace_shares_nothing(calls: Recorder) -> None:
    calls.call("messages", claude(0), scope="one")
    calls.call("messages", claude(1), scope="two")
    assert analyze(calls.records)[1].cache.broke is False


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("messages", claude),
        ("chat.completions", gpt),
        ("chat.completions", lambda i: gpt(i, model=NEWER, system=marked(RULES))),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    ],
    ids=["claude", "older gpt", "newer gpt"],
)
def test_the_gap_is_that_since_the_prefix_was_last_used(calls: Recorder, api: str, body: Callable[[int], JSON]) -> None:
    """Seconds from start to start, whether the entry still lived or not; unknown for the first call."""
    for i, after_s in enumerate((1, 20, 250, 7000, 30)):
        calls.call(api, body(i), after_s=after_s)
    verdicts = [report.cache for report in analyze(calls.records)]
    assert [verdict.gap_s for verdict in verdicts] == [None, 20, 250, 7000, 30]


def test_the_gap_of_what_was_never_written(calls: Recorder) -> None:
    """It is to the call that would have written the prefix."""
    reports = explain(calls, "messages", lambda i: claude(i, marker=False), after_s=40.0)
    assert [report.cache.gap_s for report in reports] == [None, 40, 40, 40]
