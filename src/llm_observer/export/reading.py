"""Reading the local store, for reports: other processes may be writing to it, and nothing here changes it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from llm_observer.counters import counters
from llm_observer.export.database import APPLICATION_ID, BUSY_TIMEOUT_S, FORMAT, DatabaseError, cause_of

__all__ = ["StoreError", "read_events"]

_SAY = {
    "missing": "there is no store at {path}: no call was recorded yet",
    "directory": "{path} is a directory, not a store: name the file in it",
    "foreign": "{path} is not a store of llm-observer",
    "newer": "{path} was written by a newer llm-observer: upgrade this one",
    "corrupt": "{path} is no store, or a damaged one: if it was one, move it away, and the next call makes a new one",
    "locked": "{path} is locked by another program",
}


class StoreError(Exception):
    """The store cannot be read. The message is one line for the user.

    Attributes:
        cause: `missing`, `directory`, `foreign`, `newer`, `corrupt`, `locked` or `unreadable`.
    """

    def __init__(self, cause: str, path: Path) -> None:
        self.cause = cause if cause in _SAY else "unreadable"
        super().__init__(_SAY.get(cause, "{path} cannot be read").format(path=path))


def read_events(path: Path, *, since: float | None = None, until: float | None = None) -> Iterator[dict[str, Any]]:
    """The events in the store at `path`, by start of the call, oldest first.

    Args:
        path: The file.
        since: Unix seconds; calls that started at or after it.
        until: Unix seconds; calls that started before it.

    Raises:
        StoreError: On the first `next`, or in the middle of a damaged file.
    """
    if not path.is_file():
        raise StoreError("directory" if path.is_dir() else "missing", path)
    try:
        with closing(_open(path)) as connection:
            rows = connection.execute(
                "SELECT event FROM calls WHERE at >= ? AND at < ? ORDER BY at",
                (-1e300 if since is None else since, 1e300 if until is None else until),
            )
            for (text,) in rows:
                event = _parsed(text)
                if event is not None:
                    yield event
    except (sqlite3.Error, DatabaseError) as error:
        raise StoreError(cause_of(error), path) from error


def _open(path: Path) -> sqlite3.Connection:
    uri = path.resolve().as_uri() + "?mode=ro"
    try:
        return _checked(uri)
    except sqlite3.OperationalError as error:
        # A directory that cannot be written has no place for the files that SQLite reads a log with.
        # Nobody can be writing there, so the file can be read as it stands.
        if cause_of(error) != "unwritable" or path.with_name(f"{path.name}-wal").exists():
            raise
        return _checked(f"{uri}&immutable=1")


def _checked(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S)
    try:
        _identify(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _identify(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise DatabaseError("foreign")
    if connection.execute("PRAGMA user_version").fetchone()[0] > FORMAT:
        raise DatabaseError("newer")


def _parsed(text: object) -> dict[str, Any] | None:
    """The event in a row; a row that holds none is counted and passed over."""
    try:
        event: object = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        event = None
    if isinstance(event, dict):
        return cast("dict[str, Any]", event)
    counters.add("events", "unreadable")
    return None
