"""The thread behind the store: started late, replaced when it dies, never waited for by who puts."""

import gc
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from llm_observer.counters import counters
from llm_observer.export.worker import Worker
from llm_observer.guard import Guard


class Sink:
    """What a worker handed over and dropped."""

    def __init__(self, **options: Any) -> None:
        self.batches: list[list[int]] = []
        self.dropped: dict[str, int] = {}
        self.pauses = 0
        self.failure: BaseException | None = None
        self.threads: list[threading.Thread] = []
        given: dict[str, Any] = {"max_queue": 1000, "max_batch": 100, "linger_s": 0.0}
        self.worker: Worker[int] = Worker(
            self.handle, name="test", on_drop=self.drop, on_pause=self.pause, **(given | options)
        )

    def handle(self, batch: list[int]) -> None:
        self.threads.append(threading.current_thread())
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.batches.append(batch)

    def drop(self, cause: str, items: list[int]) -> None:
        self.dropped[cause] = self.dropped.get(cause, 0) + len(items)

    def pause(self) -> None:
        self.pauses += 1

    @property
    def items(self) -> list[int]:
        return [item for batch in self.batches for item in batch]


def test_items_come_in_order_and_in_bounded_batches() -> None:
    sink = Sink(max_batch=10, linger_s=0.05)
    for n in range(35):
        sink.worker.put(n)
    assert sink.worker.flush(5)
    assert sink.items == list(range(35))
    assert max(map(len, sink.batches)) == 10
    assert sink.worker.close(5)


def test_many_threads_may_put() -> None:
    sink = Sink(max_queue=100_000)

    def put() -> None:
        for n in range(500):
            sink.worker.put(n)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sink.worker.close(5)
    assert sorted(sink.items) == sorted(list(range(500)) * 8)


def test_a_batch_that_fails_is_counted_and_the_next_is_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "strict", False)
    sink = Sink()
    sink.failure = ValueError()
    sink.worker.put(1)
    assert sink.worker.flush(5)
    sink.worker.put(2)
    assert sink.worker.close(5)
    assert sink.items == [2]
    assert sink.dropped == {"failed": 1}
    assert counters.of("errors") == {"test": 1}


def test_a_thread_that_died_is_replaced_by_the_next_item(monkeypatch: pytest.MonkeyPatch) -> None:
    def unseen(_: object) -> None:
        return None

    monkeypatch.setattr(threading, "excepthook", unseen)
    sink = Sink()
    sink.failure = SystemExit()  # ends a thread without a word
    sink.worker.put(1)
    deadline = time.monotonic() + 5
    while not sink.threads and time.monotonic() < deadline:
        time.sleep(0.001)
    sink.threads[0].join(5)
    assert sink.dropped == {"failed": 1}
    sink.worker.put(2)
    assert sink.worker.close(5)
    assert sink.items == [2]


def test_a_flush_that_finds_the_thread_dead_starts_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    sink = Sink()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        sink.worker.put(1)
        assert not sink.worker.flush(0.01)
    assert sink.worker.queued == 2
    assert sink.worker.flush(5)
    assert sink.items == [1]


def test_a_flush_from_the_thread_itself_does_not_wait() -> None:
    answers: list[bool] = []
    sink = Sink()

    def flush() -> None:
        answers.append(sink.worker.flush(5))

    sink.pause = flush  # type: ignore[method-assign]
    inner: Worker[int] = Worker(
        lambda _: answers.append(inner.flush(5)),
        name="inner",
        max_queue=10,
        max_batch=10,
        linger_s=0,
        on_drop=sink.drop,
        on_pause=sink.pause,
    )
    inner.put(1)
    started = time.monotonic()
    assert inner.flush(5)
    assert answers == [False]
    assert time.monotonic() - started < 4


def test_putting_from_a_finalizer_in_the_middle_of_putting_does_not_hang() -> None:
    """An abandoned stream may end its span wherever the garbage collector runs, inside `put` too."""
    sink = Sink(max_queue=100_000)

    class Abandoned:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            sink.worker.put(-1)

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for n in range(200):
            Abandoned()
            sink.worker.put(n)
    finally:
        gc.set_threshold(*before)
    assert sink.worker.flush(5)
    gc.collect()
    assert sink.worker.close(5)
    assert [item for item in sink.items if item >= 0] == list(range(200))
    assert sink.items.count(-1) == 200


def test_the_end_of_the_process_pauses_a_worker_and_leaves_it_usable() -> None:
    sink = Sink()
    sink.worker.at_exit()
    assert sink.pauses == 0  # nothing was ever done
    sink.worker.put(1)
    sink.worker.at_exit()
    assert (sink.items, sink.pauses) == ([1], 1)
    sink.worker.put(2)
    assert sink.worker.close(5)
    assert sink.items == [1, 2]


def test_closing_again_is_no_wait() -> None:
    sink = Sink()
    sink.worker.put(1)
    started = time.monotonic()
    for _ in range(5):
        assert sink.worker.close(5)
        assert sink.worker.flush(5)
    assert time.monotonic() - started < 4
    assert sink.items == [1]


def test_what_a_dying_thread_leaves_is_handled_by_its_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    def unseen(_: object) -> None:
        return None

    monkeypatch.setattr(threading, "excepthook", unseen)
    sink = Sink(linger_s=0.05, max_batch=1)
    sink.failure = SystemExit()
    for n in range(5):
        sink.worker.put(n)
    assert sink.worker.flush(5)
    sink.threads[0].join(5)
    assert sink.items == [1, 2, 3, 4]
    assert sink.dropped == {"failed": 1}


def test_a_worker_that_was_closed_takes_no_more() -> None:
    sink = Sink()
    assert sink.worker.close(5)
    sink.worker.put(1)
    assert sink.dropped == {"closed": 1}
    sink.worker.renew()
    sink.worker.put(1)
    assert sink.dropped == {"closed": 2}


def test_where_celery_runs_its_word_that_a_worker_ends_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery is not installed here; `make test-servers` shows the same with a real one."""
    told: list[Callable[..., object]] = []
    signal = SimpleNamespace(connect=lambda hook, weak: told.append(hook))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setitem(sys.modules, "celery.signals", SimpleNamespace(worker_process_shutdown=signal))  # pyright: ignore[reportArgumentType]
    sink = Sink(linger_s=60.0)
    sink.worker.put(1)
    (hook,) = told
    hook(sender=None, pid=1, exitcode=0)
    assert sink.items == [1]
    assert sink.worker.close(5)
