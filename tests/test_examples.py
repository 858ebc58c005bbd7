"""The examples run as they stand, against a provider and an OTLP receiver on this machine."""

import os
import re
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from loopback import loopback_provider
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from llm_observer.demo.provider import Provider
from llm_observer.telemetry import attributes

EXAMPLES = Path(__file__).parents[1] / "examples"


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP, as a collector does."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        super().__init__(("127.0.0.1", 0), ReceiverHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class ReceiverHandler(BaseHTTPRequestHandler):
    server: Receiver  # pyright: ignore[reportIncompatibleVariableOverride]  as every handler narrows it

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        pass


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with loopback_provider(monkeypatch) as provider:
        yield provider


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver
        receiver.shutdown()
        thread.join()


def run(*command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=EXAMPLES, capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    return done


def keys(span: Span) -> set[str]:
    return {attribute.key for attribute in span.attributes}


def assert_explained(span: Span) -> None:
    """The three processors were at work. A first call that ends before the prices are loaded has the reason instead."""
    assert {attributes.CACHE_OUTCOME, attributes.PROMPT_HASH} <= keys(span)
    reasons = [one.value.string_value for one in span.attributes if one.key == attributes.COST_REASON]
    assert reasons == ([] if attributes.COST_USD in keys(span) else ["prices_loading"])


def the_call(receiver: Receiver) -> Span:
    """The one span of a provider call that arrived."""
    (span,) = [span for span in receiver.spans() if attributes.GEN_AI_OPERATION_NAME in keys(span)]
    return span


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_compiles(path: Path) -> None:
    compile(path.read_text(encoding="utf-8"), path, "exec")


def test_quickstart_prints_the_answer_and_what_it_cost(provider: Provider) -> None:
    done = run(sys.executable, "quickstart.py")
    assert len(provider.log) == 1
    assert "1 call, " in done.stdout
    assert re.search(r"^cost \$\d+\.\d{6}, saved \$", done.stdout, re.MULTILINE)
    assert done.stderr == ""


def test_existing_otel_exports_one_span_of_the_call_below_the_applications(
    provider: Provider, receiver: Receiver
) -> None:
    done = run(sys.executable, "existing_otel.py")
    assert len(provider.log) == 1
    assert done.stderr == ""
    span = the_call(receiver)
    (parent,) = [other for other in receiver.spans() if other.name == "answer"]
    assert span.parent_span_id == parent.span_id
    assert_explained(span)


def test_zero_code_exports_the_span_with_the_settings_that_its_page_gives(
    provider: Provider, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (EXAMPLES / "zero_code.md").read_text(encoding="utf-8")
    for line in re.findall(r"^\$ export (.+)$", page, re.MULTILINE):
        for assignment in line.split():
            name, _, value = assignment.partition("=")
            if name not in os.environ:
                monkeypatch.setenv(name, value)
    (command,) = re.findall(r"^\$ opentelemetry-instrument (.+)$", page, re.MULTILINE)
    instrument = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"
    done = run(sys.executable, str(instrument), *command.replace("python", sys.executable, 1).split())
    assert len(provider.log) == 1
    assert "Traceback" not in done.stderr
    assert_explained(the_call(receiver))
