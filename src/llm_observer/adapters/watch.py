"""`Watch`: an observation that also knows how to read what the SDK returned, however the application consumes it."""

import time
import weakref
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypedDict, Unpack
from weakref import WeakKeyDictionary

from llm_observer.adapters.body import observed_async, watched
from llm_observer.adapters.errors import error_type, response_of
from llm_observer.adapters.reading import Reading
from llm_observer.adapters.tee import Tee, read_body
from llm_observer.call import MOST_ARRIVALS, MOST_BODY_BYTES, Call
from llm_observer.guard import guard
from llm_observer.telemetry.callspan import CallSpan
from llm_observer.telemetry.foreign import Foreign
from llm_observer.telemetry.runtime import Runtime

__all__ = ["Watch", "observed_items", "observed_items_async"]

_by_response: WeakKeyDictionary[Any, "Watch"] = WeakKeyDictionary()
"""The call of each HTTP response that is open: an SDK's stream can be made from one long after the request."""


class _Details(TypedDict, total=False):
    """The keyword arguments of `CallSpan`."""

    address: tuple[str | None, int | None]
    foreign: Foreign | None
    peer: Any
    inside: bool
    suppressed: bool


class Watch(CallSpan):
    """One call of an SDK: its request as sent, and its response as far as it was read."""

    __slots__ = ("_tee", "base_url", "client", "options", "reading")

    def __init__(
        self,
        runtime: Runtime,
        call: Call,
        reading: Reading,
        client: Any,
        options: Any,
        *,
        base_url: str,
        **details: Unpack[_Details],
    ) -> None:
        super().__init__(runtime, call, **details)
        self.reading = reading
        self.client: Any = client
        """Whose call it is, while the request runs."""
        self.options: Any = options
        """The request's options as they were given, while the request runs."""
        self.base_url = base_url
        self._tee: Tee | None = None

    def read_body(self, body: Mapping[str, Any] | None) -> None:
        """Read the prompt of an attempt that is about to be sent: what the caller does with its parts later is its own.

        Args:
            body: What it is made of, plain as parsed JSON is; `None` for one that is parsed at the end of the call.
        """
        call = self.call
        call.unread()
        if body is not None and call.body is not None and len(call.body) <= MOST_BODY_BYTES:
            self._runtime.engine.read(call, body)

    def failed(self, error: BaseException) -> None:
        """End the call: `request` raised `error`. Never raises."""
        with guard("adapters.failed"):
            self._note(error)
            # An answer that the SDK cannot make the application's type of is an error of its, and was billed all the
            # same: it is on the error, or in the response that was being read.
            completion = getattr(error, "completion", None)
            if completion is not None:
                self.reading.response(completion)
            elif (response := response_of(error)) is not None:
                self._read(response)
        self._close()

    def returned(self, result: Any, streams: tuple[type, ...]) -> None:
        """Read what `request` returned, or have it watched while the application reads it. Never raises.

        Args:
            result: What the application gets.
            streams: The SDK's classes of streams.
        """
        with guard("adapters.returned"):
            if isinstance(result, streams):
                self.settle = self.reading.end
                self._watch(result.response)
                return
            if (response := _http_response(result)) is None:
                self.reading.response(result)
            elif response.is_closed:
                self._read(response)
            else:
                self._tee = Tee(response.headers.get("content-encoding", ""))
                self.settle = self._read_tee(self._tee, response.headers.get("content-type", ""))
                self._watch(response)
                return
        self._close()

    def _read(self, response: Any) -> None:
        """Read a response whose body is in memory."""
        read_body(self.reading, response.headers.get("content-type", ""), response.content)

    def _read_tee(self, tee: Tee, content_type: str) -> Callable[[], None]:
        return lambda: tee.read(self.reading, content_type)

    def _watch(self, response: Any) -> None:
        """Have the end of `response` seen."""
        self._runtime.reaper.start()
        stream = None if response.is_closed else watched(response.stream, self)
        if stream is None:
            # A stream of events over a body that was read already ends with its items, or with the response.
            weakref.finalize(response, self.dropped).atexit = False
        else:
            response.stream = stream
        _by_response[response] = self
        self.client = self.options = None
        self.busy = False

    def _note(self, error: BaseException | None) -> None:
        if error is not None:
            self.call.error_type = error_type(error)

    def _close(self) -> None:
        self.client = self.options = None
        self.busy = False
        self.finish()

    # While the response is read.

    def _arrived(self) -> None:
        call = self.call
        if call.first_byte_s is None:
            call.first_byte_s = self.elapsed()

    def read_by_items(self) -> None:
        """The SDK parses the response: its items tell all."""
        self._tee = None
        self.settle = self.reading.end

    def item(self, item: Any) -> None:
        """Take note of an item of the stream. Never raises."""
        call = self.call
        if call.arrivals is None:
            call.arrivals = array("d")
            self._arrived()
        if len(call.arrivals) < MOST_ARRIVALS:
            call.arrivals.append(time.perf_counter())
        try:
            self.reading.item(item)
        except Exception:
            # Entered on failure only: a stream has many items.
            with guard("adapters.item"):
                raise

    def chunk(self, data: bytes) -> None:
        """Take note of bytes that arrived. Never raises."""
        with guard("adapters.chunk"):
            self._arrived()
            if self._tee is not None:
                self._tee.add(data)

    def ended(self, error: BaseException | None = None) -> None:
        """End the call: its response was read, closed, or broke with `error`. Never raises."""
        if self.done:
            return
        with guard("adapters.ended"):
            self._note(error)
        self._close()

    def dropped(self) -> None:
        """End the call from a finalizer of its response. Never raises."""
        if not self.done:
            self.hand_over()


