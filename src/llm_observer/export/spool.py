"""What the endpoint would not take for now, kept on disk until it does. Off unless a file is named for it."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from llm_observer.counters import counters
from llm_observer.export.database import FAILURES, cause_of
from llm_observer.export.envelope import Item
from llm_observer.export.file import SharedFile

try:
    import fcntl
except ImportError:  # Windows: several processes may send the same event, whose id tells
    fcntl = None

__all__ = ["Spool"]

log = logging.getLogger("llm_observer")

_BATCH = 500


class Spool:
    """Events that wait for an endpoint to come back, of all processes that name the same file.

    A file that cannot be used means that events are lost as they are without it.

    Args:
        path: The file; made when it is first needed, mode 0600.
        max_age_s: Events that wait longer are dropped.
        max_bytes: When the file holds more, the oldest events are dropped.
    """

    def __init__(self, path: Path, *, max_age_s: float = 7 * 86400, max_bytes: int = 64 << 20) -> None:
        self._path = path
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._file = SharedFile(path)
        self._warned = False
        self._draining = threading.Lock()
        self._waiting = path.exists()

    @property
    def waiting(self) -> bool:
        """Whether there may be something to drain."""
        return self._waiting

    def put(self, items: Sequence[Item], *, hold_s: float = 0.0) -> bool:
        """Keep `items`; whether they are kept. Never raises.

        Args:
            items: Events; one that is there already takes its place.
            hold_s: How long to leave them to this process, which is sending them. Should it die, another one sends
                them after that.
        """
        now = time.time()
        rows = [(event_id, now + hold_s, text.decode()) for event_id, text in items]
        try:
            with self._file.lock:
                database = self._file.open()
                database.write(rows)
                dropped = database.prune(oldest=now - self._max_age_s, max_bytes=self._max_bytes)
        except FAILURES as error:
            self._failed(error)
            return False
        if dropped:
            counters.add("dropped", "spool_full", dropped)
        self._waiting = True
        return True

    def remove(self, items: Sequence[Item]) -> None:
        """Forget `items`, which are sent or lost. Never raises: what stays is sent once more, under the same id."""
        try:
            with self._file.lock:
                self._file.open().remove([event_id for event_id, _ in items])
        except FAILURES as error:
            self._failed(error)

    def drain(self, send: Callable[[Sequence[Item]], bool], batches: int) -> None:
        """Give `send` up to `batches` batches, oldest first, until it does not say that one is done with.

        One process at a time does so; others find nothing to do.
        """
        with self._alone() as alone:
            if not alone:
                return
            try:
                for _ in range(batches):
                    with self._file.lock:
                        rows = self._file.open().oldest(_BATCH, until=time.time())
                        self._waiting = bool(rows) or not self._file.open().is_empty()
                    if not rows:
                        return
                    if not send([(event_id, text.encode()) for event_id, text in rows]):
                        return
                    with self._file.lock:
                        self._file.open().remove([event_id for event_id, _ in rows])
            except FAILURES as error:
                self._failed(error)

    def close(self) -> None:
        """Close the file until it is used again."""
        with contextlib.suppress(*FAILURES):
            self._file.close()

    @contextlib.contextmanager
    def _alone(self) -> Generator[bool]:
        """Whether no other thread or process is draining, until the end of the block."""
        if not self._draining.acquire(blocking=False):
            yield False
            return
        try:
            with contextlib.ExitStack() as stack:
                yield self._locked(stack)
        finally:
            self._draining.release()

    def _locked(self, stack: contextlib.ExitStack) -> bool:
        if fcntl is None:
            return True
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(f"{self._path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, descriptor)
            # Of the process, and gone with it: a forked child does not hold what its parent locked.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _failed(self, error: Exception) -> None:
        with contextlib.suppress(*FAILURES):
            self._file.close()
        self._waiting = False
        if not self._warned:
            self._warned = True
            log.warning("events that cannot be sent are not kept in %s: it is %s", self._path, cause_of(error))
