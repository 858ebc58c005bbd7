"""Several workspaces, and service tiers on hosts of all kinds: what is one cache, and what is none of another's.

The demo provider keeps a cache for each workspace; that of the hosts is written here, by what their documents say.
"""

from typing import Any

import pytest
from recorded import JSON, recorder
from scenarios import Source, chat_of, fresh, go_on, talked
from traffic import SHAPES, Shape
from workload import Writer

import llm_observer
from llm_observer.results import Verdict

SPACES = ("one", "two", "three")


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
def test_workspaces_that_share_a_prompt_in_turn_are_blamed_for_nothing(shape: Shape) -> None:
    """Each begins cold, whatever the others have sent; a call in one is no writer for another's."""
    source = Source(4)
    talks = {space: talked(source, shape, 1) for space in SPACES}
    for talk in talks.values():
        talk.system, talk.tools, talk.turns = talks["one"].system, talks["one"].tools, [*talks["one"].turns]
    with recorder() as calls:
        for n in range(4):
            for space, talk in talks.items():
                if n:
                    go_on(talk, source)
                calls.call(shape.api, talk.body(), after_s=0.3 if n == 0 else 5.0, scope=space)
    verdicts = [report.cache for report in llm_observer.analyze(calls.records)]
    assert not any(verdict.broke for verdict in verdicts)
    assert [verdict.outcome for verdict in verdicts] == ["cold"] * 3 + ["hit"] * 9


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
def test_what_breaks_in_one_workspace_is_named_there_and_nowhere_else(shape: Shape) -> None:
    source = Source(5)
    base = chat_of(source, shape)
    spaces: list[str] = []
    with recorder() as calls:
        for n in range(4):
            for space in SPACES:
                talk = fresh(base, source)
                if space == "two":
                    talk.system[0] = f"It is 2026-11-22T10:0{n}:27Z now.\n{talk.system[0]}"
                calls.call(shape.api, talk.body(), scope=space)
                spaces.append(space)
    verdicts = [report.cache for report in llm_observer.analyze(calls.records)]
    for n, (space, verdict) in enumerate(zip(spaces, verdicts, strict=True)):
        stamped = space == "two" and n >= len(SPACES)
        assert (verdict.cause, verdict.broke) == (("timestamp", True) if stamped else ("none", False))


def test_a_workspace_that_is_not_named_is_one_of_its_own() -> None:
    source, shape = Source(6), SHAPES[0]
    base = chat_of(source, shape)
    with recorder() as calls:
        for space in ("one", "two", "one", "two"):
            calls.call(shape.api, fresh(base, source).body(), scope=space)
    for record in calls.records:
        if record["scope"] == "two":
            del record["scope"]
    verdicts = [report.cache for report in llm_observer.analyze(calls.records)]
    assert [(verdict.outcome, verdict.broke) for verdict in verdicts] == [
        ("cold", False), ("cold", False), ("hit", False), ("hit", False)
    ]  # fmt: skip


SYSTEM = Writer(3).text(250)
HOSTS: dict[str, tuple[str, str, str]] = {
    "groq": ("llama-3.3-70b-versatile", "on_demand", "flex"),
    "deepseek": ("deepseek-chat", "default", "priority"),
    "gcp.gemini": ("gemini-2.5-flash", "standard", "priority"),
    "x_ai": ("grok-4", "default", "priority"),
    "moonshot_ai": ("kimi-k2.6", "default", "flex"),
    "openrouter": ("openai/gpt-4.1", "default", "flex"),
    "azure.ai.openai": ("gpt-4.1", "default", "priority"),
    "openai": ("gpt-4.1", "auto", "flex"),
}
"""A model of each, and two tiers."""


def tiered(provider: str, tiers: list[str], reads: list[bool]) -> list[Verdict]:
    """Questions to one prompt, ten seconds apart, each under a tier; whether the prompt was read from the cache."""
    model, *_ = HOSTS[provider]
    records: list[JSON] = []
    for n, (tier, read) in enumerate(zip(tiers, reads, strict=True)):
        question = Writer(40 + n).text(6)
        whole = (len(SYSTEM) + len(question)) // 4
        head = len(SYSTEM) // 4
        details: JSON = {"cached_tokens": head - head % 128 if read else 0}
        usage = {"prompt_tokens": whole, "completion_tokens": 9, "prompt_tokens_details": details}
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
        request: JSON = {"model": model, "messages": messages, "service_tier": tier}
        record: JSON = {"at": 1_790_000_000 + 10 * n, "provider": provider, "api": "chat.completions", "usage": usage}
        records.append(record | {"request": request, "first_byte_s": 1.0, "duration_s": 2.0})
    return [report.cache for report in llm_observer.analyze(records)]


@pytest.mark.parametrize("provider", HOSTS)
def test_a_tier_that_shares_the_cache_is_blamed_for_nothing(provider: str) -> None:
    _, usual, other = HOSTS[provider]
    verdicts = tiered(provider, [usual, other, usual, other], [False, True, True, True])
    assert {(verdict.broke, verdict.cause) for verdict in verdicts} == {(False, "none")}


@pytest.mark.parametrize("provider", HOSTS)
def test_a_read_that_did_not_come_is_held_against_the_tier_only_where_it_is_documented(provider: str) -> None:
    _, usual, other = HOSTS[provider]
    verdict = tiered(provider, [usual, usual, other], [False, True, False])[-1]
    if provider in {"openai", "azure.ai.openai"}:
        assert (verdict.broke, verdict.cause, verdict.location) == (True, "service_tier_changed", "service_tier")
    else:
        assert verdict.cause in {"none", "evicted_or_rerouted"}
        assert verdict.avoidable is False


@pytest.mark.parametrize(("before", "after"), [(None, "default"), ("auto", None), ("default", "auto")])
def test_a_default_tier_that_is_spelled_out_is_no_other(before: str | None, after: str | None) -> None:
    """A read that did not come has another reason then."""
    source, shape = Source(7), SHAPES[2]
    base = chat_of(source, shape)
    with recorder() as calls:
        for tier in (before, before, after):
            base.more = {} if tier is None else {"service_tier": tier}
            calls.call(shape.api, fresh(base, source).body())
    details: Any = calls.records[-1]["response"]["usage"]["prompt_tokens_details"]
    assert details["cached_tokens"]
    details["cache_write_tokens"] += details["cached_tokens"]
    details["cached_tokens"] = 0
    assert [r.cache.cause for r in llm_observer.analyze(calls.records)] == ["none", "none", "evicted_or_rerouted"]


@pytest.mark.parametrize("provider", ["anthropic", "aws.bedrock", "gcp.vertex_ai"])
def test_a_tier_of_claude_is_no_cache_of_its_own(provider: str) -> None:
    source, shape = Source(8), SHAPES[0]
    talk = talked(source, shape, 1)
    with recorder() as calls:
        for tier in ("auto", "standard_only", "auto"):
            talk.more = {"service_tier": tier}
            calls.call(shape.api, talk.body())
            go_on(talk, source)
    records = [record | {"provider": provider} for record in calls.records]
    verdicts = [report.cache for report in llm_observer.analyze(records)]
    assert [(verdict.outcome, verdict.broke) for verdict in verdicts] == [
        ("cold", False),
        ("hit", False),
        ("hit", False),
    ]