def _http_response(result: Any) -> Any:
    """The HTTP response that a raw response wraps or is; `None` for a parsed model."""
    kind: Any = type(result)  # pyright: ignore[reportUnknownVariableType]  whatever the SDK returned
    if hasattr(kind, "http_request"):
        return result.http_response
    return result if hasattr(kind, "iter_raw") and hasattr(kind, "aiter_raw") else None


def _watch_of(stream: Any) -> Watch | None:
    with guard("adapters.watch_of"):
        watch = _by_response.get(stream.response)
        if watch is not None and not watch.done:
            watch.read_by_items()
            return watch
    return None


def observed_items(stream: Any, inner: Iterator[Any]) -> Iterator[Any]:
    """The items of an SDK's stream. Which call they belong to is known at the first one only."""
    watch = _watch_of(stream)
    del stream
    if watch is None:
        yield from inner
        return
    try:
        watch.busy = True
        for item in inner:
            watch.busy = False
            watch.item(item)
            yield item
            watch.busy = True
    except GeneratorExit:
        # The stream is finalized, maybe by the garbage collector. The SDK's own span ends in this.
        watch.busy = True
        _close(inner)
        watch.dropped()
        raise
    except BaseException as error:
        watch.ended(error)
        raise
    else:
        watch.ended()
    finally:
        _close(inner)


def _close(iterator: object) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()


class _AsyncItems:
    """An async stream's items, observed from the first one on."""

    def __init__(self, stream: Any, inner: Any) -> None:
        self._stream = stream
        self._inner = inner
        self._watch: Watch | None = None
        self._observed: Any = None

    def __aiter__(self) -> "_AsyncItems":
        return self

    def __anext__(self) -> Any:
        if self._observed is None:
            watch = self._begin()
            self._observed = self._inner if watch is None else observed_async(self._inner, watch, watch.item)
        return self._observed.__anext__()

    def asend(self, value: Any) -> Any:
        return self._inner.asend(value)

    async def athrow(self, *args: Any) -> Any:
        try:
            return await self._inner.athrow(*args)
        except BaseException:
            self._end()
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()
        self._end()

    def _begin(self) -> Watch | None:
        if self._stream is not None:
            self._watch = _watch_of(self._stream)
            self._stream = None
        return self._watch

    def _end(self) -> None:
        # Nothing more can be read, and not every release of the SDKs closes the response then.
        watch = self._begin()
        if watch is not None:
            watch.ended()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)


def observed_items_async(stream: Any, inner: Any) -> Any:
    """The items of an SDK's async stream; no async generator, see `body`."""
    return _AsyncItems(stream, inner)
