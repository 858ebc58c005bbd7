"""What the commands share: errors in one line, printing, and the options that more than one has."""

import argparse
import json
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from rich.console import RenderableType

from llm_observer.config import Settings
from llm_observer.report.families import Report
from llm_observer.report.machine import as_json
from llm_observer.report.render import console, render

__all__ = [
    "CLOSED",
    "FAILED",
    "HOW_TO_START",
    "INTERRUPTED",
    "MISUSED",
    "Parser",
    "UserError",
    "add_store_options",
    "in_ascii",
    "path_of",
    "since",
    "store_path",
    "write",
    "write_report",
]

FAILED, MISUSED, INTERRUPTED, CLOSED = 1, 2, 130, 141
"""Exit statuses; the last two as shells report SIGINT and SIGPIPE."""

HOW_TO_START = "; call llm_observer.patch() in your app, or try llm-observer demo"

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_AGO = re.compile(r"(\d+(?:\.\d+)?)([mhdw])")


_SIGNS = {"█": "#", "░": ".", "●": "*", "·": "-", "…": "~", "✓": "+", "✗": "x", "─": "-"}
"""What stands for a sign where the output cannot show it."""


def in_ascii(error: UnicodeError) -> tuple[str, int]:
    """An error handler of codecs: signs that look alike, and question marks for other characters."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_SIGNS.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


class UserError(Exception):
    """What the user can mend. The message is one line; `status` is the exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """One line, as every other error."""
        self.exit(MISUSED, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """Which store, and which of its calls."""
    parser.add_argument("--since", metavar="WHEN", help="only calls since then: 90m, 24h, 7d, 2w, or 2026-11-22")
    parser.add_argument("--store", metavar="FILE", help="read this store instead of the user's own")


def store_path(named: str | None) -> Path:
    """The store that is named, else the one of the settings."""
    path = path_of(named) if named else Settings.resolve().store
    if path is None:
        raise UserError("the store is off (LLM_OBSERVER_STORE): name one with --store FILE")
    return path


def path_of(named: str) -> Path:
    """The path that is named, from a home where it begins with one."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        raise UserError(f"{named} is in the home of a user that is not known", status=MISUSED) from None


def since(text: str | None) -> float | None:
    """Unix seconds of a time ago such as `24h`, or of a date or time in ISO 8601, local where it names no zone."""
    if text is None:
        return None
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return time.time() - float(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError):
        how = "write 90m, 24h, 7d, 2w, or a date such as 2026-11-22"
        raise UserError(f"--since {text or 'without a value'} is no time: {how}", status=MISUSED) from None


def write_report(report: Report, *, title: str, as_machine: bool, **more: Any) -> None:
    """Print the report, for people or as JSON; `more` joins the JSON."""
    if as_machine:
        print(json.dumps(as_json(report) | more, indent=2))
    else:
        write(render(report, title=title))


def write(what: RenderableType) -> None:
    """Print to standard output; to anything but a terminal without the spaces that fill a line."""
    out = console()
    if out.is_terminal:
        out.print(what)
        return
    with out.capture() as captured:
        out.print(what)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))
