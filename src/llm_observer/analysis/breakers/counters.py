"""Counters and ages: a number that the words around it say goes up or down with each call."""

# ruff: noqa: E501, SIM905 - one line of a pattern is one alternative; a list of words reads best as text

import re

__all__ = ["find_age", "find_counter"]

_REACH = 44

# What is done again and again, and what is counted by the piece.
_UNITS = """
    attempt retry try turn iteration round poll step invocation cycle tick loop pass trial episode epoch
    heartbeat ping run visit hop
""".split()
_ITEMS = """
    message msg request call query question event error failure task item batch chunk page frame test job
    file row record notification token credit search interaction response
""".split()
# How far it has come.
_STATES = """
    remaining left used unread far pending consumed spent elapsed current queued processed full
""".split()
_SERIES = """
    seq sequence counter count number index idx num no nr position uptime pid ticks generation budget usage
    length depth progress today already conversation session chat thread total
    n
""".split()
_DONE = """
    used completed processed finished solved passed consumed spent sent received answered handled visited
    made done progress
""".split()

# One of these words must stand shortly before a number for it to be looked at more closely.
_GATE = frozenset((
    *(_UNITS + _ITEMS + _STATES + _SERIES + _DONE),
    *(f"{word}s" for word in _UNITS + _ITEMS),
    *("retries", "tries", "queries", "passes", "searches"),
))  # fmt: skip
_WORDS = re.compile(r"[a-z]+")
_CLAUSE = re.compile(r"[,;.\n]")
# "retriesLeft" is read as "retries_left".
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# MAX_PASS=1 sets something.
_SETTING = re.compile(r"[A-Z]_[A-Z]+=\Z")

_UNIT = "(?:" + "|".join(_UNITS) + ")"
_ITEM = "(?:" + "|".join(_ITEMS) + ")"
_STATE = r"(?:remaining|left|used(?:\sso\sfar)?|unread|so\sfar|pending|consumed|spent|elapsed|queued|processed|completed)"
_PLURAL = rf"(?:(?:{_UNIT}|{_ITEM})(?:s|es)?|(?:retr|tr|quer)ies|credits|budget|quota|balance|points|time|context)"
_NOUN = "[a-z]{2,14}"
_NUMBERING = r"(?:number|no\.?|nr\.?|num|count|counter|index|idx|id|position)"
_QUOTE = r"[\"'*`_]{0,3}"
_IS = rf"{_QUOTE}\s?(?:[:=]\s?{_QUOTE}\#?|\#|is\s(?:now\s)?)"

