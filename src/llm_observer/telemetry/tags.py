"""The name that the application gives the calls it makes: the family's."""

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from types import TracebackType

__all__ = ["current_tag", "tag"]

current_tag: ContextVar[str | None] = ContextVar("llm_observer_tag", default=None)
"""The name for calls made here."""


class tag(ContextDecorator):  # noqa: N801  reads as a statement
    """Name the family of the calls made inside: a context manager, and a decorator of functions that are not async.

    Names do not add up: the innermost counts.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tokens: list[Token[str | None]] = []

    def __enter__(self) -> None:
        self._tokens.append(current_tag.set(self._name))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        current_tag.reset(self._tokens.pop())
