"""Soak the exporter: `python benchmarks/transport.py [SPANS] [FAULTS]`.

Sends SPANS spans (default 1,000,000) to an endpoint in another process, at full speed and then with a part FAULTS
(default 0.3) of its answers replaced by refusals, broken connections, and broken connections after the batch was
taken. Fails unless each event was received, or counted as dropped, and none is unaccounted for; and unless memory
stayed flat. What a server would drop as a duplicate, because its first answer was lost, is told too.
"""

import gzip
import json
import multiprocessing
import random
import re
import socket
import struct
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags
from resident import resident_kb

from llm_observer.counters import counters
from llm_observer.export import backoff
from llm_observer.export.exporter import EnvelopeExporter

BATCH = 512
SPAN_ID = re.compile(rb'"span_id":"([0-9a-f]{16})"')
FLAT_KB = 32 * 1024
"""How much the process may grow after the first tenth of the run."""

ATTRIBUTES = {
    "gen_ai.provider.name": "anthropic",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.response.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 5000,
    "gen_ai.usage.output_tokens": 200,
    "gen_ai.usage.cache_read.input_tokens": 4096,
    "llm_observer.cost.usd": 0.0123,
    "llm_observer.prompt.hash": "0123456789abcdef",
    "llm_observer.prompt.canonical_hash": "0123456789abcdef",
    "llm_observer.prompt.family": "0123456789abcdef",
    "llm_observer.prompt.segments": 12,
    "llm_observer.prompt.key_id": "01234567",
    "llm_observer.cache.outcome": "hit",
    "llm_observer.cache.broke": False,
    "llm_observer.cache.cause": "none",
    "llm_observer.cache.confidence": 0.9,
}


def serve(listener: socket.socket, spans: int, faults: float, report: Connection) -> None:
    """Take batches until told to stop, then report how often each span came."""
    random.seed(1)
    seen = bytearray(spans + 1)
    answered = broken = 0
    listener.settimeout(0.2)
    while not report.poll():
        try:
            sock, _ = listener.accept()
        except TimeoutError:
            continue
        with sock:
            sock.settimeout(5)
            while (body := _read(sock)) is not None:
                draw = random.random() / faults if faults else 1.0
                if draw < 0.2:
                    break  # hang up without having looked
                if draw >= 0.7:
                    for span_id in SPAN_ID.findall(gzip.decompress(body)):
                        number = int(span_id, 16)
                        seen[number] = min(seen[number] + 1, 255)
                if 0.7 <= draw < 1.0:
                    # Taken, and the answer lost: the client has to send it again.
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                status = 503 if draw < 0.45 else 429 if draw < 0.7 else 200
                answered, broken = answered + (status == 200), broken + (status != 200)
                sock.sendall(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\nRetry-After: 0\r\n\r\n" % status)
    report.send_bytes(bytes(seen))


def _read(sock: socket.socket) -> bytes | None:
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            if not (piece := sock.recv(1 << 18)):
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            if not (piece := sock.recv(1 << 18)):
                return None
            body += piece
    except OSError:
        return None
    return body


@contextmanager
def endpoint(spans: int, faults: float) -> Generator[tuple[str, Callable[[], bytes]]]:
    """A server in another process: its URL, and how to stop it and learn what it saw."""
    listener = socket.create_server(("127.0.0.1", 0))
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(listener, spans, faults, theirs), daemon=True)
    process.start()

    def seen() -> bytes:
        ours.send("stop")
        return ours.recv_bytes()

    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", seen
    finally:
        process.join(10)
        listener.close()


def run(spans: int, faults: float) -> bool:
    """One soak; whether everything is accounted for and memory stayed flat."""
    counters.clear()
    settled = 0
    with endpoint(spans, faults) as (url, seen):
        exporter = EnvelopeExporter(url, "key", timeout=10)
        resource_ = Resource({"service.name": "soak"})
        started = time.perf_counter()
        for first in range(1, spans + 1, BATCH):
            exporter.export(
                [
                    ReadableSpan(
                        "chat",
                        context=SpanContext(1, number, is_remote=False, trace_flags=TraceFlags(1)),
                        resource=resource_,
                        attributes=ATTRIBUTES,
                        start_time=1,
                        end_time=2,
                    )
                    for number in range(first, min(first + BATCH, spans + 1))
                ]
            )
            if not settled and first > spans / 10:
                settled = resident_kb()
        seconds = time.perf_counter() - started
        grown = resident_kb() - settled
        exporter.shutdown()
        times = seen()[1:]
    received = spans - times.count(0)
    dropped = sum(counters.of("dropped").values())
    figures = {
        "spans": spans,
        "faults": faults,
        "spans_per_second": round(spans / seconds),
        "received": received,
        "duplicates_by_id": sum(times) - received,
        "sent": counters.total("sent"),
        "dropped": dict(counters.of("dropped")),
        "retries": dict(counters.of("retries")),
        "grown_kb": grown,
    }
    print(json.dumps(figures))
    # What counts as dropped may have been taken: its answer was lost until the end.
    counted = counters.total("sent") + dropped == spans
    missing = spans - received
    return counted and missing <= dropped and counters.total("sent") <= received and grown < FLAT_KB


def main() -> int:
    """Run both soaks."""
    backoff._FIRST_S = 0.005  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001  a loopback endpoint recovers at once
    spans = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    faults = float(sys.argv[2]) if len(sys.argv) > 2 else 0.3
    return 0 if all([run(spans, 0.0), run(spans, faults)]) else 1


if __name__ == "__main__":
    sys.exit(main())
