"""`estimate_cost`: what one call cost, for a usage at hand."""

import functools
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from llm_observer.pricing.prices import Prices
from llm_observer.results import CostEstimate
from llm_observer.usage import Usage

__all__ = ["default_prices", "estimate_cost"]


@functools.cache
def default_prices() -> Prices:
    """The prices of this process, with the overrides that `LLM_OBSERVER_PRICES` names."""
    path = os.environ.get("LLM_OBSERVER_PRICES", "").strip()
    return Prices(Path(os.path.expanduser(path)) if path else None)  # noqa: PTH111  Path's raises without a home


def estimate_cost(
    *,
    provider: str,
    model: str,
    usage: Usage | Mapping[str, Any] | None,
    service_tier: str | None = None,
    batch: bool = False,
    speed: str | None = None,
    inference_geo: str | None = None,
    at: float | datetime | None = None,
) -> CostEstimate:
    """What a call cost by list prices, or `usd=None` with the reason. Never raises, whatever it is given.

    Args:
        provider: OpenTelemetry's provider name, such as `openai`, `anthropic`, `azure.ai.openai`, `aws.bedrock`.
        model: The model as billed: the response's; on Bedrock the request's, which names the region.
        usage: Its tokens by the names of `Usage`; a provider's own usage is converted by `Usage.from_provider`,
            which gives `None` for what holds no counts.
        service_tier: The tier that served it, such as `flex`, `priority`, `batch`.
        batch: It ran in a batch.
        speed: Anthropic's `speed`.
        inference_geo: Where it ran, when that has a price.
        at: When it started: Unix seconds or a datetime (naive is UTC); now when left out.
    """
    if usage is None:
        return CostEstimate(reason="no_usage")
    try:
        tokens = Usage.from_mapping(usage)
    except ValueError:
        return CostEstimate(reason="invalid_usage")
    prices = default_prices()
    prices.wait(60.0)
    return prices.estimate(
        provider=provider,
        model=model,
        usage=tokens,
        service_tier=service_tier,
        batch=batch,
        speed=speed,
        inference_geo=inference_geo,
        at=at,
    )
