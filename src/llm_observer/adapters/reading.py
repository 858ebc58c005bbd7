"""What is read from a provider's response: parsed models, plain dicts and the items of streams alike.

Nothing is called on an SDK's model: its fields are looked up where pydantic keeps them, so no validator, serializer
or warning of the SDK runs. A field of an unexpected type counts as absent.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from llm_observer.call import Call

__all__ = [
    "ChatReading",
    "EmbeddingsReading",
    "MessagesReading",
    "Reading",
    "ResponsesReading",
    "code",
    "field",
    "plain",
]

_NONE: Mapping[str, Any] = {}
_DEEPEST = 8
_WIDEST = 128
_LONGEST = 256
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_COMPACTIONS = frozenset({"compaction"})
"""What stands for turns that the provider has summed up."""

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_STOPPED = {"completed": "stop", "failed": "error", "cancelled": "cancelled", "incomplete": "incomplete"}
"""Why the model stopped, by the status of a settled response, which gives a reason itself only when it is cut short."""

_CALLED = frozenset(
    {"function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call"}
)
"""Items of a response that the application is to answer."""


def members(value: object) -> Mapping[str, Any]:
    """The fields of a dict or a model."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    found = getattr(value, "__dict__", None)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else _NONE


def field(value: object, name: str) -> Any:
    """The field of a dict or a model, also one that the SDK's model does not declare."""
    found = members(value).get(name)
    if found is None:
        extra: object = getattr(value, "__pydantic_extra__", None)
        if isinstance(extra, dict):
            return cast("dict[str, Any]", extra).get(name)
    return found


def text(value: object, name: str) -> str | None:
    """The field if it is a string of an id's or a name's length."""
    found = field(value, name)
    return found if isinstance(found, str) and 0 < len(found) <= _LONGEST else None


def code(value: object, name: str) -> str | None:
    """The field if it looks like a provider's code for an error: a gateway may put a sentence there."""
    found = field(value, name)
    return found if isinstance(found, str) and _CODE.fullmatch(found) else None


def plain(value: object, depth: int = _DEEPEST) -> Any:
    """`value` as plain data: dicts for models, without the fields that are `None`. Too wide or deep, it is `None`."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if depth == 0:
        return None
    if isinstance(value, list | tuple):
        if len(cast("list[object]", value)) > _WIDEST:
            return None
        return [plain(item, depth - 1) for item in cast("list[object]", value)]
    found = dict(members(value))
    extra: object = getattr(value, "__pydantic_extra__", None)
    if isinstance(extra, dict):
        found |= cast("dict[str, Any]", extra)
    if len(found) > _WIDEST:
        return None
    return {
        name: plain(item, depth - 1) for name, item in found.items() if item is not None and not name.startswith("_")
    }


def _has(items: object, kinds: frozenset[str]) -> bool:
    """Whether one of a response's items, or content blocks, is of one of these kinds."""
    return isinstance(items, list) and any(code(item, "type") in kinds for item in cast("list[object]", items))


class Reading:
    """Reads one call's response: whole with `response`, or a stream's items with `item`, then `end`."""

    __slots__ = ("call",)

    def __init__(self, call: Call) -> None:
        self.call = call

    def response(self, data: object) -> None:
        """Read a whole response."""
        raise NotImplementedError

    def item(self, item: object) -> None:
        """Read one item of a stream."""
        raise NotImplementedError

    def end(self) -> None:
        """Put what the items gave on the call."""

    def _identity(self, data: object) -> None:
        call = self.call
        call.response_id = text(data, "id") or call.response_id
        call.response_model = text(data, "model") or call.response_model

    def _usage(self, usage: object) -> None:
        if usage is not None:
            found = plain(usage)
            if isinstance(found, dict) and found:
                self.call.raw_usage = cast("dict[str, Any]", found)


