"""One side of `overhead.py`: makes the calls that it is told to, and tells what CPU time they took.

    python benchmarks/overhead_side.py SIDE PORT

Reads a JSON object per line, a block of calls, and answers each with one. Needs the SDKs and OpenTelemetry's, and what
the side instruments with.
"""

import asyncio
import functools
import gc
import importlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

MESSAGE_TOKENS = 500
WORDS = ("the", "customer", "asked", "where", "parcel", "is", "and", "what", "carrier", "says", "about", "it", "today")
"""One token each, about."""

NO_CONTENT = {
    "TRACELOOP_TRACE_CONTENT": "false",
    "TRACELOOP_TELEMETRY": "false",
    "OPENINFERENCE_HIDE_INPUTS": "true",
    "OPENINFERENCE_HIDE_OUTPUTS": "true",
}
"""As we do by default, the others record no prompts and no completions."""

_serial = count()


class Row(NamedTuple):
    """What is measured: calls of one SDK with prompts of one size. `fresh`: nothing of the prompt was sent before."""

    sdk: str
    mode: str
    tokens: int
    fresh: bool = False
    chunks: int = 0


def text(tokens: int, *, head: str = "") -> str:
    """Text in the order of its own that `head` stands for, so that texts have no lines in common."""
    return " ".join([head, *random.Random(head).choices(WORDS, k=tokens)])


