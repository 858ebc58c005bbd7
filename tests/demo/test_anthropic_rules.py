"""Anthropic's cache rules, by cases worked out by hand. A message costs 1 token besides its content."""

from typing import Any

import anthropic
import pytest
from demo_prompts import words

from llm_observer.demo.provider import Provider, VirtualClock
from llm_observer.demo.provider.anthropic_prompt import messages_prompt
from llm_observer.demo.provider.anthropic_rules import AnthropicCache, minimum_tokens

MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
MARK_1H: dict[str, Any] = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def text(content: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": content, **more}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content[0] if isinstance(content[0], str) else list(content)}


class Messages:
    """The Messages API at one cache, without HTTP: `(read, written)` of each request."""

    def __init__(self, model: str = "claude-opus-5-5") -> None:
        self.model = model
        self.cache = AnthropicCache()
        self.now = 0.0

    def __call__(self, *messages: dict[str, Any], scope: str = "ws", begins: bool = True, **body: Any) -> Any:
        prompt = messages_prompt({"model": self.model, "messages": list(messages)} | body)
        ticket = self.cache.look_up(prompt, scope=scope, at=self.now)
        if begins:
            ticket.begin_response(self.now)
        self.begin, self.served = ticket.begin_response, ticket.served
        return ticket.served.read, ticket.served.written


def test_without_a_marker_nothing_is_cached() -> None:
    ask = Messages()
    for _ in range(3):
        assert ask(user("one"), system=words(2000)) == (0, 0)
        assert ask.served.total == 2000 + 2


def test_a_marked_prefix_is_written_once_and_read_from_then_on() -> None:
    ask = Messages()
    assert ask(user("one"), system=[text(words(2000), **MARK)]) == (0, 2000)
    assert ask(user("two"), system=[text(words(2000), **MARK)]) == (2000, 0)
    assert ask(user("two"), system=[text(words(2000, "river"), **MARK)]) == (0, 2000)


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        ("claude-opus-5-5", 512),
        ("claude-fable-5-1", 512),
        ("claude-sonnet-5-5", 512),
        ("claude-sonnet-5", 1024),
        ("claude-sonnet-4-6", 1024),
        ("claude-opus-4-8", 1024),
        ("claude-opus-4-20250514", 1024),
        ("claude-opus-4-7", 2048),
        ("claude-3-5-haiku-20241022", 2048),
        ("claude-haiku-4-5-20251001", 4096),
        ("claude-opus-4-6", 4096),
    ],
)
def test_each_model_has_its_minimum(model: str, minimum: int) -> None:
    assert minimum_tokens(model) == minimum
    ask = Messages(model)
    for _ in range(2):
        assert ask(user("one"), system=[text(words(minimum - 1), **MARK)]) == (0, 0)
    assert ask(user("one"), system=[text(words(minimum), **MARK)]) == (0, minimum)
    assert ask(user("one"), system=[text(words(minimum), **MARK)]) == (minimum, 0)


def test_tools_come_before_system_before_messages() -> None:
    ask = Messages()
    tool = {"name": "look_up", "description": words(1000), "input_schema": {"type": "object"}}
    other = {"name": "send", "description": words(1000), "input_schema": {"type": "object"}}
    marked = [tool, {**other, **MARK}]
    _, of_tools = ask(user("one"), tools=marked)
    # Another system text behind them changes nothing in front of it.
    assert ask(user("one"), tools=marked, system="Be kind.") == (of_tools, 0)
    assert ask(user("one"), tools=[other, {**tool, **MARK}]) == (0, of_tools)
    # A tool that is loaded later is no part of the prefix.
    assert ask(user("one"), tools=[{**tool, "name": "x", "defer_loading": True}, *marked]) == (of_tools, 0)


def test_automatic_caching_moves_with_the_conversation() -> None:
    ask = Messages()
    automatic: dict[str, Any] = {"system": words(1000), **MARK}
    assert ask(user("one"), **automatic) == (0, 1002)
    assert ask(user("one"), assistant("yes"), user("two"), **automatic) == (1002, 4)
    assert ask(user("one"), assistant("yes"), user("three"), **automatic) == (1002, 4)


def test_a_marker_on_content_that_changes_is_a_surcharge() -> None:
    ask = Messages()
    for n in range(3):
        assert ask(user("one"), system=[text(words(2000)), text(f"call {n}", **MARK)]) == (0, 2002)


