"""Counters and ages: a number that the words around it say goes up or down with each call."""

# ruff: noqa: E501, SIM905 - one line of a pattern is one alternative; a list of words reads best as text

import re

__all__ = ["find_age", "find_counter"]

_REACH = 44

_UNITS = """
    attempt retry try turn iteration round poll step invocation cycle tick loop pass trial episode epoch
    heartbeat ping run visit hop
""".split()
_ITEMS = """
    message msg request call query question event error failure task item batch chunk page frame test job
    file row record notification token credit search interaction response
""".split()
_STATES = """
    remaining left used unread far pending consumed spent elapsed current queued processed
""".split()
_SERIES = """
    seq sequence counter count number index idx num no nr position uptime pid ticks generation budget usage
    n
""".split()
_DONE = """
    used completed processed finished solved passed consumed spent sent received answered handled visited
""".split()

# One of these words must stand shortly before a number for it to be looked at more closely.
_GATE = frozenset((
    *(_UNITS + _ITEMS + _STATES + _SERIES + _DONE),
    *(f"{word}s" for word in _UNITS + _ITEMS),
    *("retries", "tries", "queries", "passes", "searches"),
))  # fmt: skip
_WORDS = re.compile(r"[a-z]+")

_UNIT = "(?:" + "|".join(_UNITS) + ")"
_ITEM = "(?:" + "|".join(_ITEMS) + ")"
_STATE = "(?:remaining|left|used(?: so far)?|unread|so far|pending|consumed|spent|elapsed|queued|processed)"
_PLURAL = rf"(?:(?:{_UNIT}|{_ITEM})(?:s|es)?|(?:retr|tr|quer)ies|credits|budget|quota|balance|points|time|context)"
_NUMBERING = r"(?:number|no\.?|nr\.?|num|count|counter|index|idx|id|position)"
_QUOTE = r"[\"'*`_]{0,3}"
_IS = rf"{_QUOTE}\s?(?:[:=]\s?{_QUOTE}\#?|\#|is\s(?:now\s)?)"

# Ending in a mark: "attempt_number=", "Tokens used so far: ", "turn #".
_MARKED = re.compile(
    rf"""(?:^|[^a-z])(?:
      {_UNIT} (?:[ _-]?{_NUMBERING})? {_IS}
    | {_ITEM}s?[ _-]{_NUMBERING} {_IS}
    | (?:{_UNIT}|message|msg|request|call|query|question|event|visit|search|job|build|session|ticket|order|case|task) \s? \#
    | {_STATE} [ _-] {_PLURAL} (?:[ _](?:count|budget|so\ far))? {_IS}
    | {_PLURAL} [ _] (?:are\ |already\ )? {_STATE} (?:\ so\ far)? {_IS}
    | number\ of\ (?:turns|messages|attempts|calls|requests|iterations|steps\ taken|visits|retries)(?:\ so\ far)? {_IS}
    | (?:current[ _](?:count|total|number|index|position)|queue[ _]position|position\ in\ (?:the\ )?queue|sequence|seq|counter|uptime|usage|tick[ _]?count) {_IS}
    )\Z""",
    re.VERBOSE,
)
# Ending in a word: "you are on step ", "this is attempt ", "request number ".
_SPACED = re.compile(
    rf"""(?:^|[^a-z])(?:
      (?:attempt|retry|poll|tick|heartbeat|iteration)\s
    | (?:{_UNIT}|{_ITEM})s?[ _-]{_NUMBERING} (?:\sis|\sis\snow)? \s
    | (?:you\ are|you're|currently|now|we\ are|presently) (?:\ on|\ at|\ in)? (?:\ the)? \ (?:{_UNIT}|{_ITEM}) \s
    | (?:current|this\ is) (?:\ the)? (?:\ conversation|\ agent|\ retry)? \ {_UNIT} \s
    )\Z""",
    re.VERBOSE,
)
# Bare "(turn 4)", "[iteration 5]".
_BRACKETED = re.compile(
    r"[(\[<](?:turn|attempt|retry|iteration|round|poll|tick|loop|try|trial|message|msg|request|req|call|visit)[ -]\#?\Z"
)
_UNIT_BEFORE = re.compile(rf"(?:^|[^a-z])(?:{_UNIT}|{_ITEM})(?:[ _-]{_NUMBERING})?(?:[\s#:=-]|\s\#|:\s){{1,2}}\Z")
_MESSAGE = re.compile(r"(?:^|\n)message \Z")
_OF = re.compile(r"\s?(?:/|of|out of)\s?(?:about\s|max\s)?[0-9]")
_PROGRESS = re.compile(r"/[0-9]{1,7}\]")
_AFTER = re.compile(
    rf"""[\s-]? (?: (?:/|of|out\ of)\s?[0-9.,]{{1,16}}[KkM]?\s )?
    (?:
      (?:more\s|unread\s|free\s)? {_PLURAL}(?:\(s\))? \s (?:are\s|have\ been\s|already\s|were\s)? (?:remain(?:ing)?|left|used|so\ far|since|consumed|spent|available\ today)\b
    | (?:new\s)? unread\b
    | new\s(?:messages?|notifications?|emails?|events?|alerts?|comments?)\b
    | [a-z]{3, 14}(?:\s[a-z]{3, 14})?\s(?:remaining|left)\b
    | (?:invocations?|iterations?|messages?|turns?)\s(?:since|ago|in\ this\ conversation|so\ far)\b
    | remaining\b
    | \sused\sof\s[0-9]
    | of\ (?:the|this)\ (?:conversation|dialogue|dialog|session|chat)\b
    | %\s?(?:complete|completed|done|finished|(?:of\ (?:the\ |your\ )?(?:context|budget|quota|limit|tokens)(?:\ window)?\ )?(?:used|left|remaining|consumed|full))\b
    )""",
    re.VERBOSE,
)
_USED_OF = re.compile(r"\s(?:used|spent|consumed)\s(?:of|out of)\s[0-9]")
_STATIC = frozenset(
    """
    max maximum maximal limit limits min minimum most least default defaults between every within exactly
    after than first last up pull merge
    """.split()
)
# "step = 0", "step=2": what a program starts from.
_CODE = re.compile(r" = \Z|\b(?:step|run|pass|loop|epoch|turn|n|no|num|index|idx|count|number|position|generation)=\Z")
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+(?!,[0-9])")
_MARKS = frozenset(":=#")
_MAY_FOLLOW = frozenset(" -/,%")

