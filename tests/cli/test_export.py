"""`llm-observer export`, as its user meets it."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import anthropic
import pytest
from endpoint import Endpoint
from report_events import broken, event

import llm_observer
from llm_observer.cli import main
from llm_observer.demo.provider import Provider
from llm_observer.export.store import Store
from llm_observer.wiring import connected


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "calls.db"
    kept = Store(path)
    for n in range(3):
        kept.put(broken(n))
    unsampled = event(7)
    unsampled["trace"]["sampled"] = False
    kept.put(unsampled)
    assert kept.close()
    return path


@pytest.fixture
def unpatched() -> Iterator[None]:
    yield
    llm_observer.unpatch()


def test_it_prints_the_bodies_and_says_that_nothing_was_sent(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--dry-run", "--store", str(store)]) == 0
    printed = capsys.readouterr()
    (body,) = printed.out.splitlines()
    events = json.loads(body)["events"]
    assert [each["event_id"] for each in events] == [f"{n:032x}" for n in range(3)]
    assert "/srv/app" not in body, "where the code is stays here"
    told = printed.err.splitlines()
    assert "3 calls in 1 request" in told[0]
    assert "nothing was sent" in told[0]
    assert "left out: 1 call whose trace was not sampled" in told[1]
    assert "an app sends nothing" in told[2]


def test_names_are_in_it_when_they_would_be_sent(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_OBSERVER_SEND_NAMES", "true")
    main(["export", "--dry-run", "--store", str(store)])
    assert "/srv/app/claude.py" in capsys.readouterr().out


@pytest.mark.usefixtures("unpatched")
def test_it_is_byte_for_byte_what_an_app_sends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with telemetry on, it says where that goes, and neither sends anything nor shows the key."""
    path = tmp_path / "calls.db"
    with Endpoint() as endpoint, Provider() as provider:
        monkeypatch.setenv("LLM_OBSERVER_ENABLED", "true")
        monkeypatch.setenv("LLM_OBSERVER_API_KEY", "a-secret-key")
        monkeypatch.setenv("LLM_OBSERVER_ENDPOINT", endpoint.url)
        monkeypatch.setenv("LLM_OBSERVER_STORE", str(path))
        llm_observer.patch()
        process = connected()
        assert process is not None
        assert process.runtime.engine.prices.wait(30), "else the store would know the cost and the event not yet"
        with anthropic.Anthropic(base_url=provider.anthropic_url, api_key="none") as client:
            client.messages.create(
                model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "question"}]
            )
        assert llm_observer.flush(30)
        sent = [gzip.decompress(request.body) for request in endpoint.requests]
        assert main(["export", "--dry-run", "--store", str(path)]) == 0
        assert len(endpoint.requests) == len(sent)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [body.decode() for body in sent]
    assert "POSTs such calls to http://127.0.0.1:" in printed.err
    assert "a-secret-key" not in printed.out + printed.err


def test_many_events_are_shown_in_the_batches_that_they_would_go_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calls.db"
    kept = Store(path)
    for n in range(2500):
        kept.put(event(n))
    assert kept.close()
    assert main(["export", "--dry-run", "--store", str(path)]) == 0
    printed = capsys.readouterr()
    batches = [json.loads(body)["events"] for body in printed.out.splitlines()]
    assert max(map(len, batches)) <= 1000
    assert [each["event_id"] for batch in batches for each in batch] == [f"{n:032x}" for n in range(2500)]
    assert f"2,500 calls in {len(batches)} requests" in printed.err


def test_what_is_no_event_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "calls.db"
    kept = Store(path)
    odd = event(1)
    del odd["trace"]
    kept.put(odd)
    assert kept.close()
    assert main(["export", "--dry-run", "--store", str(path)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "left out: 1 call in a shape" in printed.err


def test_settings_that_keep_an_app_from_sending_are_told(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_OBSERVER_ENABLED", "true")
    main(["export", "--dry-run", "--store", str(store)])
    assert "telemetry is enabled without a key" in capsys.readouterr().err


def test_without_dry_run_it_says_how_sending_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "llm-observer export --dry-run" in printed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--since", "2999-01-01"], "there are no calls since 2999-01-01"), (["--since", "soon"], "is no time")],
)
def test_an_error_is_one_line(arguments: list[str], told: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--dry-run", "--store", str(store), *arguments]) in {1, 2}
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert told in printed.err


def test_a_store_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--dry-run", "--store", str(tmp_path / "none.db")]) == 1
    assert "there is no store" in capsys.readouterr().err
