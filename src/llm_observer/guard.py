"""The one fail-open boundary: what fails inside is counted, logged without content, and never reaches the user."""

import functools
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Literal

from llm_observer.counters import counters

__all__ = ["Guard", "guard"]

log = logging.getLogger("llm_observer")

_PACKAGE = __name__.rpartition(".")[0]


class Guard:
    """A context manager that swallows any `Exception` raised inside, counted as `errors` under the boundary's name.

    The log line names the boundary, the exception's type and the line of ours where it left, never its message:
    messages quote what they failed on. `KeyboardInterrupt`, `SystemExit` and cancellation pass.

    Args:
        boundary: A name from a short list, which failures are counted under.
        function: The function of the application that runs inside, for the log to name.
    """

    __slots__ = ("boundary", "function")

    strict = False
    """True in our own tests: what would be swallowed is raised, so that failing open hides no bug from the suite."""

    def __init__(self, boundary: str, function: Callable[..., object] | None = None) -> None:
        self.boundary = boundary
        self.function = function

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[True] | None:
        if error is None or not isinstance(error, Exception):
            return None
        if Guard.strict:
            return None
        counters.add("errors", self.boundary)
        try:
            name = self.boundary if self.function is None else f"{self.boundary} {_name(self.function)}"
            first = counters.add("failures", name) == 1
            log.log(
                logging.WARNING if first else logging.DEBUG,
                "%s failed with %s at %s; the call it observed is not affected%s",
                name,
                type(error).__name__,
                _where(traceback),
                " (further failures here are counted, and logged at debug level)" if first else "",
            )
        except Exception:  # noqa: BLE001  a logging handler that raises must not reach the user either
            counters.add("errors", "guard.log")
        return True


guard = functools.lru_cache(maxsize=256)(Guard)
"""`with guard("boundary"):`. One object serves every use of a boundary: it keeps nothing of what happens inside."""


def _name(function: Callable[..., object]) -> str:
    """Module and qualified name, those of its class when it has none of its own."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _where(traceback: TracebackType | None) -> str:
    """`module:line` of the innermost frame of this package on the traceback."""
    place = "?"
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if module.startswith(_PACKAGE):
            place = f"{module}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
