"""The command line: `llm-observer report`, `analyze`, `export`, `demo`, `doctor` and `version`."""

import argparse
import codecs
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from llm_observer._version import __version__
from llm_observer.cli import analyze, demo, doctor, export, report, version
from llm_observer.cli.output import CLOSED, FAILED, HOW_TO_START, INTERRUPTED, Parser, UserError, in_ascii
from llm_observer.export.store import StoreError

__all__ = ["main"]

_IN_ASCII = "llm_observer.in_ascii"

_COMMANDS = (report, analyze, export, demo, doctor, version)
"""A command is a module with `add`, which adds its parser and names the function that runs it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    _ready_output()
    parser = _parser()
    options = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] | None = options.command
    try:
        if command is None:
            parser.print_help()
            status = 0
        else:
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
        _drop_output()
        return CLOSED
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        print(f"llm-observer: {where}{error.strerror or 'reading or writing failed'}", file=sys.stderr)
        _drop_output()
        return FAILED
    return status


def _ready_output() -> None:
    """Let any terminal show what is printed, and a closed output be one that nobody reads."""
    codecs.register_error(_IN_ASCII, in_ascii)
    for name in ("stdout", "stderr"):
        output: object = getattr(sys, name)
        if output is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  open to the end
        elif isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors=_IN_ASCII)


def _drop_output() -> None:
    """Write what is still buffered nowhere: at exit it would fail again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="llm-observer",
        description="See what your LLM calls cost, what the prompt cache gave, and why it did not give more.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in _COMMANDS:
        module.add(commands)
    return parser
