"""What the analysis takes of a call, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_observer.analysis.segments import Prompt
from llm_observer.results import Breaker, PromptReport, Verdict
from llm_observer.usage import Usage

__all__ = ["Finding", "Observation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One finished call, as the analysis needs it. Times are Unix seconds.

    Attributes:
        at: Start of the request.
        ready_at: When its response began, as far as that is known.
        ended_at: When its response ended; `None` for when it began.
        scope: Whose cache.
        answer: The response's id, where a later call may go on with it or be compared with it.
    """

    provider: str
    model: str | None
    scope: str
    at: float
    ready_at: float
    prompt: Prompt
    usage: Usage | None = None
    diagnostics: Mapping[str, Any] | None = None
    tag: str | None = None
    ended_at: float | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the analysis found out. `seen` is how many calls of the family came before."""

    prompt: PromptReport
    verdict: Verdict
    breakers: tuple[Breaker, ...]
    seen: int
