"""What an outage would lose waits on disk, and is sent once the endpoint is back."""

import contextlib
import functools
import itertools
import logging
import os
import signal
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint, refuse_large, reply, reset
from export_helpers import FULL, RESOURCE
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, TraceFlags

from llm_observer.counters import counters
from llm_observer.export import backoff
from llm_observer.export.envelope import Item
from llm_observer.export.exporter import EnvelopeExporter
from llm_observer.export.spool import Spool
from llm_observer.export.transport import Transport

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first wait is longer than the timeout, so that what fails fails at once."""
    monkeypatch.setattr(backoff, "_FIRST_S", 100.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spool.db"


def spans(*numbers: int) -> list[ReadableSpan]:
    return [
        ReadableSpan(
            "chat",
            context=SpanContext(1, n, is_remote=False, trace_flags=TraceFlags(1)),
            resource=Resource(RESOURCE),
            attributes=dict(FULL),
            start_time=1,
            end_time=2,
        )
        for n in numbers
    ]


def span_ids(*numbers: int) -> list[str]:
    return [f"{n:016x}" for n in numbers]


def exporter_to(endpoint: Endpoint, path: Path) -> EnvelopeExporter:
    return EnvelopeExporter(endpoint.url, "k", timeout=3.0, spool=path)


def test_what_an_outage_would_lose_is_sent_after_it(path: Path) -> None:
    with Endpoint(then=reply(503)) as endpoint:
        exporter = exporter_to(endpoint, path)
        assert exporter.export(spans(1, 2)) is SUCCESS
        assert exporter.export(spans(3)) is SUCCESS
        assert counters.of("spooled") == {"": 3}
        endpoint.then = reply(200)
        endpoint.requests.clear()
        assert exporter.export(spans(4)) is SUCCESS
        assert endpoint.ids == span_ids(4, 1, 2, 3)
        assert exporter.export(spans(5)) is SUCCESS
        assert endpoint.ids == span_ids(4, 1, 2, 3, 5), "nothing is sent again"
        exporter.shutdown()
    assert counters.of("sent") == {"": 5}
    assert counters.of("dropped") == {}


def test_it_outlives_the_process_and_is_found_by_the_next(path: Path) -> None:
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            EnvelopeExporter("http://127.0.0.1:1/", "k", timeout=3.0, spool=path).export(spans(1, 2))
        os._exit(0)
    os.waitpid(pid, 0)
    with Endpoint() as endpoint:
        exporter = exporter_to(endpoint, path)
        assert exporter.export(spans(3)) is SUCCESS
        assert endpoint.ids == span_ids(3, 1, 2)
        exporter.shutdown()


def test_nobody_else_may_read_it(path: Path) -> None:
    with Endpoint(then=reset) as endpoint:
        exporter = exporter_to(endpoint, path)
        exporter.export(spans(1))
        endpoint.then = reply(200)
        exporter.export(spans(2))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        exporter.shutdown()
    assert set(modes.values()) == {0o600}
    assert {"spool.db", "spool.db.lock"} <= modes.keys()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_only_what_may_be_sent_waits(path: Path) -> None:
    """It is redacted before it is kept."""
    with Endpoint(then=reply(503)) as endpoint:
        exporter = exporter_to(endpoint, path)
        exporter.export(spans(1))
        exporter.shutdown()
    raw = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"support.py" not in raw
    assert span_ids(1)[0].encode() in raw


@pytest.mark.parametrize("status", [400, 422])
def test_what_is_refused_for_good_does_not_wait(path: Path, status: int) -> None:
    with Endpoint(then=reply(status)) as endpoint:
        exporter = exporter_to(endpoint, path)
        assert exporter.export(spans(1)) is FAILURE
        endpoint.then = reply(200)
        assert exporter.export(spans(2)) is SUCCESS
        assert endpoint.ids == span_ids(1, 2)
        exporter.shutdown()
    assert counters.of("dropped") == {f"http_{status}": 1}


def test_what_waited_and_is_then_refused_for_good_goes(path: Path) -> None:
    with Endpoint(then=reply(503)) as endpoint:
        exporter = exporter_to(endpoint, path)
        exporter.export(spans(1))
        endpoint.script = [reply(200), reply(400)]
        endpoint.then = reply(200)
        exporter.export(spans(2))
        exporter.export(spans(3))
        assert endpoint.ids[-3:] == span_ids(2, 1, 3)
        exporter.shutdown()
    assert counters.of("dropped") == {"http_400": 1}


def test_events_under_a_wrong_key_wait_for_a_right_one(path: Path) -> None:
    with Endpoint(then=reply(401)) as endpoint:
        exporter = exporter_to(endpoint, path)
        assert exporter.export(spans(1)) is SUCCESS
        exporter.shutdown()
        endpoint.then = reply(200)
        endpoint.requests.clear()
        mended = exporter_to(endpoint, path)
        assert mended.export(spans(2)) is SUCCESS
        assert endpoint.ids == span_ids(2, 1)
        mended.shutdown()


def test_an_outage_in_the_middle_of_catching_up_loses_nothing(path: Path) -> None:
    with Endpoint(then=reply(503)) as endpoint:
        exporter = exporter_to(endpoint, path)
        exporter.export(spans(1, 2, 3))
        endpoint.script = [reply(200)]
        exporter.export(spans(4))
        endpoint.then = reply(200)
        endpoint.requests.clear()
        exporter.export(spans(5))
        assert endpoint.ids == span_ids(5, 1, 2, 3)
        exporter.shutdown()
    assert counters.of("dropped") == {}


def test_catching_up_goes_in_batches_that_the_endpoint_takes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_observer.export.spool._BATCH", 10)
    with Endpoint(then=reply(503)) as endpoint:
        exporter = exporter_to(endpoint, path)
        exporter.export(spans(*range(1, 61)))
        endpoint.then = refuse_large(4)
        endpoint.requests.clear()
        exporter.export(spans(100))
        taken = [span_id for request in endpoint.requests if len(request.ids) <= 4 for span_id in request.ids]
        assert sorted(taken) == span_ids(*range(1, 41), 100), "four batches of ten go with one of now"
        exporter.export(spans(101))
        exporter.shutdown()
    assert counters.of("sent") == {"": 62}


def items(*numbers: int) -> list[Item]:
    return [(f"{n:032x}", b'{"n":%d}' % n) for n in numbers]


def test_one_thread_and_one_process_catches_up_at_a_time(path: Path) -> None:
    spool = Spool(path)
    assert spool.put(items(1, 2))
    got: list[int] = []

    def send(batch: object) -> bool:
        assert isinstance(batch, list)
        spool.drain(fail, 1)  # the same thread, in the middle of it
        pid = os.fork()
        if not pid:
            other = Spool(path)
            found: list[object] = []
            other.drain(lambda batch: bool(found.append(batch)), 1)
            os._exit(1 if found else 0)
        got.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        return True

    def fail(_: object) -> bool:
        raise AssertionError("drained twice at once")

    spool.drain(send, 5)
    assert got == [0]
    assert not spool.waiting
    spool.close()


def test_the_oldest_go_when_it_is_too_large_and_are_counted(path: Path) -> None:
    spool = Spool(path, max_bytes=100_000)
    for first in range(0, 2000, 100):
        assert spool.put([(f"{n:032x}", b'{"x":"%s"}' % (b"y" * 500)) for n in range(first, first + 100)])
    spool.close()
    assert path.stat().st_size < 300_000
    left: list[str] = []
    spool.drain(lambda batch: bool(left.extend(event_id for event_id, _ in batch)) or True, 100)
    assert left[-1] == f"{1999:032x}"
    assert counters.of("dropped") == {"spool_full": 2000 - len(left)}
    spool.close()


def test_what_waits_too_long_goes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(path, max_age_s=60)
    assert spool.put(items(1))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert spool.put(items(2))
    assert counters.of("dropped") == {"spool_full": 1}
    spool.close()


def test_a_file_that_cannot_be_used_loses_what_it_would_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with Endpoint(then=reply(503)) as endpoint:
        exporter = exporter_to(endpoint, tmp_path / "file" / "spool.db")
        with caplog.at_level(logging.WARNING, "llm_observer"):
            assert exporter.export(spans(1)) is FAILURE
            assert exporter.export(spans(2)) is FAILURE
        endpoint.then = reply(200)
        assert exporter.export(spans(3)) is SUCCESS
        exporter.shutdown()
    assert counters.of("dropped") == {"http_503": 2}
    assert sum("are not kept" in record.getMessage() for record in caplog.records) == 1


def test_a_damaged_file_is_left_alone(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 100)
    with Endpoint() as endpoint:
        exporter = exporter_to(endpoint, path)
        assert exporter.export(spans(1)) is SUCCESS
        assert endpoint.ids == span_ids(1)
        exporter.shutdown()
    assert path.read_bytes() == b"no database" * 100


def test_where_it_cannot_be_locked_nothing_is_drained(path: Path) -> None:
    spool = Spool(path)
    assert spool.put(items(1))
    path.with_name("spool.db.lock").mkdir()
    sent: list[object] = []
    spool.drain(lambda batch: bool(sent.append(batch)), 1)
    assert sent == []
    spool.close()


def killed(step: str, url: str, path: Path) -> None:
    """A process that is killed in the middle of sending spans 2 and 3, where span 1 waits from before."""
    pid = os.fork()
    if pid:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        return
    with contextlib.suppress(BaseException):
        die = functools.partial(os.kill, os.getpid(), signal.SIGKILL)
        posts = itertools.count(1)
        post, remove = Transport.post, Spool.remove

        def posting(self: Transport, *args: Any) -> Any:
            if step == "before sending" or (step == "before sending what waited" and next(posts) == 2):
                die()
            result = post(self, *args)
            if step == "after sending" or (step == "after sending what waited" and next(posts) == 2):
                die()
            return result

        def removing(self: Spool, items: Any) -> None:
            remove(self, items)
            if step == "after removing":
                die()

        Transport.post, Spool.remove = posting, removing  # pyright: ignore[reportAttributeAccessIssue]
        EnvelopeExporter(url, "k", timeout=3.0, spool=path).export(spans(2, 3))
    os._exit(0)


STEPS = ("before sending", "after sending", "after removing", "before sending what waited", "after sending what waited")


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_is_killed_loses_nothing_that_was_on_disk(
    step: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two steps. What was sent and not yet removed is sent again under the same id."""
    spool = Spool(path)
    before = EnvelopeExporter("http://127.0.0.1:1/", "k", timeout=3.0, spool=path)
    assert before.export(spans(1)) is SUCCESS
    before.shutdown()
    spool.close()
    with Endpoint() as endpoint:
        killed(step, endpoint.url, path)
        # What the dead process was sending is nobody else's for as long as it could have been at it.
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 60.0)
        exporter = exporter_to(endpoint, path)
        assert exporter.export(spans(4)) is SUCCESS
        exporter.shutdown()
        assert set(endpoint.ids) == set(span_ids(1, 2, 3, 4))
        assert len(endpoint.ids) <= 6
    left = Spool(path)
    left.drain(lambda _: pytest.fail("something is left"), 1)
    left.close()


def test_what_a_process_is_sending_is_left_to_it(path: Path) -> None:
    """Otherwise two processes that share a file would send each event twice."""
    spool, other = Spool(path), Spool(path)
    assert spool.put(items(1, 2), hold_s=30)
    got: list[object] = []
    other.drain(lambda batch: bool(got.append(batch)), 1)
    assert got == []
    assert other.waiting, "it may be left one day"
    spool.remove(items(1, 2))
    other.drain(lambda batch: bool(got.append(batch)), 1)
    assert got == []
    assert not other.waiting
    spool.close()
    other.close()
