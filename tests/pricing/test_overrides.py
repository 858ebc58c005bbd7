"""The user's price file: what it can say, that it wins, and that a fault in it is told by line."""

import logging
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llm_observer.pricing.price_file import parse_prices, read_prices
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.rates import PRICE_NAMES
from llm_observer.pricing.suggestion import entry_to_fill_in
from llm_observer.results import CostEstimate
from llm_observer.usage import Usage

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAIN = Usage(input_tokens=10_000, output_tokens=1_000)


def loaded(tmp_path: Path, text: str) -> Prices:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    prices = Prices(path)
    assert prices.wait(60)
    return prices


def usd(prices: Prices, model: str, usage: Usage = PLAIN, provider: str = "openai", **terms: Any) -> CostEstimate:
    terms.setdefault("at", NOON)
    return prices.estimate(provider=provider, model=model, usage=usage, **terms)


class TestEntries:
    """What an entry can say."""

    def test_a_model_that_nobody_lists(self, tmp_path: Path) -> None:
        """2,000 x 2 + 8,000 x 0.10 + 1,000 x 10, and the source says whose price it is."""
        prices = loaded(
            tmp_path,
            '[[price]]\nprovider = "openai"\nmodel = "gpt-6.2-sol"\ninput = 2\ncache_read = 0.1\noutput = 10\n',
        )
        usage = Usage(input_tokens=10_000, output_tokens=1_000, cache_read_tokens=8_000)
        estimate = usd(prices, "GPT-6.2-Sol", usage)
        assert (estimate.usd, estimate.source) == (Decimal("0.0148"), "overrides")
        assert estimate.saved_usd == Decimal("0.0152")

    def test_it_wins_over_the_list(self, tmp_path: Path) -> None:
        """Also over our own corrections."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "openai"
model = "gpt-4o"
input = 1
output = 1
[[price]]
provider = "deepseek"
model = "deepseek-chat"
input = 1
output = 1
""",
        )
        assert usd(prices, "gpt-4o").usd == Decimal("0.011")
        assert usd(prices, "deepseek-chat", provider="deepseek").usd == Decimal("0.011")

    def test_a_discount_on_everything(self, tmp_path: Path) -> None:
        """A multiplier alone is on the list price of whatever tier, not on fees by the request."""
        prices = loaded(tmp_path, '[[price]]\nprovider = "*"\nmodel = "*"\nmultiplier = 0.8\n')
        assert usd(prices, "gpt-4o").usd == Decimal("0.028")
        assert usd(prices, "gpt-5", service_tier="flex").usd == Decimal("0.009")
        searched = Usage(input_tokens=0, output_tokens=0, web_search_requests=1)
        assert usd(prices, "claude-opus-5", searched, "anthropic").usd == Decimal("0.01")
        assert usd(prices, "gpt-6.2-sol") == CostEstimate(reason="unknown_model")

    def test_a_price_is_for_its_tier(self, tmp_path: Path) -> None:
        """Standard when none is named; another tier keeps its list price."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "openai"
model = "gpt-6-sol"
tier = "ultrafast"
input = 10
output = 50
""",
        )
        assert usd(prices, "gpt-6-sol", service_tier="ultrafast").usd == Decimal("0.15")
        assert usd(prices, "gpt-6-sol").usd == Decimal("0.03")

    def test_days(self, tmp_path: Path) -> None:
        """From a day on, until another; outside of them the list holds."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "openai"
model = "gpt-4o"
from = 2026-11-01
until = 2026-12-01
input = 1
output = 1
[[price]]
provider = "openai"
model = "gpt-4o"
from = 2026-11-15
input = 2
output = 2
""",
        )
        costs = [
            usd(prices, "gpt-4o", at=datetime(2026, *day, tzinfo=UTC)).usd for day in ((10, 31), (11, 1), (11, 20))
        ]
        assert costs == [Decimal("0.035"), Decimal("0.011"), Decimal("0.022")]

    def test_steps_by_prompt_length(self, tmp_path: Path) -> None:
        """What a step does not name stays as below it."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "openai"
model = "gpt-7"
input = 1
cache_read = 0.1
output = 10
[[price.above]]
tokens = 5000
input = 2
[[price.above]]
tokens = 9999
output = 20
""",
        )
        costs = [usd(prices, "gpt-7", Usage(input_tokens=n, output_tokens=1_000)).usd for n in (5_000, 5_001, 10_000)]
        assert costs == [Decimal("0.015"), Decimal("0.020002"), Decimal("0.04")]

    def test_a_price_that_is_known_up_to_a_length(self, tmp_path: Path) -> None:
        """Beyond `most_tokens` there is none, of an entry's own or of the list's."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "openai"
model = "gpt-7"
input = 1
output = 0
most_tokens = 5000
[[price.above]]
tokens = 9000
input = 2
[[price]]
provider = "openai"
model = "gpt-5.4"
most_tokens = 300000
""",
        )
        assert usd(prices, "gpt-7", Usage(input_tokens=5_000, output_tokens=0)).usd == Decimal("0.005")
        assert usd(prices, "gpt-7", Usage(input_tokens=9_001, output_tokens=0)).reason == "unknown_rate"
        assert usd(prices, "gpt-5.4", Usage(input_tokens=300_000, output_tokens=0)).usd == Decimal("1.5")
        assert usd(prices, "gpt-5.4", Usage(input_tokens=300_001, output_tokens=0)).reason == "unknown_rate"

    def test_the_exact_entry_wins(self, tmp_path: Path) -> None:
        """A name over a pattern, a longer pattern over a shorter one, whatever their order."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "openai"
model = "acme-large"
input = 1
output = 0
[[price]]
provider = "openai"
model = "acme-*"
input = 2
output = 0
[[price]]
provider = "openai"
model = "acme-l*"
input = 3
output = 0
""",
        )
        costs = [usd(prices, model).usd for model in ("acme-large", "acme-small", "acme-little")]
        assert costs == [Decimal("0.01"), Decimal("0.02"), Decimal("0.03")]

    def test_reasoning_images_and_audio(self, tmp_path: Path) -> None:
        """Each kind at its own price, inside the whole that it is part of."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "acme"
model = "omni"
input = 1
input_image = 2
input_audio = 4
output = 10
reasoning = 20
output_image = 30
output_audio = 40
""",
        )
        usage = Usage(
            input_tokens=10_000,
            input_image_tokens=1_000,
            input_audio_tokens=2_000,
            output_tokens=1_000,
            reasoning_tokens=100,
            output_image_tokens=200,
            output_audio_tokens=300,
        )
        # 7,000 x 1 + 1,000 x 2 + 2,000 x 4, and 400 x 10 + 100 x 20 + 200 x 30 + 300 x 40
        assert usd(prices, "omni", usage, "acme").usd == Decimal("0.041")
        cached = Usage(
            input_tokens=9, output_tokens=0, input_audio_tokens=9, cache_read_tokens=9, cache_read_audio_tokens=9
        )
        assert usd(prices, "omni", cached, "acme").reason == "unknown_rate"

    def test_a_missing_rate_can_be_added(self, tmp_path: Path) -> None:
        """`extends` leaves the rest to the list, steps and all."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "openai"
model = "gpt-5.6-*"
extends = true
times_input = { cache_write_12h = 2 }
""",
        )
        usage = Usage(input_tokens=10_000, output_tokens=0, cache_write_tokens=10_000, cache_write_12h_tokens=10_000)
        assert usd(prices, "gpt-5.6-sol", usage).usd == Decimal("0.08")
        assert usd(prices, "gpt-5.6-sol", usage, service_tier="flex").usd == Decimal("0.04")
        assert usd(prices, "gpt-5.9", usage) == CostEstimate(reason="unknown_model")

    def test_a_price_that_is_known_to_be_wrong(self, tmp_path: Path) -> None:
        """`absent` takes a price away, and says why."""
        prices = loaded(tmp_path, '[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\nabsent = "unknown_rate"\n')
        assert usd(prices, "gpt-4o") == CostEstimate(reason="unknown_rate")

    def test_either_name_of_a_provider(self, tmp_path: Path) -> None:
        """OpenTelemetry's name is for that provider alone, the price list's for all that it stands for."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "google"
model = "gemini-9"
input = 1
output = 1
[[price]]
provider = "gcp.vertex_ai"
model = "gemini-9-pro"
input = 1
output = 1
""",
        )
        assert usd(prices, "gemini-9", provider="gcp.gemini").usd == Decimal("0.011")
        assert usd(prices, "gemini-9-pro", provider="gcp.vertex_ai").usd == Decimal("0.011")
        assert usd(prices, "gemini-9-pro", provider="gcp.gemini").reason == "unknown_model"

    def test_own_prices_hold_wherever_it_ran(self, tmp_path: Path) -> None:
        """What the user pays is not multiplied by the place; a discount on the list is."""
        prices = loaded(
            tmp_path,
            """
[[price]]
provider = "azure.ai.openai"
model = "my-deployment"
input = 1
output = 1
multiplier = 1.1
[[price]]
provider = "anthropic"
model = "*"
multiplier = 0.5
""",
        )
        azure = usd(prices, "my-deployment", provider="azure.ai.openai", inference_geo="eu")
        assert azure.usd == Decimal("0.0121")
        assert usd(prices, "claude-opus-5", provider="anthropic", inference_geo="us").usd == Decimal("0.04125")


