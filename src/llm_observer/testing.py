"""Helpers for the tests of applications: that a prompt stays cacheable, as a test like any other.

    from llm_observer.testing import observe

    def test_the_second_answer_reads_the_prompt_from_the_cache():
        with observe() as observed:
            answer("Where is my parcel?")
            answer("Can I send it back?")
        observed.assert_cache_hits()

Inside `observe`, calls of the OpenAI and Anthropic SDKs are explained as after `patch()`; nothing is stored or sent.
"""

import functools
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext

from llm_observer.call import Call
from llm_observer.config import Settings
from llm_observer.engine import Engine
from llm_observer.instrumentor import LLMObserverInstrumentor, Runtime
from llm_observer.pricing.prices import Prices
from llm_observer.privacy import Hasher
from llm_observer.results import CallReport
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.values import Attributes

__all__ = ["Observed", "observe"]

_KEY = b"llm_observer.testing"
"""The same in every run, so that hashes and families are: nothing leaves the test that it would have to protect."""

_PRICES_WAIT_S = 30.0
_DROPPED_WAIT_S = 2.0
"""How long to wait for calls whose stream was dropped half-read: a thread of ours ends them."""
_MOST_LINES = 10
"""How many calls a failed assertion describes."""


class Observed:
    """What was seen of the calls in an `observe` block. The assertions raise `AssertionError`, without any content."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._reports: list[CallReport] = []
        self._spans: list[ReadableSpan] = []

    @property
    def reports(self) -> list[CallReport]:
        """The report of each call that has ended, in the order in which they ended."""
        self._runtime.reaper.drain(_DROPPED_WAIT_S)
        return list(self._reports)

    @property
    def spans(self) -> list[ReadableSpan]:
        """The span of each call that has ended, in the order in which they ended."""
        self._runtime.reaper.drain(_DROPPED_WAIT_S)
        return list(self._spans)

    def assert_cache_hits(self) -> None:
        """Every call but the first of its family read all that it could from the prompt cache.

        Fails also when no family has a second call, since then nothing was shown.
        """
        families: set[str] = set()
        later: list[CallReport] = []
        reports = self._judged()
        for report in reports:
            family = report.prompt.family if report.prompt is not None else ""
            if family in families:
                later.append(report)
            families.add(family)
        if not later:
            raise AssertionError(f"no prompt was sent twice, so none could be read from the cache: {_count(reports)}")
        missed = [report for report in later if report.cache.outcome != "hit"]
        _fail_for(missed, "did not read the prompt from the cache", _verdict)

    def assert_no_cache_breaks(self, *, avoidable_only: bool = False) -> None:
        """No call lost a cache read that an earlier call had made possible.

        Args:
            avoidable_only: Allow losses that are a choice with a price, such as another model or a compaction.
        """
        broke = [report for report in self._judged() if report.cache.broke]
        if avoidable_only:
            broke = [report for report in broke if report.cache.avoidable]
        _fail_for(broke, "broke the prompt cache", _verdict)

    def assert_no_breakers(self) -> None:
        """No tool definition or system text holds a value that looks volatile: a time, a date, a UUID, ...

        Reads the requests alone, so it holds with any stand-in for the provider, and after a single call.
        """
        reports = self.reports
        if not reports:
            raise AssertionError("no call was observed")
        found = [report for report in reports if report.breakers]
        _fail_for(found, "had volatile values in tools or system text", _breakers)

    def _judged(self) -> list[CallReport]:
        """The calls that have a verdict; one that the response gives no ground for is a failure of its own."""
        reports = [report for report in self.reports if report.api != "embeddings" and report.error_type is None]
        if not reports:
            raise AssertionError("no call was observed that has a prompt cache and succeeded")
        unknown = [report for report in reports if report.cache.outcome == "not_reported"]
        _fail_for(unknown, "got no count of cached tokens, so nothing can be said of the cache", _verdict)
        return reports

    def note(self, call: Call, _context: SpanContext, _start_ns: int, _end_ns: int, _attributes: Attributes, /) -> None:
        """Take note of a finished call."""
        if call.report is not None:
            self._reports.append(call.report)

    def note_span(self, span: ReadableSpan) -> None:
        """Take note of its span."""
        self._spans.append(span)

    def __repr__(self) -> str:
        return f"<Observed {_count(self._reports)}>"


@contextmanager
def observe(*, prices: str | Path | None = None) -> Generator[Observed]:
    """Observe the calls of the OpenAI and Anthropic SDKs inside the block; nothing is stored, nothing is sent.

    No setting of the environment counts. A `patch()` that is active rests for the length of the block and is as before
    behind it: its spans, callbacks, totals and store know nothing of the calls inside. A `patch()` inside changes
    nothing, an `unpatch()` ends the observation. Calls are compared with earlier ones of the same block only. One block
    at a time: the SDKs are the process's.

    Args:
        prices: A file of price overrides.
    """
    engine = Engine(Hasher(_KEY), _prices(None if prices is None else Path(prices)), wait_s=_PRICES_WAIT_S)
    runtime = Runtime(
        Settings(enabled=False),
        engine,
        tracer_provider=TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False),
        meter_provider=NoOpMeterProvider(),
    )
    observed = Observed(runtime)
    runtime.listeners.append(observed.note)
    runtime.providers.extensions.append(_collector.join)
    _collector.receivers.append(observed)
    try:
        with _instead(runtime):
            yield observed
    finally:
        _collector.receivers.remove(observed)


@contextmanager
def _instead(runtime: Runtime) -> Generator[None]:
    """Inside, the SDKs' hooks work with `runtime`."""
    instrumentor = LLMObserverInstrumentor()
    before, patched = LLMObserverInstrumentor.runtime, instrumentor.is_instrumented_by_opentelemetry
    if patched:
        instrumentor.use(runtime)
    else:
        instrumentor.instrument(runtime=runtime)
    try:
        yield
    finally:
        # An `unpatch` inside may have come before.
        still = instrumentor.is_instrumented_by_opentelemetry
        if patched and not still and before is not None:
            instrumentor.instrument(runtime=before)
        elif patched:
            instrumentor.use(before)
        elif still:
            instrumentor.uninstrument()


