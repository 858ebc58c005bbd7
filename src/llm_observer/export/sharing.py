"""The prefix index as the processes of one host share it: through the local store, on its thread."""

import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence

from llm_observer.export.database import Database
from llm_observer.guard import guard

__all__ = ["Sharing"]

_MOST_ROWS = 2000
"""Calls that the store keeps for other processes."""
_MOST_READ = 500
"""Calls that one exchange reads, the latest first to be kept; a process that starts reads as many."""
_OLDEST_S = 2 * 3600.0
_ASK_EVERY_S = 0.25
_PRUNE_EVERY = 200

_TABLE = (
    "CREATE TABLE IF NOT EXISTS shared"
    " (id INTEGER PRIMARY KEY AUTOINCREMENT, key_id TEXT NOT NULL, writer TEXT NOT NULL, at REAL NOT NULL,"
    " call TEXT NOT NULL)"
)


class Sharing:
    """Writes what this process tells, and hands it what the others told since the last time.

    Args:
        key_id: Of the hash key: only processes with the same one understand each other.
        tell: Gives what is to be told, in rows of text.
        hear: Takes one such row of another process.
        ask: Has `exchange` called soon, on the store's thread.
    """

    def __init__(
        self, key_id: str, tell: Callable[[], Sequence[str]], hear: Callable[[str], None], ask: Callable[[], None]
    ) -> None:
        self._key_id = key_id
        self._tell = tell
        self._hear = hear
        self._ask = ask
        self._asked = 0.0
        self._writer = secrets.token_hex(8)
        self._pid = os.getpid()
        self._seen = 0
        self._until_prune = 0

    def look(self) -> None:
        """Have the others' news read soon, at most a few times a second. Cheap; called as a call begins."""
        now = time.monotonic()
        if now - self._asked >= _ASK_EVERY_S:
            self._asked = now
            self._ask()

    def exchange(self, database: Database) -> None:
        """Write and read. On the store's thread, with its lock held; raises what the database raises."""
        connection = database.connection
        if self._pid != os.getpid():
            # A forked child has heard what its parent had. What the parent had to tell, the parent tells.
            self._pid, self._writer = os.getpid(), secrets.token_hex(8)
            self._tell()
        connection.execute(_TABLE)
        self._write(connection)
        self._read(connection)

    def _write(self, connection: sqlite3.Connection) -> None:
        told = self._tell()
        if not told:
            return
        now = time.time()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT INTO shared (key_id, writer, at, call) VALUES (?, ?, ?, ?)",
                [(self._key_id, self._writer, now, text) for text in told],
            )
            self._until_prune -= len(told)
            if self._until_prune <= 0:
                self._until_prune = _PRUNE_EVERY
                connection.execute(
                    "DELETE FROM shared WHERE at < ? OR id <= (SELECT max(id) FROM shared) - ?",
                    (now - _OLDEST_S, _MOST_ROWS),
                )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _read(self, connection: sqlite3.Connection) -> None:
        latest: int = connection.execute("SELECT coalesce(max(id), 0) FROM shared").fetchone()[0]
        if latest < self._seen:
            # Another file of that name, or one that was emptied: numbers are never given twice in the same.
            self._seen = 0
        if latest == self._seen:
            return
        rows = connection.execute(
            "SELECT call FROM shared WHERE id > ? AND id <= ? AND key_id = ? AND writer != ? AND at >= ?"
            " ORDER BY id DESC LIMIT ?",
            (self._seen, latest, self._key_id, self._writer, time.time() - _OLDEST_S, _MOST_READ),
        ).fetchall()
        # Also past those of this process, which would be gone through again each time.
        self._seen = latest
        for (text,) in reversed(rows):
            with guard("sharing.hear"):
                self._hear(text)
