"""Each call of each process of an application is stored once and sent once, however the process came and went."""

from pathlib import Path

import pytest
from endpoint import Endpoint
from programs import run

from llm_observer.demo.provider import Provider
from llm_observer.export.reading import read_events

APP = Path(__file__).parent / "apps" / "children.py"
CALLS = {"fork": 1 + 2 + 3 + 2 + 2, "spawn": 1 + 2 + 2, "terminated": 1 + 1}
"""How many calls each makes in all: the first by the parent, before its children are there."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Endpoint:
    monkeypatch.setenv("LLM_OBSERVER_ENABLED", "true")
    monkeypatch.setenv("LLM_OBSERVER_API_KEY", "k")
    monkeypatch.setenv("LLM_OBSERVER_STORE", str(tmp_path / "calls.db"))
    endpoint = Endpoint()
    monkeypatch.setenv("LLM_OBSERVER_ENDPOINT", endpoint.url)
    return endpoint


@pytest.mark.parametrize("kind", sorted(CALLS))
def test_each_call_of_each_process_is_stored_and_sent_once(
    kind: str, provider: Provider, endpoint: Endpoint, tmp_path: Path
) -> None:
    with endpoint:
        done = run(APP, kind)
    assert "llm_observer" not in done.stderr
    assert len(provider.log) == CALLS[kind]
    stored = [event["event_id"] for event in read_events(tmp_path / "calls.db")]
    sent = [event["event_id"] for request in endpoint.requests for event in request.batch["events"]]
    assert sorted(sent) == sorted(stored)
    assert len(set(stored)) == len(stored) == CALLS[kind]
