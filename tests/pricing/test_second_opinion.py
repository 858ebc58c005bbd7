"""A second price list agrees, or the disagreement is judged."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "price_second_opinion.py"
SECOND = Path(sys.prefix) / "second-prices.json"
"""Where `make` puts the second list."""


def judgements() -> dict[str, Any]:
    return tomllib.loads((ROOT / "benchmarks" / "price_disagreements.toml").read_text(encoding="utf-8"))


def compared(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def test_the_second_list() -> None:
    """Over all OpenAI and Anthropic models that both know, no disagreement is open."""
    if not SECOND.is_file():
        pytest.skip(f"no second price list: python {SCRIPT.relative_to(ROOT)} --fetch {SECOND}")
    done = compared()
    assert "NOT JUDGED" not in done.stdout or version("genai-prices") != judgements()["genai_prices"], done.stdout
    if done.returncode:
        pytest.skip("the installed genai-prices is newer than the judgements in benchmarks/price_disagreements.toml")
    known = {line.split(maxsplit=1)[1]: int(line.split()[0]) for line in done.stdout.splitlines()[1:5]}
    assert known["models both have"] > 150
    assert known["prices both have"] > 1000


def test_the_page_lists_every_disagreement_and_who_is_right() -> None:
    page = (ROOT / "docs" / "pricing.md").read_text(encoding="utf-8")
    for rule in judgements()["disagreement"]:
        assert f"| `{rule['model']}` | `{rule['price']}` | {rule['right']} | {rule['why']} |" in page


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
