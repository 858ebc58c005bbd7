"""Prompts whose reported tokens are not those of the request: the provider keeps, edits or repeats a part of them."""

import random
from typing import Any

import pytest
from healthy import healthy
from recorded import recorder
from scenarios import Source

from llm_observer.analysis.prompts import read_prompt
from llm_observer.replay import analyze
from llm_observer.results import CallReport

JSON = dict[str, Any]

RULES = " ".join(f"Rule {i}: read section {chr(65 + i % 26)} and promise nothing else." for i in range(240))
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
LOOK_UP = {"name": "look_up", "input_schema": {"type": "object"}}


def claude(*texts: str, **more: Any) -> JSON:
    messages = [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)]
    return {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": messages, **more}


def gpt(text: str, **more: Any) -> JSON:
    return {"model": "gpt-5", "input": [{"role": "user", "content": text}], **more}


def explain(*calls: tuple[JSON, JSON]) -> list[CallReport]:
    """The reports on requests with their usages, ten seconds apart."""
    return analyze(
        {
            "at": 1_780_000_000 + 10 * i,
            "provider": "anthropic" if "max_tokens" in request else "openai",
            "api": "messages" if "max_tokens" in request else "responses",
            "request": request,
            "usage": usage,
            "first_byte_s": 1.0,
        }
        for i, (request, usage) in enumerate(calls)
    )


def anthropic_usage(rest: int, *, read: int = 0, written: int = 0) -> JSON:
    return {
        "input_tokens": rest,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": 40,
    }


def openai_usage(whole: int, cached: int) -> JSON:
    return {"input_tokens": whole, "input_tokens_details": {"cached_tokens": cached}, "output_tokens": 40}


@pytest.mark.parametrize(
    ("api", "body", "counted"),
    [
        ("messages", claude("Hi", tools=[LOOK_UP]), True),
        ("messages", claude("Hi", tools=[{**LOOK_UP, "type": "custom"}]), True),
        ("messages", claude("Hi", tools=[{"type": "bash_20250124", "name": "bash"}]), True),
        ("messages", claude("Hi", tools=[LOOK_UP, SEARCH]), False),
        ("messages", claude("Hi", mcp_servers=[{"type": "url", "url": "https://x", "name": "x"}]), False),
        ("messages", claude("Hi", container={"skills": []}), False),
        ("messages", claude("Hi", context_management={"edits": [{"type": "compact"}]}), False),
        (
            "responses",
            gpt("Hi", tools=[{"type": "function", "name": "look_up"}, {"type": "custom", "name": "f"}]),
            True,
        ),
        ("responses", gpt("Hi", tools=[{"type": "image_generation"}]), False),
        ("responses", gpt("Hi", tools=[{"type": "mcp", "server_url": "https://x"}]), False),
        ("responses", gpt("Hi", previous_response_id="resp_1"), False),
        ("responses", gpt("Hi", conversation={"id": "conv_1"}), False),
        ("responses", gpt("Hi", prompt={"id": "pmpt_1"}), False),
        ("responses", gpt("Hi", context_management=[{"type": "compaction"}]), False),
        ("responses", {"input": [{"type": "item_reference", "id": "msg_1"}]}, False),
        ("chat.completions", claude("Hi", tools=[{"type": "function", "function": {"name": "look_up"}}]), True),
        ("chat.completions", claude("Hi", tools=[{"type": "browser_search"}]), False),
        ("chat.completions", claude("Hi", web_search_options={"search_context_size": "low"}), False),
        ("chat.completions", claude("Hi", search_parameters={"mode": "on"}), False),
        ("chat.completions", claude("Hi", plugins=[{"id": "web"}]), False),
    ],
)
def test_which_prompts_are_counted_as_they_were_sent(api: str, body: JSON, *, counted: bool) -> None:
    prompt = read_prompt(api, body)
    assert prompt is not None
    assert prompt.counted is counted


def test_the_sum_of_several_runs_is_not_the_size_of_a_prefix() -> None:
    """A search puts its results before the model and runs it again; the next turn shares the question alone."""
    first = claude("What is new?", tools=[SEARCH])
    second = claude("What is new?", "A lamp.", "Which one?", tools=[SEARCH])
    verdict = explain((first, anthropic_usage(21_000)), (second, anthropic_usage(33_000)))[1].cache
    assert (verdict.broke, verdict.lost_usd) == (False, None)


def test_reads_of_several_runs_are_not_the_size_of_an_entry() -> None:
    """Two runs read the same entry, and report it twice: a later call of one run misses nothing."""
    system = [{"type": "text", "text": RULES, "cache_control": {"type": "ephemeral"}}]
    calls = [
        (claude("What is new?", system=system, tools=[SEARCH]), anthropic_usage(20, written=4600)),
        (claude("Which one?", system=system, tools=[SEARCH]), anthropic_usage(9000, read=9200)),
        (claude("Why?", system=system, tools=[SEARCH]), anthropic_usage(20, read=4600)),
    ]
    verdict = explain(*calls)[2].cache
    assert (verdict.outcome, verdict.broke) == ("hit", False)


def test_a_prefix_is_no_larger_than_the_whole() -> None:
    """What the provider has replaced by a summary cannot be read any more."""
    edits = {"edits": [{"type": "compact_20260112"}]}
    first = claude(RULES, context_management=edits)
    second = claude(RULES, "Noted.", "And?", context_management=edits)
    verdict = explain((first, anthropic_usage(4700)), (second, anthropic_usage(210)))[1].cache
    assert (verdict.broke, verdict.outcome) == (False, "uncacheable")


WEB: JSON = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1"}


def looked_up(*, keeps: bool = True, thinks: bool = False, **more: Any) -> JSON:
    """Rules, a question, its answer with or without the search that it came from, and what was said then."""
    page: JSON = {"type": "web_search_result", "url": "https://x", "title": "x", "encrypted_content": "Ab3d" * 400}
    use: JSON = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "news"}}
    thought: JSON = {"type": "thinking", "thinking": "Let me see. " * 40, "signature": "Ab3d"}
    made = claude("What is new?", "A lamp.", "Which one?", **more)
    made["system"] = [{"type": "text", "text": RULES, "cache_control": {"type": "ephemeral"}}]
    text: JSON = {"type": "text", "text": "A lamp that is as good as new, and blue. " * 30}
    search = [use, {**WEB, "content": [page]}] if keeps else []
    made["messages"][1]["content"] = [*([thought] if thinks else []), *search, text]
    made["messages"][2]["content"] = [
        {"type": "text", "text": "Which one? " * 60, "cache_control": {"type": "ephemeral"}}
    ]
    made.setdefault("tools", [SEARCH])
    return made


