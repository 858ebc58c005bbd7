"""A database file that several threads use, and that no fork takes along open."""

import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from llm_observer.export.database import Database, DatabaseError
from llm_observer.guard import guard

__all__ = ["SharedFile"]

_FORK_WAIT_S = 2.0
"""How long a fork may wait for a write to end."""


class SharedFile:
    """A file and its lock. It is never open while the process forks.

    SQLite must not be carried across a fork: a child that had the file open would share the locks in memory without
    having them in the system (https://sqlite.org/howtocorrupt.html, section 2.6).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lock = threading.RLock()
        self._database: Database | None = None
        self._forking: set[int] = set()
        self._unsafe = False
        _files.add(self)

    def open(self) -> Database:
        """The file, opened when it is not. Hold `lock`."""
        if self._unsafe:
            raise DatabaseError("forked")
        if self._database is None:
            self._database = Database(self._path)
        return self._database

    def close(self) -> None:
        """Close the file until it is used again."""
        with self.lock:
            database, self._database = self._database, None
            if database is not None:
                database.close()

    def before_fork(self) -> None:
        """Close the file, and keep others from opening it until the fork is done."""
        if self.lock.acquire(timeout=_FORK_WAIT_S):
            self._forking.add(threading.get_ident())
            self.close()

    def after_in_parent(self) -> None:
        """Let it be opened again."""
        if threading.get_ident() in self._forking:
            self._forking.discard(threading.get_ident())
            self.lock.release()

    def after_in_child(self) -> None:
        """Start over; without the file when it could not be closed in time."""
        if threading.get_ident() not in self._forking:
            # A write was going on. What it holds is left as it is: to close it would touch the parent's locks.
            self._unsafe = True
            _abandoned.append(self._database)
            self._database = None
        self._forking.clear()
        self.lock = threading.RLock()


_abandoned: list[Database | None] = []
_files: "weakref.WeakSet[SharedFile]" = weakref.WeakSet()


def _at_fork(method: Callable[[SharedFile], None]) -> Callable[[], None]:
    def hook() -> None:
        for file in tuple(_files):
            with guard("file.fork"):
                method(file)

    return hook


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_at_fork(SharedFile.before_fork),
        after_in_parent=_at_fork(SharedFile.after_in_parent),
        after_in_child=_at_fork(SharedFile.after_in_child),
    )
