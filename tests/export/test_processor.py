"""The processor in front of the exporter: takes calls only, loses none uncounted, keeps nobody waiting."""

import multiprocessing
import os
import time
from collections.abc import Mapping
from typing import Any

import pytest
from endpoint import Endpoint, hang, reply
from export_helpers import MINIMAL
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from llm_observer.counters import counters
from llm_observer.export import processor as room
from llm_observer.export.exporter import EnvelopeExporter
from llm_observer.export.processor import EnvelopeProcessor

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def make(endpoint: Endpoint, *, timeout: float = 5.0, **options: Any) -> tuple[TracerProvider, EnvelopeProcessor]:
    processor = EnvelopeProcessor(EnvelopeExporter(endpoint.url, "k", timeout=timeout), **options)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider, processor


def calls(provider: TracerProvider, count: int, attributes: Mapping[str, Any] = MINIMAL) -> None:
    for _ in range(count):
        provider.get_tracer("test").start_span("chat", attributes=dict(attributes)).end()


def test_calls_arrive_once_each_and_other_spans_take_no_place() -> None:
    with Endpoint() as endpoint:
        provider, processor = make(endpoint, max_queue=600)
        calls(provider, 300)
        calls(provider, 5000, {"http.request.method": "GET"})
        calls(provider, 300)
        assert provider.force_flush()
        assert len(endpoint.ids) == len(set(endpoint.ids)) == 600
        provider.shutdown()
        assert processor.queued == 0
    assert counters.of("sent") == {"": 600}
    assert counters.of("dropped") == {}


def test_calls_are_sent_soon_without_being_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LINGER_S", 0.05)
    with Endpoint() as endpoint:
        provider, _ = make(endpoint)
        calls(provider, 3)
        deadline = time.monotonic() + 10
        while len(endpoint.ids) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(endpoint.ids) == 3
        provider.shutdown()


def test_calls_that_are_not_sampled_are_not_sent() -> None:
    with Endpoint() as endpoint:
        processor = EnvelopeProcessor(EnvelopeExporter(endpoint.url, "k"))
        provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
        provider.add_span_processor(processor)
        calls(provider, 3)
        provider.shutdown()
        assert endpoint.requests == []


def test_overload_drops_the_oldest_and_counts_them() -> None:
    with Endpoint(then=hang) as endpoint:
        provider, processor = make(endpoint, max_queue=50)
        calls(provider, 1)
        assert not provider.force_flush(200)
        started = time.perf_counter()
        calls(provider, 500)
        assert time.perf_counter() - started < 2
        assert processor.queued == 50
        assert 449 <= counters.of("dropped")["queue_full"] <= 451  # the mark that the flush left takes a place
        processor.shutdown(100)
        provider.shutdown()
    assert counters.total("sent") == 0
    assert sum(counters.of("dropped").values()) == 501


def test_shutdown_sends_what_waits_and_takes_no_more() -> None:
    with Endpoint() as endpoint:
        provider, processor = make(endpoint)
        calls(provider, 10)
        provider.shutdown()
        assert len(endpoint.ids) == 10
        calls(provider, 1)
        processor.shutdown()
    assert counters.of("dropped") in ({}, {"closed": 1})


def test_shutdown_is_bounded_though_the_endpoint_hangs() -> None:
    with Endpoint(then=hang) as endpoint:
        provider, processor = make(endpoint, timeout=30)
        calls(provider, 10)
        started = time.monotonic()
        processor.shutdown(300)
        assert time.monotonic() - started < 3
        provider.shutdown()


def test_children_of_multiprocessing_send_what_they_have_before_they_end() -> None:
    """They end by os._exit, so neither atexit nor a finalizer of the provider runs."""
    with Endpoint() as endpoint:
        provider, _ = make(endpoint)
        calls(provider, 5)
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=calls, args=(provider, 20)) for _ in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join(20)
            assert child.exitcode == 0
        provider.shutdown()
        assert len(endpoint.ids) == len(set(endpoint.ids)) == 65


def test_a_forked_child_sends_its_own_calls_and_not_its_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is sent by the parent before it is asked to.
    monkeypatch.setattr(room, "_LINGER_S", 60.0)
    with Endpoint(reply(200)) as endpoint:
        provider, _ = make(endpoint)
        calls(provider, 7)
        pid = os.fork()
        if not pid:
            calls(provider, 2)
            os._exit(0 if provider.force_flush() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert len(endpoint.ids) == 2
        provider.shutdown()
        assert len(set(endpoint.ids)) == 9
