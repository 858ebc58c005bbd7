"""The price data of genai-prices, read as rate cards. The only module that touches genai-prices."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, cast

from llm_observer.pricing.entries import STANDARD
from llm_observer.pricing.rates import EXACT, RateCard, UnitPrices

__all__ = ["PROVIDERS", "Catalog"]

PROVIDERS: Final[Mapping[str, str]] = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "bedrock": "aws",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "together_ai": "together",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""OpenTelemetry's provider names, and others in use, as genai-prices' provider ids. Ids stand for themselves."""

_PRICE_KEYS: Final[Mapping[str, str]] = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "input_audio": "input_audio_mtok",
    "cache_read_audio": "cache_audio_read_mtok",
    "input_image": "input_image_mtok",
    "reasoning": "output_reasoning_mtok",
    "output_audio": "output_audio_mtok",
    "output_image": "output_image_mtok",
    "web_search": "web_searches_kcount",
}
"""Our names of prices as genai-prices'. Its `web_searches_kcount` is per thousand, ours per million requests."""

_IGNORED: Final = frozenset({"cache_image_read_mtok", "storage_searches_kcount", "audio_hours", "input_audio_hours"})
"""Prices of what no usage of ours counts; a model with another price that we do not know has no card."""

_KNOWN: Final = frozenset(_PRICE_KEYS.values()) | _IGNORED

# What a provider charges nothing extra for: cache writes (facts of each provider's caching guide) and audio input
# (Google: "text / image / video / audio" at one price unless a separate audio price is listed).
_WRITES_ARE_FREE: Final = frozenset({"azure", "deepseek", "google", "groq", "openai", "x-ai"})
_AUDIO_IS_TEXT: Final = frozenset({"google"})

# Google's price page: context caching in batch is "Same as Standard". Elsewhere a price that a tier's list leaves out
# is not known.
_TIERS_KEEP_CACHE_PRICES: Final = frozenset({"google"})


class Catalog:
    """List prices by provider, model, tier and time. Holds no cache of its own.

    Args:
        providers: The providers of genai-prices, `genai_prices.data.providers`.
        version: Its version.
    """

    def __init__(self, providers: list[Any], version: str) -> None:
        self._providers = providers
        self._by_id: dict[str, Any] = {provider.id: provider for provider in providers}
        self.source = f"genai-prices {version}"

    @classmethod
    def load(cls) -> "Catalog":
        """Import genai-prices, some 200 ms and 20 MB. Its process-wide snapshot is neither read nor changed."""
        from importlib.metadata import version  # noqa: PLC0415  off the import of this package

        from genai_prices.data import providers  # noqa: PLC0415  the reason for loading late

        return cls(list(providers), version("genai-prices"))

    def card(self, provider: str, model: str, tier: str, at: datetime) -> RateCard | str:
        """The rate card, or why there is none: `unknown_provider`, `unknown_model`, `unknown_tier`, `unknown_rate`.

        A tier is matched exactly: where the list has no price of its own for this very model and tier at that time,
        there is none, never the standard one.
        """
        found = self._by_id.get(provider)
        if found is None:
            return "unknown_provider"
        entry = self._find(found, model)
        if isinstance(entry, str):
            return entry
        prices = dict(_listed(entry.get_prices(at)))
        if tier != STANDARD:
            served = self._variant(found, entry, tier, at)
            if served is None:
                return "unknown_tier"
            prices = _overlaid(prices, served, keep_cache=provider in _TIERS_KEEP_CACHE_PRICES)
        if "input_mtok" not in prices or not prices.keys() <= _KNOWN:
            return "unknown_rate"
        return RateCard(_steps(prices, provider), self.source)

    def _find(self, provider: Any, model: str) -> Any:
        """The list's entry of a model, or why there is none."""
        entry = provider.find_model(_plain(provider.id, model), all_providers=self._providers)
        if entry is None or (model.startswith("ft:") and not entry.id.startswith("ft:")):
            # A fine-tune has a price of its own; some patterns of the list would give it the base model's.
            return "unknown_model"
        if provider.id == "aws" and model.startswith("claude-"):
            # Bedrock's responses leave out what the request says of the region, and with it the price.
            elsewhere = provider.find_model(f"global.anthropic.{model}", all_providers=self._providers)
            if elsewhere is not None and elsewhere.prices != entry.prices:
                return "unknown_geo"
        return entry

    @staticmethod
    def _variant(provider: Any, entry: Any, tier: str, at: datetime) -> Mapping[str, Any] | None:
        """The prices that a tier's own list has for this model at that time; empty means "as standard"."""
        if not any(entry is own for own in provider.models):
            # A model that another provider's list stands in for: that provider's tiers are not this one's.
            return None
        for variant in entry.price_variants or ():
            if variant.when not in _conditions(tier):
                continue
            if variant.constraint is None or variant.constraint.active(at):
                return dict(_listed(variant.prices))
        return None


