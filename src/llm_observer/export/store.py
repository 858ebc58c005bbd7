"""The local store: every call of every process on this machine, kept for reports."""

import json
import logging
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from llm_observer.counters import counters
from llm_observer.export.database import FAILURES, Database, Row, cause_of
from llm_observer.export.file import SharedFile
from llm_observer.export.reading import StoreError, read_events
from llm_observer.export.worker import Worker
from llm_observer.guard import guard
from llm_observer.stages import reached

__all__ = ["Store", "StoreError", "read_events"]

log = logging.getLogger("llm_observer")

Event = dict[str, Any]
Item = Event | Callable[[], Event | None]

_REASONS = {
    "corrupt": "it is damaged; move it away",
    "foreign": "it belongs to another program",
    "newer": "a newer llm-observer wrote it",
    "locked": "another program has locked it",
    "full": "the disk is full",
    "unwritable": "it cannot be written",
    "forked": "this process was forked in the middle of a write",
}

_PASSING = frozenset({"locked", "full"})
"""What may be over with the next batch."""

_LINGER_S = 0.1
_MAX_BATCH = 256
_PRUNE_EVERY_ROWS = 2000
_PRUNE_EVERY_S = 600.0
_RETRY_AFTER_S = 60.0
"""How long a file that could not be used is left alone."""


class Store:
    """Writes events to a SQLite file on a thread of its own.

    A file that is locked, damaged, full or cannot be written means no store: one warning, what is lost is counted
    as `dropped`, and the caller notices nothing. What does not pass by itself is tried again once a minute.

    Args:
        path: The file; made on first use, mode 0600.
        max_age_s: Calls older than this are deleted.
        max_bytes: When the file holds more, the oldest calls are deleted.
        max_queue: Most events waiting to be written; then the oldest is dropped.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_age_s: float = 30 * 86400,
        max_bytes: int = 256 << 20,
        max_queue: int = 10_000,
    ) -> None:
        self.path = path
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._file = SharedFile(path)
        self._warned: set[str] = set()
        self._retry_at = 0.0
        self._rows_since_prune = _PRUNE_EVERY_ROWS
        self._prune_at = 0.0
        self.exchange: Callable[[Database], None] | None = None
        """Called with the open file after each write, on the store's thread."""
        self._worker: Worker[Item] = Worker(
            self._write,
            name="llm_observer.store",
            max_queue=max_queue,
            max_batch=_MAX_BATCH,
            linger_s=_LINGER_S,
            on_drop=_lost,
            on_pause=self._file.close,
        )

    @property
    def queued(self) -> int:
        """How many events wait to be written."""
        return self._worker.queued

    def put(self, item: Item) -> None:
        """Keep an event, which is the store's from here on. Neither blocks nor raises.

        Args:
            item: The event, or what makes it: called on the store's thread, it returns `None` for no event.
        """
        self._worker.put(item)

    def exchange_soon(self) -> None:
        """Have `exchange` called, though there is no event to write. Neither blocks nor raises."""
        self._worker.put(_nothing)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait at most `timeout` seconds until every event put before is written or counted as dropped."""
        return self._worker.flush(timeout)

    def close(self, timeout: float = 5.0) -> bool:
        """`flush`, and take no more events."""
        return self._worker.close(timeout)

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def _write(self, items: list[Item]) -> None:
        if time.monotonic() < self._retry_at:
            _lost("unavailable", items)
            return
        rows = [row for row in map(self._row, items) if row is not None]
        with self._file.lock:
            try:
                database = self._file.open()
                if rows:
                    database.write(rows)
            except FAILURES as error:
                self._failed(error, len(rows))
                reached("dropped", (event_id for event_id, *_ in rows), cause=f"store_{cause_of(error)}")
                return
            counters.add("stored", n=len(rows))
            reached("stored", (event_id for event_id, *_ in rows))
            try:
                self._prune(len(rows))
                if self.exchange is not None:
                    self.exchange(self._file.open())
            except FAILURES as error:
                self._failed(error, 0)

    def _row(self, item: Item) -> Row | None:
        with guard("store.encode"):
            event = item() if callable(item) else item
            if event is None:
                return None
            at = datetime.fromisoformat(event["occurred_at"]).timestamp()
            return event["event_id"], at, json.dumps(event, allow_nan=False, separators=(",", ":"))
        _count_drop("invalid", 1)
        return None

    def _prune(self, written: int) -> None:
        """Hold the file to its bounds; rarely, since it costs more than a write."""
        self._rows_since_prune += written
        if self._rows_since_prune < _PRUNE_EVERY_ROWS and time.monotonic() < self._prune_at:
            return
        self._file.open().prune(oldest=time.time() - self._max_age_s, max_bytes=self._max_bytes)
        self._rows_since_prune, self._prune_at = 0, time.monotonic() + _PRUNE_EVERY_S

    def _failed(self, error: Exception, rows: int) -> None:
        cause = cause_of(error)
        self._file.close()
        if cause not in _PASSING:
            self._retry_at = time.monotonic() + _RETRY_AFTER_S
        if rows:
            _count_drop(cause, rows)
        if cause not in self._warned:
            self._warned.add(cause)
            log.warning("calls are not kept in %s: %s", self.path, _REASONS.get(cause, "it cannot be used"))


def _nothing() -> None:
    """Makes no event."""


def _lost(cause: str, items: list[Item]) -> None:
    """Count the items that were to be kept."""
    kept = sum(item is not _nothing for item in items)
    if kept:
        _count_drop(cause, kept)


def _count_drop(cause: str, n: int) -> None:
    counters.add("dropped", f"store_{cause}", n)
