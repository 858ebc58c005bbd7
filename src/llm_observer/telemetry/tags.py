"""`tag`: the application's own name for a prompt."""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self, TypeVar, cast

__all__ = ["current_tag", "tag"]

_LONGEST = 128

_names: ContextVar[tuple[str, ...]] = ContextVar("llm_observer_tags", default=())
"""The names whose blocks are open here, the innermost last."""

F = TypeVar("F", bound=Callable[..., Any])


def current_tag() -> str | None:
    """The name given to calls made here."""
    names = _names.get()
    return names[-1] if names else None


class tag:  # noqa: N801  used as a function is
    """Name the family of the calls made inside: a context manager, and a decorator for functions of every kind.

    Names do not add up: the innermost counts. One `tag` may be used again, also by several threads and tasks at once.
    A decorated generator gives its name to the calls that its own body makes, not to those of the loop that reads it.

    Args:
        name: What a person calls this prompt. It stands in reports and events as it is; cut at 128 characters.

    Raises:
        TypeError: `name` is not a string.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  users are not all type-checked
            raise TypeError(f"name has to be a str, not {type(name).__name__}")
        # Exporters cannot encode a lone surrogate.
        self._name = name[:_LONGEST].encode("utf-8", "replace").decode("utf-8")

    def __enter__(self) -> Self:
        _names.set((*_names.get(), self._name))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A block around a `yield` may be left in another context than it was entered in, where its name is not open:
        # frameworks run the two halves of a dependency in two threads. A token of the context would raise there.
        names = _names.get()
        for place in range(len(names) - 1, -1, -1):
            if names[place] == self._name:
                _names.set(names[:place] + names[place + 1 :])
                return

    def __call__(self, function: F) -> F:
        """Decorate `function`."""
        if inspect.isasyncgenfunction(function):
            return cast("F", self._around_async_generator(function))
        if inspect.isgeneratorfunction(function):
            return cast("F", self._around_generator(function))
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return cast("F", awaited)

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return cast("F", called)

    def _around_generator(self, function: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., Any]:
        @functools.wraps(function)
        def generated(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            generator = function(*args, **kwargs)
            resume = functools.partial(generator.send, None)
            while True:
                try:
                    with self:
                        given = resume()
                except StopIteration as end:
                    return end.value
                try:
                    sent = yield given
                except GeneratorExit:
                    with self:
                        generator.close()
                    raise
                except BaseException as error:  # noqa: BLE001  the generator's to handle
                    resume = functools.partial(generator.throw, error)
                else:
                    resume = functools.partial(generator.send, sent)

        return generated

    def _around_async_generator(self, function: Callable[..., AsyncGenerator[Any, Any]]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def generated(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            generator = function(*args, **kwargs)
            resume = functools.partial(generator.asend, None)
            while True:
                try:
                    with self:
                        given = await resume()
                except StopAsyncIteration:
                    return
                try:
                    sent = yield given
                except GeneratorExit:
                    with self:
                        await generator.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001  the generator's to handle
                    resume = functools.partial(generator.athrow, error)
                else:
                    resume = functools.partial(generator.asend, sent)

        return generated
