"""Counters: a number that the words around it say goes up or down with each call."""

# ruff: noqa: E501, SIM905 - one line of a pattern is one alternative; a list of words reads best as text

import re

from llm_observer.analysis.breakers.kinds import Span, span_of

__all__ = ["REACH", "find_counter"]

# How much of the text before a number is looked at.
REACH = 44

# What is done again and again: its number is a counter.
_UNITS = frozenset(
    """
    attempt retry try turn iteration round poll step invocation cycle tick loop pass trial episode epoch
    heartbeat ping run visit hop
    """.split()
)
# What is counted by the piece: its name alone says nothing, "message count" and "messages left" do.
_ITEMS = frozenset(
    """
    message msg request call query question event error failure task item batch chunk page frame test job
    file row record notification token credit search interaction response
    """.split()
)
_THINGS = _UNITS | _ITEMS
_PLURALS = frozenset(
    (
        *(f"{word}s" for word in _THINGS),
        *_THINGS,
        *"retries tries queries passes searches batches credits budget quota balance points time context".split(),
    )
)
_NUMBERING = frozenset("number no nr num count counter index idx id position".split())
# How far it has come: behind a noun, before one, or by itself.
_BEHIND = frozenset("left used consumed spent processed completed queued remaining elapsed unread pending".split())
_BEFORE = _BEHIND | {"far"}
_ALONE = frozenset("remaining elapsed unread pending uptime usage counter sequence seq".split())
_DONE = frozenset(
    """
    used completed processed finished solved passed consumed spent sent received answered handled visited
    made done progress taken
    """.split()
)
_PAIRS = frozenset((
    *(("current", word) for word in ("count", "total", "number", "index", "position")),
    *(("queue", word) for word in ("position", "length", "depth")),
    *((word, "length") for word in ("conversation", "session", "chat", "thread")),
    *((word, "balance") for word in ("credit", "credits", "token", "account")),
    *((word, name) for word in ("seq", "sequence") for name in _NUMBERING),
    ("total", "tokens"),
    ("so", "far"),
    ("tick", "count"),
    ("in", "queue"),
))  # fmt: skip
# Numbered behind a "#" alone: "Request #12"; "STEP #2" is a heading.
_HASHED = (_UNITS - {"step"}) | frozenset(
    """
    message msg request call query question event visit search job build session ticket order case task
    conversation chat
    """.split()
)
# Numbered by the word alone: "attempt 3 failed".
_SPACED = frozenset("attempt retry poll tick heartbeat iteration".split())
# Numbered in brackets alone: "(turn 4)", "[iteration 5]", "<attempt>3</attempt>".
_BRACKETED = frozenset(
    "turn attempt retry iteration round poll tick loop try trial message msg request req call visit".split()
)
# What is given in per cent: "Context left: 45%", "Context left until compaction: 12%".
_SHARES = frozenset("left used remaining progress usage".split())
_NOW = frozenset("currently now presently current".split())
_LINKS = frozenset("the on at in".split())
_OWNERS = frozenset("conversation agent retry".split())
_LIMITS = frozenset(
    """
    max maximum maximal limit limits min minimum most least default defaults between every within exactly
    after than first last up pull merge
    """.split()
)
# One of these words must stand shortly before a number for it to be looked at more closely.
_GATE = (
    _PLURALS
    | _NUMBERING
    | _BEFORE
    | _ALONE
    | _DONE
    | frozenset("current length depth total today already conversation session chat thread history sent asked had n ticks generation".split())
)  # fmt: skip

