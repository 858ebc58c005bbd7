"""How a prompt's content was rearranged against an earlier one: what parts from it, and what it takes up again behind.

Content that differs and is followed by nothing known is a new turn and no cause. Content that differs *ahead* of
segments (or lines) which the earlier prompt had too is what keeps those from being read.
"""

from collections import Counter
from typing import NamedTuple

from llm_observer.analysis.compare import Difference, common, first_difference
from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter
from llm_observer.analysis.index import Trace
from llm_observer.analysis.retrieved import looks_retrieved
from llm_observer.analysis.segments import Prompt, Segment
from llm_observer.analysis.summaries import OPENING, continues, mentions_summary, states_summary

__all__ = ["Rearrangement", "rearranged"]

_LEAST_WEIGHT = 48.0
"""Estimated tokens that must come again behind a change before the change is held against them."""
_LEAST_SHARE = 0.25
"""And the part of what lies behind the change that they must make up."""
_SHRUNK = 0.6
"""A message cut to less than this part of its length was elided rather than edited."""
_LONG_HISTORY = 3
"""Segments from which on a history is long enough to be summarised."""


class Rearrangement(NamedTuple):
    """A change of content, and the position up to which the prompt would be known without it."""

    difference: Difference
    end: int


class _Side(NamedTuple):
    """One prompt behind the point where the two part."""

    canonical: tuple[bytes, ...]
    weights: tuple[float, ...]


def rearranged(
    prompt: Prompt, now: Trace, then: Trace, shared: int, fingerprints: Fingerprinter
) -> Rearrangement | None:
    """What was rearranged behind the first `shared` segments, `None` for a new turn, a retry or another prompt."""
    if shared >= len(now) or shared >= len(then):
        return None
    here, there = _side(now, shared), _side(then, shared)
    segment = prompt.segments[shared]
    a, b = fingerprints.known(now.wire[shared]), fingerprints.known(then.wire[shared])
    if a is None or b is None:
        return None
    if _extended(segment, a, b, shared, then, fingerprints):
        return Rearrangement(Difference("message_extended", segment.path, b.length, shared), shared + 1)
    reach = _reach(here, there)
    if reach is not None:
        cause = _cause(prompt, shared, now, then, fingerprints, a, b)
        offset = first_difference(segment.text, a, b) if cause in _LOCATED and a.kind == b.kind else None
        return Rearrangement(Difference(cause, segment.path, offset, shared), shared + reach)
    if "media" in {a.kind, b.kind} and (same := _equal_without_media(here, there, a, b)):
        end = shared + same + (a.kind == "media")
        return Rearrangement(Difference("image_changed", segment.path, None, shared), end)
    if _compacted(prompt, shared, now, then):
        return Rearrangement(Difference("compaction", segment.path, None, shared), shared + 1)
    own = now.weights[shared + 1] - now.weights[shared]
    cause = _within(segment, a, b, own)
    if cause is None:
        return _replayed(prompt, shared, a, b, own) if shared == len(then) - 1 else None
    if cause == "input_changed" and prompt.head < shared == len(now) - 1 == len(then) - 1:
        # The last message of a conversation was edited and sent anew.
        return None
    # What follows it alike was kept from being read too.
    end = shared + 1 + common(now.canonical[shared + 1 :], then.canonical[shared + 1 :])
    return Rearrangement(Difference(cause, segment.path, first_difference(segment.text, a, b), shared), end)


_ASKED = frozenset({"user", "tool_result"})
_LOCATED = frozenset({"system_changed", "retrieved_content", "history_rewritten", "input_changed"})


def _side(trace: Trace, shared: int) -> _Side:
    weights = trace.weights
    return _Side(
        tuple(trace.canonical[shared:]),
        tuple(weights[i + 1] - weights[i] for i in range(shared, len(trace))),
    )


def _extended(
    segment: Segment, a: Fingerprint, b: Fingerprint, shared: int, then: Trace, fingerprints: Fingerprinter
) -> bool:
    """Whether the earlier prompt's last segment was lengthened in place."""
    if shared != len(then) - 1 or a.length <= b.length or a.kind != b.kind or not b.length:
        return False
    return fingerprints.wire(segment._replace(text=segment.text[: b.length])) == b.wire


def _reach(here: _Side, there: _Side) -> int | None:
    """How many segments behind the change lie before the end of what the earlier prompt had too."""
    known = Counter(there.canonical)
    weight = 0.0
    last = None
    for i, (canonical, own) in enumerate(zip(here.canonical, here.weights, strict=True)):
        if known[canonical] > 0:
            known[canonical] -= 1
            weight += own
            last = i
    if last is None or weight < _LEAST_WEIGHT or weight < _LEAST_SHARE * sum(here.weights[: last + 1]):
        return None
    return last + 1


def _cause(
    prompt: Prompt, shared: int, now: Trace, then: Trace, fingerprints: Fingerprinter, a: Fingerprint, b: Fingerprint
) -> str:
    here, there = _side(now, shared), _side(then, shared)
    segment = prompt.segments[shared]
    if "media" in {a.kind, b.kind} and _equal_without_media(here, there, a, b):
        return "image_changed"
    if segment.kind == "system" or b.kind == "system":
        return "retrieved_content" if looks_retrieved(segment, a, b) else "system_changed"
    dropped = _dropped_front(here, there, new=0)
    if b.kind == "thinking" and b.kind != a.kind and not _dropped_turn(then, shared, dropped, fingerprints):
        return "history_rewritten"
    if _reordered(here, there):
        return "few_shot_order"
    if dropped:
        return "history_truncated"
    if _dropped_front(here, there, new=1) or (
        _dropped_front(here, there, new=2) and mentions_summary(prompt.segments[shared : shared + OPENING])
    ):
        return "compaction"
    if _shortened(now, then, shared, fingerprints):
        return "history_truncated"
    if segment.kind == "user" and looks_retrieved(segment, a, b):
        return "retrieved_content"
    return "history_rewritten"


