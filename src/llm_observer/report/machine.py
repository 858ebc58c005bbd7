"""Reports as JSON, for machines. Money is a decimal string; what is not known of a sum is `null`, of a call absent."""

from dataclasses import asdict, fields, is_dataclass
from decimal import Decimal
from typing import Any, cast

from llm_observer._version import __version__
from llm_observer.report.families import Family, Finding, Report, Totals
from llm_observer.results import BreakEven, CallReport, LifetimeAdvice

__all__ = ["as_json", "call_as_json"]


def as_json(report: Report) -> dict[str, Any]:
    """The report as an object of JSON types."""
    return {
        "format": "llm-observer.report/1",
        "llm_observer": __version__,
        "period": {
            "first": report.first.isoformat() if report.first else None,
            "last": report.last.isoformat() if report.last else None,
        },
        "totals": _totals(report.totals),
        "families": [_family(family) for family in report.families],
        "unpriced": [asdict(model) for model in report.unpriced],
        "errors": report.errors,
    }


def call_as_json(report: CallReport) -> dict[str, Any]:
    """The report on one call as an object of JSON types, by the names of its attributes."""
    return _plain(report)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        parts = {each.name: getattr(value, each.name) for each in fields(value)}
        return {name: _plain(part) for name, part in parts.items() if part is not None}
    if isinstance(value, tuple):
        return [_plain(part) for part in cast("tuple[Any, ...]", value)]
    return _money(value) if isinstance(value, Decimal) else value


def _family(family: Family) -> dict[str, Any]:
    return {
        "id": family.id,
        "name": family.name,
        "status": family.status,
        "provider": family.provider,
        "model": family.model,
        "site": asdict(family.site) if family.site else None,
        "totals": _totals(family.totals),
        "lost_usd_per_1000_calls": _money(family.lost_per_1000),
        "break_even": _break_even(family.pays.break_even),
        "lifetime": _lifetime(family.pays.lifetime),
        "findings": [_finding(finding) for finding in family.findings],
        "errors": dict(family.errors),
    }


def _break_even(pays: BreakEven | None) -> dict[str, Any] | None:
    if pays is None:
        return None
    return {"calls": pays.calls, "lifetime": pays.lifetime.name if pays.lifetime else None, "words": str(pays)}


def _lifetime(advice: LifetimeAdvice | None) -> dict[str, Any] | None:
    if advice is None:
        return None
    return {
        "now": advice.now.name if advice.now else None,
        "best": advice.best.name if advice.best else None,
        "saves_usd": _money(advice.saves_usd),
        "costs_usd": {name: _money(cost) for name, cost in advice.costs_usd.items()},
        "break_even": _break_even(advice.pays),
        "calls": advice.calls,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "location": finding.location,
        "offset": finding.offset,
        "site": asdict(finding.site) if finding.site else None,
        "hint": finding.hint,
        "avoidable": finding.avoidable,
        "calls": finding.calls,
        "lost_usd": _money(finding.lost),
        "confidence": finding.confidence,
        "snippet": finding.snippet,
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "calls": totals.calls,
        "failed_calls": totals.failed,
        "broken_calls": totals.broke,
        "unpriced_calls": totals.unpriced,
        "input_tokens": totals.input_tokens,
        "output_tokens": totals.output_tokens,
        "cache_read_tokens": totals.read,
        "cache_possible_tokens": totals.could_read,
        "cache_share": totals.share,
        "cache_possible_share": totals.possible_share,
        "cost_usd": _money(totals.cost),
        "saved_usd": _money(totals.saved),
        "lost_usd_avoidable": _money(totals.lost_avoidable),
        "lost_usd_by_choice": _money(totals.lost_by_choice),
    }


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