class ChatReading(Reading):
    """Chat Completions, and the legacy Completions."""

    __slots__ = ("_fingerprint", "_named", "_reasons", "_tier", "_tokens")

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self._named = False
        self._reasons: dict[int, str] = {}
        self._tokens: object = None
        self._tier: object = None
        self._fingerprint: object = None

    def response(self, data: object) -> None:
        """Read a completion."""
        self.item(data)
        self.end()

    def item(self, item: object) -> None:
        """Read a chunk: the usage is the last one given, a finish reason is its choice's."""
        found = members(item)
        if not self._named:
            self._identity(item)
            self._named = bool(self.call.response_id and self.call.response_model)
        choices = found.get("choices")
        if isinstance(choices, list):
            for choice in cast("list[object]", choices):
                reason = members(choice).get("finish_reason")
                if reason is not None:
                    self._finished(item, choice, reason)
        self._figures(found)
        if "usage" not in found:
            # An older SDK's model does not declare it.
            extra: object = getattr(item, "__pydantic_extra__", None)
            if isinstance(extra, dict):
                self._figures(cast("dict[str, Any]", extra))

    def _figures(self, found: Mapping[str, Any]) -> None:
        if (usage := found.get("usage")) is not None:
            self._tokens = usage
        if (tier := found.get("service_tier")) is not None:
            self._tier = tier
        if (fingerprint := found.get("system_fingerprint")) is not None:
            self._fingerprint = fingerprint

    def _finished(self, chunk: object, choice: object, reason: object) -> None:
        index = members(choice).get("index")
        if isinstance(reason, str):
            self._reasons[index if isinstance(index, int) else 0] = reason
        # Moonshot gives the usage of a stream in the last choice, Groq in a field of its own.
        usage = field(choice, "usage") or field(field(chunk, "x_groq"), "usage")
        if usage is not None:
            self._tokens = usage

    def end(self) -> None:
        """The figures of the last chunk that had them."""
        call = self.call
        call.finish_reasons = tuple(self._reasons[index] for index in sorted(self._reasons))
        call.service_tier = self._tier if isinstance(self._tier, str) else None
        call.system_fingerprint = self._fingerprint if isinstance(self._fingerprint, str) else None
        self._usage(self._tokens)
        diagnostics = plain(field(self._tokens, "prompt_cache_diagnostics"))
        if isinstance(diagnostics, dict):
            call.diagnostics = cast("dict[str, Any]", diagnostics)


class EmbeddingsReading(Reading):
    """Embeddings."""

    __slots__ = ()

    def response(self, data: object) -> None:
        """Read a list of embeddings: its model and its usage."""
        self.call.response_model = text(data, "model")
        self._usage(field(data, "usage"))

    def item(self, item: object) -> None:
        """Embeddings are not streamed."""


class ResponsesReading(Reading):
    """Responses."""

    __slots__ = ()

    def response(self, data: object) -> None:
        """Read a response, or what there is of one that still runs."""
        call = self.call
        self._identity(data)
        status = text(data, "status")
        output = field(data, "output")
        if status is not None and (stopped := _STOPPED.get(status)) is not None:
            reason = text(field(data, "incomplete_details"), "reason")
            if reason is None and status == "completed" and _has(output, _CALLED):
                reason = "tool_calls"
            call.finish_reasons = (reason or stopped,)
        if status == "failed":
            call.error_type = code(field(data, "error"), "code") or "failed"
        call.service_tier = text(data, "service_tier") or call.service_tier
        self._usage(field(data, "usage"))
        call.compacted = call.compacted or _has(output, _COMPACTIONS)
        diagnostics = plain(field(data, "prompt_cache_diagnostics"))
        if isinstance(diagnostics, dict):
            call.diagnostics = cast("dict[str, Any]", diagnostics)

    def item(self, item: object) -> None:
        """Read an event: those that carry a response, and errors."""
        found = members(item)
        kind = found.get("type")
        if kind == "response.output_text.delta":
            return
        if kind == "error":
            self.call.error_type = code(item, "code") or "error"
        elif kind in _ENDS:
            self.response(found.get("response"))
        elif not self.call.response_id:
            self._identity(found.get("response"))


class MessagesReading(Reading):
    """Anthropic Messages."""

    __slots__ = ("_tokens",)

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self._tokens: dict[str, Any] = {}

    def response(self, data: object) -> None:
        """Read a message."""
        self._message(data)
        self.end()

    def _message(self, data: object) -> None:
        self._identity(data)
        self._delta(data, field(data, "usage"))
        self.call.compacted = self.call.compacted or _has(field(data, "content"), _COMPACTIONS)
        diagnostics = plain(field(data, "diagnostics"))
        if isinstance(diagnostics, dict):
            self.call.diagnostics = cast("dict[str, Any]", diagnostics)

    def _delta(self, data: object, usage: object) -> None:
        reason = text(data, "stop_reason")
        if reason is not None:
            self.call.finish_reasons = (reason,)
        found = plain(usage)
        if isinstance(found, dict):
            # The counts of a stream are cumulative: the last word on each is the figure.
            self._tokens |= cast("dict[str, Any]", found)

    def item(self, item: object) -> None:
        """Read an event: `message_start` has the input's usage, `message_delta` the rest."""
        found = members(item)
        kind = found.get("type")
        if kind == "message_delta":
            self._delta(found.get("delta"), found.get("usage"))
        elif kind == "content_block_start":
            self.call.compacted = self.call.compacted or _has([found.get("content_block")], _COMPACTIONS)
        elif kind == "message_start":
            self._message(found.get("message"))
            # What it says of the output is where the count begins: a stream that is left early has none.
            self._tokens.pop("output_tokens", None)
        elif kind == "error":
            self.call.error_type = code(found.get("error"), "type") or "error"

    def end(self) -> None:
        """The figures as the last event left them."""
        self._usage(self._tokens or None)
        tier = self._tokens.get("service_tier")
        self.call.service_tier = tier if isinstance(tier, str) else None
