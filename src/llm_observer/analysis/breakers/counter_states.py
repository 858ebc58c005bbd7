"""Counters told by what stands around a number: how far something has come, or how much is left."""

import re

from llm_observer.analysis.breakers.counter_phrases import (
    AFTER,
    BUILDING,
    CONDITION,
    FOREIGN_CURRENT,
    FOREIGN_HAVE,
    FOREIGN_LEFT,
    FOREIGN_OF,
    FOREIGN_STATE,
    FOREIGN_STEP,
    FOREIGN_STILL,
    FOREIGN_TURN,
    FOREIGN_UNREAD,
    LAST_WORD,
    MORE,
    OF_CALLS,
    OF_DONE,
    PROGRESS,
    REACHED,
    RETRIED,
    RETRYING,
    STATES,
    STILL,
    STILL_HAVE,
    TALLY,
    TALLY_MARKS,
    words_of,
)
from llm_observer.analysis.breakers.counter_words import (
    FOREIGN_UNITS,
)

__all__ = ["is_of", "says_state", "tells_state"]

_NEAR = 24
# "Nachricht Nr. 43", "Message n° 12".
_NUMERO = (" nr. ", " nr ", " n° ", " n°", " nº ", " č. ", " № ", " №")
_COLONS = frozenset((": ", " :"))
_NAMED = (*_NUMERO, *_COLONS)
_ANY_WORD = re.compile(r"[^\W0-9_]{3,16}")
# How much of the text behind a number is looked at.
_AHEAD = 64


def says_state(text: str, end: int, low: str) -> bool:
    """Whether words of another script make a counter of a number: `剩余次数 3`, `第3轮`."""
    return (
        FOREIGN_STATE.search(low) is not None
        or (FOREIGN_STEP.search(low) is not None and FOREIGN_OF.match(text, end) is not None)
        or (low.rstrip(" ")[-1:] == "第" and FOREIGN_TURN.match(text, end) is not None)
    )


def is_of(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether a number is one of several, or is left, in another language: `Versuch 2 von 5`, `quedan 2`."""
    last = words[-1] if words else ""
    if last in FOREIGN_LEFT or (last == "noch" and FOREIGN_STILL.match(text, end)):
        return True
    if last in FOREIGN_HAVE and FOREIGN_UNREAD.match(text, end):
        return True
    if low.endswith(_NAMED) and (low[-2:] not in _COLONS or not FOREIGN_CURRENT.isdisjoint(words[-3:])):
        return not FOREIGN_UNITS.isdisjoint(_ANY_WORD.findall(low, max(0, len(low) - _NEAR)))
    if not FOREIGN_OF.match(text, end):
        return False
    word = LAST_WORD.search(low)
    return word is not None and word[1] in FOREIGN_UNITS


def _is_under_way(low: str) -> bool:
    """Whether what stands before `(5/10)` tells of something done or tried again."""
    return "retrying" in low or REACHED.search(low) is not None


def tells_state(text: str, end: int, low: str) -> bool:
    """Whether the words behind a number say how far something has come: `5 steps left`, `12/40 tasks done`."""
    after = text[end : end + _AHEAD]
    words = words_of(after)
    after = after.lower()
    if after[:1] == "/" and (
        (low[-1:] == "(" and (OF_CALLS.match(after) or (RETRIED.match(after) and _is_under_way(low))))
        or (BUILDING.search(low) and PROGRESS.match(after))
        or (RETRYING.search(low) and RETRIED.match(after))
    ):
        return True
    have = STILL_HAVE.search(low) if "have " in low else None
    if have and (MORE.match(after) or ("still" in have[0] and STILL.match(after))):
        return True
    if STATES.isdisjoint(words):
        return False
    return (
        (AFTER.match(after) is not None and not CONDITION.search(low))
        or OF_DONE.match(after) is not None
        or (low.rstrip()[-1:] in TALLY_MARKS and TALLY.match(after) is not None)
    )
