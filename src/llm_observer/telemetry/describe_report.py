"""Attributes of an explained call: pure functions from `CallReport` to what a span or an event carries.

What is not known is absent. Nothing here is content of a prompt or of a completion, unless a snippet was asked for.
"""

from llm_observer.results import CallReport
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.values import Attributes

__all__ = ["cache_attributes", "cost_attributes", "prompt_attributes", "report_attributes"]


def prompt_attributes(report: CallReport) -> Attributes:
    """`llm_observer.prompt.*`: hashes and similarity."""
    prompt = report.prompt
    if prompt is None:
        return {}
    found: Attributes = {
        names.PROMPT_CANONICAL_HASH: prompt.canonical_hash,
        names.PROMPT_FAMILY: prompt.family,
        names.PROMPT_SEGMENTS: prompt.segments,
        names.PROMPT_KEY_ID: prompt.key_id,
    }
    if prompt.hash is not None:
        found[names.PROMPT_HASH] = prompt.hash
    if prompt.similarity is not None:
        found[names.PROMPT_SIMILARITY] = prompt.similarity
    if prompt.chain:
        found[names.PROMPT_CHAIN] = prompt.chain
    return found


def cost_attributes(report: CallReport) -> Attributes:
    """`llm_observer.cost.*`: what the call cost and saved, or why that is not known."""
    cost = report.cost
    found: Attributes = {}
    if cost.usd is not None:
        found[names.COST_USD] = float(cost.usd)
    if cost.saved_usd is not None:
        found[names.COST_SAVED_USD] = float(cost.saved_usd)
    if cost.reason is not None:
        found[names.COST_REASON] = cost.reason
    if cost.source is not None:
        found[names.COST_SOURCE] = cost.source
    return found


def cache_attributes(report: CallReport) -> Attributes:
    """`llm_observer.cache.*` and `llm_observer.breaker.*`: the verdict, and volatile values seen."""
    verdict = report.cache
    found: Attributes = {
        names.CACHE_OUTCOME: verdict.outcome,
        names.CACHE_BROKE: verdict.broke,
        names.CACHE_CAUSE: verdict.cause,
        names.CACHE_CONFIDENCE: verdict.confidence,
    }
    if verdict.broke:
        found[names.CACHE_AVOIDABLE] = verdict.avoidable
    for attribute, value in (
        (names.CACHE_LOCATION, verdict.location),
        (names.CACHE_OFFSET, verdict.offset),
        (names.CACHE_EXPECTED_TOKENS, verdict.expected_tokens),
        (names.CACHE_MISSED_TOKENS, verdict.missed_tokens),
        (names.CACHE_GAP, verdict.gap_s),
        (names.CACHE_TOKENS_METHOD, verdict.tokens_method),
        (names.CACHE_TOKENS_ERROR, verdict.tokens_error),
        (names.CACHE_LOST_USD, None if verdict.lost_usd is None else float(verdict.lost_usd)),
        (names.CACHE_HINT, verdict.hint),
        (names.CACHE_SNIPPET, report.snippet),
    ):
        if value is not None:
            found[attribute] = value
    if verdict.causes:
        found[names.CACHE_CAUSES] = verdict.causes
    if verdict.confirmed_by:
        found[names.CACHE_CONFIRMED_BY] = verdict.confirmed_by
    if report.breakers:
        found[names.BREAKER_CATEGORIES] = tuple(breaker.category for breaker in report.breakers)
        found[names.BREAKER_CONFIDENCES] = tuple(breaker.confidence for breaker in report.breakers)
    return found


def report_attributes(report: CallReport) -> Attributes:
    """Every `llm_observer.*` attribute of a report. What is not known is absent."""
    return {**prompt_attributes(report), **cost_attributes(report), **cache_attributes(report)}
