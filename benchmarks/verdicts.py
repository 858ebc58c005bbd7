"""How often the verdict on a call is what was planted in it, and how clean traffic fares.

    python benchmarks/verdicts.py alone [--bank FILE] [--seeds N] [--first SEED] [--only WORDS]    each by itself
    python benchmarks/verdicts.py together [--bank FILE] [--seeds N] [--first SEED]    exact sets of causes
    python benchmarks/verdicts.py clean [--bank FILE] [--seeds N] [--first SEED] [--turns N]    broke-verdicts: none

Calls go to the loopback provider, which keeps its cache by the vendors' rules; labels come from what was planted. A
bank is a JSON file of published prompts, tools and questions; without one texts are drawn from a list of words.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from healthy import healthy
from judging import Score, judge_planted
from scenarios import PLANS, Source, combinations, together
from traffic import SHAPES

from llm_observer.guard import Guard

Bank = dict[str, Any] | None
Run = tuple[str, int, Score]


def alone(given: argparse.Namespace, bank: Bank) -> Iterator[Run]:
    """Each plan on each API and model where it can be carried out."""
    for name, (plan, shapes) in PLANS.items():
        if given.only in name:
            for shape in shapes:
                for seed in range(given.first, given.first + given.seeds):
                    yield f"{name} | {shape.name}", seed, judge_planted(plan(Source(seed, bank), shape))


def both(given: argparse.Namespace, bank: Bank) -> Iterator[Run]:
    """A hundred combinations for each seed, the APIs and models in turn."""
    for seed in range(given.first, given.first + given.seeds):
        for n, names in enumerate(combinations(random.Random(seed), 100)):
            shape = SHAPES[n % len(SHAPES)]
            plan = together(names)(Source(seed * 1000 + n, bank), shape)
            yield f"together: {', '.join(names)} | {shape.name}", seed, judge_planted(plan)


def clean(given: argparse.Namespace, bank: Bank) -> Iterator[Run]:
    """Many sessions at once."""
    for seed in range(given.first, given.first + given.seeds):
        yield "none: clean traffic", seed, judge_planted(healthy(Source(seed, bank), given.turns))


KINDS = {"alone": alone, "together": both, "clean": clean}


def main() -> int:
    """Run one kind and print what was missed; 1 when more than 1 % was, or clean traffic was blamed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--bank", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--turns", type=int, default=1000)
    given = parser.parse_args()
    bank: Bank = json.loads(given.bank.read_text(encoding="utf-8")) if given.bank else None
    # What fails inside is a fault here, and no verdict that was left out.
    Guard.strict = True
    began = time.process_time()
    confusion: Counter[tuple[str, str]] = Counter()
    calls = exact = broke = 0
    for name, seed, score in KINDS[given.kind](given, bank):
        calls, exact, broke = calls + score.calls, exact + score.exact, broke + score.broke
        confusion.update((name.split(":")[0].split(" | ")[0], found) for found in score.found)
        if score.wrong:
            print(f"{name}, seed {seed}: {len(score.wrong)} of {score.calls}\n    {score.wrong[0]}")
    wrong = confusion.total()
    print(
        f"seeds {given.first} to {given.first + given.seeds - 1}: {calls} calls, {wrong} wrong ({wrong / calls:.2%}), ",
        end="",
    )
    print(f"{broke} broke, {exact} reads as the provider's; {time.process_time() - began:.0f} s of CPU")
    for (planted, found), n in confusion.most_common():
        print(f"    {planted} → {found}: {n}")
    return int(wrong > (0 if given.kind == "clean" else 0.01 * calls))


if __name__ == "__main__":
    sys.exit(main())