_WORDS = re.compile(r"[a-z]+")
_CLAUSE = re.compile(r"[,;.\n]")
# "retriesLeft" is read as "retries_left".
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# MAX_PASS=1 sets something, STEP #2 is a heading.
_SETTING = re.compile(r"[A-Z]_[A-Z]+=\Z|[A-Z]{3} ?#\Z")
# "step = 0", "range(step=2)": what a program starts from.
_CODE = re.compile(
    r" = \Z|[(,]\s?(?:step|run|pass|loop|epoch|turn)=\Z|"
    r"\b(?:step|run|pass|loop|epoch|n|no|num|index|idx|count|number|position|generation)=\Z"
)
_MARKS = " \t\"'*`_:=#"
_IS = re.compile(r" is(?: now)?\Z")
_MESSAGE = re.compile(r"(?:^|\n)message \Z")
_OF = re.compile(r"\s?(?:/|\(?of|out of)\s?(?:about\s|max\s)?[0-9]")
_PROGRESS = re.compile(r"/[0-9]{1,7}\]")
# "of 40", "/40": the total, which stays.
_TOTAL = re.compile(r"[0-9]\s?(?:/|of\s|out of\s)\s?\Z")
_TALKS = ("conversation", "dialogue", "dialog", "session", "chat", "thread", "history", "transcript")
_TALK = f"(?:{'|'.join(_TALKS)})"
_NOUNS = rf"(?:{'|'.join(sorted(_PLURALS, key=len, reverse=True))})"
_AFTER = re.compile(
    rf"""[\s-]? (?: (?:/|of|out\ of)\s?[0-9.,]{{1,16}}[KkM]?\s )?
    (?:
      [a-z]{{3,14}}(?:\(s\))?(?:\s[a-z]{{3,14}}){{0,2}}\s(?:remaining|so\ far|pending|processed|left(?!\s(?:the|an?|over|to|by|for|hand|side|out|behind|of|turn)\b))\b
    | (?:more\s|free\s)? {_NOUNS}(?:\(s\))? \s (?:are\s|have\ been\s|already\s|were\s)? (?:used|since|consumed|spent|available\ today)\b
    | (?:new\s)? unread\b
    | new\s(?:messages?|notifications?|emails?|events?|alerts?|comments?)\b
    | (?:invocations?|iterations?|messages?|turns?)\s(?:ago|in\ (?:this|the)\ {_TALK})\b
    | (?:remaining|in\ (?:the\ )?(?:queue|line))\b
    | \sused\sof\s[0-9]
    | of\ (?:the|this)\ (?:conversation|dialogue|dialog|session|chat)\b
    | %\s?(?:complete|completed|done|finished|(?:of\ (?:the\ |your\ )?(?:context|budget|quota|limit|tokens)(?:\ window)?\ )?(?:used|left|remaining|consumed|full))\b
    )""",
    re.VERBOSE,
)
# "12/40 tasks done", "3 of 40 steps completed".
_OF_DONE = re.compile(
    r"\s?(?:/|of|out of)\s?[0-9]{1,7}\s[a-z]{3,14}(?:\s(?:are|were|have been))?\s(?:completed?|done|finished|processed)\b"
)
# "You have made 12 requests today", "You have already asked 3 questions", "This conversation has 12 messages".
_MADE = re.compile(r"(?:made|used|sent|asked|called|had)\s\Z")
_TODAY = re.compile(r"\s[a-z]{3,14}(?:\s[a-z]{3,14})?\s(?:today|already|in this (?:turn|session|conversation|chat))\b")
_ALREADY = re.compile(r"already\s(?:made|sent|had|taken|seen|[a-z]{3,9}ed)\s\Z")
_HOLDS = re.compile(rf"(?:this|the|your|our)\s{_TALK}\s(?:(?:now\s|already\s)?(?:has|contains|holds)|is|of)\s\Z")
_HELD = re.compile(r"\s(?:messages|turns|exchanges|tokens)\b")
_USED_OF = re.compile(r"\s(?:used|spent|consumed)\s(?:of|out of)\s[0-9]")
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+(?!,[0-9])")
_MAY_FOLLOW = frozenset(" -/,%")


def find_counter(text: str, start: int, end: int) -> Span | None:
    """The counter whose first digit is at `start`, or `None`.

    `end` is the end of the run of digits; a counter written with thousands separators ends later.
    """
    head = text[max(0, start - REACH) : start]
    low = head.lower()
    words = _WORDS.findall(low[-28:])
    # What is written "retriesLeft" passes the gate once it is taken apart.
    if head != low and head.isascii():
        if head[-1] in "=#" and _SETTING.search(head):
            return None
        low = _CAMEL.sub("_", head).lower()
        words = _WORDS.findall(low[-28:])
    if _GATE.isdisjoint(words):
        after = text[end : end + 1]
        if low[-1:] != "[" and after != "," and not (after in _MAY_FOLLOW and _tells_state(text, end)):
            return None
        words = []
    number = _NUMBER.match(text, start)
    if not number or number[0].startswith("00"):
        return None
    end = number.end()
    return span_of(start, end, "counter") if _is_counter(text, end, low, words) else None


def _tells_state(text: str, end: int) -> bool:
    """Whether the words behind a number say how far something has come: `5 steps left`, `12/40 tasks done`."""
    return _AFTER.match(text, end) is not None or _OF_DONE.match(text, end) is not None


