"""Numbers: Unix times, IPv4 addresses, counters, ages, and ids that only their key tells."""

# ruff: noqa: SIM905 - a list of words reads best as text

import re

from llm_observer.analysis.breakers.ages import find_age
from llm_observer.analysis.breakers.keys import Key, key_before
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.opaque import is_placeholder_number

__all__ = ["FRACTION", "classify_address", "classify_number", "is_epoch"]

_IPV4 = re.compile(
    r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![0-9A-Za-z_-]|\.[0-9])(?:/(?P<prefix>[12]?[0-9]|3[0-2])(?![0-9]))?"
)
# This host, everybody, masks, and the public resolvers that documents name.
_FIXED_IPV4 = re.compile(
    r"(?:127|0|255)\.|(?:8\.8\.[48]\.[48]|1\.1\.1\.1|1\.0\.0\.1|169\.254\.169\.254|1\.2\.3\.4|9\.9\.9\.9)\Z"
)
_VERSION_BEFORE = re.compile(
    r"(?<![a-z])(?:version|ver\.?|release|section|sect\.?|chapter|§|rev\.?|v|oid|iso|rfc)[\s:\[=]{0,2}\Z", re.IGNORECASE
)
# "4.6.85.25" is a version more often than a host.
_HOST_BEFORE = re.compile(
    r"(?:\bip|ipv4|addr(?:ess)?|host|server|remote|client|peer|from|subnet|gateway|://|\w@)\W{0,4}(?:is\s)?\Z",
    re.IGNORECASE,
)
FRACTION = re.compile(r"[.,][0-9]{1,9}(?![0-9]|\.[0-9])")
# The clock of Hadoop's logs, "081109 203615 143 INFO".
_SHORT_DATE = re.compile(r"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_SHORT_LOG = re.compile(r" [0-2][0-9][0-5][0-9][0-5][0-9](?= )")
_MOCK = re.compile(r"Mock [^>\n]{0,100}\Z")
_NOT_EPOCH = frozenset(
    """
    isbn ean gtin upc phone tel fax call iban imei msisdn mobile hotline barcode serial vat
    """.split()
)
_WORDS = re.compile(r"[a-z]+")
# A group of an IPv6 address, an hour.
_IN_ADDRESS = re.compile(r":[0-9A-Fa-f:]")
# Google Analytics' cookie: GA1.2.<client>.<time>.
_ANALYTICS = re.compile(r"GA1\.[0-9]\.(?P<client>[0-9]{6,10}\.)?\Z")
_SNOWFLAKE = 19
_SNOWFLAKES = frozenset((17, 18, 19))
# A mention of somebody, or a place in a path of such ids.
_IS_SNOWFLAKE = re.compile(r"<(?:@[!&]?|#)\Z|\b(?:[a-z]{2,16}|[0-9]{17,19})/\Z")
# What `id()` gives: "id(self)=140424147513259".
_IDENTITY = re.compile(r"\bid\([\w.]{1,32}\)\W{1,3}\Z")
_IDENTITY_SIZES = frozenset((14, 15))
# "?id=24636" is a page.
_QUERY = frozenset("?&;")
# What a numbered case does: "Order 9688 has shipped".
_HAPPENS = re.compile(
    r"\s(?:has|was|is now|failed|succeeded|finished|started|shipped|completed|passed|timed out|confirmed|cancell?ed)\b"
)
# "Request number 12" counts, "pull request #4821" is known to all.
_NO_KEYS = frozenset((("pull", "request"), ("merge", "request")))
_SMALL = 6
# Four digits that are a year, or that an example has: 1001.
_YEAR = re.compile(r"(?:19|20|0[0-9]|10)[0-9]{2}")
_YEAR_SIZE = 4
_LONGEST_NAMED = 9
# What is told of something that has a number: "created a review 731661 for restaurant 81553".
_TOLD_OF = re.compile(
    r"\b(?:found|created|submitted|inserted|updated|deleted|added|assigned|triggered|removed|synced|scheduled|"
    r"saved|published|approved|cancelled|finished|processing|processed)\b[^.;:=\n]{0,44}"
    r"\b(?:for|to|of|an?|the|new|match|from|row)(?: [a-z]{3,14})? [a-z]{3,14} \Z|"
    r"\b(?:finished|done) [a-z]{3,12}ing [a-z]{3,14} \Z",
    re.IGNORECASE,
)
# The number of a case in the subject of a mail, "[#827609] Your parcel"; "[#12345](https:...)" is an issue.
_SUBJECT = frozenset((5, 6, 7, 8, 9, 10))
_SUBJECT_ENDS = re.compile(r"\](?![(\[:])")
_LONG_OCTET = 3
# FIRST_UID=1000 is a setting.
_RANGED = frozenset(("uid", "gid"))
_BOUNDS = frozenset(("first", "last", "low", "high", "min", "max"))
# What Math.random() and random.random() print, behind "0.".
_RANDOM_DIGITS = 13
_UNKEYED = frozenset(".,$€£¥₹")


def is_epoch(digits: str) -> bool:
    """Seconds, milli-, micro- or nanoseconds since 1970 of a time between 2014 and 2033."""
    return len(digits) in {10, 13, 16, 19} and "14" <= digits[:2] < "20" and not is_placeholder_number(digits)


def classify_number(text: str, start: int, end: int) -> Span | None:
    """What volatile value the digits from `start` to `end` are, counters apart, if any."""
    size = end - start
    before = text[start - 1] if start else "\n"
    if size <= 3:
        age = find_age(text, start, end)
        return span_of(start, age, "age") if age else None
    if before == "." and (visitor := _ANALYTICS.search(text, max(0, start - 32), start)):
        return span_of(start, end, "epoch" if visitor["client"] else "keyed_id")
    if size in _IDENTITY_SIZES and _IDENTITY.search(text, max(0, start - 48), start):
        return span_of(start, end, "mem_addr")
    if size in _SNOWFLAKES and before in "@#&!/" and _IS_SNOWFLAKE.search(text, max(0, start - 48), start):
        return span_of(start, end, "sortable_id")
    if size >= 10 and before not in ".+" and is_epoch(text[start:end]) and not _is_snowflake(text, start, size):
        if not _NOT_EPOCH.isdisjoint(_WORDS.findall(text[max(0, start - 24) : start].lower())):
            return None
        tail = FRACTION.match(text, end)
        return span_of(start, tail.end() if tail else end, "epoch")
    if size >= _RANDOM_DIGITS and text[max(0, start - 2) : start] == "0." and key_before(text, start - 2).is_drawn:
        return span_of(start - 2, end, "random_id")
    if before == "#" and size in _SUBJECT and text[start - 2 : start - 1] == "[" and _SUBJECT_ENDS.match(text, end):
        return span_of(start, end, "keyed_id")
    if before in _UNKEYED or _IN_ADDRESS.match(text, end):
        return None
    if size == 6 and before == "\n" and (clock := _SHORT_LOG.match(text, end)) and _SHORT_DATE.match(text, start):
        return span_of(start, clock.end(), "datetime")
    return _keyed(text, start, end)


def _is_snowflake(text: str, start: int, size: int) -> bool:
    """Whether 19 digits are the id of something, and no nanoseconds: "message 1447566325820043305"."""
    if size != _SNOWFLAKE:
        return False
    key = key_before(text, start)
    return key.names_thing or key.is_id


def classify_address(text: str, start: int) -> Span | None:
    """The IPv4 address that begins at `start`, if it is that of a host."""
    before = text[start - 1] if start else "\n"
    if before in ".+-":
        return None
    address = _IPV4.match(text, start)
    if not address:
        return None
    value = address[0].partition("/")[0]
    if before == "/" and text[start - 2 : start - 1] not in {"/", ""} and not _is_far_from_version(value):
        return None
    if _FIXED_IPV4.match(value) or (address["prefix"] and _is_network(value, int(address["prefix"]))):
        return None
    head = text[max(0, start - 24) : start]
    if _VERSION_BEFORE.search(head) or (
        value[1] == "." and not _HOST_BEFORE.search(head) and not _is_far_from_version(value)
    ):
        return None
    return span_of(start, start + len(value), "ip")


def _is_far_from_version(value: str) -> bool:
    """Whether numbers joined by dots are too large for a version: `master/10.240.216.66`, not `Chrome/120.0.0.0`."""
    octets = value.split(".")
    return "0" not in octets and sum(len(octet) == _LONG_OCTET for octet in octets) > 1


def _is_network(value: str, prefix: int) -> bool:
    """Whether an address with the length of its prefix is that of a network: `10.1.0.0/16`, not `10.1.2.3/16`."""
    bits = 0
    for octet in value.split("."):
        bits = bits << 8 | int(octet)
    return bits & ((1 << (32 - prefix)) - 1) == 0


def _names(key: Key) -> bool:
    """Whether a key names the record or person that four digits are the id of."""
    return key.names_session or (key.names_record and key.mark.strip() != "")


def _keyed(text: str, start: int, end: int) -> Span | None:
    key = key_before(text, start)
    digits = text[start:end]
    size = len(digits)
    if not key.words or is_placeholder_number(digits) or key.words[-2:] in _NO_KEYS:
        return None
    if size < _SMALL and key.words[-2:] == ("request", "number"):
        return None
    if key.is_nonce and size >= 6 and key.mark.strip():
        return span_of(start, end, "hex")
    if key.words[-1] == "seed" and size >= _SMALL and not digits.endswith("000"):
        return span_of(start, end, "random_id")
    if key.names_code and 4 <= size <= 8:
        return span_of(start, end, "random_id")
    if size < 5:
        if size == _YEAR_SIZE and not _YEAR.fullmatch(digits) and key.is_id and _names(key):
            return span_of(start, end, "keyed_id", session=key.names_session)
        if size == 4 and key.is_case and _HAPPENS.match(text, end):
            return span_of(start, end, "keyed_id")
        return (
            span_of(start, end, "keyed_id", session=True)
            if key.names_session and (key.words[-1] == "number" or (key.words[-1] == "id" and key.mark.strip()))
            else None
        )
    if key.words[-1] in _RANGED and not _BOUNDS.isdisjoint(key.words[-2:-1]):
        return None
    if key.is_session or (key.names_session and key.is_id):
        return span_of(start, end, "keyed_id", session=True)
    if (
        key.names_record
        or (key.is_case and (size >= 6 or (key.words[-2:-1] != ("executive",) and key.words[-1] != "build")))
        or (key.names_thing and 17 <= size <= 19)
    ):
        return span_of(start, end, "keyed_id")
    if size >= 9 and key.names_place:
        return span_of(start, end, "keyed_id")
    if size >= 9 and _MOCK.search(text[max(0, start - 120) : start]):
        return span_of(start, end, "mem_addr")
    if (
        key.words == ("id",)
        and any(char in "=:" for char in key.mark)
        and not digits.endswith("000")
        and text[max(0, start - 4) : start - 3] not in _QUERY
    ):
        return span_of(start, end, "keyed_id")
    if key.names_other and not digits.endswith("000"):
        return span_of(start, end, "keyed_id")
    if (
        size <= _LONGEST_NAMED
        and key.mark == " "
        and not digits.endswith("00")
        and _TOLD_OF.search(text, max(0, start - 72), start)
    ):
        return span_of(start, end, "keyed_id")
    if key.is_id and size >= 9 and (size >= 15 or key.words[-1] == "id"):
        return span_of(start, end, "keyed_id")
    return None
