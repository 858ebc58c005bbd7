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