BASE = '[[price]]\nprovider = "openai"\nmodel = "m"\n'

FAULTS = [
    ("input = [", "not TOML:"),
    ('[price]\nprovider = "x"\n', "entries are written [[price]], with two brackets"),
    ("[[prices]]\n", "line 1: unknown key 'prices' outside of [[price]]: did you mean 'price'?"),
    (BASE + "input = 1\noutptu = 2\n", "line 5: entry 1: unknown key 'outptu': did you mean 'output'?"),
    ('[[price]]\nmodel = "m"\ninput = 1\n', "line 1: entry 1: 'provider' is missing"),
    ("\n" + BASE, "line 2: entry 1: has neither a price nor a multiplier"),
    (BASE + "output = 1\n", "line 1: entry 1: 'input' is missing"),
    (BASE + "input = -1\n", "line 4: entry 1: 'input' has to be a number, zero or more"),
    (BASE + 'input = "1"\n', "line 4: entry 1: 'input' has to be a number"),
    (BASE + "input = true\n", "line 4: entry 1: 'input' has to be a number"),
    (BASE + "input = nan\n", "line 4: entry 1: 'input' has to be a number"),
    (BASE + "input = inf\n", "line 4: entry 1: 'input' has to be a number"),
    (BASE + 'input = 1\nfrom = "2026-11-22"\n', "line 5: entry 1: 'from' has to be a day"),
    (BASE + "input = 1\nfrom = 2026-11-22T00:00:00\n", "line 5: entry 1: 'from' has to be a day"),
    (BASE + "input = 1\nfrom = 2026-11-22\nuntil = 2026-11-22\n", "line 6: entry 1: 'until' is not after 'from'"),
    (BASE + "input = 1\ntier = 5\n", "line 5: entry 1: 'tier' has to be a text"),
    (BASE + "input = 1\nextends = 1\n", "line 5: entry 1: 'extends' has to be true or false"),
    (BASE + 'multiplier = 0.5\nof = "flex"\n', "line 5: entry 1: 'of' can only be \"standard\""),
    (BASE + "input = 1\nmost_tokens = 0\n", "line 5: entry 1: 'most_tokens' has to be a count"),
    (BASE + 'absent = "no idea"\n', "line 4: entry 1: 'absent' can only be one of unknown_date"),
    (BASE + "times_input = 2\n", "line 4: entry 1: 'times_input' is a table of prices"),
    (BASE + "times_input = { output = 2 }\n", "line 4: entry 1: 'times_input' needs extends = true"),
    (BASE + "input = 1\nabove = 5\n", "line 5: entry 1: steps are written [[price.above]]"),
    (BASE + "input = 1\n[[price.above]]\ninput = 2\n", "entry 1: 'tokens' of [[price.above]] has to be a count"),
    (BASE + "input = 1\n[[price.above]]\ntokens = 5\n", "line 6: entry 1: a step needs prices"),
    (
        BASE + "input = 1\n[[price.above]]\ntokens = 5\ninptu = 2\n",
        "line 7: entry 1: unknown key 'inptu' in [[price.above]]: did you mean 'input'?",
    ),
    (
        BASE + "input = 1\n[[price.above]]\ntokens = 5\ninput = 2\n[[price.above]]\ntokens = 5\ninput = 3\n",
        "'tokens' of [[price.above]] has to be a count, larger in each step",
    ),
    (BASE + "input = 1\n" + BASE + "input = oops\n", "not TOML:"),
    (BASE + "input = 1\n" + BASE + "inputs = 1\n", "line 8: entry 2: unknown key 'inputs'"),
    ("a = " + "[" * 100_000, "not TOML: nested too deep"),
]


