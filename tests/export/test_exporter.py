"""Spans of LLM calls reach the endpoint as events, once each or counted; everything else stays where it is."""

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint, Received, hang, refuse_large, reply, reset
from export_helpers import FULL, MINIMAL, RESOURCE, make_event, validate_batch
from opentelemetry import context as otel_context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanContext, TraceFlags

from llm_observer.counters import counters
from llm_observer.export import backoff as waits
from llm_observer.export import destination
from llm_observer.export.envelope import batches, encode
from llm_observer.export.events import event_from_span
from llm_observer.export.exporter import EnvelopeExporter, preview
from llm_observer.export.transport import Transport
from llm_observer.guard import Guard

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "_FIRST_S", 0.01)


def span(n: int, attributes: Mapping[str, Any] = FULL) -> ReadableSpan:
    """An ended, sampled span of its own."""
    return ReadableSpan(
        "chat",
        context=SpanContext(1, n, is_remote=False, trace_flags=TraceFlags(1)),
        resource=Resource(RESOURCE),
        attributes=dict(attributes),
        start_time=1,
        end_time=2,
    )


def export(endpoint: Endpoint, *spans: ReadableSpan, **options: Any) -> SpanExportResult:
    exporter = EnvelopeExporter(endpoint.url, "secret-token", **options)
    try:
        return exporter.export(spans)
    finally:
        exporter.shutdown()


def span_ids(*numbers: int) -> list[str]:
    return [f"{n:016x}" for n in numbers]


def test_calls_are_sent_as_one_batch_by_the_contract() -> None:
    with Endpoint() as endpoint:
        assert export(endpoint, span(1), span(2)) is SUCCESS
        (request,) = endpoint.requests
    validate_batch(request.batch)
    assert request.ids == span_ids(1, 2)
    assert len(request.headers["idempotency-key"]) == 32
    assert counters.of("sent") == {"": 2}
    assert counters.of("dropped") == {}


def test_other_spans_are_passed_over() -> None:
    """No request is made for a batch without calls."""
    with Endpoint() as endpoint:
        assert export(endpoint, span(1, {"http.request.method": "GET"}), span(2, {})) is SUCCESS
        assert endpoint.requests == []
        assert export(endpoint, span(1, {"x": 1}), span(2)) is SUCCESS
        assert endpoint.ids == span_ids(2)
    assert counters.of("dropped") == {}


FRAMEWORKS = {**MINIMAL, "gen_ai.request.model": "claude-sonnet-4-6"}


@pytest.mark.parametrize(
    ("outer", "inner", "sent"),
    [
        (FRAMEWORKS, FULL, ["inner"]),
        (FRAMEWORKS, FRAMEWORKS, ["inner"]),
        # The call's own span, inside which another instrumentation has started one.
        (FULL, FRAMEWORKS, ["inner", "outer"]),
        ({**FRAMEWORKS, "gen_ai.operation.name": "embeddings"}, FULL, ["inner", "outer"]),
        ({"gen_ai.operation.name": "invoke_agent"}, FULL, ["inner"]),
    ],
)
@pytest.mark.parametrize("direct", [True, False])
def test_a_frameworks_span_around_a_calls_is_no_second_call(
    outer: Mapping[str, Any], inner: Mapping[str, Any], sent: list[str], *, direct: bool
) -> None:
    with Endpoint() as endpoint:
        provider = TracerProvider(resource=Resource(RESOURCE), shutdown_on_exit=False)
        exporter = EnvelopeExporter(endpoint.url, "secret-token")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        tracer = provider.get_tracer("framework")
        ids: dict[str, str] = {}
        for _ in range(2):
            with tracer.start_as_current_span("outer", attributes=outer) as around, ExitStack() as between:
                if not direct:
                    between.enter_context(tracer.start_as_current_span("between"))
                with tracer.start_as_current_span("inner", attributes=inner) as call:
                    ids[f"{around.get_span_context().span_id:016x}"] = "outer"
                    ids[f"{call.get_span_context().span_id:016x}"] = "inner"
        provider.shutdown()
    assert [ids[one] for request in endpoint.requests for one in request.ids] == sent * 2
    assert counters.of("skipped") == ({"around": 2} if "invoke_agent" not in outer.values() and len(sent) == 1 else {})