def said_on(made: JSON) -> JSON:
    """The next turn, marked too."""
    last = made["messages"][-1]["content"][0]
    block = {"type": "text", "text": "And why?", "cache_control": last.pop("cache_control")}
    more = [{"role": "assistant", "content": "The blue one."}, {"role": "user", "content": [block]}]
    return {**made, "messages": [*made["messages"], *more]}


@pytest.mark.parametrize(("read", "broke"), [(4600, True), (9200, True), (19_000, False)])
def test_a_search_that_is_dropped_is_held_against_reads_that_fell_short(read: int, *, broke: bool) -> None:
    """Where as much was read as there was, by the sum of however many runs, nothing can be said."""
    first, second = looked_up(), said_on(looked_up(keeps=False))
    calls = [(first, anthropic_usage(20, written=11_000)), (second, anthropic_usage(20, read=read, written=900))]
    verdict = explain(*calls)[1].cache
    assert verdict.broke is broke
    assert verdict.missed_tokens in {None, 0}
    if broke:
        assert (verdict.cause, verdict.location) == ("history_truncated", "messages[1].content[0]")


def test_thinking_that_is_left_out_is_not_held_against_a_call_whose_runs_are_summed() -> None:
    """The provider leaves earlier thinking out by itself on some models."""
    first, second = looked_up(thinks=True), said_on(looked_up())
    calls = [(first, anthropic_usage(20, written=11_000)), (second, anthropic_usage(20, read=4600, written=6900))]
    assert explain(*calls)[1].cache.broke is False


def test_what_goes_with_the_thinking_is() -> None:
    first, second = looked_up(thinks=True), said_on(looked_up(keeps=False))
    calls = [(first, anthropic_usage(20, written=11_000)), (second, anthropic_usage(20, read=4600, written=900))]
    verdict = explain(*calls)[1].cache
    assert (verdict.broke, verdict.cause) == (True, "history_truncated")


