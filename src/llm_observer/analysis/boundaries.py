"""Where a request writes cache boundaries, and where the provider looks for earlier ones on its behalf.

A position is a number of segments: position 3 is behind the third.
"""

from collections.abc import Sequence

from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.segments import Prompt, Segment

__all__ = ["Boundary", "dropped", "lookups", "writes"]

Boundary = tuple[int, str | None]
"""A position and the lifetime asked for there."""

_RUNS = frozenset({"tool_use", "tool_result"})
_ELIGIBLE = frozenset({"user", "tool_result", "media"})


def writes(prompt: Prompt, rule: CacheRule) -> list[Boundary]:
    """The boundaries that this request writes where its prompt is long enough, in order.

    Anthropic: every marker, and the last block under automatic caching. OpenAI from GPT-5.6: the latest explicit
    markers and the end of the latest eligible message, which takes one of the slots.
    """
    explicit = [*prompt.markers]
    automatic = _automatic(prompt, rule)
    slots = rule.max_writes or 0
    if automatic is None:
        return explicit[-slots:]
    kept = explicit[-(slots - 1) :] if slots > 1 else []
    return sorted(dict((*kept, automatic)).items())


def dropped(prompt: Prompt, rule: CacheRule) -> list[Boundary]:
    """The markers of the request that are not written because there are too many."""
    kept = {position for position, _ in writes(prompt, rule)}
    return [boundary for boundary in prompt.markers if boundary[0] not in kept]


def _automatic(prompt: Prompt, rule: CacheRule) -> Boundary | None:
    if prompt.automatic is None or not prompt.segments:
        return None
    if not rule.implicit:
        return (len(prompt.segments), prompt.automatic)
    if not prompt.implicit:
        return None
    ends = _eligible_ends(prompt)
    return (ends[-1], prompt.automatic) if ends else None


def _eligible_ends(prompt: Prompt) -> list[int]:
    """Ends of messages where OpenAI may place a boundary by itself.

    User messages, the last output of a run of tool outputs, and the end of the developer messages at the start.
    """
    segments = prompt.segments
    ends: list[int] = []
    for i, segment in enumerate(segments, 1):
        if not segment.message_end:
            continue
        if i == prompt.head:
            ends.append(i)
        elif i > prompt.head and segment.kind in _ELIGIBLE:
            run_goes_on = segment.kind == "tool_result" and i < len(segments) and segments[i].kind == "tool_result"
            if not run_goes_on and segment.role != "assistant":
                ends.append(i)
    return ends


def lookups(prompt: Prompt, rule: CacheRule, written: Sequence[Boundary]) -> list[int]:
    """The positions at which the provider looks for an earlier boundary, deepest first; `written` is from `writes`."""
    found: set[int] = set()
    if rule.lookback is not None:
        for position, _ in written:
            found.update(_lookback(prompt.segments, position, rule.lookback))
    else:
        explicit = [position for position, _ in prompt.markers]
        found.update(explicit[: rule.first_explicit])
        found.update(explicit[-rule.latest_explicit :] if rule.latest_explicit else ())
        if prompt.implicit:
            found.update(_eligible_ends(prompt)[-(rule.earlier_endings + 1) :])
            if prompt.head:
                found.add(prompt.head)
        found.update(position for position, _ in written)
    return sorted(found, reverse=True)


def _lookback(segments: tuple[Segment, ...], position: int, most: int) -> list[int]:
    """The position and those before it, `most` in all. A run of tool uses, or of tool results, counts as one."""
    found: list[int] = []
    counted = 0
    previous = ""
    for i in range(position, 0, -1):
        kind = segments[i - 1].kind
        if kind != previous or kind not in _RUNS:
            counted += 1
            if counted > most:
                break
        previous = kind
        found.append(i)
    return found
