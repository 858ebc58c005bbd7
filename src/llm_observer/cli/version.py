"""`llm-observer version`."""

import argparse
import platform
from typing import Any

from llm_observer._version import __version__

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("version", help="print the version")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:  # noqa: ARG001  the signature of a command
    """Print the version; the exit status."""
    print(f"llm-observer {__version__} (Python {platform.python_version()})")
    return 0
