"""Ids, hashes, tokens, epochs and addresses: runs of letters, digits, `-` and `_`, told apart by their shape and key."""

import re

from llm_observer.analysis.breakers.counters import find_counter
from llm_observer.analysis.breakers.keys import key_before, names_record, names_session, names_volatile
from llm_observer.analysis.breakers.kinds import KINDS, SESSION, Span
from llm_observer.analysis.breakers.opaque import is_opaque, is_opaque_under_key, is_placeholder_number

__all__ = ["find_tokens"]

# A run with a digit in it, or a long one without. One possessive step per run: no run is read twice.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z_-]*+(?:[0-9][A-Za-z0-9_-]*+|(?<=[A-Za-z_-]{20}))")

_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f])")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
_B3 = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}(?:-[01d](?:-[0-9a-f]{16})?)?\Z|[0-9a-f]{16}-[0-9a-f]{16}-[01]\Z")
_XRAY = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}\Z")
_RAY = re.compile(r"[0-9a-f]{16}-[A-Z]{3}\Z")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z|[0-7][0-9a-hjkmnp-tv-z]{25}\Z")
_KSUID = re.compile(r"[0-3][0-9A-Za-z]{26}\Z")
_OBJECT_ID = re.compile(r"[0-9a-f]{24}\Z")
_CUID = re.compile(r"c[a-z0-9]{24}\Z")
_XID = re.compile(r"[0-9a-v]{20}\Z")
_HEX = re.compile(r"(?:[0-9a-f]+|[0-9A-F]+)\Z")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,16}\Z")
_COMPACT = re.compile(r"(?:^|[_-])(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[T_-]?[0-9]{4}")
_EPOCH_TAIL = re.compile(r"[0-9]{10,19}(?:-[0-9a-z]{1,12})?\Z")
_FRACTION = re.compile(r"\.[0-9]{1,9}(?![0-9.])")
_IPV4 = re.compile(
    r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![0-9A-Za-z_.-]|\.[0-9])"
)
_FIXED_IPV4 = re.compile(r"(?:127|0|255)\.")

# Prefixes that only a program puts before an id.
_PREFIX = re.compile(
    r"(?:srvtoolu|toolu_bdrk|toolu_vrtx|toolu|tooluse|call|chatcmpl-tool|chatcmpl|cmpl|msg_bdrk|msg|resp|req|run|thread|asst|file|fc|rs|ws|fs|ci|mcp|"
    r"gen|ses|sess|session|conv|conversation|trace|span|step|item|batch|ftjob|vs|vsfc|evt|event|cus|pi|ch|in|sub|src|seti|cs|acct|pm|price|prod|"
    r"user|usr|org|proj|task|job|agent|node|wf|exec|inv|ord|order|txn|tx|guest|anon|client|cust|device|upload|img|doc|chunk|run-id|req-id|rid|cid|uid)[_-]",
    re.IGNORECASE,
)
_SESSION_PREFIX = re.compile(
    r"(?:req|ses|sess|session|conv|conversation|thread|trace|span|user|usr|guest|anon|client|cust|cus|uid|rid)[_-]",
    re.IGNORECASE,
)
_WORD_PREFIX = re.compile(r"[a-z]{1,16}(?:_[a-z]{1,10}){0,2}[_-](?=[0-9A-Za-z])")
_SECRET = re.compile(r"(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abp]|AKIA|ASIA|ya29|hf|npm|pypi)[_-]?")
_BOUNDARY = re.compile(r"-*(?:WebKit)?(?:Form)?Boundary(?=[A-Za-z0-9]{12})", re.IGNORECASE)
# A digest that pins a fixed version: sha256:…, @<commit>, /blob/<commit>/, integrity="sha512-…".
_PINNED = re.compile(
    r"(?:sha(?:1|256|384|512)[:=-]|@|/(?:blob|tree|commit|commits|raw|archive|compare|gist|resolve)/|gist\.github\.com/[\w-]+/)\Z"
)

_EPOCH_DIGITS = {10: 1, 13: 1, 16: 1, 19: 1}


def find_tokens(text: str) -> list[Span]:
    """The ids, hashes, epochs, counters and addresses in `text`, in order."""
    found: list[Span] = []
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        span = _number(text, start, end) if text[start:end].isdigit() else _mixed(text, start, end)
        if span:
            found.append(span)
    return found


def _span(start: int, end: int, kind: str, *, session: bool = False) -> Span:
    return Span(start, end, SESSION if session else KINDS[kind].category, kind)


def _is_epoch(digits: str) -> bool:
    """Seconds, milli-, micro- or nanoseconds since 1970 of a time between 2014 and 2035."""
    return len(digits) in _EPOCH_DIGITS and "14" <= digits[:2] <= "20"


def _number(text: str, start: int, end: int) -> Span | None:
    size = end - start
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    if after == "." and size <= 3:
        if before not in ".vV:/" and (address := _IPV4.match(text, start)) and not _FIXED_IPV4.match(text, start):
            after = text[address.end() : address.end() + 1]
            if after != "/" or not text[address.end() + 1 : address.end() + 3].strip("0123456789") == "":
                return _span(start, address.end(), "ip")
            return _span(start, address.end(), "ip") if text[address.end() + 1 : address.end() + 4].isdigit() else None
    elif size >= 10:
        if before in ".+" or (after == "." and size > 10):
            return None
        digits = text[start:end]
        if _is_epoch(digits) and not is_placeholder_number(digits):
            tail = _FRACTION.match(text, end)
            return _span(start, tail.end() if tail else end, "epoch")
    if before in ".,$€£" or after == "%":
        return None
    if size <= 7 and (counter := find_counter(text, start, end)):
        return _span(*counter, "counter")
    if size >= 4:
        return _keyed_number(text, start, end)
    return None


