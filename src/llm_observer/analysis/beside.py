"""A call held against those under way when it started: the writer of a prefix may end after its reader."""

import math
from collections.abc import Sequence

from llm_observer.analysis.boundaries import writes
from llm_observer.analysis.fingerprint import Fingerprinter
from llm_observer.analysis.index import Entry, PrefixIndex
from llm_observer.analysis.observed import Observation
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.tokens import Fit
from llm_observer.analysis.tracer import Place, Tracer
from llm_observer.analysis.verdict import judge
from llm_observer.results import Verdict

__all__ = ["judge_beside"]


def judge_beside(
    call: Observation,
    others: Sequence[Observation],
    rule: CacheRule,
    place: Place,
    fit: Fit,
    tracer: Tracer,
    fingerprints: Fingerprinter,
) -> Verdict | None:
    """The verdict on a call had `others` written what they share with it; `None` where they explain nothing."""
    index = PrefixIndex()
    for other in others:
        trace = tracer.trace(other, rule, place, fit, fingerprints.keys(other.prompt.segments)).trace
        for position, _ in writes(other.prompt, rule) if rule.match == "boundary" else ():
            index.keep(trace.chain[position - 1], Entry(other.at, math.inf, other.at, None))
        index.add(trace, "", ())
    now = tracer.trace(call, rule, place, fit, fingerprints.keys(call.prompt.segments)).trace
    verdict, _ = judge(call.prompt, now, rule, index, fingerprints, call.usage, fit)
    return verdict if verdict.cause == "concurrent_cold_start" else None
