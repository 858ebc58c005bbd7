"""A request's prompt is read from what the SDK sends, and that is what the provider reads."""

import json
from collections import OrderedDict
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_observer.adapters.sent import is_plain, sent_body
from llm_observer.analysis.prompts import read_prompt

JSON = dict[str, Any]

NAMES = [
    *("role", "content", "type", "text", "tools", "system", "name", "function", "cache_control", "ttl", "citations"),
    *("input", "messages", "prompt_cache_breakpoint", "tool_calls", "arguments", "image_url", "id", "output"),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=30,
)
BODIES = st.dictionaries(
    st.sampled_from(["messages", "system", "tools", "input", "instructions", "cache_control", "thinking", "text"]),
    ANYTHING,
    max_size=6,
)
APIS = ("messages", "chat.completions", "responses", "completions", "embeddings")


class Text(str):
    """A string that is more than one."""

    __slots__ = ()


def options(body: object, extra: object = None, files: object = None) -> Any:
    return SimpleNamespace(json_data=body, extra_json=extra, files=files)


@settings(max_examples=150)
@given(st.sampled_from(APIS), BODIES)
def test_a_body_that_is_plain_has_the_prompt_of_its_json(api: str, body: JSON) -> None:
    found = sent_body(options(body))
    assert found is not None
    assert read_prompt(api, found) == read_prompt(api, json.loads(json.dumps(body)))


def test_what_is_added_to_a_body_is_part_of_it() -> None:
    assert sent_body(options({"model": "a", "top_k": 1}, {"top_k": 2})) == {"model": "a", "top_k": 2}


ODD: list[object] = [Text("a"), OrderedDict(role="user"), ("a", "b"), iter("ab"), date(2026, 1, 1), object()]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_what_json_is_not_parsed_into_is_left_to_the_parser(value: object) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "tool_result", "content": [value]}]}
    assert not is_plain(value)
    for body in ({"messages": value}, {"messages": [value]}, {"messages": [message]}, {"system": value}):
        assert sent_body(options(body)) is None, body


@pytest.mark.parametrize(
    "given", [options(b"{}"), options(None), options({}, extra=[]), options({}, files={"a": b""})], ids=range(4)
)
def test_a_body_that_is_not_made_of_a_dict_is_left_to_the_parser(given: Any) -> None:
    assert sent_body(given) is None
