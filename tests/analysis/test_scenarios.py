"""Traffic as applications make it, on every API: what is planted is named at its place, and clean traffic is not."""

import random

import pytest
from healthy import healthy
from judging import judge_planted
from scenarios import PLANS, Source, combinations, together
from traffic import SHAPES, Shape

ALL = [(name, shapes[n % len(shapes)]) for n, (name, (_, shapes)) in enumerate(PLANS.items()) if shapes]
ROWS = random.Random(11).sample(ALL, 90)
"""`python benchmarks/verdicts.py` runs every one on every API and model."""


@pytest.mark.parametrize(("name", "shape"), ROWS, ids=[f"{name} | {shape.name}" for name, shape in ROWS])
def test_what_is_planted_is_named_at_its_place(name: str, shape: Shape) -> None:
    score = judge_planted(PLANS[name][0](Source(3), shape))
    assert not score.wrong, "\n".join(score.wrong)


SUMMED_UP = [
    (name, shape)
    for name, (_, shapes) in PLANS.items()
    if name.startswith("compaction: short") or (name.startswith("none: ") and "summary" in name)
    for shape in shapes
]


@pytest.mark.parametrize(("name", "shape"), SUMMED_UP, ids=[f"{name} | {shape.name}" for name, shape in SUMMED_UP])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_summary_in_place_of_a_history_is_told_from_one_that_is_none(name: str, shape: Shape, seed: int) -> None:
    score = judge_planted(PLANS[name][0](Source(seed), shape))
    assert not score.wrong, "\n".join(score.wrong)


EXAMPLES = [
    (name, shape)
    for name in ("few_shot_order: marked messages", "boundary_missing: examples")
    for shape in PLANS[name][1]
]


@pytest.mark.parametrize(("name", "shape"), EXAMPLES, ids=[f"{name} | {shape.name}" for name, shape in EXAMPLES])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_examples_matters_where_they_were_cached(name: str, shape: Shape, seed: int) -> None:
    score = judge_planted(PLANS[name][0](Source(seed), shape))
    assert not score.wrong, "\n".join(score.wrong)


def test_what_is_planted_together_is_named_together() -> None:
    calls, wrong = 0, list[str]()
    for n, names in enumerate(combinations(random.Random(4), 20)):
        score = judge_planted(together(names)(Source(n), SHAPES[n % len(SHAPES)]))
        calls += score.calls
        wrong += score.wrong
    assert len(wrong) <= 0.01 * calls, "\n".join(wrong)


@pytest.mark.parametrize("seed", [50])
def test_clean_traffic_of_many_sessions_is_blamed_for_nothing(seed: int) -> None:
    score = judge_planted(healthy(Source(seed), 300))
    assert not score.wrong, "\n".join(score.wrong)
    assert score.broke == 0
