"""A prompt that another instrumentation tells of is read whole, and no more is claimed of it than it shows."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import pydantic
import pytest

from llm_observer.analysis.analyzer import Analyzer, Finding, Observation
from llm_observer.analysis.causes import in_order
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.told_prompt import read_told
from llm_observer.privacy import Hasher
from llm_observer.usage import Usage

CLERK = "You are a careful clerk who answers letters in one paragraph each. "
HEAD = CLERK * 700
ONLY_THE_WIRE_SHOWS = {
    "json_key_order", "whitespace", "tool_order", "no_breakpoint", "too_many_breakpoints", "breakpoint_after_volatile",
    "boundary_missing", "lookback_exceeded", "ttl_expired", "concurrent_cold_start", "evicted_or_rerouted",
    "cache_key_changed", "tool_choice_changed", "effort_changed", "text_format_changed", "verbosity_changed",
}  # fmt: skip


@dataclass
class Part:
    content: Any
    type: str = "text"


@dataclass
class Call:
    name: str
    arguments: Any
    id: str | None = None
    type: str = "tool_call"


@dataclass
class Message:
    role: str
    parts: list[Any]
    name: str | None = None


@dataclass
class Tool:
    name: str
    parameters: Any = None
    description: str | None = None
    type: str = "function"


class Where(pydantic.BaseModel):
    city: str
    street: str | None = None


class Colour(Enum):
    RED = "red"
    FIRST = 1


def told(prompt: Prompt | None) -> Prompt:
    assert prompt is not None
    assert not prompt.as_sent
    return prompt


def texts(*parts: Any) -> list[str]:
    return [segment.text for segment in told(read_told([Message("user", list(parts))])).segments]


def test_the_segments_stand_in_the_order_tools_system_messages() -> None:
    prompt = told(
        read_told(
            [
                Message("system", [Part("more rules")]),
                Message("user", [Part("what is it?"), Part("see", "reasoning")]),
                Message("assistant", [Call("look", {"a": 1}, "1")]),
                Message("tool", [{"type": "tool_call_response", "response": "42", "id": "1"}]),
            ],
            [Part("rules")],
            [Tool("look")],
        )
    )
    assert [(segment.path, segment.kind) for segment in prompt.segments] == [
        ("tools[0]", "tool"),
        ("system[0]", "system"),
        ("messages[0].parts[0]", "system"),
        ("messages[1].parts[0]", "user"),
        ("messages[1].parts[1]", "thinking"),
        ("messages[2].parts[0]", "tool_use"),
        ("messages[3].parts[0]", "tool_result"),
    ]
    assert prompt.head == 3
    assert [segment.message_end for segment in prompt.segments] == [False, True, True, False, True, True, True]


def test_dataclasses_and_mappings_that_say_the_same_are_one_prompt() -> None:
    plain = {"role": "user", "parts": [{"type": "text", "content": "hi"}, {"type": "tool_call", "name": "f",
             "arguments": {"b": 1, "a": [1.5, None, True]}}]}  # fmt: skip
    typed = Message("user", [Part("hi"), Call("f", {"a": (1.5, None, True), "b": 1})])
    assert read_told([plain]) == read_told((typed,))


def test_neither_key_order_nor_the_order_of_tools_makes_a_difference() -> None:
    one = read_told([], [], [Tool("a", {"x": 1, "y": 2}), Tool("b")])
    other = read_told([], [], [Tool("b"), Tool("a", {"y": 2, "x": 1})])
    assert [s.text for s in told(one).segments] == [s.text for s in told(other).segments]
    assert [s.path for s in told(other).segments] == ["tools[1]", "tools[0]"]


def test_files_are_told_by_their_digest_and_by_their_place() -> None:
    one, same, other = texts(
        {"type": "blob", "content": b"abc", "modality": "image"},
        {"type": "blob", "content": bytearray(b"abc"), "modality": "image"},
        {"type": "blob", "content": memoryview(b"abd"), "modality": "image"},
    )
    assert one == same != other
    assert "abc" not in one
    kinds = [
        s.kind for s in told(read_told([Message("user", [{"type": "uri", "uri": "u"}, {"type": "file"}])])).segments
    ]
    assert kinds == ["media", "media"]


def test_odd_parts_are_read_as_they_are() -> None:
    mixed = Part({Colour.RED: {3, 1}, 2: Colour.FIRST}, Colour.RED.value)
    assert texts("bare", Part(Where(city="Bonn"), "place"), mixed) == [
        "bare", '{"content":{"city":"Bonn"},"type":"place"}', '{"content":{"2":1,"red":[1,3]},"type":"red"}',
    ]  # fmt: skip
    assert told(read_told([Message("user", "whole")])).segments[0].text == "whole"  # pyright: ignore[reportArgumentType]
    assert told(read_told(None)).segments == ()
    assert told(read_told("nothing", 7, {"a": 1})).segments == ()


def deep(levels: int) -> Any:
    return {"a": deep(levels - 1)} if levels else 1


def cycle() -> Any:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "odd", [object(), iter("ab"), deep(100), cycle(), {object(): 1}, "x" * 2_000_000, b"x" * 2_000_000, [0] * 50_000]
)
def test_what_cannot_be_read_or_is_too_much_makes_no_prompt(odd: Any) -> None:
    """Left out, two prompts that differ in it would look the same."""
    assert read_told([Message("user", [Part(odd, "text" if isinstance(odd, str) else "odd")])], most=1 << 20) is None


def test_nothing_is_used_up_and_nothing_changed() -> None:
    left: Iterator[int] = iter([1, 2])
    parts = [Part(left, "odd")]
    assert read_told([Message("user", parts)]) is None
    assert list(left) == [1, 2]


class Talk:
    """Calls of one model one after another, as told."""

    def __init__(self, provider: str = "gcp.gemini", model: str = "gemini-2.5-flash") -> None:
        self.analyzer = Analyzer(Hasher(b"k" * 32))
        self.provider, self.model = provider, model
        self.at = 1000.0

    def call(self, prompt: Prompt | None, *, read: int | None, gap: float = 10.0, tokens: int = 9500) -> Finding:
        self.at += gap
        return self.analyzer.explain(
            Observation(
                provider=self.provider,
                model=self.model,
                scope="told",
                at=self.at,
                ready_at=self.at + 1,
                prompt=told(prompt),
                usage=Usage(input_tokens=tokens, output_tokens=5, cache_read_tokens=read),
            )
        )


def asked(system: str = HEAD, question: str = "And this one?", tools: list[Any] | None = None) -> Prompt | None:
    return read_told([Message("user", [Part(question)])], [Part(system)], tools or [])


def test_hashes_of_what_was_sent_are_not_claimed() -> None:
    report = Talk().call(asked(), read=0).prompt
    assert report.hash is None
    assert report.chain == ()
    assert report.canonical_hash
    assert report.family


def test_a_changed_time_ahead_of_the_rest_is_named_where_the_read_was_lost() -> None:
    talk = Talk()
    talk.call(asked(f"It is 2026-12-01T10:00:00Z. {HEAD}"), read=0)
    verdict = talk.call(asked(f"It is 2026-12-01T10:01:00Z. {HEAD}"), read=0).verdict
    assert (verdict.broke, verdict.cause, verdict.location) == (True, "timestamp", "system[0]")
    assert verdict.offset == 6
    assert verdict.confidence <= 0.6


def test_without_a_figure_of_the_cache_there_is_no_verdict() -> None:
    talk = Talk()
    talk.call(asked(f"It is 2026-12-01T10:00:00Z. {HEAD}"), read=None)
    verdict = talk.call(asked(f"It is 2026-12-01T10:01:00Z. {HEAD}"), read=None).verdict
    assert (verdict.outcome, verdict.broke, verdict.reported_tokens) == ("not_reported", False, None)


def test_a_read_that_nothing_told_explains_is_not_laid_on_the_provider() -> None:
    """Key order, parameters, keys: what was sent may differ all the same."""
    for gap in (10.0, 100_000.0):
        talk = Talk("openai", "gpt-4o")
        talk.call(asked(), read=0)
        verdict = talk.call(asked(question="Another"), read=0, gap=gap).verdict
        assert (verdict.broke, verdict.cause) == (False, "none")


CHANGES: Mapping[str, tuple[Any, Any]] = {
    "white space": (asked(HEAD), asked(HEAD.replace(". ", ".  "))),
    "order of tools": (asked(tools=[Tool("a"), Tool("b")]), asked(tools=[Tool("b"), Tool("a")])),
    "key order": (asked(tools=[Tool("a", {"x": 1, "y": 2})]), asked(tools=[Tool("a", {"y": 2, "x": 1})])),
    "nothing": (asked(), asked()),
    "a tool more": (asked(tools=[Tool("a")]), asked(tools=[Tool("a"), Tool("b")])),
    "the system text": (asked(HEAD), asked(HEAD.replace("careful", "hasty", 1))),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("gcp.gemini", "gemini-2.5-flash"),
        ("openai", "gpt-4o"),
        ("openai", "gpt-5.6"),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
        ("anthropic", "claude-sonnet-5"),
        ("mistral_ai", "mistral-large"),
        ("deepseek", "deepseek-chat"),
        ("nobody", "x"),
    ],
)
@pytest.mark.parametrize("read", [0, 1100])
def test_no_cause_is_claimed_that_takes_the_request_as_sent(change: str, provider: str, model: str, read: int) -> None:
    talk = Talk(provider, model)
    first, second = CHANGES[change]
    talk.call(first, read=0)
    verdict = talk.call(second, read=read).verdict
    assert not {verdict.cause, *verdict.causes} & ONLY_THE_WIRE_SHOWS
    assert verdict.causes == in_order(verdict.causes)
    if verdict.broke:
        assert verdict.expected_tokens is not None
        assert math.isclose(verdict.confidence, min(verdict.confidence, 0.6))


def test_the_same_prompt_as_sent_is_still_explained_as_before() -> None:
    talk = Talk("openai", "gpt-4o")

    def sent(text: str) -> Finding:
        talk.at += 10
        return talk.analyzer.explain(
            Observation(
                provider="openai",
                model="gpt-4o",
                scope="",
                at=talk.at,
                ready_at=talk.at + 1,
                prompt=replace(told(asked(text)), as_sent=True),
                usage=Usage(input_tokens=9500, output_tokens=5, cache_read_tokens=0),
            )
        )

    sent(HEAD)
    finding = sent(HEAD.replace(". ", ".  "))
    assert finding.verdict.cause == "whitespace"
    assert finding.prompt.hash
