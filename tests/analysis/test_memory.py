"""What the analysis remembers keeps to its bytes, by the allocator's own count, whatever the prompts are like."""

import gc
import random
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llm_observer.analysis.analyzer import Analyzer, Observation
from llm_observer.analysis.prompts import read_prompt
from llm_observer.privacy import Hasher
from llm_observer.usage import Usage

JSON = dict[str, Any]

MOST = 1_000_000
WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrs"]
MARKER = {"type": "ephemeral"}


def asked(*texts: str) -> list[JSON]:
    return [{"role": "user", "content": text} for text in texts]


def short_ones() -> Iterator[JSON]:
    for i in range(900):
        yield {"messages": asked(f"{i} once only")}


def many_lines() -> Iterator[JSON]:
    rng = random.Random(5)
    for i in range(90):
        yield {"messages": asked("\n".join([f"Number {i}", *rng.choices(WORDS, k=1500)]))}


def many_lines_in_the_head() -> Iterator[JSON]:
    rng = random.Random(6)
    for i in range(300):
        yield {"system": "\n".join(rng.choices(WORDS, k=100)), "messages": asked(f"{i} hello")}


def growing() -> Iterator[JSON]:
    for i in range(450):
        yield {"system": "Be brief.", "messages": asked(*(f"talk {i // 50}, {n}" for n in range(1 + i % 50)))}


def wide() -> Iterator[JSON]:
    for i in range(28):
        yield {"system": "Be brief.", "messages": asked(*(f"talk {i}, {n}" for n in range(100)))}


def volatile() -> Iterator[JSON]:
    rng = random.Random(7)
    for i in range(300):
        ids = " ".join(f"id {rng.randrange(16**12):012x}-4f" for _ in range(12))
        yield {"system": f"It is 2026-11-01T12:{i // 60:02}:{i % 60:02}Z. {ids}", "messages": asked(f"hello {i}")}


def marked() -> Iterator[JSON]:
    for i in range(900):
        system = [{"type": "text", "text": f"You are {i}", "cache_control": MARKER}]
        yield {"system": system, "messages": asked(f"{i}"), "cache_control": MARKER}


def tools() -> Iterator[JSON]:
    for i in range(60):
        schema = {"type": "object", "b": 1, "a": 1.0}
        named = [{"name": f"t{n}", "description": f"tool {n} of {i}", "input_schema": schema} for n in range(20)]
        yield {"tools": named, "messages": asked(f"{i}")}


@pytest.mark.parametrize(
    "bodies", [short_ones, many_lines, many_lines_in_the_head, growing, wide, volatile, marked, tools]
)
def test_what_is_really_allocated_stays_within_the_bound(bodies: Callable[[], Iterator[JSON]]) -> None:
    usage = Usage(input_tokens=2000, cache_read_tokens=0, cache_write_tokens=1900)

    def explain(analyzer: Analyzer, body: JSON, at: float) -> None:
        prompt = read_prompt("messages", body)
        assert prompt is not None
        analyzer.explain(
            Observation(
                provider="anthropic",
                model="claude-sonnet-4-6",
                scope="",
                at=at,
                ready_at=at + 1,
                prompt=prompt,
                usage=usage,
            )
        )

    # What is loaded and compiled on first use is not held for the prompts.
    explain(Analyzer(Hasher(b"another key")), next(bodies()), 0.0)
    gc.collect()
    tracemalloc.start()
    try:
        analyzer = Analyzer(Hasher(b"a key for many prompts"), max_bytes=MOST)
        most = said = 0
        for i, body in enumerate(bodies()):
            explain(analyzer, body, float(i))
            if i % 16 == 0:
                most, said = max(most, tracemalloc.get_traced_memory()[0]), max(said, sum(analyzer.sizes()))
    finally:
        tracemalloc.stop()
    assert said <= MOST
    assert most <= MOST
    # It was full, or nothing was shown.
    assert most > MOST / 2


def test_calls_out_of_order_and_clocks_that_are_wrong_do_not_hold_memory() -> None:
    analyzer = Analyzer(Hasher(b"a key for many prompts"), max_bytes=300_000)
    rng = random.Random(9)
    usage = Usage(input_tokens=2000, cache_read_tokens=0, cache_write_tokens=1900)
    for i in range(800):
        prompt = read_prompt("messages", {"system": f"{i % 7}", "messages": asked(f"{i}"), "cache_control": MARKER})
        assert prompt is not None
        # Some calls say that they are of next year.
        at = rng.choice([float(i), float(i), 3e7 + i, rng.uniform(0, i)])
        analyzer.explain(
            Observation(
                provider="anthropic",
                model="claude-sonnet-4-6",
                scope="",
                at=at,
                ready_at=at,
                prompt=prompt,
                usage=usage,
            )
        )
        assert sum(analyzer.sizes()) <= 300_000
