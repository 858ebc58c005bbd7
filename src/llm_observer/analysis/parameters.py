"""The parameters of a request that its provider's cache depends on."""

from llm_observer.analysis.compare import Difference
from llm_observer.analysis.index import Trace
from llm_observer.analysis.rules import CacheRule
from llm_observer.analysis.segments import Prompt

__all__ = ["changed_parameters"]

_CAUSES = {
    "cache_key": "cache_key_changed",
    "service_tier": "service_tier_changed",
    "tool_choice": "tool_choice_changed",
    "thinking": "thinking_changed",
    "effort": "effort_changed",
    "speed": "speed_changed",
    "text_format": "text_format_changed",
    "verbosity": "verbosity_changed",
    "parallel_tool_calls": "input_changed",
    "media": "image_changed",
}


def changed_parameters(prompt: Prompt, now: Trace, then: Trace, rule: CacheRule) -> list[Difference]:
    """Those that differ from an earlier call's, each at the position from which on it matters."""
    names = {**prompt.names, **{kind: param.name for kind, param in prompt.params.items()}}
    starts = {"all": 0, "system": now.tools, "messages": now.head}
    return [
        Difference(_CAUSES[kind], names.get(kind, kind), None, starts[tier])
        for kind, tier in rule.params.items()
        if now.params.get(kind) != then.params.get(kind)
    ]
