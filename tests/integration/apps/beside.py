"""Makes calls of both SDKs in every style beside another instrumentation: `beside.py PEER ORDER`.

ORDER is `alone` (without us), `first` (the peer before us) or `last` (the peer behind us). Prints JSON: by style, the
spans that reached an exporter and what the application got to see.

`PEER, pool` is the peer on a provider that runs span processors in threads of a pool; `logfire, clients` is Logfire set
on each client instead of on all.
"""

import asyncio
import gc
import importlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

sys.path.insert(0, str(Path(__file__).parents[2]))

from scripted import ScriptedServer
from sdk_styles import ANTHROPIC, OPENAI, Style, has, outcome

EXPORTER = InMemorySpanExporter()


def instrumentor(*modules: str) -> Callable[[], None]:
    """Instruments with the `BaseInstrumentor` of each of `modules`."""

    def instrument() -> None:
        for path in modules:
            module, _, name = path.partition(":")
            getattr(importlib.import_module(module), name)().instrument()

    return instrument


def logfire() -> None:
    module = importlib.import_module("logfire")
    module.instrument_openai()
    module.instrument_anthropic()


PEERS: dict[str, Callable[[], None]] = {
    "official": instrumentor(
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
    ),
    "openai-v2": instrumentor("opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor"),
    "openllmetry": instrumentor(
        "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
    ),
    "openinference": instrumentor(
        "openinference.instrumentation.openai:OpenAIInstrumentor",
        "openinference.instrumentation.anthropic:AnthropicInstrumentor",
    ),
    "logfire": logfire,
    "logfire, clients": instrumentor(),
    "official, pool": instrumentor(
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
    ),
    "nothing": instrumentor(),
}


def us() -> None:
    importlib.import_module("llm_observer").patch(store="off", hash_key="0" * 64)


def set_up(peer: str) -> None:
    """A provider with an exporter, as the peer wants it."""
    processor = SimpleSpanProcessor(EXPORTER)
    if peer.startswith("logfire"):
        importlib.import_module("logfire").configure(
            send_to_logfire=False, console=False, inspect_arguments=False, additional_span_processors=[processor]
        )
        return
    pool = ConcurrentMultiSpanProcessor(2) if peer.endswith(", pool") else None
    provider = TracerProvider(shutdown_on_exit=False, active_span_processor=pool)
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)


def clients(url: str) -> dict[str, tuple[Any, Sequence[Style]]]:
    """Clients by kind, with the styles in which to call them."""
    openai, anthropic = importlib.import_module("openai"), importlib.import_module("anthropic")
    for_openai: dict[str, Any] = {"base_url": f"{url}/v1", "api_key": "key", "max_retries": 0}
    for_anthropic: dict[str, Any] = {"base_url": url, "api_key": "key", "max_retries": 0}
    return {
        "openai": (openai.OpenAI(**for_openai), OPENAI),
        "openai async": (openai.AsyncOpenAI(**for_openai), OPENAI),
        "anthropic": (anthropic.Anthropic(**for_anthropic), ANTHROPIC),
        "anthropic async": (anthropic.AsyncAnthropic(**for_anthropic), ANTHROPIC),
    }


def on_each(peer: str, clients: Iterable[Any]) -> None:
    """Set Logfire on each of the clients, if that is the peer."""
    if peer == "logfire, clients":
        module = importlib.import_module("logfire")
        for client in clients:
            (module.instrument_anthropic if "anthropic" in type(client).__module__ else module.instrument_openai)(
                client
            )


async def calls(made: Mapping[str, tuple[Any, Sequence[Style]]]) -> dict[str, Any]:
    """Call in every style."""
    found: dict[str, Any] = {}
    for kind, (client, styles) in made.items():
        for style in styles:
            if not has(client, style.needs):
                continue
            EXPORTER.clear()
            result = await outcome(style, client)
            await asyncio.sleep(0)
            # A peer may leave a response unread: then its call ends with its object, and on another thread.
            gc.collect()
            importlib.import_module("llm_observer").flush()
            found[f"{kind}: {style.name}"] = {
                "result": repr(result),
                "spans": [
                    {
                        "name": span.name,
                        "scope": span.instrumentation_scope.name if span.instrumentation_scope else "",
                        "kind": span.kind.name,
                        "says": {name: repr(value) for name, value in (span.attributes or {}).items()},
                        "explained": "llm_observer.cache.outcome" in (span.attributes or {}),
                    }
                    for span in EXPORTER.get_finished_spans()
                ],
            }
    return found


def main(peer: str, order: str) -> None:
    set_up(peer)
    with ScriptedServer() as server:
        made: dict[str, tuple[Any, Sequence[Style]]] = {}

        def them() -> None:
            PEERS[peer]()
            if peer == "logfire, clients":
                made.update(clients(server.url))
                on_each(peer, [client for client, _ in made.values()])

        for step in {"alone": (them,), "first": (them, us), "last": (us, them)}[order]:
            step()
        made = made or clients(server.url)
        gc.freeze()
        print(json.dumps(asyncio.run(calls(made))))


if __name__ == "__main__":
    main(*sys.argv[1:])
