"""A bounded queue and the daemon thread that empties it, so that keeping events is not the caller's work."""

import atexit
import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from llm_observer.guard import guard

__all__ = ["Worker"]

T = TypeVar("T")

EXIT_FLUSH_S = 2.0
"""How long the end of the process may wait for what is queued."""


class _Mark:
    """Put into the queue behind items, so that its being reached says that they were handled."""

    __slots__ = ("pause", "reached", "stop")

    def __init__(self, *, pause: bool = False, stop: bool = False) -> None:
        self.reached = threading.Event()
        self.pause = pause
        self.stop = stop


class _State(Generic[T]):
    """What a process has of its own: a forked child gets a new one, and nothing that its parent had queued."""

    def __init__(self) -> None:
        # SimpleQueue.put is reentrant: a garbage collection inside it may end a span, which puts again.
        self.queue: SimpleQueue[T | _Mark] = SimpleQueue()
        self.hurry = threading.Event()
        self.marks: set[_Mark] = set()
        self.starting = threading.Lock()
        self.thread: threading.Thread | None = None
        self.exit_hook = False
        self.closed = False


class Worker(Generic[T]):
    """Hands what is put, in order and in batches, to `handle` on a thread of its own.

    The thread starts with the first item. When the queue is full its oldest item is dropped. A thread that died is
    started again by the next item. A forked child starts empty.

    Args:
        handle: Given each batch, on the thread.
        name: Of the thread, and of the boundary where `handle` may fail.
        max_queue: Most items waiting.
        max_batch: Most items in a batch.
        linger_s: How long the first item of a batch may wait for others.
        on_drop: Told why items were lost, and which: `queue_full`, `closed` or `failed`.
        on_pause: Called on the thread when the process may be about to end.
    """

    def __init__(
        self,
        handle: Callable[[list[T]], None],
        *,
        name: str,
        max_queue: int,
        max_batch: int,
        linger_s: float,
        on_drop: Callable[[str, list[T]], object],
        on_pause: Callable[[], None],
    ) -> None:
        self._handle = handle
        self._name = name
        self._max_queue = max_queue
        self._max_batch = max_batch
        self._linger_s = linger_s
        self._on_drop = on_drop
        self._on_pause = on_pause
        self._state: _State[T] = _State()
        _workers.add(self)

    @property
    def queued(self) -> int:
        """How many items wait."""
        return self._state.queue.qsize()

    def put(self, item: T) -> None:
        """Queue `item`. Neither blocks nor raises."""
        state = self._state
        if state.closed:
            self._on_drop("closed", [item])
            return
        if state.queue.qsize() >= self._max_queue:
            self._drop_oldest(state)
        state.queue.put(item)
        if state.thread is None:
            self._start(state)

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until what was put before is handled; whether it was."""
        return self._reach(_Mark(), timeout)

    def close(self, timeout: float) -> bool:
        """`flush`, and take no more."""
        self._state.closed = True
        return self._reach(_Mark(pause=True, stop=True), timeout)

    def at_exit(self) -> None:
        """Handle what is queued before the process ends, in bounded time."""
        self._reach(_Mark(pause=True), EXIT_FLUSH_S)

    def renew(self) -> None:
        """Start over in a forked child."""
        closed = self._state.closed
        self._state = _State()
        self._state.closed = closed

    def _reach(self, mark: _Mark, timeout: float) -> bool:
        state = self._state
        if threading.current_thread() is state.thread:
            return False
        if state.thread is None and state.queue.empty():
            return True
        state.marks.add(mark)
        state.hurry.set()
        state.queue.put(mark)
        if state.thread is None:
            self._start(state)
        return mark.reached.wait(timeout)

    def _drop_oldest(self, state: _State[T]) -> None:
        with contextlib.suppress(Empty):
            oldest = state.queue.get_nowait()
            if isinstance(oldest, _Mark):
                # All that was ahead of it is in the thread's hands: it is as good at the end, where it waits longer.
                state.queue.put(oldest)
            else:
                self._on_drop("queue_full", [oldest])

    def _start(self, state: _State[T]) -> None:
        # Never waits: whoever holds the lock is starting the thread, in this very thread even (see `_State`).
        if not state.starting.acquire(blocking=False):
            return
        try:
            if state.thread is not None:
                return
            # Set before it runs, because it sets it back when it ends.
            state.thread = thread = threading.Thread(target=self._run, args=(state,), name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # No more threads, or the interpreter is ending. What is queued waits for the next try.
                state.thread = None
            else:
                self._hook_exit(state)
        finally:
            state.starting.release()

    def _hook_exit(self, state: _State[T]) -> None:
        if state.exit_hook:
            return
        state.exit_hook = True
        hook = _ExitHook(self)
        atexit.register(hook)
        # A child of multiprocessing ends by os._exit, without atexit, but runs its own finalizers.
        process: Any = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            from multiprocessing.util import Finalize  # noqa: PLC0415  only where multiprocessing is loaded anyway

            Finalize(None, hook, exitpriority=10)
        # A worker of Celery's ends by os._exit too, a second after this signal.
        celery: Any = sys.modules.get("celery.signals")
        if celery is not None:
            celery.worker_process_shutdown.connect(hook, weak=False)

    def _run(self, state: _State[T]) -> None:
        try:
            while True:
                batch, mark = self._next(state)
                try:
                    if batch:
                        self._handled(batch)
                finally:
                    # Also when the batch ends the thread: somebody may be waiting.
                    if mark is not None:
                        self._reached(state, mark)
                if mark is not None and mark.stop and state.queue.empty():
                    return
        finally:
            state.thread = None
            if not state.queue.empty():
                # Put while this thread was on its way out, or left by a batch that ended it.
                self._start(state)

    def _reached(self, state: _State[T], mark: _Mark) -> None:
        state.marks.discard(mark)
        state.hurry.clear()
        if state.marks:
            state.hurry.set()
        if mark.pause:
            with guard(self._name):
                self._on_pause()
        mark.reached.set()

    def _handled(self, batch: list[T]) -> None:
        done = False
        try:
            with guard(self._name):
                self._handle(batch)
                done = True
        finally:
            if not done:
                self._on_drop("failed", batch)

    def _next(self, state: _State[T]) -> tuple[list[T], _Mark | None]:
        """Wait for an item, then for others to go with it; all up to a mark or a full batch."""
        batch: list[T] = []
        item = state.queue.get()
        if not isinstance(item, _Mark):
            state.hurry.wait(self._linger_s)
        with contextlib.suppress(Empty):
            while not isinstance(item, _Mark):
                batch.append(item)
                if len(batch) >= self._max_batch:
                    return batch, None
                item = state.queue.get_nowait()
            return batch, item
        return batch, None


class _ExitHook:
    """Calls `at_exit` of a worker that still exists, in the process that registered it."""

    def __init__(self, worker: Worker[Any]) -> None:
        self._worker = weakref.ref(worker)

    def __call__(self, **_: object) -> None:
        worker = self._worker()
        if worker is not None:
            worker.at_exit()


_workers: "weakref.WeakSet[Worker[Any]]" = weakref.WeakSet()


def _renew_all() -> None:
    for worker in tuple(_workers):
        worker.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
