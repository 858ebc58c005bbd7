"""Runs planted and clean traffic through the demo provider and the engine, and holds verdicts to what was planted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from recorded import JSON, recorder
from scenarios import Planted
from workload import Step, api_of

from llm_observer.engine import Engine
from llm_observer.pricing.estimate import default_prices
from llm_observer.privacy import Hasher
from llm_observer.replay import call_from_record
from llm_observer.results import Verdict


@dataclass
class Score:
    """How many verdicts were as planted; what was found instead where they were not; reads foretold to the token."""

    calls: int = 0
    wrong: list[str] = field(default_factory=list[str])
    broke: int = 0
    exact: int = 0
    found: list[str] = field(default_factory=list[str])

    @property
    def right(self) -> int:
        return self.calls - len(self.wrong)

    def judged(self, engine: Engine, record: JSON, spoil: Callable[[JSON], None] | None, truth: int) -> Verdict:
        """The counted verdict on a recorded call that read `truth` tokens, once its response was spoilt."""
        if spoil is not None:
            spoil(record["response"])
        verdict = engine.explain(call_from_record(record)).cache
        self.calls += 1
        self.broke += verdict.broke
        self.exact += verdict.expected_tokens == truth
        return verdict

    def add(self, other: "Score") -> None:
        self.calls += other.calls
        self.wrong += other.wrong
        self.broke += other.broke
        self.exact += other.exact


def judge(steps: Iterable[tuple[str, Step]]) -> Score:
    """Make the calls of `steps`, each to a model, one after another, and score the verdicts."""
    score = Score()
    engine = Engine(Hasher(b"a key for the workload's hashes"), default_prices())
    with recorder() as calls:
        for model, step in steps:
            record = calls.call(api_of(model), step.body, after_s=step.after_s)
            verdict = score.judged(engine, record, step.spoil, calls.truth[-1].served.read)
            if not as_planted(step, verdict):
                score.wrong.append(f"{model} call {score.calls}: {step.cause} at {step.location} → {verdict}")
    return score


def as_planted(step: Step, verdict: Verdict) -> bool:
    if verdict.cause != step.cause or (step.location is not None and verdict.location != step.location):
        return False
    if len(step.causes) > 1 and frozenset(verdict.causes) != step.causes:
        return False
    return verdict.broke == (step.cause not in {"none", "below_minimum"})


def judge_planted(steps: Iterable[Planted]) -> Score:
    """Make the calls of `steps` one after another, and score the verdicts where something is claimed of them."""
    score = Score()
    engine = Engine(Hasher(b"a key for the workload's hashes"), default_prices())
    with recorder() as calls:
        for step in steps:
            body = step.talk.body() | ({"model": step.model} if step.model else {})
            record = calls.call(step.talk.shape.api, body, after_s=step.after_s, scope=step.scope)
            verdict = score.judged(engine, record, step.spoil, calls.truth[-1].served.read)
            if not _holds(step, verdict):
                wanted = sorted(step.causes) or [step.cause, step.location]
                score.wrong.append(f"call {score.calls}: {wanted} → {verdict}")
                score.found.append(verdict.cause)
    return score


def _holds(step: Planted, verdict: Verdict) -> bool:
    if step.cause is None:
        return True
    if step.causes:
        return verdict.broke and frozenset(verdict.causes) == step.causes
    broke = step.cause != "none" if step.broke is None else step.broke
    named = verdict.cause in {step.cause, *step.also} and verdict.broke == broke
    return named and step.location in {None, verdict.location}
