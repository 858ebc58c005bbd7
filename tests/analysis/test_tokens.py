"""Token attribution: exact at anchors, fitted to the provider's own counts between them, honest about the rest."""

import base64
import random
import statistics
from array import array
from collections.abc import Sequence

import pytest
from workload import CLAUDE, Writer

from llm_observer.analysis.measure import COLUMNS, FACTORS, MEDIA_TOKENS, measure, weigh
from llm_observer.analysis.tokens import Fit, Fits, Positions
from llm_observer.demo.provider.tokens import tokenize
from llm_observer.replay import analyze

HIDDEN = (0, 300, 1800)
WIDTH = len(COLUMNS)
WORDS, TOOLS, SEGMENTS, MEDIA = (COLUMNS.index(name) for name in ("words", "tools", "segments", "media"))


def cumulated(rows: Sequence[Sequence[float]]) -> "array[float]":
    """The columns up to each position."""
    columns = array("f", bytes(4 * WIDTH))
    for row in rows:
        columns.extend(a + b for a, b in zip(columns[-WIDTH:], row, strict=True))
    return columns


def words(tokens: float, variance: float = 100.0) -> list[float]:
    """The columns of a text of so many tokens, all in words."""
    row = [0.0] * WIDTH
    row[WORDS], row[FACTORS] = tokens, variance
    return row


def learn(fit: Fit, columns: Sequence[float], tokens: int, *names: str, shared: float = 0.0) -> None:
    fit.observe(columns, tokens, weight=fit.estimate(columns), shared=shared, names=names or (str(random.random()),))


def a_prompt(writer: Writer, rng: random.Random) -> list[tuple[str, str]]:
    """Segments of tools, prose, JSON, digits and other scripts, with their kinds."""
    parts = [(str(tool), "tool") for tool in writer.tools(rng.randint(2, 6), CLAUDE)]
    parts.append((writer.text(rng.randint(40, 160)), "system"))
    for _ in range(rng.randint(2, 20)):
        parts.append((writer.text(rng.randint(2, 12)), "user"))
        if rng.random() < 0.2:
            parts.append((", ".join(str(rng.randint(1, 10**9)) for _ in range(20)), "user"))
    return parts


def measured(hidden: int, *, warm: bool) -> tuple[list[float], float]:
    """Errors relative to the prompt at positions inside of it, and how many the stated bounds cover."""
    rng = random.Random(hidden + warm)
    fit = Fit()
    heads = [a_prompt(Writer(seed), rng) for seed in range(10)]

    def another() -> tuple[int, list[int], "array[float]"]:
        head = rng.randrange(len(heads))
        segments = [*heads[head], (Writer(rng.getrandbits(30)).text(rng.randint(3, 40)), "user")]
        truth = [hidden]
        for text, _ in segments:
            truth.append(truth[-1] + len(tokenize(text)) + 4)
        return head, truth, cumulated([measure(text, kind) for text, kind in segments])

    for _ in range(100 if warm else 0):
        head, truth, columns = another()
        shared = fit.estimate(columns[-2 * WIDTH : -WIDTH])
        learn(fit, columns[-WIDTH:], truth[-1], f"{head}", shared=shared)
    errors: list[float] = []
    covered: list[bool] = []
    for _ in range(60):
        _, truth, columns = another()
        last = len(truth) - 1
        positions = Positions(columns, {last: truth[-1]}, fit)
        for position in rng.sample(range(1, last), 4):
            tokens, bound = positions.at(position)
            off = abs(tokens - truth[position])
            errors.append(off / truth[-1])
            covered.append(bound >= 1 or off <= bound * tokens + 0.5)
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
    positions = Positions(cumulated([words(100), words(100), words(200)]), {1: 130, 3: 500}, Fit())
    assert positions.at(1) == (130, 0.0)
    assert positions.at(3) == (500, 0.0)
    tokens, bound = positions.at(2)
    assert 130 < tokens < 500
    assert 0 < bound < 1
    assert 130 < positions.at(1, words(50))[0] < tokens


