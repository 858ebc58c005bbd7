"""`llm-observer export --dry-run`: what would be sent of the calls in the local store, to the byte."""

import argparse
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from llm_observer.cli.output import HOW_TO_START, MISUSED, UserError, add_store_options, since, store_path
from llm_observer.config import Settings
from llm_observer.export.envelope import MAX_EVENTS
from llm_observer.export.exporter import preview
from llm_observer.export.names import redact
from llm_observer.export.store import read_events
from llm_observer.report import words

__all__ = ["add"]

_HOW_SENDING_WORKS = (
    "Calls are sent as they end, by the app that makes them, and only with LLM_OBSERVER_ENABLED=true, a key and an "
    "endpoint. This command sends nothing: it prints what would be sent of the calls in the store."
)


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export", help="print what would be sent of the calls in the local store", description=_HOW_SENDING_WORKS
    )
    parser.add_argument("--dry-run", action="store_true", help="print it and send nothing; the only way there is")
    add_store_options(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the bodies to standard output, and where they would go to standard error; the exit status."""
    if not options.dry_run:
        raise UserError(
            "export sends nothing; to see what an app would send: llm-observer export --dry-run"
            " (see llm-observer export --help)",
            status=MISUSED,
        )
    settings, store = Settings.resolve(), store_path(options.store)
    counted = _Counted(read_events(store, since=since(options.since)), send_names=settings.send_names)
    requests = 0
    for some in iter(lambda: list(itertools.islice(counted, MAX_EVENTS)), []):
        for body in preview(some, send_names=settings.send_names):
            requests += 1
            sys.stdout.write(body.decode("ascii") + "\n")
    if not counted.sent and not counted.left_out:
        when = f" since {options.since}" if options.since else ""
        raise UserError(f"there are no calls{when} in {store}{HOW_TO_START}")
    sys.stdout.flush()
    for line in _told(settings, counted, requests):
        print(f"llm-observer: {line}", file=sys.stderr)
    return 0


class _Counted:
    """Events that would be sent, counted, as are those that would not."""

    def __init__(self, events: Iterable[dict[str, Any]], *, send_names: bool) -> None:
        self._events = self._chosen(events, send_names=send_names)
        self.sent = 0
        self.unsampled = 0
        self.invalid = 0

    @property
    def left_out(self) -> int:
        return self.unsampled + self.invalid

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._events

    def _chosen(self, events: Iterable[dict[str, Any]], *, send_names: bool) -> Iterator[dict[str, Any]]:
        for event in events:
            if redact(event, send_names=send_names) is None:
                self.invalid += 1
            elif not cast("Mapping[str, Any]", event["trace"])["sampled"]:
                self.unsampled += 1
            else:
                self.sent += 1
                yield event


def _told(settings: Settings, counted: _Counted, requests: int) -> Iterator[str]:
    posts = "1 request" if requests == 1 else f"{requests:,} requests"
    yield f"{words.calls(counted.sent)} in {posts}, each shown on a line as it is before gzip; nothing was sent"
    if counted.unsampled:
        yield f"left out: {words.calls(counted.unsampled)} whose trace was not sampled"
    if counted.invalid:
        yield f"left out: {words.calls(counted.invalid)} in a shape that the contract does not allow"
    if settings.sends:
        yield f"an app with these settings POSTs such calls to {words.origin(settings.endpoint)} as they end"
    else:
        yield "with these settings an app sends nothing: that takes LLM_OBSERVER_ENABLED=true, a key and an endpoint"
    yield from settings.problems
