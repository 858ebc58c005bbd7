"""At debug level the log tells what became of each call, by its event id, and nothing of what it said."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint, reply

import llm_observer
from llm_observer.counters import counters
from llm_observer.export.reading import read_events
from llm_observer.stages import reached

Ask = Callable[..., object]


def stages(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What structured handlers find, in order; the text of each line says the same."""
    records = [record for record in caplog.records if hasattr(record, "llm_observer")]
    told = [record.__dict__["llm_observer"] for record in records]
    for record, about in zip(records, told, strict=True):
        assert record.levelno == logging.DEBUG
        assert record.getMessage() == " ".join(f"{name}={fact}" for name, fact in about.items())
    return told


@pytest.mark.parametrize(("status", "last"), [(200, "sent"), (400, "dropped")])
def test_each_stage_of_a_call_is_a_line_with_its_event_id(
    patched: Callable[..., None], ask: Ask, store: Path, caplog: pytest.LogCaptureFixture, status: int, last: str
) -> None:
    caplog.set_level(logging.DEBUG, logger="llm_observer")
    with Endpoint(then=reply(status)) as endpoint:
        patched(enabled=True, api_key="k", endpoint=endpoint.url)
        ask("A question of nobody's business")
        assert llm_observer.flush()
    (event,) = read_events(store)
    told = stages(caplog)
    assert {about["call"] for about in told} == {event["event_id"]}
    assert sorted(about["stage"] for about in told) == sorted(["ended", "stored", last])
    ended = told[0]
    assert (ended["provider"], ended["api"]) == ("openai", "chat.completions")
    assert ended["outcome"] == event["cache"]["outcome"]
    assert next(about.get("cause") for about in told if about["stage"] == last) == (
        None if status == 200 else "http_400"
    )
    assert "nobody" not in json.dumps(told)


def test_a_call_that_cannot_be_stored_is_told_as_dropped(
    patched: Callable[..., None], ask: Ask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="llm_observer")
    (tmp_path / "file").touch()
    patched(store=str(tmp_path / "file" / "calls.db"))
    ask()
    assert llm_observer.flush()
    assert [(about["stage"], about.get("cause")) for about in stages(caplog)] == [
        ("ended", None),
        ("dropped", "store_unwritable"),
    ]


def test_nothing_is_made_of_it_where_nobody_reads(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="llm_observer")
    reached("sent", (1 // 0 for _ in "x"))  # pyright: ignore[reportArgumentType]
    assert caplog.records == []


@pytest.mark.usefixtures("fail_open")
def test_a_handler_that_raises_reaches_nobody(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    caplog.set_level(logging.DEBUG, logger="llm_observer")
    monkeypatch.setattr("llm_observer.stages.log.debug", broken)
    reached("sent", ["x"])
    assert counters.of("errors") == {"stages": 1}
