"""`llm-observer analyze`: recorded calls through the same engine as live ones."""

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any

from llm_observer.call import Call
from llm_observer.cli.output import FAILED, MISUSED, UserError, write_report
from llm_observer.cli.recordings import Entry, Recordings, shown
from llm_observer.cli.ticker import Ticker
from llm_observer.engine import Engine, billing_terms
from llm_observer.pricing.resolve import STANDARD_TIERS
from llm_observer.replay import replay_engine
from llm_observer.report import words
from llm_observer.report.machine import call_as_json
from llm_observer.report.records import Record, record_of
from llm_observer.report.summary import sum_up

__all__ = ["add"]

_A_RECORD = """a record is one line of JSON:
  {"at": unix seconds at its start, "provider": "openai" | "anthropic" | ...,
   "api": "chat.completions" | "responses" | "messages" | ...,
   "request": {the body as sent}, "response": {the body as received}}
in place of "response" it may have "usage": {as the provider reports it}; it may
have "duration_s", "first_byte_s" and "scope" (a workspace or project)"""

_OUT_OF_ORDER_S = 600.0
"""Calls are often recorded when they end, which takes minutes at most."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "analyze",
        help="explain recorded calls: JSON lines, plain or gzip",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_A_RECORD,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="recorded calls, one a line; - is standard input")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the report as JSON")
    form.add_argument("--calls", action="store_true", help="print a line of JSON for each call instead of the report")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Read the files and print what was asked for; a failure when something was passed over."""
    report = None
    with Ticker() as ticker, Recordings(options.files, ticker.note) as recordings:
        engine, entries = replay_engine(), _Watched(recordings, ticker)
        if options.calls:
            for entry in entries:
                print(json.dumps(_described(engine, entry), ensure_ascii=False))
        else:
            report = sum_up(_records(engine, entries), engine.prices)
        _finish(entries, recordings, ticker)
    if report is not None:
        title = shown(options.files[0]) if len(options.files) == 1 else f"{len(options.files)} files"
        write_report(report, title=title, as_machine=options.json, passed_over=recordings.problems)
    return FAILED if recordings.problems else 0


class _Watched:
    """The entries as they are read, counted, with progress."""

    def __init__(self, recordings: Recordings, ticker: Ticker) -> None:
        self._recordings = recordings
        self._ticker = ticker
        self._latest = 0.0
        self.calls = 0
        self.out_of_order = 0

    def __iter__(self) -> Iterator[Entry]:
        size = self._recordings.size
        for entry in self._recordings:
            self.calls += 1
            self.out_of_order += entry.call.at < self._latest - _OUT_OF_ORDER_S
            self._latest = max(self._latest, entry.call.at)
            self._ticker.tick(self.calls, lambda: self._recordings.position, size)
            yield entry


def _records(engine: Engine, entries: Iterable[Entry]) -> Iterator[Record]:
    for entry in entries:
        yield record_of(engine.explain(entry.call), tier=_tier(entry.call))


def _tier(call: Call) -> str | None:
    """What was served and has a price of its own."""
    terms = billing_terms(call)
    named = (terms.get("service_tier"), terms.get("speed"))
    return next((tier for tier in named if tier and tier.lower() not in STANDARD_TIERS), None)


def _described(engine: Engine, entry: Entry) -> dict[str, Any]:
    return {"file": entry.file, "line": entry.line} | call_as_json(engine.explain(entry.call))


def _finish(entries: _Watched, recordings: Recordings, ticker: Ticker) -> None:
    """Say what the reader of the report has to know of how it was made."""
    problems = recordings.problems
    if not entries.calls:
        what = "; `llm-observer analyze --help` says what a record is" if recordings.opened and problems else ""
        what = what or (": there are no calls" if not problems else "")
        raise UserError(f"nothing was read{what}", status=MISUSED)
    if problems > ticker.most:
        ticker.say(f"{problems:,} problems in all, {ticker.most} of them shown")
    if entries.out_of_order:
        late = f"{words.calls(entries.out_of_order)} more than 10 minutes behind a later one"
        ticker.say(f'out of order: {late}; each is compared with those before it, so sort the records by "at"')