class _Collector(SpanProcessor):
    """Gives the spans of calls to the block that is open, whichever provider they are on.

    Anthropic's SDK makes its own span on the application's provider, and a processor cannot be taken off again: so
    there is one, which does nothing while no block is open.
    """

    def __init__(self) -> None:
        self.receivers: list[Observed] = []
        self._joined: WeakSet[Any] = WeakSet()

    def join(self, provider: Any) -> None:
        """Listen to `provider`, once."""
        if provider not in self._joined:
            self._joined.add(provider)
            provider.add_span_processor(self)

    def on_end(self, span: ReadableSpan) -> None:
        """Pass the span of a call on."""
        if self.receivers and names.CALL_API in (span.attributes or ()):
            self.receivers[-1].note_span(span)


_collector = _Collector()


@functools.lru_cache(maxsize=8)
def _prices(path: Path | None) -> Prices:
    """Prices that are loaded once for all blocks."""
    return Prices(path)


def _count(calls: Sequence[object]) -> str:
    return f"{len(calls)} call{'' if len(calls) == 1 else 's'}"


def _fail_for(reports: Sequence[CallReport], what: str, describe: Callable[[CallReport], str]) -> None:
    """Raise an `AssertionError` that describes each of `reports`, if there are any."""
    if reports:
        lines = "".join(f"\n  {_place(report)}: {describe(report)}" for report in reports[:_MOST_LINES])
        rest = f"\n  and {len(reports) - _MOST_LINES} more" if len(reports) > _MOST_LINES else ""
        raise AssertionError(f"{_count(reports)} {what}:{lines}{rest}")


def _place(report: CallReport) -> str:
    """The line of the application that made the call."""
    site = report.site
    return f"{site.file}:{site.line} in {site.function}" if site is not None else f"{report.provider} {report.api}"


def _verdict(report: CallReport) -> str:
    verdict = report.cache
    if verdict.cause == "none":
        return verdict.outcome
    place = f" at {verdict.location}" if verdict.location is not None else ""
    return f"{verdict.outcome}, {verdict.cause}{place}: {verdict.hint}"


def _breakers(report: CallReport) -> str:
    return ", ".join(dict.fromkeys(breaker.category for breaker in report.breakers))
