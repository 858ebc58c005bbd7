"""Compares our prices of OpenAI's and Anthropic's models with LiteLLM's price map, the second list.

    python benchmarks/price_second_opinion.py --fetch .venv/second-prices.json
    python benchmarks/price_second_opinion.py

Nothing of LiteLLM is installed or runs: its JSON file is taken out of its wheel and read. `make test` does both. Every
disagreement has to be judged in `price_disagreements.toml`, with who is right and why; one that is not judged, and a
judgement that nothing needs any more, make the exit status 1. Prices are those of the day on which it was last judged.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llm_observer.pricing.prices import Prices

FIELDS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
}
"""LiteLLM's names of prices and ours."""

TIERS: dict[str, dict[str, Any]] = {
    "": {},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "batches": {"batch": True},
}
"""LiteLLM's suffixes and our terms."""

KEY = re.compile(
    rf"^({'|'.join(sorted(FIELDS, key=len, reverse=True))})(?:_above_(\d+)k_tokens)?(?:_(flex|priority|batches))?$"
)
MILLION = Decimal(10**6)
PROVIDERS = ("openai", "anthropic")
SECOND_LIST = "litellm==1.109.1"
MAP = "model_prices_and_context_window_backup.json"
FETCHED = Path(sys.prefix) / "second-prices.json"
"""Where `make` puts the map."""
JUDGEMENTS = Path(__file__).with_name("price_disagreements.toml")


@dataclass(frozen=True)
class Disagreement:
    """One price that the two lists have differently, in US dollars per million tokens."""

    provider: str
    model: str
    price: str
    ours: Decimal
    theirs: Decimal


def fetch(path: Path) -> bool:
    """Write LiteLLM's price map to `path`; whether its wheel could be had."""
    with tempfile.TemporaryDirectory() as directory:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--timeout=20"]
        got = subprocess.run(
            [*pip, "--retries=1", "--no-deps", "--only-binary=:all:", f"--dest={directory}", SECOND_LIST],
            check=False,
            stderr=subprocess.DEVNULL,
        )
        wheels = list(Path(directory).glob("*.whl"))
        if got.returncode or not wheels:
            return False
        path.write_bytes(zipfile.ZipFile(wheels[0]).read(f"litellm/{MAP}"))
    return True


def listed(entry: dict[str, Any]) -> Iterator[tuple[str, int, str, Decimal]]:
    """Our name of a price, the prompt length above which it holds, the tier, and the price."""
    for key, value in entry.items():
        match = KEY.match(key)
        if match and isinstance(value, int | float) and value:
            field, thousands, tier = match.groups()
            yield FIELDS[field], int(thousands or 0) * 1_000, tier or "", Decimal(repr(value)) * MILLION


def compare(prices: Prices, models: dict[str, Any], at: float) -> tuple[list[Disagreement], Counter[str]]:
    """Where the lists differ, and how many prices both have, or only one."""
    found: list[Disagreement] = []
    counted: Counter[str] = Counter()
    for model, entry in models.items():
        provider = entry.get("litellm_provider")
        if provider not in PROVIDERS or "/" in model or model == "sample_spec":
            continue
        known = prices.unit_prices(provider=provider, model=model, at=at) is not None
        counted["models both have" if known else "models only LiteLLM has"] += 1
        if not known:
            continue
        for name, above, tier, theirs in listed(entry):
            unit = prices.unit_prices(
                provider=provider, model=model, prompt_tokens=above + 1 if above else 0, at=at, **TIERS[tier]
            )
            ours = getattr(unit, name) if unit else None
            if ours is None:
                counted["prices only LiteLLM has"] += 1
                continue
            counted["prices both have"] += 1
            if abs(ours - theirs) > Decimal("1e-9"):
                where = ", ".join(part for part in (tier, f"above {above:,}" if above else "") if part)
                found.append(Disagreement(provider, model, f"{name}{f' ({where})' if where else ''}", ours, theirs))
    return found, counted


def main() -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description="Compare prices with LiteLLM's map.")
    parser.add_argument("--map", type=Path, default=FETCHED, help="the map's JSON file")
    parser.add_argument("--fetch", type=Path, metavar="FILE", help=f"write the map of {SECOND_LIST} there, and no more")
    options = parser.parse_args()
    if options.fetch is not None:
        return 0 if fetch(options.fetch) else 1
    path: Path = options.map
    if not path.is_file():
        print(f"skipped: there is no second list (python {sys.argv[0]} --fetch {path})")
        return 0
    models: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    judgements: dict[str, Any] = tomllib.loads(JUDGEMENTS.read_text(encoding="utf-8"))
    judged: list[dict[str, str]] = judgements.get("disagreement", [])
    at = datetime.combine(judgements["checked"], time(12), UTC).timestamp()

    prices = Prices()
    prices.wait(60)
    found, counted = compare(prices, models, at)
    print(f"genai-prices {version('genai-prices')} with our corrections, against {path}")
    for what in ("models both have", "models only LiteLLM has", "prices both have", "prices only LiteLLM has"):
        print(f"{counted[what]:6} {what}")
    print(f"{len(found):6} disagreements")

    used: set[int] = set()
    open_questions = 0
    for item in found:
        judgement = next(
            (
                index
                for index, rule in enumerate(judged)
                if fnmatchcase(item.model, rule["model"]) and fnmatchcase(item.price, rule["price"])
            ),
            None,
        )
        line = f"  {item.provider} {item.model}: {item.price}: ours {item.ours:f}, theirs {item.theirs:f}"
        if judgement is None:
            open_questions += 1
            print(f"{line}\n      NOT JUDGED")
        else:
            used.add(judgement)
            print(f"{line}\n      right: {judged[judgement]['right']}: {judged[judgement]['why']}")
    stale = [rule for index, rule in enumerate(judged) if index not in used]
    for rule in stale:
        print(f"  no longer needed: {rule['model']} {rule['price']}")
    return 1 if open_questions or stale else 0


if __name__ == "__main__":
    sys.exit(main())
