"""The soak of `make soak-transport`, in short: what the million shows is checked with each change."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "transport.py"
SPANS = 6000


def test_each_span_is_received_or_counted_and_memory_stays_flat() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARK, str(SPANS)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout
    quick, faulty = map(json.loads, done.stdout.splitlines())
    assert quick["received"] == quick["sent"] == SPANS
    assert quick["duplicates_by_id"] == 0
    assert faulty["sent"] + sum(faulty["dropped"].values()) == SPANS
    assert faulty["retries"]
