"""Canonical forms and similarity: what counts as equal, what does not, and what holds for any prompt."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workload import CLAUDE, NEWER, OLDER, Conversation, api_of

from llm_observer import prefix_similarity
from llm_observer.analysis.analyzer import Analyzer, Observation
from llm_observer.analysis.canonical import canonical_forms
from llm_observer.analysis.prompts import read_prompt
from llm_observer.analysis.segments import Segment
from llm_observer.privacy import Hasher
from llm_observer.results import PromptReport

JSON = dict[str, Any]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("abc dé\n", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
QUICK = settings(max_examples=60)


def text(value: str) -> Segment:
    return Segment("system[0]", "system", value, role="system")


def tool(value: object) -> Segment:
    return Segment("tools[0]", "tool", json.dumps(value, ensure_ascii=False), is_json=True)


def canonical(segment: Segment) -> str:
    return canonical_forms(segment).canonical


GOLDEN = [
    ("  Be   brief.\r\n\r\nBe kind. \n", "Be brief. Be kind."),
    (unicodedata.normalize("NFD", "Café à la carte"), "Café à la carte"),
    ("It is 2026-11-22T10:00:27Z now.", "It is ⟨timestamp⟩ now."),
    ("Version 2.12.0 of gpt-4o-2024-08-06", "Version 2.12.0 of gpt-4o-2024-08-06"),
]


@pytest.mark.parametrize(("sent", "expected"), GOLDEN)
def test_golden_canonical_texts(sent: str, expected: str) -> None:
    assert canonical(text(sent)) == expected


GOLDEN_JSON = [
    ('{"b":1,"a":[2,{"d":1.0,"c":"x  y"}]}', '{"a":[2,{"c":"x y","d":1}],"b":1}'),
    ('{"arguments":"{\\"z\\": 1, \\"a\\": 2}"}', '{"arguments":{"a":2,"z":1}}'),
    ('{"a":"\\u00e9"}', '{"a":"é"}'),
    ("{not json", "{not json"),
]


@pytest.mark.parametrize(("sent", "expected"), GOLDEN_JSON)
def test_golden_canonical_json(sent: str, expected: str) -> None:
    assert canonical(Segment("tools[0]", "tool", sent, is_json=True)) == expected


def shuffled(value: Any, order: Any) -> Any:
    if isinstance(value, dict):
        items: list[Any] = list(value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        order.shuffle(items)
        return {key: shuffled(item, order) for key, item in items}
    if isinstance(value, list):
        return [shuffled(item, order) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


@QUICK
@given(VALUES, st.randoms(use_true_random=False))
def test_permuting_keys_never_changes_the_canonical_form(value: Any, order: Any) -> None:
    assert canonical(tool(value)) == canonical(tool(shuffled(value, order)))


@QUICK
@given(st.text(max_size=200))
def test_the_canonical_form_of_a_canonical_text_is_itself(value: str) -> None:
    once = canonical(text(value))
    assert canonical(text(once)) == once


@QUICK
@given(
    st.lists(st.text("abcdefgh", min_size=1, max_size=8), min_size=1, max_size=12),
    st.sampled_from([" ", "\n", "\t ", "\r\n"]),
)
def test_white_space_never_changes_the_canonical_form(words: list[str], space: str) -> None:
    assert canonical(text(" ".join(words))) == canonical(text(space + (space * 2).join(words) + space))


def report(body: JSON, api: str, key: bytes = b"one key of the installation") -> PromptReport:
    prompt = read_prompt(api, body)
    assert prompt is not None
    analyzer = Analyzer(Hasher(key))
    call = Observation(provider="p", model="m", scope="", at=0.0, ready_at=1.0, prompt=prompt)
    return analyzer.explain(call).prompt


@pytest.mark.parametrize("model", [CLAUDE, OLDER, NEWER])
def test_prompts_that_differ_in_noise_have_equal_canonical_hashes_and_other_wire_hashes(model: str) -> None:
    plain = Conversation.new(model, 5)
    plain.ask()
    noisy = Conversation.new(model, 5)
    noisy.ask()
    noisy.system = noisy.system.replace("\n", "\r\n ") + " \n"
    noisy.tools = [dict(reversed(tool.items())) for tool in reversed(noisy.tools)]
    a, b = report(plain.body(), api_of(model)), report(noisy.body(), api_of(model))
    assert a.canonical_hash == b.canonical_hash
    assert a.family == b.family
    assert a.hash != b.hash
    assert prefix_similarity(plain.body(), noisy.body()) == 1.0


@pytest.mark.parametrize("model", [CLAUDE, OLDER, NEWER])
def test_equal_prompts_are_equal_under_one_key_and_unlinkable_under_another(model: str) -> None:
    conversation = Conversation.new(model, 6)
    conversation.ask()
    a, b = (report(conversation.body(), api_of(model)) for _ in range(2))
    assert a == b
    other = report(conversation.body(), api_of(model), b"another key of an installation")
    ids = {a.hash, a.canonical_hash, a.family, a.key_id, *":".join(a.chain).split(":")} - {"1", "2", "3", "4", "5", "6"}
    others = {other.hash, other.canonical_hash, other.family, other.key_id, *":".join(other.chain).split(":")}
    assert not ids & others


def test_a_string_that_is_short_for_one_block_of_text_is_the_same_prompt() -> None:
    messages = [{"role": "user", "content": "Where is my parcel?"}]
    long = [{"role": "user", "content": [{"type": "text", "text": "Where is my parcel?"}]}]
    short_body = {"model": CLAUDE, "system": "Be kind.", "messages": messages}
    long_body = {"model": CLAUDE, "system": [{"type": "text", "text": "Be kind."}], "messages": long}
    assert report(short_body, "messages").hash == report(long_body, "messages").hash


def test_a_moved_marker_is_no_change() -> None:
    block = {"type": "text", "text": "Be kind."}
    marked = {**block, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    bodies: list[JSON] = [
        {"model": CLAUDE, "system": [part], "messages": [{"role": "user", "content": "Hello"}]}
        for part in (block, marked)
    ]
    assert report(bodies[0], "messages").hash == report(bodies[1], "messages").hash


@pytest.mark.parametrize("model", [CLAUDE, OLDER, NEWER])
def test_similarity_is_the_shared_canonical_part(model: str) -> None:
    one = Conversation.new(model, 8)
    one.ask()
    two = one.session(9)
    two.ask()
    other = Conversation.new(model, 10)
    other.ask()
    assert prefix_similarity(one.body(), one.body()) == 1.0
    assert 0.9 < prefix_similarity(one.body(), two.body()) < 1.0
    assert prefix_similarity(one.body(), two.body()) == prefix_similarity(two.body(), one.body())
    assert prefix_similarity(one.body(), other.body()) < 0.05
    assert prefix_similarity("same " * 800 + "one", "same " * 800 + "other") > 0.9
    assert prefix_similarity("one thing", "other") < 0.6


@QUICK
@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_between_zero_and_one_and_symmetric(a: str, b: str) -> None:
    assert 0.0 <= prefix_similarity(a, b) == prefix_similarity(b, a) <= 1.0


def test_similarity_of_nothing_is_one() -> None:
    assert prefix_similarity({"messages": []}, {}) == 1.0
    assert prefix_similarity({"input": "Hello there"}, {"input": "Hello  there "}) == 1.0
