"""Counters: a number that the words around it say goes up or down with each call."""

from llm_observer.analysis.breakers.counter_phrases import (
    AFTER,
    ALREADY,
    ARGUMENT,
    BUILDING,
    CAMEL,
    CLAUSE,
    CODE,
    COMPARED,
    CONDITION,
    ELEMENT,
    FLAG,
    FOREIGN_OF,
    FOREIGN_STATE,
    FOREIGN_TURN,
    HEADING,
    HELD,
    HOLDS,
    IN_TALK,
    IS,
    IS_NOW_THE,
    LAST_WORD,
    LASTING,
    MADE,
    MARK,
    MARKS,
    MAY_FOLLOW,
    MESSAGE,
    NUMBER,
    OF,
    OF_DONE,
    ORDINAL,
    OVER_AND_OVER,
    PROGRESS,
    RETRIED,
    RETRYING,
    SETTING,
    SETTINGS,
    SPAN,
    STATES,
    TALKS,
    TALLY,
    TALLY_MARKS,
    TIMES,
    TODAY,
    TOTAL,
    USED_OF,
    WHOLE_WORDS,
    WORDS,
    YOU_MADE,
)
from llm_observer.analysis.breakers.counter_words import (
    ALONE,
    BEFORE,
    BEHIND,
    BRACKETED,
    DONE,
    EVENTS,
    FOREIGN_UNITS,
    GATE,
    HASHED,
    ITEMS,
    LIMITS,
    LINKS,
    NOW,
    NUMBERING,
    OWNERS,
    PAIRS,
    PLURALS,
    PREPOSITIONS,
    REMAINING,
    SHARES,
    SPACED,
    TALLIES,
    THINGS,
    TOKENS,
    UNITS,
)
from llm_observer.analysis.breakers.keys import ESCAPED, key_before
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.opaque import is_placeholder_number

__all__ = ["REACH", "find_counter"]

# How much of the text before a number is looked at.
REACH = 44
# How much of that its words are taken from.
_NEAR = 28
# How much of the text behind it.
_AHEAD = 80
# How much of that may say that it is a setting.
_BESIDE = 40
# Digits of a number that no heading and no plan gets to.
_LARGE = 3
# Digits of an id so short that it needs its key; fewer are an example.
_THREE = 3
# Digits of a place in a log or file.
_FAR = 5


def find_counter(text: str, start: int, end: int) -> Span | None:
    """The counter whose first digit is at `start`, or `None`.

    `end` is the end of the run of digits; a counter written with thousands separators ends later.
    """
    head = text[max(0, start - REACH) : start]
    if "\\" in head:
        head = ESCAPED.sub("\n\n", head)
    low = head.lower()
    words = WHOLE_WORDS.findall(low, max(0, len(low) - _NEAR))
    # What is written "retriesLeft" passes the gate once it is taken apart.
    if head != low and head.isascii():
        if head[-1] in "=#" and SETTING.search(head):
            return None
        low = CAMEL.sub("_", head).lower()
        words = WHOLE_WORDS.findall(low, max(0, len(low) - _NEAR))
    if not low.isascii() and _says_state(text, end, low):
        return span_of(start, end, "counter")
    after = text[end : end + 1]
    if after.isalpha() and (suffix := ORDINAL.match(text, end)):
        return span_of(start, suffix.end(), "counter") if IS_NOW_THE.search(low) else None
    if GATE.isdisjoint(words):
        if after == " " and _is_of(text, end, low):
            return span_of(start, end, "counter")
        if low[-1:] != "[" and after != "," and not (after in MAY_FOLLOW and _tells_state(text, end, low)):
            return None
        if _is_limited(low, words):
            return None
        words = []
    number = NUMBER.match(text, start)
    if not number or number[0].startswith("00"):
        return None
    end = number.end()
    if _is_counter(text, end, low, words):
        return span_of(start, end, "counter")
    return span_of(start, end, "keyed_id", session=True) if _is_somebody(text, start, end, words) else None


def _is_somebody(text: str, start: int, end: int, words: list[str]) -> bool:
    """Whether three digits are the id of a user, session or request: `User ID: 813`."""
    return (
        end - start == _THREE
        and words[-1:] == ["id"]
        and text[end - 2 : end] != "00"
        and (key := key_before(text, start)).is_id
        and key.names_session
        and key.mark.strip() != ""
        and not is_placeholder_number(text[start:end])
    )