def test_a_position_behind_what_is_known_is_estimated_from_there() -> None:
    positions = Positions(cumulated([words(1000), words(100)]), {1: 1200}, Fit())
    tokens, bound = positions.at(2)
    assert tokens == 1300
    assert 0 < bound < 0.1


def test_what_is_uncertain_takes_the_difference() -> None:
    """A stretch that is longer than expected is so for its tools, which providers render in ways of their own."""
    tool = [0.0] * WIDTH
    tool[TOOLS], tool[FACTORS] = 1000.0, 100.0
    fit = Fit()
    learn(fit, words(1000), 1000)
    positions = Positions(cumulated([words(1), tool, words(1000)]), {1: 1, 3: 2301}, fit)
    assert 1150 < positions.at(2)[0] < 1301


def test_a_larger_bound_where_less_is_known() -> None:
    """Inside of a text of which the place is not known well, and before any count."""
    columns = cumulated([words(2000), words(2000)])
    fit = Fit()
    positions = Positions(columns, {1: 2000, 2: 4000}, fit)
    assert positions.at(1, words(1000), 400.0)[1] > positions.at(1, words(1000), 4.0)[1]
    before = Positions(columns, {2: 4000}, fit).at(1)[1]
    for i in range(20):
        learn(fit, words(1000 + 100 * i), 1000 + 100 * i)
    assert Positions(columns, {2: 4000}, fit).at(1)[1] < before


def test_counts_that_contradict_each_other_are_not_all_used() -> None:
    """A count that falls behind an earlier one is of another prompt's making."""
    positions = Positions(cumulated([words(100)] * 3), {1: 400, 2: 200, 3: 500}, Fit())
    assert positions.at(3)[0] == 500
    assert positions.at(1, words(10))[0] >= 400


def test_the_beginning_has_no_tokens() -> None:
    assert Positions(cumulated([]), {}, Fit()).at(0) == (0, 0.0)


def test_a_prompt_shorter_than_expected_hides_nothing() -> None:
    positions = Positions(cumulated([words(10), words(4000)]), {2: 3600}, Fit())
    assert 5 <= positions.at(1)[0] <= 12


def test_tokens_may_be_hidden_where_the_count_does_not_show_them() -> None:
    """A provider that renders tools in few words hides some tokens behind that: the bound allows for these."""
    tool = [0.0] * WIDTH
    tool[TOOLS], tool[FACTORS] = 200.0, 300.0
    positions = Positions(cumulated([tool, words(3000, 4000.0)]), {2: 300 + 150 + 2500}, Fit())
    tokens, bound = positions.at(1)
    assert tokens < 250
    assert bound == 1.0 or abs(tokens - 450) <= bound * tokens


def test_nothing_is_learned_from_nothing() -> None:
    fit = Fit()
    for _ in range(50):
        learn(fit, [0.0] * WIDTH, 100)
        learn(fit, words(10), 0)
        learn(fit, words(10), 10)
    assert not fit.warm


def test_the_hidden_tokens_are_found() -> None:
    fit, rng = Fit(), random.Random(1)
    for _ in range(60):
        tokens = rng.randint(200, 4000)
        learn(fit, words(tokens), 1800 + tokens)
    assert fit.warm
    assert abs(fit.hidden - 1800) < 30


@pytest.mark.parametrize("hidden", [4000, 9000, 20_000])
def test_more_hidden_tokens_than_usual_are_seen_in_the_first_count(hidden: int) -> None:
    """Far more than any text explains: a place in the head lies behind them, within the bound, from the first call."""
    fit = Fit()
    learn(fit, words(3000), hidden + 3000)
    positions = Positions(cumulated([words(1000), words(2000)]), {2: hidden + 3000}, fit)
    tokens, bound = positions.at(1)
    assert tokens == pytest.approx(hidden + 1000, rel=0.1)
    assert abs(tokens - hidden - 1000) <= bound * tokens < 0.5 * tokens


