"""Local by default: the package connects to nothing, looks up no name and listens on nothing, also not at exit."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from programs import run

from llm_observer.demo.provider import Provider
from llm_observer.export.reading import read_events

APP = Path(__file__).parent / "apps" / "fenced.py"
CALLS = 7


@pytest.mark.parametrize(
    "settings",
    [
        # A key and an endpoint alone enable nothing: this is as local as without them.
        {"LLM_OBSERVER_API_KEY": "key", "LLM_OBSERVER_ENDPOINT": "https://events.example/v1"},
        # And `false` wins over everything.
        {
            "LLM_OBSERVER_API_KEY": "key",
            "LLM_OBSERVER_ENDPOINT": "https://events.example/v1",
            "LLM_OBSERVER_ENABLED": "false",
        },
    ],
    ids=["not enabled", "forbidden"],
)
def test_a_patched_process_talks_to_the_provider_alone(
    settings: dict[str, str], provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sync, async and streamed calls are observed and stored; the only connections are the SDKs' own."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    store, log = tmp_path / "calls.db", tmp_path / "network.jsonl"
    monkeypatch.setenv("LLM_OBSERVER_STORE", str(store))
    done = run(APP, str(urlsplit(provider.url).port), log)
    assert done.stdout.splitlines() == [f"{CALLS} calls", "flushed: True", "swallowed: {}"]
    assert done.stderr == ""

    uses = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [use for use in uses if not use["allowed"]] == []
    assert {use["event"] for use in uses} == {"socket.connect", "socket.getaddrinfo"}, "the fence has seen the SDKs"
    assert len(provider.log) == CALLS, "no request but the application's came in"
    assert len(list(read_events(store))) == CALLS


def test_the_fence_holds(tmp_path: Path) -> None:
    """A process behind the fence that talks to anyone else fails, and its attempt is on record."""
    log = tmp_path / "network.jsonl"
    source = APP.read_text(encoding="utf-8").partition("import asyncio")[0]
    leaky = tmp_path / "leaky.py"
    leaky.write_text(
        f"{source}\nimport socket\n"
        "for attempt in (\n"
        "    lambda: socket.create_connection(('127.0.0.1', 2)),\n"
        "    lambda: socket.getaddrinfo('events.example', 443),\n"
        "    lambda: socket.create_server(('127.0.0.1', 0)),\n"
        "):\n"
        "    try:\n"
        "        attempt()\n"
        "    except OSError:\n"
        "        print('refused')\n",
        encoding="utf-8",
    )
    done = run(leaky, "1", log)
    assert done.stdout.split() == ["refused"] * 3
    uses = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [use["event"] for use in uses] == ["socket.getaddrinfo", "socket.getaddrinfo", "socket.bind"]