@functools.cache
def conversation(row: Row, head: str) -> tuple[str, tuple[str, ...]]:
    """The system text, and what was said before. An application keeps these texts from call to call."""
    turns = turns_of(row)
    each = row.tokens * 3 // 4 // turns
    return text(row.tokens // 4, head=head), tuple(text(each, head=f"{head} turn {n},") for n in range(turns - 1))


def turns_of(row: Row) -> int:
    """How many messages the conversation has."""
    return max(1, row.tokens * 3 // 4 // MESSAGE_TOKENS)


def prompt(row: Row) -> dict[str, Any]:
    """The arguments of a call: a quarter of the tokens is system text, the rest is the conversation.

    All but the last message was sent before, unless the prompt is to be fresh.
    """
    serial = f"case {os.getpid()} {next(_serial)}:"
    make = conversation.__wrapped__ if row.fresh else conversation
    system, said = make(row, serial if row.fresh else "always:")
    messages: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[turn % 2], "content": words} for turn, words in enumerate(said)
    ]
    messages.append({"role": "user", "content": text(row.tokens * 3 // 4 // turns_of(row), head=serial)})
    if row.sdk == "openai":
        messages.insert(0, {"role": "system", "content": system})
        return {"model": "gpt-4.1", "messages": messages, "stream": bool(row.chunks)}
    mark = {"cache_control": {"type": "ephemeral"}}
    if said:
        messages[-2]["content"] = [{"type": "text", "text": said[-1], **mark}]
    return {
        "model": "claude-sonnet-4-6",
        "max_tokens": 100,
        "system": [{"type": "text", "text": system, **mark}],
        "messages": messages,
        "stream": bool(row.chunks),
    }


def usage(row: Row) -> tuple[int, int]:
    """The tokens that the provider counts, and those of them that it read from its cache: all it may have seen."""
    known = row.tokens - row.tokens * 3 // 4 // turns_of(row)
    if row.fresh or known < 1024:
        return row.tokens, 0
    return row.tokens, known - known % 128 if row.sdk == "openai" else known


Block = Callable[[Sequence[dict[str, Any]]], None]


class Blocks:
    """Makes calls one after another, with clients that are kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._known: dict[Row, Block] = {}

    def of(self, row: Row) -> Block:
        """What makes the calls of a row."""
        if row not in self._known:
            self._known[row] = self._make(row)
        return self._known[row]

    def _make(self, row: Row) -> Block:
        url = f"http://127.0.0.1:{self._port}/{'-'.join(map(str, usage(row)))}-{row.chunks}"
        sdk: Any = importlib.import_module(row.sdk)
        name = {"openai": "OpenAI", "anthropic": "Anthropic"}[row.sdk]
        make = getattr(sdk, name if row.mode == "sync" else f"Async{name}")
        client = make(api_key="key", base_url=f"{url}/v1" if row.sdk == "openai" else url)
        create = client.chat.completions.create if row.sdk == "openai" else client.messages.create

        def block(prompts: Sequence[dict[str, Any]]) -> None:
            for arguments in prompts:
                answer = create(**arguments)
                if row.chunks:
                    for _ in answer:
                        pass

        async def calls(prompts: Sequence[dict[str, Any]]) -> None:
            for arguments in prompts:
                answer = await create(**arguments)
                if row.chunks:
                    async for _ in answer:
                        pass

        return block if row.mode == "sync" else lambda prompts: self._loop.run_until_complete(calls(prompts))


class Spans:
    """Counts what is exported and keeps nothing."""

    def __init__(self) -> None:
        self.count = 0
        export: Any = importlib.import_module("opentelemetry.sdk.trace.export")
        spans = self

        class Exporter(export.SpanExporter):
            def export(self, batch: Sequence[Any]) -> Any:
                # A call's, whoever made it: those of frameworks and of HTTP libraries are not there.
                spans.count += len(batch)
                return export.SpanExportResult.SUCCESS

        self.processor: Any = export.SimpleSpanProcessor(Exporter())

    def provide(self) -> None:
        """Make a provider with this exporter the global one."""
        trace: Any = importlib.import_module("opentelemetry.trace")
        provider = importlib.import_module("opentelemetry.sdk.trace").TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.processor)
        trace.set_tracer_provider(provider)


def instrumented(*paths: str) -> Callable[[Spans], None]:
    """Instruments with each `module:BaseInstrumentor` of `paths`, on a provider of ours."""

    def instrument(spans: Spans) -> None:
        spans.provide()
        for path in paths:
            module, _, name = path.partition(":")
            getattr(importlib.import_module(module), name)().instrument()

    return instrument


def us(*, store: bool) -> Callable[[Spans], None]:
    """Instruments with this package, as `patch()` does."""

    def instrument(spans: Spans) -> None:
        package: Any = importlib.import_module("llm_observer")
        guard: Any = importlib.import_module("llm_observer.guard")
        guard.Guard.strict = True  # what fails inside is no measure of what it costs
        spans.provide()
        folder = tempfile.mkdtemp(prefix="overhead-")
        package.patch(store=f"{folder}/calls.db" if store else "off", hash_key="0" * 64)
        package.estimate_cost(provider="openai", model="gpt-4.1", usage={"input_tokens": 1, "output_tokens": 1})

    return instrument


def logfire(spans: Spans) -> None:
    """Instruments with Logfire, which makes its provider itself."""
    module: Any = importlib.import_module("logfire")
    module.configure(
        send_to_logfire=False, console=False, inspect_arguments=False, additional_span_processors=[spans.processor]
    )
    module.instrument_openai()
    module.instrument_anthropic()


SIDES: dict[str, Callable[[Spans], None]] = {
    "bare": lambda _: None,
    "provider": Spans.provide,
    "us": us(store=True),
    "us-no-store": us(store=False),
    "official": instrumented(
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
    ),
    "openai-v2": instrumented("opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor"),
    "openllmetry": instrumented(
        "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
    ),
    "openinference": instrumented(
        "openinference.instrumentation.openai:OpenAIInstrumentor",
        "openinference.instrumentation.anthropic:AnthropicInstrumentor",
    ),
    "logfire": logfire,
}


def flush(side: str) -> None:
    """Have all work done that the calls left behind."""
    if side.startswith("us"):
        importlib.import_module("llm_observer").flush(30.0)


def main() -> None:
    """Answer until the input ends."""
    side, port = sys.argv[1:]
    os.environ.update(NO_CONTENT)
    blocks, spans = Blocks(int(port)), Spans()
    SIDES[side](spans)
    versions = {name: importlib.import_module(name).__version__ for name in ("openai", "anthropic")}
    print(json.dumps(versions), flush=True)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        row = Row(*order["row"])
        block, prompts = blocks.of(row), [prompt(row) for _ in range(order["calls"])]
        made = spans.count
        process, caller = time.process_time(), time.thread_time()
        block(prompts)
        caller = time.thread_time() - caller
        flush(side)
        process = time.process_time() - process
        answer = {"process": process / len(prompts), "caller": caller / len(prompts)}
        print(json.dumps({**answer, "spans": (spans.count - made) / len(prompts)}), flush=True)


if __name__ == "__main__":
    main()
