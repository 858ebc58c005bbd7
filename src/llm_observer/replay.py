"""Recorded calls through the same engine as live ones: no patching, no network."""

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llm_observer.analysis.jsons import as_mapping
from llm_observer.call import Call
from llm_observer.config import Settings
from llm_observer.engine import Engine
from llm_observer.pricing.prices import Prices
from llm_observer.privacy import Hasher, load_hash_key
from llm_observer.results import CallReport

__all__ = ["RecordError", "analyze", "iter_analyze"]

_PRICES_WAIT_S = 30.0


class RecordError(ValueError):
    """A record that is not a recorded call. The message names the field and says what it should be."""


def iter_analyze(records: Iterable[Mapping[str, Any]]) -> Iterator[CallReport]:
    """Explain recorded calls, one after another, in constant memory.

    A record is `{"at": unix seconds at request start, "provider": ..., "api": ..., "request": {body as sent},
    "response": {body as received} or "usage": {as the provider reports it}}`, and optionally `duration_s`,
    `first_byte_s` and `scope` (workspace or project). Records are compared with those before them, so they come in
    the order in which they were sent.

    Raises:
        RecordError: A record is malformed.
    """
    settings = Settings.resolve()
    key = load_hash_key(settings.hash_key, None)
    engine = Engine(Hasher(key), Prices(settings.prices), wait_s=_PRICES_WAIT_S)
    for record in records:
        yield engine.explain(call_from_record(record))


def analyze(records: Iterable[Mapping[str, Any]]) -> list[CallReport]:
    """Explain recorded calls; see `iter_analyze`."""
    return list(iter_analyze(records))


def call_from_record(record: Mapping[str, Any]) -> Call:
    """The call that a record describes.

    Raises:
        RecordError: The record is malformed.
    """
    if not isinstance(record, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  a file may hold anything
        raise RecordError("a record is a JSON object")
    response = as_mapping(record.get("response"))
    usage = record.get("usage", response.get("usage"))
    model = _request(record).get("model") or response.get("model")
    call = Call(
        provider=_text(record, "provider"),
        api=_text(record, "api"),
        at=_seconds(record, "at") or 0.0,
        model=model if isinstance(model, str) else None,
        scope=str(record["scope"]) if record.get("scope") is not None else None,
    )
    call.request = _request(record)
    call.duration_s = _seconds(record, "duration_s")
    call.first_byte_s = _seconds(record, "first_byte_s")
    call.raw_usage = as_mapping(usage) or None
    served = response.get("model")
    call.response_model = served if isinstance(served, str) else None
    tier = response.get("service_tier")
    call.service_tier = tier if isinstance(tier, str) else None
    call.diagnostics = as_mapping(response.get("diagnostics") or response.get("prompt_cache_diagnostics")) or None
    return call


def _request(record: Mapping[str, Any]) -> Mapping[str, Any]:
    request = as_mapping(record.get("request"))
    if not request:
        raise RecordError('"request" is missing: give the body as sent, as a JSON object')
    return request


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise RecordError(f'"{name}" is missing: give a string such as {_EXAMPLES[name]}')
    return value


_EXAMPLES = {"provider": '"openai" or "anthropic"', "api": '"chat.completions", "responses" or "messages"'}


def _seconds(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get(name)
    if value is None:
        if name == "at":
            raise RecordError('"at" is missing: give Unix seconds at the start of the request')
        return None
    if not isinstance(value, bool) and isinstance(value, int | float):
        with contextlib.suppress(OverflowError):
            seconds = float(value)
            if math.isfinite(seconds):
                return seconds
    raise RecordError(f'"{name}" is not a number of seconds')
