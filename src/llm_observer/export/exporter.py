"""The opt-in: spans of LLM calls, as events without content, to an endpoint of the user's."""

import functools
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from llm_observer.config import Settings
from llm_observer.counters import counters, durations
from llm_observer.export.around import Around
from llm_observer.export.destination import Sender, join
from llm_observer.export.envelope import Item, batches, encode, envelope, idempotency_key
from llm_observer.export.events import Event, event_from_span
from llm_observer.export.names import redact
from llm_observer.export.spool import Spool
from llm_observer.export.transport import RETRIED, Outcome, Transport
from llm_observer.guard import guard
from llm_observer.stages import reached

__all__ = ["EnvelopeExporter", "preview"]

log = logging.getLogger("llm_observer")

_MAX_BYTES = 1 << 20
_LEAST_BYTES = 16 << 10
"""An endpoint that refuses less than this as too large is refused the event, not asked for less."""

_DRAIN_BATCHES = 4
"""How much of what waits on disk goes with each batch, so that calls of now are not held up."""
_MARGIN_S = 5.0
"""How much longer than the timeout a process that still lives may take to forget on disk what it has sent."""
_PASSING = frozenset(f"http_{status}" for status in (*RETRIED, 401, 403))

_SAY = {
    "http_401": "refuses the key (401), so nothing more is sent: check LLM_OBSERVER_API_KEY",
    "http_403": "refuses the key (403), so nothing more is sent: check LLM_OBSERVER_API_KEY",
    "redirect": "answers with a redirect, which is not followed: set LLM_OBSERVER_ENDPOINT to where it leads",
    "certificate": "has a certificate that is not trusted here",
    "too_large": "takes no event as large as one of these",
    "throttled": "asks to wait longer than an event can",
}