@pytest.mark.parametrize("send_names", [None, False, True])
def test_names_are_sent_when_the_user_says_so(*, send_names: bool | None) -> None:
    with Endpoint() as endpoint:
        export(endpoint, span(1), send_names=send_names)
        (event,) = endpoint.requests[0].batch["events"]
    assert ("site" in event["call"]) is bool(send_names)


def test_the_environment_gives_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when OpenTelemetry makes the exporter by its name."""
    with Endpoint() as endpoint:
        monkeypatch.setenv("LLM_OBSERVER_ENDPOINT", endpoint.url)
        monkeypatch.setenv("LLM_OBSERVER_API_KEY", "from-environment")
        monkeypatch.setenv("LLM_OBSERVER_SEND_NAMES", "true")
        exporter = EnvelopeExporter()
        assert exporter.export([span(1)]) is SUCCESS
        exporter.shutdown()
        (request,) = endpoint.requests
    assert request.headers["authorization"] == "Bearer from-environment"
    assert "site" in request.batch["events"][0]["call"]


@pytest.mark.parametrize(("variable", "value"), [("LLM_OBSERVER_ENABLED", "false"), ("LLM_OBSERVER_DISABLED", "true")])
def test_never_is_never(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, value: str
) -> None:
    """The environment's no wins over an exporter that the code builds."""
    monkeypatch.setenv(variable, value)
    with Endpoint() as endpoint:
        assert export(endpoint, span(1)) is FAILURE
        assert endpoint.connections == 0
    assert caplog.records == []
    assert counters.of("dropped") == {"not_sending": 1}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"api_key": "k"}, "without an endpoint"),
        ({"endpoint": "https://telemetry.example/"}, "without a key"),
        ({"endpoint": "http://telemetry.example/", "api_key": "k"}, "not https"),
        ({"endpoint": "telemetry.example", "api_key": "k"}, "not a URL"),
        ({"endpoint": "https://telemetry.example/", "api_key": "secret\ntoken"}, "cannot be sent"),
        ({"endpoint": "https://telemetry.example/", "api_key": "secret töken"}, "cannot be sent"),
        (
            {"endpoint": "https://telemetry.example/", "api_key": "k", "certificate_file": "/nowhere.pem"},
            "certificate file",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_said_in_one_line_and_nothing_is_sent(
    caplog: pytest.LogCaptureFixture, options: dict[str, Any], says: str
) -> None:
    exporter = EnvelopeExporter(**options)
    assert exporter.export([span(1)]) is FAILURE
    assert exporter.force_flush()
    exporter.shutdown()
    (record,) = caplog.records
    assert says in record.getMessage()
    assert "\n" not in record.getMessage()
    assert "secret" not in caplog.text
    assert repr(exporter) == "EnvelopeExporter(host=None)"


def test_the_key_is_not_in_its_repr() -> None:
    exporter = EnvelopeExporter("https://telemetry.example/v1?token=x", "secret-token")
    assert repr(exporter) == "EnvelopeExporter(host='telemetry.example')"


def test_a_batch_that_is_too_large_is_split_until_it_is_taken() -> None:
    with Endpoint(then=refuse_large(3)) as endpoint:
        assert export(endpoint, *map(span, range(1, 11))) is SUCCESS
        taken = [request.ids for request in endpoint.requests if len(request.ids) <= 3]
        keys = {request.headers["idempotency-key"] for request in endpoint.requests}
    assert [span_id for ids in taken for span_id in ids] == span_ids(*range(1, 11))
    assert len(keys) == len(endpoint.requests), "another batch has another key"
    assert counters.of("sent") == {"": 10}


def test_an_event_that_is_too_large_by_itself_is_dropped_alone() -> None:
    large = span_ids(2)[0]

    def refuse(endpoint: Endpoint, sock: Any, request: Received) -> bool:
        return reply(413 if large in request.ids else 200)(endpoint, sock, request)

    with Endpoint(then=refuse) as endpoint:
        assert export(endpoint, *map(span, range(1, 5))) is FAILURE
        sent = [request.ids for request in endpoint.requests if large not in request.ids]
    assert sorted(span_id for ids in sent for span_id in ids) == span_ids(1, 3, 4)
    assert counters.of("dropped") == {"too_large": 1}
    assert counters.of("sent") == {"": 3}


def test_a_limit_that_was_met_holds_for_later_batches() -> None:
    with Endpoint(then=refuse_large(30)) as endpoint:
        exporter = EnvelopeExporter(endpoint.url, "k")
        assert exporter.export([*map(span, range(1, 41))]) is SUCCESS
        before = len(endpoint.requests)
        assert before == 3
        assert exporter.export([*map(span, range(1, 41))]) is SUCCESS
        assert all(len(request.ids) <= 30 for request in endpoint.requests[before:])
        exporter.shutdown()


def test_bodies_are_bounded_in_bytes_and_events() -> None:
    items = [(f"{n:032x}", json.dumps({"n": n}).encode()) for n in range(5000)]
    for most in (60, 100, 1000, 10_000_000):
        made = list(batches(items, most))
        assert [item for batch in made for item in batch] == items
        assert max(map(len, made)) <= 1000
    assert [len(batch) for batch in batches([("a", b"x" * 100), ("b", b"y"), ("c", b"z")], 60)] == [1, 2]
    assert list(batches([], 60)) == []
    with Endpoint() as endpoint:
        assert export(endpoint, *map(span, range(1, 101)), max_batch_bytes=1) is SUCCESS
        assert len(endpoint.requests) > 5
        assert endpoint.ids == span_ids(*range(1, 101))


@pytest.mark.parametrize("send_names", [False, True])
def test_a_preview_is_byte_for_byte_what_is_sent(*, send_names: bool) -> None:
    stored = [event_from_span(span(n)) for n in (1, 2)]
    unsampled = make_event(FULL, sampled=False)
    with Endpoint() as endpoint:
        export(endpoint, span(1), span(2), send_names=send_names)
        (request,) = endpoint.requests
    (body,) = preview([*filter(None, stored), unsampled], send_names=send_names)
    assert body == gzip.decompress(request.body)


def test_an_event_that_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode({"event_id": "x", "usage": {"n": float("nan")}})


def test_what_is_lost_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with Endpoint(then=reply(400)) as endpoint:
        exporter = EnvelopeExporter(endpoint.url, "secret-token")
        for n in (1, 2, 3):
            assert exporter.export([span(n)]) is FAILURE
        endpoint.then = reply(401)
        for n in (4, 5):
            assert exporter.export([span(n)]) is FAILURE
        assert len(endpoint.requests) == 4
        exporter.shutdown()
        assert exporter.export([span(6)]) is FAILURE
    assert counters.of("dropped") == {"http_400": 3, "http_401": 3}
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "LLM_OBSERVER_API_KEY" in caplog.records[1].getMessage()
    assert "secret-token" not in caplog.text
    assert "k=v" not in caplog.text


def test_every_event_is_sent_or_counted_whatever_happens() -> None:
    with Endpoint(reset, reply(500), reply(200), reply(404), reply(429, Retry_After="0"), reply(301)) as endpoint:
        exporter = EnvelopeExporter(endpoint.url, "k", timeout=5.0)
        results = [exporter.export([span(n), span(100 + n)]) for n in range(1, 5)]
        exporter.shutdown()
    assert results == [SUCCESS, FAILURE, FAILURE, SUCCESS]
    assert counters.of("sent") == {"": 4}
    assert counters.of("dropped") == {"http_404": 2, "redirect": 2}
    assert counters.of("retries") == {"disconnected": 1, "http_500": 1, "http_429": 1}


def test_a_failure_of_ours_costs_the_events_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Guard, "strict", False)

    def fail(*_: object) -> None:
        raise RuntimeError("Bearer secret-token")

    with Endpoint() as endpoint:
        exporter = EnvelopeExporter(endpoint.url, "secret-token")
        with monkeypatch.context() as patch:
            patch.setattr(Transport, "post", fail)
            assert exporter.export([span(1), span(2)]) is FAILURE
        with monkeypatch.context() as patch:
            patch.setattr("llm_observer.export.exporter.event_from_span", fail)
            assert exporter.export([span(3)]) is SUCCESS
        assert exporter.export([span(4)]) is SUCCESS
        exporter.shutdown()
        assert endpoint.ids == span_ids(4)
    assert counters.of("dropped") == {"failed": 2, "invalid": 1}
    assert counters.of("errors") == {"export": 1, "export.map": 1}
    assert "secret-token" not in caplog.text


