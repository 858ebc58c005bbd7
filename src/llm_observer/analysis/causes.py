"""The causes of a lost cache read: their order, whether they are faults or choices, and what to do about each."""

from collections.abc import Iterable

__all__ = ["CHOICES", "hint", "in_order"]

_HINTS: dict[str, str] = {
    "model_changed": "Keep one model for a conversation: each model has a cache of its own.",
    "cache_key_changed": "Send the same prompt_cache_key for calls that share a prompt.",
    "service_tier_changed": "Keep one service tier for a conversation.",
    "no_breakpoint": "Put cache_control on the last block of the part that stays the same.",
    "too_many_breakpoints": "Keep the markers at the end of the system text and of the history, and drop the others.",
    "below_minimum": "The prefix is shorter than this model caches: lengthen what is shared, or leave it uncached.",
    "tool_order": "Send the tools in one order, for example sorted by name.",
    "tool_membership": "Send the same set of tools on every call, and restrict them with tool_choice instead.",
    "tool_schema": "Keep each tool's description and schema the same between calls.",
    "json_key_order": "Serialise with a fixed key order (sort_keys), and replay tool arguments as they were received.",
    "whitespace": "Build the text in one way: the same white space, line endings and Unicode form on every call.",
    "timestamp": "Move the time behind the part that stays the same, for example into the last user message.",
    "date": "Move the date behind the part that stays the same, for example into the last user message.",
    "uuid": "Leave the identifier out of the prompt, or move it behind the part that stays the same.",
    "session_id": "Leave the session's or request's id out of the prompt, or move it into the last message.",
    "random_id": "Leave the identifier out of the prompt, or move it behind the part that stays the same.",
    "nonce": "Leave the random value out of the prompt.",
    "counter": "Move the counter behind the part that stays the same, for example into the last message.",
    "temp_path": "Use a fixed path in the prompt, or move the path into the last message.",
    "volatile_url": "Refer to the file by a stable id, or move the signed URL into the last message.",
    "retrieved_content": "Put what was retrieved behind the part that stays the same, in the last user message.",
    "few_shot_order": "Keep the examples in one order.",
    "system_changed": "Keep the system text the same, and put what changes behind it.",
    "tool_choice_changed": "Keep tool_choice the same within a conversation: it invalidates the cached messages.",
    "thinking_changed": "Keep the thinking parameters the same within a conversation.",
    "effort_changed": "Keep the reasoning effort the same within a conversation.",
    "speed_changed": "Keep the speed mode the same within a conversation.",
    "text_format_changed": "Keep the output format the same for calls that share a prompt.",
    "verbosity_changed": "Keep the verbosity the same for calls that share a prompt.",
    "image_changed": "Keep images and files in the prefix as they are, and add new ones at the end.",
    "message_extended": "Append a new message instead of lengthening the last one.",
    "history_truncated": "Drop old turns rarely and many at a time: each drop rewrites the whole history.",
    "compaction": "Expected after a summary: the history is written anew once.",
    "history_rewritten": "Replay earlier messages exactly as they were sent.",
    "breakpoint_after_volatile": "Put a marker at the end of the part that stays the same, before what changes.",
    "boundary_missing": "Put a cache breakpoint at the end of the part that stays the same.",
    "lookback_exceeded": "Put a marker at least every 15 blocks: the provider looks back 20.",
    "ttl_expired": "The calls come further apart than the entry lives: ask for the longer lifetime if that pays.",
    "concurrent_cold_start": "Let the first call begin its response before sending the others.",
    "evicted_or_rerouted": "Nothing in the request explains it: the provider dropped the entry or took another route.",
    "input_changed": "Something ahead of the shared part differs from earlier calls.",
}

_RANK = {cause: i for i, cause in enumerate(_HINTS)}

CHOICES = frozenset({"compaction", "model_changed", "image_changed", "below_minimum", "evicted_or_rerouted"})
"""Causes that are a choice with a price, or out of the caller's hands, rather than a fault to mend."""


def in_order(causes: Iterable[str]) -> tuple[str, ...]:
    """The causes without repetition, in the order in which one is named before another."""
    return tuple(sorted(set(causes), key=lambda cause: _RANK.get(cause, len(_RANK))))


def hint(cause: str) -> str | None:
    """One sentence on what to do about a cause."""
    return _HINTS.get(cause)
