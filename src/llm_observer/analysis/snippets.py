"""A few words of the prompt around a place in it, for who opted in to see them: common words, and nothing else.

What may be shown is listed, so nothing has to be known as a secret to stay hidden: a word that is not among
`PLAIN_WORDS`, every number, and what stands behind a word such as `password` is replaced by a marker.
"""

import re
from collections.abc import Iterator

from llm_observer.analysis.breakers.kinds import MARKERS
from llm_observer.analysis.breakers.scan import find_spans
from llm_observer.analysis.plain_words import PLAIN_WORDS

__all__ = ["LONGEST", "snippet"]

LONGEST = 120
"""Most characters of a snippet."""

_BEFORE = 48
"""How many of them may stand ahead of the place."""
_REACH = 512
"""How many characters of the prompt are looked at on either side of it."""

_LONGEST_SIGN = 3
"""Characters of what may stand for a bullet or a dash."""

_OPEN, _CLOSE = MARKERS["date"][0], MARKERS["date"][-1]
_HIDDEN, _NUMBER, _EMAIL = (f"{_OPEN}{name}{_CLOSE}" for name in ("…", "number", "email"))

_TOKEN = re.compile(r"(?P<space>\s+)|(?P<sign>[\"'`{}\[\](),:;!?=<>|*#])|[^\s\"'`{}\[\](),:;!?=<>|*#]+")
_JOINED = re.compile(r"(?:[A-Za-z]+[_./-])*[A-Za-z]+\.?")
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_LABELLED = re.compile(
    r"(?i)\b(?:pass(?:[ _-]?(?:word|wd|phrase|code))?|pwd|pin|secret|credential|key|token)s?\b"
    r"[\"']?\s*(?:[:=]|is\b)[^\n]*"
)


def snippet(text: str, offset: int) -> str | None:
    """The surroundings of `offset` in `text`, without volatile values, secrets, numbers, names and addresses.

    At most `LONGEST` characters, with `…` where the text goes on; `None` where no word would be left.
    """
    start = max(0, offset - _REACH)
    pieces = list(_merged(_shown(text[start : offset + _REACH], cut=start > 0)))
    focus = sum(end <= offset - start for end, _ in pieces)
    first = last = focus
    while first > 0 and sum(len(piece) for _, piece in pieces[first - 1 : focus]) <= _BEFORE:
        first -= 1
    # Two of the characters are kept for the dots.
    while last < len(pieces) and sum(len(piece) for _, piece in pieces[first : last + 1]) <= LONGEST - 2:
        last += 1
    chosen = [piece for _, piece in pieces[first:last]]
    if not any(piece[0].isalpha() for piece in chosen):
        return None
    ahead, behind = first > 0 or start > 0, last < len(pieces) or offset + _REACH < len(text)
    return f"{'…' if ahead else ''}{''.join(chosen).strip()}{'…' if behind else ''}"


def _shown(window: str, *, cut: bool) -> Iterator[tuple[int, str]]:
    """What may be shown of each token of `window`, and where the token ends. `cut`: the first may be half a word."""
    spans = [(span.start, span.end, MARKERS[span.category]) for span in find_spans(window)]
    # Last, so that what is found there counts as hidden and not as what it looks like.
    spans = [*((match.start(), match.end(), _HIDDEN) for match in _LABELLED.finditer(window)), *spans]
    for token in _TOKEN.finditer(window):
        marker = next((marker for start, end, marker in spans if start < token.end() and token.start() < end), None)
        if marker is None and not (cut and token.start() == 0):
            marker = " " if token["space"] else token[0] if token["sign"] else _judged(token[0])
        yield token.end(), marker or _HIDDEN


def _merged(pieces: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The pieces, with equal markers and white space in a row as one."""
    kept: list[tuple[int, str]] = []
    for end, piece in pieces:
        if kept and kept[-1][1] == " " and piece[0] == _OPEN and len(kept) > 1 and kept[-2][1] == piece:
            kept.pop()
        if kept and kept[-1][1] == piece and (piece == " " or piece[0] == _OPEN):
            kept.pop()
        kept.append((end, piece))
    return iter(kept)


def _judged(token: str) -> str:
    """The token when it is made of plain words alone, else a marker."""
    if _JOINED.fullmatch(token) and all(part.lower() in PLAIN_WORDS for part in _PART.findall(token)):
        return token
    if "@" in token:
        return _EMAIL
    if len(token) <= _LONGEST_SIGN and not any(map(str.isalnum, token)):
        return token
    return _NUMBER if any(map(str.isdigit, token)) and not any(map(str.isalpha, token)) else _HIDDEN