def test_its_own_requests_are_not_instrumented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an instrumented urllib3 would make spans of them, without end."""
    seen: list[bool] = []
    post = Transport.post

    def looking(self: Transport, body: bytes, headers: Mapping[str, str]) -> Any:
        seen.append(is_instrumentation_enabled())
        return post(self, body, headers)

    monkeypatch.setattr(Transport, "post", looking)
    with Endpoint() as endpoint:
        assert export(endpoint, span(1)) is SUCCESS
    assert seen == [False]
    assert is_instrumentation_enabled()
    assert otel_context.get_current() == {}


# --- under a BatchSpanProcessor


def test_under_a_batch_processor_all_calls_arrive_in_the_background() -> None:
    with Endpoint() as endpoint:
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(EnvelopeExporter(endpoint.url, "k"), max_export_batch_size=64))
        tracer = provider.get_tracer("test")
        for _ in range(500):
            tracer.start_span("chat", attributes=dict(MINIMAL)).end()
        provider.force_flush()
        assert len(set(endpoint.ids)) == 500
        provider.shutdown()
    assert counters.of("sent") == {"": 500}


def test_children_of_a_process_send_their_own_calls() -> None:
    with Endpoint() as endpoint:
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(EnvelopeExporter(endpoint.url, "k")))
        tracer = provider.get_tracer("test")

        def calls(count: int) -> None:
            for _ in range(count):
                tracer.start_span("chat", attributes=dict(MINIMAL)).end()

        calls(10)
        provider.force_flush()
        children: list[int] = []
        for _ in range(3):
            pid = os.fork()
            if not pid:
                calls(20)
                os._exit(0 if provider.force_flush() else 1)
            children.append(pid)
        calls(10)
        provider.force_flush()
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
        provider.shutdown()
        assert len(endpoint.ids) == len(set(endpoint.ids)) == 80


def test_a_program_ends_soon_though_the_endpoint_hangs() -> None:
    code = """
import sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from llm_observer.export import transport
from llm_observer.export.events import event_from_span
from llm_observer.export.exporter import EnvelopeExporter, preview

transport._EXIT_S = 0.5
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(EnvelopeExporter(sys.argv[1], "k"), max_export_batch_size=10))
tracer = provider.get_tracer("test")
for _ in range(9):
    tracer.start_span("chat", attributes={"gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"}).end()
"""
    with Endpoint(then=hang) as endpoint:
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", code, endpoint.url], check=True, timeout=60, capture_output=True)
        assert len(endpoint.requests) == 1
        assert time.monotonic() - started < 9


def test_calls_are_as_fast_as_ever_while_the_endpoint_hangs() -> None:
    """The provider's call ends its span; it waits for no endpoint."""
    with Endpoint(then=hang) as endpoint:
        provider = TracerProvider(shutdown_on_exit=False)
        exporter = EnvelopeExporter(endpoint.url, "k")
        processor = BatchSpanProcessor(exporter, max_export_batch_size=8, max_queue_size=64)
        provider.add_span_processor(processor)
        tracer = provider.get_tracer("test")
        slowest = 0.0
        for _ in range(200):
            started = time.perf_counter()
            tracer.start_span("chat", attributes=dict(MINIMAL)).end()
            slowest = max(slowest, time.perf_counter() - started)
        assert slowest < 0.5
        stop = threading.Thread(target=provider.shutdown)
        stop.start()
        exporter.shutdown(0)
        stop.join(10)
        assert not stop.is_alive()


