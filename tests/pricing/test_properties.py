"""What holds for every usage and every model: the laws of the arithmetic, and that no payload breaks it."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_observer.pricing.prices import Prices
from llm_observer.usage import Usage

AT = 1795176000.0
"""2026-11-20 12:00 UTC."""

MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-5.6-sol"),
    ("openai", "gpt-6.1-terra"),
    ("anthropic", "claude-opus-4-5"),
    ("anthropic", "claude-fable-5-1"),
    ("anthropic", "claude-haiku-5-5"),
    ("gcp.gemini", "gemini-2.5-pro"),
    ("x_ai", "grok-4.3"),
]

laws = settings(settings.get_profile("pricing"), suppress_health_check=[HealthCheck.function_scoped_fixture])
models = st.sampled_from(MODELS)
tokens = st.integers(0, 400_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """A usage whose parts fit their wholes."""
    read, write, plain, out = draw(tokens), draw(tokens), draw(tokens), draw(tokens)
    return Usage(
        input_tokens=read + write + plain,
        output_tokens=out,
        cache_read_tokens=read,
        cache_write_tokens=write,
        reasoning_tokens=draw(st.integers(0, out)),
    )


def cost(prices: Prices, model: tuple[str, str], usage: Usage) -> tuple[Decimal, Decimal]:
    estimate = prices.estimate(provider=model[0], model=model[1], usage=usage, at=AT)
    assert estimate.usd is not None
    assert estimate.saved_usd is not None
    return estimate.usd, estimate.saved_usd


@laws
@given(model=models, usage=usages(), more=st.integers(0, 50_000))
def test_more_of_anything_never_costs_less(prices: Prices, model: tuple[str, str], usage: Usage, more: int) -> None:
    """The cost is monotone in each bucket, over the steps of long context too."""
    base, _ = cost(prices, model, usage)
    longer = (usage.input_tokens or 0) + more
    for grown in (
        replace(usage, input_tokens=longer),
        replace(usage, input_tokens=longer, cache_read_tokens=(usage.cache_read_tokens or 0) + more),
        replace(usage, input_tokens=longer, cache_write_tokens=(usage.cache_write_tokens or 0) + more),
        replace(usage, output_tokens=(usage.output_tokens or 0) + more),
    ):
        assert cost(prices, model, grown)[0] >= base


@laws
@given(model=models, usage=usages())
def test_cost_and_saving_make_the_uncached_cost(prices: Prices, model: tuple[str, str], usage: Usage) -> None:
    """The saving is against the very same tokens, all of them plain."""
    usd, saved = cost(prices, model, usage)
    plain = replace(usage, cache_read_tokens=0, cache_write_tokens=0)
    assert usd + saved == cost(prices, model, plain)[0]


@laws
@given(model=models, usage=usages())
def test_a_cache_that_is_never_read_saves_nothing(prices: Prices, model: tuple[str, str], usage: Usage) -> None:
    """Savings of zero reuse are at most zero."""
    unread = replace(usage, cache_read_tokens=0)
    assert cost(prices, model, unread)[1] <= 0


@laws
@given(model=models, usage=usages(), missed=st.integers(0, 900_000))
def test_lost_is_bounded(prices: Prices, model: tuple[str, str], usage: Usage, missed: int) -> None:
    """A miss loses at least nothing, at most what the call cost, and more missed tokens never lose less."""
    terms: Any = {"provider": model[0], "model": model[1], "usage": usage, "at": AT}
    lost = prices.lost(missed_tokens=missed, **terms)
    more = prices.lost(missed_tokens=missed + 1_000, **terms)
    assert lost is not None
    assert more is not None
    assert 0 <= lost <= more <= cost(prices, model, usage)[0]


@laws
@given(model=models, usage=usages(), times=st.integers(2, 5))
def test_no_rounding(prices: Prices, model: tuple[str, str], usage: Usage, times: int) -> None:
    """Output is linear to the last digit: N times the tokens cost N times as much."""
    none = replace(usage, output_tokens=0, reasoning_tokens=0)
    many = replace(usage, output_tokens=(usage.output_tokens or 0) * times)
    base = cost(prices, model, none)[0]
    assert cost(prices, model, many)[0] - base == times * (cost(prices, model, usage)[0] - base)


counts = st.integers(0, 10**6)


@laws
@given(rest=counts, read=counts, write=counts, out=counts)
def test_anthropic_and_openai_count_the_same_prompt(rest: int, read: int, write: int, out: int) -> None:
    """Splitting a prompt into cached and uncached never changes the sum, in either way of counting."""
    anthropic = Usage.from_provider(
        "anthropic",
        "messages",
        {
            "input_tokens": rest,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": write,
            "output_tokens": out,
        },
    )
    openai = Usage.from_provider(
        "openai",
        "chat.completions",
        {
            "prompt_tokens": rest + read + write,
            "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": write},
            "completion_tokens": out,
        },
    )
    converse = Usage.from_provider(
        "aws.bedrock",
        "converse",
        {"inputTokens": rest, "cacheReadInputTokens": read, "cacheWriteInputTokens": write, "outputTokens": out},
    )
    assert anthropic == openai == converse
    assert anthropic is not None
    assert anthropic.problem is None


NAMES = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
    "input_tokens",
    "output_tokens",
    "input_tokens_details",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_tokens_details",
    "ttl_12h_tokens",
    "reasoning_tokens",
    "audio_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "ephemeral_1h_input_tokens",
    "iterations",
    "type",
    "inputTokens",
    "cacheDetails",
    "promptTokenCount",
    "promptTokensDetails",
    "modality",
    "tokenCount",
    "cost",
    "cost_details",
    "is_byok",
    "upstream_inference_cost",
    "cost_in_usd_ticks",
]
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.sampled_from(["message", "AUDIO", "", "9"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=8,
)


@settings(laws, max_examples=100)
@given(
    raw=st.dictionaries(st.sampled_from(NAMES), junk, max_size=9),
    provider=st.sampled_from(["openai", "anthropic", "aws.bedrock", "gcp.gemini", "openrouter", "x_ai"]),
    api=st.sampled_from(["chat.completions", "responses", "messages", "converse", "generate_content"]),
)
def test_no_payload_raises(prices: Prices, raw: dict[str, Any], provider: str, api: str) -> None:
    """Whatever stands where a usage should, each count is a count or absent, and the cost is money or a reason."""
    usage = Usage.from_provider(provider, api, raw)
    if usage is None:
        return
    for field in fields(Usage):
        value = getattr(usage, field.name)
        if field.name != "reported_cost_usd":
            assert value is None or (type(value) is int and value >= 0)
    estimate = prices.estimate(provider="openai", model="gpt-5.6-sol", usage=usage, at=AT)
    assert (estimate.usd is None) == (estimate.reason is not None)
    assert estimate.usd is None or (estimate.usd.is_finite() and estimate.usd >= 0)
