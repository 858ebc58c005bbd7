"""Where the price is not known the cost is absent, with the reason; it is never zero and never another tier's."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from llm_observer.pricing.estimate import default_prices, estimate_cost
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.terms import call_terms
from llm_observer.results import CostEstimate
from llm_observer.usage import IteratedUsage, Iteration, Usage

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAIN = Usage(input_tokens=10_000, output_tokens=1_000)
CACHED = Usage(input_tokens=10_000, output_tokens=1_000, cache_read_tokens=8_000)
AUDIO = Usage(input_tokens=1_000, output_tokens=100, input_audio_tokens=800)


def with_noon(terms: dict[str, Any]) -> dict[str, Any]:
    return {"at": NOON, **terms}


def written(**lifetimes: Any) -> Usage:
    return Usage(input_tokens=10_000, output_tokens=1_000, cache_write_tokens=8_000, **lifetimes)


ABSENT: list[tuple[str, str, str, Usage, dict[str, Any], str]] = [
    ("provider that nobody lists", "acme", "gpt-4o", PLAIN, {}, "unknown_provider"),
    ("provider that looks like one", "my-openai-proxy", "gpt-4o", PLAIN, {}, "unknown_provider"),
    ("a provider without prices", "ibm.watsonx.ai", "granite-4", PLAIN, {}, "unknown_provider"),
    ("model without a price", "openai", "gpt-6.2-sol", PLAIN, {}, "unknown_model"),
    ("a router's name of a model", "openai", "openai/gpt-4o", PLAIN, {}, "unknown_model"),
    ("no model", "openai", "", PLAIN, {}, "unknown_model"),
    ("a model's name of absurd length", "openai", "x" * 600, PLAIN, {}, "unknown_model"),
    ("an Azure deployment", "azure.ai.openai", "my-team-chat", PLAIN, {}, "unknown_model"),
    ("a fine-tune that would pass for its base", "openai", "ft:gpt-4-0613:acme::a", PLAIN, {}, "unknown_model"),
    (
        "an application inference profile",
        "aws.bedrock",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
        PLAIN,
        {},
        "unknown_model",
    ),
    ("Bedrock's response, without its region", "aws.bedrock", "claude-opus-4-5-20251101", PLAIN, {}, "unknown_geo"),
    ("a tier that nobody lists", "openai", "gpt-6-sol", PLAIN, {"service_tier": "ultrafast"}, "unknown_tier"),
    ("scale tier", "openai", "gpt-5", PLAIN, {"service_tier": "scale"}, "unknown_tier"),
    ("committed capacity", "anthropic", "claude-opus-5", PLAIN, {"service_tier": "priority"}, "unknown_tier"),
    ("a tier asked for, not served", "openai", "gpt-5", PLAIN, {"service_tier": "auto"}, "unknown_tier"),
    ("flex on a model without it", "openai", "gpt-4o", PLAIN, {"service_tier": "flex"}, "unknown_tier"),
    ("flex of Gemini", "gcp.gemini", "gemini-3.8-flash", PLAIN, {"service_tier": "flex"}, "unknown_tier"),
    ("priority on Azure", "azure.ai.openai", "gpt-5", PLAIN, {"service_tier": "priority"}, "unknown_tier"),
    ("batch on Azure", "azure.ai.openai", "gpt-5", PLAIN, {"batch": True}, "unknown_tier"),
    ("batch on Vertex AI", "gcp.vertex_ai", "claude-opus-5", PLAIN, {"batch": True}, "unknown_tier"),
    ("a batch at flex", "openai", "gpt-5", PLAIN, {"batch": True, "service_tier": "flex"}, "unknown_tier"),
    ("a fast batch", "anthropic", "claude-opus-5", PLAIN, {"batch": True, "speed": "fast"}, "unknown_tier"),
    ("fast on a model without it", "anthropic", "claude-sonnet-5", PLAIN, {"speed": "fast"}, "unknown_tier"),
    (
        "a tier before its price is recorded",
        "openai",
        "gpt-5",
        PLAIN,
        {"service_tier": "flex", "at": datetime(2026, 10, 11, tzinfo=UTC)},
        "unknown_tier",
    ),
    (
        "a tier whose price stops at a prompt length",
        "openai",
        "gpt-5.4",
        Usage(input_tokens=272_001, output_tokens=1_000),
        {"service_tier": "priority"},
        "unknown_rate",
    ),
    (
        "a model whose price does",
        "openai",
        "gpt-5.6-cyber",
        Usage(input_tokens=272_001, output_tokens=0),
        {},
        "unknown_rate",
    ),
    ("a place that has no price", "anthropic", "claude-opus-5", PLAIN, {"inference_geo": "mars"}, "unknown_geo"),
    (
        "a place on a model older than places",
        "anthropic",
        "claude-opus-4-5",
        PLAIN,
        {"inference_geo": "us"},
        "unknown_geo",
    ),
    ("an Azure data zone", "azure.ai.openai", "gpt-4o", PLAIN, {"inference_geo": "eu"}, "unknown_geo"),
    ("cached tokens without a cached rate", "openai", "gpt-4o-2024-05-13", CACHED, {}, "unknown_rate"),
    ("cached in a batch without a rate for it", "openai", "gpt-4.1", CACHED, {"batch": True}, "unknown_rate"),
    (
        "a 12-hour write without a rate",
        "openai",
        "gpt-5.6-sol",
        written(cache_write_12h_tokens=8_000),
        {},
        "unknown_rate",
    ),
    (
        "a one-hour write without a rate",
        "aws.bedrock",
        "global.anthropic.claude-sonnet-4-20250514-v1:0",
        written(cache_write_1h_tokens=8_000),
        {},
        "unknown_rate",
    ),
    ("audio without a rate", "openai", "gpt-4o", AUDIO, {}, "unknown_rate"),
    (
        "audio without a rate for output",
        "openai",
        "gpt-4o",
        Usage(input_tokens=1, output_tokens=9, output_audio_tokens=9),
        {},
        "unknown_rate",
    ),
    (
        "cached audio that is not told apart",
        "gcp.gemini",
        "gemini-2.5-flash",
        Usage(input_tokens=1_000, output_tokens=1, cache_read_tokens=500, input_audio_tokens=600),
        {},
        "unknown_rate",
    ),
    (
        "cached images that are not told apart",
        "openai",
        "gpt-realtime",
        Usage(input_tokens=1_000, output_tokens=1, cache_read_tokens=500, input_image_tokens=600),
        {},
        "unknown_rate",
    ),
    (
        "searches without a fee",
        "openai",
        "gpt-3.5-turbo",
        Usage(input_tokens=1, output_tokens=1, web_search_requests=1),
        {},
        "unknown_rate",
    ),
    ("billed by the minute", "openai", "whisper-1", PLAIN, {}, "unknown_rate"),
    ("an embedding that has output", "openai", "text-embedding-3-small", PLAIN, {}, "unknown_rate"),
    ("a name whose price is another's", "deepseek", "deepseek-chat", PLAIN, {}, "unknown_date"),
    ("an alias that moved", "mistral_ai", "mistral-large-latest", PLAIN, {}, "unknown_date"),
    (
        "a time whose price is not recorded",
        "anthropic",
        "claude-sonnet-5-5",
        PLAIN,
        {"at": datetime(2026, 10, 6, tzinfo=UTC)},
        "unknown_date",
    ),
    (
        "a peak hour beyond the calendar of holidays",
        "deepseek",
        "deepseek-v4-pro",
        PLAIN,
        {"at": datetime(2027, 1, 4, 2, tzinfo=UTC)},
        "unknown_date",
    ),
    ("no output reported", "openai", "gpt-4o", Usage(input_tokens=10), {}, "incomplete_usage"),
    ("no input reported", "openai", "gpt-4o", Usage(output_tokens=10), {}, "incomplete_usage"),
    (
        "cached above the prompt",
        "openai",
        "gpt-4o",
        Usage(input_tokens=1, output_tokens=1, cache_read_tokens=2),
        {},
        "invalid_usage",
    ),
    ("a tier that is not a text", "openai", "gpt-4o", PLAIN, {"service_tier": ["flex"]}, "invalid_terms"),
    ("a tier that is a number", "openai", "gpt-4o", PLAIN, {"service_tier": 1}, "invalid_terms"),
    ("a time that is none", "openai", "gpt-4o", PLAIN, {"at": float("nan")}, "invalid_terms"),
    ("a time out of any calendar", "openai", "gpt-4o", PLAIN, {"at": 1e18}, "invalid_terms"),
]


@pytest.mark.parametrize(
    ("provider", "model", "usage", "terms", "reason"), [row[1:] for row in ABSENT], ids=[row[0] for row in ABSENT]
)
def test_absent_with_a_reason(
    prices: Prices, provider: str, model: str, usage: Usage, terms: dict[str, Any], reason: str
) -> None:
    """An unknown price is no price: no dollars, no saving, no source, one machine-readable reason."""
    estimate = prices.estimate(provider=provider, model=model, usage=usage, **with_noon(terms))
    assert estimate == CostEstimate(reason=reason)


def test_no_usage(prices: Prices) -> None:
    """A stream without usage, or one that was cut off, has no cost."""
    assert prices.estimate(provider="openai", model="gpt-4o", usage=None) == CostEstimate(reason="no_usage")


def test_an_empty_prompt_costs_nothing(prices: Prices) -> None:
    """Zero that was reported is a figure like any other."""
    usage = Usage(input_tokens=0, output_tokens=0)
    assert prices.estimate(provider="openai", model="gpt-4o", usage=usage).usd == 0


def test_a_bill_needs_no_price(prices: Prices) -> None:
    """What the provider says it billed stands, whatever else is known; the saving needs a price."""
    usage = Usage(input_tokens=1, output_tokens=1, cache_read_tokens=9, reported_cost_usd=Decimal("0.5"))
    estimate = prices.estimate(provider="openrouter", model="acme/unheard-of", usage=usage)
    assert estimate == CostEstimate(usd=Decimal("0.5"), source="provider")


def test_iterations_without_their_counts_have_no_cost(prices: Prices) -> None:
    """Runs on the side that cannot be read, or that another model's failed attempt was part of, are not guessed."""
    for iterations in (
        [{"type": "compaction", "input_tokens": "many"}],
        [{"type": "message", "input_tokens": 1, "output_tokens": 1}, {"type": "fallback_message", "model": "m"}],
    ):
        raw = {"input_tokens": 10, "output_tokens": 1, "iterations": iterations}
        usage = Usage.from_provider("anthropic", "messages", raw)
        estimate = prices.estimate(provider="anthropic", model="claude-opus-5", usage=usage)
        assert estimate.reason == "separate_iterations"


