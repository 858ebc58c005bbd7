"""Ids that stand alone or under a key: told by their look, by the key, or part by part."""

import re

from llm_observer.analysis.breakers.encoded import is_piece
from llm_observer.analysis.breakers.id_shapes import HEX, shape
from llm_observer.analysis.breakers.keys import Key
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.look_alikes import (
    is_bare_hash,
    is_bracketed,
    is_container,
    is_drawing,
    is_git,
    is_pinned,
    is_queued,
)
from llm_observer.analysis.breakers.opaque import is_drawn_lower, is_jumble, is_mixed, is_opaque, is_opaque_under_key

__all__ = ["by_key", "by_shape", "slug"]

# com.acme.Cart@6d06d69c, [Ljava.lang.Object;@1b2c3d4; but not owner/name@1b2c3d4.
_JAVA_IDENTITY = re.compile(r"(?:[A-Z][A-Za-z0-9_$]{1,40}|\[[A-Z;]|;)@\Z")
_DATE_INSIDE = re.compile(r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]|-(?:19|20)[0-9]{6}(?![0-9])")
_WORDS = re.compile(r"[a-z]{1,16}(?:_[a-z]{1,10}){0,3}[_-](?=[0-9A-Za-z])")
_SHORT_LINK = re.compile(r"/[a-z]/\Z")
_E2B = re.compile(r"i[a-z0-9]{20}\Z")
# Letters and digits that may be a word in a sentence.
_SHORT = 6
# Characters of a name with an id behind it: agent researcher-16c5e2.
_NAMED_SIZE = 32
# Digits of a hash that is given short.
_SHORT_HASH = range(8, 16)
# The key of an issue behind the word for it: ticket SUP-4630.
_ISSUE = re.compile(r"(?!ABC|XYZ|FOO)[A-Z]{2,8}-(?!123)[1-9][0-9]{2,5}\Z")
# A code in capitals, of two or more digits.
_CAPITALS = re.compile(r"(?=[A-Z]*[0-9]+[A-Z]+[0-9])[A-Z0-9]{8,12}\Z")
_NUMBERS = re.compile(r"[0-9]{3,8}-[0-9]{4,10}(?:-[0-9]{4,10})?\Z")
# A booking code such as X7K9QD.
_CODE = re.compile(r"(?=[A-Z]*[0-9][A-Z]*[0-9])(?=[0-9]*[A-Z])[A-Z0-9]{6,7}\Z")
_BOOKING = re.compile(r"(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[A-Z0-9]{5,8}\Z")
# The name that a cloud gives a host: ip-10-240-216-66.
_HOST = re.compile(r"(?:ip|ec2)-((?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])-){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9]))\Z")
# What Kubernetes puts behind the name of a job: five of its letters and digits, which change three times at least.
_POD_OF_JOB = re.compile(
    r"[a-z]-[a-z][a-z-]*-(?=(?:[a-z]+[0-9]+|[0-9]+[a-z]+)[a-z0-9])(?=[a-z]+[0-9]+[a-z]|[0-9]+[a-z]+[0-9])([bcdf-hj-np-tv-z24-9]{5})\Z"
)
# What Kubernetes puts behind the name of a deployment, and of a job that recurs.
_POD = re.compile(r"-((?:[bcdf-hj-np-tv-z24-9]{8,10}|[0-9]{8,10})-[bcdf-hj-np-tv-z24-9]{5})\Z")
# What AWS puts before an id of eight or seventeen digits, and its keys.
_CLOUD = re.compile(
    r"(?:i|vol|subnet|sg|vpc|ami|snap|eni|rtb|igw|nat|acl|lt|eipalloc|eipassoc|vgw|tgw|pcx|vpce|fs)-(?=[a-f]*[0-9])[0-9a-f]{8}(?:[0-9a-f]{9})?\Z"
)


def by_shape(text: str, start: int, token: str, key: Key) -> Span | None:
    """What the look of the token at `start` makes of it."""
    end = start + len(token)
    kind = shape(token)
    if kind is None:
        words = _WORDS.match(token)
        if words and shape(token[words.end() :]):
            return span_of(start, end, "random_id", session=key.names_session)
        return None
    if kind == "random_id" and is_drawing(token):
        return None
    if kind in {"random_id", "hex"} and is_piece(text, start, end):
        return None
    if kind == "random_id" and key.is_nonce:
        kind = "hex"
    elif kind == "random_id" and len(token) > 64:
        kind = "token"
    return span_of(start, end, kind, session=key.names_session)


def by_key(text: str, start: int, token: str, key: Key) -> Span | None:
    """What the key before the token at `start`, or the place it stands in, makes of it."""
    span = _by_key(text, start, token, key)
    if span is None and len(token) in _SHORT_HASH:
        if is_bare_hash(text, start, token):
            return span_of(start, start + len(token), "hex")
        if is_queued(text, start, token):
            return span_of(start, start + len(token), "keyed_id")
    return span


