"""Counters told by the key that a number stands under: `attempt_number=3`, `Tokens used so far: 18,663`."""

import re

from llm_observer.analysis.breakers.counter_phrases import (
    OVER_AND_OVER,
    SETTINGS,
    TALKS,
)
from llm_observer.analysis.breakers.counter_words import (
    ACTIVE,
    ALONE,
    BEFORE,
    BEHIND,
    COUNTED_OFF,
    DONE,
    EVENTS,
    FIXED,
    HASHED,
    HAVING_DONE,
    ITEMS,
    LIMITS,
    NUMBERING,
    PAIRS,
    PLACES,
    PLURALS,
    SET_DOWN,
    STANDING,
    STATIC,
    TAKEN,
    TALLIES,
    THINGS,
    TOKENS,
    UNITS,
    WHO,
    YOURS,
)

__all__ = ["announces", "is_numbering", "is_participle", "names_many", "says_much"]

# How much of the text behind a number may say that it is a setting.
_BESIDE = 40
# Digits of a place in a log or file.
_FAR = 5
# Digits of a number that no heading and no plan gets to.
_LARGE = 3
# Letters of the shortest word that ends in "ed" and tells of what was done.
_SHORTEST = 5
# `"tokens_used": {"prompt": 722, "completion": 245}`.
_OF_USAGE = re.compile(r"(?:tokens|token_usage|usage)[a-z_\"']{0,12}[:=] ?\{[^{}]{0,32}\Z")
# Nobody sets a number with a separator in it: "Credits: 3,701".
_GROUPED = re.compile(r"[0-9],[0-9]{3}")
_FLAGS = frozenset("01")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_NEAR = 28
_YOUR = re.compile(r"\byour (?:[a-z]{3,12} ){0,2}[a-z]{3,8}(?: is| is now)?[\s:=*]{1,4}\Z")


def announces(words: list[str], last: str, before: str, mark: str) -> bool:
    """Whether the words before a mark name a counter: "attempt_number=", "Tokens used so far: ", "turn #"."""
    if not last:
        return False
    if last in UNITS:
        return (last != "step" or "#" not in mark) and "num" not in words[-3:-1]
    if "#" in mark and (last in HASHED or last in EVENTS):
        return True
    if last in ALONE or (before, last) in PAIRS:
        return True
    if (last == "messages" and not before) or (before in WHO and last in PLURALS and last.endswith("s")):
        return True
    if before in HAVING_DONE and last in PLURALS:
        return True
    if last in BEHIND:
        return bool(before)
    if (before in ACTIVE and last.endswith("s")) or (last in ACTIVE and before.endswith("s")):
        return True
    if last == "today" and before in DONE:
        return True
    if before == "current" and (last in THINGS or last in COUNTED_OFF) and last != "page":
        return True
    if is_numbering(last, before):
        return True
    if last in DONE:
        return before in PLURALS
    if words[-3:-2] != [] and words[-3] in BEFORE and last in PLURALS:
        return True
    if before in {"remaining", "elapsed", "unread"} or (before in BEFORE and last in PLURALS):
        return True
    if last in {"count", "budget"} and before in PLURALS and words[-3:-2] and words[-3] in BEFORE:
        return True
    if before in TALKS and last in PLURALS and words[-3:-2] != ["num"]:
        return True
    if before == "in" and words[-3:-2] and words[-3] in PLURALS:
        return True
    if last in TALKS and before == "in" and words[-3:-2]:
        return words[-3] in NUMBERING
    if last in TALKS and before == "this" and words[-3:-2] not in ([], ["in"]):
        named = words[-4] if words[-3].endswith("ed") and words[-4:-3] else words[-3]
        return named in PLURALS or named.endswith("s")
    if last in TALKS and words[-3:-2] == ["in"]:
        return words[-4:-3] != [] and (words[-4] in PLURALS or words[-4] == "far")
    return last in PLURALS and ["number", "of"] in (words[-3:-1], words[-4:-2])


def says_much(text: str, end: int, low: str, last: str, before: str) -> bool:
    """Whether a number that might be set is one that came about: `retries: 7`, `input_tokens: 345`, `offset=584213`."""
    digits = text[max(0, end - 12) : end].rpartition(low[-1:])[2].replace(",", "")
    if (last in TALLIES or (last in STANDING and not _is_set(digits) and "$" not in low)) and before not in LIMITS:
        return digits != "0" and text[end : end + 2] not in {",\n", ")\n"} and not _is_beside_settings(text, end, low)
    if last == "tokens" or (last in TOKENS and _OF_USAGE.search(low)):
        return not _is_round(digits) and (before in TOKENS or len(digits) >= _LARGE)
    if last.endswith("s") and ":" in low[-3:] and _GROUPED.search(text, end - 5, end):
        return not _is_round(digits)
    if (last in TAKEN or is_participle(last)) and before not in LIMITS:
        return (
            digits not in _FLAGS
            and "#" not in low[-3:]
            and not _YEAR.fullmatch(digits)
            and not _is_beside_settings(text, end, low)
        )
    if last in YOURS and "your" in low[-_NEAR:] and _YOUR.search(low):
        return digits not in {"0", "1"}
    if before == "total" and last in PLURALS and last.endswith("s"):
        return not _is_set(digits)
    if before == "total" and last.endswith("s") and len(digits) >= _LARGE and not _is_round(digits):
        return True
    if names_many(last) and before not in LIMITS:
        return (
            len(digits) > 1
            and "#" not in low[-3:]
            and digits[0] != "0"
            and not _is_set(digits)
            and not _YEAR.fullmatch(digits)
            and not _is_beside_settings(text, end, low)
        )
    if last == "count" and before and before not in FIXED:
        return not _is_round(digits) and len(digits) > 1
    if last in OVER_AND_OVER and len(digits) >= _LARGE:
        return True
    return last in PLACES and len(digits) >= _FAR and not _is_round(digits)


def _is_beside_settings(text: str, end: int, low: str) -> bool:
    return SETTINGS.search(low) is not None or SETTINGS.search(text[end : end + _BESIDE].lower()) is not None


def names_many(word: str) -> bool:
    """Whether a word is the plural of what may be counted: `engagements`, `orders`."""
    return word.endswith("s") and not word.endswith("ss") and len(word) >= _SHORTEST and word not in STATIC


def is_participle(word: str) -> bool:
    """Whether a word tells of what was done: `executed`, `skipped`."""
    return word.endswith("ed") and len(word) >= _SHORTEST and word not in SET_DOWN


def _is_set(digits: str) -> bool:
    """Whether a number looks set and not counted: a very small one, one in fives, tens or hundreds, a power of two."""
    size = len(digits)
    number = int(digits) if digits.isdigit() else 0
    step = 5 if size < _LARGE else 10 if size == _LARGE else 100
    return number in {1, 2, 3} or number % step == 0 or (size > 1 and number & (number - 1) == 0)


def _is_round(digits: str) -> bool:
    """Whether a number looks chosen: thousands and halves of them, powers of two."""
    if not digits.isdigit():
        return True
    number = int(digits)
    return number % 500 == 0 or number & (number - 1) == 0


def is_numbering(last: str, before: str) -> bool:
    """Whether two words number something: `attempt number`, `messages_count`; the id of an event is no counter."""
    return (
        last in NUMBERING
        and (before, last) != ("page", "count")
        and (
            before in UNITS
            or (last != "id" and (before in ITEMS or before in EVENTS or before.removesuffix("s") in ITEMS))
        )
    )
