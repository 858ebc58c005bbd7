"""A conversation that the provider keeps: what parts a call from the one that it goes on with, apart from what is new.

The request names the conversation, or the response before, and has the new messages only. What was sent before comes
first in the prompt all the same, behind the tools and instructions of this request.
"""

from llm_observer.analysis.compare import Difference, first_difference, noise, shared_canonical, tool_changes
from llm_observer.analysis.fingerprint import Fingerprinter
from llm_observer.analysis.index import Trace
from llm_observer.analysis.parameters import changed_parameters
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.segments import Prompt
from llm_observer.analysis.structure import rearranged

__all__ = ["parted", "parted_heads"]


def parted_heads(
    prompt: Prompt, now: Trace, before: Trace, rule: CacheRule, fingerprints: Fingerprinter
) -> list[Difference]:
    """What of model, parameters, tools and instructions is not as it was in the call before."""
    found = changed_parameters(prompt, now, before, rule)
    if now.seed != before.seed:
        found.append(Difference("model_changed", "model", None, 0))
    same = min(shared_canonical(now, before), now.head)
    if same < now.tools or (same == now.tools < before.tools):
        return found + tool_changes(prompt, now, before)
    found += noise(prompt, now, before, same, fingerprints)
    if same < now.head:
        path, offset = prompt.segments[same].path, None
        a = fingerprints.known(now.wire[same])
        b = fingerprints.known(before.wire[same]) if same < before.head else None
        if a is not None and b is not None:
            offset = first_difference(prompt.segments[same].text, a, b)
        found.append(Difference("system_changed", path, offset, same))
    return found


def parted(prompt: Prompt, now: Trace, before: Trace, rule: CacheRule, fingerprints: Fingerprinter) -> list[Difference]:
    """The same, and what of the messages that the call before had."""
    found = parted_heads(prompt, now, before, rule, fingerprints)
    shared = shared_canonical(now, before)
    if shared >= now.head:
        behind = noise(prompt, now, before, shared, fingerprints)
        found += [difference for difference in behind if difference.position >= now.head]
        changed = rearranged(prompt, now, before, shared, fingerprints)
        found += [changed.difference] if changed is not None else []
    return found
