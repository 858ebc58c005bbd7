"""The engine: turns a finished `Call` into a `CallReport`. The same for live and for recorded calls."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from llm_observer.analysis.analyzer import Analyzer, Finding, Observation, Sizes
from llm_observer.analysis.prompts import PROMPT_FIELDS, read_prompt
from llm_observer.analysis.rule_file import read_rules
from llm_observer.analysis.rules import CacheRules
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.snippets import snippet
from llm_observer.call import Call, parsed
from llm_observer.config import Settings, state_dir
from llm_observer.counters import counters
from llm_observer.guard import guard, log
from llm_observer.ledger import Ledger
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.terms import CallTerms, call_terms
from llm_observer.privacy import Hasher, load_hash_key
from llm_observer.results import CallReport, CostEstimate, Verdict

__all__ = ["Engine"]

MOST_SEGMENTS = 8192
"""A prompt of more segments is not analysed."""

_TOLD = 3
"""Faults of a file of cache rules that are logged."""

MOST_BESIDE = 4
"""Calls under way that a cold one is compared with."""

USUAL_START_S = 1.0
"""When a response is taken to begin of which nothing is known."""

PRICES_WAIT_S = 0.005
"""How long the end of a call waits for prices that are still loading."""


class Engine:
    """Explains calls. Holds the prefix index, the prices and the hash key of one process.

    Args:
        hasher: Keys the hashes.
        prices: Where prices come from.
        wait_s: How long a call waits for prices that are still loading.
        snippets: Say what stands around the place where a prompt broke.
    """

    def __init__(
        self,
        hasher: Hasher,
        prices: Prices,
        *,
        wait_s: float = PRICES_WAIT_S,
        snippets: bool = False,
        cache_rules: Path | None = None,
    ) -> None:
        self.hasher = hasher
        self.prices = prices
        self._wait_s = wait_s
        self._snippets = snippets
        self.analyzer = Analyzer(hasher, rules=_rules(cache_rules))
        self._ledger = Ledger(prices)
        self.sharing: Callable[[], None] | None = None
        self.open_calls: Callable[[], Iterable[Call]] = tuple
        """The calls that have begun and not ended."""

    @classmethod
    def create(cls, settings: Settings) -> Self:
        """The engine that a process's settings ask for. Loads no prices yet."""
        hasher = Hasher(load_hash_key(settings.hash_key, state_dir()))
        return cls(hasher, Prices(settings.prices), snippets=settings.snippets, cache_rules=settings.cache_rules)

    def warm_up(self) -> None:
        """Begin to load what the end of a call will need, in the background. Cheap to call again."""
        self.prices.start_loading()
        if self.sharing is not None:
            with guard("engine.sharing"):
                self.sharing()

    def share(self, look: Callable[[], None]) -> None:
        """Let other processes of this host know of calls: `look` is called as one begins, to hear of theirs."""
        self.analyzer.share()
        self.sharing = look

    @staticmethod
    def read(call: Call, body: Mapping[str, Any]) -> None:
        """Read the prompt and the parameters of a call from its body, of which nothing else is kept."""
        call.prompt = read_prompt(call.api, body)
        call.parameters = {name: value for name, value in body.items() if name not in PROMPT_FIELDS}

    def sizes(self) -> Sizes:
        """What is remembered of earlier calls, in bytes."""
        return self.analyzer.sizes()

    def explain(self, call: Call) -> CallReport:
        """The report of a finished call; made once and kept on it. Never raises: what fails is left out."""
        if call.report is None:
            call.report = self._explain(call)
        return call.report

    def _explain(self, call: Call) -> CallReport:
        cost = CostEstimate(reason="internal_error")
        terms: CallTerms | None = None
        with guard("engine.cost"):
            cost, terms = self._cost(call)
        finding: Finding | None = None
        shown: str | None = None
        verdict = Verdict(outcome="not_reported")
        with guard("engine.analysis"):
            prompt = call.prompt if isinstance(call.prompt, Prompt) else read_prompt(call.api, call.request)
            finding = self._finding(call, prompt)
            if finding is not None:
                verdict = finding.verdict
            if self._snippets and prompt is not None:
                shown = _snippet(prompt, verdict)
        with guard("engine.ledger"):
            if finding is not None and terms is not None:
                verdict = self._ledger.claim(call, finding, terms)
        return CallReport(
            provider=call.provider,
            api=call.api,
            model=call.model,
            at=call.at,
            usage=call.usage,
            cost=cost,
            prompt=finding.prompt if finding is not None else None,
            cache=verdict,
            breakers=finding.breakers if finding is not None else (),
            response_model=call.response_model,
            duration_s=call.duration_s,
            error_type=call.error_type,
            site=call.site,
            snippet=shown,
        )

    def _cost(self, call: Call) -> tuple[CostEstimate, CallTerms | None]:
        """What the call cost, and the terms that it was billed under where it was."""
        if call.usage is None:
            return CostEstimate(reason="no_usage"), None
        terms = billing_terms(call)
        self.prices.wait(self._wait_s)
        return self.prices.estimate(usage=call.usage, **terms), terms

    def _finding(self, call: Call, prompt: Prompt | None) -> Finding | None:
        if prompt is None or not prompt.segments:
            return None
        if len(prompt.segments) > MOST_SEGMENTS:
            counters.add("skipped", "segments")
            return None
        began = call.first_byte_s if call.first_byte_s is not None else call.duration_s
        if began is None:
            began = USUAL_START_S
        ended = call.duration_s if call.duration_s is not None else began
        observed = _observation(call, prompt, call.at + began, call.at + ended)
        finding = self.analyzer.explain(observed)
        usage = call.usage
        if finding.verdict.outcome == "cold" and usage is not None and usage.cache_read_tokens == 0:
            verdict = self._beside(call, observed)
            if verdict is not None:
                return replace(finding, verdict=verdict)
        return finding

    def _beside(self, call: Call, observed: Observation) -> Verdict | None:
        """The verdict on a cold call by what was under way when it started: the writer of a prefix may end later."""
        others: list[Observation] = []
        for other in self.open_calls():
            if other is call or (other.provider, other.api, other.model, other.scope) != (
                call.provider,
                call.api,
                call.model,
                call.scope,
            ):
                continue
            begun = other.first_byte_s is not None and other.at + other.first_byte_s <= call.at
            if begun or other.at > call.at or len(others) >= MOST_BESIDE:
                continue
            # Not kept on the other call: a retry of it may yet send another body.
            prompt = other.prompt if isinstance(other.prompt, Prompt) else read_prompt(other.api, parsed(other.body))
            if prompt is not None and 0 < len(prompt.segments) <= MOST_SEGMENTS:
                others.append(_observation(other, prompt, math.inf))
        return self.analyzer.beside(observed, others) if others else None


