"""What takes note of calls, and waiting for it."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import CHAT, Answer, ScriptedServer

import llm_observer
from llm_observer.counters import counters
from llm_observer.export.store import Store
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.summary import Tally
from llm_observer.wiring import connected

Ask = Callable[..., object]


def test_each_call_is_counted_told_and_kept(patched: Callable[..., None], ask: Ask) -> None:
    told: list[llm_observer.CallReport] = []
    patched()
    assert llm_observer.on_call(told.append) is not None
    ask()
    assert llm_observer.flush()
    assert len(told) == 1
    assert llm_observer.summary().total.calls == llm_observer.stats().calls == llm_observer.stats().stored == 1
    assert told[0].prompt is not None
    assert set(llm_observer.summary().by_family) == {told[0].prompt.family}


def test_after_unpatch_no_call_is_seen_and_what_was_seen_can_be_waited_for(
    patched: Callable[..., None], ask: Ask
) -> None:
    patched()
    ask()
    llm_observer.unpatch()
    ask()
    assert llm_observer.flush()
    assert llm_observer.stats().calls == llm_observer.stats().stored == 1


def test_patch_again_changes_nothing(patched: Callable[..., None], ask: Ask, store: Path) -> None:
    patched()
    process = connected()
    patched(store="off")
    assert connected() is process
    ask()
    assert llm_observer.flush()
    assert store.exists()
    assert llm_observer.stats().calls == 1


def test_patching_opens_no_file_and_starts_no_thread(patched: Callable[..., None], store: Path) -> None:
    threads = threading.active_count()
    patched()
    assert threading.active_count() == threads
    assert not store.exists()


def test_disabled_patches_nothing(
    patched: Callable[..., None], ask: Ask, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_OBSERVER_DISABLED", "true")
    patched()
    assert LLMObserverInstrumentor.runtime is None
    ask()
    assert llm_observer.stats().calls == 0
    assert not store.exists()


@pytest.mark.usefixtures("fail_open")
def test_a_callback_that_raises_reaches_neither_the_call_nor_the_store(
    patched: Callable[..., None], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names it, once."""

    class Other:
        def __call__(self, _: llm_observer.CallReport) -> None:
            raise ValueError

    @llm_observer.on_call
    def broken(_: llm_observer.CallReport) -> None:
        raise RuntimeError

    llm_observer.on_call(Other())
    patched()
    assert ask() is not None
    assert ask() is not None
    assert llm_observer.flush()
    assert llm_observer.stats().stored == 2
    assert llm_observer.stats().errors == {"on_call": 4}
    assert broken is not None
    here = f"{__name__}.test_a_callback_that_raises_reaches_neither_the_call_nor_the_store.<locals>"
    said = [record.getMessage().partition(" at ")[0] for record in caplog.records if record.levelname == "WARNING"]
    assert said == [f"on_call {here}.broken failed with RuntimeError", f"on_call {here}.Other failed with ValueError"]


@pytest.mark.usefixtures("fail_open")
@pytest.mark.parametrize(("stage", "others"), [((Tally, "add"), (0, 1)), ((Store, "put"), (1, 0))])
def test_a_listener_that_fails_leaves_the_others(
    patched: Callable[..., None],
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    stage: tuple[type, str],
    others: tuple[int, int],
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(*stage, broken)
    patched()
    assert ask() is not None
    assert llm_observer.flush()
    assert (llm_observer.summary().total.calls, llm_observer.stats().stored) == others
    assert counters.of("errors") == {"listener": 1}


def test_what_is_opted_in_is_sent_until_unpatch(patched: Callable[..., None], ask: Ask, server: ScriptedServer) -> None:
    patched(enabled=True, api_key="key", endpoint=f"{server.url}/events?x=1")
    server.script(Answer.json(CHAT), Answer(), Answer.json(CHAT))
    ask()
    assert llm_observer.flush()
    sent = [request for request in server.requests if request.path == "/events?x=1"]
    assert [request.headers["authorization"] for request in sent] == ["Bearer key"]
    assert llm_observer.stats().sent == 1
    llm_observer.unpatch()
    ask()
    llm_observer.flush()
    assert llm_observer.stats().sent == 1


def test_flush_takes_no_longer_than_it_may(
    patched: Callable[..., None], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One limit for all that it waits for, not one for each."""
    asked: list[float] = []

    def hanging(_: object, timeout: float) -> bool:
        asked.append(timeout)
        time.sleep(min(timeout, 0.2))
        return False

    patched()
    ask()
    monkeypatch.setattr("llm_observer.telemetry.reaper.Reaper.drain", hanging)
    monkeypatch.setattr(Store, "flush", hanging)
    assert llm_observer.flush(0.2) is False
    assert asked[0] == 0.2
    assert asked[-1] < 0.1
    monkeypatch.undo()


def test_flush_without_anything_to_wait_for_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_observer.wiring._connected", [])
    assert llm_observer.flush() is True
    assert llm_observer.stats() == llm_observer.Stats()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_counts_its_own_calls_alone(patched: Callable[..., None], ask: Ask) -> None:
    patched()
    ask()
    pid = os.fork()
    if pid == 0:
        ask()
        good = llm_observer.flush() and llm_observer.summary().total.calls == llm_observer.stats().stored == 1
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert llm_observer.summary().total.calls == 1
