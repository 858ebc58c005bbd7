"""A provider's usage becomes ours: inclusive counts, "not reported" kept apart from zero, nothing raised."""

from decimal import Decimal, localcontext
from typing import Any

import pytest

from llm_observer.usage import IteratedUsage, Usage


def read(raw: Any, provider: str = "openai", api: str = "chat.completions") -> Usage | None:
    return Usage.from_provider(provider, api, raw)


class TestOpenAI:
    """Chat Completions, Responses, Completions, Embeddings, Realtime."""

    def test_chat(self) -> None:
        """Details are parts of the totals."""
        raw = {
            "prompt_tokens": 2_006,
            "completion_tokens": 300,
            "total_tokens": 2_306,
            "prompt_tokens_details": {
                "cached_tokens": 1_920,
                "cache_write_tokens": 80,
                "audio_tokens": 0,
                "image_tokens": 4,
                "text_tokens": 2_002,
            },
            "completion_tokens_details": {
                "reasoning_tokens": 256,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 3,
                "rejected_prediction_tokens": 1,
            },
        }
        assert read(raw) == Usage(
            input_tokens=2_006,
            output_tokens=300,
            cache_read_tokens=1_920,
            cache_write_tokens=80,
            input_audio_tokens=0,
            input_image_tokens=4,
            reasoning_tokens=256,
            output_audio_tokens=0,
        )

    def test_responses(self) -> None:
        """The writes have two lifetimes."""
        raw = {
            "input_tokens": 100,
            "input_tokens_details": {
                "cached_tokens": 10,
                "cache_write_tokens": 60,
                "cache_write_tokens_details": {"ttl_30m_tokens": 20, "ttl_12h_tokens": 40},
            },
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 107,
        }
        assert read(raw, api="responses") == Usage(
            input_tokens=100,
            output_tokens=7,
            cache_read_tokens=10,
            cache_write_tokens=60,
            cache_write_12h_tokens=40,
            reasoning_tokens=2,
        )

    def test_embeddings_have_no_output(self) -> None:
        """What is not reported stays so."""
        assert read({"prompt_tokens": 8, "total_tokens": 8}, api="embeddings") == Usage(input_tokens=8)

    def test_realtime(self) -> None:
        """Cached audio is told apart."""
        raw = {
            "input_tokens": 100,
            "output_tokens": 50,
            "input_token_details": {
                "cached_tokens": 60,
                "audio_tokens": 40,
                "cached_tokens_details": {"text_tokens": 50, "audio_tokens": 10},
            },
            "output_token_details": {"audio_tokens": 30},
        }
        assert read(raw, api="realtime") == Usage(
            input_tokens=100,
            output_tokens=50,
            cache_read_tokens=60,
            input_audio_tokens=40,
            cache_read_audio_tokens=10,
            output_audio_tokens=30,
        )


