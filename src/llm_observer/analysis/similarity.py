"""How much of two prompts is a shared canonical prefix."""

from collections.abc import Mapping
from typing import Any

from llm_observer.analysis.canonical import canonical_forms
from llm_observer.analysis.compare import common
from llm_observer.analysis.measure import weigh
from llm_observer.analysis.prompts import read_prompt
from llm_observer.analysis.segments import Prompt, Segment

__all__ = ["prefix_similarity"]


def prefix_similarity(a: Mapping[str, Any] | str, b: Mapping[str, Any] | str) -> float:
    """The part of the longer prompt that is a canonical prefix shared by both, by estimated tokens: 0 to 1.

    Canonical: white space, Unicode form, JSON key order, the order of tools and volatile values count as equal. It is
    1 for prompts that differ in such noise only, 0 for prompts that differ from the first character on. Symmetric.

    Args:
        a: A request body (OpenAI Chat Completions or Responses, Anthropic Messages), or a text.
        b: Another.

    Raises:
        TypeError: One of the two is neither.
    """
    for name, value in (("a", a), ("b", b)):
        if not isinstance(value, str | Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  as users pass it
            raise TypeError(f"{name} has to be a request body or a str, not {type(value).__name__}")
    forms_a, forms_b = _forms(a), _forms(b)
    shared = 0.0
    for (form_a, weight_a), (form_b, weight_b) in zip(forms_a, forms_b, strict=False):
        if form_a != form_b:
            # Into the segment where the two part, as far as its canonical text goes on alike.
            if form_a[:2] == form_b[:2]:
                shared += weigh(form_a[2][: common(form_a[2], form_b[2])])
            break
        shared += max(weight_a, weight_b)
    longer = max(sum(weight for _, weight in forms_a), sum(weight for _, weight in forms_b))
    return min(1.0, shared / longer) if longer else 1.0


def _forms(value: Mapping[str, Any] | str) -> list[tuple[tuple[str, str, str], float]]:
    """Canonical form and weight of each segment, tools sorted by name."""
    if isinstance(value, str):
        segments: tuple[Segment, ...] = (Segment("prompt", "user", value, role="user"),)
    else:
        segments = _prompt(value).segments
    rows = [((s.kind, s.role, canonical_forms(s).canonical), weigh(s.text), s) for s in segments]
    tools = sorted((row for row in rows if row[2].kind == "tool"), key=lambda row: (row[2].name, row[0]))
    return [(form, weight) for form, weight, _ in (*tools, *(row for row in rows if row[2].kind != "tool"))]


def _prompt(body: Mapping[str, Any]) -> Prompt:
    """The prompt of a body whose API is not said: each has a member that the others lack."""
    if "input" in body or "instructions" in body:
        api = "responses"
    elif "system" in body or ("max_tokens" in body and "messages" in body and not _has_leading_system(body)):
        api = "messages"
    else:
        api = "chat.completions" if "messages" in body else "completions"
    prompt = read_prompt(api, body)
    return prompt if prompt is not None else Prompt(segments=(), head=0)


def _has_leading_system(body: Mapping[str, Any]) -> bool:
    messages = body.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None  # pyright: ignore[reportUnknownVariableType]
    return isinstance(first, Mapping) and first.get("role") in {"system", "developer"}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
