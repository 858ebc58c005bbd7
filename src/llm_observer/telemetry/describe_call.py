"""Attributes of a call: pure functions from `Call` to what a span, an event or a metric carries.

A value that is absent or of another type than the attribute's sets nothing, so an odd request or response body can
break nothing. No function here returns content of a prompt or of a completion.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeGuard, cast

from llm_observer.call import Call
from llm_observer.results import CallSite
from llm_observer.telemetry import attributes as names
from llm_observer.usage import Usage

__all__ = ["Attributes", "call_attributes", "is_code", "span_name", "start_attributes"]

AttributeValue: TypeAlias = str | bool | int | float | Sequence[str] | Sequence[float]
Attributes: TypeAlias = dict[str, AttributeValue]

_LONGEST = 256
"""Longer strings in a request parameter or a response field are not what they should be, and are left out."""


class _Parameter(NamedTuple):
    """A request parameter that becomes an attribute: where it stands in the body, and what type it must have."""

    attribute: str
    path: tuple[str, ...]
    kind: str


_SAMPLING = (
    _Parameter(names.GEN_AI_REQUEST_TEMPERATURE, ("temperature",), "number"),
    _Parameter(names.GEN_AI_REQUEST_TOP_P, ("top_p",), "number"),
)
_COMPLETION = (
    *_SAMPLING,
    _Parameter(names.GEN_AI_REQUEST_MAX_TOKENS, ("max_tokens",), "integer"),
    _Parameter(names.GEN_AI_REQUEST_FREQUENCY_PENALTY, ("frequency_penalty",), "number"),
    _Parameter(names.GEN_AI_REQUEST_PRESENCE_PENALTY, ("presence_penalty",), "number"),
    _Parameter(names.GEN_AI_REQUEST_SEED, ("seed",), "integer"),
    _Parameter(names.GEN_AI_REQUEST_STOP_SEQUENCES, ("stop",), "strings"),
    _Parameter(names.GEN_AI_REQUEST_CHOICE_COUNT, ("n",), "count"),
)
_PARAMETERS: Mapping[str, tuple[_Parameter, ...]] = {
    "chat.completions": (
        *_COMPLETION,
        _Parameter(names.GEN_AI_REQUEST_TOP_K, ("top_k",), "integer"),
        _Parameter(names.GEN_AI_REQUEST_MAX_TOKENS, ("max_completion_tokens",), "integer"),
        _Parameter(names.GEN_AI_REQUEST_REASONING_LEVEL, ("reasoning_effort",), "string"),
        _Parameter(names.GEN_AI_OUTPUT_TYPE, ("response_format", "type"), "format"),
        _Parameter(names.OPENAI_REQUEST_SERVICE_TIER, ("service_tier",), "tier"),
    ),
    "completions": _COMPLETION,
    "responses": (
        *_SAMPLING,
        _Parameter(names.GEN_AI_REQUEST_MAX_TOKENS, ("max_output_tokens",), "integer"),
        _Parameter(names.GEN_AI_REQUEST_REASONING_LEVEL, ("reasoning", "effort"), "string"),
        _Parameter(names.GEN_AI_OUTPUT_TYPE, ("text", "format", "type"), "format"),
        _Parameter(names.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID, ("previous_response_id",), "string"),
        _Parameter(names.GEN_AI_CONVERSATION_ID, ("conversation",), "string"),
        _Parameter(names.GEN_AI_CONVERSATION_ID, ("conversation", "id"), "string"),
        _Parameter(names.OPENAI_REQUEST_SERVICE_TIER, ("service_tier",), "tier"),
    ),
    "embeddings": (
        _Parameter(names.GEN_AI_EMBEDDINGS_DIMENSION_COUNT, ("dimensions",), "integer"),
        _Parameter(names.GEN_AI_REQUEST_ENCODING_FORMATS, ("encoding_format",), "strings"),
    ),
    "messages": (
        *_SAMPLING,
        _Parameter(names.GEN_AI_REQUEST_MAX_TOKENS, ("max_tokens",), "integer"),
        _Parameter(names.GEN_AI_REQUEST_TOP_K, ("top_k",), "integer"),
        _Parameter(names.GEN_AI_REQUEST_STOP_SEQUENCES, ("stop_sequences",), "strings"),
        _Parameter(names.GEN_AI_REQUEST_REASONING_LEVEL, ("output_config", "effort"), "string"),
        _Parameter(names.GEN_AI_OUTPUT_TYPE, ("output_format", "type"), "format"),
        _Parameter(names.GEN_AI_OUTPUT_TYPE, ("output_config", "format", "type"), "format"),
    ),
}

_OUTPUT_TYPES = {"text": "text", "json_object": "json", "json_schema": "json"}

_API_TYPES = {"chat.completions": "chat_completions", "responses": "responses"}

_OPENAI = frozenset({"openai", "azure.ai.openai"})

_USAGE: tuple[tuple[str, str], ...] = (
    (names.GEN_AI_USAGE_INPUT_TOKENS, "input_tokens"),
    (names.GEN_AI_USAGE_OUTPUT_TOKENS, "output_tokens"),
    (names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "cache_read_tokens"),
    # Both spellings: the conventions renamed it, and backends read either.
    (names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, "cache_write_tokens"),
    (names.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS, "cache_write_tokens"),
    (names.USAGE_CACHE_WRITE_1H_TOKENS, "cache_write_1h_tokens"),
    (names.USAGE_CACHE_WRITE_12H_TOKENS, "cache_write_12h_tokens"),
    (names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, "reasoning_tokens"),
    (names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS, "input_audio_tokens"),
    (names.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS, "cache_read_audio_tokens"),
    (names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, "output_audio_tokens"),
    (names.GEN_AI_USAGE_IMAGE_INPUT_TOKENS, "input_image_tokens"),
    (names.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS, "output_image_tokens"),
)


_CODE = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")


def is_code(value: object) -> TypeGuard[str]:
    """Whether `value` looks like a provider's code for something: a gateway may put a sentence where one belongs."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def span_name(operation: str, model: str | None) -> str:
    """The conventions' name of a span: the operation, and the model where the request names one."""
    return f"{operation} {model}" if model else operation


