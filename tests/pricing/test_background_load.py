"""`BackgroundLoad` in one process: what its fork hooks do, and a system without threads to give."""

import threading

import pytest

from llm_observer.pricing.loading import BackgroundLoad


def test_a_fork_waits_for_a_load_under_way() -> None:
    """The parent's side: the import ends before the process is copied."""
    go = threading.Event()

    def load() -> int:
        go.wait(10)
        return 7

    loading = BackgroundLoad(load, "test")
    loading.before_fork()
    loading.start()
    threading.Timer(0.05, go.set).start()
    loading.before_fork()
    assert loading.ended()
    assert loading.value == 7
    loading.before_fork()


def test_the_child_of_an_unfinished_load_starts_anew() -> None:
    """The child's side: the parent's thread is gone, its result if there is one stays."""
    go = threading.Event()
    loads: list[int] = []

    def load() -> int:
        loads.append(1)
        go.wait(10)
        return len(loads)

    loading = BackgroundLoad(load, "test")
    loading.start()
    loading.after_fork()
    assert not loading.ended()
    go.set()
    assert loading.wait(10)
    assert loading.value in {1, 2}
    loading.after_fork()
    assert loading.ended()


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of a process nothing is loaded, and nothing raised; a later start tries again."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    loading = BackgroundLoad(lambda: 7, "test")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        loading.start()
    assert not loading.ended()
    assert loading.wait(10)
    assert loading.value == 7
