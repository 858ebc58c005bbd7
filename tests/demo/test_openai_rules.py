"""OpenAI's cache rules, by cases worked out by hand. A message costs 3 tokens besides its content, as does a tool."""

import json
from typing import Any

import openai
import pytest
from demo_prompts import words

from llm_observer.demo.provider import Provider, VirtualClock
from llm_observer.demo.provider.openai_prompt import chat_prompt
from llm_observer.demo.provider.openai_rules import OpenAICache

MARK = {"prompt_cache_breakpoint": {"mode": "explicit"}}


def developer(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "developer", "content": [{"type": "text", "text": text, **more}] if more else text}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def tool(name: str, tokens: int) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": words(tokens), "parameters": {}}}


class Chat:
    """Chat Completions at one cache, without HTTP: `(read, written)` of each request."""

    def __init__(self, model: str, **cache: Any) -> None:
        self.model = model
        self.cache = OpenAICache(**cache)
        self.now = 0.0

    def __call__(self, *messages: dict[str, Any], scope: str = "org", begins: bool = True, **body: Any) -> Any:
        prompt = chat_prompt({"model": self.model, "messages": list(messages)} | body)
        ticket = self.cache.look_up(prompt, scope=scope, at=self.now)
        if begins:
            ticket.begin_response(self.now)
        self.begin = ticket.begin_response
        self.total = ticket.served.total
        return ticket.served.read, ticket.served.written


class TestBeforeGpt56:
    """A prefix can be read up to a grid; reads are reported in steps of 128; nothing is charged for writing."""

    def test_the_longest_common_prefix_counts_rounded_down_to_128(self) -> None:
        chat = Chat("gpt-5.2")
        assert chat(developer(words(1500)), user("one")) == (0, 0)
        assert chat.total == 1503 + 4
        # 1503 tokens of the developer message and the user's header of 3 are shared: 1506 = 11 * 128 + 98.
        assert chat(developer(words(1500)), user("two")) == (1408, 0)

    def test_below_1024_tokens_nothing_is_read(self) -> None:
        chat = Chat("gpt-4.1")
        # 3 tokens of the header and 1016 of text, 3 and 1 of the question: 1023.
        for _ in range(2):
            assert chat(developer(words(1016)), user("one")) == (0, 0)
            assert chat.total == 1023
        assert chat(developer(words(1017)), user("one")) == (0, 0)
        assert chat(developer(words(1017)), user("one")) == (1024, 0)

    def test_tools_stand_before_the_messages_so_their_order_matters(self) -> None:
        chat = Chat("gpt-5.2")
        a, b, c = tool("alpha", 600), tool("beta", 600), tool("gamma", 600)
        chat(developer("Hi"), user("one"), tools=[a, b, c])
        assert chat(developer("Hi"), user("two"), tools=[b, a, c]) == (0, 0)
        # Up to the end of `alpha` and `beta`: 2 * (3 + 600 + 40 of JSON) = 1270 or so, and at least 9 * 128.
        read, _ = chat(developer("Hi"), user("two"), tools=[a, b])
        assert 1152 <= read <= 1280

    def test_other_settings_of_the_prefix_break_it_and_tool_choice_does_not(self) -> None:
        chat = Chat("gpt-5.2")
        turn = (developer(words(2000)), user("one"))
        tools = [tool("alpha", 10)]
        chat(*turn, tools=tools)
        whole = chat(*turn, tools=tools)
        assert whole[0] > 1900
        assert chat(*turn, tools=tools, tool_choice="none") == whole
        assert chat(*turn, tools=tools, parallel_tool_calls=True, verbosity="medium") == whole
        changes: list[dict[str, Any]] = [
            {"parallel_tool_calls": False},
            {"response_format": {"type": "json_object"}},
            {"reasoning_effort": "low"},
            {"verbosity": "low"},
        ]
        for change in changes:
            assert chat(*turn, tools=tools, **change) == (0, 0)

    def test_in_memory_entries_live_five_idle_minutes_and_an_hour_at_most(self) -> None:
        chat = Chat("gpt-5.2")
        turn = (developer(words(2000)), user("one"))
        chat(*turn)
        for _ in range(12):
            chat.now += 300
            assert chat(*turn)[0] == 1920  # refreshed by each use
        chat.now += 1
        assert chat(*turn) == (0, 0)  # an hour and a second old
        chat.now += 301
        assert chat(*turn) == (0, 0)  # idle too long

    def test_24h_retention_lives_half_an_hour_idle(self) -> None:
        chat = Chat("gpt-5.2")
        turn = (developer(words(2000)), user("one"))
        chat(*turn, prompt_cache_retention="24h")
        chat.now += 1800
        assert chat(*turn)[0] == 1920
        by_default = Chat("gpt-5.2", default_retention="24h")
        by_default(*turn)
        by_default.now += 1800
        assert by_default(*turn)[0] == 1920

    def test_models_organisations_and_keys_do_not_share(self) -> None:
        chat = Chat("gpt-5.2")
        turn = (developer(words(2000)), user("one"))
        chat(*turn)
        assert chat(*turn, scope="another") == (0, 0)
        assert chat(*turn, model="gpt-5.1") == (0, 0)
        assert chat(*turn, prompt_cache_key="k") == (0, 0)
        assert chat(*turn)[0] == 1920

    def test_an_entry_can_be_read_once_the_response_that_writes_it_has_begun(self) -> None:
        chat = Chat("gpt-5.2")
        turn = (developer(words(2000)), user("one"))
        chat(*turn, begins=False)
        first = chat.begin
        assert chat(*turn, begins=False) == (0, 0)
        first(0.0)
        assert chat(*turn)[0] == 1920

    def test_gpt_5_5_has_a_grid_of_2048(self) -> None:
        chat = Chat("gpt-5.5")
        chat(developer(words(5000)), user("one"))
        assert chat(developer(words(5000)), user("two")) == (4096, 0)
        chat(developer(words(2000, "river")), user("one"))
        assert chat(developer(words(2000, "river")), user("one")) == (0, 0)

    def test_the_grid_starts_with_the_providers_own_text_and_reports_leave_it_out(self) -> None:
        chat = Chat("gpt-5.5", hidden_tokens=100)
        chat(developer(words(5000)), user("one"))
        # Points at 2048, 4096: without the 100 hidden ones 1948, below the minimum, and 3996 = 31 * 128 + 28.
        assert chat(developer(words(5000)), user("two")) == (3968, 0)