def test_iterations_of_an_unknown_model_have_no_cost(prices: Prices) -> None:
    """One run without a price leaves the sum unknown."""
    entry = {"input_tokens": 1, "output_tokens": 1}
    raw = {
        **entry,
        "iterations": [{"type": "message", **entry}, {"type": "advisor_message", "model": "claude-next", **entry}],
    }
    usage = Usage.from_provider("anthropic", "messages", raw)
    estimate = prices.estimate(provider="anthropic", model="claude-opus-5", usage=usage)
    assert estimate == CostEstimate(reason="unknown_model")


class TestTerms:
    """What was asked and what was served decide the price."""

    def test_azure_is_priced_by_what_answered(self) -> None:
        """A deployment's name says nothing, even when it looks like a model."""
        assert (
            call_terms(provider="azure.ai.openai", request_model="gpt-4", response_model="gpt-4o")["model"] == "gpt-4o"
        )
        assert call_terms(provider="azure.ai.openai", request_model="gpt-4")["model"] is None

    def test_bedrock_is_priced_by_what_was_asked_for(self) -> None:
        """The inference profile names the region, the response does not."""
        terms = call_terms(provider="aws.bedrock", request_model="us.anthropic.claude-x", response_model="claude-x")
        assert terms["model"] == "us.anthropic.claude-x"

    def test_a_speed_asked_for_stands_when_the_usage_is_silent(self) -> None:
        """The usage's own word wins over the request's."""
        request = {"speed": "fast"}
        assert call_terms(provider="anthropic", request_model="m", request=request).get("speed") == "fast"
        served = call_terms(provider="anthropic", request_model="m", request=request, raw_usage={"speed": "standard"})
        assert served.get("speed") == "standard"

    def test_odd_payloads_do_not_raise(self) -> None:
        """A provider's field of another type is not there."""
        raw: dict[str, Any] = {"service_tier": 3, "speed": ["fast"], "inference_geo": {}}
        terms = call_terms(provider="anthropic", request_model="m", raw_usage=raw, server_address="x.example")
        assert (terms.get("service_tier"), terms.get("speed"), terms.get("inference_geo")) == (None, None, None)


