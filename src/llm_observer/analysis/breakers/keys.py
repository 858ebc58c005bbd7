"""The key that a value stands under: `session_id: X`, `"requestId": "X"`, `x-trace-id = X`, `account X`."""

# ruff: noqa: SIM905 - a list of words reads best as text

import re
from typing import NamedTuple

__all__ = ["Key", "key_before"]

_REACH = 48
# Read backwards from the value: quotes and brackets, a separator ("is" is one, backwards), then up to four words.
_KEY = re.compile(
    r"[\"'`*(\[{<#\\]{0,4}([ \t]{0,2}(?:[\"'`*_:=#>)\]|\\-]|[ \t]|\bsi\b){0,6})"
    r"([A-Za-z0-9]+(?:[_. -][A-Za-z0-9]+){0,3})"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

_SESSION = frozenset(
    """
    session sessions sess sid sessionid request requests req requestid reqid rid trace traceid traceparent
    tracestate tracing span spanid correlation correlationid ray amzn user users usr userid uid username
    customer client clientid visitor member subscriber account caller guest patient employee student
    conversation conversationid convo thread threadid chat chatid invocation b3
    """.split()
)
_ID = frozenset(
    """
    id ids guid uuid ulid oid key number no nr ref reference token cookie identifier cursor handle
    """.split()
)
_RECORD = frozenset(
    """
    order ticket case incident job run task event message msg batch transaction txn booking reservation
    confirmation execution build invoice shipment tracking parcel claim pnr payment charge deployment
    workflow pipeline process worker pod node instance sandbox device upload call step row record object
    block doc document memory entry item lead
    """.split()
)
_CASE = frozenset(
    """
    order ticket case incident booking reservation transaction txn invoice shipment claim payment job run
    build task batch execution deployment
    """.split()
)
_FRESH = frozenset(
    """
    nonce salt canary cachebuster buster entropy seed hash fingerprint checksum digest etag sha sha1 sha256
    md5 crc crc32 commit rev revision head container checkpoint blob tree build snapshot signature sig
    challenge state csrf xsrf boundary random hex image tag
    """.split()
)
_NONCE = frozenset("nonce salt entropy buster cachebuster challenge csrf xsrf".split())


class Key(NamedTuple):
    """The words of a key, lower case, the nearest to the value last, and the marks between key and value."""

    words: tuple[str, ...]
    mark: str

    @property
    def names_session(self) -> bool:
        """Whether it names a session, request, trace or user."""
        return not _SESSION.isdisjoint(self.words[-3:])

    @property
    def is_session(self) -> bool:
        """Whether the word next to the value is a session, request, trace or user itself: `account 233085`."""
        return bool(self.words) and self.words[-1] in _SESSION

    @property
    def is_id(self) -> bool:
        """Whether it announces an id."""
        return bool(self.words) and self.words[-1] in _ID

    @property
    def names_record(self) -> bool:
        """Whether it announces the id of a record: `order_id: X`, `ticket=X`, `build #X`."""
        words = self.words
        if not words:
            return False
        if words[-1] in _ID:
            return len(words) > 1 and words[-2] in _RECORD
        return words[-1] in _RECORD and any(char in self.mark for char in "=#:") and ">" not in self.mark

    @property
    def is_case(self) -> bool:
        """Whether the word next to the value is a case that a person numbers: `order 482133`, `ticket INC0012345`."""
        return bool(self.words) and self.words[-1] in _CASE

    @property
    def is_fresh(self) -> bool:
        """Whether it announces something drawn or computed anew, such as a nonce."""
        words = self.words
        if not words:
            return False
        return words[-1] in _FRESH or (words[-1] in _ID and len(words) > 1 and words[-2] in _FRESH)

    @property
    def is_nonce(self) -> bool:
        """Whether it announces a value that is there to be another each time, whatever its shape."""
        return bool(self.words) and self.words[-1] in _NONCE


_NONE = Key((), "")


def key_before(text: str, start: int) -> Key:
    """The key before `start`; a key without words when there is none."""
    backwards = text[max(0, start - _REACH) : start][::-1]
    match = _KEY.match(backwards)
    if not match:
        return _NONE
    words = tuple(word.lower() for word in _WORD.findall(match[2][::-1]))
    return Key(words, backwards[: match.start(2)])
