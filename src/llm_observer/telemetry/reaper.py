"""`Reaper`: a thread that ends the calls whose response was dropped.

A finalizer runs at any point of any thread, which may hold the lock of an exporter or of ours. So it only puts the
end of its call on a queue that is safe there, and this thread runs it. Who looks at the spans right after dropping a
stream finds its span all the same, since the finalizer waits for a moment.
"""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue

from llm_observer.guard import guard

__all__ = ["Reaper", "in_finalizer"]

_EXIT_TIMEOUT_S = 1.0

_MOMENT_S = 0.05
"""How long a finalizer waits for the end of its call: that takes a few milliseconds, unless something holds it up."""

_FINALIZER_DEPTH = 10
"""How many frames above the end of a span a finalizer is looked for."""


class Reaper:
    """Runs what finalizers leave behind. Its thread starts with the first response that could be dropped.

    Args:
        at_exit: Called when the interpreter exits, before what finalizers left behind is run.
    """

    def __init__(self, at_exit: Callable[[], None]) -> None:
        self._at_exit = at_exit
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._pid = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._waits = True

    def start(self) -> None:
        """Have the thread run: also in a child process, which has a fork's copy of the queue but not the thread."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            if not self._pid:
                # A provider that flushes at exit registered before this, so it comes after.
                atexit.register(self._end_all)
            self._pid = os.getpid()
            self._queue = SimpleQueue()
            self._waits = True
            self._thread = threading.Thread(
                target=self._run, args=(self._queue,), name="llm-observer-reaper", daemon=True
            )
            self._thread.start()

    def _end_all(self) -> None:
        self._at_exit()
        self.drain(_EXIT_TIMEOUT_S)

    def put(self, end: Callable[[], None]) -> None:
        """Leave `end` to the thread, and wait a moment for it. Safe in a finalizer."""
        self._queue.put(end)
        if self._waits and self._can_wait():
            # Once only where something holds the thread up: an exporter, or a lock of the thread that waits here.
            self._waits = self.drain(_MOMENT_S)

    def _can_wait(self) -> bool:
        """Whether the thread can run meanwhile, and nothing else in this one."""
        # Where gevent has put its own in place of Python's, to wait is to run other greenlets amid a collection.
        mine = self._thread is None or self._thread.ident == threading.get_ident()
        return not mine and SimpleQueue.__module__ == "_queue" and not sys.is_finalizing()

    def drain(self, timeout: float) -> bool:
        """Wait until all that was put so far has run, at most `timeout` seconds."""
        if self._pid != os.getpid():
            return True
        reached = threading.Event()
        self._queue.put(reached.set)
        return reached.wait(timeout)

    def _run(self, queue: SimpleQueue[Callable[[], None]]) -> None:
        while True:
            end = queue.get()
            with guard("reaper"):
                end()
            # Not held until the next comes.
            del end
            if not self._waits and queue.empty():
                self._waits = True


def in_finalizer() -> bool:
    """Whether the caller runs because an object is being finalized."""
    frame = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  no public way is as cheap
    for _ in range(_FINALIZER_DEPTH):
        caller = frame.f_back
        if caller is None:
            return False
        if caller.f_code.co_name == "__del__":
            return True
        frame = caller
    return False