def _by_key(text: str, start: int, token: str, key: Key) -> Span | None:
    end = start + len(token)
    before = text[start - 1] if start else " "
    if (len(token) == 12 and is_container(text, start, token)) or (
        len(token) == 8 and is_bracketed(text, start, token)
    ):
        return span_of(start, end, "hex", session=key.names_session)
    if (
        before == "@"
        and len(token) <= 8
        and _JAVA_IDENTITY.search(text[max(0, start - 44) : start])
        and HEX.match(token)
        and token.islower()
    ):
        return span_of(start, end, "mem_addr")
    if (
        token.islower()
        and is_git(text, start, end)
        and HEX.match(token)
        and not token.isdigit()
        and not token.isalpha()
    ):
        return span_of(start, end, "hex")
    if before == "/" and _SHORT_LINK.search(text[max(0, start - 3) : start]) and is_opaque_under_key(token):
        return span_of(start, end, "random_id")
    if not key.words or text[end : end + 1] == "(":
        return None
    if (
        HEX.match(token)
        and len(token) >= 7
        and key.is_fresh
        and (before != "#" or len(token) > 8)
        and not token.isdigit()
    ):
        return span_of(start, end, "hex", session=key.names_session)
    if before == "#" and len(token) in {6, 8} and HEX.match(token):
        return None
    if (
        _CODE.match(token.rpartition("_")[2])
        and key.mark.strip()
        and (key.names_record or (key.names_session and key.is_id))
    ):
        return span_of(start, end, "keyed_id", session=key.names_session)
    if _ISSUE.match(token) and (key.is_case or key.names_record):
        return span_of(start, end, "keyed_id")
    if key.is_case and (("#" in key.mark and _BOOKING.match(token)) or _CAPITALS.match(token)):
        return span_of(start, end, "keyed_id")
    if key.names_place and len(token) >= 8 and HEX.match(token) and not token.isdigit() and not token.isalpha():
        return span_of(start, end, "keyed_id", session=key.names_session)
    if key.is_booking and _BOOKING.match(token):
        return span_of(start, end, "keyed_id")
    if key.is_nonce and key.mark.strip() and len(token) >= 8 and not token.isalpha() and len(set(token)) > 5:
        return span_of(start, end, "hex", session=key.names_session)
    if is_jumble(token) and (
        (key.is_id and (key.names_session or key.names_record))
        or key.is_case
        or (key.is_session and (key.mark.strip() or len(token) > _SHORT))
    ):
        return span_of(start, end, "keyed_id", session=key.names_session)
    if is_drawn_lower(token) and (key.names_session or key.names_record or key.names_thing):
        return span_of(start, end, "keyed_id", session=key.names_session)
    if not is_opaque_under_key(token):
        return None
    if (key.names_session and key.is_id) or (
        key.is_session and (key.mark.strip() or sum(map(str.isdigit, token)) >= 4 or is_opaque(token))
    ):
        return span_of(start, end, "keyed_id", session=True)
    if (
        key.names_record
        or (key.is_case and sum(map(str.isdigit, token)) >= 5)
        or (key.is_drawn and len(token) >= 8 and (key.mark.strip() or key.is_nonce))
        or (key.is_id and len(token) >= 8)
        or (
            key.names_thing
            and len(token) >= 8
            and (is_mixed(token) or (HEX.match(token) and not token.isalpha() and not token.isdigit()))
        )
    ):
        return span_of(start, end, "random_id" if len(token) >= 10 else "keyed_id", session=key.names_session)
    return span_of(start, end, "random_id") if _E2B.match(token) else None


def slug(text: str, start: int, token: str, key: Key) -> Span | None:
    """Lower-case words and numbers joined by hyphens: only parts that are random by themselves count."""
    if is_pinned(text, start, token):
        return None
    if _CLOUD.match(token):
        return span_of(start, start + len(token), "random_id")
    parts = [part for part in re.finditer(r"[^-]+", token[:256]) if shape(part[0])]
    if parts:
        return span_of(
            start + parts[0].start(),
            start + parts[-1].end(),
            shape(parts[0][0]) or "random_id",
            session=key.names_session,
        )
    if address := _HOST.match(token):
        return span_of(start + address.start(1), start + len(token), "ip")
    if (pod := _POD.search(token)) or (pod := _POD_OF_JOB.search(token)):
        return span_of(start + pod.start(1), start + len(token), "random_id")
    if key.is_fresh and key.mark.strip() and len(token) >= 12 and HEX.match(token.replace("-", "")):
        return span_of(start, start + len(token), "hex")
    if key.names_record and _NUMBERS.match(token):
        return span_of(start, start + len(token), "keyed_id")
    if _DATE_INSIDE.search(token):
        return None
    if (key.names_thing or key.is_session) and is_jumble(token.rpartition("-")[2]) and len(token) <= _NAMED_SIZE:
        return span_of(start, start + len(token), "keyed_id", session=key.names_session)
    if (
        key.names_session
        and sum(map(str.isdigit, token)) >= 4
        and (key.is_session or key.is_id)
        and is_opaque_under_key(token.replace("-", ""))
    ):
        return span_of(start, start + len(token), "keyed_id", session=True)
    return None
