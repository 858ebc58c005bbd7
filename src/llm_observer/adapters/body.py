"""Learns how the body of an HTTP response is read and how it ends.

The watcher takes the place of the response's `stream`. It is of the same kinds as that (sync, async or both, of the
HTTP library at hand), answers for every other attribute of it, and adds no async generator: asyncio would report a
nested one that is dropped half-read.
"""

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import lru_cache
from inspect import CO_GENERATOR
from typing import Any, Protocol, cast

__all__ = ["BodyObserver", "observed_async", "watched"]


class BodyObserver(Protocol):
    """Learns how a body is read. No method raises."""

    busy: bool
    """Set while the items of a stream are being read from the body: those tell more than the bytes do."""

    def chunk(self, data: bytes) -> None:
        """Take note of a piece that arrived."""
        ...

    def ended(self, error: BaseException | None = None) -> None:
        """Take note of the end: all was read, or closed before, or `error` was raised."""
        ...

    def dropped(self) -> None:
        """Take note that the response is finalized unread."""
        ...


class _Watcher:
    """What both kinds of watchers have."""

    def __init__(self, stream: Any, observer: BodyObserver) -> None:
        self._stream = stream
        self._observer = observer

    def __getattr__(self, name: str) -> Any:
        # `elapsed`, `stream_observer` and whatever else the SDK or the HTTP library looks for.
        return getattr(self.__dict__["_stream"], name)

    def __del__(self) -> None:
        # Nothing is taken apart: an async generator that is collected along with this is closed, through this, later.
        self._observer.dropped()


class _SyncWatcher(_Watcher):
    def __iter__(self) -> Iterator[bytes]:
        # In the hands of an SDK's stream nothing is to be learned from the bytes.
        return iter(self._stream) if self._observer.busy else self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        observer = self._observer
        chunks = iter(self._stream)
        while True:
            observer.busy = True
            try:
                chunk = next(chunks)
            except StopIteration:
                break
            except BaseException as error:
                observer.ended(error)
                raise
            finally:
                observer.busy = False
            observer.chunk(chunk)
            yield chunk
        observer.ended()

    def close(self) -> None:
        observer = self._observer
        if observer.busy:
            self._stream.close()
            return
        # Closed by a generator that is not being advanced: it is finalized, maybe by the garbage collector.
        if _closed_by_generator():
            observer.busy = True
            try:
                self._stream.close()
            finally:
                observer.dropped()
            return
        observer.busy = True
        try:
            self._stream.close()
        finally:
            observer.busy = False
            observer.ended()


class _AsyncWatcher(_Watcher):
    def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._stream.__aiter__()
        return chunks if self._observer.busy else observed_async(chunks, self._observer, self._observer.chunk)

    async def aclose(self) -> None:
        observer = self._observer
        if observer.busy:
            await self._stream.aclose()
            return
        observer.busy = True
        try:
            await self._stream.aclose()
        finally:
            observer.busy = False
            observer.ended()


def _closed_by_generator() -> bool:
    """Whether the `close` of the response that called `close` of its stream was called by a generator."""
    frame = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  no public way is as cheap
    for _ in range(2):
        frame = frame.f_back if frame is not None else None
    return frame is not None and bool(frame.f_code.co_flags & CO_GENERATOR)


@lru_cache(maxsize=16)
def _watcher_class(kinds: tuple[type, ...]) -> type[_Watcher]:
    ours = tuple(_SyncWatcher if kind.__name__ == "SyncByteStream" else _AsyncWatcher for kind in kinds)
    return cast("type[_Watcher]", type("WatchedStream", (*ours, *kinds), {}))


def watched(stream: object, observer: BodyObserver) -> object | None:
    """A watcher in place of `stream`; `None` for what is no body of `httpx` or `httpx2`."""
    kinds = tuple(kind for kind in type(stream).__mro__ if kind.__name__ in {"SyncByteStream", "AsyncByteStream"})
    return _watcher_class(kinds)(stream, observer) if kinds else None


class _Observed:
    """An async iterator that passes on another's items."""

    def __init__(self, inner: Any, observer: BodyObserver, note: Callable[[Any], None]) -> None:
        self._inner = inner
        self._observer = observer
        self._note = note

    def __aiter__(self) -> "_Observed":
        return self

    async def __anext__(self) -> Any:
        observer = self._observer
        observer.busy = True
        try:
            item = await self._inner.__anext__()
        except StopAsyncIteration:
            observer.busy = False
            observer.ended()
            raise
        except BaseException as error:
            observer.busy = False
            observer.ended(error)
            raise
        observer.busy = False
        self._note(item)
        return item

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)


class _ObservedGenerator(_Observed):
    """The same for an async generator: the HTTP library closes one in the task that read it."""

    def asend(self, value: Any) -> Any:
        return self._inner.asend(value)

    def athrow(self, *args: Any) -> Any:
        return self._inner.athrow(*args)

    def aclose(self) -> Any:
        return self._inner.aclose()


def observed_async(inner: Any, observer: BodyObserver, note: Callable[[Any], None]) -> Any:
    """An async iterator over the items of `inner` that gives each to `note`, and tells `observer` of the end."""
    return (_ObservedGenerator if isinstance(inner, AsyncGenerator) else _Observed)(inner, observer, note)
