"""Counters: a number that the words around it say goes up or down with each call."""

from llm_observer.analysis.breakers.counter_keys import (
    announces,
    is_numbering,
    is_participle,
    names_many,
    says_much,
)
from llm_observer.analysis.breakers.counter_phrases import (
    ARGUMENT,
    CAMEL,
    CLAUSE,
    CODE,
    COMPARED,
    ELAPSED,
    ELEMENT,
    ENDED,
    FLAG,
    HEADING,
    IN_TALK,
    IS,
    IS_NOW_THE,
    LASTING,
    MARK,
    MARKS,
    MAY_FOLLOW,
    MESSAGE,
    NUMBER,
    OF,
    ORDINAL,
    OVER_AND_OVER,
    PROGRESS,
    PROGRESSING,
    QUOTES,
    SETTING,
    SPAN,
    TIMES,
    TOTAL,
    UNIT,
    USED_OF,
    WORDS,
    last_words,
    words_of,
)
from llm_observer.analysis.breakers.counter_prose import (
    counts_in_prose,
    is_bracketed,
    is_spaced,
)
from llm_observer.analysis.breakers.counter_reports import reports
from llm_observer.analysis.breakers.counter_states import (
    is_of,
    says_state,
    tells_state,
)
from llm_observer.analysis.breakers.counter_words import (
    BADGED,
    CONDITIONS,
    COUNTED_OFF,
    DONE,
    GATE,
    LIMITS,
    NUMBERING,
    PAIRS,
    PIECES,
    PLACES,
    PLURALS,
    PREPOSITIONS,
    REMAINING,
    REPORTED,
    SHARES,
    SPACED,
    WAITED,
    WAITING,
)
from llm_observer.analysis.breakers.durations import LEADS, find_duration
from llm_observer.analysis.breakers.keys import ESCAPED, key_before
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.opaque import is_placeholder_number

__all__ = ["REACH", "find_counter"]

# How much of the text before a number is looked at.
REACH = 44
# How much of that its words are taken from.
_NEAR = 32
# Digits of a number that no heading and no plan gets to.
_LARGE = 3
# Digits of an id so short that it needs its key; fewer are an example.
_THREE = 3
# Nobody plans so many of these that a heading has two digits: "Iteration 22: best so far".
_STEADY = frozenset(("iteration", "iter", "epoch"))
# Digits of a place in a log or file.
_FAR = 5
# How a word ends that tells what was done, or of many.
_ENDINGS = ("ed", "s")
# What may follow the first number of a duration or an hour.
_TIMED = frozenset(" :.dhmsapAP")
# What is joined to a number that measures, `3d`, and counts nothing.
_UNITED = frozenset("dhmapAP")
# What may follow a number that is one of several in another language.
_MAY_END = frozenset((" ", "/", ",", ".", ")", "\n", ""))
# Behind a blank none of these says anything of the number before it.
_UNSAID = frozenset("(\"'`=:&|[{<#*\n")
# What may follow a number in a report.
_REPORTED = frozenset((" ", ":", ",", "|", "%", "(", ".", ")", ";", "\n", ""))


def find_counter(text: str, start: int, end: int) -> Span | None:
    """The counter whose first digit is at `start`, or `None`.

    `end` is the end of the run of digits; a counter written with thousands separators ends later.
    """
    head = text[max(0, start - REACH) : start]
    if "\\" in head:
        head = ESCAPED.sub("\n\n", head)
    low = head.lower()
    words = last_words(low, _NEAR)
    # What is written "retriesLeft" passes the gate once it is taken apart.
    if head != low and head.isascii():
        if head[-1] in "=#" and SETTING.search(head):
            return None
        apart = CAMEL.sub("_", head)
        if apart != head:
            low = apart.lower()
            words = last_words(low, _NEAR)
    if not low.isascii() and says_state(text, end, low):
        return span_of(start, end, "counter")
    after = text[end : end + 1]
    if words and words[-1] in LEADS and after in _TIMED and (duration := find_duration(text, start, low, words)):
        return duration
    if after in _UNITED and text[end : end + 2] != "ms":
        return None
    if after.isalpha() and (suffix := ORDINAL.match(text, end)):
        return span_of(start, suffix.end(), "counter") if IS_NOW_THE.search(low) else None
    if after in _REPORTED and reports(text, end, low, words):
        return span_of(start, end, "counter")
    if after in _MAY_END and is_of(text, end, low, words):
        return span_of(start, end, "counter")
    if GATE.isdisjoint(words) and not (
        words and words[-1].endswith(_ENDINGS) and (is_participle(words[-1]) or names_many(words[-1]))
    ):
        if (
            low[-1:] != "["
            and not (after == "," and text[end + 1 : end + 2].isdigit())
            and not (_may_follow(text, end, after) and tells_state(text, end, low))
        ):
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


def _may_follow(text: str, end: int, after: str) -> bool:
    """Whether what is behind a number may be a word that says how far something has come."""
    return (after in MAY_FOLLOW and text[end + 1 : end + 2] not in _UNSAID) or (
        after == "s" and text.startswith(ELAPSED, end)
    )


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


