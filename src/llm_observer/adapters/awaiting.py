"""Who waits for a task of asyncio: the frames that go on once it is done.

A coroutine that a task runs directly, as in `asyncio.gather(client.messages.create(...), ...)`, has only the event loop
above it on the stack. Who made it is nowhere to be seen; who waits for it stands among the callbacks of its task. There
is no public way to these before Python 3.14, so what is not found there as expected yields nothing.
"""

import asyncio
import functools
from collections.abc import Iterator
from types import FrameType
from typing import Any, cast

__all__ = ["awaiting_frames"]

_FURTHEST = 8
"""Tasks and futures that are gone through: tasks that await tasks, groups, timeouts."""
_DEEPEST = 50
_OUTER = ("outer", "waiter")
"""What asyncio's own functions call the future that stands for several (`gather`, `shield`, `wait`)."""
_WAKES = "wakeup"
"""How the name of the method ends by which a task goes on, in C (`task_wakeup`) and in Python (`__wakeup`)."""


def awaiting_frames() -> Iterator[FrameType]:
    """The frames that wait for the current task, innermost first; none where there is no task or nobody waits."""
    try:
        waited: Any = asyncio.current_task()
    except RuntimeError:
        return
    for _ in range(_FURTHEST):
        callbacks: Any = getattr(waited, "_callbacks", None) or ()
        waited = next((found for callback, _ in callbacks if (found := _behind(callback)) is not None), None)
        if waited is None:
            return
        # A future has none: it stands between tasks.
        yield from reversed(_frames(getattr(waited, "get_coro", lambda: None)()))


def _behind(callback: Any) -> Any:
    """The future that waits behind a callback, if it is one of asyncio's own: what others do then is not waiting."""
    owner: Any = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        # `cancel` of another task is a callback too.
        return cast("Any", owner) if callback.__name__.endswith(_WAKES) else None
    if isinstance(owner, asyncio.TaskGroup):
        return getattr(owner, "_parent_task", None)
    given = cast("tuple[Any, ...]", ())
    if isinstance(callback, functools.partial):
        # `wait_for`, before Python 3.12.
        whole = cast("functools.partial[Any]", callback)
        callback, given = whole.func, whole.args
    code = getattr(callback, "__code__", None)
    if code is None or not str(getattr(callback, "__module__", "")).startswith("asyncio."):
        return None
    cells = dict(zip(code.co_freevars, callback.__closure__ or (), strict=True))
    waiting = [*given, *(cells[name].cell_contents for name in _OUTER if name in cells)]
    return next((one for one in waiting if asyncio.isfuture(one)), None)


def _frames(awaited: Any) -> list[FrameType]:
    """The frames of a coroutine and of all that it awaits."""
    found: list[FrameType] = []
    while awaited is not None and len(found) < _DEEPEST:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            break
        found.append(frame)
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return found
