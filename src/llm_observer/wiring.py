"""Connects a runtime to all that takes note of finished calls: totals, callbacks, the local store, the envelope."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanContext

from llm_observer.call import Call
from llm_observer.summary import callbacks, tally
from llm_observer.telemetry.describe_call import Attributes
from llm_observer.telemetry.runtime import Runtime

if TYPE_CHECKING:
    from llm_observer.keeping import Keeper

__all__ = ["Process", "connect", "connected"]


@dataclass(frozen=True, slots=True)
class Process:
    """What one instrumentation of this process is made of."""

    runtime: Runtime
    keeper: "Keeper | None"

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for spans and stored calls; whether all are out."""
        flushed = self.runtime.flush(timeout)
        return (self.keeper is None or self.keeper.store.flush(timeout)) and flushed

    def queued(self) -> int:
        """How many events wait to be written."""
        return self.keeper.store.queued if self.keeper is not None else 0


_connected: list[Process] = []


def connected() -> Process | None:
    """What the latest instrumentation of this process is made of."""
    return _connected[-1] if _connected else None


def connect(runtime: Runtime) -> None:
    """Let all that takes note of calls listen to `runtime`. Opens no file and no socket yet."""
    runtime.listeners.append(_report)
    keeper = _keeper(runtime)
    if keeper is not None:
        runtime.listeners.append(keeper)
    _connected[:] = [Process(runtime, keeper)]


def _keeper(runtime: Runtime) -> "Keeper | None":
    if runtime.settings.store is None:
        return None
    # Not before it is wanted: SQLite takes its time to load, and some builds of Python are without it.
    from llm_observer.keeping import Keeper  # noqa: PLC0415

    return Keeper(runtime.settings.store, runtime.providers, runtime.engine.prices)


def _report(call: Call, _context: SpanContext, _start_ns: int, _end_ns: int, _attributes: Attributes, /) -> None:
    if call.report is not None:
        tally.add(call.report)
        callbacks.tell(call.report)