class TestFromGpt56:
    """A prefix can be read only where a boundary was written, and where this request looks for one."""

    def test_the_implicit_boundary_is_the_end_of_the_latest_user_message(self) -> None:
        chat = Chat("gpt-5.6-sol")
        first = (developer(words(2000)), user(words(100)))
        assert chat(*first) == (0, 2003 + 103)
        assert chat(*first) == (2106, 0)
        # The next turn reads what the one before wrote, and writes to its own end.
        assert chat(*first, assistant(words(50)), user(words(20))) == (2106, 53 + 23)

    def test_a_long_shared_prefix_without_a_boundary_is_worth_nothing(self) -> None:
        chat = Chat("gpt-5.6-sol")
        for question in ("one", "two", "three"):
            assert chat(developer(words(2000)), user(question)) == (0, 2003 + 4)

    def test_an_explicit_breakpoint_after_the_static_part_is_read_by_the_next_request(self) -> None:
        chat = Chat("gpt-5.6-sol")
        assert chat(developer(words(2000), **MARK), user("one")) == (0, 2003 + 4)
        assert chat(developer(words(2000), **MARK), user("two")) == (2003, 4)

    def test_explicit_mode_writes_at_markers_only_and_without_markers_nothing(self) -> None:
        chat = Chat("gpt-5.6-sol")
        options: dict[str, Any] = {"prompt_cache_options": {"mode": "explicit"}}
        assert chat(developer(words(2000), **MARK), user("one"), **options) == (0, 2003)
        assert chat(developer(words(2000), **MARK), user("two"), **options) == (2003, 0)
        for _ in range(2):
            assert chat(developer(words(2000, "river")), user("one"), **options) == (0, 0)

    def test_a_boundary_below_1024_tokens_is_not_written(self) -> None:
        chat = Chat("gpt-5.6-sol")
        for _ in range(2):
            assert chat(developer(words(1016)), user("one")) == (0, 0)
            assert chat.total == 1023
        assert chat(developer(words(1017)), user("one")) == (0, 1024)
        assert chat(developer(words(1017)), user("one")) == (1024, 0)

    def test_at_most_four_boundaries_are_written_the_implicit_one_among_them(self) -> None:
        chat = Chat("gpt-5.6-sol")
        blocks = [{"type": "text", "text": words(1100, name), **MARK} for name in ("a", "b", "c", "d", "e")]
        whole = {"role": "developer", "content": blocks}
        chat(whole, user("one"))
        ends = [3 + 1100 * n for n in range(1, 6)]

        def read_to(n: int) -> int:
            prefix = {"role": "developer", "content": blocks[:n]}
            read, _ = chat(prefix, user("another"), begins=False)
            return read

        # The implicit boundary and the latest three explicit ones: c, d, e.
        assert [read_to(n) for n in range(1, 6)] == [0, 0, ends[2], ends[3], ends[4]]

    def test_extending_the_last_message_reads_nothing_and_appending_one_does(self) -> None:
        chat = Chat("gpt-5.6-sol")
        chat(developer(words(2000)), user("one"))
        assert chat(developer(words(2000)), user("one more")) == (0, 2003 + 5)
        assert chat(developer(words(2000)), user("one"), user("more")) == (2007, 4)

    def test_the_last_tool_result_of_a_run_ends_an_eligible_message(self) -> None:
        chat = Chat("gpt-5.6-sol")
        results = [{"role": "tool", "tool_call_id": name, "content": words(30)} for name in ("a", "b")]
        turn = (developer(words(2000)), user("one"), assistant("looking"))
        chat(*turn, results[0])
        end_of_first = chat.total
        assert chat(*turn, *results)[0] == 0  # the first result no longer ends its run, so nothing looks there
        assert chat.total == end_of_first + 34
        assert chat(*turn, *results, assistant("done"), user("thanks"))[0] == end_of_first + 34

    def test_twenty_earlier_endings_are_looked_up_and_no_more(self) -> None:
        def read_after(turns: int) -> int:
            chat = Chat("gpt-5.6-sol")
            opening = [developer(words(2000)), user("zero")]
            chat(*opening)
            later = [message for n in range(turns) for message in (assistant("yes"), user(f"turn{n}"))]
            read, _ = chat(*opening, *later)
            return read

        # The latest ending, and twenty before it.
        assert read_after(20) == 2007
        assert read_after(21) == 0

    def test_entries_live_thirty_minutes_after_their_last_use(self) -> None:
        chat = Chat("gpt-5.6-sol")
        turn = (developer(words(2000)), user("one"))
        chat(*turn)
        for _ in range(5):
            chat.now += 1800
            assert chat(*turn) == (2007, 0)
        chat.now += 1801
        assert chat(*turn) == (0, 2007)

    def test_a_cache_key_and_a_service_tier_are_caches_of_their_own(self) -> None:
        chat = Chat("gpt-6.1-terra")
        turn = (developer(words(2000)), user("one"))
        chat(*turn)
        assert chat(*turn, prompt_cache_key="another") == (0, 2007)
        assert chat(*turn, service_tier="flex") == (0, 2007)
        assert chat(*turn, service_tier="auto") == (2007, 0)

    def test_an_image_is_part_of_the_prefix(self) -> None:
        chat = Chat("gpt-5.6-sol")

        def seen(url: str, **more: Any) -> dict[str, Any]:
            return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}, **more}]}

        chat(developer(words(2000)), seen("https://example.com/a.png", **MARK), user("one"))
        end = 2003 + 3 + 765
        # A marker that moved away is no change.
        assert chat(developer(words(2000)), seen("https://example.com/a.png"), user("two"))[0] == end
        assert chat(developer(words(2000)), seen("https://example.com/b.png"), user("two"))[0] == 0


