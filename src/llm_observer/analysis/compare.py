"""What differs between a prompt and an earlier one: noise ahead of what they share, or content where they part."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from llm_observer.analysis.fingerprint import Fingerprint, Fingerprinter, pieces
from llm_observer.analysis.index import Trace
from llm_observer.analysis.segments import Prompt, Segment

__all__ = ["Difference", "common", "first_difference", "first_piece", "noise", "shared_canonical", "tool_changes"]


class Difference(NamedTuple):
    """One cause that was found, where it stands, and at which position of the prompt it first matters."""

    cause: str
    location: str
    offset: int | None
    position: int


def common(now: Sequence[Any], then: Sequence[Any]) -> int:
    """How many leading items two sequences of the same type share."""
    low, high = 0, min(len(now), len(then))
    # By halves, since comparing slices is much faster than comparing items one by one.
    if now[:high] == then[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if now[low:middle] == then[low:middle]:
            low = middle
        else:
            high = middle
    return low


def shared_canonical(now: Trace, then: Trace) -> int:
    """How many leading segments are canonically equal, tools in any order counting as equal."""
    if (
        now.tools == then.tools
        and now.tools
        and now.canonical_chain[now.tools - 1] == then.canonical_chain[now.tools - 1]
    ):
        return now.tools + common(now.canonical[now.tools :], then.canonical[now.tools :])
    return common(now.canonical, then.canonical)


def noise(prompt: Prompt, now: Trace, then: Trace, shared: int, fingerprints: Fingerprinter) -> list[Difference]:
    """The differences within the first `shared` segments, which are canonically equal, in the order of the prompt."""
    found: list[Difference] = []
    if now.tools and shared >= now.tools and now.tools == then.tools:
        start = common(now.wire[: now.tools], then.wire[: now.tools])
        reordered = common(now.canonical[: now.tools], then.canonical[: now.tools])
        if reordered < now.tools:
            found.append(Difference("tool_order", prompt.segments[reordered].path, None, reordered))
        if start < now.tools:
            found += _tool_noise(prompt, now, then, fingerprints)
    behind = now.tools if shared >= now.tools else 0
    for i in range(behind + common(now.wire[behind:shared], then.wire[behind:shared]), shared):
        if now.wire[i] != then.wire[i]:
            found += _segment_noise(prompt.segments[i], i, now.wire[i], then.wire[i], fingerprints)
    return found


def _tool_noise(prompt: Prompt, now: Trace, then: Trace, fingerprints: Fingerprinter) -> list[Difference]:
    """Noise within tools, each compared with the earlier one of the same canonical form."""
    earlier: dict[bytes, list[bytes]] = {}
    for canonical, wire in zip(then.canonical[: then.tools], then.wire[: then.tools], strict=True):
        earlier.setdefault(canonical, []).append(wire)
    found: list[Difference] = []
    for i in range(now.tools):
        twins = earlier.get(now.canonical[i], [])
        if twins and now.wire[i] not in twins:
            found += _segment_noise(prompt.segments[i], i, now.wire[i], twins[0], fingerprints)
    return found


def _segment_noise(
    segment: Segment, position: int, now: bytes, then: bytes, fingerprints: Fingerprinter
) -> list[Difference]:
    """Which kinds of noise tell two canonically equal segments apart: those without which they would still differ."""
    a, b = fingerprints.known(now), fingerprints.known(then)
    if a is None or b is None:
        return [Difference("input_changed", segment.path, None, position)]
    line = first_difference(segment.text, a, b)
    found: list[Difference] = []
    if a.with_key_order != b.with_key_order:
        found.append(Difference("json_key_order", segment.path, line, position))
    if a.with_space != b.with_space:
        found.append(Difference("whitespace", segment.path, line, position))
    if a.with_values != b.with_values:
        found += _value_noise(segment, position, a, b)
    # Spelling that only the JSON reader evens out: escapes, 1.0 for 1.
    return found or [Difference("json_key_order" if segment.is_json else "whitespace", segment.path, line, position)]


def _value_noise(segment: Segment, position: int, a: Fingerprint, b: Fingerprint) -> list[Difference]:
    """The volatile values that changed, the first of each category."""
    found: dict[str, Difference] = {}
    before = {value.digest for value in b.values}
    aligned = len(a.values) == len(b.values)
    for i, value in enumerate(a.values):
        changed = value.digest != b.values[i].digest if aligned else value.digest not in before
        category = value.span.category
        if changed and category not in found:
            found[category] = Difference(category, segment.path, value.span.start, position)
    return list(found.values()) or [
        Difference("input_changed", segment.path, first_difference(segment.text, a, b), position)
    ]


def first_difference(text: str, now: Fingerprint, then: Fingerprint) -> int | None:
    """The offset of the first line of `text` that the earlier segment does not have at its place.

    `None` where the lines of the earlier one are not known: another process had it.
    """
    if then.length and not len(then.sketch):
        return None
    same = common(now.sketch, then.sketch)
    offsets = [offset for offset, _ in pieces(text)]
    return offsets[min(same, len(offsets) - 1)] if offsets else 0


def first_piece(text: str, now: Fingerprint, then: Fingerprint) -> tuple[int, str]:
    """The first line of `text` that the earlier segment does not have at its place, and its offset.

    The two part somewhere in it. It is empty where there is none, or none before it, as with most segments.
    """
    same = common(now.sketch, then.sketch)
    if not same:
        return 0, ""
    found = pieces(text)
    return found[same] if same < len(found) else (len(text), "")


def tool_changes(prompt: Prompt, now: Trace, then: Trace) -> list[Difference]:
    """How the tools differ as a set: some added or removed, or some of the same name defined otherwise."""
    found: list[Difference] = []
    strangers = [i for i in range(now.tools) if now.names[i] not in then.names]
    gone = [name for name in then.names if name not in now.names]
    first = common(now.names, then.names)
    if strangers or gone:
        position = strangers[0] if strangers else min(first, max(0, now.tools - 1))
        path = prompt.segments[position].path if now.tools else "tools"
        found.append(Difference("tool_membership", path, None, min(first, position)))
    earlier = dict(zip(then.names, then.canonical[: then.tools], strict=True))
    for i in range(now.tools):
        if earlier.get(now.names[i], now.canonical[i]) != now.canonical[i]:
            found.append(Difference("tool_schema", prompt.segments[i].path, None, i))
            break
    return found
