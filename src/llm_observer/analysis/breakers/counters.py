"""Counters: a number that the words around it say goes up or down with each call."""

import re

__all__ = ["find_counter"]

_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+(?![0-9.,]*[0-9])")
_LETTER_BEFORE = re.compile(r"[A-Za-z)][\"'*`_]{0,3}[\s:=#(\[\"'`*]{0,4}\Z|\[\Z|\(\Z")

_UNIT = (
    r"(?:attempt|retry|turn|iteration|round|poll|step|invocation|cycle|tick|try|seq|sequence|counter|loop|generation)"
)
_BEFORE = re.compile(
    rf"""(?:^|[^a-z])(?:
      {_UNIT} [ _-]? (?:number|no\.?|num|count|counter|index|idx|id)? [\"'*`]{{0,3}} \s? (?:[:=]\s?|\#|is\s) [\"'\#*`]{{0,3}}
    | (?:request|message|msg|call|query|turn|token|event|error|failure|retry|visit|run|tool[ _]call)s? [ _] (?:number|no\.?|num|count|counter|index|idx|seq) \s? (?:[:=]\s?|\#|is\s|\s)? \#?
    | {_UNIT} \s \#
    | (?:poll|attempt|retry)\s
    | (?:you\ are\ on|currently\ on|now\ on|at|on|current|this\ is)\ (?:{_UNIT})\s\#?
    | (?:remaining|left|used|unread|so\ far|pending|consumed|spent|elapsed) (?:[ _][a-z]+){{0,3}} [\"'*`]{{0,3}} \s? [:=] \s? [\"'*`]{{0,2}}
    | (?:tokens?|credits?|budget|quota|balance|requests?|steps?|turns?|messages?|notifications?) [ _] (?:[a-z]+[ _]){{0,2}} (?:remaining|left|used|so\ far|consumed|spent|unread|pending) [\"'*`]{{0,3}} \s? [:=] \s? [\"'*`]{{0,2}}
    | (?:have|has\ been|already|only|with)\s
    | budget: \s?
    )\Z""",
    re.VERBOSE,
)
_AFTER_LOOSE = re.compile(
    r"\s?(?:/\s?[0-9.,]+[KkM]?\s|of\s[0-9.,]+[KkM]?\s)?(?:more\s)?(?:unread\s|step\(s\)|(?:steps?|turns?|attempts?|tokens?|requests?|messages?|credits?|calls?|retries|tries|invocations?|iterations?|points?)\b)"
    r"(?:\s(?:are\s)?(?:remain|left|used|so far|since|consumed|spent|available)|\sremaining)"
)
_LOOSE = re.compile(r"(?:^|[^a-z])(?:have|has been|already|only|with)\s\Z")
_OF = re.compile(r"\s?(?:/|of|out of)\s?(?:[0-9]|max)")
_UNIT_OF = re.compile(rf"(?:^|[^a-z]){_UNIT}[\s#]{{1,2}}\Z")
_MESSAGE = re.compile(r"(?:^|\n)message \Z")
_PROGRESS = re.compile(r"/[0-9]{1,7}\]")
_USED_OF = re.compile(r"\sused\sof\s[0-9]")
_STATIC = re.compile(r"max|limit|minimum|at most|up to|at least|default|between")


def find_counter(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The counter whose first digit is at `start`: its start and end, or `None`."""
    before = text[max(0, start - 40) : start]
    if not _LETTER_BEFORE.search(before[-9:]):
        if _AFTER_LOOSE.match(text, end) or (text[end : end + 1] == "," and _AFTER_LOOSE.match(text, end + 4)):
            number = _NUMBER.match(text, start)
            return number.span() if number else None
        return None
    number = _NUMBER.match(text, start)
    if not number:
        return None
    end = number.end()
    if end < len(text) and (text[end].isalpha() or text[end] in "%_"):
        return None
    low = before.lower()
    if low.endswith("[") and _PROGRESS.match(text, end):
        return start, end
    if _UNIT_OF.search(low) and _OF.match(text, end):
        return start, end
    if _MESSAGE.search(low) and text.startswith(" [", end):
        return start, end
    if _AFTER_LOOSE.match(text, end) and not _STATIC.search(low[-24:]):
        return start, end
    match = _BEFORE.search(low)
    if not match or _LOOSE.search(low) or _STATIC.search(low[-28:]):
        return None
    if low.endswith("budget: ") and not _USED_OF.match(text, end):
        return None
    return start, end
