"""Counters told by a sentence or by brackets: `you are on step 3`, `(turn 4)`."""

from llm_observer.analysis.breakers.counter_keys import is_numbering
from llm_observer.analysis.breakers.counter_phrases import (
    ALREADY,
    HELD,
    HOLDS,
    IN_TALK,
    MADE,
    TODAY,
    WORDS,
    YOU_MADE,
)
from llm_observer.analysis.breakers.counter_words import (
    BRACKETED,
    CONDITIONS,
    DOING,
    HAVING_DONE,
    LINKS,
    NOW,
    OWNERS,
    PIECES,
    REPORTED,
    SPACED,
    THINGS,
    UNITS,
)

__all__ = ["counts_in_prose", "is_bracketed", "is_spaced"]


def is_spaced(words: list[str], last: str, before: str) -> bool:
    """Whether the words before a blank name a counter: "you are on step ", "this is attempt ", "request number "."""
    if last in SPACED or is_numbering(last, before) or (before, last) in (("queue", "position"), ("so", "far")):
        return True
    if last not in THINGS:
        return False
    if before in DOING and last != "step":
        return True
    if last in PIECES and (before in HAVING_DONE or before == "in"):
        return True
    if last in REPORTED and before in HAVING_DONE and CONDITIONS.isdisjoint(words):
        return True
    if before == "conversation" and last in UNITS:
        return True
    lead = words[:-1]
    while lead and lead[-1] in LINKS:
        lead = lead[:-1]
    if lead[-1:] and (lead[-1] in NOW or lead[-1] == "re" or lead[-2:] in (["you", "are"], ["we", "are"])):
        return True
    if lead[-1:] and lead[-1] in OWNERS:
        lead = lead[:-1]
    return last in UNITS and lead[-2:] == ["this", "is"]


def is_bracketed(low: str, after: str) -> bool:
    """Whether brackets make a counter of a number behind a word: "(turn 4)", "<attempt>3</attempt>"."""
    if after[:1] not in {")", "]", ">", "/", ",", "<"}:
        return False
    name = low.rstrip(" -#>")
    word = WORDS.findall(name[-12:])[-1:]
    if not word or word[0] not in (UNITS if low.endswith(">") else BRACKETED):
        return False
    return name[: -len(word[0])].endswith("<" if low.endswith(">") else ("(", "[", "<"))


def counts_in_prose(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether a sentence says how much there has been: "You have made 12 requests today"."""
    if ("you" in words or "user" in words) and YOU_MADE.search(low):
        return True
    if MADE.search(low[-8:]) and TODAY.match(text, end):
        return True
    if "already" in words and ALREADY.search(low[-24:]):
        return True
    if words[-1:] and words[-1] in THINGS and IN_TALK.match(text, end):
        return True
    return HELD.match(text, end) is not None and HOLDS.search(low) is not None