def test_a_head_is_held_to_be_less_like_the_rest_than_other_texts() -> None:
    """What is learned behind a head says nothing of how unusual its few texts are."""
    fit, rng = Fit(), random.Random(5)
    for _ in range(60):
        tokens = rng.randint(200, 4000)
        learn(fit, words(tokens), tokens)
    rows = [words(2000), words(2000)]
    head = Positions(cumulated(rows), {2: 4000}, fit).at(1)[1]
    behind = Positions(cumulated([words(10), *rows]), {1: 10, 3: 4010}, fit).at(2)[1]
    assert head > 1.3 * behind


def test_of_prompts_with_one_head_the_differences_teach() -> None:
    """A head that is unusual says nothing of the texts behind it."""
    fit, rng = Fit(), random.Random(2)
    for _ in range(60):
        behind = rng.randint(100, 1000)
        learn(fit, words(3000 + behind), 3900 + round(1.2 * behind), "talk", "head", shared=3000.0)
    assert fit.weights[WORDS] == pytest.approx(1.2, abs=0.03)


def test_a_count_of_something_else_moves_little() -> None:
    fit, rng = Fit(), random.Random(3)
    for _ in range(60):
        tokens = rng.randint(200, 4000)
        learn(fit, words(tokens), tokens)
    before = fit.means[WORDS]
    learn(fit, words(1000), 90_000)
    assert fit.means[WORDS] == pytest.approx(before, abs=0.05)


def test_counts_that_were_foreseen_are_learned_from_together() -> None:
    """None of them is left out: a difference too small to be noticed in one is found in all."""
    fit, rng = Fit(), random.Random(7)

    def turns(count: int, factor: float) -> int:
        learned = 0
        for _ in range(count):
            behind, before = rng.randint(200, 400), fit.means
            tokens = round(3000 + factor * behind)
            learn(fit, words(3000 + behind, 5000), tokens, "talk", "head", shared=3000 * fit.weights[WORDS])
            learned += fit.means is not before
        return learned

    turns(100, 1.0)
    assert 40 <= turns(400, 1.02) <= 80
    assert fit.means[WORDS] == pytest.approx(1.018, abs=0.004)


def test_the_factors_follow_the_counts_and_are_never_negative() -> None:
    fit, rng = Fit(), random.Random(4)
    for _ in range(40):
        text = Writer(rng.getrandbits(30)).text(rng.randint(5, 60))
        learn(fit, measure(text), 2 * len(tokenize(text)))
    assert fit.warm
    assert min(fit.weights) > 0.0
    assert fit.estimate(measure("Some words and 123 digits.\n")) > weigh("Some words and 123 digits.\n")


def test_what_is_kept_to_compare_with_is_bounded() -> None:
    fit = Fit()
    for i in range(1000):
        learn(fit, words(100), 100, f"talk {i}", f"head {i}")
    assert len(fit._bases) <= 256  # pyright: ignore[reportPrivateUsage]  nothing else tells


def test_fits_are_bounded_and_the_least_recently_used_goes_first() -> None:
    fits = Fits(most=2)
    first = fits.of(b"a")
    fits.of(b"b")
    assert fits.of(b"a") is first
    fits.of(b"c")
    assert fits.of(b"a") is first