def _rules(path: Path | None) -> CacheRules | None:
    """The cache rules with the user's own ahead of them; those of this version alone where the file has a fault."""
    if path is None:
        return None
    found = read_rules(path)
    if found.problems:
        log.error("cache rules are used without your own: %s", "; ".join(found.problems[:_TOLD]))
    return found.rules()


def _observation(call: Call, prompt: Prompt, ready_at: float, ended_at: float | None = None) -> Observation:
    return Observation(
        provider=call.provider,
        model=call.model,
        scope=call.scope or "",
        at=call.at,
        ready_at=ready_at,
        prompt=prompt,
        usage=None if call.error_type and call.usage is None else call.usage,
        diagnostics=call.diagnostics,
        tag=call.tag,
        ended_at=ended_at,
        # Anthropic compares with requests that asked for it themselves.
        answer=call.response_id if call.api == "responses" or "diagnostics" in call.parameters else None,
    )


def _snippet(prompt: Prompt, verdict: Verdict) -> str | None:
    """What the prompt says around the place that the verdict names."""
    if not verdict.broke or verdict.offset is None:
        return None
    segment = next((segment for segment in prompt.segments if segment.path == verdict.location), None)
    return snippet(segment.text, verdict.offset) if segment is not None else None


def billing_terms(call: Call) -> CallTerms:
    """What decides a call's price besides its tokens, as `Prices` takes it."""
    return call_terms(
        provider=call.provider,
        request_model=call.model,
        response_model=call.response_model,
        raw_usage=call.raw_usage,
        request=call.parameters,
        service_tier=call.service_tier,
        server_address=call.server_address,
        at=call.at,
    )