class TestCompatible:
    """Who speaks OpenAI's API with words of their own."""

    def test_deepseek(self) -> None:
        """Hits are named at the top; misses are the rest of the prompt, not a write."""
        raw = {
            "prompt_tokens": 10,
            "completion_tokens": 2,
            "prompt_cache_hit_tokens": 6,
            "prompt_cache_miss_tokens": 4,
        }
        assert read(raw, "deepseek") == Usage(input_tokens=10, output_tokens=2, cache_read_tokens=6)

    @pytest.mark.parametrize(("total", "out"), [(2_000, 1_000), (1_100, 100), (None, 1_000)])
    def test_xai_reasoning(self, total: int | None, out: int) -> None:
        """Reasoning is added where the total shows it outside, and where a chat gives no total."""
        raw = {
            "prompt_tokens": 1_000,
            "completion_tokens": 100,
            "total_tokens": total,
            "completion_tokens_details": {"reasoning_tokens": 900 if out == 1_000 else 90},
        }
        usage = read(raw, "x_ai")
        assert usage is not None
        assert usage.output_tokens == out
        assert usage.problem is None

    def test_xai_responses_are_inclusive(self) -> None:
        """Without a total, only the chat API is known to leave reasoning out."""
        raw = {"input_tokens": 10, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 8}}
        usage = read(raw, "x_ai", "responses")
        assert usage is not None
        assert usage.output_tokens == 9

    def test_another_gateway_with_reasoning_outside(self) -> None:
        """The total proves it, whoever the provider is."""
        raw = {
            "prompt_tokens": 21,
            "completion_tokens": 0,
            "total_tokens": 81,
            "completion_tokens_details": {"reasoning_tokens": 60},
        }
        usage = read(raw, "acme")
        assert usage is not None
        assert usage.output_tokens == 60

    def test_a_total_that_nothing_explains_changes_nothing(self) -> None:
        """Only Google is known to count thoughts in the total alone."""
        usage = read({"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623}, "acme")
        assert usage == Usage(input_tokens=20, output_tokens=198)


class TestAnthropic:
    """Messages, wherever served."""

    def test_sums(self) -> None:
        """The prompt is what the cache did not touch, plus what it gave, plus what it took."""
        raw = {
            "input_tokens": 3,
            "cache_creation_input_tokens": 3_580,
            "cache_read_input_tokens": 19_971,
            "cache_creation": {"ephemeral_5m_input_tokens": 3_000, "ephemeral_1h_input_tokens": 580},
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 4},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
            "service_tier": "standard",
        }
        assert read(raw, "anthropic", "messages") == Usage(
            input_tokens=23_554,
            output_tokens=5,
            cache_read_tokens=19_971,
            cache_write_tokens=3_580,
            cache_write_1h_tokens=580,
            reasoning_tokens=4,
            web_search_requests=2,
        )

    def test_the_split_stands_for_a_missing_sum(self) -> None:
        """`cache_creation_input_tokens` is the sum of the split."""
        raw = {"input_tokens": 1, "output_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": 9}}
        usage = read(raw, "anthropic", "messages")
        assert usage is not None
        assert (usage.input_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens) == (10, 9, None)

    def test_nulls_are_not_reported(self) -> None:
        """Zero and absent stay apart."""
        raw = {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": None, "cache_creation": None}
        assert read(raw, "anthropic", "messages") == Usage(input_tokens=5, output_tokens=1)

    def test_anywhere(self) -> None:
        """The API's shape decides, not the provider's name."""
        raw = {"input_tokens": 1, "cache_read_input_tokens": 9, "output_tokens": 2}
        for provider, api in (("aws.bedrock", "messages"), ("moonshot_ai", "messages"), ("acme", "chat")):
            usage = read(raw, provider, api)
            assert usage is not None
            assert usage.input_tokens == 10

    def test_the_openai_endpoint(self) -> None:
        """Anthropic's OpenAI-compatible endpoint speaks OpenAI's usage."""
        raw = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
        assert read(raw, "anthropic") == Usage(input_tokens=12, output_tokens=3)

    def test_one_iteration_is_the_call(self) -> None:
        """What most responses have needs nothing special."""
        entry = {"type": "message", "input_tokens": 5, "output_tokens": 1}
        usage = read({"input_tokens": 5, "output_tokens": 1, "iterations": [entry]}, "anthropic", "messages")
        assert type(usage) is Usage

    def test_iterations(self) -> None:
        """Runs on the side are kept beside the totals that the provider reports."""
        raw = {
            "input_tokens": 5,
            "output_tokens": 1,
            "iterations": [
                {"type": "compaction", "input_tokens": 90, "output_tokens": 9},
                {"type": "message", "input_tokens": 5, "output_tokens": 1},
            ],
        }
        usage = read(raw, "anthropic", "messages")
        assert isinstance(usage, IteratedUsage)
        assert usage.input_tokens == 5
        assert [run.usage.input_tokens for run in usage.iterations] == [90, 5]


class TestOthers:
    """Bedrock Converse and Gemini."""

    def test_converse(self) -> None:
        """Details of every lifetime add up."""
        raw = {
            "inputTokens": 1,
            "outputTokens": 2,
            "cacheReadInputTokens": 3,
            "cacheWriteInputTokens": 9,
            "cacheDetails": [
                {"ttl": "5m", "inputTokens": 2},
                {"ttl": "1h", "inputTokens": 4},
                {"ttl": "1h", "inputTokens": 3},
            ],
        }
        assert read(raw, "aws.bedrock", "converse") == Usage(
            input_tokens=13, output_tokens=2, cache_read_tokens=3, cache_write_tokens=9, cache_write_1h_tokens=7
        )

    def test_gemini_in_snake_case(self) -> None:
        """The SDK's spelling and the wire's are one."""
        raw = {
            "prompt_token_count": 100,
            "cached_content_token_count": 40,
            "candidates_token_count": 5,
            "thoughts_token_count": 20,
            "tool_use_prompt_token_count": 10,
            "prompt_tokens_details": [
                {"modality": "IMAGE", "token_count": 30},
                {"modality": "text", "token_count": 70},
            ],
            "cache_tokens_details": [{"modality": "AUDIO", "token_count": 0}],
            "candidates_tokens_details": [{"modality": "IMAGE", "token_count": 5}],
            "total_token_count": 135,
        }
        assert read(raw, "gcp.gemini", "generate_content") == Usage(
            input_tokens=110,
            output_tokens=25,
            cache_read_tokens=40,
            cache_read_audio_tokens=0,
            input_image_tokens=30,
            reasoning_tokens=20,
            output_image_tokens=5,
        )

    def test_gemini_leaves_zeros_out(self) -> None:
        """A blocked prompt has no output; a count that is merely missing is not zero."""
        blocked = read({"promptTokenCount": 9, "totalTokenCount": 9}, "gcp.gemini", "generate_content")
        assert blocked == Usage(input_tokens=9, output_tokens=0)
        assert read({"promptTokenCount": 9}, "gcp.gemini", "generate_content") == Usage(input_tokens=9)


class TestBills:
    """The provider's own bill."""

    @pytest.mark.parametrize(
        ("provider", "raw", "usd"),
        [
            ("openrouter", {"cost": 0.00014}, "0.00014"),
            ("openrouter", {"cost": 0}, "0"),
            ("openrouter", {"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}, "19.95"),
            ("openrouter", {"cost": 0.95, "cost_details": {"upstream_inference_cost": 19}}, "19.95"),
            ("openrouter", {"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}}, "0.5"),
            ("openrouter", {"cost": 0.5, "cost_details": {"upstream_inference_cost": None}}, "0.5"),
            ("openrouter", {"cost": 0.95, "is_byok": True}, None),
            ("openrouter", {"cost": "0.1"}, None),
            ("openrouter", {"cost": -0.1}, None),
            ("openrouter", {"cost": float("nan")}, None),
            ("openrouter", {"cost": True}, None),
            ("x_ai", {"cost_in_usd_ticks": 37_756_000}, "0.0037756"),
            ("acme", {"cost": 7}, None),
            ("perplexity", {"cost": {"total_cost": 0.006}}, "0.006"),
            ("perplexity", {"cost": [0.006]}, None),
        ],
    )
    def test_reported_cost(self, provider: str, raw: dict[str, Any], usd: str | None) -> None:
        """Only of providers whose field and currency are known, and only an amount."""
        usage = read({"prompt_tokens": 1, "completion_tokens": 1, **raw}, provider)
        assert usage is not None
        assert usage.reported_cost_usd == (None if usd is None else Decimal(usd))

    def test_the_application_s_precision_does_not_round(self) -> None:
        """Our money is exact in whatever decimal context the application runs."""
        with localcontext() as context:
            context.prec = 2
            usage = read({"prompt_tokens": 1, "completion_tokens": 1, "cost_in_usd_ticks": 123_456_789}, "x_ai")
        assert usage is not None
        assert usage.reported_cost_usd == Decimal("0.0123456789")


ODD: list[Any] = ["12", -1, 1.5, 7.0, True, None, [], {}, {"a": [1]}, 10**30, float("nan"), object()]


@pytest.mark.parametrize("value", ODD, ids=[type(value).__name__ for value in ODD])
@pytest.mark.parametrize(
    ("provider", "api", "names"),
    [
        ("openai", "chat.completions", ["prompt_tokens", "completion_tokens", "total_tokens"]),
        ("openai", "chat.completions", ["prompt_tokens_details", "completion_tokens_details"]),
        ("openai", "responses", ["input_tokens", "output_tokens", "input_tokens_details"]),
        ("anthropic", "messages", ["input_tokens", "cache_creation", "cache_read_input_tokens", "iterations"]),
        ("anthropic", "messages", ["output_tokens", "server_tool_use", "output_tokens_details"]),
        ("aws.bedrock", "converse", ["inputTokens", "cacheDetails", "cacheReadInputTokens"]),
        ("gcp.gemini", "generate_content", ["promptTokenCount", "promptTokensDetails", "thoughtsTokenCount"]),
        ("openrouter", "chat.completions", ["prompt_tokens", "cost", "cost_details"]),
    ],
)
def test_what_is_not_a_count_is_not_reported(provider: str, api: str, names: list[str], value: Any) -> None:
    """No odd value raises, and none is taken for a number."""
    raw = {"completion_tokens": 4, "outputTokens": 4, **dict.fromkeys(names, value)}
    usage = read(raw, provider, api)
    for name in ("input_tokens", "cache_read_tokens", "cache_write_1h_tokens", "input_audio_tokens"):
        assert usage is None or getattr(usage, name) is None
    for entry in ([value], [{"modality": value, "tokenCount": value, "ttl": value, "type": value}]):
        read({**raw, "iterations": entry, "cacheDetails": entry, "promptTokensDetails": entry}, provider, api)


@pytest.mark.parametrize("value", ["900", -1, 1.5, 900.0, True, [], {}, 10**30, float("nan")])
@pytest.mark.parametrize(
    ("provider", "api", "raw"),
    [
        ("openai", "chat.completions", {"prompt_tokens": 9_000, "completion_tokens": None}),
        ("openai", "chat.completions", {"prompt_tokens": 9_000, "prompt_tokens_details": {"cached_tokens": None}}),
        ("openai", "responses", {"input_tokens": 9_000, "output_tokens_details": {"reasoning_tokens": None}}),
        ("deepseek", "chat.completions", {"prompt_tokens": 9_000, "prompt_cache_hit_tokens": None}),
        ("anthropic", "messages", {"input_tokens": 9_000, "cache_read_input_tokens": None}),
        ("anthropic", "messages", {"input_tokens": 9_000, "cache_creation": {"ephemeral_1h_input_tokens": None}}),
        ("aws.bedrock", "converse", {"inputTokens": 9_000, "cacheReadInputTokens": None}),
        ("gcp.gemini", "generate_content", {"promptTokenCount": 9_000, "toolUsePromptTokenCount": None}),
        ("gcp.gemini", "generate_content", {"promptTokenCount": 9_000, "cachedContentTokenCount": None}),
        ("gcp.gemini", "generate_content", {"promptTokenCount": 9_000, "thoughtsTokenCount": None}),
    ],
)
def test_a_usage_with_a_count_that_is_none_cannot_be_priced(
    provider: str, api: str, raw: dict[str, Any], value: Any
) -> None:
    """Charging such a part as something else would be a guess; `null` is what providers say for "not counted"."""

    def filled(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: filled(inner) for name, inner in part.items()}  # pyright: ignore[reportUnknownVariableType]
        return value if part is None else part

    usage = read(raw, provider, api)
    assert usage is not None
    assert usage.problem is None
    odd = read(filled(raw), provider, api)
    assert odd is None or odd.problem == "invalid_usage"
    assert odd is None or all(count is None or count >= 0 for count in (odd.input_tokens, odd.cache_read_tokens))


def test_deepseek_counts_that_do_not_add_up() -> None:
    """Hits and misses make the prompt."""
    raw = {"prompt_tokens": 1_000, "completion_tokens": 1, "prompt_cache_hit_tokens": 900}
    fits, more = (read({**raw, "prompt_cache_miss_tokens": missed}, "deepseek") for missed in (100, 101))
    assert fits is not None
    assert fits.problem is None
    assert more is not None
    assert more.problem == "invalid_usage"


def test_langchain() -> None:
    """Its counts are inclusive for every provider; where it tells Anthropic's lifetimes apart, its sum is zero."""
    details = {"cache_read": 900, "cache_creation": 0, "audio": 7}
    raw = {"input_tokens": 1_000, "output_tokens": 10, "total_tokens": 1_010, "input_token_details": details}
    expected = Usage(
        input_tokens=1_000,
        output_tokens=10,
        cache_read_tokens=900,
        cache_write_tokens=0,
        input_audio_tokens=7,
        reasoning_tokens=4,
    )
    raw["output_token_details"] = {"reasoning": 4}
    assert read(raw, "openai", "responses") == read(raw, "anthropic", "messages") == expected
    split = {"cache_creation": 0, "ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40}
    usage = read({**raw, "input_token_details": split}, "anthropic", "messages")
    assert usage is not None
    assert (usage.input_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens) == (1_000, 100, 40)


@pytest.mark.parametrize(
    "raw",
    [
        {"inputTokens": 10, "outputTokens": 5, "cacheReadInputTokenCount": 3, "cacheWriteInputTokenCount": 2},
        {"inputTokenCount": 10, "outputTokenCount": 5, "cacheReadInputTokenCount": 3, "cacheWriteInputTokenCount": 2},
    ],
    ids=["Nova", "the metrics"],
)
def test_invoke_model_on_bedrock(raw: dict[str, Any]) -> None:
    """Other names than Converse's, the same way of counting."""
    expected = Usage(input_tokens=15, output_tokens=5, cache_read_tokens=3, cache_write_tokens=2)
    assert read(raw, "aws.bedrock", "invoke_model") == expected


def test_llama_on_bedrock() -> None:
    raw = {"generation": "", "prompt_token_count": 10, "generation_token_count": 5, "stop_reason": "stop"}
    assert read(raw, "aws.bedrock", "invoke_model") == Usage(input_tokens=10, output_tokens=5)


@pytest.mark.parametrize("raw", [None, [], "usage", 5, {}, {"total_tokens": 9}, {"prompt_tokens": None}])
def test_no_counts_no_usage(raw: Any) -> None:
    """A usage without any count of tokens is none."""
    assert read(raw) is None
    assert read(raw, "anthropic", "messages") is None


@pytest.mark.parametrize("raw", [{"promptTokenCount": "9"}, {"inputTokens": None}, {"candidatesTokenCount": 1.0}])
def test_no_counts_in_other_shapes(raw: dict[str, Any]) -> None:
    """The same in Google's and Amazon's words."""
    assert read(raw, "gcp.gemini", "generate_content") is None


@pytest.mark.parametrize(
    "counts",
    [
        {"input_tokens": 5, "cache_read_tokens": 6},
        {"input_tokens": 5, "cache_read_tokens": 3, "cache_write_tokens": 3},
        {"input_tokens": 9, "cache_write_tokens": 3, "cache_write_1h_tokens": 4},
        {"input_tokens": 9, "cache_write_tokens": 3, "cache_write_1h_tokens": 2, "cache_write_12h_tokens": 2},
        {"input_tokens": 5, "input_audio_tokens": 3, "input_image_tokens": 3},
        {"input_tokens": 9, "input_audio_tokens": 3, "cache_read_tokens": 5, "cache_read_audio_tokens": 4},
        {"input_tokens": 9, "input_audio_tokens": 6, "cache_read_tokens": 3, "cache_read_audio_tokens": 4},
        {"output_tokens": 5, "reasoning_tokens": 6},
        {"output_tokens": 5, "output_audio_tokens": 3, "output_image_tokens": 3},
    ],
)
def test_a_part_above_its_whole_is_a_problem(counts: dict[str, Any]) -> None:
    """Contradictory counts are kept as they are and named; the same parts in a larger whole are fine."""
    usage = Usage(**counts)
    assert usage.problem == "invalid_usage"
    with pytest.raises(ValueError):
        Usage.from_mapping(counts)
    whole = {name: counts[name] * 9 for name in counts if name in {"input_tokens", "output_tokens"}}
    mended: dict[str, Any] = {**counts, **whole}
    mended.update(
        {name: 9 for name in ("cache_write_tokens", "input_audio_tokens", "cache_read_tokens") if name in mended}
    )
    assert Usage(**mended).problem is None


def test_from_mapping_round_trip() -> None:
    """What an event holds gives the usage back, money as a decimal string."""
    usage = Usage.from_mapping({"input_tokens": 5, "output_tokens": None, "reported_cost_usd": "0.25"})
    assert usage == Usage(input_tokens=5, reported_cost_usd=Decimal("0.25"))
    assert Usage.from_mapping(usage) is usage