@pytest.mark.parametrize(
    "text", ["", "plain words", "x", " \n\t", "日本語のテキスト", "\ud800 lone", "🙂" * 10, "{}[]:,", "-" * 99]
)
def test_any_text_has_a_weight(text: str) -> None:
    assert weigh(text) >= 0.0
    assert (weigh(text) > 0) == bool(text)
    assert all(column >= 0.0 for column in measure(text))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("You are a careful assistant. Answer in at most three paragraphs, and name your sources.", 18),
        ('{"type":"object","properties":{"order_id":{"type":"string"}},"required":["order_id"]}', 21),
        ("def common(a, b):\n    for i, (x, y) in enumerate(zip(a, b)):\n        if x != y:\n", 28),
        ("2026-03-24 14:33:02,123 INFO worker-7 request took 812 ms", 23),
        ("您是一家在线书店的客服助手，请用简洁礼貌的语言回答问题。", 20),  # noqa: RUF001  Chinese
    ],
)
def test_before_any_count_a_text_weighs_about_its_tokens(text: str, tokens: int) -> None:
    """Against counts of o200k; vocabularies differ by as much."""
    assert weigh(text) == pytest.approx(tokens, rel=0.35)


def test_each_script_has_a_column_of_its_own() -> None:
    """A vocabulary that is short of one of them is not short of the others."""
    texts = {
        "accents": "éàüñçø",
        "alphabets": "Проверьте",
        "semitic": "اختبار",
        "east_asian": "検索설정设置",
        "south_asian": "ตรวจสอบ",
        "signs": "→—🙂🚀",
    }
    for name, text in texts.items():
        columns = measure(text)
        found = {COLUMNS[i] for i in range(TOOLS) if columns[i]}
        assert found == {name}, text


def test_digits_count_by_run_and_by_digit() -> None:
    """Some vocabularies have a token for each digit, some for three."""
    few, many = measure("12 " * 100), measure("123456789 " * 100)
    runs, digits = COLUMNS.index("numbers"), COLUMNS.index("digits")
    assert few[runs] == many[runs] > 0
    assert many[digits] == pytest.approx(4.5 * few[digits])


def test_what_is_no_word_weighs_more_than_words() -> None:
    """A file in base64 has a token for each one to two characters, with no space that says so."""
    blob = base64.b64encode(random.Random(6).randbytes(3000)).decode()
    assert 1.3 < len(blob) / weigh(blob) < 1.8
    assert weigh(" SomeCamelCase" * 100) == pytest.approx(100 * weigh(" SomeCamelCase"), rel=0.05)


def test_a_tool_is_one_column_and_an_image_is_not_read() -> None:
    tool, text, image = measure("{}" * 50, "tool"), measure("{}" * 50, "user"), measure("data:" + "A" * 9999, "media")
    assert tool[TOOLS] == pytest.approx(sum(text[:TOOLS]))
    assert not tool[SEGMENTS]
    assert text[SEGMENTS]
    assert sum(image[:FACTORS]) == image[MEDIA] == MEDIA_TOKENS
    assert image[FACTORS] > 0


def test_inside_of_a_text_the_tokens_are_of_what_stands_there() -> None:
    """Short lines first, and long ones behind: most of the lines are not most of the text."""
    rng = random.Random(8)
    short = [f"- {rng.choice('abcdefgh')}\n" for _ in range(300)]
    long = [f"{Writer(i).text(4)[:250]}\n" for i in range(40)]
    sent = "".join((*short, *long))
    later = "".join((*short, *long[:20], "Something else.\n", *long[20:]))
    first = {"role": "system", "content": "Answer."}
    reports = analyze(
        {
            "at": 1_780_000_000 + 10 * i,
            "provider": "openai",
            "api": "chat.completions",
            "request": {"model": "gpt-4o", "messages": [first, {"role": "user", "content": text}]},
            "usage": {"prompt_tokens": len(tokenize(text)) + 10, "prompt_tokens_details": {"cached_tokens": 0}},
            "first_byte_s": 1.0,
        }
        for i, text in enumerate((sent, later))
    )
    verdict = reports[1].cache
    truth = len(tokenize("".join((*short, *long[:20]))))
    assert verdict.tokens_error is not None
    assert verdict.expected_tokens is not None
    assert truth - 128 - 0.05 * truth <= verdict.expected_tokens <= 1.05 * truth
    assert abs(verdict.expected_tokens - truth) <= verdict.tokens_error * truth + 128
