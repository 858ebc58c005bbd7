"""The same task run again: the ids that the provider gives to its calls of tools are others, and nothing broke."""

import json
import random

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
    """Bodies of the Messages API."""

    api = "messages"

    @staticmethod
    def body(ids: list[str], results: list[str]) -> JSON:
        messages: list[JSON] = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
        for n, name in enumerate(ids):
            use = {"type": "tool_use", "id": f"toolu_{name}", "name": "look", "input": {"for": ARGUMENTS[n]}}
            result = {"type": "tool_result", "tool_use_id": use["id"], "content": results[n]}
            messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
        messages[-1]["content"][-1] |= MARKER
        system = [{"type": "text", "text": SYSTEM} | MARKER]
        return {"model": CLAUDE, "max_tokens": 64, "system": system, "messages": messages}


class Chat:
    """Bodies of Chat Completions."""

    api = "chat.completions"

    @staticmethod
    def body(ids: list[str], results: list[str]) -> JSON:
        messages: list[JSON] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
        for n, name in enumerate(ids):
            function = {"name": "look", "arguments": json.dumps({"for": ARGUMENTS[n]})}
            call = {"id": f"call_{name}", "type": "function", "function": function}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": results[n]})
        return {"model": "gpt-4o", "messages": messages}


APIS = [Claude, Chat]


def ids(seed: int) -> list[str]:
    """Ids as a provider makes them."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    draw = random.Random(seed)
    return ["01" + "".join(draw.choices(letters, k=22)) for _ in range(TURNS)]


def run(calls: Recorder, api: type[Claude | Chat], seed: int, results: list[str] = RESULTS) -> None:
    """The task from its first call to its last."""
    given = ids(seed)
    for turn in range(TURNS + 1):
        calls.call(api.api, api.body(given[:turn], results))


def told(calls: Recorder) -> list[CallReport]:
    return list(llm_observer.analyze(calls.records))


@pytest.mark.parametrize("api", APIS)
def test_a_task_that_is_run_again_broke_nothing(api: type[Claude | Chat]) -> None:
    with recorder() as calls:
        for seed in range(4):
            run(calls, api, seed)
        assert [report.cache.cause for report in told(calls) if report.cache.broke] == []


@pytest.mark.parametrize("api", APIS)
def test_nor_where_its_tools_say_something_else(api: type[Claude | Chat]) -> None:
    with recorder() as calls:
        for seed in range(4):
            run(calls, api, seed, [RESULTS, OTHER_RESULTS][seed % 2])
        assert [report.cache.cause for report in told(calls) if report.cache.broke] == []


@pytest.mark.parametrize("api", APIS)
def test_nor_where_two_runs_go_on_side_by_side(api: type[Claude | Chat]) -> None:
    one, other = ids(1), ids(2)
    with recorder() as calls:
        for turn in range(TURNS + 1):
            calls.call(api.api, api.body(one[:turn], RESULTS))
            calls.call(api.api, api.body(other[:turn], RESULTS))
        assert [report.cache.cause for report in told(calls) if report.cache.broke] == []


@pytest.mark.parametrize("api", APIS)
def test_ids_that_the_application_gives_anew_each_turn_are_named(api: type[Claude | Chat]) -> None:
    with recorder() as calls:
        for turn in range(TURNS + 1):
            calls.call(api.api, api.body(ids(turn)[:turn], RESULTS))
        causes = [report.cache.cause for report in told(calls)]
    assert causes[:2] == ["none"] * 2
    assert set(causes[3:]) == {"random_id"}
