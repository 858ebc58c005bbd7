"""Calls a provider under trio or gevent: `loops.py KIND URL`. Prints what came of it as JSON."""

import importlib
import json
import sys
from typing import Any

KIND, URL = sys.argv[1:]

if KIND == "gevent":
    importlib.import_module("gevent.monkey").patch_all()

from opentelemetry import trace  # noqa: E402  gevent comes first
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402

import llm_observer  # noqa: E402

EXPORTER = InMemorySpanExporter()
PROVIDER = TracerProvider()
PROVIDER.add_span_processor(SimpleSpanProcessor(EXPORTER))
trace.set_tracer_provider(PROVIDER)
llm_observer.patch(store="off", hash_key="0" * 64)

import anthropic  # noqa: E402
import openai  # noqa: E402

MESSAGES: Any = [{"role": "user", "content": "What is the capital of France?"}]
CHAT: Any = {"model": "gpt-4o-mini", "messages": MESSAGES}
MESSAGE: Any = {"model": "claude-sonnet-5", "max_tokens": 64, "messages": MESSAGES}
GIVEN: Any = {"api_key": "key", "max_retries": 0}
TRACER = trace.get_tracer("app")


async def under_trio() -> list[Any]:
    """Whole calls, streams, many at once, one that is given up half-way."""
    trio: Any = importlib.import_module("trio")
    got: list[Any] = []
    gpt: Any = openai.AsyncOpenAI(base_url=f"{URL}/v1", **GIVEN)
    claude: Any = anthropic.AsyncAnthropic(base_url=URL, **GIVEN)
    async with gpt, claude:
        got.append((await gpt.chat.completions.create(**CHAT)).choices[0].message.content)
        got.append(len([chunk async for chunk in await gpt.chat.completions.create(**CHAT, stream=True)]))
        async with claude.messages.stream(**MESSAGE) as stream:
            got.append([text async for text in stream.text_stream])
        with trio.CancelScope() as scope:
            async for _ in await claude.messages.create(**MESSAGE, stream=True):
                scope.cancel()
                await trio.lowlevel.checkpoint()
        got.append(scope.cancelled_caught)

        async def one(n: int) -> None:
            with TRACER.start_as_current_span(f"work {n}"):
                await gpt.chat.completions.create(**CHAT, user=str(n))

        async with trio.open_nursery() as nursery:
            for n in range(5):
                nursery.start_soon(one, n)
    return got


def under_gevent() -> list[Any]:
    """The same with greenlets, and a stream that one begins and another reads."""
    gevent: Any = importlib.import_module("gevent")

    got: list[Any] = []
    gpt: Any = openai.OpenAI(base_url=f"{URL}/v1", **GIVEN)
    claude: Any = anthropic.Anthropic(base_url=URL, **GIVEN)
    with gpt, claude:
        got.append(gpt.chat.completions.create(**CHAT).choices[0].message.content)
        stream = gevent.spawn(lambda: gpt.chat.completions.create(**CHAT, stream=True)).get()
        got.append(gevent.spawn(lambda: len(list(stream))).get())
        with claude.messages.stream(**MESSAGE) as texts:
            got.append(list(texts.text_stream))
        half = claude.messages.create(**MESSAGE, stream=True)
        next(iter(half))
        half.close()
        got.append(True)

        def one(n: int) -> None:
            with TRACER.start_as_current_span(f"work {n}"):
                gpt.chat.completions.create(**CHAT, user=str(n))

        gevent.joinall([gevent.spawn(one, n) for n in range(5)], raise_error=True)
    return got


def main() -> None:
    got = importlib.import_module("trio").run(under_trio) if KIND == "trio" else under_gevent()
    flushed = llm_observer.flush(5)
    spans = EXPORTER.get_finished_spans()
    parents = {span.context.span_id: span.name for span in spans if span.context is not None}
    found = [
        {
            "name": span.name,
            "parent": parents.get(span.parent.span_id) if span.parent is not None else None,
            "output": (span.attributes or {}).get("gen_ai.usage.output_tokens"),
        }
        for span in spans
        if "llm_observer.cache.outcome" in (span.attributes or {})
    ]
    print(json.dumps({"got": got, "found": found, "flushed": flushed}))


main()
