"""Token attribution: exact at anchors, fitted to the provider's own counts between them, honest about the rest."""

import random
import statistics

import pytest
from workload import CLAUDE, Writer

from llm_observer.analysis.tokens import Fit, Fits, Positions, count_classes, weigh
from llm_observer.demo.provider.tokens import tokenize

HIDDEN = (0, 300, 1800)


def a_prompt(writer: Writer, rng: random.Random) -> list[str]:
    """Segments of prose, JSON, digits and other scripts."""
    parts = [str(tool) for tool in writer.tools(rng.randint(2, 6), CLAUDE)]
    parts.append(writer.text(rng.randint(40, 160)))
    for _ in range(rng.randint(2, 20)):
        parts.append(writer.text(rng.randint(2, 12)))
        if rng.random() < 0.2:
            parts.append(", ".join(str(rng.randint(1, 10**9)) for _ in range(20)))
    return parts


def measured(hidden: int, *, warm: bool) -> tuple[list[float], float]:
    """Relative errors at positions inside of prompts, and how many the stated bounds cover."""
    rng = random.Random(hidden + warm)
    fit = Fit()
    heads = [a_prompt(Writer(seed), rng) for seed in range(10)]
    for _ in range(150 if warm else 0):
        segments = [*rng.choice(heads), Writer(rng.getrandbits(30)).text(rng.randint(3, 40))]
        counts = [sum(column) for column in zip(*map(count_classes, segments), strict=True)]
        fit.observe(counts, hidden + sum(len(tokenize(s)) for s in segments))
    errors: list[float] = []
    covered: list[bool] = []
    for _ in range(60):
        segments = [*rng.choice(heads), Writer(rng.getrandbits(30)).text(rng.randint(3, 40))]
        cumulative, truth = [0.0], [hidden]
        for segment in segments:
            cumulative.append(cumulative[-1] + fit.estimate(count_classes(segment)))
            truth.append(truth[-1] + len(tokenize(segment)))
        positions = Positions(cumulative, {len(segments): truth[-1]}, fit)
        for position in rng.sample(range(1, len(segments)), 4):
            tokens, bound = positions.at(position)
            errors.append(abs(tokens - truth[position]) / truth[position])
            covered.append(errors[-1] <= bound + 0.5 / truth[position])
    return errors, statistics.mean(covered)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_stated_bounds_hold_before_anything_is_known(hidden: int) -> None:
    _, covered = measured(hidden, warm=False)
    assert covered >= 0.95


@pytest.mark.parametrize("hidden", HIDDEN)
def test_fitted_to_the_providers_counts_positions_are_right_to_a_percent(hidden: int) -> None:
    errors, covered = measured(hidden, warm=True)
    assert statistics.median(errors) <= 0.01
    assert statistics.quantiles(errors, n=20)[-1] <= 0.04
    assert covered >= 0.95


def test_a_known_position_is_exact_and_others_lie_between() -> None:
    fit = Fit()
    positions = Positions([0.0, 100.0, 200.0, 400.0], {1: 130, 3: 500}, fit)
    assert positions.at(1) == (130, 0.0)
    assert positions.at(3) == (500, 0.0)
    tokens, bound = positions.at(2)
    assert 130 < tokens < 500
    assert 0 < bound < 1
    assert positions.at(1, 50.0)[0] > 130


def test_counts_that_contradict_each_other_are_not_all_used() -> None:
    """A count that falls behind an earlier one is of another prompt's making."""
    positions = Positions([0.0, 100.0, 200.0, 300.0], {1: 400, 2: 200, 3: 500}, Fit())
    assert positions.at(3)[0] == 500
    assert positions.at(1, 10.0)[0] >= 400


def test_nothing_is_learned_from_nothing() -> None:
    fit = Fit()
    for _ in range(50):
        fit.observe([0] * 7, 100)
        fit.observe([10] * 7, 0)
    assert not fit.warm
    assert Positions([0.0], {}, fit).at(0) == (0, 0.0)


def test_weights_are_never_negative_and_a_remembered_weight_follows_the_fit() -> None:
    fit = Fit()
    counts = count_classes("Some words and 123 digits.\n")
    before = fit.weight(b"name", counts)
    rng = random.Random(4)
    for _ in range(40):
        text = Writer(rng.getrandbits(30)).text(rng.randint(5, 60))
        fit.observe(count_classes(text), 2 * len(tokenize(text)))
    assert fit.warm
    assert min(fit.weights) >= 0.0
    assert fit.weight(b"name", counts) > before


def test_fits_are_bounded_and_the_least_recently_used_goes_first() -> None:
    fits = Fits(most=2)
    first = fits.of(b"a")
    fits.of(b"b")
    assert fits.of(b"a") is first
    fits.of(b"c")
    assert fits.of(b"a") is first


@pytest.mark.parametrize("text", ["", "plain words", "日本語のテキスト", "\ud800 lone", "🙂" * 10, "{}[]:,"])
def test_any_text_has_a_weight(text: str) -> None:
    assert weigh(text) >= 0.0
    assert (weigh(text) > 0) == bool(text)
