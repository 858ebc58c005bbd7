"""What is carried from one turn to the next changes no finding, and is bounded."""

from typing import Any

from llm_observer.analysis.analyzer import Analyzer, Finding, Observation
from llm_observer.analysis.prompts import read_prompt
from llm_observer.privacy import Hasher
from llm_observer.usage import Usage

KEY = b"a key for the tests of turns"


def explain(analyzer: Analyzer, texts: list[str], at: float, **body: Any) -> Finding:
    messages = [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)]
    prompt = read_prompt("messages", {"system": "Be brief.", "messages": messages, **body})
    assert prompt is not None
    usage = Usage(input_tokens=900, cache_read_tokens=0, cache_write_tokens=0)
    return analyzer.explain(
        Observation(provider="anthropic", model="m", scope="", at=at, ready_at=at, prompt=prompt, usage=usage)
    )


def test_a_prompt_has_the_same_hashes_whatever_turn_came_before() -> None:
    talk = ["What is it?", "A lamp.", "And that?", "A door.", "Why?"]
    turns: list[tuple[list[str], dict[str, Any]]] = [
        (talk[:1], {}),
        (talk[:3], {}),
        (talk, {}),
        ([talk[0], "A lantern.", *talk[2:]], {}),
        (talk[:3], {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        (talk, {"tool_choice": {"type": "any"}}),
        (["Who?"], {}),
        (talk, {}),
    ]
    analyzer = Analyzer(Hasher(KEY))
    for i, (texts, body) in enumerate(turns):
        carried = explain(analyzer, texts, float(i), **body).prompt
        fresh = explain(Analyzer(Hasher(KEY)), texts, 0.0, **body).prompt
        for name in ("hash", "canonical_hash", "family", "segments", "chain"):
            assert getattr(carried, name) == getattr(fresh, name), (i, name)


def test_a_prompt_has_the_same_hashes_when_what_came_before_was_forgotten() -> None:
    little = Analyzer(Hasher(KEY), max_bytes=20_000)
    plenty = Analyzer(Hasher(KEY))
    for i in range(60):
        texts = [f"Question of {i % 3}", *(f"Answer {n}" for n in range(i))]
        assert explain(little, texts, float(i)).prompt.hash == explain(plenty, texts, float(i)).prompt.hash
    assert sum(little.sizes()) < sum(plenty.sizes())