def test_automatic_caching_walks_back_to_a_block_that_can_be_marked() -> None:
    ask = Messages()
    turn = (user(words(600)), assistant({"type": "thinking", "thinking": "so", "signature": "s"}))
    assert ask(*turn, **MARK) == (0, 601)


class TestLookback:
    """A marker reads an entry at most 20 positions back, itself counted as the first."""

    @staticmethod
    def read_after(blocks: list[dict[str, Any]]) -> int:
        ask = Messages()
        opening = text(words(1000), **MARK)
        ask(user(opening))
        *inner, last = blocks
        read, _ = ask(user(text(words(1000)), *inner, {**last, **MARK}))
        return read

    def test_nineteen_blocks_behind_the_entry_are_few_enough(self) -> None:
        assert self.read_after([text(f"block {n}") for n in range(19)]) == 1001

    def test_twenty_are_too_many(self) -> None:
        assert self.read_after([text(f"block {n}") for n in range(20)]) == 0

    def test_a_run_of_tool_results_is_one_position(self) -> None:
        results = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": "ok"} for n in range(40)]
        assert self.read_after([*results, *[text(f"block {n}") for n in range(18)]]) == 1001
        assert self.read_after([*results, *[text(f"block {n}") for n in range(19)]]) == 0

    def test_so_is_a_run_of_tool_uses_and_the_two_are_two(self) -> None:
        ask = Messages()
        ask(user(text(words(1000), **MARK)))
        uses: list[Any] = [{"type": "tool_use", "id": f"t{n}", "name": "f", "input": {}} for n in range(15)]
        results = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": [text("ok")]} for n in range(15)]
        later = [text(f"block {n}") for n in range(17)]
        turn = (user(words(1000)), assistant(*uses), user(*results, *later[:-1], {**later[-1], **MARK}))
        assert ask(*turn)[0] == 1001

    def test_a_second_marker_starts_a_lookback_of_its_own(self) -> None:
        blocks = [text(f"block {n}") for n in range(30)]
        blocks[10] = {**blocks[10], **MARK}
        assert self.read_after(blocks) == 1001


