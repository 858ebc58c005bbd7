"""The CPU time that a call gains with the package: hook, span, hashes, cost, verdict and the local store.

    python benchmarks/overhead.py [--quick]

One process, no network: the SDKs talk to a mocked transport. Each row alternates blocks of calls without, with and
without the package. What the block in the middle took more than the mean of its neighbours is the gain, and what the
two neighbours differ by is the noise; the table has the medians over all such triples. `process` is the CPU time of all
threads, the writing of the store included; `caller` that of the thread that calls.
"""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import httpx2
import openai

from llm_observer.adapters.endpoints import ANTHROPIC_APIS, OPENAI_APIS
from llm_observer.adapters.hook import Hook
from llm_observer.config import Settings
from llm_observer.counters import counters
from llm_observer.guard import Guard
from llm_observer.instrumentor import wire
from llm_observer.wiring import Process, connected

CHUNKS = 500
MESSAGE_TOKENS = 500
WORDS = ("the", "customer", "asked", "where", "parcel", "is", "and", "what", "carrier", "says", "about", "it", "today")
"""One token each, about."""

SECONDS = {"full": 3.0, "quick": 0.5}
"""How long a row is measured."""
BLOCK_S = 0.04
FEWEST_TRIPLES = 3

_serial = count()


class Times(NamedTuple):
    """CPU time, in seconds."""

    process: float
    caller: float


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured: calls of one SDK with prompts of one size."""

    sdk: str
    mode: str
    tokens: int
    fresh: bool = False
    stream: bool = False

    def __str__(self) -> str:
        """The first columns of the table."""
        prompt = f"{self.tokens:,} {'fresh' if self.fresh else 'seen'}"
        return f"{self.sdk:<10}{self.mode:<7}{prompt:<15}{f'{CHUNKS} chunks' if self.stream else 'one body':<12}"


def rows() -> Iterator[Row]:
    """All rows. A prompt counts as seen when all but its last message was sent before."""
    for sdk in ("openai", "anthropic"):
        for mode in ("sync", "async"):
            for tokens in (100, 1_000, 10_000, 100_000):
                yield Row(sdk, mode, tokens)
            yield Row(sdk, mode, 100_000, fresh=True)
            yield Row(sdk, mode, 1_000, stream=True)


def text(tokens: int, *, head: str = "") -> str:
    """English-looking text; `head` makes it one that was not there before."""
    return " ".join([head, *(WORDS[n % len(WORDS)] for n in range(tokens))])


def prompt(row: Row) -> dict[str, Any]:
    """The arguments of a call: a quarter of the tokens is system text, the rest is the conversation."""
    serial = f"case {next(_serial)}:"
    head = serial if row.fresh else "always:"
    system = text(row.tokens // 4, head=head)
    turns = max(1, row.tokens * 3 // 4 // MESSAGE_TOKENS)
    each = row.tokens * 3 // 4 // turns
    said = [text(each, head=f"{head} turn {turn},") for turn in range(turns - 1)]
    messages: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[turn % 2], "content": content} for turn, content in enumerate(said)
    ]
    messages.append({"role": "user", "content": text(each, head=serial)})
    if row.sdk == "openai":
        messages.insert(0, {"role": "system", "content": system})
        return {"model": "gpt-4.1", "messages": messages, "stream": row.stream}
    mark = {"cache_control": {"type": "ephemeral"}}
    return {
        "model": "claude-sonnet-4-6",
        "max_tokens": 100,
        "system": [{"type": "text", "text": system, **mark}],
        "messages": messages,
        "stream": row.stream,
    }


def sse(events: list[dict[str, Any]], *, named: bool) -> bytes:
    """Server-sent events, as the two vendors write them."""
    lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    return "".join(lines).encode() + (b"" if named else b"data: [DONE]\n\n")


def openai_answer(*, stream: bool) -> bytes:
    """A chat completion."""
    head = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1-2025-04-14", "service_tier": "default"}
    usage = {"prompt_tokens": 1200, "completion_tokens": 20, "total_tokens": 1220}
    usage |= {"prompt_tokens_details": {"cached_tokens": 1024}}
    if not stream:
        message = {"role": "assistant", "content": "It comes today."}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        return json.dumps({**head, "object": "chat.completion", "choices": choices, "usage": usage}).encode()
    head["object"] = "chat.completion.chunk"
    choice = {"index": 0, "finish_reason": None, "delta": {"content": "word "}}
    events: list[dict[str, Any]] = [{**head, "choices": [choice]} for _ in range(CHUNKS - 2)]
    events.append({**head, "choices": [{"index": 0, "finish_reason": "stop", "delta": {}}]})
    events.append({**head, "choices": [], "usage": usage})
    return sse(events, named=False)


def anthropic_answer(*, stream: bool) -> bytes:
    """A message."""
    usage = {"input_tokens": 200, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 0}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6"}
    head |= {"stop_sequence": None, "usage": {**usage, "output_tokens": 20}}
    if not stream:
        content = [{"type": "text", "text": "It comes today."}]
        return json.dumps({**head, "content": content, "stop_reason": "end_turn"}).encode()
    delta = {"type": "text_delta", "text": "word "}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**head, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for _ in range(CHUNKS - 5)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 20}},
        {"type": "message_stop"},
    ]
    return sse(events, named=True)


def transport(row: Row) -> httpx2.MockTransport:
    """Answers each request at once."""
    body = (openai_answer if row.sdk == "openai" else anthropic_answer)(stream=row.stream)
    kind = "text/event-stream" if row.stream else "application/json"
    return httpx2.MockTransport(lambda _: httpx2.Response(200, content=body, headers={"content-type": kind}))


def sync_block(row: Row) -> Callable[[list[dict[str, Any]]], None]:
    """Makes calls one after another and reads their answers."""
    http = httpx2.Client(transport=transport(row))
    create: Any
    if row.sdk == "openai":
        create = openai.OpenAI(api_key="key", http_client=http).chat.completions.create
    else:
        create = anthropic.Anthropic(api_key="key", http_client=http).messages.create

    def block(prompts: list[dict[str, Any]]) -> None:
        for arguments in prompts:
            answer = create(**arguments)
            if row.stream:
                for _ in answer:
                    pass

    return block


def async_block(row: Row, run: Callable[[Coroutine[Any, Any, None]], None]) -> Callable[[list[dict[str, Any]]], None]:
    """The same with the SDK's asynchronous client."""
    http = httpx2.AsyncClient(transport=transport(row))
    create: Any
    if row.sdk == "openai":
        create = openai.AsyncOpenAI(api_key="key", http_client=http).chat.completions.create
    else:
        create = anthropic.AsyncAnthropic(api_key="key", http_client=http).messages.create

    async def calls(prompts: list[dict[str, Any]]) -> None:
        for arguments in prompts:
            answer = await create(**arguments)
            if row.stream:
                async for _ in answer:
                    pass

    return lambda prompts: run(calls(prompts))