def _is_counter(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether the number that ends at `end` counts; `low` stands before it, `words` are its last, if one of them matters."""
    if low[-1:] in {"/", " "} and _TOTAL.search(low[-10:]):
        return False
    limited = _is_limited(low, words)
    if not limited and _tells_state(text, end):
        return True
    after = text[end : end + 2]
    if after[:1] in {"_", "+"} or (after[:1] == "." and after[1:].isdigit()):
        return False
    if low.endswith("["):
        return _PROGRESS.match(text, end) is not None
    if not words:
        return False
    stem = low.rstrip(_MARKS)
    mark = low[len(stem) :]
    if stem.endswith((" is", " now")) and (link := _IS.search(stem)):
        stem = stem[: link.start()]
        mark = ":"
        words = words[: -2 if "now" in words[-1:] else -1]
    marked = not mark.isspace() and (":" in mark or "=" in mark or "#" in mark)
    last = words[-1] if words and stem.endswith(words[-1]) else ""
    before = words[-2] if len(words) > 1 and last and _is_joined(stem, words[-2], last) else ""
    if after[:1] == "%":
        return marked and not limited and not _SHARES.isdisjoint(words[-4:])
    if last in _DONE and _OF.match(text, end):
        return not limited
    if _OF.match(text, end) and (last in _PLURALS or last == "progress" or _is_numbering(last, before)):
        return True
    if low.endswith("message "):
        return _MESSAGE.search(low) is not None and text.startswith(" [", end)
    if limited:
        return False
    if _is_bracketed(low, after):
        return True
    if marked:
        return not _CODE.search(low[-16:]) and (
            _announces(words, last, before, mark)
            or (last in {"budget", "usage"} and (_USED_OF.match(text, end) is not None or after[:1] == "/"))
        )
    return _counts_in_prose(text, end, low, words) or (mark.isspace() and _is_spaced(words, last, before))


def _is_joined(stem: str, before: str, last: str) -> bool:
    """Whether the two words that end `stem` are one name: `steps left`, `steps_left`; `padding-left` is none."""
    head = stem[: -len(last)]
    return head[:-1].endswith(before) and head[-1] in (" _" if last in {"left", "used"} else " _-")


def _is_limited(low: str, words: list[str]) -> bool:
    """Whether the clause before the number makes it a limit: "at most 5", "retry up to 3", "max_turns: 20"."""
    if _LIMITS.isdisjoint(words) or words[-1] == "remaining":
        return False
    return not _LIMITS.isdisjoint(_WORDS.findall(_CLAUSE.split(low)[-1])[-4:])


def _announces(words: list[str], last: str, before: str, mark: str) -> bool:
    """Whether the words before a mark name a counter: "attempt_number=", "Tokens used so far: ", "turn #"."""
    if not last:
        return False
    if last in _UNITS:
        return last != "step" or "#" not in mark
    if "#" in mark and last in _HASHED:
        return True
    if last in _ALONE or (before, last) in _PAIRS:
        return True
    if last in _BEHIND:
        return bool(before)
    if _is_numbering(last, before):
        return True
    if last in _DONE:
        return before in _PLURALS
    if before in {"remaining", "elapsed", "unread"} or (before in _BEFORE and last in _PLURALS):
        return True
    if last in {"count", "budget"} and before in _PLURALS and words[-3:-2] and words[-3] in _BEFORE:
        return True
    if last in _TALKS and words[-3:-2] == ["in"]:
        return words[-4:-3] != [] and words[-4] in _PLURALS
    return last in _PLURALS and words[-3:-1] == ["number", "of"]


def _is_numbering(last: str, before: str) -> bool:
    """Whether two words number something: `attempt number`, `messages_count`; the id of an event is no counter."""
    return last in _NUMBERING and (
        before in _UNITS or (last != "id" and (before in _ITEMS or before.removesuffix("s") in _ITEMS))
    )


def _is_spaced(words: list[str], last: str, before: str) -> bool:
    """Whether the words before a blank name a counter: "you are on step ", "this is attempt ", "request number "."""
    if last in _SPACED or _is_numbering(last, before):
        return True
    if last not in _THINGS:
        return False
    if before == "conversation" and last in _UNITS:
        return True
    lead = words[:-1]
    while lead and lead[-1] in _LINKS:
        lead = lead[:-1]
    if lead[-1:] and (lead[-1] in _NOW or lead[-1] == "re" or lead[-2:] in (["you", "are"], ["we", "are"])):
        return True
    if lead[-1:] and lead[-1] in _OWNERS:
        lead = lead[:-1]
    return last in _UNITS and lead[-2:] == ["this", "is"]


def _is_bracketed(low: str, after: str) -> bool:
    """Whether brackets make a counter of a number behind a word: "(turn 4)", "<attempt>3</attempt>"."""
    if after[:1] not in {")", "]", ">", "/", ",", "<"}:
        return False
    name = low.rstrip(" -#>")
    word = _WORDS.findall(name[-12:])[-1:]
    if not word or word[0] not in (_UNITS if low.endswith(">") else _BRACKETED):
        return False
    return name[: -len(word[0])].endswith("<" if low.endswith(">") else ("(", "[", "<"))


def _counts_in_prose(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether a sentence says how much there has been: "You have made 12 requests today"."""
    if _MADE.search(low[-8:]) and _TODAY.match(text, end):
        return True
    if "already" in words and _ALREADY.search(low[-24:]):
        return True
    return _HELD.match(text, end) is not None and _HOLDS.search(low) is not None