def _is_counter(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether the number that ends at `end` counts; `low` stands before it, `words` are its last, if one matters."""
    if low[-1:] in {"/", " "} and TOTAL.search(low[-18:]):
        return False
    if ("up " in low or "been " in low) and SPAN.match(text, end) and LASTING.search(low):
        return True
    limited = _is_limited(low, words)
    if not limited and tells_state(text, end, low):
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
    if ")" in low[-3:]:
        low = UNIT.sub("", low)
        words = last_words(low, _NEAR)
    if low.endswith(("no. ", "n\u00b0")):
        low = f"{low[:-2]} "
    if low[-1:] == "(" and after[:1] == ")" and words and _is_named_before_brackets(text, end, low, words):
        return True
    stem = low.rstrip(MARKS)
    mark = low[len(stem) :]
    if stem.endswith((" is", " now")) and (link := IS.search(stem)):
        stem = stem[: link.start()]
        mark = ":"
        words = words[: -2 if "now" in words[-1:] else -1]
    marked = not mark.isspace() and MARK.search(mark) is not None and not COMPARED.search(mark)
    quoted = mark.strip() in QUOTES and after[:1] == mark[-1:]
    last = words[-1] if words and stem.endswith(words[-1]) else ""
    before = words[-2] if len(words) > 1 and last and _is_joined(stem, words[-2], last) else ""
    if after[:1] == "%":
        clause = WORDS.findall(CLAUSE.split(low)[-1])[-4:]
        return marked and not limited and not SHARES.isdisjoint(clause) and (last != "left" or bool(before))
    if last in DONE and OF.match(text, end):
        return not limited
    if OF.match(text, end) and (
        last in PLURALS or last in {"progress", "progression"} | COUNTED_OFF or is_numbering(last, before)
    ):
        return True
    if low.endswith("message ") and not IN_TALK.match(text, end):
        return MESSAGE.search(low) is not None and text.startswith(" [", end)
    if limited or ("-" in low and FLAG.search(low)):
        return False
    if is_bracketed(low, after):
        return True
    if marked and {last, before} & REMAINING:
        return True
    if quoted and last in NUMBERING:
        return is_numbering(last, before)
    if marked:
        return not (CODE.search(low[-16:]) or (low[-1:] == "=" and ARGUMENT.search(low))) and (
            announces(words, last, before, mark)
            or says_much(text, end, low, last, before)
            or (last in {"budget", "usage"} and (USED_OF.match(text, end) is not None or after[:1] == "/"))
        )
    return counts_in_prose(text, end, low, words) or (
        mark.isspace() and _counts_behind_blank(text, end, low, words, last, before)
    )


def _is_named_before_brackets(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether the words before a number in brackets name a counter: `queue depth (3)`, `tokens (1733)`."""
    before, last = ["", *words][-2:]
    return low[:-1].rstrip().endswith(last) and (
        last in BADGED
        or (before in WAITING and last in WAITED)
        or is_numbering(last, before)
        or (before, last) in PAIRS
        or (last == "tokens" and text[end - _LARGE : end].isdigit())
    )


def _counts_behind_blank(text: str, end: int, low: str, words: list[str], last: str, before: str) -> bool:
    """Whether a number with a blank between it and the word before counts: `Step 4 succeeded`, `on attempt 2`."""
    if text[end - _LARGE : end].isdigit():
        if last in OVER_AND_OVER or (last in PLACES and text[end - _FAR : end].isdigit()):
            return text[end : end + 1] != "-" and not TIMES.match(text, end)
    elif last in _STEADY and (text[end - 2 : end].isdigit() or PROGRESSING.match(text, end)):
        return True
    elif last in REPORTED and ENDED.match(text, end):
        return CONDITIONS.isdisjoint(words)
    elif HEADING.match(text, end) and not (last in SPACED and _is_within_line(low)) and last not in PIECES:
        return False
    if last == "loop" and TIMES.match(text, end):
        return False
    first = text[end - 2 : end] == " 1" and words[-2:-1] and words[-2] in PREPOSITIONS
    return not first and is_spaced(words, last, before)


def _is_within_line(low: str) -> bool:
    """Whether words of its sentence stand before the last one, so that it heads nothing: `failed on attempt 2: ...`."""
    begin = max(low.rfind("\n"), low.rfind(". "), low.rfind("! "), low.rfind("? "))
    return any(map(str.isalpha, low[begin + 1 :].rstrip().rpartition(" ")[0]))


def _is_joined(stem: str, before: str, last: str) -> bool:
    """Whether the two words that end `stem` are one name: `steps left`, `steps_left`; `padding-left` is none."""
    head = stem[: -len(last)]
    return head[:-1].endswith(before) and head[-1] in (
        " _" if last in {"left", "used"} and before not in PLURALS else " _-"
    )


def _is_limited(low: str, words: list[str]) -> bool:
    """Whether the clause before the number makes it a limit: "at most 5", "retry up to 3", "max_turns: 20"."""
    # "last_event_index" is the number of what came last, and no limit.
    if LIMITS.isdisjoint(words) or words[-1] == "remaining" or "last_" in low[-_NEAR:]:
        return False
    clause = CLAUSE.split(low)[-1]
    # In "queue=default length=", the word before the last key is a value.
    if clause.count("=") > 1 and (value := clause.rpartition("=")[0].rpartition("=")[2].partition(" "))[1]:
        clause = value[2]
    return not LIMITS.isdisjoint(words_of(clause)[-4:])
