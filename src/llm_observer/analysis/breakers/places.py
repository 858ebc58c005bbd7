"""Values that name a place: temporary paths, IPv6 addresses, signed URLs."""

# ruff: noqa: RUF001, S108 - paths and marks are what is looked for

import re
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import islice

from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.look_alikes import EXAMPLE_BEFORE
from llm_observer.analysis.breakers.memo import Memo, effort
from llm_observer.analysis.breakers.opaque import is_jumble, is_opaque, is_opaque_under_key, may_be_drawn, wordlike

__all__ = ["find_addresses", "find_signed_urls", "find_temp_paths", "is_generated"]

# Each begins with a literal, which is searched for at the speed of memory.
_TEMP_DIRECTORIES = (
    re.compile(r"/tmp/"),
    re.compile(r"/var/folders/"),
    re.compile(r"/dev/shm/"),
    re.compile(r"\\Te?mp\\{1,2}"),
    re.compile(r"/Temp/"),
)
_TEMP_NAMES = ("/tmp/", "/var/folders/", "/dev/shm/", "\\Temp\\", "\\Tmp\\", "/Temp/")
_POSIX_ROOT = re.compile(r"(?:/private|/var|/usr)(?:/var)?\Z")
_DRIVE = re.compile(r"(?<![A-Za-z])[A-Za-z]:[\\/](?:[^\\/\n\"'<>|*?]{1,64}[\\/]{1,2}){0,8}[^\\/\n\"'<>|*?]{0,64}\\?\Z")
_PATH = re.compile(r"[^\s\"'`<>|*?()\[\]{},;:…、。，]{1,512}+")
_NAME = re.compile(r"[^/\\]+")
_NUMBERED = re.compile(r"[A-Za-z][A-Za-z_-]{1,40}[-_.]?[0-9]+\Z")
_MKTEMP = re.compile(r"tmp[._-]?[A-Za-z0-9_]{6,12}(?:\.[A-Za-z0-9.]{1,8})?\Z")
# What mktemp draws; "Final2" is a word.
_SIX = re.compile(r"(?![A-Za-z]?[a-z]*[0-9]*\Z|[A-Z]*[0-9]*\Z)(?=[a-z0-9]*[A-Z]|[A-Z0-9]*[a-z])[A-Za-z0-9]{6}\Z")
_SUFFIX = re.compile(r"[-_.]")

_PARAMETER = re.compile(
    r"[?&](?i:(?P<strong>X-(?:Amz|Goog|Oss|Cos|Tos)-(?:Signature|Credential|Date|Security-Token)|Signature|Expires|Policy|sig|se|st|ske|skt|"
    r"hmac|sas|auth_key|(?:access_?|auth_?|session_?|id_?|refresh_?|csrf_?)?token|X-Amz-Expires)|"
    r"code|state|nonce|ticket|sign|hash|expiry|exp|jwt|verify|cb|ts|rand|md5|secure|hdnea|auth)=(?P<value>[^&\s\"'<>)\]}|\\#]+)"
)

_COLONS = re.compile(r":(?::|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:)")
_V6_REACH, _V6_AHEAD = 40, 96
_V6_BEFORE = re.compile(r"[0-9A-Fa-f:]{1,40}")
_V6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:][0-9A-Fa-f:.]{2,44}(?:%[0-9A-Za-z]{1,15})?(?![0-9A-Za-z:])")
_FIXED_V6 = re.compile(r"[0:]*1?\Z|ff0|fe80::1\Z|::ffff:(?:0\.0\.0\.0|255\.|127\.)", re.IGNORECASE)
# A hardware address; the digits of six numbers have a letter among them.
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\Z")
_FIXED_MAC = re.compile(
    r"([0-9a-f]{2})(?::\1){4}|01:00:5e|33:33:|00:11:22|[0-9a-f]{2}:1a:2b|01:23:45|aa:bb:cc|de:ad:be|12:34:56",
    re.IGNORECASE,
)
_V4_TAIL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")
# Ends in zeros, or is one that documents use.
_MAY_BE_NETWORK = re.compile(r":0?\Z|\A2001:0?db8:", re.IGNORECASE)
_PREFIX_LENGTH = re.compile(r"/(?:[0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])(?![0-9])")


def is_generated(name: str) -> bool:
    """Whether the name of a file or directory has a generated part."""
    if _MKTEMP.match(name) or _NUMBERED.match(name):
        return True
    stem = name.partition(".")[0] or name
    parts = {stem, *_SUFFIX.split(stem)[1:], *name.split(".")[1:]}
    return any(
        is_opaque(part)
        or (len(part) >= 6 and is_opaque_under_key(part))
        or is_jumble(part)
        or _SIX.match(part)
        or (not part.isupper() and may_be_drawn(part) and (not part.islower() or wordlike(part) < 0.5))
        for part in parts
    )


