"""Conversations that the provider keeps, gone on with otherwise than before.

The provider here keeps them, and a cache by OpenAI's guide: before GPT-5.6 the longest prefix in steps, from then on
what ends where a user's message does. Model, parameters, key and tier are part of every prefix.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from workload import Writer

import llm_observer
from llm_observer.results import Verdict

JSON = dict[str, Any]

OLDER, NEWER = "gpt-5.2", "gpt-5.6"
RULES = Writer(3).text(120)
STEP, LEAST = 128, 1024
TOOL: JSON = {"type": "function", "name": "look_up", "description": Writer(4).text(9), "parameters": {}}


class Provider:
    """Answers one call after another, ten seconds apart, and keeps the record of each."""

    def __init__(self, *, names: str = "previous_response_id") -> None:
        self.names = names
        self.records: list[JSON] = []
        self._talks: dict[str, list[str]] = {}
        self._prefixes: dict[str, set[str]] = {}
        self._at = 1_790_000_000.0

    def call(self, body: JSON, *, after_s: float = 10.0, thinks: int = 0, fresh: bool = False) -> None:
        """Make a call that goes on with the conversation so far, or with none."""
        self._at += after_s
        number = len(self.records)
        before = f"resp_{number - 1}" if self.names == "previous_response_id" else "conv_1"
        body = {"model": OLDER, **body}
        if self.names == "conversation" or not (fresh or number == 0):
            body[self.names] = before
        said = [*([] if fresh else self._talks.get(before, [])), *(json.dumps(item) for item in body["input"])]
        read, written, total = self._served(body, said)
        answer = json.dumps({"role": "assistant", "content": Writer(500 + number).text(6)}) + "~" * thinks
        self._talks[f"resp_{number}"] = self._talks["conv_1"] = [*said, answer]
        details: JSON = {"cached_tokens": read}
        if body["model"] == NEWER:
            details["cache_write_tokens"] = written
        usage = {"input_tokens": total, "input_tokens_details": details, "output_tokens": 40}
        record = {"at": self._at, "provider": "openai", "api": "responses", "request": body, "duration_s": 2.0}
        self.records.append(record | {"response": {"id": f"resp_{number}", "model": body["model"], "usage": usage}})

    def _served(self, body: JSON, said: list[str]) -> tuple[int, int, int]:
        whose = ("model", "reasoning", "text", "service_tier", "prompt_cache_key", "parallel_tool_calls")
        seed = json.dumps([body.get(name) for name in whose])
        head = json.dumps(body.get("tools", [])) + body.get("instructions", "")
        kept = self._prefixes.setdefault(seed, set())
        whole = head + "".join(said)
        if body["model"] == NEWER:
            ends = [n for n, text in enumerate(said, 1) if '"user"' in text or "_output" in text]
            ends = [n for n in ends if n == len(said) or "_output" not in said[n]]
            prefixes = [head + "".join(said[:n]) for n in ends]
            read = max((len(p) // 4 for p in prefixes if p in kept), default=0)
            most = len(prefixes[-1]) // 4
            kept.add(prefixes[-1])
            return (read, most - read, len(whole) // 4) if most >= LEAST else (0, 0, len(whole) // 4)
        read = max((_alike(whole, other) // 4 for other in kept), default=0)
        kept.add(whole)
        return read - read % STEP if read >= LEAST else 0, 0, len(whole) // 4

    def verdicts(self) -> list[Verdict]:
        return [report.cache for report in llm_observer.analyze(self.records)]


def _alike(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def turn(n: int, **more: Any) -> JSON:
    return {"instructions": RULES, "input": [{"role": "user", "content": Writer(n).text(12)}], **more}


CHANGES: dict[str, tuple[JSON, JSON, str, str]] = {
    "model": ({}, {"model": "gpt-5.1"}, "model_changed", "model"),
    "effort": (
        {"reasoning": {"effort": "low"}},
        {"reasoning": {"effort": "high"}},
        "effort_changed",
        "reasoning.effort",
    ),
    "effort left out": ({"reasoning": {"effort": "low"}}, {}, "effort_changed", "reasoning.effort"),
    "verbosity": ({}, {"text": {"verbosity": "high"}}, "verbosity_changed", "text.verbosity"),
    "format": ({}, {"text": {"format": {"type": "json_object"}}}, "text_format_changed", "text.format"),
    "key": ({"prompt_cache_key": "a"}, {"prompt_cache_key": "b"}, "cache_key_changed", "prompt_cache_key"),
    "tier": ({}, {"service_tier": "flex"}, "service_tier_changed", "service_tier"),
    "tools": ({"tools": [TOOL]}, {"tools": [TOOL, {**TOOL, "name": "refund"}]}, "tool_membership", "tools[1]"),
    "tool": ({"tools": [TOOL]}, {"tools": [{**TOOL, "description": "Looks."}]}, "tool_schema", "tools[0]"),
    "instructions": ({}, {"instructions": RULES.replace(" ", " really ", 1)}, "system_changed", "instructions"),
    "time": (
        {"instructions": f"It is 2026-11-22T10:00:27Z now.\n{RULES}"},
        {"instructions": f"It is 2026-11-22T10:01:07Z now.\n{RULES}"},
        "timestamp",
        "instructions",
    ),
}


@pytest.mark.parametrize("names", ["previous_response_id", "conversation"])
@pytest.mark.parametrize("model", [OLDER, NEWER])
@pytest.mark.parametrize("change", CHANGES)
def test_a_kept_conversation_that_is_gone_on_with_otherwise_is_billed_anew(change: str, model: str, names: str) -> None:
    before, after, cause, where = CHANGES[change]
    provider = Provider(names=names)
    for n in range(3):
        provider.call({"model": model, **turn(n), **before})
    provider.call({"model": model, **turn(3), **after})
    provider.call({"model": model, **turn(4), **after})
    *healthy, verdict, last = provider.verdicts()
    assert not any(v.broke for v in (*healthy, last))
    assert (verdict.broke, verdict.cause, verdict.location) == (True, cause, where)
    assert verdict.outcome == "miss"
    held = provider.records[2]["response"]["usage"]
    details = held["input_tokens_details"]
    cached = details["cached_tokens"] + details["cache_write_tokens"] if model == NEWER else held["input_tokens"]
    assert verdict.expected_tokens is not None
    assert verdict.tokens_error is not None
    assert abs(verdict.expected_tokens - cached) <= max(verdict.tokens_error * cached, STEP)
    assert verdict.missed_tokens == verdict.expected_tokens


@pytest.mark.parametrize("model", [OLDER, NEWER])
def test_what_others_read_of_the_instructions_is_not_what_was_lost(model: str) -> None:
    """Another conversation with the new effort has left the instructions in the cache, on a model that reads these."""
    provider = Provider()
    high: JSON = {"model": model, "reasoning": {"effort": "high"}}
    provider.call(turn(50, **high))
    for n in range(3):
        provider.call(turn(n, model=model), fresh=n == 0)
    provider.call(turn(3, **high))
    verdict = provider.verdicts()[-1]
    assert (verdict.broke, verdict.cause) == (True, "effort_changed")
    assert bool(verdict.reported_tokens) == (model == OLDER)
    held = provider.records[-2]["response"]["usage"]["input_tokens"]
    assert verdict.expected_tokens == pytest.approx(held, rel=0.2)


def calls_tool(n: int) -> JSON:
    """What the application answers to a call of its tool."""
    return {"instructions": RULES, "tools": [TOOL], "input": [
        {"type": "function_call_output", "call_id": f"call_{n}", "output": Writer(n).text(8)}
    ]}  # fmt: skip


def test_behind_calls_of_tools_it_is_not_known_how_much_was_lost() -> None:
    """What the model thought between them is left out of the prompt once they are done."""
    provider = Provider()
    provider.call(turn(0, tools=[TOOL]), thinks=300)
    provider.call(calls_tool(1), thinks=300)
    provider.call(turn(2, tools=[TOOL], reasoning={"effort": "high"}))
    verdict = provider.verdicts()[-1]
    assert (verdict.broke, verdict.cause) == (True, "effort_changed")
    assert (verdict.expected_tokens, verdict.missed_tokens, verdict.lost_usd) == (None, None, None)
    assert verdict.confidence <= 0.6


def drop_ids(provider: Provider) -> None:
    for record in provider.records:
        del record["response"]["id"]


def expire(provider: Provider) -> None:
    provider.records[-1]["at"] += 90_000


def shorten(provider: Provider) -> None:
    provider.records[-1]["response"]["usage"]["input_tokens"] = 2100


def search(provider: Provider) -> None:
    for record in provider.records:
        record["request"]["tools"] = [{"type": "web_search"}]


def read(provider: Provider) -> None:
    usage = provider.records[-2]["response"]["usage"]
    provider.records[-1]["response"]["usage"]["input_tokens_details"]["cached_tokens"] = usage["input_tokens"] - 200


def elsewhere(provider: Provider) -> None:
    for record in provider.records[:-1]:
        record["scope"] = "another project"


@pytest.mark.parametrize("doubt", [drop_ids, expire, shorten, search, read, elsewhere])
def test_nothing_is_held_against_a_change_where_another_reason_may_be(doubt: Callable[[Provider], None]) -> None:
    """The call before is not known, its entry is gone, what it said is gone, counts are sums, or it was read."""
    provider = Provider()
    short = Writer(9).text(12)
    for n in range(3):
        provider.call({**turn(n), "instructions": short, "input": [{"role": "user", "content": Writer(n).text(60)}]})
    provider.call({**turn(3), "instructions": short, "reasoning": {"effort": "high"}})
    assert provider.verdicts()[-1].cause == "effort_changed"
    doubt(provider)
    assert provider.verdicts()[-1].broke is False


@pytest.mark.parametrize("names", ["previous_response_id", "conversation"])
@pytest.mark.parametrize("model", [OLDER, NEWER])
def test_a_long_kept_conversation_is_blamed_for_nothing(model: str, names: str) -> None:
    """With tools, thought, pauses within the lifetime, and settings that no cache depends on."""
    provider = Provider(names=names)
    for n in range(12):
        more: JSON = {"temperature": n / 10, "max_output_tokens": 100 + n, "metadata": {"n": str(n)}}
        body = calls_tool(n) if n % 3 == 1 else turn(n, tools=[TOOL])
        provider.call({"model": model, **body, **more}, after_s=200.0 if n % 4 == 3 else 10.0, thinks=50 * (n % 3))
    verdicts = provider.verdicts()
    assert not any(verdict.broke for verdict in verdicts)
    assert [verdict.outcome for verdict in verdicts] == ["cold", *["hit"] * 11]
