"""What is set, what is found and what is wrong with it. Secrets are named, never shown."""

import os
import platform
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llm_observer._version import __version__
from llm_observer.analysis.rule_file import read_rules
from llm_observer.config import VARIABLES, Settings, state_dir
from llm_observer.export.store import StoreError, read_events
from llm_observer.pricing.price_file import read_prices
from llm_observer.privacy import SHORTEST_SECRET
from llm_observer.report import words

__all__ = ["Check", "cannot_write", "checks", "show"]

_SDKS = {"openai": (1, 0), "anthropic": (0, 30)}
"""The oldest versions that are supported."""

_SECRET = frozenset({"LLM_OBSERVER_API_KEY", "LLM_OBSERVER_HASH_KEY"})
_KEY_BYTES = 32
_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, what was found, and whether that is as it should be."""

    subject: str
    found: str
    state: State = "ok"


def checks(environ: Mapping[str, str], settings: Settings) -> Iterator[Check]:
    """Look at everything."""
    yield Check("version", f"llm-observer {__version__}, Python {platform.python_version()}, {platform.system()}")
    yield from _sdks()
    yield from _patching(settings)
    yield from _store(settings)
    yield _hash_key(settings)
    yield from _prices(settings)
    yield from _cache_rules(settings)
    yield _telemetry(settings)
    for variable in sorted(set(VARIABLES.values()) & set(environ)):
        yield Check("setting", f"{variable}={_shown(variable, environ[variable])}")
    for problem in settings.problems:
        yield Check("setting", problem, "problem")


def show(found: list[Check]) -> RenderableType:
    """The checks as a table, each subject named once, and the problems counted."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    marks: dict[State, Text] = {
        "ok": Text("✓", style="green"),
        "note": Text("·", style="dim"),
        "problem": Text("✗", style="bold red"),
    }
    before = ""
    for check in found:
        grid.add_row("" if check.subject == before else check.subject, marks[check.state], check.found)
        before = check.subject
    problems = sum(check.state == "problem" for check in found)
    if problems:
        verdict = Text("1 problem" if problems == 1 else f"{problems} problems", style="bold red")
    else:
        verdict = Text("Nothing is wrong.", style="green")
    return Group(Padding(grid, (0, 0, 1, 0)), verdict)


def _sdks() -> Iterator[Check]:
    found = {name: _version(name) for name in _SDKS}
    for name, installed in found.items():
        if installed is None:
            state: State = "note" if any(found.values()) else "problem"
            yield Check(
                "SDKs", f"{name} is not installed" + ("" if state == "note" else f": pip install {name}"), state
            )
        elif _numbers(installed) < _SDKS[name]:
            oldest = ".".join(map(str, _SDKS[name]))
            yield Check("SDKs", f"{name} {installed} is not supported: install {oldest} or newer", "problem")
        else:
            yield Check("SDKs", f"{name} {installed}")


def _patching(settings: Settings) -> Iterator[Check]:
    if settings.disabled:
        yield Check("patching", "LLM_OBSERVER_DISABLED is true: patch() does nothing", "note")


def _store(settings: Settings) -> Iterator[Check]:
    path = settings.store
    if path is None:
        yield Check("store", "off: nothing is kept for reports", "note")
        return
    if not path.exists():
        yield _not_there_yet("store", path)
        return
    obstacle = cannot_write(path)
    if path.is_dir() and obstacle is not None:
        yield Check("store", f"{obstacle}: set LLM_OBSERVER_STORE to another", "problem")
        return
    try:
        next(read_events(path), None)
    except StoreError as error:
        yield Check("store", str(error), "problem")
        return
    about = path.stat()
    written = words.duration(max(0.0, time.time() - about.st_mtime))
    yield Check("store", f"{path}, {words.size(about.st_size)}, last written {written} ago")
    if obstacle is not None:
        yield Check("store", f"{obstacle}: calls are not kept", "problem")
    yield from _open_to_others("store", path)


def _not_there_yet(subject: str, path: Path) -> Check:
    """A file that is made on first use, if it can be."""
    obstacle = cannot_write(path)
    if obstacle is not None:
        return Check(subject, obstacle, "problem")
    return Check(subject, f"{path}, not there yet: it is made with the first call", "note")


def cannot_write(path: Path) -> str | None:
    """Why the file at `path` can be neither written nor made; `None` if it can. Leaves nothing behind."""
    if path.is_dir():
        return f"{path} is a directory, not a file"
    if path.exists():
        return None if os.access(path, os.W_OK) else f"{path} cannot be written"
    home = next(parent for parent in path.absolute().parents if parent.exists())
    if not home.is_dir():
        return f"{path} cannot be made: {home} is not a directory"
    try:
        # What the mode of a directory says is not all: file systems can be read-only, full or virtual.
        with tempfile.TemporaryFile(dir=home):
            return None
    except OSError:
        return f"{path} cannot be made: {home} cannot be written"


def _hash_key(settings: Settings) -> Check:
    if settings.hash_key:
        if len(settings.hash_key) < SHORTEST_SECRET:
            short = f"LLM_OBSERVER_HASH_KEY is shorter than {SHORTEST_SECRET} characters: hashes can be guessed"
            return Check("hash key", f"{short}; make one with: openssl rand -hex 32", "problem")
        return Check("hash key", "from LLM_OBSERVER_HASH_KEY")
    path = state_dir() / "hash.key"
    if not path.exists():
        return _not_there_yet("hash key", path)
    for problem in _open_to_others("hash key", path):
        return problem
    if path.stat().st_size < _KEY_BYTES:
        return Check("hash key", f"{path} is damaged: delete it, and a new one is made", "problem")
    return Check("hash key", f"{path}, mode {stat.S_IMODE(path.stat().st_mode):04o}")


def _open_to_others(subject: str, path: Path) -> Iterator[Check]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & _OTHERS_MAY:
        yield Check(subject, f"{path} has mode {mode:04o}, so others can use it: chmod 600 {path}", "problem")


def _prices(settings: Settings) -> Iterator[Check]:
    installed = _version("genai-prices")
    if installed is None:
        yield Check("prices", "genai-prices is not installed: pip install genai-prices", "problem")
    else:
        yield Check("prices", f"genai-prices {installed}")
    if settings.prices is not None:
        own = read_prices(settings.prices)
        if not own.problems:
            yield Check("prices", f"{len(own.entries)} of your own, from {settings.prices}")
        for problem in own.problems:
            yield Check("prices", problem, "problem")


def _cache_rules(settings: Settings) -> Iterator[Check]:
    if settings.cache_rules is not None:
        own = read_rules(settings.cache_rules)
        if not own.problems:
            yield Check("cache rules", f"{len(own.rows)} of your own, from {settings.cache_rules}")
        for problem in own.problems:
            yield Check("cache rules", problem, "problem")


def _telemetry(settings: Settings) -> Check:
    if settings.sends:
        return Check("telemetry", f"on: events are sent to {words.origin(settings.endpoint)}")
    return Check("telemetry", "off: nothing leaves this machine")


def _shown(variable: str, value: str) -> str:
    """A setting's value; of a secret that it is set, of an endpoint where it is."""
    if variable in _SECRET:
        return "(set)" if value else "(empty)"
    if variable == VARIABLES["endpoint"]:
        return words.origin(value)
    return value


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    major, minor = [*text.split("."), "0", "0"][:2]
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in (major, minor))