_AGE = re.compile(
    r"\s?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|mo|months?|y|years?)\b\.?(?:\s?[0-9]{1,2}\s?(?:s|secs?|m|mins?|minutes?|h|hours?))?\s(?:ago|old)\b"
)
_AGED = re.compile(
    r"(?:last|updated|modified|seen|active|activity|created|started|saved|synced|edited|refreshed|accessed|committed|ran|sent|received|posted|logged|"
    r"cached|built|deployed|checked|fetched|login|age|about|joined)\W[^.!?\n]{0,16}\Z|[(\[:|]\s?(?:about\s|~\s?)?\Z"
)


def find_counter(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The counter whose first digit is at `start`: its start and end, or `None`.

    `end` is the end of the run of digits; a counter written with thousands separators ends later.
    """
    low = text[max(0, start - _REACH) : start].lower()
    words = _WORDS.findall(low, max(0, len(low) - 28))
    if _GATE.isdisjoint(words):
        after = text[end : end + 1]
        if low[-1:] != "[" and after != "," and not (after in _MAY_FOLLOW and _AFTER.match(text, end)):
            return None
        words = []
    number = _NUMBER.match(text, start)
    if not number:
        return None
    end = number.end()
    return (start, end) if _is_counter(text, end, low, words) else None


def _is_counter(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether the number that ends at `end` counts; `low` stands before it, `words` are its last, if one of them matters."""
    static = not _STATIC.isdisjoint(words[-4:])
    if not static and _AFTER.match(text, end):
        return True
    after = text[end : end + 2]
    if after[:1] in {"_", "%"} or (after[:1] == "." and after[1:].isdigit()):
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
    if _BRACKETED.search(low, max(0, len(low) - 14)):
        return after[:1] in {")", "]", ">", "/", ","}
    if low.endswith(("budget: ", "budget ", "usage: ")):
        return _USED_OF.match(text, end) is not None or after[:1] == "/"
    if _MARKS.isdisjoint(low[-5:]):
        return _SPACED.search(low) is not None
    return not _CODE.search(low, max(0, len(low) - 16)) and _MARKED.search(low) is not None


def find_age(text: str, start: int, end: int) -> int | None:
    """The end of an age such as `4m old` or `3 hours ago` whose number is given, where the words before say whose age."""
    age = _AGE.match(text, end)
    if age and _AGED.search(text[max(0, start - _REACH) : start].lower()):
        return age.end()
    return None
