"""On labelled volatile values from real prompts: precision and recall, and the verdicts of a comparison."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

_FOLDER = os.environ.get("BREAKERS_DATA", "")

pytestmark = pytest.mark.skipif(not _FOLDER, reason="BREAKERS_DATA names no folder with labelled.jsonl and pairs.jsonl")


def _benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "breakers.py"
    spec = importlib.util.spec_from_file_location("benchmarks_breakers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_detection_is_precise_and_complete() -> None:
    score = _benchmark().score_detection(Path(_FOLDER))
    assert score.precision >= 0.97
    assert score.recall >= 0.90


def test_comparison_tells_volatile_differences() -> None:
    assert _benchmark().score_comparison(Path(_FOLDER)) >= 0.97
