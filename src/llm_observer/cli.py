"""The command line: `llm-observer report`, `demo`, `doctor` and `version`."""

import argparse
import io
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from rich.console import RenderableType

from llm_observer import demo
from llm_observer._version import __version__
from llm_observer.config import Settings
from llm_observer.export.store import StoreError, read_events
from llm_observer.report import doctor
from llm_observer.report.families import Report
from llm_observer.report.machine import as_json
from llm_observer.report.render import console, render
from llm_observer.report.summary import summarize

__all__ = ["main"]

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_AGO = re.compile(r"(\d+(?:\.\d+)?)([mhdw])")

_HOW_TO_START = "; call llm_observer.patch() in your app, or try llm-observer demo"

_FAILED, _MISUSED, _INTERRUPTED, _CLOSED = 1, 2, 130, 141


class _UserError(Exception):
    """What the user can mend. The message is one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as every other error."""
        self.exit(_MISUSED, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    output: object = sys.stdout
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(errors="replace")  # a terminal that lacks a sign shows another
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        status = command(options)
        sys.stdout.flush()
    except (_UserError, StoreError, demo.DemoError) as error:
        missing = isinstance(error, StoreError) and error.cause == "missing"
        print(f"llm-observer: {error}{_HOW_TO_START if missing else ''}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="llm-observer",
        description="See what your LLM calls cost, what the prompt cache gave, and why it did not give more.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    report = commands.add_parser("report", help="sum up the calls in the local store, by prompt")
    report.add_argument("--since", metavar="WHEN", help="only calls since then: 90m, 24h, 7d, 2w, or 2026-11-22")
    report.add_argument("--store", metavar="FILE", help="read this store instead of the user's own")
    report.add_argument("--json", action="store_true", help="print JSON")
    report.set_defaults(command=_report)

    show = commands.add_parser("demo", help="run a small app against a provider on this machine, and report on it")
    show.add_argument("--store", metavar="FILE", help="keep the app's calls in this file")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(command=_demo)

    check = commands.add_parser("doctor", help="say what is set, what is found, and what is wrong with it")
    check.set_defaults(command=_doctor)

    version = commands.add_parser("version", help="print the version")
    version.set_defaults(command=_version)
    return parser


def _report(options: argparse.Namespace) -> int:
    store = _store(options.store)
    since = _since(options.since)
    summary = summarize(read_events(store, since=since))
    if not summary.totals.calls and not options.json:
        when = f" since {options.since}" if options.since else ""
        raise _UserError(f"there are no calls{when} in {store}{_HOW_TO_START}")
    _show(summary, title=str(store), as_machine=options.json)
    return 0


def _demo(options: argparse.Namespace) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="llm-observer-demo-") as directory:
        store = Path(options.store).expanduser() if options.store else Path(directory) / "calls.db"
        progress = sys.stderr if options.json else sys.stdout
        print("A support app works through its inbox; llm_observer.patch() is its only line of set-up.", file=progress)
        print("Its provider runs on this machine: no key, no network, list prices.\n", file=progress, flush=True)
        demo.run(store, output=progress)
        summary = summarize(read_events(store))
        print(f"\nDone in {time.monotonic() - started:.1f} s.\n", file=progress, flush=True)
        _show(summary, title="report on the demo", as_machine=options.json)
    if options.store and not options.json:
        print(f"\nThe calls are kept: llm-observer report --store {store}")
    return 0


def _doctor(options: argparse.Namespace) -> int:  # noqa: ARG001  the signature of a command
    found = list(doctor.checks(os.environ, Settings.resolve()))
    _print(doctor.show(found))
    return _FAILED if any(check.state == "problem" for check in found) else 0


def _version(options: argparse.Namespace) -> int:  # noqa: ARG001  the signature of a command
    print(f"llm-observer {__version__} (Python {platform.python_version()})")
    return 0


def _store(named: str | None) -> Path:
    path = Path(named).expanduser() if named else Settings.resolve().store
    if path is None:
        raise _UserError("the store is off (LLM_OBSERVER_STORE): name one with --store FILE")
    return path


def _since(text: str | None) -> float | None:
    """Unix seconds of a time ago such as `24h`, or of a date or time in ISO 8601, local where it names no zone."""
    if text is None:
        return None
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return time.time() - float(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError):
        raise _UserError(f"--since {text} is no time: write 90m, 24h, 7d, 2w, or a date such as 2026-11-22") from None


def _show(report: Report, *, title: str, as_machine: bool) -> None:
    if as_machine:
        print(json.dumps(as_json(report), indent=2))
    else:
        _print(render(report, title=title))


def _print(what: RenderableType) -> None:
    """Print to standard output; to anything but a terminal without the spaces that fill a line."""
    out = console()
    if out.is_terminal:
        out.print(what)
        return
    with out.capture() as captured:
        out.print(what)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))
