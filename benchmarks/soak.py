"""Makes very many calls from threads and from tasks, and holds the package to what it promises of its size and counts.

    python benchmarks/soak.py [--calls N] [--threads N] [--tasks N]

Half of the calls come from threads, half from tasks, against a provider on the loopback interface: both SDKs, whole
answers and streams, conversations that go on and prompts that do not come again. Fails unless every call had one span
and one event in the local store (or was counted as dropped), nothing is left open, and memory stayed flat after the
first quarter of either half.
"""

import argparse
import asyncio
import gc
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from provider import loopback
from resident import resident_kb

import llm_observer
from llm_observer.counters import counters
from llm_observer.guard import Guard
from llm_observer.wiring import Process, connected

JSON = dict[str, Any]

CHUNKS = 8
STREAMED = 0.2
"""The part of the calls whose answer is streamed; half of these are left before their end."""
TURNS = 12
FLAT = 0.1
"""How much of what it had after the first quarter of a half the process may gain until its end."""
FLAT_KB = 16_384
"""And how much in any case: that is what the allocator keeps for itself."""
SAMPLES = 20


class Counting(SpanExporter):
    """Counts spans, which come from many threads at once, and keeps none."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Count."""
        with self._lock:
            self.count += len(spans)
        return SpanExportResult.SUCCESS


class Sample(NamedTuple):
    """The size of the process after so many calls."""

    calls: int
    resident_kb: int
    analysis_kb: int
    queued: int
    open: int


class Talk:
    """The arguments of one caller's calls, seeded."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._messages: list[JSON] = []
        self._system = ""

    def next(self) -> tuple[str, JSON, bool]:
        """The SDK to call, with what, and whether to leave a stream before its end."""
        if not self._messages or len(self._messages) > 2 * TURNS:
            # One in four conversations has a head of its own.
            self._system = f"You are helper {self._random.randrange(4) or self._random.random()}. " + "Be brief. " * 40
            self._messages = []
        else:
            self._messages.append({"role": "assistant", "content": "It comes today."})
        self._messages.append({"role": "user", "content": f"Question {self._random.random()} " + "and so on " * 30})
        stream = self._random.random() < STREAMED
        sdk = self._random.choice(("openai", "anthropic"))
        system = {"role": "system", "content": self._system}
        if sdk == "openai":
            return sdk, {"model": "gpt-4.1", "messages": [system, *self._messages], "stream": stream}, self._leaves()
        return (
            sdk,
            {
                "model": "claude-sonnet-4-6",
                "max_tokens": 16,
                "cache_control": {"type": "ephemeral"},
                "system": self._system,
                "messages": [*self._messages],
                "stream": stream,
            },
            self._leaves(),
        )

    def _leaves(self) -> bool:
        return self._random.random() < 0.5


class Soak:
    """The run: makes the calls and takes samples."""

    def __init__(self, port: int, process: Process) -> None:
        self._url = f"http://127.0.0.1:{port}/400-0-{CHUNKS}"
        self._process = process
        self._lock = threading.Lock()
        self.samples: list[Sample] = []
        self.made = 0
        self._every = 1

    def run(self, calls: int, threads: int, tasks: int) -> None:
        """Make the calls: half of them from threads, then half from tasks."""
        self._every = max(1, calls // SAMPLES)
        share = calls // 2
        workers = [
            threading.Thread(target=self._in_thread, args=(n, size)) for n, size in enumerate(shares(share, threads))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        asyncio.run(self._in_tasks(calls - share, tasks))

    def _in_thread(self, seed: int, calls: int) -> None:
        clients: dict[str, Any] = {
            "openai": openai.OpenAI(api_key="key", base_url=f"{self._url}/v1").chat.completions,
            "anthropic": anthropic.Anthropic(api_key="key", base_url=self._url).messages,
        }
        talk = Talk(seed)
        for _ in range(calls):
            sdk, arguments, leaves = talk.next()
            answer = clients[sdk].create(**arguments)
            if arguments["stream"]:
                for _ in answer:
                    if leaves:
                        answer.close()
                        break
            self._made()

    async def _in_tasks(self, calls: int, tasks: int) -> None:
        # Few connections: what waits for one is a call that has begun.
        async with (
            openai.AsyncOpenAI(api_key="key", base_url=f"{self._url}/v1", timeout=600, max_retries=0) as ours,
            anthropic.AsyncAnthropic(api_key="key", base_url=self._url, timeout=600, max_retries=0) as theirs,
        ):
            clients: dict[str, Any] = {"openai": ours.chat.completions, "anthropic": theirs.messages}
            sizes = shares(calls, tasks)
            await asyncio.gather(*(self._in_task(clients, 1000 + n, size) for n, size in enumerate(sizes)))

    async def _in_task(self, clients: dict[str, Any], seed: int, calls: int) -> None:
        talk = Talk(seed)
        for _ in range(calls):
            sdk, arguments, leaves = talk.next()
            answer = await clients[sdk].create(**arguments)
            if arguments["stream"]:
                async for _ in answer:
                    if leaves:
                        await answer.close()
                        break
            self._made()

    def _made(self) -> None:
        with self._lock:
            self.made += 1
            if self.made % self._every == 0:
                self.samples.append(self._sample())

    def _sample(self) -> Sample:
        runtime = self._process.runtime
        held = sum(runtime.engine.sizes()) // 1000
        return Sample(self.made, resident_kb(), held, self._process.queued(), len(runtime.open))


def shares(calls: int, parts: int) -> list[int]:
    """`calls` dealt out."""
    return [calls // parts + (n < calls % parts) for n in range(parts)]


def stored(path: Path) -> int:
    """How many events are in the store."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM calls").fetchone()[0])


