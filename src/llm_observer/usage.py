"""Token usage as OpenTelemetry counts it, converted from each provider's own shape."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Context, Decimal
from operator import attrgetter
from typing import Any, Final, Self, cast

__all__ = ["IteratedUsage", "Iteration", "Usage"]

_MOST: Final = 2**53
"""No call has this many tokens; up to here JSON readers and OTLP keep a count exact."""

_NO_COUNT: Final = -(2**60)
"""Stands for what is no count until `_sound` has seen it. Any sum with it is negative too."""

_LANGCHAIN: Final = frozenset({"cache_read", "cache_creation"})
_XAI: Final = frozenset({"x_ai", "xai", "x-ai"})

_EMPTY: Final[Mapping[str, Any]] = {}

_COST_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "openrouter": ("cost",),
    "perplexity": ("cost", "total_cost"),
}
"""Where a provider's usage holds its own bill in US dollars."""

_PRICED_RUNS: Final = frozenset({"message", "compaction", "advisor_message"})
"""The kinds of Anthropic's `usage.iterations` whose price is known: their model's. A fallback's is not."""

_TICKS_PER_USD_EXPONENT: Final = 10
"""xAI bills in ticks of 1e-10 US dollars."""

_EXACT: Final = Context(prec=60, traps=[])
"""Our own context: an application that lowers the precision of its own must not round our money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call. Inclusive: a part is counted in its whole too. `None` is "not reported", never zero.

    `input_tokens` contains `cache_read_tokens` and `cache_write_tokens` (which contains `cache_write_1h_tokens` and
    `cache_write_12h_tokens`), `input_audio_tokens` (which contains `cache_read_audio_tokens`) and
    `input_image_tokens`. `output_tokens` contains `reasoning_tokens`, `output_audio_tokens`, `output_image_tokens`.
    `web_search_requests` counts requests, billed by the request. `reported_cost_usd` is the provider's own bill.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_write_12h_tokens: int | None = None
    input_audio_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    reasoning_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_image_tokens: int | None = None
    web_search_requests: int | None = None
    reported_cost_usd: Decimal | None = None

    @classmethod
    def from_provider(cls, provider: str, api: str, raw: Mapping[str, Any]) -> "Usage | None":
        """Convert what `provider` reports for `api`; `None` when it reports no token counts at all. Never raises.

        The shape decides, not the provider's name alone: many providers speak another's API. `null` is "not reported";
        anything else that is not a non-negative integer is left out too, and makes the usage a `problem`, since what it
        should have counted cannot be priced. For a stream, pass the merged usage: Anthropic's are cumulative.
        """
        if not _is_mapping(raw):
            return None
        provider = provider if isinstance(provider, str) else ""  # pyright: ignore[reportUnnecessaryIsInstance]
        usage = _converted(provider, api, raw)
        return usage if usage is None else _sound(usage)

    @classmethod
    def from_mapping(cls, mapping: "Mapping[str, Any] | Usage") -> "Usage":
        """A usage from our own field names, as events and `estimate_cost` carry it.

        Raises:
            ValueError: A name is unknown, a value is not a count, or a part exceeds its whole.
        """
        if isinstance(mapping, Usage):
            usage = mapping
            for name in _COUNT_NAMES:
                _checked(name, getattr(usage, name))
        elif not _is_mapping(mapping):
            raise ValueError("the usage is not a mapping")
        else:
            values = {str(name): _checked(str(name), value) for name, value in mapping.items()}
            usage = cls(**cast("dict[str, Any]", values))
        if usage.problem:
            raise ValueError("a part of the usage exceeds its whole")
        return usage

    @property
    def problem(self) -> str | None:
        """`invalid_usage` when the counts contradict each other: a part exceeds its whole."""
        whole = self.input_tokens
        read, write = self.cache_read_tokens or 0, self.cache_write_tokens or 0
        if whole is not None and read + write > whole:
            return "invalid_usage"
        long_writes = (self.cache_write_1h_tokens or 0) + (self.cache_write_12h_tokens or 0)
        if long_writes > write:
            return "invalid_usage"
        audio, image = self.input_audio_tokens or 0, self.input_image_tokens or 0
        if (audio or image) and whole is not None and audio + image > whole:
            return "invalid_usage"
        cached_audio = self.cache_read_audio_tokens or 0
        if cached_audio and (
            cached_audio > (audio if self.input_audio_tokens is not None else cached_audio)
            or cached_audio > (read if self.cache_read_tokens is not None else cached_audio)
        ):
            return "invalid_usage"
        whole = self.output_tokens
        if whole is not None and (
            (self.reasoning_tokens or 0) > whole
            or (self.output_audio_tokens or 0) + (self.output_image_tokens or 0) > whole
        ):
            return "invalid_usage"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration:
    """One of several runs of a model inside one call.

    Attributes:
        model: Which model ran, `None` for the call's own.
        usage: Its tokens.
    """

    model: str | None
    usage: Usage


class IteratedUsage(Usage):
    """A usage that was billed as several runs: context-length steps count each alone, and models can differ.

    The fields are the call's own totals as the provider reports them, without the runs on the side (compaction, an
    advisor's message).
    """

    __slots__ = ("iterations",)

    iterations: tuple[Iteration, ...]

    @classmethod
    def of(cls, usage: Usage, iterations: tuple[Iteration, ...]) -> Self:
        """`usage`, billed as `iterations`."""
        made = cls(**{field.name: getattr(usage, field.name) for field in fields(Usage)})
        object.__setattr__(made, "iterations", iterations)
        return made


class _Unsound(Usage):
    """A usage of which some count was no count: the others stand, and no cost can be told."""

    __slots__ = ()

    @property
    def problem(self) -> str | None:
        """Always `invalid_usage`."""
        return "invalid_usage"


def _sound(usage: Usage) -> Usage | None:
    """`usage`, if its counts are; else what is left of it, `None` when that is nothing."""
    counts = _COUNTS(usage)
    for count in counts:
        if count is not None and count < 0:
            break
    else:
        return usage
    left = {name: count for name, count in zip(_COUNT_NAMES, counts, strict=True) if count is not None and count >= 0}
    return _Unsound(**left, reported_cost_usd=usage.reported_cost_usd) if left else None


def _converted(provider: str, api: str, raw: Mapping[str, Any]) -> Usage | None:
    """What is reported, with negative counts in the place of what is no count."""
    if "input_token_details" in raw and _LANGCHAIN & _mapping(raw["input_token_details"]).keys():
        return _from_langchain(raw)
    if api == "messages":
        return _from_anthropic(raw)
    if "prompt_tokens" in raw:
        return _from_openai(provider, api, raw)
    if "generation_token_count" in raw:
        return _from_llama(raw)
    if "promptTokenCount" in raw or "prompt_token_count" in raw:
        return _from_gemini(raw)
    if "inputTokens" in raw or "outputTokens" in raw:
        return _from_bedrock(raw, "inputTokens", "outputTokens")
    if "inputTokenCount" in raw or "outputTokenCount" in raw:
        return _from_bedrock(raw, "inputTokenCount", "outputTokenCount")
    if provider == "anthropic" or "cache_read_input_tokens" in raw or "cache_creation_input_tokens" in raw:
        return _from_anthropic(raw)
    return _from_openai(provider, api, raw)


def _from_langchain(raw: Mapping[str, Any]) -> Usage | None:
    """LangChain's `usage_metadata`, which is inclusive for every provider."""
    into, out = _mapping(raw["input_token_details"]), _mapping(raw.get("output_token_details"))
    hour, usual = _count(into.get("ephemeral_1h_input_tokens")), _count(into.get("ephemeral_5m_input_tokens"))
    written = _count(into.get("cache_creation"))
    # Where it tells lifetimes apart, its sum is zero.
    written = written or _sum(written, _sum(hour, usual))
    return Usage(
        input_tokens=_count(raw.get("input_tokens")),
        output_tokens=_count(raw.get("output_tokens")),
        cache_read_tokens=_count(into.get("cache_read")),
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        input_audio_tokens=_count(into.get("audio")),
        reasoning_tokens=_count(out.get("reasoning")),
        output_audio_tokens=_count(out.get("audio")),
    )