@pytest.mark.parametrize(("text", "problem"), FAULTS, ids=[problem for _, problem in FAULTS])
def test_a_fault_is_told_by_line(text: str, problem: str) -> None:
    """A fault names its line, its entry and how to mend it, and no entry of the file is used."""
    parsed = parse_prices(text)
    assert parsed.entries == ()
    assert any(problem in line for line in parsed.problems), parsed.problems


def test_all_faults_are_told_at_once() -> None:
    """A file is mended in one go."""
    assert len(parse_prices(BASE + "outptu = 1\ninput = -1\n" + '[[price]]\nprovider = ""\n').problems) >= 4


@pytest.mark.parametrize("model", ["gpt-6.2-sol", 'a"b\\c', "\u00e9\x7f\n"])
def test_an_entry_to_fill_in(model: str) -> None:
    """What a report suggests is an entry of the file as soon as the prices are filled in, whatever the name."""
    text = entry_to_fill_in("openai", model, "flex")
    assert "has neither a price nor a multiplier" in parse_prices(text).problems[0]
    parsed = parse_prices(text.replace("# input = ", "input = 2"))
    assert parsed.problems == ()
    assert (parsed.entries[0].model, parsed.entries[0].tier) == (model.lower(), "flex")
    assert "tier" not in entry_to_fill_in("openai", model, "standard")