def test_what_the_provider_edits_itself_is_nobodys_loss() -> None:
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    first, second = looked_up(context_management=edits), said_on(looked_up(keeps=False, context_management=edits))
    calls = [(first, anthropic_usage(20, written=11_000)), (second, anthropic_usage(20, read=4600, written=900))]
    assert explain(*calls)[1].cache.broke is False


def test_another_model_reads_nothing_of_a_conversation_with_searches() -> None:
    first, second = looked_up(), said_on(looked_up()) | {"model": "claude-sonnet-4-6"}
    calls = [(first, anthropic_usage(20, written=11_000)), (second, anthropic_usage(20, written=11_200))]
    verdict = explain(*calls)[1].cache
    assert (verdict.broke, verdict.cause, verdict.expected_tokens) == (True, "model_changed", None)


def test_built_in_tools_of_openai_hit_by_what_is_in_the_request() -> None:
    calls = [
        (gpt(RULES, tools=[{"type": "web_search"}]), openai_usage(19_000, 0)),
        (gpt(RULES, tools=[{"type": "web_search"}]), openai_usage(19_500, 4480)),
    ]
    verdict = explain(*calls)[1].cache
    assert (verdict.outcome, verdict.broke) == ("hit", False)


@pytest.mark.parametrize("kept", ["previous_response_id", "conversation"])
def test_the_same_words_behind_another_history_are_another_prompt(kept: str) -> None:
    """Nothing was lost: what stands before them differs. Behind the same history they should have been read.

    What is sent is long enough to be above the minimum by any estimate: the count says nothing of it.
    """
    calls = [(gpt(3 * RULES, **{kept: name}), openai_usage(19_000, 0)) for name in ("one", "two", "two")]
    first, second, third = explain(*calls)
    assert (first.cache.broke, second.cache.broke) == (False, False)
    assert (third.cache.broke, third.cache.cause) == (True, "evicted_or_rerouted")
    assert first.prompt is not None
    assert second.prompt is not None
    assert first.prompt.hash != second.prompt.hash


def test_a_kept_history_leaves_the_head_as_it_is() -> None:
    """The family is that of the tools and instructions, and a system message behind the history is not of the head."""
    plain = gpt("Hi", instructions=RULES)
    later = gpt("And?", instructions=RULES, previous_response_id="resp_1")
    later["input"].insert(0, {"role": "developer", "content": "Hurry."})
    first, second = explain((plain, openai_usage(4600, 0)), (later, openai_usage(4700, 4480)))
    assert first.prompt is not None
    assert second.prompt is not None
    assert first.prompt.family == second.prompt.family
    assert (second.cache.outcome, second.cache.broke) == ("hit", False)


def test_a_short_request_with_a_long_history_is_not_below_the_minimum() -> None:
    calls = [(gpt("And?", previous_response_id="resp_1"), openai_usage(9000, 0)) for _ in range(2)]
    verdict = explain(*calls)[1].cache
    assert (verdict.outcome, verdict.cause) == ("cold", "none")


def runs_again(usage: JSON, rng: random.Random) -> None:
    """Let the model run again behind what its searches found: each run reads all before it and writes what is new."""
    size = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
    del usage["cache_creation"]
    for _ in range(rng.randint(1, 3)):
        found = rng.randint(500, 6000)
        usage["cache_read_input_tokens"] += size
        usage["cache_creation_input_tokens"] += found
        size += found


@pytest.mark.parametrize("seed", [903, 904])
def test_clean_traffic_whose_runs_are_summed_is_blamed_for_nothing(seed: int) -> None:
    rng = random.Random(seed)
    with recorder() as calls:
        for step in healthy(Source(seed), 500):
            if step.talk.shape.claude:
                body = step.talk.body()
                record = calls.call(
                    "messages", {**body, "tools": [*body.get("tools", []), SEARCH]}, after_s=step.after_s
                )
                if rng.random() < 0.5:
                    runs_again(record["response"]["usage"], rng)
    reports = analyze(calls.records)
    assert len(reports) > 80
    assert not any(report.cache.broke for report in reports)
