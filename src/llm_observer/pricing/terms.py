"""What decides the price of a call besides its tokens: read from what was asked and what was served."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict

__all__ = ["At", "CallTerms", "call_terms"]

At = float | datetime | None
"""A point in time: Unix seconds, a datetime (naive is UTC), or now."""


class CallTerms(TypedDict):
    """The keywords of `Prices.estimate` that choose the unit prices."""

    provider: str
    model: str | None
    service_tier: NotRequired[str | None]
    batch: NotRequired[bool]
    speed: NotRequired[str | None]
    inference_geo: NotRequired[str | None]
    at: NotRequired[At]


_EMPTY: Final[Mapping[str, Any]] = {}
_VERTEX_HOST: Final = "-aiplatform.googleapis.com"
_OPENAI_HOST: Final = ".api.openai.com"


def call_terms(
    *,
    provider: str,
    request_model: str | None,
    response_model: str | None = None,
    raw_usage: Mapping[str, Any] | None = None,
    request: Mapping[str, Any] | None = None,
    service_tier: str | None = None,
    server_address: str | None = None,
    at: At = None,
) -> CallTerms:
    """The terms that a call was billed under, as served where the response tells. Never raises.

    Args:
        provider: OpenTelemetry's provider name.
        request_model: The model that was asked for: on Azure the name of a deployment.
        response_model: The model that answered.
        raw_usage: The provider's own usage; Anthropic's holds tier, speed and place.
        request: The body as sent.
        service_tier: The tier of the response, where it stands outside the usage.
        server_address: The host that answered; Vertex AI and OpenAI name the region in it.
        at: When the call started.
    """
    usage = raw_usage if isinstance(raw_usage, Mapping) else _EMPTY
    asked = request if isinstance(request, Mapping) else _EMPTY
    return CallTerms(
        provider=provider,
        model=_billed_model(provider, request_model, response_model),
        service_tier=_text(service_tier) or _text(usage.get("service_tier")),
        speed=_text(usage.get("speed")) or _text(asked.get("speed")),
        inference_geo=_text(usage.get("inference_geo")) or _place(provider, server_address),
        at=at,
    )


def _billed_model(provider: str, request_model: str | None, response_model: str | None) -> str | None:
    if provider == "aws.bedrock":
        # The response leaves out the region that the request's inference profile names.
        return request_model or response_model
    if provider.startswith("azure."):
        # The request names a deployment, whatever model stands behind it.
        return response_model
    return response_model or request_model


def _place(provider: str, server_address: str | None) -> str | None:
    host = _text(server_address)
    if host is None:
        return None
    if provider == "gcp.vertex_ai" and host.endswith(_VERTEX_HOST):
        return host.removesuffix(_VERTEX_HOST)
    if provider == "openai" and host.endswith(_OPENAI_HOST):
        return host.removesuffix(_OPENAI_HOST)
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
