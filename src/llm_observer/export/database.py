"""The file of the local store: SQLite, written by several processes at once, readable by its owner alone."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Generator, Sequence
from pathlib import Path

__all__ = ["APPLICATION_ID", "FAILURES", "FORMAT", "Database", "DatabaseError", "cause_of"]

APPLICATION_ID = 0x4C4C4D4F
"""`LLMO`: marks the file as ours (PRAGMA application_id)."""
FORMAT = 1
"""PRAGMA user_version. A file of a higher one was written by a later release and is left alone."""

BUSY_TIMEOUT_S = 10.0
_PRUNE_ROWS = 5000
"""Most rows that one pass deletes for their age, so that other processes do not wait long."""
_FILL_AFTER_PRUNE = 0.9
_TRIES = 20

_TABLES = """
CREATE TABLE calls (event_id TEXT NOT NULL PRIMARY KEY, at REAL NOT NULL, event TEXT NOT NULL);
CREATE INDEX calls_at ON calls (at);
"""

Row = tuple[str, float, str]
"""Event id, start of the call in Unix seconds, the event as JSON."""


class DatabaseError(Exception):
    """The file cannot be used. `cause` is one word: `missing`, `corrupt`, `locked`, `full`, `unwritable`, ..."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


_CAUSES = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_READONLY: "unwritable",
    sqlite3.SQLITE_CANTOPEN: "unwritable",
    sqlite3.SQLITE_PERM: "unwritable",
    sqlite3.SQLITE_IOERR: "io",
}


FAILURES = (sqlite3.Error, OSError, DatabaseError)
"""What using a file may raise."""


def cause_of(error: Exception) -> str:
    """Why the file failed, in one word of a short list."""
    if isinstance(error, DatabaseError):
        return error.cause
    if isinstance(error, sqlite3.Error):
        # The low byte is the primary code. Errors of the module itself have none.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return _CAUSES.get(code, "corrupt" if type(error) is sqlite3.DatabaseError else "failed")
    return "unwritable"


class Database:
    """An open file. Raises `sqlite3.Error`, `OSError` or `DatabaseError`; not for use by two threads at once."""

    def __init__(self, path: Path) -> None:
        _make_private(path)
        self._connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=16
        )
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, in autocommit mode."""
        return self._connection

    def write(self, rows: Sequence[Row]) -> None:
        """Keep `rows` in one transaction. A row whose event is there takes its place."""
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO calls (event_id, at, event) VALUES (?, ?, ?)"
                " ON CONFLICT (event_id) DO UPDATE SET at = excluded.at, event = excluded.event",
                rows,
            )

    def oldest(self, limit: int, *, until: float) -> list[tuple[str, str]]:
        """Id and JSON of at most `limit` events, by `at`, which is `until` (Unix seconds) or before."""
        query = "SELECT event_id, event FROM calls WHERE at <= ? ORDER BY at LIMIT ?"
        return self._connection.execute(query, (until, limit)).fetchall()

    def is_empty(self) -> bool:
        """Whether there is no event at all."""
        return not self._number("SELECT EXISTS (SELECT 1 FROM calls)")

    def remove(self, event_ids: Sequence[str]) -> None:
        """Forget these events."""
        with self._transaction():
            self._connection.executemany("DELETE FROM calls WHERE event_id = ?", [(one,) for one in event_ids])

    def prune(self, *, oldest: float, max_bytes: int) -> int:
        """Delete calls before `oldest` (Unix seconds), and the oldest ones while more than `max_bytes` are in use.

        Returns the number of rows deleted. A pass is short; what it leaves is for the next one.
        """
        deleted = 0
        with self._transaction():
            deleted += self._delete_oldest(_PRUNE_ROWS, before=oldest)
            used = self._used_bytes()
            if used > max_bytes:
                rows = self._number("SELECT count(*) FROM calls")
                surplus = 1 - _FILL_AFTER_PRUNE * max_bytes / used
                deleted += self._delete_oldest(max(1, int(rows * surplus)))
        if deleted:
            # `execute` would step it once, which frees one page.
            self._connection.executescript("PRAGMA incremental_vacuum")
        return deleted

    def close(self) -> None:
        """Close the file. Harmless when it is closed."""
        self._connection.close()

    def _prepare(self) -> None:
        connection = self._connection
        if self._pragma("user_version") == 0 and self._pragma("application_id") == 0:
            self._create()
        if self._pragma("application_id") != APPLICATION_ID:
            raise DatabaseError("foreign")
        if self._pragma("user_version") > FORMAT:
            raise DatabaseError("newer")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {4 << 20}")

    def _create(self) -> None:
        # In this order: another process that makes the file now makes its tables and its id at once.
        if self._number("SELECT count(*) FROM sqlite_master") and self._pragma("application_id") == 0:
            raise DatabaseError("foreign")
        # Has to come before the first table. Space of deleted rows can then be given back a little at a time.
        self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._enter_wal()
        with self._transaction():
            if self._pragma("application_id") != 0:
                return  # another process was first
            for statement in _TABLES.strip().splitlines():
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _enter_wal(self) -> None:
        """Switch to write-ahead logging; SQLite does not wait here for other processes that do the same."""
        for left in reversed(range(_TRIES)):
            try:
                self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
            except sqlite3.OperationalError as error:
                if cause_of(error) != "locked" or not left:
                    raise
                time.sleep(0.05)
            else:
                return

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def _delete_oldest(self, limit: int, before: float | None = None) -> int:
        return self._connection.execute(
            "DELETE FROM calls WHERE rowid IN"
            " (SELECT rowid FROM calls WHERE ?1 IS NULL OR at < ?1 ORDER BY at LIMIT ?2)",
            (before, limit),
        ).rowcount

    def _used_bytes(self) -> int:
        pages = self._pragma("page_count") - self._pragma("freelist_count")
        return pages * self._pragma("page_size")

    def _pragma(self, name: str) -> int:
        return self._number(f"PRAGMA {name}")

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0])


def _make_private(path: Path) -> None:
    """Make the file, and the directory if there is none, for the owner alone; SQLite's own files take its mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        # Not opened to look: to close it again would drop the locks that this process has on it (fcntl(2)).
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
