"""What a provider's call waits for a telemetry endpoint that hangs: `python benchmarks/hanging.py [ROUNDS]`.

Calls of the OpenAI SDK to a mocked transport, in blocks that alternate between a runtime whose endpoint takes each
batch at once and one whose endpoint accepts connections and never answers. Each pair of neighbouring blocks gives a
ratio of wall time per call, and one of the caller's CPU time; the medians are told, with the slowest call of each kind.
Exit status 1 when calls beside the hanging endpoint are more than 5 % slower, or one of them took a second longer than
the slowest beside the other.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import openai
from opentelemetry.sdk.trace import TracerProvider

from llm_observer.config import Settings
from llm_observer.counters import counters
from llm_observer.instrumentor import LLMObserverInstrumentor, Runtime, wire

CALLS = 40
KINDS = ("takes", "hangs")
ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4.1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}


class Taking(BaseHTTPRequestHandler):
    """Takes each batch at once."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the interface's
        """Print nothing."""


class Hanging(Taking):
    """Never answers."""

    def do_POST(self) -> None:
        time.sleep(3600)


def block(call: Callable[[], object]) -> tuple[float, float, float]:
    """Wall and CPU seconds for each call, and the slowest."""
    slowest, started, cpu = 0.0, time.perf_counter(), time.thread_time()
    for _ in range(CALLS):
        before = time.perf_counter()
        call()
        slowest = max(slowest, time.perf_counter() - before)
    return (time.perf_counter() - started) / CALLS, (time.thread_time() - cpu) / CALLS, slowest


def main() -> int:
    """Measure, print, judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    runtimes: dict[str, Runtime] = {}
    for kind, handler in zip(KINDS, (Taking, Hanging), strict=True):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        settings = Settings.resolve({}, enabled=True, api_key="k", endpoint=url, store="off", hash_key="0" * 64)
        runtimes[kind] = wire(settings, tracer_provider=TracerProvider(shutdown_on_exit=False))
        runtimes[kind].engine.prices.wait(30)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER))
    client = openai.OpenAI(api_key="k", http_client=httpx2.Client(transport=transport))

    def call() -> object:
        return client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Is it late?"}])

    wall, cpu, slowest = list[float](), list[float](), dict.fromkeys(KINDS, 0.0)
    for number in range(rounds + 1):
        times: dict[str, tuple[float, float]] = {}
        for kind in KINDS if number % 2 else KINDS[::-1]:
            LLMObserverInstrumentor.use(runtimes[kind])
            each, caller, longest = block(call)
            times[kind] = each, caller
            slowest[kind] = max(slowest[kind], longest if number else 0.0)
        if number:  # the first warms up
            wall.append(times["hangs"][0] / times["takes"][0])
            cpu.append(times["hangs"][1] / times["takes"][1])
    LLMObserverInstrumentor.use(None)
    ratio = statistics.median(wall)
    figures = {
        "calls": 2 * rounds * CALLS,
        "wall_ratio": round(ratio, 3),
        "caller_cpu_ratio": round(statistics.median(cpu), 3),
        "slowest_ms": {kind: round(1000 * seconds, 1) for kind, seconds in slowest.items()},
        "sent": counters.total("sent"),
        "dropped": dict(counters.of("dropped")),
    }
    print(json.dumps(figures))
    return 0 if ratio < 1.05 and slowest["hangs"] < slowest["takes"] + 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
