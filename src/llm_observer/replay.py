"""Recorded calls through the same engine as live ones: no patching, no network."""

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llm_observer.adapters.reading import code
from llm_observer.analysis.converse_prompt import is_converse
from llm_observer.analysis.jsons import as_mapping
from llm_observer.call import Call
from llm_observer.config import Settings
from llm_observer.engine import Engine
from llm_observer.pricing.prices import Prices
from llm_observer.privacy import Hasher, load_hash_key
from llm_observer.results import CallReport

__all__ = ["RecordError", "analyze", "call_from_record", "iter_analyze", "replay_engine"]

_PRICES_WAIT_S = 30.0
_LAST_SECOND = 253_402_300_799
"""Of the year 9999, the last that dates can say."""

_APIS = ("chat.completions", "responses", "messages", "completions", "embeddings")
_SPELLINGS = {f"{start}{api.replace('.', sign)}": api for api in _APIS for start in ("", "/v1/") for sign in "./_"}
"""APIs as records name them: OpenTelemetry's `chat_completions` and the paths of requests among them."""
_OF_BEDROCK = {"converse": "converse", "conversestream": "converse", "invokemodel": "messages"}
_OF_BEDROCK["invokemodelwithresponsestream"] = "messages"
"""Bedrock's, as boto3 and the service name them: InvokeModel of Claude takes Anthropic's body."""


class RecordError(ValueError):
    """A record that is not a recorded call. The message names the field and says what it should be."""


def iter_analyze(records: Iterable[Mapping[str, Any]]) -> Iterator[CallReport]:
    """Explain recorded calls, one after another, in constant memory.

    A record is `{"at": unix seconds at request start, "provider": ..., "api": ..., "request": {body as sent},
    "response": {body as received} or "usage": {as the provider reports it}}`, and optionally `duration_s`,
    `first_byte_s`, `scope` (workspace or project) and `tag` (a name for the prompt, as `llm_observer.tag` gives it).
    Records are compared with those before them, so they come in the order in which they were sent.

    Raises:
        RecordError: A record is malformed.
    """
    engine = replay_engine()
    for record in records:
        yield engine.explain(call_from_record(record))


def analyze(records: Iterable[Mapping[str, Any]]) -> list[CallReport]:
    """Explain recorded calls; see `iter_analyze`."""
    return list(iter_analyze(records))


def replay_engine() -> Engine:
    """An engine for recorded calls, with its prices loaded; unless a key is set, its hashes have one of its own."""
    settings = Settings.resolve()
    prices = Prices(settings.prices)
    prices.wait(_PRICES_WAIT_S)
    hasher = Hasher(load_hash_key(settings.hash_key, None))
    return Engine(hasher, prices, wait_s=0.0, snippets=settings.snippets, cache_rules=settings.cache_rules)


def call_from_record(record: Mapping[str, Any]) -> Call:
    """The call that a record describes.

    Raises:
        RecordError: The record is malformed.
    """
    if not isinstance(record, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  a file may hold anything
        raise RecordError("a record is a JSON object")
    response = as_mapping(record.get("response"))
    usage = record.get("usage", response.get("usage"))
    request = _request(record)
    model = request.get("model") or request.get("modelId") or response.get("model")
    call = Call(
        provider=_text(record, "provider").lower(),
        api=_api(record, request),
        at=_start(record),
        model=model if isinstance(model, str) else None,
        scope=_text(record, "scope") if record.get("scope") is not None else None,
        tag=_text(record, "tag") if record.get("tag") is not None else None,
    )
    call.request = request
    call.duration_s = _seconds(record, "duration_s")
    call.first_byte_s = _seconds(record, "first_byte_s")
    call.raw_usage = as_mapping(usage) or None
    named = response.get("id")
    call.response_id = named if isinstance(named, str) else None
    served = response.get("model")
    call.response_model = served if isinstance(served, str) else None
    tier = response.get("service_tier")
    call.service_tier = tier if isinstance(tier, str) else None
    call.diagnostics = as_mapping(response.get("diagnostics") or response.get("prompt_cache_diagnostics")) or None
    call.error_type = _error(response)
    return call


def _error(response: Mapping[str, Any]) -> str | None:
    """The provider's code, when the body that was received is an error."""
    error = as_mapping(response.get("error"))
    return (code(error, "code") or code(error, "type") or "_OTHER") if error else None


def _request(record: Mapping[str, Any]) -> Mapping[str, Any]:
    request = as_mapping(record.get("request"))
    if not request:
        raise RecordError('"request" is missing: give the body as sent, as a JSON object')
    return request


def _api(record: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    named = _text(record, "api").lower()
    api = _SPELLINGS.get(named) or _OF_BEDROCK.get(named.replace("_", "").replace("-", ""))
    if api is None:
        raise RecordError(f'"api" is not one that is known: give {_EXAMPLES["api"]}')
    if isinstance(request.get("body"), str | bytes) and "modelId" in request:
        raise RecordError('"request" is what boto3 was called with: give its "body", as a JSON object')
    return "converse" if api == "messages" and is_converse(request) else api


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        raise RecordError(f'"{name}" is missing: give {_EXAMPLES[name]}')
    if not isinstance(value, str) or not value:
        raise RecordError(f'"{name}" is not a text: give {_EXAMPLES[name]}')
    return value


_EXAMPLES = {
    "provider": 'a string such as "openai" or "anthropic"',
    "api": '"chat.completions", "responses", "messages" or "converse"',
    "tag": "the prompt a name, or leave it out",
    "scope": "the name of the workspace or project, or leave it out",
}


def _start(record: Mapping[str, Any]) -> float:
    at = _seconds(record, "at")
    if at is None:
        raise RecordError('"at" is missing: give Unix seconds at the start of the request')
    if not 0 <= at <= _LAST_SECOND:
        raise RecordError('"at" is not in Unix seconds: divide milliseconds by 1000')
    return at


def _seconds(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get(name)
    if value is None:
        return None
    if not isinstance(value, bool) and isinstance(value, int | float):
        with contextlib.suppress(OverflowError):
            seconds = float(value)
            if math.isfinite(seconds):
                return seconds
    raise RecordError(f'"{name}" is not a number of seconds')
