"""`llm-observer demo`: a small app against a provider on this machine, and the report on it."""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from llm_observer import demo
from llm_observer.cli.output import UserError, path_of, write_report
from llm_observer.config import Settings
from llm_observer.export.store import read_events
from llm_observer.pricing.prices import Prices
from llm_observer.report import doctor
from llm_observer.report.summary import summarize

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("demo", help="run a small app against a provider on this machine, and report on it")
    parser.add_argument("--store", metavar="FILE", help="keep the app's calls in this file")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Run the app and print the report; the exit status."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="llm-observer-demo-") as directory:
        store = path_of(options.store) if options.store else Path(directory) / "calls.db"
        obstacle = doctor.cannot_write(store)
        if obstacle is not None:
            raise UserError(f"{obstacle}: name another with --store FILE")
        progress = sys.stderr if options.json else sys.stdout
        print("A support app works through its inbox; llm_observer.patch() is its only line of set-up.", file=progress)
        print("Its provider runs on this machine: no key, no network, list prices.\n", file=progress, flush=True)
        try:
            demo.run(store, output=progress)
        except demo.DemoError as error:
            raise UserError(str(error)) from None
        report = summarize(read_events(store), Prices(Settings.resolve().prices))
        print(f"\nDone in {time.monotonic() - started:.1f} s.\n", file=progress, flush=True)
        write_report(report, title="report on the demo", as_machine=options.json)
    if options.store and not options.json:
        print(f"\nThe calls are kept: llm-observer report --store {store}")
    return 0