def _says_state(text: str, end: int, low: str) -> bool:
    """Whether words of another script make a counter of a number: `剩余次数 3`, `第3轮`."""
    return FOREIGN_STATE.search(low) is not None or (low[-1:] == "第" and FOREIGN_TURN.match(text, end) is not None)


def _is_of(text: str, end: int, low: str) -> bool:
    """Whether a number is one of several in another language: `Versuch 2 von 5`."""
    if not FOREIGN_OF.match(text, end):
        return False
    word = LAST_WORD.search(low)
    return word is not None and word[1] in FOREIGN_UNITS


def _tells_state(text: str, end: int, low: str) -> bool:
    """Whether the words behind a number say how far something has come: `5 steps left`, `12/40 tasks done`."""
    after = text[end : end + _AHEAD].lower()
    if after[:1] == "/" and (
        (BUILDING.search(low) and PROGRESS.match(after)) or (RETRYING.search(low) and RETRIED.match(after))
    ):
        return True
    if STATES.isdisjoint(WORDS.findall(after)):
        return False
    return (
        (AFTER.match(after) is not None and not CONDITION.search(low))
        or OF_DONE.match(after) is not None
        or (low.rstrip()[-1:] in TALLY_MARKS and TALLY.match(after) is not None)
    )


def _is_counter(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether the number that ends at `end` counts; `low` stands before it, `words` are its last, if one matters."""
    if low[-1:] in {"/", " "} and TOTAL.search(low[-18:]):
        return False
    if ("up " in low or "been " in low) and SPAN.match(text, end) and LASTING.search(low):
        return True
    limited = _is_limited(low, words)
    if not limited and _tells_state(text, end, low):
        return True
    after = text[end : end + 2]
    if after[:1] in {"_", "+"} or (after[:1] == "." and after[1:].isdigit()):
        return False
    if low.endswith("["):
        return PROGRESS.match(text, end) is not None
    if not words:
        return False
    if after[:1] == "<" and low.endswith(">") and ELEMENT.search(low):
        low = f"{low[:-1]}:"
    if low.endswith("no. "):
        low = f"{low[:-2]} "
    stem = low.rstrip(MARKS)
    mark = low[len(stem) :]
    if stem.endswith((" is", " now")) and (link := IS.search(stem)):
        stem = stem[: link.start()]
        mark = ":"
        words = words[: -2 if "now" in words[-1:] else -1]
    marked = not mark.isspace() and MARK.search(mark) is not None and not COMPARED.search(mark)
    last = words[-1] if words and stem.endswith(words[-1]) else ""
    before = words[-2] if len(words) > 1 and last and _is_joined(stem, words[-2], last) else ""
    if after[:1] == "%":
        clause = WORDS.findall(CLAUSE.split(low)[-1])[-4:]
        return marked and not limited and not SHARES.isdisjoint(clause) and (last != "left" or bool(before))
    if last in DONE and OF.match(text, end):
        return not limited
    if OF.match(text, end) and (last in PLURALS or last == "progress" or _is_numbering(last, before)):
        return True
    if low.endswith("message ") and not IN_TALK.match(text, end):
        return MESSAGE.search(low) is not None and text.startswith(" [", end)
    if limited or ("-" in low and FLAG.search(low)):
        return False
    if _is_bracketed(low, after):
        return True
    if marked and {last, before} & REMAINING:
        return True
    if marked:
        return not (CODE.search(low[-16:]) or (low[-1:] == "=" and ARGUMENT.search(low))) and (
            _announces(words, last, before, mark)
            or _says_much(text, end, low, last, before)
            or (last in {"budget", "usage"} and (USED_OF.match(text, end) is not None or after[:1] == "/"))
        )
    if _counts_in_prose(text, end, low, words):
        return True
    if not mark.isspace():
        return False
    if text[end - _LARGE : end].isdigit():
        if last in OVER_AND_OVER or (last == "offset" and text[end - _FAR : end].isdigit()):
            return not TIMES.match(text, end)
    elif HEADING.match(text, end):
        return False
    first = text[end - 2 : end] == " 1" and words[-2:-1] and words[-2] in PREPOSITIONS
    return not first and _is_spaced(words, last, before)


def _is_joined(stem: str, before: str, last: str) -> bool:
    """Whether the two words that end `stem` are one name: `steps left`, `steps_left`; `padding-left` is none."""
    head = stem[: -len(last)]
    return head[:-1].endswith(before) and head[-1] in (
        " _" if last in {"left", "used"} and before not in PLURALS else " _-"
    )


def _is_limited(low: str, words: list[str]) -> bool:
    """Whether the clause before the number makes it a limit: "at most 5", "retry up to 3", "max_turns: 20"."""
    if LIMITS.isdisjoint(words) or words[-1] == "remaining":
        return False
    return not LIMITS.isdisjoint(WORDS.findall(CLAUSE.split(low)[-1])[-4:])


def _announces(words: list[str], last: str, before: str, mark: str) -> bool:
    """Whether the words before a mark name a counter: "attempt_number=", "Tokens used so far: ", "turn #"."""
    if not last:
        return False
    if last in UNITS:
        return (last != "step" or "#" not in mark) and "num" not in words[-3:-1]
    if "#" in mark and last in HASHED:
        return True
    if last in ALONE or (before, last) in PAIRS:
        return True
    if last in BEHIND:
        return bool(before)
    if before == "current" and last in THINGS and last != "page":
        return True
    if _is_numbering(last, before):
        return True
    if last in DONE:
        return before in PLURALS
    if words[-3:-2] != [] and words[-3] in BEFORE and last in PLURALS:
        return True
    if before in {"remaining", "elapsed", "unread"} or (before in BEFORE and last in PLURALS):
        return True
    if last in {"count", "budget"} and before in PLURALS and words[-3:-2] and words[-3] in BEFORE:
        return True
    if before in TALKS and last in PLURALS:
        return True
    if last in TALKS and before == "in" and words[-3:-2]:
        return words[-3] in NUMBERING
    if last in TALKS and before == "this" and words[-3:-2] not in ([], ["in"]):
        return words[-3] in PLURALS or words[-3].endswith("s")
    if last in TALKS and words[-3:-2] == ["in"]:
        return words[-4:-3] != [] and (words[-4] in PLURALS or words[-4] == "far")
    return last in PLURALS and words[-3:-1] == ["number", "of"]


def _says_much(text: str, end: int, low: str, last: str, before: str) -> bool:
    """Whether a number that might be set is one that came about: `retries: 7`, `input_tokens: 345`, `offset=584213`."""
    digits = text[max(0, end - 12) : end].rpartition(low[-1:])[2].replace(",", "")
    if last in TALLIES and before not in LIMITS:
        return not SETTINGS.search(low) and not SETTINGS.search(text[end : end + _BESIDE].lower())
    if last == "tokens" and before in TOKENS:
        return not _is_round(digits)
    return last == "offset" and len(digits) >= _FAR


def _is_round(digits: str) -> bool:
    """Whether a number looks chosen: thousands and halves of them, powers of two."""
    if not digits.isdigit():
        return True
    number = int(digits)
    return number % 500 == 0 or number & (number - 1) == 0


def _is_numbering(last: str, before: str) -> bool:
    """Whether two words number something: `attempt number`, `messages_count`; the id of an event is no counter."""
    return last in NUMBERING and (
        before in UNITS or (last != "id" and (before in ITEMS or before in EVENTS or before.removesuffix("s") in ITEMS))
    )


def _is_spaced(words: list[str], last: str, before: str) -> bool:
    """Whether the words before a blank name a counter: "you are on step ", "this is attempt ", "request number "."""
    if last in SPACED or _is_numbering(last, before):
        return True
    if last not in THINGS:
        return False
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


def _is_bracketed(low: str, after: str) -> bool:
    """Whether brackets make a counter of a number behind a word: "(turn 4)", "<attempt>3</attempt>"."""
    if after[:1] not in {")", "]", ">", "/", ",", "<"}:
        return False
    name = low.rstrip(" -#>")
    word = WORDS.findall(name[-12:])[-1:]
    if not word or word[0] not in (UNITS if low.endswith(">") else BRACKETED):
        return False
    return name[: -len(word[0])].endswith("<" if low.endswith(">") else ("(", "[", "<"))


def _counts_in_prose(text: str, end: int, low: str, words: list[str]) -> bool:
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
