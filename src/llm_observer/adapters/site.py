"""The line of the application that makes a call: the first frame outside the SDKs and libraries.

An application may be installed as libraries are, and is told from them by how.
"""

import os
import site
import sys
import sysconfig
from pathlib import Path
from types import FrameType

from llm_observer.adapters.awaiting import awaiting_frames
from llm_observer.adapters.installed import is_own
from llm_observer.results import CallSite

__all__ = ["call_site"]

_DEEPEST = 100
_MOST_FILES = 10_000
_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_DEMO = _PACKAGE + "demo" + os.sep
_EVENT_LOOPS = frozenset({"run_forever", "_run_once", "_run"})


def _library_prefixes() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.update(site.getsitepackages())
    found.add(site.getusersitepackages())
    return (_PACKAGE, "<frozen ", *(path + os.sep for path in sorted(found)))


_PREFIXES = _library_prefixes()
_ASYNCIO = sysconfig.get_paths()["stdlib"] + os.sep + "asyncio" + os.sep
_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))

_is_application: dict[str, bool] = {}
"""By the file names that frames have."""


def call_site() -> CallSite | None:
    """Where the application made the call that runs now; `None` when no frame of it is on the stack.

    A coroutine that a task runs on its own has the event loop above it, and whoever started the loop did not make the
    call: then it is the line where the application waits for that task.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  no public way is as cheap
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        code = frame.f_code
        if _is_applications(code.co_filename):
            return _site(frame)
        if code.co_name in _EVENT_LOOPS and code.co_filename.startswith(_ASYNCIO):
            awaiting = (_site(one) for one in awaiting_frames() if _is_applications(one.f_code.co_filename))
            return next(awaiting, None)
        frame = frame.f_back
    return None


def _site(frame: FrameType) -> CallSite:
    return CallSite(file=frame.f_code.co_filename, function=frame.f_code.co_qualname, line=frame.f_lineno)


def _is_applications(file: str) -> bool:
    known = _is_application.get(file)
    if known is None:
        if len(_is_application) > _MOST_FILES:
            _is_application.clear()
        known = _is_application[file] = _classify(file)
    return known


def _classify(file: str) -> bool:
    if file.startswith(_DEMO):
        return True
    if not any(part in file for part in _INSTALLED):
        return not file.startswith(_PREFIXES)
    return not file.startswith(_PACKAGE) and is_own(file)
