"""Verdicts on generated traffic: every planted cause is named at its place, and clean traffic is left in peace."""

import itertools
import random

import pytest
from judging import judge
from workload import CHANGES, MODELS, PLANS, clean, planted

SEEDS = (1, 2)
PAIRS_AND_TRIPLES = [
    c
    for n in (2, 3)
    for c in itertools.combinations([c for c in CHANGES if c not in {"volatile_url", "tool_schema"}], n)
]


@pytest.mark.parametrize("name", PLANS)
def test_a_cause_planted_alone_is_named_at_its_place(name: str) -> None:
    plan, models = PLANS[name]
    for model, seed in itertools.product(models, SEEDS):
        score = judge((model, step) for step in plan(model, seed))
        assert not score.wrong, "\n".join(score.wrong)


@pytest.mark.parametrize("causes", random.Random(7).sample(PAIRS_AND_TRIPLES, 24), ids="+".join)
def test_causes_planted_together_are_all_named(causes: tuple[str, ...]) -> None:
    for model in MODELS:
        score = judge((model, step) for step in planted(*causes)(model, 3))
        assert not score.wrong, "\n".join(score.wrong)


@pytest.mark.parametrize("seed", [11, 12])
def test_clean_traffic_never_breaks_and_reads_are_foretold_to_the_token(seed: int) -> None:
    score = judge(clean(seed, 400))
    assert not score.wrong, "\n".join(score.wrong[:5])
    assert score.broke == 0
    assert score.exact == score.calls
