"""The key that a value stands under: `session_id: X`, `"requestId": "X"`, `x-trace-id = X`, `account X`."""

import re

__all__ = ["key_before", "names_record", "names_session", "names_volatile"]

_REACH = 48
# Read backwards from the value: marks, then up to four words.
_KEY = re.compile(
    r"[\"'`*(\[{<#\\]{0,4}[ \t]{0,2}(?:[\"'`*_:=#>)\]-]|=>|[ \t]){0,6}([A-Za-z0-9]+(?:[_. -]{1,2}[A-Za-z0-9]+){0,3})"
)
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

_SESSION = frozenset(
    "session sessions sess sid sessionid request requests req requestid reqid trace traceid traceparent tracestate span spanid user users usr userid uid "
    "username customer client clientid visitor member subscriber account caller guest conversation conversationid thread threadid "
    "chat chatid correlation correlationid ray invocation amzn b3".split()
)
_RECORD = frozenset(
    "id ids guid uuid ulid no number ref reference key hash fingerprint nonce salt token canary etag digest checksum sha md5 commit "
    "container checkpoint snapshot revision blob state order ticket job run task event message msg batch transaction txn booking "
    "reservation execution instance pod deployment build upload file call tool response generation link public".split()
)
_VOLATILE = frozenset(
    "nonce salt canary cachebuster buster entropy seed hash fingerprint checksum digest etag sha commit container checkpoint blob".split()
)


def key_before(text: str, start: int) -> tuple[str, ...]:
    """The words of the key before `start`, lower case, at most four, the nearest last; empty when there is none."""
    match = _KEY.match(text[max(0, start - _REACH) : start][::-1])
    if not match:
        return ()
    return tuple(word.lower() for word in _CAMEL.findall(match[1][::-1]))


def names_session(key: tuple[str, ...]) -> bool:
    """Whether a key names a session, request, trace or user."""
    return not _SESSION.isdisjoint(key[-3:])


def names_record(key: tuple[str, ...]) -> bool:
    """Whether a key announces an id of any kind."""
    return bool(key) and (key[-1] in _RECORD or key[-1] in _SESSION)


def names_volatile(key: tuple[str, ...]) -> bool:
    """Whether a key announces something drawn or computed anew, such as a nonce."""
    return not _VOLATILE.isdisjoint(key[-2:])
