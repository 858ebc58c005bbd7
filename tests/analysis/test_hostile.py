"""Whatever a body holds, the analysis comes to an end without raising, and what it holds stays bounded."""

import copy
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workload import CLAUDE, MODELS, NEWER, Conversation, api_of

from llm_observer.analysis.analyzer import Analyzer, Observation
from llm_observer.analysis.index import PrefixIndex
from llm_observer.analysis.prompts import read_prompt
from llm_observer.engine import MOST_SEGMENTS, Engine
from llm_observer.pricing.estimate import default_prices
from llm_observer.privacy import Hasher
from llm_observer.replay import call_from_record
from llm_observer.results import CallReport
from llm_observer.usage import Usage

JSON = dict[str, Any]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("role", "content", "type", "text", "tools", "system", "name", "function", "cache_control", "ttl"),
                    *("input", "messages", "prompt_cache_breakpoint", "tool_calls", "arguments", "image_url", "id"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
BODIES = st.dictionaries(
    st.sampled_from(
        [
            *("messages", "system", "tools", "input", "instructions", "model", "cache_control", "prompt", "functions"),
            *(
                "prompt_cache_options",
                "thinking",
                "output_config",
                "text",
                "reasoning",
                "tool_choice",
                "response_format",
            ),
        ]
    ),
    ANYTHING,
    max_size=6,
)


def engine() -> Engine:
    return Engine(Hasher(b"a key for hostile bodies"), default_prices())


def explain(one: Engine, api: str, body: JSON, usage: JSON | None = None, at: float = 1000.0) -> CallReport:
    provider, model = ("anthropic", CLAUDE) if api == "messages" else ("openai", NEWER)
    request = {"model": model, **body}
    record = {"at": at, "provider": provider, "api": api, "request": request, "usage": usage or {}}
    return one.explain(call_from_record(record))


READ = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
APIS = ("messages", "chat.completions", "responses", "completions", "embeddings", "converse")


@settings(max_examples=80)
@given(st.sampled_from(APIS), st.lists(BODIES, min_size=1, max_size=4))
def test_any_bodies_one_after_another_are_explained(api: str, bodies: list[JSON]) -> None:
    one = engine()
    for i, body in enumerate(bodies):
        report = explain(one, api, body, READ, at=1000.0 + i)
        assert report.cache.expected_tokens is None or report.cache.expected_tokens >= 0
        assert 0.0 <= report.cache.confidence <= 1.0


ODD: list[Any] = [None, 7, "", [], {}, "\ud800", True, -1.5, {"type": []}]


def broken(value: Any, rng: random.Random) -> Any:
    """A copy of a body with something in it replaced, dropped or doubled."""
    if isinstance(value, dict):
        items: list[Any] = list(value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        if items and rng.random() < 0.1:
            del items[rng.randrange(len(items))]
        return {key: broken(item, rng) for key, item in items}
    if isinstance(value, list):
        made = [broken(item, rng) for item in value]  # pyright: ignore[reportUnknownVariableType]
        return made * 2 if rng.random() < 0.05 else made
    if rng.random() < 0.03:
        return rng.choice(ODD)
    return value


@pytest.mark.parametrize("model", MODELS)
def test_real_bodies_broken_at_random_are_explained(model: str) -> None:
    rng = random.Random(99)
    one = engine()
    conversation = Conversation.new(model, 4, sentences=30)
    for i in range(60):
        conversation.ask()
        body = broken(conversation.body(), rng)
        usage: JSON = {"prompt_tokens": 2000, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}}
        explain(one, api_of(model), body, READ if model == CLAUDE else usage, at=1000.0 + i)
        conversation.answer()
        if i % 10 == 9:
            conversation = conversation.session(i)


def test_usage_that_contradicts_itself_breaks_nothing() -> None:
    one = engine()
    conversation = Conversation.new(CLAUDE, 5)
    for i, (read, written, rest) in enumerate([(0, 0, 0), (10**9, 5, 0), (0, 10**12, 3), (3000, 0, 0), (1, 1, 1)]):
        conversation.ask()
        usage = {**READ, "input_tokens": rest, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
        verdict = explain(one, "messages", conversation.body(), usage, at=1000.0 + i).cache
        assert verdict.missed_tokens is None or verdict.missed_tokens >= 0
        conversation.answer()


def test_a_clock_that_jumps_back_breaks_nothing() -> None:
    one = engine()
    conversation = Conversation.new(CLAUDE, 6)
    for at in (1000.0, 990.0, 5.0, 0.0, 4e9, 1010.0):
        conversation.ask()
        explain(one, "messages", conversation.body(), READ, at=at)


def test_schemas_nested_beyond_the_stack_are_explained() -> None:
    deep: Any = "end"
    for _ in range(3000):
        deep = {"properties": deep}
    one = engine()
    for i in range(3):
        tool = {"name": "t", "input_schema": copy.copy(deep)}
        report = explain(one, "messages", {"tools": [tool], "messages": [{"role": "user", "content": "x"}]}, READ, at=i)
        assert report.prompt is not None


def test_a_prompt_of_too_many_segments_is_left_alone() -> None:
    messages = [{"role": "user", "content": "a"}] * (MOST_SEGMENTS + 1)
    report = explain(engine(), "messages", {"messages": messages}, READ)
    assert report.prompt is None
    assert report.cache.outcome == "not_reported"


def test_a_large_new_text_is_looked_through_within_a_budget_and_that_is_said() -> None:
    text = "on 2026-11-22T10:00:00Z it was told that " * 600
    messages = [{"role": "user", "content": f"{n} {text}"} for n in range(40)]
    began = time.process_time()
    report = explain(engine(), "messages", {"messages": messages}, READ)
    assert report.cache.skipped == ("volatile_values",)
    assert time.process_time() - began < 5.0  # generous: a megabyte that is looked through whole takes longer


def test_the_index_keeps_to_its_memory() -> None:
    index = PrefixIndex(max_bytes=400_000)
    analyzer = Analyzer(Hasher(b"a key for many prompts"), index=index)
    for i in range(600):
        conversation = Conversation.new(CLAUDE, i, sentences=3, tools=1)
        conversation.ask(1)
        prompt = read_prompt("messages", conversation.body())
        assert prompt is not None
        usage = Usage(input_tokens=100, cache_read_tokens=0, cache_write_tokens=90)
        analyzer.explain(
            Observation(provider="anthropic", model=CLAUDE, scope="", at=i, ready_at=i, prompt=prompt, usage=usage)
        )
        assert index.used_bytes <= 400_000 or len(index) == 1
    assert 0 < len(index) < 600