def _keyed_number(text: str, start: int, end: int) -> Span | None:
    digits = text[start:end]
    key = key_before(text, start)
    if not key or is_placeholder_number(digits):
        return None
    if names_session(key) and len(digits) >= 5 and (key[-1] != "request" or len(digits) >= 6):
        return _span(start, end, "keyed_id", session=True)
    if key[-1] == "id" and len(digits) >= 9 and (text[start - 1] in "'\"" or len(digits) >= 15):
        return _span(start, end, "mem_addr" if "mock" in text[max(0, start - 120) : start].lower() else "keyed_id")
    if len(key) > 1 and key[-1] in {"id", "number", "no"} and key[-2] in _RECORDS and len(digits) >= 5:
        return _span(start, end, "keyed_id")
    return None


_RECORDS = frozenset(
    "order ticket job run task event message msg batch transaction booking reservation case execution build".split()
)


def _mixed(text: str, start: int, end: int) -> Span | None:
    token = text[start:end]
    size = end - start
    if size < 6:
        return None
    if size >= 36 and (uuid := _UUID.search(token)):
        return _uuid(text, start, end, uuid)
    if token.startswith("0x"):
        return _address(text, start, end, token)
    if token.startswith("eyJ") and (jwt := _JWT.match(text, start)):
        return _span(start, jwt.end(), "jwt")
    for pattern in (_TRACEPARENT, _B3, _XRAY, _RAY):
        if pattern.match(token):
            return _span(start, end, "hex" if pattern is _RAY else "keyed_id", session=True)
    if _COMPACT.search(token):
        return None
    if _EPOCH_TAIL.match(token) and _is_epoch(token.partition("-")[0]):
        return _span(start, end, "epoch")
    return _id(text, start, end, token)


def _uuid(text: str, start: int, end: int, uuid: re.Match[str]) -> Span | None:
    value = uuid[0]
    if len(set(value)) <= 3:
        return None
    session = names_session(key_before(text, start)) or _SESSION_PREFIX.match(text, start, end) is not None
    if _PREFIX.match(text, start, end) or uuid.end() - uuid.start() == end - start:
        return _span(start, end, "uuid", session=session)
    return _span(start + uuid.start(), start + uuid.end(), "uuid", session=session)


def _address(text: str, start: int, end: int, token: str) -> Span | None:
    if _ADDRESS.match(token) and (
        text[max(0, start - 4) : start] == " at " or (len(token) >= 11 and token == token.lower())
    ):
        return _span(start, end, "mem_addr")
    if len(token) >= 34 and _HEX.match(token[2:]):
        return _span(start, end, "hex")
    return None


def _id(text: str, start: int, end: int, token: str) -> Span | None:
    if boundary := _BOUNDARY.match(token):
        return _span(start + boundary.end(), end, "random_id")
    token = token.rstrip("-_")
    end = start + len(token)
    prefix = _PREFIX.match(token)
    if prefix:
        body = token[prefix.end() :]
        if _ULID.match(body.lower()) or is_opaque_under_key(body) and (len(body) >= 8 or not body.isdigit()):
            if body.isdigit() and len(body) < 6:
                return None
            kind = "sortable_id" if _ULID.match(body) else "random_id"
            return _span(
                start, end, kind, session=names_session(key_before(text, start)) or bool(_SESSION_PREFIX.match(token))
            )
    bare = token.lstrip("-_")
    start = end - len(bare)
    if "-" in bare and not any(char.isupper() for char in bare):
        return _slug(text, start, bare)
    kind = _shape(bare)
    if kind == "hex":
        if _PINNED.search(text[max(0, start - 40) : start]):
            return None
        return _span(start, end, kind, session=names_session(key_before(text, start)))
    if kind:
        return _span(start, end, kind, session=names_session(key_before(text, start)))
    if words := _WORD_PREFIX.match(bare):
        rest = bare[words.end() :]
        kind = _shape(rest)
        if kind:
            return _span(
                start, end, "random_id" if kind == "hex" else kind, session=names_session(key_before(text, start))
            )
    if len(bare) > 40 and is_opaque(bare):
        return _span(start, end, "token")
    key = key_before(text, start)
    if not key:
        return None
    if names_volatile(key) and _HEX.match(bare) and len(bare) >= 7 and not bare.isdigit():
        return _span(start, end, "hex", session=names_session(key))
    if (names_session(key) or (key[-1] in {"id", "nonce", "token", "link", "r"})) and is_opaque_under_key(bare):
        return _span(start, end, "keyed_id", session=names_session(key))
    return None


def _slug(text: str, start: int, token: str) -> Span | None:
    """Lower-case words and numbers joined by hyphens: only a part that is random by itself counts."""
    for part in re.finditer(r"[^-]+", token[:256]):
        kind = _shape(part[0])
        if kind and not _PINNED.search(text[max(0, start - 40) : start]):
            return _span(start + part.start(), start + part.end(), kind, session=names_session(key_before(text, start)))
    return None


def _shape(token: str) -> str | None:
    """The kind that the look of a bare token gives it, `None` for no look of its own."""
    size = len(token)
    if size < 10:
        return None
    if size == 26 and _ULID.match(token) and not token.isdigit():
        return "sortable_id"
    if not is_opaque(token):
        return None
    if (
        (size == 24 and _OBJECT_ID.match(token))
        or (size == 27 and _KSUID.match(token))
        or (size == 25 and _CUID.match(token))
    ):
        return "sortable_id"
    if _HEX.match(token):
        return "hex"
    if size == 20 and _XID.match(token):
        return "sortable_id"
    return "random_id"
