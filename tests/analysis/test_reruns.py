"""The same task run again: what the model says, and the ids of its calls of tools, are others, and nothing broke."""

import functools
import json
import random
from typing import NamedTuple

import pytest
from recorded import JSON, Recorder, recorder
from workload import CLAUDE, Writer

import llm_observer
from llm_observer import CallReport

MARKER: JSON = {"cache_control": {"type": "ephemeral"}}
TURNS = 5
WRITER = Writer(21)
SYSTEM = WRITER.text(110)
QUESTION = WRITER.text(12)
ARGUMENTS = [WRITER.text(14) for _ in range(TURNS)]
RESULTS = [WRITER.text(20) for _ in range(TURNS)]
OTHER_RESULTS = [WRITER.text(20) for _ in range(TURNS)]


class Claude:
    """Bodies of the Messages API, whose model thinks and says something with each call of a tool."""

    api = "messages"

    @staticmethod
    def body(run: int, turns: int, results: list[str]) -> JSON:
        messages: list[JSON] = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
        for n, answer in enumerate(answers(run)[:turns]):
            thinking = {"type": "thinking", "thinking": answer.thought, "signature": answer.id * 8}
            text = {"type": "text", "text": answer.text}
            use = {"type": "tool_use", "id": f"toolu_{answer.id}", "name": "look", "input": {"for": ARGUMENTS[n]}}
            result = {"type": "tool_result", "tool_use_id": use["id"], "content": results[n]}
            messages.append({"role": "assistant", "content": [thinking, text, use]})
            messages.append({"role": "user", "content": [result]})
        messages[-1]["content"][-1] |= MARKER
        system = [{"type": "text", "text": SYSTEM} | MARKER]
        return {"model": CLAUDE, "max_tokens": 64, "system": system, "messages": messages}


class Chat:
    """Bodies of Chat Completions, whose model says nothing but which tool it calls: only ids tell answers apart."""

    api = "chat.completions"

    @staticmethod
    def body(run: int, turns: int, results: list[str]) -> JSON:
        messages: list[JSON] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
        for n, answer in enumerate(answers(run)[:turns]):
            function = {"name": "look", "arguments": json.dumps({"for": ARGUMENTS[n]})}
            call = {"id": f"call_{answer.id}", "type": "function", "function": function}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": results[n]})
        return {"model": "gpt-4o", "messages": messages}


class Responses:
    """Bodies of the Responses API: its reasoning is encrypted."""

    api = "responses"

    @staticmethod
    def body(run: int, turns: int, results: list[str]) -> JSON:
        items: list[JSON] = [{"role": "user", "content": QUESTION}]
        for n, answer in enumerate(answers(run)[:turns]):
            said = {"type": "output_text", "text": answer.text}
            call = {"call_id": f"call_{answer.id}", "name": "look", "arguments": json.dumps({"for": ARGUMENTS[n]})}
            items += [
                {"type": "reasoning", "id": f"rs_{answer.id}", "summary": [], "encrypted_content": answer.id * 20},
                {"type": "message", "id": f"msg_{answer.id}", "role": "assistant", "content": [said]},
                {"type": "function_call", "id": f"fc_{answer.id}", **call},
                {"type": "function_call_output", "call_id": call["call_id"], "output": results[n]},
            ]
        return {"model": "gpt-4o", "instructions": SYSTEM, "input": items}


Api = type[Claude] | type[Chat] | type[Responses]
APIS: list[Api] = [Claude, Chat, Responses]


class Answer(NamedTuple):
    """What a model says in one turn, with an id as a provider makes it."""

    id: str
    thought: str
    text: str


@functools.cache
def answers(run: int) -> list[Answer]:
    """The answers of one run, from its first turn to its last."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    draw, writer = random.Random(run), Writer(100 + run)
    return [Answer("01" + "".join(draw.choices(letters, k=22)), writer.text(25), writer.text(6)) for _ in range(TURNS)]


def run_task(calls: Recorder, api: Api, run: int, results: list[str] = RESULTS) -> None:
    """The task from its first call to its last."""
    for turns in range(TURNS + 1):
        calls.call(api.api, api.body(run, turns, results))


def told(calls: Recorder) -> list[CallReport]:
    return list(llm_observer.analyze(calls.records))


@pytest.mark.parametrize("api", APIS)
def test_a_task_that_is_run_again_broke_nothing(api: Api) -> None:
    with recorder() as calls:
        for run in range(4):
            run_task(calls, api, run)
        assert [report.cache.cause for report in told(calls) if report.cache.broke] == []


@pytest.mark.parametrize("api", APIS)
def test_nor_where_its_tools_say_something_else(api: Api) -> None:
    with recorder() as calls:
        for run in range(4):
            run_task(calls, api, run, [RESULTS, OTHER_RESULTS][run % 2])
        assert [report.cache.cause for report in told(calls) if report.cache.broke] == []


@pytest.mark.parametrize("api", APIS)
def test_nor_where_two_runs_go_on_side_by_side(api: Api) -> None:
    with recorder() as calls:
        for turns in range(TURNS + 1):
            for run in (1, 2):
                calls.call(api.api, api.body(run, turns, RESULTS))
        assert [report.cache.cause for report in told(calls) if report.cache.broke] == []


@pytest.mark.parametrize(("api", "cause"), [(Claude, "history_rewritten"), (Chat, "random_id")])
def test_answers_that_the_application_writes_anew_each_turn_are_named(api: Api, cause: str) -> None:
    with recorder() as calls:
        for turns in range(TURNS + 1):
            calls.call(api.api, api.body(turns, turns, RESULTS))
        causes = [report.cache.cause for report in told(calls)]
    assert causes[:2] == ["none"] * 2
    assert set(causes[3:]) == {cause}
