"""Request parameters that are attributes: where each stands in a body, by API, and what type it must have."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.values import Attributes, AttributeValue, dig

__all__ = ["request_attributes"]

_LONGEST = 256
"""Longer strings in a request parameter are not what they should be, and are left out."""


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
    # Not OpenAI's, but of servers that speak its protocol.
    _Parameter(names.GEN_AI_REQUEST_TOP_K, ("top_k",), "integer"),
)
_PARAMETERS: Mapping[str, tuple[_Parameter, ...]] = {
    "chat.completions": (
        *_COMPLETION,
        _Parameter(names.GEN_AI_REQUEST_MAX_TOKENS, ("max_completion_tokens",), "integer"),
        # OpenRouter's, and OpenAI's.
        _Parameter(names.GEN_AI_REQUEST_REASONING_LEVEL, ("reasoning", "effort"), "string"),
        _Parameter(names.GEN_AI_REQUEST_REASONING_LEVEL, ("reasoning_effort",), "string"),
        _Parameter(names.GEN_AI_OUTPUT_TYPE, ("modalities",), "modalities"),
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
        _Parameter(names.GEN_AI_PROMPT_NAME, ("prompt", "id"), "string"),
        _Parameter(names.GEN_AI_PROMPT_VERSION, ("prompt", "version"), "string"),
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

_MODALITIES = {"audio": "speech", "image": "image"}
"""What `modalities` may ask for besides text, as the conventions name it."""


def request_attributes(api: str, request: Mapping[str, Any]) -> Attributes:
    """The attributes of the request parameters of `api`. Of two that set the same attribute the later goes before."""
    found: Attributes = {}
    for parameter in _PARAMETERS.get(api, ()):
        if parameter.path[0] not in request:
            continue
        value = _typed(dig(request, parameter.path), parameter.kind)
        if value is not None:
            found[parameter.attribute] = value
    return found


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
        case "modalities", list():
            asked = cast("list[object]", value)
            return next((meant for name, meant in _MODALITIES.items() if name in asked), None)
        case "strings", str():
            return (value,)
        case "strings", list():
            items = cast("list[object]", value)
            texts = tuple(item for item in items if isinstance(item, str) and len(item) <= _LONGEST)
            return texts if texts and len(texts) == len(items) else None
        case _:
            return None
