"""Attributes of a call: pure functions from `Call` to what a span, an event or a metric carries.

A value that is absent or of another type than the attribute's sets nothing, so an odd request or response body can
break nothing. No function here returns content of a prompt or of a completion.
"""

from collections.abc import Mapping
from typing import Any, cast

from llm_observer.analysis.diagnostics import provider_reason
from llm_observer.call import Call
from llm_observer.results import CallSite
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.parameters import request_attributes
from llm_observer.telemetry.values import Attributes, count, dig, is_code
from llm_observer.usage import Usage

__all__ = ["USAGE", "call_attributes", "span_name", "start_attributes"]

_API_TYPES = {"chat.completions": "chat_completions", "responses": "responses"}

_OPENAI = frozenset({"openai", "azure.ai.openai"})

USAGE: tuple[tuple[str, str], ...] = (
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
"""Attributes, and the figure of a `Usage` that each carries."""

_BY_MODALITY: tuple[tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]], ...] = (
    (
        ("prompt_tokens_details", "input_tokens_details"),
        (
            (names.GEN_AI_USAGE_TEXT_INPUT_TOKENS, ("text_tokens",)),
            (names.GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS, ("cached_tokens_details", "text_tokens")),
            (names.GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS, ("cached_tokens_details", "image_tokens")),
        ),
    ),
    (
        ("completion_tokens_details", "output_tokens_details"),
        ((names.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS, ("text_tokens",)),),
    ),
)
"""What `Usage` does not tell apart, since its price is the same: as OpenAI's protocol reports it."""


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
    found: Attributes = {names.CALL_API: call.api, **request_attributes(call.api, call.parameters)}
    _set_response(found, call)
    if call.usage is not None:
        _set_usage(found, call.usage, call.raw_usage or {})
    if call.diagnostics is not None:
        reason, missed = provider_reason(call.diagnostics)
        if is_code(reason):
            found[names.CACHE_PROVIDER_REASON] = reason
        if missed is not None:
            found[names.CACHE_PROVIDER_MISSED_TOKENS] = missed
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
    if call.compacted:
        found[names.GEN_AI_CONVERSATION_COMPACTED] = True
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


def _set_usage(found: Attributes, usage: Usage, raw: Mapping[str, Any]) -> None:
    for attribute, figure in USAGE:
        tokens = getattr(usage, figure)
        if tokens is not None:
            found[attribute] = tokens
    for side, parts in _BY_MODALITY:
        told: object = next((part for name in side if (part := raw.get(name)) is not None), None)
        if isinstance(told, Mapping):
            details = cast("Mapping[str, Any]", told)
            for attribute, path in parts:
                # Most say no more of their modalities than `Usage` holds.
                if path[0] in details and (tokens := count(dig(details, path))) is not None:
                    found[attribute] = tokens


def _set_site(found: Attributes, site: CallSite | None) -> None:
    if site is not None:
        found[names.CODE_FILE_PATH] = site.file
        found[names.CODE_FUNCTION_NAME] = site.function
        found[names.CODE_LINE_NUMBER] = site.line
