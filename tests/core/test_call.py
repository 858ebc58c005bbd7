"""`Call`: reads any body without raising, and holds no content once it is released."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_observer.call import Call
from llm_observer.counters import counters
from llm_observer.usage import Usage


def call(body: bytes | None = None, **more: Any) -> Call:
    return Call(provider="openai", api="chat.completions", body=body, **more)


def test_the_request_is_the_body_as_json() -> None:
    assert call(b'{"model": "m", "messages": []}').request == {"model": "m", "messages": []}


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"null",
        b"[1]",
        b'"text"',
        b"{",
        b"{'a': 1}",
        b"\xff\xfe\x00\xd8",
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"n": ' + b"9" * 5000 + b"}",
        b"--boundary\r\ncontent-disposition: form-data\r\n",
    ],
    ids=lambda body: repr(body)[:24],
)
def test_a_body_that_is_no_json_object_is_an_empty_request(body: bytes | None) -> None:
    assert call(body).request == {}


@given(st.binary(max_size=200))
def test_no_body_raises(body: bytes) -> None:
    assert call(body).request == dict(call(body).request)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_any_json_is_a_request_or_none(value: Any) -> None:
    found = call(json.dumps(value).encode()).request
    assert found == dict(found)
    assert bool(found) == (type(value) is dict and value != {})


def test_the_body_is_parsed_once() -> None:
    one = call(b"{}")
    assert one.request is one.request


def test_the_usage_is_converted_once_and_absent_when_there_is_none() -> None:
    one = call(raw_usage={"prompt_tokens": 3, "completion_tokens": 2})
    assert one.usage == Usage(input_tokens=3, output_tokens=2)
    assert one.usage is one.usage
    assert call().usage is None


def test_a_usage_that_is_given_counts() -> None:
    one = call(raw_usage={"prompt_tokens": 3})
    one.usage = Usage(input_tokens=7)
    assert one.usage == Usage(input_tokens=7)


@pytest.mark.usefixtures("fail_open")
def test_a_usage_that_cannot_be_converted_is_absent_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Usage, "from_provider", broken)
    one = call(raw_usage={"prompt_tokens": 3})
    assert one.usage is None
    assert one.usage is None
    assert counters.of("errors") == {"usage": 1}


def test_what_holds_content_is_dropped_by_release() -> None:
    one = call(b'{"messages": ["secret"]}', diagnostics={"text": "secret"})
    assert one.request
    one.release()
    assert (one.body, one.request, one.diagnostics) == (None, {}, None)


def test_the_repr_has_names_only() -> None:
    one = call(b'{"messages": ["secret"]}', model="secret", diagnostics={"text": "secret"})
    assert repr(one) == str(one) == "<Call openai chat.completions>"


def test_two_calls_are_never_equal() -> None:
    """To compare would be to read content."""
    assert call(b"{}") != call(b"{}")