class TestLifetime:
    def test_five_minutes_from_the_start_of_the_last_request_that_used_it(self) -> None:
        ask = Messages()
        system = [text(words(1000), **MARK)]
        ask(user("one"), system=system)
        for _ in range(4):
            ask.now += 300
            assert ask(user("one"), system=system) == (1000, 0)
        ask.now += 301
        assert ask(user("one"), system=system) == (0, 1000)

    def test_the_time_that_a_response_takes_counts(self) -> None:
        ask = Messages()
        system = [text(words(1000), **MARK)]
        ask(user("one"), system=system, begins=False)
        ask.begin(240.0)
        ask.now = 301
        assert ask(user("one"), system=system) == (0, 1000)

    def test_an_hour_where_that_was_asked_for(self) -> None:
        ask = Messages()
        system = [text(words(1000), **MARK_1H)]
        assert ask(user("one"), system=system) == (0, 1000)
        assert ask.served.written_long == 1000
        ask.now += 3600
        assert ask(user("one"), system=system) == (1000, 0)

    def test_of_two_lifetimes_in_one_request_each_is_billed_for_its_part(self) -> None:
        ask = Messages()
        system = [text(words(1000), **MARK_1H), text(words(300), **MARK)]
        assert ask(user("one"), system=system) == (0, 1300)
        assert ask.served.written_long == 1000
        ask.now += 301
        assert ask(user("one"), system=system) == (1000, 300)
        assert ask.served.written_long == 0

    def test_parallel_requests_all_pay_until_the_first_response_begins(self) -> None:
        ask = Messages()
        system = [text(words(1000), **MARK)]
        ask(user("one"), system=system, begins=False)
        first = ask.begin
        assert ask(user("two"), system=system, begins=False) == (0, 1000)
        first(0.5)
        ask.now = 0.4
        assert ask(user("three"), system=system, begins=False) == (0, 1000)
        ask.now = 0.5
        assert ask(user("four"), system=system) == (1000, 0)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"tool_choice": {"type": "any"}}, "system"),
        ({"tool_choice": {"type": "auto"}}, "messages"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "system"),
        ({"thinking": {"type": "disabled"}}, "messages"),
        ({"output_config": {"effort": "low"}}, "system"),
        ({"output_config": {"effort": "high"}}, "messages"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "system"),
        ({"speed": "fast"}, "tools"),
        ({"speed": "standard"}, "messages"),
        ({"web_search": True}, "tools"),
        ({"citations": True}, "tools"),
        ({"image": True}, "system"),
        ({"model": "claude-opus-5"}, "nothing"),
        ({"scope": "another"}, "nothing"),
        ({"max_tokens": 5, "metadata": {"user_id": "u"}}, "messages"),
    ],
)
def test_each_parameter_invalidates_its_levels(change: dict[str, Any], kept: str) -> None:
    ask = Messages()
    tools: list[Any] = [{"name": "f", "description": words(1000), "input_schema": {}, **MARK}]
    request: dict[str, Any] = {"tools": tools, "system": [text(words(700), **MARK)]}
    first = user(text(words(500), **MARK))
    ask(first, **request)
    of_messages = ask.served.total
    of_system = of_messages - 501
    of_tools = of_system - 700
    last: dict[str, Any] = text("go on")
    if change.get("image"):
        last, change = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}, {}
    if change.get("citations"):
        source = {"type": "text", "media_type": "text/plain", "data": "x"}
        last, change = {"type": "document", "source": source, "citations": {"enabled": True}}, {}
    if change.get("web_search"):
        request, change = request | {"tools": [*tools, {"type": "web_search_20250305", "name": "web_search"}]}, {}
    read, _ = ask(first, assistant("yes"), user(last), **request, **change)
    assert read == {"messages": of_messages, "system": of_system, "tools": of_tools, "nothing": 0}[kept]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"messages": []}, "at least one message"),
        ({"messages": [user(*[text(str(n), **MARK) for n in range(5)])]}, "A maximum of 4 blocks"),
        ({"messages": [user(*[text(str(n), **MARK) for n in range(4)], text("x"))], **MARK}, "no slot is left"),
        ({"messages": [user(text("x", **MARK_1H))], **MARK}, "another ttl"),
        ({"messages": [user(text("x", **MARK), text("y", **MARK_1H))]}, "must not come after"),
        ({"messages": [user(text("", **MARK))]}, "empty text blocks"),
        ({"messages": [user(text("x", cache_control={"type": "ephemeral", "ttl": "2h"}))]}, "ttl"),
    ],
)
def test_what_the_vendor_refuses_is_refused(claude: anthropic.Anthropic, body: Any, says: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=says):
        claude.messages.create(model="claude-opus-5-5", max_tokens=9, **body)


def test_automatic_caching_on_a_block_that_is_marked_already_changes_nothing() -> None:
    ask = Messages()
    blocks = [text(words(300), **MARK) for _ in range(4)]
    assert ask(user(*blocks), **MARK) == (0, 1201)


def test_what_the_real_client_sees_is_what_the_rules_say(claude: Any, provider: Provider, clock: VirtualClock) -> None:
    """Whole and streamed, by the helper too; `input_tokens` is only the remainder."""
    request: Any = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 99,
        "system": [text(words(1000), **MARK_1H), text(words(300), **MARK)],
        "messages": [user("one")],
    }
    written = claude.messages.create(**request).usage
    assert (written.input_tokens, written.cache_creation_input_tokens, written.cache_read_input_tokens) == (2, 1300, 0)
    assert written.cache_creation is not None
    assert written.cache_creation.ephemeral_1h_input_tokens == 1000
    clock.advance(301)
    with claude.messages.stream(**request) as stream:
        streamed = stream.get_final_message().usage
    assert (streamed.cache_read_input_tokens, streamed.cache_creation_input_tokens) == (1000, 300)
    *_, delta, _ = claude.messages.create(**request, stream=True)
    assert delta.type == "message_delta"
    assert (delta.usage.input_tokens, delta.usage.cache_read_input_tokens) == (2, 1300)
    assert [exchange.served.read for exchange in provider.log] == [0, 1000, 1300]


def test_keys_are_scopes(provider: Provider, claude: Any) -> None:
    request: Any = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 99,
        "system": [text(words(1000), **MARK)],
        "messages": [user("one")],
    }
    claude.messages.create(**request)
    with claude.with_options(api_key="sk-two") as other:
        assert other.messages.create(**request).usage.cache_read_input_tokens == 0
    assert provider.log[0].scope != provider.log[1].scope