def faults(soak: Soak, process: Process, spans: int, events: int) -> Iterator[str]:
    """What is not as promised."""
    dropped = sum(count for cause, count in counters.of("dropped").items() if cause.startswith("store_"))
    if spans != soak.made:
        yield f"{soak.made:,} calls had {spans:,} spans"
    if counters.total("calls") != soak.made:
        yield f"{counters.total('calls'):,} calls were counted"
    if events + dropped != soak.made:
        yield f"{events:,} events are stored and {dropped:,} dropped"
    if counters.total("errors"):
        yield f"errors were swallowed: {dict(counters.of('errors'))}"
    gc.collect()
    if process.runtime.open:
        yield f"{len(process.runtime.open)} calls are left open"
    if process.queued():
        yield f"{process.queued()} events are left in a queue"
    # Each half by itself: so many open calls and connections as there are tasks take room of their own.
    half = len(soak.samples) // 2
    for name, samples in (("threads", soak.samples[:half]), ("tasks", soak.samples[half:])):
        warm, end = samples[len(samples) // 4].resident_kb, samples[-1].resident_kb
        if end > warm * (1 + FLAT) + FLAT_KB:
            yield f"memory grew from {warm:,} kB to {end:,} kB while calls came from {name}"


def main() -> int:
    """Run, print the figures, and tell whether they are as promised."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--tasks", type=int, default=1_000)
    options = parser.parse_args()
    Guard.strict = False  # as for a user
    exporter = Counting()
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracer_provider)
    with tempfile.TemporaryDirectory() as folder, loopback() as port:
        path = Path(folder) / "calls.db"
        llm_observer.patch(store=str(path), hash_key="0" * 64)
        process = connected()
        assert process is not None
        soak = Soak(port, process)
        began, used = time.perf_counter(), time.process_time()
        soak.run(options.calls, options.threads, options.tasks)
        seconds, used = time.perf_counter() - began, time.process_time() - used
        gc.collect()
        llm_observer.flush(60.0)
        events = stored(path)
        print(f"{soak.made:,} calls, {options.threads} threads, then {options.tasks:,} tasks: ", end="")
        print(f"{seconds:,.0f} s, {used / soak.made * 1e3:.2f} ms of CPU per call, the SDKs' own included")
        print(f"{exporter.count:,} spans, {events:,} events stored, dropped: {dict(counters.of('dropped'))}\n")
        print("| calls | resident, MB | analysis, MB | queued | open |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: |")
        for sample in soak.samples:
            print(f"| {sample.calls:,} | {sample.resident_kb / 1000:.1f} | {sample.analysis_kb / 1000:.1f} ", end="")
            print(f"| {sample.queued:,} | {sample.open:,} |")
        found = list(faults(soak, process, exporter.count, events))
        llm_observer.unpatch()
    print("\n" + ("\n".join(found) if found else "As promised."))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