def find_temp_paths(text: str, generated: Callable[[str], bool] = is_generated) -> list[Span]:
    """Paths below a temporary directory that have a generated name in them, up to and with that name."""
    found: list[Span] = []
    if not any(name in text for name in _TEMP_NAMES):
        return found
    remembered = lru_cache(maxsize=256)(generated)
    for directory in _TEMP_DIRECTORIES:
        read = 0
        for match in islice(directory.finditer(text), effort(text)):
            path = _PATH.match(text, match.start()) if match.start() >= read else None
            if not path:
                continue
            read = path.end()
            if end := _generated_end(text, match.end(), read, remembered):
                head = text[max(0, match.start() - 160) : match.start()]
                root = _DRIVE.search(head) if "\\" in match[0] or "T" in match[0] else _POSIX_ROOT.search(head)
                found.append(span_of(match.start() - (len(head) - root.start() if root else 0), end, "temp_path"))
    return found


def _generated_end(text: str, start: int, end: int, generated: Callable[[str], bool]) -> int | None:
    """The end of the last generated name between `start` and `end`."""
    last = None
    for match in _NAME.finditer(text, start, end):
        name = match[0].rstrip(".")
        if generated(name):
            last = match.start() + len(name)
    return last


def find_signed_urls(text: str) -> list[Span]:
    """Values of URL parameters that sign, date or expire a link."""
    found: list[Span] = []
    if "=" not in text or ("?" not in text and "&" not in text):
        return found
    parameters = [*islice(_PARAMETER.finditer(text), effort(text))]
    if not parameters:
        return found
    is_random = lru_cache(maxsize=256)(is_opaque_under_key)
    for match in parameters:
        value = match["value"]
        sample = value[:128]
        if match["strong"]:
            volatile = len(value) >= 6 and any(map(str.isdigit, sample)) and not sample.startswith(("$", "%7B"))
        else:
            volatile = len(value) >= 10 and not value.isdigit() and (is_random(sample) or _is_mixed(sample))
        if volatile:
            found.append(span_of(match.start("value"), match.end("value"), "signed_url"))
    return found


def _is_mixed(value: str) -> bool:
    """Whether a value is made of letters in both cases that make no word: `IaBBSjGRvo`."""
    return value.isalpha() and not value.islower() and not value[1:].islower() and may_be_drawn(value)


def find_addresses(text: str) -> list[Span]:
    """IPv6 addresses of hosts; loopback, multicast and unspecified addresses and whole networks are left alone."""
    found: list[Span] = []
    memo = Memo(effort(text))
    read = 0
    for match in _COLONS.finditer(text):
        start, end = match.span()
        if start < read:
            continue
        if memo.is_spent(start):
            break
        lead = min(start, _V6_REACH)
        key = (lead, end - start, text[start - lead : end + _V6_AHEAD])
        if span := memo.ask(key, start, partial(_address, text, start)):
            found.append(span)
            read = span.end
    return found


def _address(text: str, start: int) -> Span | None:
    """The address that the colons at `start` are part of."""
    back = _V6_BEFORE.match(text[max(0, start - _V6_REACH) : start][::-1])
    address = _V6.match(text, start - (back.end() if back else 0))
    if not address:
        return None
    value = address[0].rstrip(".")
    end = address.start() + len(value)
    if _MAC.match(value):
        if (
            _FIXED_MAC.match(value)
            or not (value.islower() or value.isupper())
            or EXAMPLE_BEFORE.search(text, max(0, address.start() - 12), address.start())
        ):
            return None
        return span_of(address.start(), end, "keyed_id", session=True)
    if _FIXED_V6.match(value) or not _is_v6(value):
        return None
    if _MAY_BE_NETWORK.search(value.partition("%")[0]) and _PREFIX_LENGTH.match(text, end):
        return None
    return span_of(address.start(), end, "ip")


def _is_v6(value: str) -> bool:
    """Whether `value` is an IPv6 address (RFC 4291, 2.2), and not a slice such as `1::2`."""
    if len(value) - value.count(":") - value.count(".") < 5:
        return False
    groups = value.partition("%")[0].split(":")
    size = len(groups)
    if "." in groups[-1]:
        if not _V4_TAIL.match(groups[-1]):
            return False
        groups[-1] = "0"
        size += 1
    gap = value.find("::")
    if max(map(len, groups)) > 4 or (gap >= 0 and "::" in value[gap + 1 :]):
        return False
    if gap < 0:
        return size == 8 and all(groups)
    edges = value.startswith("::") + value.endswith("::")
    return size - edges <= 8 and not (value[0] == ":" != value[1]) and not (value[-1] == ":" != value[-2])
