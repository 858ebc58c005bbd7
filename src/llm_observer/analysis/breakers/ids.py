"""Runs of letters and digits: UUIDs, sortable and random ids, hashes, signed tokens, memory addresses."""

# ruff: noqa: E501 - one line of a pattern is one alternative

import re
from itertools import islice

from llm_observer.analysis.breakers.digits import Digits
from llm_observer.analysis.breakers.encoded import classify_base64, is_piece, whole_base64
from llm_observer.analysis.breakers.id_shapes import HEX, ULID, is_opaque_behind_prefix
from llm_observer.analysis.breakers.keyed_ids import by_key, by_shape, slug
from llm_observer.analysis.breakers.keys import key_before
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.look_alikes import EXAMPLE_BEFORE, is_class_or_advisory, is_pinned
from llm_observer.analysis.breakers.memo import effort
from llm_observer.analysis.breakers.numbers import FRACTION, is_epoch
from llm_observer.analysis.breakers.opaque import NANOID, is_mixed_letters, is_nanoid, wordlike

__all__ = ["classify", "find_letter_ids"]

_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f])")
# W3C traceparent, B3, X-Ray, Cloudflare Ray: ids of a request by their form alone.
_REQUEST = re.compile(
    r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z|[0-9a-f]{32}-[0-9a-f]{16}(?:-[01d](?:-[0-9a-f]{16})?)?\Z|"
    r"[0-9a-f]{16}-[0-9a-f]{16}-[01]\Z|1-[0-9a-f]{8}-[0-9a-f]{24}\Z|[0-9a-f]{16}-[A-Z]{3}\Z"
)
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){0,3}")
_ADDRESS = re.compile(r"0x0{0,8}[0-9a-fA-F]{6,16}\Z")
_POINTER_BEFORE = re.compile(
    r"(?:(?:\bat|@|\bptr|\bpointer|\baddr(?:ess)?|\bid|\b[er]?[ps]c|\b[er]?[is]p|\blr)[ =:(]{0,2}|<)\Z"
)
# A constant of a program: "h = 0xcbf29ce484222325;", "return 0x9e3779b97f4a7c15".
_CONSTANT = re.compile(r"(?:[=,+*^&|<>] ?|\w\(|return )\Z")
_ENDS_CONSTANT = frozenset(";,uUlL&|^")
_EPOCH_INSIDE = re.compile(r"(?:^|[_-])([0-9]{10}|[0-9]{13}|[0-9]{16})(?:Z|[mun]?s)?(?=[_-]|\Z)")
_TIME_INSIDE = re.compile(r"(?:^|[_-])(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[T_-]?[0-9]{4}")
# What makes the name of a run unique behind its time: 20260811_120755_7f415ce6.
_RUN_OF = re.compile(r"[0-9]{0,2}(?:[_-]?[0-9]{3,6})?[_-](?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{4,16}")
_SHORTEST_TIME = 10
# A hardware address as Windows writes it.
_MAC = re.compile(r"(?!00-11-22|01-23-45|([0-9A-F]{2})(?:-\1){4})(?=[0-9-]*[A-F])[0-9A-F]{2}(?:-[0-9A-F]{2}){5}\Z")
_MAC_SIZE = 17
# What Docker puts behind the number of a task: web.1.ulizvegh82b42249efa5soyqj.
_SWARM = 25
# Letters that a number has not: 1.35e20.
_FEW = 5
_SHORTEST_DIGEST = 12
# A day in a name: web_search_20250305.
_DAY_INSIDE = re.compile(r"[a-z]_(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])\Z")
_DATE = re.compile(r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?:T[0-9]{2,6}Z?)?\Z")
_SESSION_PREFIXES = "req|ses|sess|session|conv|conversation|thread|trace|span|user|usr|guest|anon|client|cust|cus|customer|uid|rid|sid|visitor|chat"
# Prefixes that a program puts before an id.
_PREFIX = re.compile(
    rf"(?:(?P<session>{_SESSION_PREFIXES})|srvtoolu|(?:toolu|msg)(?:_bdrk|_vrtx)?|tooluse|call|chatcmpl(?:-tool)?|cmpl|resp|run|asst|file|fc|rs|ws|fs|"
    r"ci|mcp|mcpl|gen|step|item|batch|ftjob|vs|vsfc|evt|event|pi|pay|card|ch|in|sub|src|seti|cs|acct|pm|price|prod|org|proj|task|job|agent|node|wf|exec|inv|inst|instance|room|conn|peer|"
    r"ord|order|txn|tx|device|upload|img|image|doc|chunk|cid|id|pod|worker|container|sbx|sandbox|snap|build|deploy|dpl|lock|tmp|hash|key|ref|mem|memory|art|artifact)[_-]",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(r"-*(?:WebKit)?(?:Form)?Boundary(?=[A-Za-z0-9]{12})", re.IGNORECASE)
# A name as C++ compilers write it.
_MANGLED = re.compile(r"_{1,2}Z(?:[NKSTL]|[0-9])")
# A chat completion's id that happens to have no digit: about one in two hundred.
_LETTER_ID = re.compile(
    r"cmpl-(?:(?<![A-Za-z0-9_-].....)|(?<=chat.....))(?=[a-z]*[A-Z])(?=[A-Z]*[a-z])[A-Za-z]{16,64}(?![A-Za-z0-9_-])"
)
_MIXED_LETTERS = re.compile(r"(?=[a-z]*[A-Z])(?=[A-Z]*[a-z])[A-Za-z]{16,64}\Z")
# Other providers' prefixes, behind which letters alone are an id.
_PROVIDERS = frozenset(("msg", "toolu", "call", "resp", "req", "run", "thread"))
_MESSAGE_HEADS = ("essage-I", "n-Reply-To: <", "eferences: <")
# The head of a mail that names a message, before its host.
_MESSAGE_ID = re.compile(
    r"(?:Message-I[Dd]|In-Reply-To|References|Content-I[Dd])[\"']?:\s{0,2}[\"']?<?(?=[^\s<>@]{0,120}[0-9])(?P<value>[^\s<>@\"']{10,120}+)(?=@)"
)
# Values of small letters behind a key that ends in "id"; sought in bytes of small letters, at the speed of memory.
_UNDER_ID = re.compile(rb"id[\"'`*]{0,2}\s?[:=]\s?[\"'`]?(?P<value>[a-z]{8,40})(?![a-z0-9_.(\[/-])")
# "valid: x" is none.
_NAMES_ID = (("_id", " id"), ("Id", "ID"))
# How like words such letters may be; random ones are 0.41 on average.
_WORDLESS = 0.45
_ESCAPED = re.compile(r"[0-9A-F]{2}")
_BASE64_MARKS = frozenset("+/=")


def find_letter_ids(text: str, digits: Digits) -> list[Span]:
    """Ids that need no digit: small letters under a key, letters behind `cmpl-`, and what mails name a message by."""
    found = _letters_under_ids(text) + _letters_alone(text, digits)
    if "@" in text and any(name in text for name in _MESSAGE_HEADS):
        found += [span_of(*match.span("value"), "random_id") for match in _MESSAGE_ID.finditer(text)]
    if "cmpl-" in text:
        found += [
            span_of(match.start() - 4 * text.endswith("chat", 0, match.start()), match.end(), "random_id")
            for match in _LETTER_ID.finditer(text)
        ]
    return found


def _letters_alone(text: str, digits: Digits) -> list[Span]:
    """Ids of nanoid's length that happen to have no digit: one in thirty-six of them."""
    return [
        span_of(start, end, "random_id", session=key_before(text, start).names_session)
        for start in islice(digits.letter_runs(NANOID), effort(text))
        if is_nanoid(text[start : (end := start + NANOID)]) and not is_piece(text, start, end)
    ]


def _letters_under_ids(text: str) -> list[Span]:
    """Small letters that make no word, under a key that says id: `deviceId: epazwuupfjxqga`."""
    found: list[Span] = []
    left = effort(text)
    for match in _UNDER_ID.finditer(text.encode("ascii", "replace").lower()):
        at, (start, end) = match.start(), match.span("value")
        if text[max(0, at - 1) : at + 2] not in _NAMES_ID[0] and text[at : at + 2] not in _NAMES_ID[1]:
            continue
        if not left:
            break
        left -= 1
        value = text[start:end]
        wordless = wordlike(value) <= _WORDLESS if value.islower() else is_mixed_letters(value)
        if wordless and (key := key_before(text, start)).is_id:
            session = key.names_session
            if session or key.names_record or key.words == ("id",) or (key.names_other and not value.islower()):
                found.append(span_of(start, end, "keyed_id", session=session))
    return found


def classify(text: str, start: int, end: int) -> Span | None:
    """What volatile value the run from `start` to `end` is, if any; it holds six characters or more."""
    before = text[start - 1] if start else " "
    if before == "\\" and text[start] in "nrt" and end - start > 6:
        start += 1
        before = " "
    token = text[start:end]
    if token.startswith("eyJ") and (jwt := _JWT.match(text, start)):
        return span_of(start, jwt.end(), "jwt")
    if len(token) >= 36 and (uuid := _UUID.search(token)):
        return _uuid(text, start, end, uuid)
    if len(token) == _MAC_SIZE and _MAC.match(token) and not EXAMPLE_BEFORE.search(text, max(0, start - 12), start):
        return span_of(start, end, "keyed_id", session=True)
    if before == "\\" or (token[0] == "_" and _MANGLED.match(token)):
        return None
    if before in "+/" or text[end : end + 1] in _BASE64_MARKS:
        whole = whole_base64(text, start, end)
        if whole:
            return classify_base64(text, *whole)
    if before == "%" and _ESCAPED.match(token):
        return classify(text, start + 2, end) if end - start >= 14 else None
    if before in ".+%" and (
        before != "."
        or (
            text[start - 2 : start - 1].isdigit()
            and (
                end - start < 20 or (token.islower() and (end - start != _SWARM or sum(map(str.isalpha, token)) < _FEW))
            )
        )
    ):
        return None
    if token.startswith("0x"):
        return _address(text, start, end)
    if "-" in token and is_class_or_advisory(token):
        return None
    return _timed(text, start, end, token) if end - start >= _SHORTEST_TIME else _id(text, start, token)


def _timed(text: str, start: int, end: int, token: str) -> Span | None:
    """What a run is that is long enough to have a time in it."""
    if token[0] in "12" and _DATE.match(token):
        return None
    if len(token) >= 20 and _REQUEST.match(token):
        return span_of(start, end, "keyed_id", session=True)
    if (time := _TIME_INSIDE.search(token)) or _DAY_INSIDE.search(token):
        return span_of(start, end, "random_id") if time and _RUN_OF.fullmatch(token, time.end()) else None
    if (epoch := _EPOCH_INSIDE.search(token)) and is_epoch(epoch[1]):
        tail = FRACTION.match(text, end) if epoch.end(1) == len(token) else None
        return span_of(start + epoch.start(1), tail.end() if tail else end, "epoch")
    if boundary := _BOUNDARY.match(token):
        return span_of(start + boundary.end(), end, "random_id")
    return _id(text, start, token)


def _uuid(text: str, start: int, end: int, uuid: re.Match[str]) -> Span | None:
    if len(set(uuid[0])) <= 3 or uuid[0].startswith("12345678-1234"):
        return None
    prefix = _PREFIX.match(text, start, end)
    session = key_before(text, start).names_session or bool(prefix and prefix["session"])
    if prefix:
        return span_of(start, start + uuid.end(), "uuid", session=session)
    return span_of(start + uuid.start(), start + uuid.end(), "uuid", session=session)


def _address(text: str, start: int, end: int) -> Span | None:
    token = text[start:end]
    size = len(token) - 2
    if _ADDRESS.match(token):
        if _POINTER_BEFORE.search(text[max(0, start - 12) : start]) or (
            (9 <= size <= 12 or (size == 16 and token.startswith("0x0000")))
            and token.islower()
            and "123456" not in token
        ):
            return span_of(start, end, "mem_addr")
        if (
            size == 16
            and token.islower()
            and len(set(token)) > 5
            and "123456" not in token
            and not _CONSTANT.search(text[max(0, start - 12) : start])
            and text[end : end + 1] not in _ENDS_CONSTANT
        ):
            return span_of(start, end, "hex")
    elif HEX.match(token[2:]) and (
        size >= 32 or (size >= 8 and ((key := key_before(text, start)).is_nonce or key.is_session))
    ):
        return span_of(start, end, "hex")
    return None


def _id(text: str, start: int, token: str) -> Span | None:
    whole = start + len(token)
    token = token.rstrip("-_")
    end = start + len(token)
    if prefix := _PREFIX.match(token):
        body = token[prefix.end() :]
        if (
            ULID.match(body)
            or is_opaque_behind_prefix(body)
            or (_MIXED_LETTERS.match(body) and token[: prefix.end() - 1] in _PROVIDERS)
        ):
            kind = "sortable_id" if ULID.match(body) else "random_id"
            session = prefix["session"] is not None or key_before(text, start).names_session
            return span_of(start, end, kind, session=session)
    if whole - start == NANOID and is_nanoid(text[start:whole]):
        return (
            None
            if is_piece(text, start, whole)
            else span_of(start, whole, "random_id", session=key_before(text, start).names_session)
        )
    stripped = token.lstrip("-_")
    start += len(token) - len(stripped)
    token = stripped
    key = key_before(text, start)
    if "-" in token and token == token.lower():
        return slug(text, start, token, key)
    span = by_shape(text, start, token, key) or by_key(text, start, token, key)
    return None if span and len(token) >= _SHORTEST_DIGEST and is_pinned(text, start, token) else span