def start_attributes(call: Call, address: str | None, port: int | None) -> Attributes:
    """What a span starts with, so that samplers see it."""
    found: Attributes = {
        names.GEN_AI_OPERATION_NAME: call.operation,
        names.GEN_AI_PROVIDER_NAME: call.provider,
    }
    if call.model:
        found[names.GEN_AI_REQUEST_MODEL] = call.model
    if address:
        found[names.SERVER_ADDRESS] = address
        if port:
            found[names.SERVER_PORT] = port
    if call.stream:
        found[names.GEN_AI_REQUEST_STREAM] = True
    return found


def call_attributes(call: Call) -> Attributes:
    """What a finished call adds to `start_attributes`: parameters, response, usage, error and call site."""
    found: Attributes = {names.CALL_API: call.api}
    request = call.request
    for parameter in _PARAMETERS.get(call.api, ()):
        value = _typed(_dig(request, parameter.path), parameter.kind)
        if value is not None:
            found[parameter.attribute] = value
    _set_response(found, call)
    _set_usage(found, call.usage)
    if call.attempts > 1:
        found[names.HTTP_REQUEST_RESEND_COUNT] = call.attempts - 1
    if call.error_type:
        found[names.ERROR_TYPE] = call.error_type
    _set_site(found, call.site)
    return found


def _set_response(found: Attributes, call: Call) -> None:
    for attribute, text in (
        (names.GEN_AI_RESPONSE_ID, call.response_id),
        (names.GEN_AI_RESPONSE_MODEL, call.response_model),
    ):
        if text:
            found[attribute] = text
    if reasons := tuple(reason for reason in call.finish_reasons if is_code(reason)):
        found[names.GEN_AI_RESPONSE_FINISH_REASONS] = reasons
    if call.stream and call.first_byte_s is not None:
        found[names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = call.first_byte_s
    if is_code(call.service_tier):
        found[names.CALL_SERVICE_TIER] = call.service_tier
    if call.provider in _OPENAI:
        if call.api in _API_TYPES:
            found[names.OPENAI_API_TYPE] = _API_TYPES[call.api]
        if is_code(call.service_tier):
            found[names.OPENAI_RESPONSE_SERVICE_TIER] = call.service_tier
        if is_code(call.system_fingerprint):
            found[names.OPENAI_RESPONSE_SYSTEM_FINGERPRINT] = call.system_fingerprint
    else:
        found.pop(names.OPENAI_REQUEST_SERVICE_TIER, None)


def _set_usage(found: Attributes, usage: Usage | None) -> None:
    if usage is None:
        return
    for attribute, figure in _USAGE:
        tokens = getattr(usage, figure)
        if tokens is not None:
            found[attribute] = tokens


def _set_site(found: Attributes, site: CallSite | None) -> None:
    if site is not None:
        found[names.CODE_FILE_PATH] = site.file
        found[names.CODE_FUNCTION_NAME] = site.function
        found[names.CODE_LINE_NUMBER] = site.line


def _dig(value: object, path: tuple[str, ...]) -> object:
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(key)
    return value


def _typed(value: object, kind: str) -> AttributeValue | None:
    """`value` if it is what `kind` says, as the attribute has it."""
    match kind, value:
        case _, bool():
            return None
        case "integer", int():
            return value
        case "number", int() | float():
            return float(value)
        case "count", int() if value != 1:
            return value
        case (("string" | "strings" | "tier" | "format"), str()) if len(value) > _LONGEST:
            return None
        case "string", str():
            return value
        case "tier", str() if value != "auto":
            return value
        case "format", str():
            return _OUTPUT_TYPES.get(value)
        case "strings", str():
            return (value,)
        case "strings", list():
            items = cast("list[object]", value)
            texts = tuple(item for item in items if isinstance(item, str) and len(item) <= _LONGEST)
            return texts if texts and len(texts) == len(items) else None
        case _:
            return None
