"""Whether a read was lost for certain where no count says how large it was.

A provider that runs tools of its own counts the input of each run, and what its tools found by something else than the
text in the request. No count is that of a prefix then. But what differs on the wire ends what can be read, and text
behind it that an earlier call had in the cache was not read, however many tokens it is.
"""

from collections import Counter
from collections.abc import Iterable

from llm_observer.analysis.compare import Difference, common
from llm_observer.analysis.fingerprint import Fingerprinter
from llm_observer.analysis.index import Trace
from llm_observer.analysis.reads import LEAST_LOSS, Read
from llm_observer.analysis.segments import Prompt
from llm_observer.usage import Usage

__all__ = ["surely_lost"]

_LEAST_WEIGHT = 2.0 * LEAST_LOSS
"""Estimated tokens of text that must have been lost: no text is half as long as it is taken for."""


def surely_lost(
    differences: Iterable[Difference],
    prompt: Prompt,
    now: Trace,
    then: Trace,
    sent: Read,
    there: Read,
    usage: Usage | None,
    fingerprints: Fingerprinter,
) -> list[Difference]:
    """Those of `differences` that lost a read for certain.

    Args:
        differences: What stands between the call and a larger read.
        prompt: The call's.
        now: Its trace.
        then: That of an earlier call, which left an entry of the larger read.
        sent: What could be read as it was sent.
        there: The larger read.
        usage: What the provider reported.
        fingerprints: Of what is known.
    """
    reported = usage.cache_read_tokens if usage is not None else None
    if reported is None or there.position <= sent.position:
        return []
    if reported and then.held <= reported:
        # As much was read as there was.
        return []
    if bool(reported) != bool(sent.position) or not _is_left(prompt, now, then, sent.position, there.position):
        # Something else than these differences made more of the read, or less.
        return []
    if not _differs_but_in_thinking(now, then, there.position, fingerprints):
        return []
    if not reported:
        return [*differences]
    # Where something was read, only what was said can be held against the call: of parameters and of how JSON is
    # rendered the provider decides what they part.
    segments, head = prompt.segments, now.tools
    return [
        d
        for d in differences
        if max(sent.position, head) <= d.position < len(segments)
        and d.location == segments[d.position].path
        and d.cause not in {"json_key_order", "whitespace"}
    ]


def _is_left(prompt: Prompt, now: Trace, then: Trace, start: int, end: int) -> bool:
    """Whether enough text stands between two positions that the earlier prompt has too."""
    known = Counter(then.canonical)
    weight = 0.0
    for i in range(start, end):
        if known[now.canonical[i]] > 0 and i not in prompt.veiled:
            known[now.canonical[i]] -= 1
            weight += now.weights[i + 1] - now.weights[i]
    return weight >= _LEAST_WEIGHT


def _differs_but_in_thinking(now: Trace, then: Trace, end: int, fingerprints: Fingerprinter) -> bool:
    """Whether more than earlier thinking differs, which the provider may have left out by itself."""
    shared = common(now.wire, then.wire)
    here = _said(now.wire[shared:end], fingerprints)
    there = _said(then.wire[shared:], fingerprints)
    otherwise = now.seed != then.seed or now.params != then.params or shared < now.tools
    return otherwise or here != there[: len(here)]


def _said(wires: Iterable[bytes], fingerprints: Fingerprinter) -> list[bytes]:
    prints = ((wire, fingerprints.known(wire)) for wire in wires)
    return [wire for wire, fp in prints if fp is None or fp.kind != "thinking"]