def _conditions(tier: str) -> tuple[dict[str, str], ...]:
    if tier == "batch":
        return ({"processing": "batch"},)
    if tier == "fast":
        return ({"service_tier": "fast"}, {"speed": "fast"})
    return ({"service_tier": tier},)


def _plain(provider_id: str, model: str) -> str:
    """A model name without the path that Google's APIs put before it."""
    if provider_id == "google":
        model = model.rpartition("models/")[2]
        model = model.removeprefix("google/")
    return model


def _listed(prices: Any) -> Iterator[tuple[str, Any]]:
    for key, value in cast("dict[str, Any]", vars(prices)).items():
        if value is not None and not key.startswith("_"):
            yield key, value


def _overlaid(standard: dict[str, Any], tier: Mapping[str, Any], *, keep_cache: bool) -> dict[str, Any]:
    """The prices of a tier: its own, and the standard ones of what is not billed by the token."""
    if not tier:
        return standard
    kept: dict[str, Any] = {}
    for key, value in standard.items():
        if key in tier:
            # A tier with one price where the standard list has steps says nothing of long prompts.
            starts = [step.start for step in getattr(value, "tiers", ())]
            flat = starts and not hasattr(tier[key], "tiers")
            kept[key] = _Capped(tier[key], min(starts)) if flat else tier[key]
        elif not key.endswith("_mtok") or (keep_cache and key.startswith("cache_")):
            kept[key] = value
    return {**tier, **kept}


class _Capped:
    """One price, known up to a prompt length."""

    def __init__(self, base: Decimal, most: int) -> None:
        self.base = base
        self.most = most


def _steps(prices: Mapping[str, Any], provider: str) -> list[tuple[int, UnitPrices | None]]:
    starts = {step.start for value in prices.values() for step in getattr(value, "tiers", ())}
    capped = [value.most for value in prices.values() if isinstance(value, _Capped)]
    most = min(capped) if capped else None
    steps: list[tuple[int, UnitPrices | None]] = []
    for above in sorted({-1, *starts, *capped}):
        if most is not None and above >= most:
            steps.append((above, None))
            break
        values: dict[str, Decimal] = {}
        for name, key in _PRICE_KEYS.items():
            if key in prices:
                value = _at(prices[key], above)
                values[name] = EXACT.multiply(value, Decimal(1000)) if name == "web_search" else value
        steps.append((above, _completed(UnitPrices(**values), provider)))
    return steps


def _at(value: Any, above: int) -> Decimal:
    """The price of a call whose prompt is just longer than `above` tokens."""
    if isinstance(value, Decimal):
        return value
    price: Decimal = value.base
    for step in getattr(value, "tiers", ()):
        if step.start <= above:
            price = step.price
    return price


def _completed(prices: UnitPrices, provider: str) -> UnitPrices:
    """With the prices that a list leaves out because they are the plain ones."""
    same: dict[str, Decimal | None] = {}
    if prices.cache_write is None and prices.cache_write_1h is None and provider in _WRITES_ARE_FREE:
        same["cache_write"] = prices.input
    if prices.input_audio is None and provider in _AUDIO_IS_TEXT:
        same["input_audio"] = prices.input
        same["cache_read_audio"] = prices.cache_read
    if prices.output_audio is None and provider in _AUDIO_IS_TEXT:
        same["output_audio"] = prices.output
    return prices.or_else(UnitPrices(**same))
