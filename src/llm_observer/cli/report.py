"""`llm-observer report`: the calls in the local store, summed up by prompt."""

import argparse
import sys
from typing import Any

from llm_observer.cli.output import FAILED, HOW_TO_START, UserError, add_store_options, since, store_path, write_report
from llm_observer.config import Settings
from llm_observer.counters import counters
from llm_observer.export.store import read_events
from llm_observer.pricing.prices import Prices
from llm_observer.report.summary import summarize

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("report", help="sum up the calls in the local store, by prompt")
    add_store_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the report; the exit status."""
    store = store_path(options.store)
    prices = Prices(Settings.resolve().prices)
    prices.start_loading()
    unreadable = _unreadable()
    report = summarize(read_events(store, since=since(options.since)), prices)
    unreadable = _unreadable() - unreadable
    if not report.totals.calls and not options.json:
        when = f" since {options.since}" if options.since else ""
        raise UserError(f"there are no calls{when} in {store}{HOW_TO_START}")
    write_report(report, title=str(store), as_machine=options.json, passed_over=unreadable)
    if unreadable:
        rows = "1 row of the store is" if unreadable == 1 else f"{unreadable:,} rows of the store are"
        print(f"llm-observer: {rows} not readable and left out", file=sys.stderr)
    return FAILED if unreadable else 0


def _unreadable() -> int:
    """Rows without an event that this process has met."""
    return counters.of("events").get("unreadable", 0)
