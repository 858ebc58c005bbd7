"""A second price list agrees, or the disagreement is judged; where that list is not installed the test is skipped."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "price_second_opinion.py"


def compared(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def test_the_installed_second_list() -> None:
    """Over all OpenAI and Anthropic models that both know, no disagreement is open."""
    if importlib.util.find_spec("litellm") is None:
        pytest.skip("litellm is not installed: pip install --no-deps litellm")
    done = compared()
    assert done.returncode == 0, done.stdout


def test_a_disagreement_is_found(tmp_path: Path) -> None:
    """The script tells agreement from disagreement, by tier and prompt length."""
    entry: dict[str, Any] = {
        "litellm_provider": "openai",
        "input_cost_per_token": 2.5e-06,
        "output_cost_per_token": 1.5e-05,
        "input_cost_per_token_above_272k_tokens": 5e-06,
        "cache_read_input_token_cost_flex": 1.3e-07,
        "input_cost_per_token_batches": 9.9e-07,
    }
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"gpt-5.4": entry, "gpt-none": entry, "azure/gpt-5.4": entry}))
    done = compared("--map", str(path))
    assert done.returncode == 1
    assert "1 disagreements" in done.stdout
    assert "openai gpt-5.4: input (batches): ours 1.25, theirs 0.99" in done.stdout
    assert "NOT JUDGED" in done.stdout
    assert "1 models only LiteLLM has" in done.stdout
