"""`Call`: what is known of one provider call. Private to the process; it is the only place where content stands."""

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from llm_observer.guard import guard
from llm_observer.results import CallReport, CallSite
from llm_observer.usage import Usage

__all__ = ["MOST_ARRIVALS", "MOST_BODY_BYTES", "Call", "parsed"]

MOST_BODY_BYTES = 16 << 20
"""A larger body is not read: parsing it would hold up the call. It is millions of tokens, or files."""

MOST_ARRIVALS = 10_000
"""Items of one stream whose arrival is kept."""


@dataclass(slots=True, eq=False, kw_only=True, repr=False)
class Call:
    """One invocation of an SDK method, with every retry and the reading of its stream.

    The adapters fill it while the call runs; the engine reads it once, at the end, and `release` then drops what
    holds content. Times are seconds; `at` is Unix time at the start of the request.
    """

    provider: str
    """OpenTelemetry's provider name."""
    api: str
    """`chat.completions`, `responses`, `completions`, `embeddings` or `messages`."""
    operation: str = "chat"
    """`gen_ai.operation.name`."""
    at: float = 0.0
    model: str | None = None
    stream: bool = False
    scope: str | None = None
    """Whose cache: keyed hash of base URL, organisation, project and API key."""
    server_address: str | None = None
    """The host that is asked, without a port."""
    tag: str | None = None
    """The family's name, when the application gave one."""
    site: CallSite | None = None

    body: bytes | None = None
    """The body of the last attempt exactly as sent."""
    attempts: int = 0
    first_byte_s: float | None = None
    """From the start to the first chunk of the response."""
    arrivals: "array[float] | None" = None
    """When each of the first `MOST_ARRIVALS` items of a stream came, by a clock of its own; `None` without items."""
    duration_s: float | None = None

    response_id: str | None = None
    response_model: str | None = None
    finish_reasons: tuple[str, ...] = ()
    service_tier: str | None = None
    """As served."""
    system_fingerprint: str | None = None
    raw_usage: Mapping[str, Any] | None = None
    """As the provider reports it."""
    diagnostics: Mapping[str, Any] | None = None
    """The provider's own word on why its cache was missed, when the response has one."""
    answer: Mapping[str, Any] | None = None
    """The response's content, where the user has switched on that content is recorded."""
    error_type: str | None = None
    compacted: bool = False
    """Whether the provider has summed up the conversation's earlier turns in this call."""

    report: CallReport | None = None
    """The explanation, once made."""

    prompt: object = None
    """What the engine read of the body before it was sent."""

    _request: Mapping[str, Any] | None = None
    _parameters: Mapping[str, Any] | None = None
    _usage: Usage | None = None
    _usage_read: bool = field(default=False)

    @property
    def request(self) -> Mapping[str, Any]:
        """The body as sent, parsed; empty when there is none or it is not a JSON object."""
        if self._request is None:
            self._request = parsed(self.body)
        return self._request

    @request.setter
    def request(self, value: Mapping[str, Any]) -> None:
        self._request = value

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The same; what the prompt is made of is left out where the engine read that before it was sent."""
        return self.request if self._parameters is None else self._parameters

    @parameters.setter
    def parameters(self, value: Mapping[str, Any]) -> None:
        self._parameters = value

    @property
    def usage(self) -> Usage | None:
        """The usage as OpenTelemetry counts it; `None` when the provider reported none."""
        if not self._usage_read:
            self._usage_read = True
            if self.raw_usage is not None:
                with guard("usage"):
                    self._usage = Usage.from_provider(self.provider, self.api, self.raw_usage)
        return self._usage

    @usage.setter
    def usage(self, value: Usage | None) -> None:
        self._usage, self._usage_read = value, True

    def unread(self) -> None:
        """Forget what was read of an earlier attempt."""
        self.prompt = self._request = self._parameters = None

    def release(self) -> None:
        """Drop what holds content."""
        self.body = self.prompt = None
        self._request = self._parameters = {}
        self.diagnostics = None
        self.answer = None

    def __repr__(self) -> str:
        return f"<Call {self.provider} {self.api}>"


def parsed(body: bytes | None) -> Mapping[str, Any]:
    """A body as sent, parsed; empty when there is none, it is too large, or it is not a JSON object."""
    value: object = None
    if body and len(body) <= MOST_BODY_BYTES:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = None
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
