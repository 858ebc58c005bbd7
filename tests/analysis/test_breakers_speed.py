"""The work is linear in the length of a text, whatever is in it."""

import importlib.util
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from llm_observer.analysis.breakers import find_spans

_SPEC = importlib.util.spec_from_file_location(
    "benchmarks_breakers", Path(__file__).parents[2] / "benchmarks" / "breakers.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
_BENCHMARK = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_BENCHMARK)
HOSTILE: dict[str, str] = _BENCHMARK.HOSTILE


def _text(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def _calls(text: str) -> int:
    """The number of Python and C function calls that a search of `text` makes."""
    count = 0

    def counting(_frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        find_spans(text)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_work_is_linear(unit: str) -> None:
    """Twice the text makes about twice the calls, and at most ten per character."""
    find_spans(_text(unit, 1_000))
    once, twice = _calls(_text(unit, 3_000)), _calls(_text(unit, 6_000))
    assert twice <= 2.2 * once + 200
    assert twice <= 10 * 6_000


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_no_pattern_backtracks_without_bound(unit: str) -> None:
    """Processor time, not wall time, with some thirty times the room that is needed."""
    text = _text(unit, 30_000)
    start = time.process_time()
    find_spans(text)
    assert time.process_time() - start < 1
