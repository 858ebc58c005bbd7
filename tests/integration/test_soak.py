"""A short form of `make soak`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_of_many_calls_has_one_span_and_one_event_and_none_is_left_open() -> None:
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "soak.py"),
        "--calls",
        "200",
        "--threads",
        "8",
        "--tasks",
        "50",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 spans, 200 events stored, dropped: {}" in done.stdout
