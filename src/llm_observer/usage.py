"""Token usage as OpenTelemetry counts it, converted from each provider's own shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

__all__ = ["Usage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call. Inclusive: a part is counted in its whole too. `None` is "not reported", never zero.

    `input_tokens` contains `cache_read_tokens` and `cache_write_tokens` (which contains `cache_write_1h_tokens` and
    `cache_write_12h_tokens`), `input_audio_tokens` (which contains `cache_read_audio_tokens`) and
    `input_image_tokens`. `output_tokens` contains `reasoning_tokens`, `output_audio_tokens`, `output_image_tokens`.
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
    reported_cost_usd: Decimal | None = None

    @classmethod
    def from_provider(cls, provider: str, api: str, raw: Mapping[str, Any]) -> Self | None:
        """Convert what `provider` reports for `api`; `None` when it reports no token counts at all."""
        raise NotImplementedError
