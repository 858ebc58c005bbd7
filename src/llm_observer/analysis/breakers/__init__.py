"""Volatile values, known by their look: timestamps, ids, nonces, counters, temporary paths, signed URLs.

A look is a suspicion: whether a value really differs between calls only a comparison of calls can say.
"""

from llm_observer.analysis.breakers.kinds import KINDS, Span
from llm_observer.analysis.breakers.scan import find_spans, mask
from llm_observer.results import Breaker

__all__ = ["Span", "as_breaker", "detect_breakers", "find_spans", "mask"]


def detect_breakers(text: str) -> list[Breaker]:
    """Find what in `text` is likely to differ from one call to the next, and so to break a prompt cache.

    Args:
        text: Any text: a system prompt, a message, a request body.

    Returns:
        The values found, in order and disjoint; offsets are in characters of `text`.

    Raises:
        TypeError: `text` is not a string.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  users are not all type-checked
        raise TypeError(f"text has to be a str, not {type(text).__name__}")
    return [as_breaker(span) for span in find_spans(text)]


def as_breaker(span: Span) -> Breaker:
    """What is said of a span."""
    kind = KINDS[span.kind]
    return Breaker(category=span.category, start=span.start, end=span.end, confidence=kind.confidence, hint=kind.hint)