# Ending in a mark: "attempt_number=", "Tokens used so far: ", "turn #".
_MARKED = re.compile(
    rf"""(?:^|[^a-z])(?:
      (?!step\ ?\#) {_UNIT} (?:[ _-]?{_NUMBERING})? {_IS}
    | {_ITEM}s?[ _-]{_NUMBERING} {_IS}
    | (?:message|msg|request|call|query|question|event|visit|search|job|build|session|ticket|order|case|task|conversation|chat) \s? \#
    | {_STATE} [ _-] {_PLURAL} (?:[ _](?:count|budget|so\ far))? {_IS}
    | (?:remaining|elapsed|unread) [ _-] {_NOUN} {_IS}
    | {_NOUN} [ _] (?:are\ |already\ )? {_STATE} (?:\ so\ far)? {_IS}
    | (?:[a-z]{{0,8}}limit[ _-])?remaining {_IS}
    | (?:unread|elapsed|pending) {_IS}
    | (?:credit|token|account)s? [ _] balance {_IS}
    | {_PLURAL} [ _] (?:made|sent|completed|done|taken|received) {_IS}
    | number\ of\ (?:turns|messages|attempts|calls|requests|iterations|steps\ taken|visits|retries)(?:\ so\ far)? {_IS}
    | (?:current[ _](?:count|total|number|index|position)|queue[ _](?:position|length|depth)|position\ in\ (?:the\ )?queue|(?:conversation|session|chat|thread)[ _]length|total[ _]tokens|seq(?:uence)?(?:[ _-]{_NUMBERING})?|counter|uptime|usage|tick[ _]?count) {_IS}
    )\Z""",
    re.VERBOSE,
)
# Ending in a word: "you are on step ", "this is attempt ", "request number ".
_SPACED = re.compile(
    rf"""(?:^|[^a-z])(?:
      (?:attempt|retry|poll|tick|heartbeat|iteration)\s
    | (?:{_UNIT}|{_ITEM})s?[ _-]{_NUMBERING} (?:\sis|\sis\snow)? \s
    | (?:you\ are|you're|currently|now|we\ are|presently) (?:\ on|\ at|\ in)? (?:\ the)? \ (?:{_UNIT}|{_ITEM}) \s
    | (?:(?:current|this\ is) (?:\ the)? (?:\ conversation|\ agent|\ retry)?|conversation) \ {_UNIT} (?:\sis)? \s
    )\Z""",
    re.VERBOSE,
)
# Bare "(turn 4)", "[iteration 5]", "<attempt>3</attempt>".
_BRACKETED = re.compile(
    r"(?:[(\[<](?:turn|attempt|retry|iteration|round|poll|tick|loop|try|trial|message|msg|request|req|call|visit)[ -]\#?|"
    r"<(?:turn|attempt|retry|iteration|round|step|poll|tick)(?:[_-](?:number|count|index))?>)\Z"
)
_UNIT_BEFORE = re.compile(
    rf"(?:^|[^a-z])(?:{_UNIT}|{_ITEM}s?|progress)(?:[ _-]{_NUMBERING})?(?:[\s#:=-]|\s\#|:\s){{1,2}}\Z"
)
_MESSAGE = re.compile(r"(?:^|\n)message \Z")
_OF = re.compile(r"\s?(?:/|\(?of|out of)\s?(?:about\s|max\s)?[0-9]")
_PROGRESS = re.compile(r"/[0-9]{1,7}\]")
_TALK = r"(?:conversation|dialogue|dialog|session|chat|thread|history|transcript)"
_AFTER = re.compile(
    rf"""[\s-]? (?: (?:/|of|out\ of)\s?[0-9.,]{{1,16}}[KkM]?\s )?
    (?:
      (?:more\s|unread\s|free\s)? {_PLURAL}(?:\(s\))? \s (?:are\s|have\ been\s|already\s|were\s)? (?:remain(?:ing)?|left|used|so\ far|since|consumed|spent|available\ today)\b
    | (?:new\s)? unread\b
    | new\s(?:messages?|notifications?|emails?|events?|alerts?|comments?)\b
    | [a-z]{{3,14}}(?:\s[a-z]{{3,14}}){{0,2}}\s(?:remaining|so\ far|pending|processed|left(?!\s(?:the|an?|over|to|by|for|hand|side|out|behind|of|turn)\b))\b
    | (?:invocations?|iterations?|messages?|turns?)\s(?:since|ago|in\ (?:this|the)\ {_TALK}|so\ far)\b
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
# "You have made 12 requests today", "This conversation has 12 messages".
_MADE = re.compile(r"(?:made|used|sent|asked|called|had)\s\Z")
_TODAY = re.compile(r"\s[a-z]{3,14}(?:\s[a-z]{3,14})?\s(?:today|already|in this (?:turn|session|conversation|chat))\b")
_ALREADY = re.compile(r"already\s(?:made|sent|had|taken|seen|[a-z]{3,9}ed)\s\Z")
_HOLDS = re.compile(rf"(?:this|the|your|our)\s{_TALK}\s(?:(?:now\s|already\s)?(?:has|contains|holds)|is|of)\s\Z")
_HELD = re.compile(r"\s(?:messages|turns|exchanges|tokens)\b")
_USED_OF = re.compile(r"\s(?:used|spent|consumed)\s(?:of|out of)\s[0-9]")
_STATIC = frozenset(
    """
    max maximum maximal limit limits min minimum most least default defaults between every within exactly
    after than first last up pull merge
    """.split()
)
# "step = 0", "range(step=2)": what a program starts from.
_CODE = re.compile(
    r" = \Z|[(,]\s?(?:step|run|pass|loop|epoch|turn)=\Z|"
    r"\b(?:step|run|pass|loop|epoch|n|no|num|index|idx|count|number|position|generation)=\Z"
)
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+(?!,[0-9])")
_MARKS = frozenset(":=#")
_MAY_FOLLOW = frozenset(" -/,%")

_AGE = re.compile(
    r"\s?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|mo|months?|y|years?)\b\.?(?:\s?[0-9]{1,2}\s?(?:s|secs?|m|mins?|minutes?|h|hours?))?\s(?:ago|old)\b"
)
_AGED = re.compile(
    r"(?:last|updated|modified|seen|active|activity|created|started|saved|synced|edited|refreshed|accessed|committed|ran|sent|received|posted|logged|"
    r"cached|built|deployed|checked|fetched|login|age|about|joined|opened|closed|merged|pushed|commented|replied|newest|latest)\W[^.!?\n]{0,16}\Z|[(\[:|]\s?(?:about\s|~\s?)?\Z"
)


def find_counter(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The counter whose first digit is at `start`: its start and end, or `None`.

    `end` is the end of the run of digits; a counter written with thousands separators ends later.
    """
    head = text[max(0, start - _REACH) : start]
    if not head.islower() and head.isascii():
        if head.endswith("=") and _SETTING.search(head):
            return None
        head = _CAMEL.sub("_", head)
    low = head.lower()
    words = _WORDS.findall(low, max(0, len(low) - 28))
    if _GATE.isdisjoint(words):
        after = text[end : end + 1]
        if low[-1:] != "[" and after != "," and not (after in _MAY_FOLLOW and _tells_state(text, end)):
            return None
        words = []
    number = _NUMBER.match(text, start)
    if not number:
        return None
    end = number.end()
    return (start, end) if _is_counter(text, end, low, words) else None


def _tells_state(text: str, end: int) -> bool:
    """Whether the words behind a number say how far something has come: `5 steps left`, `12/40 tasks done`."""
    return _AFTER.match(text, end) is not None or _OF_DONE.match(text, end) is not None


def _is_counter(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether the number that ends at `end` counts; `low` stands before it, `words` are its last, if one of them matters."""
    static = not _STATIC.isdisjoint(_WORDS.findall(_CLAUSE.split(low)[-1])[-4:]) and words[-1:] != ["remaining"]
    if not static and _tells_state(text, end):
        return True
    after = text[end : end + 2]
    marked = not _MARKS.isdisjoint(low[-5:])
    if after[:1] == "%":
        return marked and not static and words[-1:] in (["left"], ["used"], ["remaining"], ["progress"])
    if after[:1] in {"_", "+"} or (after[:1] == "." and after[1:].isdigit()):
        return False
    if low.endswith("["):
        return _PROGRESS.match(text, end) is not None
    if not words:
        return False
    if _OF.match(text, end) and _UNIT_BEFORE.search(low, max(0, len(low) - 24)):
        return True
    if words[-1] in _DONE and low.endswith(" ") and _OF.match(text, end):
        return not static
    if low.endswith("message "):
        return _MESSAGE.search(low) is not None and text.startswith(" [", end)
    if static:
        return False
    if _BRACKETED.search(low, max(0, len(low) - 24)):
        return after[:1] in {")", "]", ">", "/", ",", "<"}
    if marked and _MARKED.search(low) and not _CODE.search(low, max(0, len(low) - 16)):
        return True
    if low.endswith(("budget: ", "budget ", "usage: ")):
        return _USED_OF.match(text, end) is not None or after[:1] == "/"
    if marked:
        return False
    if (_MADE.search(low, max(0, len(low) - 8)) and _TODAY.match(text, end)) or _ALREADY.search(low):
        return True
    if _HOLDS.search(low) and _HELD.match(text, end):
        return True
    return _SPACED.search(low) is not None


# An age this short is that of something just seen; one of years may be a fact.
_SHORT_AGE = re.compile(r"\s?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\sago\b")
_NO_AGE = re.compile(r"(?:than|over|within|least|most|e\.g\.|say|\bif)\W{1,3}(?:about\s)?\Z")


def find_age(text: str, start: int, end: int) -> int | None:
    """The end of an age such as `4m old` or `3 hours ago` whose number is given, where the words before say whose age."""
    age = _AGE.match(text, end)
    if not age:
        return None
    head = text[max(0, start - _REACH) : start].lower()
    if _AGED.search(head) or (_SHORT_AGE.match(text, end) and not _NO_AGE.search(head)):
        return age.end()
    return None
