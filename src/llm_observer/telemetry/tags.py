"""`tag`: the application's own name for a prompt."""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self, TypeVar, cast

__all__ = ["current_tag", "tag"]

current_tag: ContextVar[str | None] = ContextVar("llm_observer_tag", default=None)
"""The name given to calls made here."""

_LONGEST = 128

F = TypeVar("F", bound=Callable[..., Any])


class tag:  # noqa: N801  used as a function is
    """Name the family of the calls made inside: a context manager, and a decorator for functions and coroutines.

    Names do not add up: the innermost counts.

    Args:
        name: What a person calls this prompt. It stands in reports and events as it is; cut at 128 characters.

    Raises:
        TypeError: `name` is not a string.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  users are not all type-checked
            raise TypeError(f"name has to be a str, not {type(name).__name__}")
        self._name = name[:_LONGEST]
        self._tokens: list[Token[str | None]] = []

    def __enter__(self) -> Self:
        self._tokens.append(current_tag.set(self._name))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        current_tag.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        """Decorate `function`."""
        name = self._name
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with tag(name):
                    return await function(*args, **kwargs)

            return cast("F", awaited)

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with tag(name):
                return function(*args, **kwargs)

        return cast("F", called)
