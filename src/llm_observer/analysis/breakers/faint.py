"""Values whose look alone proves nothing, for comparing texts: where two texts differ in one, it is known by that.

`detect_breakers` reads one text and has to leave alone what a person may have written: an id of letters only, a number
that could be a day. A comparison masks those too: what stays the same is masked alike on both sides, so that only a
difference counts, and what a person edits is made of words, which are never masked here.
"""

import re

from llm_observer.analysis.breakers.keys import key_before
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.opaque import may_be_drawn
from llm_observer.analysis.breakers.places import find_temp_paths, is_generated
from llm_observer.analysis.breakers.scan import find_spans, settle

__all__ = ["find_faint"]

_MARGIN = 256
_SESSION = r"req|ses|sess|session|conv|conversation|thread|trace|span|user|usr|cus|customer|client|visitor|chat"
# file-xBNLoeqsMQzuMrwCgQLDJHWM: letters in both cases behind a word in small ones. Both patterns begin with their
# separator, which is searched for several times as fast as a word.
_BODY = re.compile(
    r"[_-](?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])(?P<body>[A-Za-z0-9]{12,64})(?![A-Za-z0-9_-])",
)
_PREFIX = re.compile(rf"(?<![A-Za-z0-9_./-])(?:(?P<session>{_SESSION})|[a-z]{{2,12}}(?:_[a-z]{{1,10}})?)\Z")
_PREFIX_REACH = 24
# What follows a separator: session_id: abcdefgh, "nonce": "...", <trace_id>...
_KEYED = re.compile(
    r"[:=>](?<=[A-Za-z\"'`*>].)[ \"'\\`*]{0,3}"
    r"(?P<value>(?:[a-z]{2,12}[_-])?(?P<body>[A-Za-z0-9]{8,64})={0,2})(?![A-Za-z0-9_=/.(-])"
)
_PARAMETER = re.compile(
    r"[?&](?i:(?:[a-z]{1,10}_?)?(?:token|signature|sig|auth|hmac))=(?P<value>[A-Za-z0-9]{16,256})(?![A-Za-z0-9])"
)
_HEX_NAME = re.compile(r"[-_.]?[0-9a-f]{8,}\Z")
# What mkdtemp puts behind a name: "run-HNwQDw". "my-Report" is a word.
_DRAWN_NAME = re.compile(r"[-_.](?=[A-Za-z]*[a-z])[A-Za-z](?=[A-Za-z]*[A-Z])[A-Za-z]{5}\Z")
# A line of its own: "Step 4", "[Round 2]". By itself it may be a heading, which another prompt has too. The number is
# searched for, which is quick, and then what stands before it on the line.
_LAST_NUMBER = re.compile(r"[0-9](?<![0-9]{2})[0-9]{0,5}(?=[^\w\n]{0,4}$)", re.MULTILINE)
_NUMBERED = re.compile(
    r"[^\w\n]{0,4}(?:step|round|turn|attempt|iteration|cycle|try|retry|runde|schritt|versuch|tour|tentative|étape"
    r"|turno|ronda|intento|paso)[ ]?[#:]?[ ]?",
    re.IGNORECASE,
)
_NUMBERED_REACH = 24


def find_faint(text: str, limit: int) -> list[Span]:
    """The volatile values among the first `limit` characters of `text`, those of a faint look with them.

    Spans are in order and disjoint; they count for a comparison with another text and say nothing of this one alone.
    """
    seen = text if limit >= len(text) else text[: limit + _MARGIN]
    found = [
        span
        for span in (*_prefixed(seen), *_keyed(seen), *_parameters(seen), *_paths(seen), *_numbered_lines(seen))
        if span.end <= limit
    ]
    strict = find_spans(text, limit)
    return settle([*strict, *found]) if found else strict


def _prefixed(text: str) -> list[Span]:
    """Ids behind a prefix."""
    found: list[Span] = []
    for match in _BODY.finditer(text):
        if not may_be_drawn(match["body"]):
            continue
        prefix = _PREFIX.search(text, max(0, match.start() - _PREFIX_REACH), match.start())
        if prefix:
            start = prefix.start()
            session = bool(prefix["session"]) or key_before(text, start).names_session
            found.append(span_of(start, match.end(), "random_id", session=session))
    return found


def _keyed(text: str) -> list[Span]:
    """Values under a key that names an id or a nonce; the key says what they are."""
    found: list[Span] = []
    for match in _KEYED.finditer(text):
        body = match["body"]
        if not (body.isdigit() or may_be_drawn(body)):
            continue
        start, end = match.span("value")
        key = key_before(text, start)
        if key.is_nonce and not body.isdigit():
            found.append(span_of(start, end, "hex"))
        elif key.names_session and (key.is_id or key.is_session):
            # Padding belongs to a value in base64, and to no id.
            found.append(span_of(start, match.end("body"), "keyed_id", session=True))
        elif (key.is_id or key.names_record) and not body.isdigit():
            found.append(span_of(start, match.end("body"), "keyed_id"))
    return found


def _parameters(text: str) -> list[Span]:
    return [
        span_of(match.start("value"), match.end("value"), "signed_url")
        for match in _PARAMETER.finditer(text)
        if may_be_drawn(match["value"])
    ]


def _paths(text: str) -> list[Span]:
    return find_temp_paths(text, lambda name: is_generated(name) or _has_hex(name) or bool(_DRAWN_NAME.search(name)))


def _numbered_lines(text: str) -> list[Span]:
    found: list[Span] = []
    for match in _LAST_NUMBER.finditer(text):
        start = match.start()
        line = text.rfind("\n", max(0, start - _NUMBERED_REACH), start) + 1
        if (line or start <= _NUMBERED_REACH) and _NUMBERED.fullmatch(text, line, start):
            found.append(span_of(start, match.end(), "counter"))
    return found


def _has_hex(name: str) -> bool:
    return any(_HEX_NAME.match(part) for part in re.split(r"[-_.]", name))
