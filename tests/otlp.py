"""A receiver of OTLP over HTTP on this machine, and what reached it as plain data."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["ReceivedSpan", "Receiver"]

JSON = dict[str, Any]

_MESSAGES: Mapping[str, type[Message]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
}
_IDS = ("traceId", "spanId", "parentSpanId")
_KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """A span as it arrived; ids are hexadecimal, `parent_id` is empty on a root."""

    name: str
    kind: str
    scope: str
    schema_url: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]


@dataclass(slots=True)
class _Received:
    traces: list[JSON] = field(default_factory=list[JSON])
    metrics: list[JSON] = field(default_factory=list[JSON])
    content_types: set[str] = field(default_factory=set[str])


class Receiver:
    """Takes OTLP over HTTP, protobuf or JSON, as a backend does. A context manager: inside, it listens at `url`."""

    def __init__(self) -> None:
        self._received = _Received()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._received))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """What `OTEL_EXPORTER_OTLP_ENDPOINT` takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def content_types(self) -> set[str]:
        """How the requests were encoded."""
        return self._received.content_types

    def spans(self) -> list[ReceivedSpan]:
        """All spans, in the order in which they started."""
        found = [
            (int(span["startTimeUnixNano"]), _span(span, scope, resource))
            for request in self._received.traces
            for resource in request.get("resourceSpans", ())
            for scope in resource.get("scopeSpans", ())
            for span in scope.get("spans", ())
        ]
        return [span for _, span in sorted(found, key=lambda pair: pair[0])]

    def metric_names(self) -> set[str]:
        """The names of all metrics."""
        return {
            metric["name"]
            for request in self._received.metrics
            for resource in request.get("resourceMetrics", ())
            for scope in resource.get("scopeMetrics", ())
            for metric in scope.get("metrics", ())
        }


def _span(span: JSON, scope: JSON, resource: JSON) -> ReceivedSpan:
    return ReceivedSpan(
        name=span["name"],
        kind=_KINDS.get(span.get("kind", 0), "UNSPECIFIED"),
        scope=scope.get("scope", {}).get("name", ""),
        schema_url=scope.get("schemaUrl", ""),
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        attributes=dict(_pairs(span)),
        resource=dict(_pairs(resource.get("resource", {}))),
    )


def _pairs(owner: JSON) -> Iterator[tuple[str, Any]]:
    for attribute in owner.get("attributes", ()):
        yield attribute["key"], _value(attribute["value"])


def _value(value: JSON) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "intValue":
            return int(content)
        case "doubleValue":
            return float(content)
        case "arrayValue":
            return [_value(item) for item in content.get("values", ())]
        case _:
            return content


def _with_hex_ids(request: JSON) -> JSON:
    """`request` as OTLP's own JSON has it: protobuf's puts ids in base 64."""
    for resource in request.get("resourceSpans", ()):
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                span |= {name: base64.b64decode(span[name]).hex() for name in _IDS if name in span}
    return request


def _handler(received: _Received) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers.get_content_type()
            received.content_types.add(kind)
            if self.path in _MESSAGES:
                request: JSON
                if kind == "application/json":
                    request = json.loads(body)
                else:
                    message = _MESSAGES[self.path]()
                    message.ParseFromString(body)
                    request = _with_hex_ids(MessageToDict(message, use_integers_for_enums=True))
                (received.traces if self.path == "/v1/traces" else received.metrics).append(request)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            # An empty message is also an empty body, but not in JSON.
            answer = b"{}" if kind == "application/json" else b""
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the interface's name
            """Nothing is printed."""

    return Handler
