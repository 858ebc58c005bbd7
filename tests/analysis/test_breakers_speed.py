"""The work is linear in the length of a text, whatever is in it."""

import importlib.util
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from llm_observer.analysis.breakers import dates, find_spans, memo

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


@pytest.mark.parametrize("name", _BENCHMARK.DIFFERING)
def test_work_is_linear_where_no_two_candidates_are_alike(name: str) -> None:
    """Twice the text makes about twice the calls."""
    find_spans(_BENCHMARK.differing_text(name, 1_000))
    once, twice = (_calls(_BENCHMARK.differing_text(name, size)) for size in (4_000, 8_000))
    assert twice <= 2.3 * once + 200


@pytest.mark.parametrize("name", _BENCHMARK.DIFFERING)
def test_a_long_text_of_candidates_is_read_closely_only_so_far(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the effort ends, a character costs a small part of what it costs before."""
    monkeypatch.setattr(memo, "_LEAST_EFFORT", 40)
    monkeypatch.setattr(memo, "_DENSITY", 0)
    monkeypatch.setattr(dates, "_LEAST_READ", 4_000)
    text = _BENCHMARK.differing_text(name, 40_000)
    assert _calls(text) <= 1.2 * len(text)


def test_behind_the_effort_what_needs_no_context_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "_LEAST_EFFORT", 40)
    monkeypatch.setattr(memo, "_DENSITY", 0)
    text = _BENCHMARK.differing_text("log", 40_000)
    times = sum(span.kind == "datetime" for span in find_spans(text))
    assert times >= 0.95 * text.count(" INFO ")
    uuids = _BENCHMARK.differing_text("uuids", 40_000)
    assert sum(span.kind == "uuid" for span in find_spans(uuids)) >= 0.95 * (len(uuids) // 37)


def test_text_as_people_have_it_is_read_closely_to_its_end() -> None:
    """A log of 250,000 characters: each line with a time, an id and a number."""
    text = _BENCHMARK.differing_text("log", 250_000)
    spans = find_spans(text)
    assert sum(span.kind == "datetime" for span in spans) >= text.count(" INFO ")
    assert sum(span.category == "session_id" for span in spans) >= text.count(" req=") - 20


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_no_pattern_backtracks_without_bound(unit: str) -> None:
    """Processor time, not wall time, with some thirty times the room that is needed."""
    text = _text(unit, 30_000)
    start = time.process_time()
    find_spans(text)
    assert time.process_time() - start < 1
