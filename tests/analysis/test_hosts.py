"""Hosts with the OpenAI API and caches of their own, and conversations that the provider keeps."""

from collections.abc import Iterable
from typing import Any

import pytest
from workload import Writer

import llm_observer
from llm_observer.results import Verdict

JSON = dict[str, Any]

SYSTEM = Writer(3).text(250)
HOSTS = {
    "gcp.gemini": "gemini-2.5-flash",
    "gcp.vertex_ai": "gemini-2.5-pro",
    "deepseek": "deepseek-chat",
    "x_ai": "grok-4",
    "groq": "llama-3.3-70b-versatile",
    "moonshot_ai": "kimi-k2.6",
    "mistral_ai": "mistral-large-latest",
    "openrouter": "openai/gpt-4.1",
    "together_ai": "meta-llama/llama-4",
    "azure.ai.openai": "gpt-4.1",
}
STEP = 128


def talk(turns: int, seed: int = 100, head: str = "", first: int = 0) -> list[JSON]:
    made: list[JSON] = [{"role": "system", "content": head + SYSTEM}]
    for n in range(first, turns):
        made.append({"role": "user", "content": Writer(seed + n).text(20)})
        made.append({"role": "assistant", "content": Writer(seed + n + 500).text(20)})
    return [*made, {"role": "user", "content": Writer(seed + turns).text(20)}]


def alike(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def judged(provider: str, prompts: Iterable[list[JSON]]) -> list[Verdict]:
    """The verdicts where the host reads all that an earlier prompt shares, four characters to a token, in steps."""
    records: list[JSON] = []
    earlier: list[str] = []
    for n, messages in enumerate(prompts):
        text = "".join(f"{m['role']}\n{m['content']}\n" for m in messages)
        shared = max((alike(text, other) for other in earlier), default=0) // 4
        read = shared - shared % STEP if shared >= 2048 else 0
        earlier.append(text)
        details = {"cached_tokens": read}
        usage = {"prompt_tokens": len(text) // 4, "completion_tokens": 9, "prompt_tokens_details": details}
        request = {"model": HOSTS[provider], "messages": messages, "prompt_cache_key": "app"}
        record = {"at": 1_790_000_000 + 10 * n, "provider": provider, "api": "chat.completions", "usage": usage}
        records.append(record | {"request": request, "first_byte_s": 1.0, "duration_s": 2.0})
    return [report.cache for report in llm_observer.analyze(records)]


@pytest.mark.parametrize("provider", HOSTS)
def test_healthy_conversations_are_blamed_for_nothing(provider: str) -> None:
    prompts = [*(talk(n) for n in range(5)), *(talk(n, 3000) for n in range(3)), *(talk(0, 50 * n) for n in range(3))]
    verdicts = judged(provider, prompts)
    assert all(verdict.reported_tokens for verdict in verdicts[1:])
    assert {(verdict.broke, verdict.cause) for verdict in verdicts} == {(False, "none")}


@pytest.mark.parametrize("provider", ["gcp.gemini", "azure.ai.openai"])
def test_what_moves_in_front_is_named_where_it_is_known_what_is_cached(provider: str) -> None:
    first, *later = judged(provider, (talk(0, n, f"Current time: 2026-11-2{n}T10:4{n}:1{n}Z\n") for n in range(4)))
    assert not first.broke
    assert {(v.broke, v.cause, v.location) for v in later} == {(True, "timestamp", "messages[0]")}


@pytest.mark.parametrize("provider", ["openrouter", "together_ai", "groq", "x_ai"])
def test_nothing_is_claimed_of_a_host_of_which_it_is_not_known(provider: str) -> None:
    verdicts = judged(provider, (talk(0, n, f"Current time: 2026-11-2{n}T10:4{n}:1{n}Z\n") for n in range(4)))
    assert not any(verdict.broke for verdict in verdicts)


@pytest.mark.parametrize("kept", ["previous_response_id", "conversation"])
def test_a_conversation_that_the_provider_keeps_is_blamed_for_nothing(kept: str) -> None:
    whole, records = 4000, list[JSON]()
    for n in range(6):
        before = whole if n else 0
        whole += 400
        name = {kept: "conv_1" if kept == "conversation" else f"resp_{n - 1}"} if n or kept == "conversation" else {}
        request = {"model": "gpt-4.1", "instructions": SYSTEM, "input": Writer(n).text(5)} | name
        usage = {"input_tokens": whole, "input_tokens_details": {"cached_tokens": before - before % STEP}}
        record = {"at": 1_790_000_000 + 20 * n, "provider": "openai", "api": "responses", "request": request}
        records.append(record | {"usage": usage | {"output_tokens": 100}, "first_byte_s": 1.0, "duration_s": 2.0})
    verdicts = [report.cache for report in llm_observer.analyze(records)]
    assert [verdict.outcome for verdict in verdicts] == ["cold", *["hit"] * 5]
    assert not any(verdict.broke for verdict in verdicts)
