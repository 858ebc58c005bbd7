"""`llm-observer report`: the calls in the local store, summed up by prompt."""

import argparse
from typing import Any

from llm_observer.cli.output import HOW_TO_START, UserError, add_store_options, since, store_path, write_report
from llm_observer.config import Settings
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
    report = summarize(read_events(store, since=since(options.since)), prices)
    if not report.totals.calls and not options.json:
        when = f" since {options.since}" if options.since else ""
        raise UserError(f"there are no calls{when} in {store}{HOW_TO_START}")
    write_report(report, title=str(store), as_machine=options.json)
    return 0