def test_two_exporters_to_one_endpoint_send_each_event_once() -> None:
    """Whoever is asked first; once one is shut down the other sends alone."""
    with Endpoint() as endpoint:
        first, second = (EnvelopeExporter(endpoint.url, "k") for _ in range(2))
        assert first.export([span(1)]) is SUCCESS
        assert second.export([span(1), span(2)]) is SUCCESS
        assert first.export([span(2), span(3)]) is SUCCESS
        second.shutdown()
        assert first.export([span(4)]) is SUCCESS
        first.shutdown()
    assert endpoint.ids == [f"{n:016x}" for n in (1, 2, 3, 4)]
    assert counters.of("dropped") == {}


def test_an_exporter_may_send_an_event_again_and_one_with_another_key_sends_its_own() -> None:
    with Endpoint() as endpoint:
        exporters = [EnvelopeExporter(endpoint.url, key) for key in ("k", "k", "another")]
        for exporter in exporters:
            exporter.export([span(1)])
            exporter.export([span(1)])
        for exporter in exporters:
            exporter.shutdown()
    assert [request.headers["authorization"] for request in endpoint.requests] == ["Bearer k"] * 2 + [
        "Bearer another"
    ] * 2


def test_what_two_exporters_remember_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destination, "_MOST_IDS", 4)
    one, other = (destination.join("https://telemetry.example/", "k") for _ in range(2))
    for n in range(100):
        assert one.takes(str(n))
        assert not other.takes(str(n))
    # Forgotten by now, so that whoever asks next is the first.
    assert other.takes("0")
    assert not other.takes("99")


@pytest.mark.parametrize("event", [{}, {"trace": None}, {"event_id": "x", "trace": {"sampled": 1}}, {"call": []}])
def test_what_is_no_event_is_left_out_of_a_preview(event: dict[str, Any]) -> None:
    made = event_from_span(span(1))
    assert made is not None
    (body,) = preview([event, made], send_names=False)
    assert [one["event_id"] for one in json.loads(body)["events"]] == [made["event_id"]]


def test_opentelemetry_makes_it_by_its_name(tmp_path: Path) -> None:
    """In a program without a line about us, with settings from its environment alone."""
    code = """
from opentelemetry import trace

with trace.get_tracer("app").start_as_current_span("app-root"):
    attributes = {"gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"}
    trace.get_tracer("app").start_span("chat", attributes=attributes).end()
"""
    with Endpoint() as endpoint:
        environment = {
            **os.environ,
            "LLM_OBSERVER_ENDPOINT": endpoint.url,
            "LLM_OBSERVER_API_KEY": "k",
            "OTEL_TRACES_EXPORTER": "llm_observer",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_SERVICE_NAME": "support",
            "HOME": str(tmp_path),
        }
        program = [str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable, "-c", code]
        subprocess.run(program, check=True, timeout=60, env=environment, cwd=tmp_path)
        (request,) = endpoint.requests
    validate_batch(request.batch)
    (event,) = request.batch["events"]
    assert event["service"] == {"name": "support"}
    assert "parent_span_id" in event["trace"]