class TestEstimateCost:
    """The public function."""

    def test_takes_our_names(self) -> None:
        """A mapping of `Usage`'s names, and a `Usage`, cost the same."""
        mapping: dict[str, Any] = {"input_tokens": 10_000, "output_tokens": 1_000, "cache_read_tokens": 8_000}
        by_mapping = estimate_cost(provider="openai", model="gpt-4o", usage=mapping, at=NOON)
        assert by_mapping.usd == Decimal("0.025")
        assert by_mapping == estimate_cost(provider="openai", model="gpt-4o", usage=Usage(**mapping), at=NOON)

    @pytest.mark.parametrize(
        "usage",
        [
            {"prompt_tokens": 5},
            {"input_tokens": -1, "output_tokens": 0},
            {"input_tokens": "5", "output_tokens": 0},
            {"input_tokens": True, "output_tokens": 0},
            {"input_tokens": 5, "output_tokens": 1, "cache_read_tokens": 6},
            {"input_tokens": 5, "output_tokens": 1, "reported_cost_usd": "free"},
            {"input_tokens": 5, "output_tokens": 1, "cache_write_1h_tokens": 3},
            Usage(input_tokens=1, output_tokens=1, reasoning_tokens=2),
            Usage(input_tokens=-1, output_tokens=1),
            Usage(input_tokens="5", output_tokens=1),  # pyright: ignore[reportArgumentType]
            [("input_tokens", 5)],
            "5 tokens",
            5,
        ],
    )
    def test_invalid_usage(self, usage: Any) -> None:
        """A provider's own names, odd values and contradictions are told, not guessed at."""
        assert estimate_cost(provider="openai", model="gpt-4o", usage=usage) == CostEstimate(reason="invalid_usage")

    def test_no_usage_at_all(self) -> None:
        """What `Usage.from_provider` gives for a body without counts."""
        assert estimate_cost(provider="openai", model="gpt-4o", usage=None) == CostEstimate(reason="no_usage")

    @pytest.mark.parametrize(
        ("terms", "reason"),
        [
            ({"provider": None}, "invalid_terms"),
            ({"provider": ""}, "unknown_provider"),
            ({"provider": 3}, "invalid_terms"),
            ({"provider": ["openai"]}, "invalid_terms"),
            ({"model": None}, "unknown_model"),
            ({"model": 3}, "invalid_terms"),
            ({"model": "x" * 10_000}, "unknown_model"),
            ({"service_tier": 3}, "invalid_terms"),
            ({"service_tier": "auto"}, "unknown_tier"),
            ({"service_tier": "scale"}, "unknown_tier"),
            ({"service_tier": "flex", "batch": True}, "unknown_tier"),
            ({"batch": "yes"}, "invalid_terms"),
            ({"batch": None}, "invalid_terms"),
            ({"speed": {}}, "invalid_terms"),
            ({"inference_geo": "mars"}, "unknown_geo"),
            ({"inference_geo": 4}, "invalid_terms"),
            ({"at": "yesterday"}, "invalid_terms"),
            ({"at": float("nan")}, "invalid_terms"),
            ({"at": 1e20}, "invalid_terms"),
            ({"at": date(2026, 1, 1)}, "invalid_terms"),
        ],
    )
    def test_never_raises_for_terms_of_another_type(self, terms: dict[str, Any], reason: str) -> None:
        """Each says in a word what is wrong with it."""
        given: dict[str, Any] = {"provider": "openai", "model": "gpt-4o", "usage": PLAIN, "at": NOON, **terms}
        assert estimate_cost(**given) == CostEstimate(reason=reason)

    @pytest.mark.parametrize("terms", [{"provider": "OpenAI"}, {"model": "GPT-4o"}, {"service_tier": "standard_only"}])
    def test_spellings_of_the_usual(self, terms: dict[str, Any]) -> None:
        """Capitals do not matter; a call that asked for no priority was served as usual."""
        given: dict[str, Any] = {"provider": "openai", "model": "gpt-4o", "usage": PLAIN, "at": NOON, **terms}
        assert estimate_cost(**given).usd == estimate_cost(provider="openai", model="gpt-4o", usage=PLAIN, at=NOON).usd

    def test_a_home_that_is_nobodys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A path of overrides that cannot be is a problem of the overrides, not of the caller."""
        monkeypatch.setenv("LLM_OBSERVER_PRICES", "~no-such-user-here/prices.toml")
        default_prices.cache_clear()
        try:
            estimate = estimate_cost(provider="openai", model="gpt-4o", usage=PLAIN, at=NOON)
            assert default_prices().problems
        finally:
            default_prices.cache_clear()
        assert estimate.usd is not None

    def test_reads_the_overrides_of_the_environment(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        """`LLM_OBSERVER_PRICES` names a file that wins over the list."""
        path = tmp_path / "prices.toml"
        path.write_text('[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 1\noutput = 1\n')
        monkeypatch.setenv("LLM_OBSERVER_PRICES", str(path))
        default_prices.cache_clear()
        try:
            estimate = estimate_cost(provider="openai", model="gpt-4o", usage=PLAIN, at=NOON)
        finally:
            default_prices.cache_clear()
        assert estimate == CostEstimate(usd=Decimal("0.011"), source="overrides")


def test_a_bill_beside_contradictory_counts(prices: Prices) -> None:
    """The bill stands; nothing is worked out from counts that contradict each other."""
    usage = Usage(input_tokens=1, output_tokens=1, cache_read_tokens=9, reported_cost_usd=Decimal("0.5"))
    estimate = prices.estimate(provider="openai", model="gpt-4o", usage=usage)
    assert estimate == CostEstimate(usd=Decimal("0.5"), source="provider")


def test_a_contradictory_iteration_has_no_cost(prices: Prices) -> None:
    """One run that cannot be makes the sum unknown."""
    runs = (
        Iteration(model=None, usage=Usage(input_tokens=1, output_tokens=1)),
        Iteration(model=None, usage=Usage(input_tokens=1, output_tokens=1, cache_read_tokens=2)),
    )
    usage = IteratedUsage.of(Usage(input_tokens=2, output_tokens=2), runs)
    estimate = prices.estimate(provider="anthropic", model="claude-opus-5", usage=usage)
    assert estimate == CostEstimate(reason="invalid_usage")