def _shortened(now: Trace, then: Trace, shared: int, fingerprints: Fingerprinter) -> bool:
    """Whether each of the segments that differ was cut to a part of its length, and the two go on alike behind them."""
    for i in range(shared, min(len(now), len(then))):
        if now.canonical[i] == then.canonical[i]:
            return i > shared
        a, b = fingerprints.known(now.wire[i]), fingerprints.known(then.wire[i])
        if a is None or b is None or a.kind != b.kind or a.length >= _SHRUNK * b.length:
            return False
    return False


def _equal_without_media(here: _Side, there: _Side, a: Fingerprint, b: Fingerprint) -> int:
    """For how many segments the two go on alike behind a medium that was changed, added or removed."""
    after_here = here.canonical[1:] if a.kind == "media" else here.canonical
    after_there = there.canonical[1:] if b.kind == "media" else there.canonical
    return common(after_here, after_there)


def _reordered(here: _Side, there: _Side) -> bool:
    """Whether both begin with the same segments in another order."""
    seen: Counter[bytes] = Counter()
    for i, (x, y) in enumerate(zip(here.canonical, there.canonical, strict=False), 1):
        seen[x] += 1
        seen[y] -= 1
        if i > 1 and not any(seen.values()):
            return True
    return False


def _dropped_front(here: _Side, there: _Side, *, new: int) -> int:
    """How many segments were dropped where this prompt goes on, behind `new` new ones, with what stood further back."""
    rest = here.canonical[new:]
    for skipped in range(new + 1, len(there.canonical)):
        run = common(rest, there.canonical[skipped:])
        if run and run >= min(len(there.canonical) - skipped, 2):
            return skipped
    return 0


def _dropped_turn(then: Trace, shared: int, dropped: int, fingerprints: Fingerprinter) -> bool:
    """Whether more than thinking is among the segments that were dropped."""
    gone = [fingerprints.known(wire) for wire in then.wire[shared : shared + dropped]]
    return any(fp is not None and fp.kind != "thinking" for fp in gone)


def _compacted(prompt: Prompt, shared: int, now: Trace, then: Trace) -> bool:
    """Whether a history went, of which nothing is left, and a segment that opens as a summary of it took its place.

    Where the earlier prompt opens with a summary too, so may each of the application's conversations, unless it says
    that it continues one.
    """
    if shared < prompt.head or len(then) - shared < _LONG_HISTORY or len(now) >= len(then):
        return False
    if not any(map(continues if then.summarised else states_summary, prompt.segments[shared : shared + OPENING])):
        return False
    return now.weights[-1] - now.weights[shared] < then.weights[-1] - then.weights[shared]


def _within(segment: Segment, a: Fingerprint, b: Fingerprint, whole: float) -> str | None:
    """The cause of a change inside one segment, with lines behind it that the earlier one had too."""
    if a.kind != b.kind or segment.kind not in {"system", "user"} or not len(a.sketch):
        return None
    head = common(a.sketch, b.sketch)
    known = Counter(b.sketch[head:])
    tail = 0
    for piece in reversed(a.sketch[head:]):
        if known[piece] <= 0:
            break
        known[piece] -= 1
        tail += 1
    weight = whole * tail / len(a.sketch)
    if weight < _LEAST_WEIGHT or tail < _LEAST_SHARE * len(a.sketch):
        return None
    if looks_retrieved(segment, a, b):
        return "retrieved_content"
    return "system_changed" if segment.kind == "system" else "input_changed"


def _replayed(prompt: Prompt, shared: int, a: Fingerprint, b: Fingerprint, whole: float) -> Rearrangement | None:
    """What an earlier prompt ended with, answered since and replayed with lines or a block taken out or put in.

    A message that was sent anew and edited has no answer behind it yet.
    """
    segments = prompt.segments
    segment = segments[shared]
    if segment.role == "assistant" and b.kind in _ASKED and shared > prompt.head:
        if segments[shared - 1].role == "assistant":
            return None
        return Rearrangement(Difference("history_rewritten", segments[shared - 1].path, None, shared), shared)
    follows = next((s.role for s in segments[shared + 1 :] if s.role != segment.role), None)
    if a.kind != b.kind or segment.kind not in _ASKED or follows != "assistant":
        return None
    shorter, longer = (a, b) if len(a.sketch) < len(b.sketch) else (b, a)
    kept = (Counter(shorter.sketch) & Counter(longer.sketch)).total()
    # The line at which something was taken out may have lost its end too.
    least = max(len(shorter.sketch) - 1, 2 * len(shorter.sketch) / 3)
    if whole < _LEAST_WEIGHT or kept < max(1, least) or len(shorter.sketch) == len(longer.sketch):
        return None
    offset = first_difference(segment.text, a, b)
    return Rearrangement(Difference("history_rewritten", segment.path, offset, shared), shared + 1)
