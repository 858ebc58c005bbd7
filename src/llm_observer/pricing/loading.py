"""`BackgroundLoad`: something slow, loaded once, off the caller's path, whatever the process does meanwhile."""

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from llm_observer.guard import guard

__all__ = ["BackgroundLoad"]

T = TypeVar("T")

_FORK_WAIT_S: Final = 2.0
"""How long a fork waits for a load under way, an import of a fraction of a second."""


class BackgroundLoad(Generic[T]):
    """Runs `load` once in a daemon thread. Safe in threads; a forked child has what its parent had, or starts anew.

    Args:
        load: What to run. Its failure is counted and leaves `value` as `None`.
        name: The name of the thread and of the guarded boundary.
    """

    def __init__(self, load: Callable[[], T], name: str) -> None:
        self.value: T | None = None
        """What was loaded."""
        self._load = load
        self._name = name
        self._reset()
        _instances.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.ended = self._ended.is_set
        """Whether loading has ended, well or not."""

    def start(self) -> None:
        """Start loading, unless something has. Returns at once."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=f"llm-observer-{self._name}", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # The interpreter is shutting down, or the system has no thread left: nothing is loaded.
                    return
                self._thread = thread

    def wait(self, timeout_s: float) -> bool:
        """Wait until loading has ended, at most `timeout_s`; starts it when nothing has."""
        self.start()
        return self._ended.wait(timeout_s)

    def _run(self) -> None:
        try:
            with guard(f"{self._name}.load"):
                self.value = self._load()
        finally:
            self._ended.set()

    def before_fork(self) -> None:
        """Let a load under way end: an import that a fork cuts short leaves its lock held for ever in the child."""
        thread = self._thread
        if thread is not None and not self.ended():
            thread.join(_FORK_WAIT_S)

    def after_fork(self) -> None:
        """In the child, where the parent's thread is gone: what it did not finish can be started again."""
        if not self.ended():
            self._reset()


_instances: "weakref.WeakSet[BackgroundLoad[Any]]" = weakref.WeakSet()


def _before_fork() -> None:
    for load in list(_instances):
        load.before_fork()


def _after_fork() -> None:
    for load in list(_instances):
        load.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
