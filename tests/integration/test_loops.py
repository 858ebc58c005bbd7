"""Under trio and gevent, around a fork, and while the interpreter exits: as under asyncio and threads."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from programs import run
from scripted import ScriptedServer

APP = Path(__file__).parent / "apps" / "loops.py"


@pytest.mark.parametrize("kind", ["trio", "gevent"])
def test_another_kind_of_concurrency(kind: str) -> None:
    """The application gets what it gets, and each call has one span, under the span of who made it."""
    if importlib.util.find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    with ScriptedServer() as server:
        observed = json.loads(run(APP, kind, server.url).stdout)
    assert observed["got"] == ['{"a":1}', 6, ["0", "1", "2"], True]
    assert observed["flushed"]
    found: list[dict[str, Any]] = observed["found"]
    assert [span["name"] for span in found] == ["chat gpt-4o-mini"] * 2 + ["chat claude-sonnet-5"] * 2 + [
        "chat gpt-4o-mini"
    ] * 5
    assert [span["output"] for span in found] == [20, 20, 20, None] + [20] * 5
    assert sorted(span["parent"] for span in found[4:]) == [f"work {n}" for n in range(5)]


FORK = """
import os, sys
import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import llm_observer

url = sys.argv[1]
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
llm_observer.patch(store="off", hash_key="0" * 64)
chat = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}

def forking(request):
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        print("child", os.waitstatus_to_exitcode(status), flush=True)
        return
    status = 1
    try:
        with openai.OpenAI(base_url=url, api_key="key") as own:
            own.chat.completions.create(**chat)
            list(own.chat.completions.create(**chat, stream=True))
        llm_observer.flush(2)
        status = 10 + len(exporter.get_finished_spans())
    finally:
        os._exit(status)

http = openai.DefaultHttpxClient(event_hooks={"request": [forking]})
with openai.OpenAI(base_url=url, api_key="key", http_client=http) as client:
    client.chat.completions.create(**chat)
    print("parent", len(exporter.get_finished_spans()))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_forks_in_the_middle_of_a_call(tmp_path: Path) -> None:
    """The child's own calls have spans, and it leaves its parent's call to the parent, which has one."""
    program = tmp_path / "forks.py"
    program.write_text(FORK)
    with ScriptedServer() as server:
        done = run(program, f"{server.url}/v1")
    assert done.stdout.split("\n")[:2] == ["child 12", "parent 1"], done.stderr


EXIT = """
import atexit, sys, threading, time

url, on = sys.argv[1:]

def say(*words):
    print(*words, flush=True)

def call(what):
    try:
        say(what, client.chat.completions.create(**chat).id)
    except BaseException as error:
        say(what, type(error).__name__)

def at_exit_last():
    call("behind all other exit hooks")

atexit.register(at_exit_last)

import llm_observer
if on == "on":
    llm_observer.patch(store="off", hash_key="0" * 64)
import openai

client = openai.OpenAI(base_url=url, api_key="key", max_retries=0)
chat = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}
call("while it runs")
stream = client.chat.completions.create(**chat, stream=True)
next(stream)

class Late:
    def __del__(self):
        call("when it is taken apart")

def rest(stream=stream):
    say("rest", len(list(stream)))

atexit.register(rest)
atexit.register(call, "before other exit hooks")
kept = Late()

def endless():
    while True:
        try:
            client.chat.completions.create(**chat)
        except BaseException:
            return

threading.Thread(target=endless, daemon=True).start()
time.sleep(0.05)
"""


def test_calls_while_the_interpreter_exits(tmp_path: Path) -> None:
    """In exit hooks, in finalizers of what is left, in a thread that nobody waits for: all goes as without us."""
    program = tmp_path / "exits.py"
    program.write_text(EXIT)
    done: dict[str, subprocess.CompletedProcess[str]] = {}
    with ScriptedServer() as server:
        for on in ("off", "on"):
            done[on] = subprocess.run(
                [sys.executable, str(program), f"{server.url}/v1", on],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                env=dict(os.environ),
            )
    assert "rest 5" in done["off"].stdout
    assert done["on"].stdout == done["off"].stdout
    assert done["on"].returncode == done["off"].returncode
    assert "llm_observer" not in done["on"].stderr
