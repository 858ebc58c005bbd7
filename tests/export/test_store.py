"""The local store keeps every call, from any number of processes, and never gets in the way of one."""

import contextlib
import json
import logging
import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from export_helpers import FULL, START_NS, make_event, validate_event

from llm_observer.counters import counters
from llm_observer.export import database
from llm_observer.export.store import Store, StoreError, read_events
from llm_observer.guard import Guard

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

START = START_NS / 1e9


def call(n: int, **changes: Any) -> Any:
    """An event of its own, `n` seconds after the first."""
    start = START_NS + n * 10**9
    return make_event(FULL, span_id=n + 1, start_ns=start, end_ns=start + 10**9, **changes)


def keep(path: Path, *events: Any, **options: Any) -> None:
    store = open_store(path, **options)
    for event in events:
        store.put(event)
    assert store.close()


def open_store(path: Path, **options: Any) -> Store:
    """A store that does not mind that the calls of these tests are of long ago."""
    options.setdefault("max_age_s", 1e12)
    return Store(path, **options)


def ids(path: Path) -> list[str]:
    return [event["trace"]["span_id"] for event in read_events(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "llm-observer" / "calls.db"


def test_what_is_put_is_read_again(path: Path) -> None:
    event = make_event(FULL)
    keep(path, event)
    (read,) = read_events(path)
    assert read == event
    validate_event(read)
    assert counters.total("stored") == 1


def test_events_come_oldest_first_and_within_the_span_asked_for(path: Path) -> None:
    keep(path, *(call(n) for n in (3, 1, 2, 0)))
    assert [event["occurred_at"] for event in read_events(path)] == sorted(call(n)["occurred_at"] for n in range(4))
    middle = list(read_events(path, since=START + 0.5, until=START + 2.5))
    assert [event["trace"]["span_id"] for event in middle] == [f"{n + 1:016x}" for n in (1, 2)]


def test_an_event_that_is_put_twice_is_kept_once_as_last_said(path: Path) -> None:
    later = call(1)
    later["cost"] = {"usd": "1"}
    keep(path, call(1), later)
    (read,) = read_events(path)
    assert read["cost"] == {"usd": "1"}


def test_nobody_else_may_read_it(path: Path) -> None:
    """Directory 0700, and 0600 for the file and for those that SQLite makes beside it, whatever the umask."""
    before = os.umask(0)
    try:
        store = open_store(path)
        store.put(call(1))
        assert store.flush()
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert files == {"calls.db": 0o600, "calls.db-wal": 0o600, "calls.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    keep(path, call(1))
    path.chmod(0o644)
    keep(path, call(2))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(ids(path)) == 2


def test_close_leaves_one_file_and_takes_no_more(path: Path) -> None:
    store = open_store(path)
    store.put(call(1))
    assert store.close()
    assert [file.name for file in path.parent.iterdir()] == ["calls.db"]
    store.put(call(2))
    assert store.flush()
    assert counters.of("dropped") == {"store_closed": 1}
    assert len(ids(path)) == 1


def test_nothing_is_made_until_a_call_is_kept(path: Path) -> None:
    store = open_store(path)
    assert store.flush()
    assert store.close()
    assert not path.parent.exists()
    assert repr(store) == f"Store({str(path)!r})"


def test_a_process_that_ends_keeps_what_it_put(path: Path) -> None:
    """At exit, on an exception, and in children of multiprocessing, which end without atexit."""
    code = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from pathlib import Path
        from export_helpers import FULL, make_event
        from llm_observer.export import worker
        from llm_observer.export.store import Store
        import multiprocessing

        worker.EXIT_FLUSH_S = 20.0  # the machine may be busy
        store = Store(Path({str(path)!r}), max_age_s=1e12)

        def child(n):
            store.put(make_event(FULL, span_id=n))

        store.put(make_event(FULL, span_id=1))
        children = [multiprocessing.get_context("fork").Process(target=child, args=(n,)) for n in (2, 3)]
        for process in children:
            process.start()
        for process in children:
            process.join()
        store.put(make_event(FULL, span_id=4))
        raise SystemExit(3)
    """
    lines = [line.removeprefix("        ") for line in code.splitlines()]
    ended = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=False, timeout=30, capture_output=True)
    assert (ended.returncode, ended.stderr) == (3, b"")
    assert not path.with_name("calls.db-wal").exists()
    assert sorted(ids(path)) == [f"{n:016x}" for n in (1, 2, 3, 4)]


def _write_many(path: Path, first: int, count: int) -> None:
    store = open_store(path)
    for n in range(first, first + count):
        store.put(call(n))
        if n % 50 == 0:
            store.flush()
    assert store.close(timeout=30)


def test_several_processes_write_at_once(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_write_many, args=(path, first, 200)) for first in (0, 1000)]
    for child in children:
        child.start()
    _write_many(path, 3000, 200)
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    assert len(set(ids(path))) == 600
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_children_of_a_process_that_is_writing_write_on_their_own(path: Path) -> None:
    """A forked child opens the file anew, keeps its own calls, and not again what its parent had queued."""
    store = open_store(path)
    for n in range(100):
        store.put(call(n))
    assert store.flush()
    store.put(call(100))
    children: list[int] = []
    for n in range(3):
        pid = os.fork()
        if not pid:
            counters.clear()
            with contextlib.suppress(BaseException):
                store.put(call(200 + n))
                done = store.close(timeout=10) and counters.total("stored") == 1
                os._exit(0 if done else 1)
            os._exit(2)
        children.append(pid)
        store.put(call(300 + n))
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
    assert store.close()
    assert len(ids(path)) == 107


def test_a_fork_in_the_middle_of_a_write_leaves_the_child_without_a_store(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_observer.export.file._FORK_WAIT_S", 0.01)
    writing, go_on = threading.Event(), threading.Event()
    write = database.Database.write

    def slow(self: database.Database, rows: Any) -> None:
        writing.set()
        go_on.wait(10)
        write(self, rows)

    store = open_store(path)
    store.put(call(0))
    assert store.flush()
    monkeypatch.setattr(database.Database, "write", slow)
    store.put(call(1))
    assert writing.wait(10)
    pid = os.fork()
    if not pid:
        go_on.set()
        store.put(call(2))
        store.flush()
        os._exit(0 if counters.of("dropped") == {"store_forked": 1} else 1)
    go_on.set()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert store.close()
    assert len(ids(path)) == 2


def test_the_oldest_calls_go_when_it_is_too_large(path: Path) -> None:
    store = open_store(path, max_bytes=200_000)
    for n in range(3000):
        store.put(call(n))
        if n % 500 == 0:
            assert store.flush()
    assert store.close()
    # The bound is held whenever a pass has run; between passes a batch or two are added.
    keep(path, call(3000), max_bytes=200_000)
    assert path.stat().st_size < 300_000
    kept = ids(path)
    assert 50 < len(kept) < 200
    assert kept[-1] == f"{3001:016x}"
    assert kept == [f"{n:016x}" for n in range(3001 - len(kept) + 1, 3002)]


def test_calls_that_are_too_old_go(path: Path) -> None:
    now = time.time_ns()
    recent = make_event(FULL, span_id=1, start_ns=now, end_ns=now)
    keep(path, recent, call(5), max_age_s=3600)
    assert ids(path) == [f"{1:016x}"]


def test_an_event_that_is_handed_over_unmade_is_made_on_the_stores_thread(path: Path) -> None:
    threads: list[str] = []

    def make() -> dict[str, Any]:
        threads.append(threading.current_thread().name)
        return call(1)

    keep(path, make, call(2), lambda: None)
    assert ids(path) == [call(n)["trace"]["span_id"] for n in (1, 2)]
    assert threads == ["llm_observer.store"]
    assert counters.of("dropped") == {}


def test_an_event_whose_making_fails_is_dropped_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "strict", False)

    def make() -> dict[str, Any]:
        raise KeyError

    keep(path, make, call(2))
    assert ids(path) == [call(2)["trace"]["span_id"]]
    assert counters.of("errors") == {"store.encode": 1}
    assert counters.of("dropped") == {"store_invalid": 1}


def test_what_is_no_event_is_dropped_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "strict", False)
    bad = call(1)
    bad["usage"] = {"input_tokens": float("nan")}
    keep(path, {"cost": {}}, bad, call(2))
    assert counters.of("dropped") == {"store_invalid": 2}
    assert len(ids(path)) == 1


def test_put_takes_microseconds_and_drops_the_oldest_when_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    taken = threading.Event()

    def stuck(self: database.Database, rows: Any) -> None:
        taken.set()
        go_on.wait(10)
        write(self, rows)

    write = database.Database.write
    monkeypatch.setattr(database.Database, "write", stuck)
    store = open_store(path, max_queue=10)
    store.put(call(0))
    assert taken.wait(10)
    for n in range(1, 31):
        store.put(call(n))
    assert store.queued == 10
    assert not store.flush(timeout=0.01)
    # The mark that flush left has a place of its own at the end.
    for n in range(31, 41):
        store.put(call(n))
    assert counters.of("dropped") == {"store_queue_full": 30}
    go_on.set()
    assert store.close()
    assert ids(path) == [f"{n + 1:016x}" for n in (0, *range(31, 41))]


# --- files that cannot be used


def test_processes_that_make_the_file_at_the_same_moment_agree(path: Path) -> None:
    """SQLite does not wait for others when a file changes to write-ahead logging, so the store does."""
    path.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, other.execute, ["ROLLBACK"])
        release.start()
        keep(path, call(1))
        release.join()
    opened: list[database.Database] = []
    path.unlink()
    threads = [threading.Thread(target=lambda: opened.append(database.Database(path))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    for file in opened:
        file.close()


def _lost(path: Path, caplog: pytest.LogCaptureFixture, cause: str, *, calls: int = 1) -> None:
    """Calls are put and lost; one warning says why, and the counters how many."""
    store = open_store(path)
    with caplog.at_level(logging.DEBUG, "llm_observer"):
        for n in range(calls):
            store.put(call(n))
            assert store.flush()
        assert store.close()
    assert sum(counters.of("dropped").values()) == calls
    assert counters.of("dropped")[f"store_{cause}"] >= 1
    assert counters.total("stored") == 0
    (record,) = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert record.levelno == logging.WARNING
    assert str(path) in record.getMessage()


def test_a_damaged_file_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database" * 100)
    before = path.read_bytes()
    _lost(path, caplog, "corrupt", calls=3)
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="damaged") as caught:
        list(read_events(path))
    assert caught.value.cause == "corrupt"


def test_a_file_damaged_in_the_middle_is_said_to_be(path: Path) -> None:
    keep(path, *(call(n) for n in range(300)))
    raw = bytearray(path.read_bytes())
    raw[4096 * 3 :] = os.urandom(len(raw) - 4096 * 3)
    path.write_bytes(raw)
    with pytest.raises(StoreError) as caught:
        list(read_events(path))
    assert caught.value.cause == "corrupt"


@pytest.mark.parametrize("application_id", [0, 7])
def test_the_database_of_another_program_is_left_alone(
    path: Path, caplog: pytest.LogCaptureFixture, application_id: int
) -> None:
    path.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.execute(f"PRAGMA application_id = {application_id}")
    before = path.read_bytes()
    _lost(path, caplog, "foreign")
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="not a store"):
        list(read_events(path))


def test_the_store_of_a_later_release_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep(path, call(1))
    counters.clear()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    _lost(path, caplog, "newer")
    with pytest.raises(StoreError, match="newer"):
        list(read_events(path))


def test_a_place_that_cannot_be_written_means_no_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    _lost(tmp_path / "file" / "calls.db", caplog, "unwritable", calls=3)


def test_a_directory_in_its_place_means_no_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "calls.db").mkdir()
    _lost(tmp_path / "calls.db", caplog, "unwritable")
    with pytest.raises(StoreError, match="is a directory"):
        list(read_events(tmp_path / "calls.db"))


def test_a_locked_file_loses_what_cannot_wait_and_no_more(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    keep(path, call(0))
    counters.clear()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        _lost(path, caplog, "locked", calls=2)
        assert len(ids(path)) == 1  # reading goes on
    keep(path, call(9))
    assert len(ids(path)) == 2


def test_a_full_disk_loses_calls_until_there_is_room(path: Path) -> None:
    """In a process that may not write files beyond 100 kB."""
    code = f"""
import logging, resource, sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from export_helpers import FULL, make_event
from llm_observer.counters import counters
from llm_observer.export import store as room
from llm_observer.export.store import Store
room._RETRY_AFTER_S = 0.0
store = Store(Path({str(path)!r}), max_age_s=1e12)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for n in range(1, 301):
    store.put(make_event(FULL, span_id=n))
    if n % 50 == 0:
        assert store.flush()
lost = counters.total("dropped")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.put(make_event(FULL, span_id=1000))
assert store.close()
print(lost, counters.total("stored"), counters.total("dropped"))
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=30, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    lost, stored, dropped = map(int, ended.stdout.split())
    assert lost == dropped > 0
    assert stored + dropped == 301
    assert stored == len(ids(path))
    assert ended.stderr.count("calls are not kept") == 1


def test_a_failing_pass_over_old_calls_loses_none(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object, **__: object) -> int:
        raise database.DatabaseError("locked")

    monkeypatch.setattr(database.Database, "prune", locked)
    keep(path, call(0))
    assert counters.of("dropped") == {}
    assert len(ids(path)) == 1
    assert len(caplog.records) == 1


def test_a_store_that_came_back_is_used_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_observer.export.store._RETRY_AFTER_S", 0.0)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 100)
    store = open_store(path)
    store.put(call(1))
    assert store.flush()
    path.unlink()
    store.put(call(2))
    assert store.close()
    assert len(ids(path)) == 1


def test_a_file_whose_log_cannot_be_read_is_not_read_without_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the log is not in the file yet: a part of the calls would pass for all of them."""
    store = open_store(path)
    store.put(call(1))
    assert store.flush()

    def refuse(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError()
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", refuse)
        with pytest.raises(StoreError, match="cannot be read") as caught:
            list(read_events(path))
    assert caught.value.cause == "unreadable"
    assert store.close()


# --- reading


def test_reading_where_nothing_was_kept_says_so(path: Path) -> None:
    with pytest.raises(StoreError, match="no call was recorded yet") as caught:
        list(read_events(path))
    assert caught.value.cause == "missing"
    assert not path.exists()


def test_reading_goes_on_while_others_write(path: Path) -> None:
    store = open_store(path)
    for n in range(10):
        store.put(call(n))
    assert store.flush()
    reader = read_events(path)
    next(reader)
    store.put(call(10))
    assert store.close()
    assert len(list(reader)) == 9


def test_reading_changes_nothing(path: Path) -> None:
    keep(path, call(1))
    before = path.read_bytes()
    list(read_events(path))
    assert path.read_bytes() == before
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in path.parent.iterdir())


def test_rows_that_are_no_events_are_passed_over(path: Path) -> None:
    keep(path, call(1))
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for n, text in enumerate(("{", "[]", "[" * 100_000, b"\x00", json.dumps(call(7)))):
            connection.execute("INSERT INTO calls VALUES (?, ?, ?)", (f"x{n}", START + n, text))
    assert len(list(read_events(path))) == 2
    assert counters.of("events") == {"unreadable": 4}


def test_names_with_odd_characters_are_files_like_others(tmp_path: Path) -> None:
    path = tmp_path / "a dir?mode=x#y%20" / "calls & more.db"
    keep(path, call(1))
    assert len(ids(path)) == 1


def test_reading_from_a_directory_that_cannot_be_written(path: Path) -> None:
    """Such as a store that was copied onto a read-only medium."""
    if os.geteuid():
        keep(path, call(1))
        path.parent.chmod(0o500)
        try:
            assert len(ids(path)) == 1
        finally:
            path.parent.chmod(0o700)
        return
    # The superuser may write anywhere: look from a child that is nobody.
    keep(path, call(1))
    path.chmod(0o644)
    for parent in (path.parent, *path.parents):
        if parent != parent.parent:
            parent.chmod(parent.stat().st_mode | 0o055)
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            os.setegid(65534)
            os.seteuid(65534)
            os._exit(0 if len(ids(path)) == 1 else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
