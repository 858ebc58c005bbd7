"""Whether a message says of itself that it stands for a conversation that was cut short."""

import re
from collections.abc import Iterable

from llm_observer.analysis.segments import Prompt, Segment

__all__ = ["OPENING", "continues", "mentions_summary", "opens_with_summary", "states_summary"]

OPENING = 3
"""Segments among which a summary is looked for: a word or two of the assistant may stand ahead of it."""

_LOOKED_AT = 2000
"""Characters at the head of a message that are looked at for a mention."""
_STATEMENT = 600
"""And for a statement about the conversation."""

_MENTIONED = re.compile(
    r"\b(?:summar(?:y|ies|i[sz]ed?|i[sz]ing)|compact(?:ed|ion)|(?:conversation|discussion|history|context) so far"
    r"|(?:previous|earlier|prior) (?:conversation|messages|turns|discussion|context)|recap|continued from)\b",
    re.IGNORECASE,
)

_TALK = r"(?:conversation|chat|discussion|session|dialog(?:ue)?|history|context|messages|turns|exchange)"
_BEFORE = r"(?:previous|earlier|prior|past|older|preceding)"
_STATED = re.compile(
    # It opens with what it is: "Summary of the conversation so far", "Here is a recap of what was discussed earlier",
    # "Below is the compacted history", "[Context summary]", "<summary>", "Earlier in this conversation".
    r"\A[\s#*>\[(<_=-]*(?:"
    r"(?:(?:here(?:'s| is| follows)|this is|below is|the following is) )?(?:(?:a|the|our|brief|short|running) )*(?:"
    rf"(?:summary|recap) of (?:(?:the|our|this|all|what) )*(?:{_BEFORE} )?(?:{_TALK}|we|was|has been|happened)"
    rf"|(?:compacted|summari[sz]ed|condensed) {_TALK})\b"
    rf"|(?:{_TALK}|{_BEFORE})(?:[\s_-]{_TALK})?[\s_-](?:summary|recap|compacted|summari[sz]ed)\b"
    rf"|{_BEFORE} (?:on )?in (?:the|this|our) {_TALK}\b"
    rf"|summary *[>\]]|state_snapshot>|{_TALK} (?:from earlier|so far)\b)",
    re.IGNORECASE,
)
_CONTINUED = re.compile(
    rf"\bcontinu(?:ed from|ing|ation of) (?:an?|the|our) (?:{_BEFORE} )?{_TALK}\b"
    rf"|\b{_TALK}\b[^.\n]{{0,60}} (?:was|were|has been|have been) (?:compacted|summari[sz]ed|condensed)\b"
    r'|"type":"compaction"',
    re.IGNORECASE,
)

_SIGNS = ("continu", "compact", "summari", "condens")
"""Without any of them it says nothing of the kind: a hundredth of the time."""


def mentions_summary(segments: Iterable[Segment]) -> bool:
    """Whether one of them speaks of a summary at all; a request for one does too."""
    return any(_MENTIONED.search(segment.text, 0, _LOOKED_AT) for segment in segments)


def states_summary(segment: Segment) -> bool:
    """Whether it opens as a summary of a conversation, and not with what is to be summarised."""
    return bool(_STATED.match(segment.text, 0, _STATEMENT)) or continues(segment)


def continues(segment: Segment) -> bool:
    """Whether it says that a conversation goes on in it."""
    opening = segment.text[:_STATEMENT]
    lowered = opening.lower()
    return any(word in lowered for word in _SIGNS) and bool(_CONTINUED.search(opening))


def opens_with_summary(prompt: Prompt) -> bool:
    """Whether the messages of a prompt open with a summary of a conversation."""
    return any(map(states_summary, prompt.segments[prompt.head : prompt.head + OPENING]))
