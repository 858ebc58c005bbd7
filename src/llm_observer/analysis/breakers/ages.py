"""Ages: how long ago something was."""

# ruff: noqa: E501 - one line of a pattern is one alternative

import re

__all__ = ["find_age"]

_REACH = 44
_AGE = re.compile(
    r"\s?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|mo|months?|y|years?)\b\.?(?:\s?[0-9]{1,2}\s?(?:s|secs?|m|mins?|minutes?|h|hours?)){0,2}\s(?:ago|old)\b"
)
_AGED = re.compile(
    r"(?:last|updated|modified|seen|active|activity|created|started|saved|synced|edited|refreshed|accessed|committed|ran|sent|received|posted|logged|"
    r"cached|built|deployed|checked|fetched|login|age|about|joined|opened|closed|merged|pushed|commented|replied|newest|latest)\W[^.!?\n]{0,16}\Z|[(\[:|]\s?(?:about\s|~\s?)?\Z"
)


# An age this short is that of something just seen; one of years may be a fact.
_SHORT_AGE = re.compile(
    r"\s?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)(?:\s[0-9]{1,2}\s?(?:s|m|min|sec)){0,2}\sago\b"
)
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
