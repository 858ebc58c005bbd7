"""The command line: `llm-observer report`, `analyze`, `export`, `demo`, `doctor` and `version`."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

from llm_observer._version import __version__
from llm_observer.cli import analyze, demo, doctor, export, report, version
from llm_observer.cli.output import CLOSED, FAILED, HOW_TO_START, INTERRUPTED, Parser, UserError
from llm_observer.export.store import StoreError

__all__ = ["main"]

_COMMANDS = (report, analyze, export, demo, doctor, version)
"""A command is a module with `add`, which adds its parser and names the function that runs it."""


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
    except StoreError as error:
        print(f"llm-observer: {error}{HOW_TO_START if error.cause == 'missing' else ''}", file=sys.stderr)
        return FAILED
    except UserError as error:
        print(f"llm-observer: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="llm-observer",
        description="See what your LLM calls cost, what the prompt cache gave, and why it did not give more.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in _COMMANDS:
        module.add(commands)
    return parser