class Bench:
    """Switches one runtime of the package on and off, so that what it has learned of prompts stays."""

    def __init__(self, folder: Path) -> None:
        self._runtime = wire(Settings.resolve({}, store=str(folder / "calls.db"), hash_key="0" * 64))
        self._hooks = (Hook("openai._base_client", OPENAI_APIS), Hook("anthropic._base_client", ANTHROPIC_APIS))
        process = connected()
        assert process is not None
        self._process: Process = process
        self._runtime.engine.prices.wait(30.0)

    def measure(self, block: Callable[[list[dict[str, Any]]], None], prompts: list[dict[str, Any]]) -> Times:
        """The CPU time of a call without the package."""
        process, caller = time.process_time(), time.thread_time()
        block(prompts)
        return self._per_call(process, caller, len(prompts))

    def measure_with(self, block: Callable[[list[dict[str, Any]]], None], prompts: list[dict[str, Any]]) -> Times:
        """The CPU time of a call with the package, until all of it is in the store."""
        for hook in self._hooks:
            hook.install(self._runtime)
        try:
            seen = counters.total("calls")
            process, caller = time.process_time(), time.thread_time()
            block(prompts)
            self._process.flush(30.0)
            times = self._per_call(process, caller, len(prompts))
            if counters.total("calls") - seen != len(prompts):
                raise RuntimeError("calls were not observed")
            return times
        finally:
            for hook in self._hooks:
                hook.uninstall()

    @staticmethod
    def _per_call(process: float, caller: float, calls: int) -> Times:
        return Times((time.process_time() - process) / calls, (time.thread_time() - caller) / calls)

    def row(self, row: Row, block: Callable[[list[dict[str, Any]]], None], seconds: float) -> str:
        """Measure one row for about `seconds`; its line of the table."""
        self.measure_with(block, [prompt(row)])  # loads and learns
        self.measure(block, [prompt(row)])
        gc.collect()
        once = self.measure(block, [prompt(row) for _ in range(3)])
        calls = max(1, round(BLOCK_S / max(once.process, 1e-6)))
        bare: list[float] = []
        gains: list[Times] = []
        noise: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(gains) < FEWEST_TRIPLES:
            blocks = [[prompt(row) for _ in range(calls)] for _ in range(3)]
            before = self.measure(block, blocks[0])
            between = self.measure_with(block, blocks[1])
            after = self.measure(block, blocks[2])
            bare.append((before.process + after.process) / 2)
            gains.append(
                Times(
                    between.process - (before.process + after.process) / 2,
                    between.caller - (before.caller + after.caller) / 2,
                )
            )
            noise.append(after.process - before.process)
        base = statistics.median(bare)
        process = statistics.median(gain.process for gain in gains)
        caller = statistics.median(gain.caller for gain in gains)
        spread = statistics.median(abs(one) for one in noise)
        figures = f"{base * 1e6:>10,.0f}{process * 1e6:>+10,.0f}{caller * 1e6:>+10,.0f}"
        return f"{row}{figures}{statistics.median(noise) * 1e6:>+9,.0f} ±{spread * 1e6:<7,.0f}{process / base:>+7.1%}"


def main() -> None:
    """Print the table, row by row."""
    Guard.strict = True  # what fails inside is no measure of what it costs
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the time, and of the confidence")
    seconds = SECONDS["quick" if parser.parse_args().quick else "full"]
    print(f"CPU per call in µs, Python {sys.version.split()[0]}, openai {openai.__version__}, ", end="")
    print(f"anthropic {anthropic.__version__}\n")
    print(f"{'SDK':<10}{'mode':<7}{'prompt tokens':<15}{'answer':<12}{'bare':>10}", end="")
    print(f"{'process':>10}{'caller':>10}{'bare - bare':>18}{'gain':>7}")
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for row in rows():
            block = sync_block(row) if row.mode == "sync" else async_block(row, loop.run_until_complete)
            print(bench.row(row, block, seconds), flush=True)


if __name__ == "__main__":
    main()
