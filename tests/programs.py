"""Runs programs as a user does, in processes of their own with the environment of the test."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["run", "run_instrumented"]

_TIMEOUT_S = 120


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`python *arguments`, which succeeds."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    return done


def run_instrumented(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`opentelemetry-instrument python *arguments`, which succeeds."""
    return run(Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument", sys.executable, *arguments)
