"""`llm-observer doctor`: what is set, what is found, and what is wrong with it."""

import argparse
import os
from typing import Any

from llm_observer.cli.output import FAILED, write
from llm_observer.config import Settings
from llm_observer.report import doctor

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("doctor", help="say what is set, what is found, and what is wrong with it")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:  # noqa: ARG001  the signature of a command
    """Print the checks; a failure when one found a problem."""
    found = list(doctor.checks(os.environ, Settings.resolve()))
    write(doctor.show(found))
    return FAILED if any(check.state == "problem" for check in found) else 0
