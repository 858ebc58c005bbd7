"""Calls as records to sum up. What an event does not say, or says in another type, is `None`, never zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast

from llm_observer.pricing.terms import call_terms
from llm_observer.results import CallReport, CallSite

__all__ = ["Record", "record", "record_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One call, as far as reports speak of it. Money is in US dollars."""

    at: datetime | None = None
    provider: str | None = None
    model: str | None = None
    billed_model: str | None = None
    """The model whose price counts."""
    tier: str | None = None
    """The service tier, as served."""
    family: str | None = None
    site: CallSite | None = None
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    read_tokens: int | None = None
    write_tokens: int | None = None
    write_1h_tokens: int | None = None
    write_12h_tokens: int | None = None
    cost: Decimal | None = None
    saved: Decimal | None = None
    unpriced_because: str | None = None
    outcome: str | None = None
    broke: bool = False
    avoidable: bool = True
    cause: str | None = None
    location: str | None = None
    offset: int | None = None
    expected_tokens: int | None = None
    gap_s: float | None = None
    """Seconds since the process that made the call last used the prefix of the expected tokens."""
    prefixes: frozenset[str] = frozenset()
    """Ids of the prompt's beginnings as they were sent."""
    lost: Decimal | None = None
    confidence: float | None = None
    hint: str | None = None
    snippet: str | None = None


def record(event: Mapping[str, Any]) -> Record:
    """The record of a v1 event. Never raises."""
    call, usage, cost, cache = (_part(event, name) for name in ("call", "usage", "cost", "cache"))
    provider = _of(str, call.get("provider"))
    asked, served = _of(str, call.get("request_model")), _of(str, call.get("response_model"))
    return Record(
        at=_time(event.get("occurred_at")),
        provider=provider,
        model=asked or served,
        billed_model=_billed(provider, asked, served),
        tier=_of(str, call.get("service_tier")),
        family=_of(str, _part(event, "prompt").get("family")),
        site=_site(_part(call, "site")),
        error=_of(str, call.get("error_type")),
        input_tokens=_of(int, usage.get("input_tokens")),
        output_tokens=_of(int, usage.get("output_tokens")),
        read_tokens=_of(int, usage.get("cache_read_tokens")),
        write_tokens=_of(int, usage.get("cache_write_tokens")),
        write_1h_tokens=_of(int, usage.get("cache_write_1h_tokens")),
        write_12h_tokens=_of(int, usage.get("cache_write_12h_tokens")),
        cost=_money(cost.get("usd")),
        saved=_money(cost.get("saved_usd")),
        unpriced_because=_of(str, cost.get("reason")),
        outcome=_of(str, cache.get("outcome")),
        broke=cache.get("broke") is True,
        avoidable=cache.get("avoidable") is not False,
        cause=_of(str, cache.get("cause")),
        location=_of(str, cache.get("location")),
        offset=_of(int, cache.get("offset")),
        expected_tokens=_of(int, cache.get("expected_tokens")),
        gap_s=_number(cache.get("gap_s")),
        prefixes=_prefixes(_part(event, "prompt").get("chain")),
        lost=_money(cache.get("lost_usd")),
        confidence=_number(cache.get("confidence")),
        hint=_of(str, cache.get("hint")),
        snippet=_of(str, _part(event, "local").get("snippet")),
    )


def record_of(report: CallReport, *, tier: str | None = None) -> Record:
    """The record of a call that was explained just now, served by `tier`."""
    usage, cost, cache = report.usage, report.cost, report.cache
    return Record(
        at=datetime.fromtimestamp(report.at, UTC),
        provider=report.provider,
        model=report.model or report.response_model,
        billed_model=_billed(report.provider, report.model, report.response_model),
        tier=tier,
        family=report.prompt.family if report.prompt is not None else None,
        site=report.site,
        error=report.error_type,
        input_tokens=usage.input_tokens if usage is not None else None,
        output_tokens=usage.output_tokens if usage is not None else None,
        read_tokens=usage.cache_read_tokens if usage is not None else None,
        write_tokens=usage.cache_write_tokens if usage is not None else None,
        write_1h_tokens=usage.cache_write_1h_tokens if usage is not None else None,
        write_12h_tokens=usage.cache_write_12h_tokens if usage is not None else None,
        cost=cost.usd,
        saved=cost.saved_usd,
        unpriced_because=cost.reason,
        outcome=cache.outcome,
        broke=cache.broke,
        avoidable=cache.avoidable,
        cause=cache.cause,
        location=cache.location,
        offset=cache.offset,
        expected_tokens=cache.expected_tokens,
        gap_s=cache.gap_s,
        lost=cache.lost_usd,
        confidence=cache.confidence,
        hint=cache.hint,
        snippet=report.snippet,
    )


_BEYOND = 10**12
"""No call costs as many dollars, or waits as many seconds: what a row says so is damaged, and would spoil every sum."""


def _billed(provider: str | None, asked: str | None, served: str | None) -> str | None:
    return call_terms(provider=provider or "", request_model=asked, response_model=served)["model"]


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return cast("Mapping[str, Any]", part) if isinstance(part, Mapping) else {}


def _of(kind: type[T], value: object) -> T | None:
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _prefixes(chain: object) -> frozenset[str]:
    """The wire ids of a chain, whose links are a position, a canonical id and a wire id."""
    links = cast("list[object]", chain) if isinstance(chain, list) else []
    return frozenset(link.rpartition(":")[2] for link in links if isinstance(link, str) and link.count(":") == 2)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _BEYOND:
        return None
    return float(value)


def _money(value: object) -> Decimal | None:
    if not isinstance(value, str):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < _BEYOND else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _site(site: Mapping[str, Any]) -> CallSite | None:
    file, function, line = _of(str, site.get("file")), _of(str, site.get("function")), _of(int, site.get("line"))
    return CallSite(file=file, function=function or "?", line=line) if file and line is not None else None
