"""Near the provider's minimum a marker behind what changes is blamed only where the part before it could be cached."""

import pytest
from recorded import JSON, recorder
from workload import CLAUDE, Writer

import llm_observer

MARKER: JSON = {"cache_control": {"type": "ephemeral"}}
CACHED = 1024


def body(system: str, question: str, *, head: bool) -> JSON:
    """A request with its one marker behind the system text, or behind the question."""
    first, last = (MARKER, {}) if head else ({}, MARKER)
    messages = [{"role": "user", "content": [{"type": "text", "text": question} | last]}]
    return {
        "model": CLAUDE,
        "max_tokens": 64,
        "system": [{"type": "text", "text": system} | first],
        "messages": messages,
    }


def asked(seed: int, sentences: int) -> tuple[int, list[str]]:
    """How many tokens of the system text the provider would cache, and the causes named where it is not marked."""
    writer = Writer(seed)
    system = writer.text(sentences)
    with recorder() as calls:
        usage = calls.call("messages", body(system, "Hello.", head=True), scope="other")["response"]["usage"]
        records = [calls.call("messages", body(system, writer.text(20), head=False)) for _ in range(4)]
    return usage["cache_creation_input_tokens"], [r.cache.cause for r in llm_observer.analyze(records)][1:]


@pytest.mark.parametrize("sentences", [60, 66, 68, 69, 70])
def test_what_is_too_short_to_be_cached_is_not_said_to_want_a_marker(sentences: int) -> None:
    made = [asked(seed, sentences) for seed in range(4)]
    assert {cause for cached, causes in made if not cached for cause in causes} == {"none"}


def test_what_is_long_enough_is_said_to_want_a_marker() -> None:
    made = [asked(seed, 85) for seed in range(4)]
    assert all(cached > CACHED for cached, _ in made)
    assert [causes for _, causes in made] == [["breakpoint_after_volatile"] * 3] * 4


def test_where_the_minimum_is_not_known_nothing_unmarked_is_said_to_be_lost() -> None:
    """No marker, and ids that differ: whether such a prompt could have been cached is not documented."""

    def body(number: int) -> JSON:
        call: JSON = {"type": "tool_use", "id": f"toolu_01{number}PE9YWKZYFYapmmRJmpK1n", "name": "look", "input": {}}
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": "It is on its way. " * 60}
        messages: list[JSON] = [
            {"role": "user", "content": "Where is my parcel?"},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]
        return {"model": "anthropic.claude-3-haiku-20240307-v1:0", "max_tokens": 64, "messages": messages}

    usage = {"input_tokens": 520, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, "output_tokens": 3}
    records = [
        {
            "provider": "aws.bedrock",
            "api": "messages",
            "at": 1.7e9 + n,
            "request": body(n),
            "response": {"usage": usage},
        }
        for n in range(3)
    ]
    assert [(r.cache.broke, r.cache.cause) for r in llm_observer.analyze(records)] == [(False, "none")] * 3


def test_a_head_that_is_too_short_is_not_what_a_changed_first_line_is_blamed_on() -> None:
    """What is behind the line is long enough: but for the line it would have been read."""
    article = Writer(7).text(130)

    def body(line: str) -> JSON:
        system = {"role": "system", "content": "You write concise summaries."}
        return {"model": "gpt-4o", "messages": [system, {"role": "user", "content": f"{line}\n{article}"}]}

    with recorder() as calls:
        records = [
            calls.call("chat.completions", body(line))
            for line in ("Of the first desk", "Of the first desk", "And of another")
        ]
    _, again, other = (r.cache for r in llm_observer.analyze(records))
    assert again.outcome == "hit"
    assert (other.broke, other.outcome, other.causes) == (True, "miss", ("input_changed",))
    assert (other.location, other.offset) == ("messages[1]", 0)
