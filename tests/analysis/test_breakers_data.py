"""On labelled volatile values: precision and recall, and the verdicts of a comparison."""

import importlib.util
import os
from pathlib import Path

import pytest

_FOLDER = os.environ.get("BREAKERS_DATA", "")
_MARKED = Path(__file__).parent / "breakers_labelled.txt"

_SPEC = importlib.util.spec_from_file_location(
    "benchmarks_breakers", Path(__file__).parents[2] / "benchmarks" / "breakers.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
_BENCHMARK = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_BENCHMARK)

_needs_folder = pytest.mark.skipif(not _FOLDER, reason="BREAKERS_DATA names no folder with labelled.jsonl, pairs.jsonl")


@pytest.mark.parametrize("part", ["first", "held", "third", "fourth", "fifth"])
def test_detection_is_precise_and_complete_on_each_part_of_the_marked_lines(part: str) -> None:
    """Overall, and no category is missed for the most part."""
    score = _BENCHMARK.score_detection(_BENCHMARK.read_marked(_MARKED)[part])
    assert score.values >= 100
    assert score.precision >= 0.97
    assert score.recall >= 0.95
    assert all(found >= 0.8 * values for found, values in score.by_category.values()), score.by_category


@_needs_folder
def test_detection_is_precise_and_complete() -> None:
    score = _BENCHMARK.score_detection(_BENCHMARK.read_rows(Path(_FOLDER), "labelled.jsonl", None))
    assert score.precision >= 0.97
    assert score.recall >= 0.90


@_needs_folder
def test_comparison_tells_volatile_differences() -> None:
    assert _BENCHMARK.score_comparison(Path(_FOLDER)) >= 0.97