def test_what_the_real_client_sees_is_what_the_rules_say(gpt: openai.OpenAI, provider: Provider) -> None:
    """Chat and Responses, whole and streamed, report the same cache; writes only from GPT-5.6 on."""
    messages: Any = [developer(words(2000)), user("one")]
    older = gpt.chat.completions.create(model="gpt-5.2", messages=messages).usage
    assert older is not None
    assert older.prompt_tokens_details is not None
    assert (older.prompt_tokens, older.prompt_tokens_details.cached_tokens) == (2007, 0)
    assert older.prompt_tokens_details.cache_write_tokens is None

    *_, last = gpt.chat.completions.create(
        model="gpt-5.6-sol", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    assert last.usage is not None
    assert last.usage.prompt_tokens_details is not None
    assert last.usage.prompt_tokens_details.cache_write_tokens == 2007
    *_, end = gpt.responses.create(model="gpt-5.6-sol", input=messages, stream=True)
    assert end.type == "response.completed"
    assert end.response.usage is not None
    assert end.response.usage.input_tokens_details.cached_tokens == 2007
    assert end.response.usage.input_tokens_details.cache_write_tokens == 0
    assert [exchange.served.read for exchange in provider.log] == [0, 0, 2007]


def test_responses_can_keep_a_prefix_for_twelve_hours(gpt: Any, clock: VirtualClock) -> None:
    request: Any = {
        "model": "gpt-5.6-sol",
        "instructions": words(2000),
        "input": "one",
        "prompt_cache_options": {"ttl": "12h"},
    }
    written = gpt.responses.create(**request).usage
    assert written is not None
    details = written.input_tokens_details
    assert details.cache_write_tokens_details is not None
    assert details.cache_write_tokens_details.ttl_12h_tokens == details.cache_write_tokens == 2007
    clock.advance(12 * 3600)
    read = gpt.responses.create(**request).usage
    assert read is not None
    assert read.input_tokens_details.cached_tokens == 2007


def test_an_agents_loop_over_responses_reads_what_the_turn_before_wrote(gpt: openai.OpenAI) -> None:
    tool: Any = {"type": "function", "name": "get_order", "parameters": {"type": "object"}, "strict": False}
    items: list[Any] = [{"role": "user", "content": f"{words(1500)} NW-20417"}]
    first = gpt.responses.create(model="gpt-6.2-sol", input=items, tools=[tool])
    call = next(item for item in first.output if item.type == "function_call")
    items += [{"type": "reasoning", "summary": []}]
    items += [{"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}]
    items += [{"type": "function_call_output", "call_id": call.call_id, "output": "on its way"}]
    second = gpt.responses.create(model="gpt-6.2-sol", input=items, tools=[tool])
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens_details.cached_tokens == first.usage.input_tokens
    assert second.output_text


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"messages": []}, "at least one message"),
        ({"messages": [user("x")], "prompt_cache_options": {"ttl": "12h"}}, "ttl"),
        ({"messages": [user("x")], "prompt_cache_retention": "1h"}, "retention"),
    ],
)
def test_what_the_vendor_refuses_is_refused(gpt: openai.OpenAI, request_: Any, says: str) -> None:
    with pytest.raises(openai.BadRequestError, match=says):
        gpt.chat.completions.create(model="gpt-5.2", **request_)