def _from_llama(raw: Mapping[str, Any]) -> Usage | None:
    """Llama's own, as Bedrock's InvokeModel gives it."""
    return Usage(
        input_tokens=_count(raw.get("prompt_token_count")), output_tokens=_count(raw.get("generation_token_count"))
    )


def _from_openai(provider: str, api: str, raw: Mapping[str, Any]) -> Usage | None:
    """Chat Completions, Responses, Completions, Embeddings, Realtime, and who speaks like them: all inclusive.

    DeepSeek and Moonshot name cached tokens at the top. xAI's Chat counts reasoning beside `completion_tokens`, and
    so does whoever's total shows it; Gemini's thoughts appear in the total alone.
    """
    tokens_in = _count(raw.get("prompt_tokens"))
    if tokens_in is None:
        tokens_in = _count(raw.get("input_tokens"))
    tokens_out = _count(raw.get("completion_tokens"))
    if tokens_out is None:
        tokens_out = _count(raw.get("output_tokens"))
    into = _first_mapping(raw, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    out = _first_mapping(raw, "completion_tokens_details", "output_tokens_details", "output_token_details")
    read = _count(into.get("cached_tokens"))
    hit, missed = _count(raw.get("prompt_cache_hit_tokens")), _count(raw.get("prompt_cache_miss_tokens"))
    if read is None:
        read = hit
    if hit is not None and missed is not None and tokens_in is not None and hit + missed != tokens_in:
        read = _NO_COUNT
    if read is None:
        read = _count(raw.get("cached_tokens"))
    lifetimes = _mapping(into.get("cache_write_tokens_details"))
    reasoning = _count(out.get("reasoning_tokens"))
    if reasoning is None:
        reasoning = _count(raw.get("reasoning_tokens"))
    if tokens_in is None and tokens_out is None:
        return None

    total = _total(raw.get("total_tokens"))
    if tokens_out is not None and tokens_in is not None:
        if reasoning:
            if tokens_in + tokens_out + reasoning == total or (
                total is None and provider in _XAI and api == "chat.completions"
            ):
                tokens_out += reasoning
        elif provider.startswith("gcp.") and total is not None and total > tokens_in + tokens_out:
            reasoning = total - tokens_in - tokens_out
            tokens_out += reasoning
    return Usage(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cache_read_tokens=read,
        cache_write_tokens=_count(into.get("cache_write_tokens")),
        cache_write_12h_tokens=_count(lifetimes.get("ttl_12h_tokens")),
        input_audio_tokens=_count(into.get("audio_tokens")),
        cache_read_audio_tokens=_count(_mapping(into.get("cached_tokens_details")).get("audio_tokens")),
        input_image_tokens=_count(into.get("image_tokens")),
        reasoning_tokens=reasoning,
        output_audio_tokens=_count(out.get("audio_tokens")),
        output_image_tokens=_count(out.get("image_tokens")),
        # Sources of xAI's live search have a fee each.
        web_search_requests=_count(raw.get("num_sources_used")) if provider in _XAI else None,
        reported_cost_usd=_bill(provider, raw),
    )


def _from_anthropic(raw: Mapping[str, Any]) -> Usage | None:
    """Anthropic Messages, wherever served: `input_tokens` is the remainder that no cache touched, so it is summed."""
    usage = _anthropic_run(raw)
    if usage is None:
        return None
    entries = raw.get("iterations")
    if not isinstance(entries, list):
        return usage
    runs = cast("list[Any]", entries)
    kinds = [_mapping(run).get("type") for run in runs]
    if not runs or kinds == ["message"]:
        return usage
    iterations: list[Iteration] = []
    for run, kind in zip(runs, kinds, strict=True):
        tokens = _anthropic_run(_mapping(run))
        if tokens is None or _sound(tokens) is not tokens or kind not in _PRICED_RUNS:
            # Not to be told, so neither is the sum.
            return IteratedUsage.of(usage, ())
        model = run.get("model")
        iterations.append(Iteration(model=model if isinstance(model, str) else None, usage=tokens))
    return IteratedUsage.of(usage, tuple(iterations))


def _anthropic_run(raw: Mapping[str, Any]) -> Usage | None:
    rest = _count(raw.get("input_tokens"))
    tokens_out = _count(raw.get("output_tokens"))
    read = _count(raw.get("cache_read_input_tokens"))
    write = _count(raw.get("cache_creation_input_tokens"))
    lifetimes = _mapping(raw.get("cache_creation"))
    write_1h = _count(lifetimes.get("ephemeral_1h_input_tokens"))
    if write is None:
        write_5m = _count(lifetimes.get("ephemeral_5m_input_tokens"))
        if write_5m is not None or write_1h is not None:
            write = (write_5m or 0) + (write_1h or 0)
    if rest is None and tokens_out is None and read is None and write is None:
        return None
    return Usage(
        input_tokens=None if rest is None else rest + (read or 0) + (write or 0),
        output_tokens=tokens_out,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=write_1h,
        reasoning_tokens=_count(_mapping(raw.get("output_tokens_details")).get("thinking_tokens")),
        web_search_requests=_count(_mapping(raw.get("server_tool_use")).get("web_search_requests")),
        reported_cost_usd=None,
    )


def _from_bedrock(raw: Mapping[str, Any], tokens_in: str, tokens_out: str) -> Usage | None:
    """Bedrock's own: what came in excludes what the cache gave and took, so it is summed.

    Converse and the metrics of InvokeModel name the counts differently, and Nova's own usage some of each.
    """
    rest = _count(raw.get(tokens_in))
    out = _count(raw.get(tokens_out))
    if rest is None and out is None:
        return None
    read = _count(raw.get("cacheReadInputTokens", raw.get("cacheReadInputTokenCount")))
    write = _count(raw.get("cacheWriteInputTokens", raw.get("cacheWriteInputTokenCount")))
    write_1h = None
    for entry in _sequence(raw.get("cacheDetails")):
        detail = _mapping(entry)
        tokens = _count(detail.get("inputTokens"))
        if tokens is not None and detail.get("ttl") == "1h":
            write_1h = (write_1h or 0) + tokens
    return Usage(
        input_tokens=None if rest is None else rest + (read or 0) + (write or 0),
        output_tokens=out,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=write_1h,
    )


def _from_gemini(raw: Mapping[str, Any]) -> Usage | None:
    """Gemini's `usageMetadata`, in either spelling: cached is inside the prompt; thoughts and tool use are outside."""
    snake = "prompt_token_count" in raw
    get = raw.get

    def field(camel: str, snaked: str) -> Any:
        return get(snaked if snake else camel)

    prompt = _count(field("promptTokenCount", "prompt_token_count"))
    tool_use = _count(field("toolUsePromptTokenCount", "tool_use_prompt_token_count"))
    candidates = _count(field("candidatesTokenCount", "candidates_token_count"))
    thoughts = _count(field("thoughtsTokenCount", "thoughts_token_count"))
    total = _total(field("totalTokenCount", "total_token_count"))
    tokens_in = None if prompt is None else prompt + (tool_use or 0)
    tokens_out = None
    if candidates is not None or thoughts is not None:
        tokens_out = (candidates or 0) + (thoughts or 0)
    elif tokens_in is not None and total == tokens_in:
        # Protocol buffers leave a zero out; the total tells it from a count that was not reported.
        tokens_out = 0
    if tokens_in is None and tokens_out is None:
        return None
    into = _modalities(field("promptTokensDetails", "prompt_tokens_details"))
    tools = _modalities(field("toolUsePromptTokensDetails", "tool_use_prompt_tokens_details"))
    cached = _modalities(field("cacheTokensDetails", "cache_tokens_details"))
    out = _modalities(field("candidatesTokensDetails", "candidates_tokens_details"))
    return Usage(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cache_read_tokens=_count(field("cachedContentTokenCount", "cached_content_token_count")),
        input_audio_tokens=_sum(into.get("AUDIO"), tools.get("AUDIO")),
        cache_read_audio_tokens=cached.get("AUDIO"),
        input_image_tokens=_sum(into.get("IMAGE"), tools.get("IMAGE")),
        reasoning_tokens=thoughts,
        output_audio_tokens=out.get("AUDIO"),
        output_image_tokens=out.get("IMAGE"),
    )


def _modalities(value: Any) -> dict[str, int]:
    """Tokens by modality from Gemini's `ModalityTokenCount` list."""
    counts: dict[str, int] = {}
    for entry in _sequence(value):
        detail = _mapping(entry)
        modality = detail.get("modality")
        tokens = _count(detail.get("tokenCount", detail.get("token_count")))
        if isinstance(modality, str) and tokens is not None:
            counts[modality.upper()] = counts.get(modality.upper(), 0) + tokens
    return counts


def _bill(provider: str, raw: Mapping[str, Any]) -> Decimal | None:
    """The provider's own bill in US dollars, where its usage has one."""
    ticks = _total(raw.get("cost_in_usd_ticks"))
    if ticks is not None:
        return Decimal(ticks).scaleb(-_TICKS_PER_USD_EXPONENT, _EXACT)
    path = _COST_FIELDS.get(provider)
    if path is None:
        return None
    value: Any = raw
    for name in path:
        value = _mapping(value).get(name)
    cost = _money(value)
    if cost is None:
        return None
    # OpenRouter bills its fee alone for a key of one's own; the model's provider bills the rest. Older responses do
    # not say whose key it was, but a bill behind it that is larger than its own can be nothing else.
    upstream = _money(_mapping(raw.get("cost_details")).get("upstream_inference_cost"))
    own_key = raw.get("is_byok")
    if own_key is True or (own_key is None and upstream is not None and upstream > cost):
        return None if upstream is None else _EXACT.add(cost, upstream)
    return cost


def _money(value: Any) -> Decimal | None:
    """A finite amount that is not negative, as written in the JSON."""
    if type(value) is float:
        value = Decimal(repr(value))
    elif type(value) is int:
        value = Decimal(value)
    if isinstance(value, Decimal) and value.is_finite() and value >= 0:
        return value
    return None


def _checked(name: str, value: Any) -> int | Decimal | None:
    if name not in _NAMES:
        raise ValueError("an unknown name in the usage")
    if value is None:
        return None
    if name == "reported_cost_usd":
        if isinstance(value, str):
            try:
                value = Decimal(value)
            except ArithmeticError:
                value = None
        cost = _money(value)
        if cost is None:
            raise ValueError("reported_cost_usd is not an amount")
        return cost
    count = _total(value)
    if count is None:
        raise ValueError(f"{name} is not a count")
    return count


def _count(value: Any) -> int | None:
    """A count; `_NO_COUNT` for what is there and is none."""
    # `type is`, since a bool is an int too.
    return value if value is None or (type(value) is int and 0 <= value <= _MOST) else _NO_COUNT


def _total(value: Any) -> int | None:
    """A count that others are compared with, and nothing is charged by: `None` for what is none."""
    return value if type(value) is int and 0 <= value <= _MOST else None


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)


def _is_mapping(value: Any) -> bool:
    return type(value) is dict or isinstance(value, Mapping)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if _is_mapping(value) else _EMPTY


def _first_mapping(raw: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        value = raw.get(name)
        if value is not None:
            return _mapping(value)
    return _EMPTY


def _sequence(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


_NAMES: Final = frozenset(field.name for field in fields(Usage))
_COUNT_NAMES: Final = tuple(field.name for field in fields(Usage) if field.name != "reported_cost_usd")
_COUNTS: Final[Callable[[Usage], tuple[int | None, ...]]] = attrgetter(*_COUNT_NAMES)