def test_the_documented_file_is_valid() -> None:
    """The example in the docs is one that works, and the docs name every key."""
    text = (Path(__file__).parents[2] / "docs" / "pricing.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    parsed = parse_prices(example)
    assert parsed.problems == ()
    assert len(parsed.entries) == 5
    for name in (
        *PRICE_NAMES,
        "multiplier",
        "extends",
        "times_input",
        "most_tokens",
        "tier",
        "from",
        "until",
        "absent",
    ):
        assert f"`{name}" in text


class TestFiles:
    """The file itself."""

    def test_a_bad_file_is_one_clear_error(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """Prices work without the overrides, and the log says why, once."""
        with caplog.at_level(logging.WARNING, logger="llm_observer"):
            prices = loaded(tmp_path, BASE + "input = -1\n[[price]]\n")
        assert usd(prices, "gpt-4o").usd == Decimal("0.035")
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "line 4: entry 1: 'input' has to be a number" in caplog.text
        assert prices.problems

    def test_missing(self, tmp_path: Path) -> None:
        """A file that is not there is told like any other fault."""
        problems = read_prices(tmp_path / "none.toml").problems
        assert len(problems) == 1
        assert problems[0].endswith("none.toml: cannot be read: No such file or directory")

    def test_not_text(self, tmp_path: Path) -> None:
        """Bytes that are no text are told."""
        path = tmp_path / "prices.toml"
        path.write_bytes(b"\xff\xfe\x00")
        assert read_prices(path).problems[0].endswith("is not UTF-8 text")

    def test_too_large(self, tmp_path: Path) -> None:
        """A file that cannot be a price list is not read into memory."""
        path = tmp_path / "prices.toml"
        path.write_bytes(b"#" * 1_000_001)
        assert "larger than" in read_prices(path).problems[0]

    def test_with_a_byte_order_mark(self, tmp_path: Path) -> None:
        """As some editors write it."""
        path = tmp_path / "prices.toml"
        path.write_text(BASE + "input = 1\noutput = 1\n", encoding="utf-8-sig")
        assert len(read_prices(path).entries) == 1

    def test_an_empty_file(self) -> None:
        """Nothing to say is not a fault."""
        assert parse_prices("").problems == ()