def test_a_function_call_is_streamed_over_responses_too(gpt: Any) -> None:
    tool = {"type": "function", "name": "get_order", "parameters": {"type": "object"}, "strict": False}
    asked = {"model": "gpt-5.2", "input": "Where is NW-20417?", "tools": [tool]}
    *_, end = gpt.responses.create(**asked, stream=True)
    (call,) = [item for item in end.response.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("get_order", {"order_id": "NW-20417"})
    (forced,) = gpt.responses.create(**asked | {"input": "Hello", "tool_choice": "required"}).output
    assert forced.type == "function_call"


def test_chat_answers_with_a_tool_call_and_reads_its_result(gpt: Any) -> None:
    tools = [tool("get_order", 5)]
    messages: list[Any] = [user("Where is NW-20417?")]
    said = gpt.chat.completions.create(model="gpt-5.2", messages=messages, tools=tools).choices[0]
    assert said.finish_reason == "tool_calls"
    (call,) = said.message.tool_calls
    messages += [said.message.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "on its way"}]
    end = gpt.chat.completions.create(model="gpt-5.2", messages=messages, tools=tools).choices[0]
    assert end.finish_reason == "stop"
    assert "order" in end.message.content


def test_responses_are_not_kept(gpt: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="keeps no responses"):
        gpt.responses.create(model="gpt-5.2", input="x", previous_response_id="resp_1")
    with pytest.raises(openai.BadRequestError, match="input"):
        gpt.responses.create(model="gpt-5.2", input=[])
