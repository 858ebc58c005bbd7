"""Where a text has digits, and long runs of letters: most patterns begin with one, and most texts have few."""

import re
from bisect import bisect_left
from collections.abc import Iterator

__all__ = ["Digits", "has_other_digits"]

_MOST = 64
_APART = 24
"""Digits up to which a pattern is tried at each instead of sought: so many, or one in so many characters."""
_ONE = b"0"
# What stands for a character that is not ASCII, and how rare it has to be to be looked at one by one.
_OTHER = b"?"
_RARE = 16
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
# A digit, a letter, `-` and `_`, and the rest.
_MARKED = bytes(
    48 if 48 <= code < 58 else 97 if code < 128 and (chr(code).isalpha() or code in b"-_") else 32
    for code in range(256)
)
_NO_LETTER = re.compile(rb"[ 0]")


class Digits:
    """The places of a text's ASCII digits, found at the speed of memory.

    Finds what a pattern finds by itself, sooner: for patterns that begin with `[0-9]`.
    """

    __slots__ = ("_marked", "_places", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: list[int] | None = None
        """`None` where they are too many."""
        # A byte for each character, whatever its script.
        self._marked = marked = text.encode("ascii", "replace").translate(_MARKED)
        if marked.count(_ONE) <= max(_MOST, len(text) // _APART):
            self._places = []
            place = marked.find(_ONE)
            while place >= 0:
                self._places.append(place)
                place = marked.find(_ONE, place + 1)

    def letter_runs(self, size: int) -> Iterator[int]:
        """Where runs of exactly `size` ASCII letters, `-` and `_` begin that no digit is joined to."""
        marked, run = self._marked, b"a" * size
        at = marked.find(run)
        while at >= 0:
            end = _NO_LETTER.search(marked, at + size)
            stop = end.start() if end else len(marked)
            if stop - at == size and marked[stop : stop + 1] != _ONE and marked[at - 1 : at] != _ONE:
                yield at
            at = marked.find(run, stop)

    def search(self, pattern: re.Pattern[str], start: int = 0) -> re.Match[str] | None:
        """What `pattern.search(text, start)` finds."""
        if self._places is None:
            return pattern.search(self._text, start)
        for i in range(bisect_left(self._places, start), len(self._places)):
            match = pattern.match(self._text, self._places[i])
            if match is not None:
                return match
        return None

    def matches(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """What `pattern.finditer(text)` finds."""
        if self._places is None:
            yield from pattern.finditer(self._text)
            return
        end = 0
        for place in self._places:
            if place >= end and (match := pattern.match(self._text, place)) is not None:
                yield match
                end = match.end()


def has_other_digits(text: str) -> bool:
    """Whether `text` has decimal digits of other scripts; superscripts and the like are none."""
    if text.isascii():
        return False
    marked = text.encode("ascii", "replace")
    if marked.count(_OTHER) * _RARE > len(marked):
        return _OTHER_DIGIT.search(text) is not None
    place = marked.find(_OTHER)
    while place >= 0:
        if text[place].isdecimal():
            return True
        place = marked.find(_OTHER, place + 1)
    return False
