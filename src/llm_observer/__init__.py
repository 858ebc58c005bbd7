"""See what your LLM calls cost, what the prompt cache gave, and why it did not give more.

    import llm_observer

    llm_observer.patch()

Every call of the OpenAI and Anthropic SDKs from here on is one OpenTelemetry span with its cost and the verdict on its
prompt cache. Local only, until telemetry is enabled with a key and an endpoint; no prompt ever leaves the process.
"""

import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from llm_observer._version import __version__
from llm_observer.analysis.breakers import detect_breakers
from llm_observer.analysis.similarity import prefix_similarity
from llm_observer.counters import counters
from llm_observer.guard import guard
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.pricing.estimate import estimate_cost
from llm_observer.replay import RecordError, analyze, iter_analyze
from llm_observer.results import (
    Breaker,
    BreakEven,
    CallReport,
    CallSite,
    CostEstimate,
    GroupSummary,
    Lifetime,
    LifetimeAdvice,
    PromptReport,
    Stats,
    Summary,
    Verdict,
)
from llm_observer.summary import callbacks, tally
from llm_observer.telemetry.processors import CacheProcessor, CostProcessor, PromptHashProcessor
from llm_observer.telemetry.tags import tag
from llm_observer.usage import Usage
from llm_observer.wiring import connected

if TYPE_CHECKING:
    from llm_observer import testing
    from llm_observer.export.exporter import EnvelopeExporter

__all__ = [
    "BreakEven",
    "Breaker",
    "CacheProcessor",
    "CallReport",
    "CallSite",
    "CostEstimate",
    "CostProcessor",
    "EnvelopeExporter",
    "GroupSummary",
    "LLMObserverInstrumentor",
    "Lifetime",
    "LifetimeAdvice",
    "PromptHashProcessor",
    "PromptReport",
    "RecordError",
    "Stats",
    "Summary",
    "Usage",
    "Verdict",
    "__version__",
    "analyze",
    "detect_breakers",
    "estimate_cost",
    "flush",
    "iter_analyze",
    "on_call",
    "patch",
    "prefix_similarity",
    "stats",
    "summary",
    "tag",
    "testing",
    "unpatch",
]

log = logging.getLogger("llm_observer")

CallbackT = TypeVar("CallbackT", bound=Callable[[CallReport], object])


def patch(
    *,
    enabled: bool | None = None,
    api_key: str | None = None,
    endpoint: str | None = None,
    store: str | None = None,
    hash_key: str | None = None,
    prices: str | None = None,
    cache_rules: str | None = None,
    log_level: str | None = None,
    send_names: bool | None = None,
    call_site: bool | None = None,
    snippets: bool | None = None,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> None:
    """Instrument the OpenAI and Anthropic SDKs: the whole set-up. Never raises; a second call changes nothing.

    Arguments win over the environment (`LLM_OBSERVER_ENABLED`, `LLM_OBSERVER_API_KEY`, ...), which wins over defaults;
    only `LLM_OBSERVER_ENABLED=false` and `LLM_OBSERVER_DISABLED=true` win over everything. It does not matter whether
    the SDKs are imported before or after, or are installed at all.

    Args:
        enabled: Send events to `endpoint`; needs `api_key` too. By default nothing is sent.
        api_key: The Bearer token for the endpoint.
        endpoint: Where events are posted, exactly as given; https unless it is this machine.
        store: The file that keeps calls for `llm-observer report`, or `"off"`.
        hash_key: A secret of 16 characters or more that keys the hashes, to share one between machines.
        prices: A file of price overrides.
        cache_rules: A file of cache rules that go before those of this version.
        log_level: The level of the logger `llm_observer`.
        send_names: Let call sites, fine-tune and deployment names into events that are sent.
        call_site: Record which line of the application made each call; true by default.
        snippets: Show a few common words around the place where a prompt broke, on spans and in the store; by default
            nothing of a prompt is shown.
        tracer_provider: Where spans go: by default the global provider, or none of yours when there is none.
        meter_provider: Where metrics go, by default the global provider.
    """
    with guard("patch"):
        instrumentor = LLMObserverInstrumentor()
        if instrumentor.is_instrumented_by_opentelemetry:
            log.debug("patch() was called again and changed nothing")
            return
        instrumentor.instrument(
            enabled=enabled,
            api_key=api_key,
            endpoint=endpoint,
            store=store,
            hash_key=hash_key,
            prices=prices,
            cache_rules=cache_rules,
            log_level=log_level,
            send_names=send_names,
            call_site=call_site,
            snippets=snippets,
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
        )


def unpatch() -> None:
    """Restore the SDKs exactly as they were, and end the completion hook too. Streams that are open drain as before.

    Never raises.
    """
    with guard("unpatch"):
        LLMObserverInstrumentor.end()
        LLMObserverInstrumentor().uninstrument()


def flush(timeout: float = 5.0) -> bool:
    """Wait until what is known of the calls so far is exported and stored; at most about `timeout` seconds.

    Returns:
        Whether all of it was.
    """
    process = connected()
    return process.flush(timeout) if process is not None else True


def summary() -> Summary:
    """This process so far: calls, tokens, cost, saved and lost, by family and by cause."""
    return tally.summary()


def on_call(function: CallbackT) -> CallbackT:
    """Call `function` with the `CallReport` of each call when it has ended, on the thread where it ended.

    What it raises is counted and does not reach the call. Can be used as a decorator.

    Raises:
        TypeError: `function` cannot be called.
    """
    if not callable(function):
        raise TypeError(f"function has to be callable, not {type(function).__name__}")
    return callbacks.add(function)


def stats() -> Stats:
    """What the package counted of itself in this process: dropped, failed, errors swallowed, and so on."""
    process = connected()
    return Stats(
        calls=counters.total("calls"),
        errors=counters.of("errors"),
        dropped=counters.of("dropped"),
        sent=counters.total("sent"),
        stored=counters.total("stored"),
        retries=counters.of("retries"),
        queued=process.queued() if process is not None else 0,
    )


def __getattr__(name: str) -> Any:
    """What is loaded only when asked for: it takes time that not every user needs to spend."""
    if name == "EnvelopeExporter":
        from llm_observer.export.exporter import EnvelopeExporter  # noqa: PLC0415

        return EnvelopeExporter
    if name == "testing":
        return importlib.import_module("llm_observer.testing")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
