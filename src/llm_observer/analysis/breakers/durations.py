"""How long something has gone on or has left, and the hour that it is now, where the words before say so."""

# ruff: noqa: SIM905 - a list of words reads best as text

import re

from llm_observer.analysis.breakers.kinds import Span, span_of

__all__ = ["LEADS", "find_duration"]

_UNIT = r"(?:d(?:ays?)?|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)"
# 02:10, 1:02:10, 16d 14h 40m, 47m34s, 2 hours and 5 minutes.
_LENGTH = re.compile(
    rf"[0-9]{{1,4}} ?{_UNIT}(?:(?:, | and | )?[0-9]{{1,4}}(?:\.[0-9]{{1,3}})? ?{_UNIT}){{1,3}}(?![0-9A-Za-z])|"
    r"[0-9]{1,6}\.[0-9]{1,6} ?(?:ms|s|sec|secs|seconds|min|minutes|h|hours)(?![0-9A-Za-z])|"
    r"[0-9]{1,3}:[0-5][0-9](?::[0-5][0-9])?(?:\.[0-9]{1,6})?(?![0-9:]|\.[0-9]| ?[AaPp]\.?[Mm]\b)"
)
_HOUR = re.compile(
    r"(?:1[0-2]|0?[1-9])(?:[.:][0-5][0-9])? ?[AaPp]\.?[Mm]\b\.?(?! ?(?:to|until|till|and|or|[-\u2013])(?![a-z]))"
)
# What lasts, next to the value or before "time": "Elapsed: 02:10", "remaining time: 5m 10s".
_LASTS = frozenset(("elapsed", "remaining", "left", "uptime", "eta"))
# "Ticket age: 13 days", "Estimated wait: 12 minutes".
_AGES = frozenset(("age", "wait", "waiting"))
_OF_AGE = re.compile(
    r"(?:[a-z](?<!max)(?<!min)(?<!imum)(?<!of)[ _]age|(?:estimated|expected|current|average) wait(?:ing)?)"
    r"[\"'*`_)]{0,3}\s?[:=]\s?[\"'*` ]{0,4}(?:about |~ ?)?\Z"
)
_SPAN = re.compile(rf"[0-9]{{1,4}} ?(?!y){_UNIT}(?:(?:, | and | )?[0-9]{{1,4}} ?{_UNIT}){{0,2}}(?![0-9A-Za-z])")
# "ends in 3h 55m", "idle for 43m".
_COMING = frozenset("ends closes expires starts begins resets refreshes due renews opens".split())
_STILL = frozenset("idle inactive stuck offline unreachable unresponsive silent down paused".split())
_SHORT_SPAN = re.compile(r"[0-9]{1,4}[smhd](?:\s?[0-9]{1,2}[smh]){0,2}(?![0-9A-Za-z])")
# One of these stands next to the value.
LEADS = _LASTS | _AGES | {"in", "time", "for", "now", "is", "currently", "s"}
_MARKED = re.compile(r"[\"'*`_)]{0,3}\s?[:=]\s?[\"'*` ]{0,4}\Z")
# "It is now 11 PM", "The time is 7.12pm", "Local time: 3pm".
_NOW = re.compile(r"(?:\bit(?: is|'s)(?: now| currently)?|\btime(?: is| now)?:?(?: now| currently)?) \Z")


def find_duration(text: str, start: int, low: str, words: list[str]) -> Span | None:
    """The duration or hour that begins at `start`; `low` stands before it, `words` are its last."""
    last = words[-1]
    if last in _LASTS or (last in {"time", "for"} and words[-2:-1] and words[-2] in _LASTS):
        if (_MARKED.search(low) or low.endswith(("eta ", "uptime "))) and (length := _LENGTH.match(text, start)):
            return span_of(start, length.end(), "age")
    elif last == "in":
        if not _COMING.isdisjoint(words[-2:-1]) and (length := _LENGTH.match(text, start)) and ":" not in length[0]:
            return span_of(start, length.end(), "age")
    elif last == "for":
        if not _STILL.isdisjoint(words[-2:-1]) and (span := _SHORT_SPAN.match(text, start)):
            return span_of(start, span.end(), "age")
    elif last in _AGES:
        if _OF_AGE.search(low) and (span := _SPAN.match(text, start)):
            return span_of(start, span.end(), "age")
    elif (hour := _HOUR.match(text, start)) and _NOW.search(low):
        return span_of(start, hour.end(), "clock")
    return None
