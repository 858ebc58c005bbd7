"""Token usage as OpenTelemetry counts it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final, Self, cast

from llm_observer.usage import anthropic
from llm_observer.usage.shapes import shape_of
from llm_observer.usage.values import Counts, as_money, as_total, is_mapping

__all__ = ["IteratedUsage", "Iteration", "Usage"]


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
        if not is_mapping(raw):
            return None
        provider = provider if isinstance(provider, str) else ""  # pyright: ignore[reportUnnecessaryIsInstance]
        shape = shape_of(provider, api, raw)
        counts = shape(provider, api, raw)
        if counts is None:
            return None
        usage = _made(counts)
        if shape is anthropic.messages and type(usage) is Usage and (runs := anthropic.runs(raw)) is not None:
            return _iterated(usage, runs)
        return usage

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
        elif not is_mapping(mapping):
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


def _made(counts: Counts) -> Usage | None:
    """The usage of these counts; when some are none, a usage of what is left, `None` when nothing is."""
    for value in cast("Mapping[str, int | Decimal | None]", counts).values():
        if value is not None and value < 0:
            break
    else:
        return Usage(**counts)
    left = {name: value for name in _COUNT_NAMES if (value := counts.get(name)) is not None and value >= 0}
    return _Unsound(**left, reported_cost_usd=counts.get("reported_cost_usd")) if left else None


def _iterated(usage: Usage, runs: list[tuple[str | None, Counts]]) -> IteratedUsage:
    """`usage`, billed as these runs: as none of them when the counts of one are not sound."""
    iterations: list[Iteration] = []
    for model, counts in runs:
        tokens = _made(counts)
        if type(tokens) is not Usage:
            return IteratedUsage.of(usage, ())
        iterations.append(Iteration(model=model, usage=tokens))
    return IteratedUsage.of(usage, tuple(iterations))


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
        cost = as_money(value)
        if cost is None:
            raise ValueError("reported_cost_usd is not an amount")
        return cost
    count = as_total(value)
    if count is None:
        raise ValueError(f"{name} is not a count")
    return count


_NAMES: Final = frozenset(field.name for field in fields(Usage))
_COUNT_NAMES: Final = tuple(field.name for field in fields(Usage) if field.name != "reported_cost_usd")
