"""What is open when a program ends is recorded all the same, once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import loopback_provider

from llm_observer.export.store import read_events

PROGRAM = """
import os, sys
import llm_observer
llm_observer.patch(store=sys.argv[1], hash_key="0" * 32)
import anthropic, openai

def talk():
    if sys.argv[2] == "openai":
        return openai.OpenAI().chat.completions.create(
            model="gpt-4.1", stream=True, messages=[{"role": "user", "content": "Where is my parcel?"}]
        )
    return anthropic.Anthropic().messages.create(
        model="claude-sonnet-4-6", max_tokens=64, stream=True, messages=[{"role": "user", "content": "Where is it?"}]
    )

stream = talk()
next(iter(stream))
"""
ENDINGS = {
    "the end of the program": "",
    "sys.exit": "sys.exit(0)",
    "an error": "raise SystemExit(RuntimeError('the application gave up'))",
    "a child that was forked meanwhile": "pid = os.fork()\nif pid == 0:\n    sys.exit(0)\nos.waitpid(pid, 0)",
}


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_stream_that_is_open_at_the_end_is_one_call(
    sdk: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "app.py"
    program.write_text(PROGRAM + ENDINGS[ending] + "\n")
    store = tmp_path / "calls.db"
    with loopback_provider(monkeypatch):
        done = subprocess.run(
            [sys.executable, str(program), str(store), sdk],
            env=os.environ.copy(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert "llm_observer" not in done.stderr
    (event,) = read_events(store)
    assert event["call"]["stream"] is True
    assert "error_type" not in event["call"]
    assert "output_tokens" not in event["usage"]
