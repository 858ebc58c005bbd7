"""What looks like an id and is none, and where a short run of hexadecimal digits is one all the same."""

# ruff: noqa: SIM905 - a list of words reads best as text

import re

from llm_observer.analysis.breakers.encoded import PINNED

__all__ = [
    "EXAMPLE_BEFORE",
    "is_bare_hash",
    "is_bracketed",
    "is_class_or_advisory",
    "is_container",
    "is_drawing",
    "is_git",
    "is_pinned",
    "is_queued",
]

# "Example: D0-50-99-84-A2-A0" shows a form.
EXAMPLE_BEFORE = re.compile(r"(?:xample|e\.g\.|such as|like):? ?\Z")
_MANY_RUNS = 4
# The hashes of nothing.
_EMPTY = frozenset(
    (
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
)
# A regular expression's [A-Za-z0-9]; a traceparent may hold "0-9" in its middle.
_CLASSES = re.compile(r"a-z|A-Z|\A0-9(?:\Z|[_Aa]-?)")
_ADVISORY = re.compile(r"(?:GHSA|CVE|CWE|ISO|IEC|DIN|UTF|RFC|PEP)-|sha(?:1|256|384|512)-")
# Strokes of an SVG path: 207v123h210v40h-256V13h248.
_DRAWING = re.compile(r"[A-Za-z]?(?:[0-9-]+[AaCcHhLlMmQqSsTtVvZz]{1,2}){2,}[0-9-]*\Z")
_GIT_LINE = re.compile(r"(?:\A|\n)(?:[*|-] )?\Z")
_GIT_SUBJECT = re.compile(r" (?:\([^)\n]{1,80}\) )?[A-Za-z]{2}")
_GIT_SAYS = re.compile(
    r"(?:HEAD (?:is now|detached) at|Merge:(?: [0-9a-f]{7,12})?|Successfully built|"
    r"[Rr]evert(?:s|ed)?(?: commit)?|from commit|Fixes:|Merge|Merge [0-9a-f]{7,40} into) \Z"
)
_GIT_COMMITTED = re.compile(r"\[[\w./-]{1,40} (?:\(root-commit\) )?\Z")
_HEX12 = re.compile(r"(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{12}\Z")
# [37d1877b] in a log.
_HEX8 = re.compile(r"(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8}\Z")
_RUNS = re.compile(r"[0-9]+|[a-f]+")
# "lock held by 9569c36f": eight to fifteen hexadecimal digits that stand in a sentence as a word does. A colour stands
# in quotes, a commit of a changelog in a link.
_HEX_WORD = re.compile(r"(?=[a-f]*[0-9])(?=[0-9]*[a-f])(?!a1b2|1a2b|dead|c0ffee|abc|123)[0-9a-f]+\Z")
# "postfix/qmgr[8156]: 20E57169658: from=": capitals are a serial number unless they name what is in a queue.
_QUEUED = re.compile(r"(?=[A-F]*[0-9])(?=[0-9]*[A-F])[0-9A-F]{9,16}\Z")
_QUEUE_BEFORE = re.compile(r"\[[0-9]{1,7}\]: \Z|\bqueued[ _]as:? \Z|\bqueue[ _-]id[:=] ?\Z")
_WORD_BEFORE = re.compile(r"(?<![\w#/])(?P<word>[A-Za-z]{2,20})[:=]? ?[(\[]?\Z|[\u00b7|\u2022] \Z")
_NO_HASH = frozenset(
    """
    color colour background fill stroke border backport pick cherrypick revision crc sha1 polynomial mask value example
    like hex gist upstream
    """.split()
)
_AFTER_WORD = frozenset((" ", "\n", ",", ";", ")", "]", ".", ":", ""))
_ENDS_WORD = re.compile(r"(?:[,;)\]]|[.:](?:\s|\Z)|\s|\Z)")
_OPENS, _CLOSES = frozenset(" \n\t[(\"'`<>|=:,"), frozenset(" \n\t])\"'`<>|,.;:")


def is_class_or_advisory(token: str) -> bool:
    """Whether it is a class of a regular expression, the name of a standard or advisory, or a digest with its name."""
    return _CLASSES.search(token) is not None or _ADVISORY.match(token) is not None


def is_drawing(token: str) -> bool:
    """Whether it is a piece of a path in SVG."""
    return _DRAWING.match(token) is not None


def is_pinned(text: str, start: int, token: str) -> bool:
    """Whether a digest is that of nothing, or pins a version."""
    return token in _EMPTY or PINNED.search(text[max(0, start - 48) : start]) is not None


def is_container(text: str, start: int, token: str) -> bool:
    """Whether twelve hexadecimal digits stand alone, as `docker ps` writes the id of a container."""
    return (
        _HEX12.match(token) is not None
        and len(_RUNS.findall(token)) >= 3
        and (start == 0 or text[start - 1] in _OPENS)
        and (start + 12 == len(text) or text[start + 12] in _CLOSES)
    )


def is_bare_hash(text: str, start: int, token: str) -> bool:
    """Whether hexadecimal digits that change often stand in a sentence as a word does: `peer f6de0dfb71 dropped`."""
    return (
        text[start + len(token) : start + len(token) + 1] in _AFTER_WORD
        and _HEX_WORD.match(token) is not None
        and len(_RUNS.findall(token)) >= _MANY_RUNS
        and _ENDS_WORD.match(text, start + len(token)) is not None
        and (before := _WORD_BEFORE.search(text[max(0, start - 26) : start])) is not None
        and (before["word"] or "").lower() not in _NO_HASH
    )


def is_queued(text: str, start: int, token: str) -> bool:
    """Whether it is the id of a message in the queue of a mail server."""
    return _QUEUED.match(token) is not None and _QUEUE_BEFORE.search(text[max(0, start - 16) : start]) is not None


def is_bracketed(text: str, start: int, token: str) -> bool:
    """Whether eight hexadecimal digits stand in brackets, as loggers write the id of a request."""
    return (
        text[start - 1 : start] == "["
        and text[start + 8 : start + 9] == "]"
        and _HEX8.match(token) is not None
        and len(_RUNS.findall(token)) >= 3
    )


def is_git(text: str, start: int, end: int) -> bool:
    """Whether a run stands where git writes an abbreviated commit: `7f3a2b1 Fix …`, `7f3a2b1..9c8d7e6`."""
    if not 7 <= end - start <= 40:
        return False
    if text[end : end + 2] == ".." or text[max(0, start - 2) : start] == "..":
        return True
    if text[end : end + 2] == "] " and _GIT_COMMITTED.search(text[max(0, start - 60) : start]):
        return True
    if text[start - 1 : start] == " " and _GIT_SAYS.search(text[max(0, start - 30) : start]):
        return True
    return _GIT_LINE.search(text[max(0, start - 4) : start]) is not None and _GIT_SUBJECT.match(text, end) is not None
