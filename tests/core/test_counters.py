"""Counts: exact under threads, separate by process."""

import os
import threading

import pytest

from llm_observer.counters import Counters


def test_counts_are_split_by_key_and_summed_over_keys() -> None:
    counters = Counters()
    assert counters.add("dropped", "full") == 1
    assert counters.add("dropped", "full", 2) == 3
    assert counters.add("dropped", "closed") == 1
    assert counters.add("calls") == 1
    assert counters.of("dropped") == {"full": 3, "closed": 1}
    assert counters.total("dropped") == 4
    assert counters.of("calls") == {"": 1}


def test_what_was_never_counted_is_none_at_all() -> None:
    counters = Counters()
    assert counters.of("calls") == {}
    assert counters.total("calls") == 0
    assert counters.of("calls") == {}, "asking leaves no trace"


def test_what_is_handed_out_is_a_copy() -> None:
    counters = Counters()
    counters.add("calls")
    copy = dict(counters.of("calls"))
    counters.add("calls")
    assert copy == {"": 1}


def test_clear_forgets_every_count() -> None:
    counters = Counters()
    counters.add("calls")
    counters.clear()
    assert counters.total("calls") == 0


def test_no_count_is_lost_between_threads() -> None:
    counters = Counters()
    start = threading.Barrier(8)

    def count() -> None:
        start.wait()
        for n in range(2000):
            counters.add("calls", str(n % 3))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.total("calls") == 8 * 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_at_zero_even_when_the_lock_was_held() -> None:
    """Another thread of the parent may be counting at the moment of the fork; the child must not wait for it."""
    counters = Counters()
    counters.add("calls")
    lock = counters._lock  # pyright: ignore[reportPrivateUsage]
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if counters.total("calls") == 0 and counters.add("calls") == 1 else 1)
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert counters.total("calls") == 1