class EnvelopeExporter(SpanExporter):
    """Posts events (`telemetry_event_v1.json`) to an endpoint, for use under a `BatchSpanProcessor`.

    Spans that are not calls of a model are passed over, and so is a framework's span around that of the call itself. To
    build one is to opt in: `LLM_OBSERVER_ENABLED` need not be set, but `false` keeps it from sending, as
    `LLM_OBSERVER_DISABLED` does. With settings that cannot be used it says so once and sends nothing; it never raises.

    Args:
        endpoint: URL, https unless on this machine; default `LLM_OBSERVER_ENDPOINT`.
        api_key: Sent as Bearer token; default `LLM_OBSERVER_API_KEY`.
        timeout: Seconds for a batch with all its tries.
        send_names: Let call sites, fine-tune and deployment names leave; default `LLM_OBSERVER_SEND_NAMES`.
        certificate_file: PEM file of the authorities to trust instead of the system's.
        max_batch_bytes: Largest body, before compression.
        spool: File that keeps events from before they are sent until the endpoint has taken them, through outages and
            crashes; by default there is none, and what the endpoint does not take in time is lost.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 10.0,
        send_names: bool | None = None,
        certificate_file: str | None = None,
        max_batch_bytes: int = _MAX_BYTES,
        spool: str | Path | None = None,
    ) -> None:
        self._max_bytes = max(max_batch_bytes, _LEAST_BYTES)
        self._timeout_s = timeout
        self._warned: set[str] = set()
        self._around = Around()
        self._transport: Transport | None = None
        self._sender: Sender | None = None
        self._send_names = False
        self._spool = Spool(Path(spool).expanduser()) if spool is not None else None
        with guard("export.setup"):
            settings = Settings.resolve(enabled=True, endpoint=endpoint, api_key=api_key, send_names=send_names)
            self._send_names = settings.send_names
            self._transport = _connect(settings, timeout, certificate_file)
            if self._transport is not None:
                self._sender = join(settings.endpoint or "", settings.api_key or "")

    @property
    def spools(self) -> bool:
        """Whether events are safe once they are here."""
        return self._spool is not None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the calls among `spans`; success when every one was accepted, or is kept to be sent later."""
        with guard("export"):
            items = [item for item in map(self._item, spans) if item is not None]
            if self._sender is not None:
                items = [item for item in items if self._sender.takes(item[0])]
            if not items:
                return SpanExportResult.SUCCESS
            if self._transport is None:
                counters.add("dropped", "not_sending", len(items))
                return SpanExportResult.FAILURE
            counters.add("inflight", n=len(items))
            try:
                with suppress_instrumentation():
                    return self._export(self._transport, items)
            finally:
                counters.add("inflight", n=-len(items))
        return SpanExportResult.FAILURE

    def shutdown(self, timeout_millis: float = 5000) -> None:
        """End waits at once, and a request that is under way within the timeout."""
        with guard("export.shutdown"):
            if self._sender is not None:
                self._sender.leave()
            if self._transport is not None:
                self._transport.shutdown(timeout_millis / 1000)
            if self._spool is not None:
                self._spool.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  nothing is held back here
        """Nothing to do: `export` has sent what it was given when it returns."""
        return True

    def __repr__(self) -> str:
        return f"EnvelopeExporter(host={self._transport.host if self._transport is not None else None!r})"

    def _item(self, span: ReadableSpan) -> Item | None:
        with guard("export.map"):
            event = event_from_span(span)
            if self._around.ended(span, is_call=event is not None):
                counters.add("skipped", "around")
                return None
            sent = redact(event, send_names=self._send_names) if event is not None else None
            return encode(sent) if sent is not None else None
        counters.add("dropped", "invalid")
        return None

    def _export(self, transport: Transport, items: Sequence[Item]) -> SpanExportResult:
        spool = self._spool
        # On disk before the first try, so that a process which dies in the middle of it loses nothing.
        written = spool is not None and spool.put(items, hold_s=self._timeout_s + _MARGIN_S)
        kept: set[str] = set()
        lost = False
        for batch, cause in self._send(transport, items):
            if spool is not None and _may_pass(cause) and spool.put(batch):
                counters.add("spooled", n=len(batch))
                reached("spooled", _ids(batch), cause=cause)
                kept.update(_ids(batch))
            else:
                self._drop(transport, batch, cause)
                lost = True
        if spool is not None and written:
            spool.remove([item for item in items if item[0] not in kept])
        if spool is not None and spool.waiting and not lost and not kept:
            spool.drain(functools.partial(self._send_again, transport), _DRAIN_BATCHES)
        return SpanExportResult.FAILURE if lost else SpanExportResult.SUCCESS

    def _send_again(self, transport: Transport, items: Sequence[Item]) -> bool:
        """Send what waited on disk; whether it need not wait any longer."""
        for batch, cause in self._send(transport, items):
            if _may_pass(cause):
                return False
            self._drop(transport, batch, cause)
        return True

    def _send(self, transport: Transport, items: Sequence[Item]) -> Iterator[tuple[Sequence[Item], str]]:
        """Send `items`, in as many requests as it takes; yields each batch that was not accepted, and why."""
        pending = list(batches(items, self._max_bytes))
        while pending:
            batch = pending.pop(0)
            body = envelope(batch)
            started = time.perf_counter()
            try:
                result = transport.post(body, {"Idempotency-Key": idempotency_key(batch)})
            except Exception:
                counters.add("dropped", "failed", len(batch) + sum(map(len, pending)))
                raise
            with guard("export.metrics"):
                durations.tell(time.perf_counter() - started, result.cause)
            if result.outcome is Outcome.ACCEPTED:
                counters.add("sent", n=len(batch))
                reached("sent", _ids(batch), events=len(batch), bytes=len(body))
            elif result.outcome is Outcome.TOO_LARGE and len(batch) > 1:
                # Its limit holds for later batches too.
                self._max_bytes = max(len(body) // 2, _LEAST_BYTES)
                half = len(batch) // 2
                pending[:0] = [batch[:half], batch[half:]]
            else:
                yield batch, result.cause

    def _drop(self, transport: Transport, batch: Sequence[Item], cause: str) -> None:
        counters.add("dropped", cause, len(batch))
        reached("dropped", _ids(batch), cause=cause)
        self._warn(transport, cause)

    def _warn(self, transport: Transport, cause: str) -> None:
        """Say once for each cause that events are lost."""
        if cause not in self._warned and cause != "shutdown":
            self._warned.add(cause)
            say = _SAY.get(cause, f"could not be reached or would not take events ({cause})")
            log.warning("the telemetry endpoint %s %s; what is lost is counted", transport.host, say)


def _ids(batch: Sequence[Item]) -> Iterator[str]:
    return (event_id for event_id, _ in batch)


def preview(events: Iterable[Event], *, send_names: bool) -> Iterator[bytes]:
    """The bodies, before compression, of the requests that would send `events`. Opens no connection."""
    sent = (redact(event, send_names=send_names) for event in events)
    items = [encode(event) for event in sent if event is not None and event["trace"]["sampled"]]
    return (envelope(batch) for batch in batches(items, _MAX_BYTES))


def _may_pass(cause: str) -> bool:
    """Whether the same events may be taken another time, or under another key."""
    return cause != "too_large" and (not cause.startswith("http_") or cause in _PASSING)


def _connect(settings: Settings, timeout: float, certificate_file: str | None) -> Transport | None:
    """The transport of these settings; `None`, and a line in the log, when they do not make one."""
    if settings.disabled or settings.enabled is False:
        return None
    if settings.api_key is None or settings.endpoint is None:
        for problem in settings.problems:
            if "LLM_OBSERVER_API_KEY" in problem or "LLM_OBSERVER_ENDPOINT" in problem:
                log.warning("%s", problem)
        return None
    try:
        return Transport(settings.endpoint, settings.api_key, timeout_s=timeout, certificate_file=certificate_file)
    except ValueError as problem:
        log.warning("%s", problem)
        return None
