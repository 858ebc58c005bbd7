"""Values that name a place: temporary paths, network addresses, signed URLs."""

import re
from ipaddress import AddressValueError, IPv6Address

from llm_observer.analysis.breakers.kinds import KINDS, Span
from llm_observer.analysis.breakers.opaque import is_opaque, is_opaque_under_key

__all__ = ["find_addresses", "find_signed_urls", "find_temp_paths"]

_POSIX_TEMP = re.compile(r"(?:/private)?/(?:var/)?tmp/|(?:/private)?/var/folders/")
_WINDOWS_TEMP = re.compile(r"\\[Tt]e?mp\\{1,2}")
_PATH = re.compile(r"[^\s\"'`<>|*?()\[\]{},;:\u2026\u3001\u3002\uff0c]{1,512}")
_SEGMENT = re.compile(r"[^/\\]+")
_NUMBERED = re.compile(r"(?:[A-Za-z][A-Za-z_-]*[-_.])?[0-9]+\Z")
_MKTEMP = re.compile(r"tmp[._-]?[A-Za-z0-9_]{6,12}(?:\.[A-Za-z0-9.]{1,8})?\Z")
_DRIVE = re.compile(r"[A-Za-z]:\\")

_PARAMETER = re.compile(
    r"(?<=[?&])(?:X-(?:Amz|Goog|Oss|Cos|Tos)-(?:Signature|Credential|Date|Security-Token)|Signature|Expires|Policy|sig|se|st|ske|skt|"
    r"(?:access_?|auth_?|session_?|id_?|refresh_?|csrf_?)?token|sas|hmac|hash|nonce|expiry|exp|e|jwt|code|state|ticket|sign|auth_key|verify|_|cb|ts|t)="
    r"([^&\s\"'<>)\]}|\\#]+)",
    re.IGNORECASE,
)

_V6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:][0-9A-Fa-f:.]{3,44}(?:%[0-9A-Za-z]{1,15})?(?![0-9A-Za-z:])")
_LOOPBACK_V6 = re.compile(r"[0:]*1?\Z|ff0|fe80::1\Z|::ffff:(?:0\.0\.0\.0|255\.|127\.)", re.IGNORECASE)


def find_temp_paths(text: str) -> list[Span]:
    """Paths below a temporary directory that have a generated name in them, up to and with that name."""
    found: list[Span] = []
    read = 0
    for match in _POSIX_TEMP.finditer(text):
        if match.start() < read:
            continue
        path = _PATH.match(text, match.start())
        read = path.end() if path else match.end()
        if path and (end := _volatile_end(text, match.end(), path.end())):
            found.append(Span(match.start(), end, "temp_path", "temp_path"))
    read = 0
    for match in _WINDOWS_TEMP.finditer(text):
        if match.start() < read:
            continue
        start = max(0, match.start() - 120)
        drives = list(_DRIVE.finditer(text, start, match.start() + 1))
        path = _PATH.match(text, match.start())
        read = path.end() if path else match.end()
        if path and (end := _volatile_end(text, match.end(), path.end())):
            found.append(Span(drives[-1].start() if drives else match.start(), end, "temp_path", "temp_path"))
    return found


def _volatile_end(text: str, start: int, end: int) -> int | None:
    """The end of the last generated name between `start` and `end`."""
    last = None
    for segment in _SEGMENT.finditer(text, start, end):
        name = segment[0].rstrip(".")
        if _MKTEMP.match(name) or (_NUMBERED.match(name) and not name.isdigit()) or _generated(name):
            last = segment.start() + len(name)
    return last


def _generated(name: str) -> bool:
    stem = name.partition(".")[0] or name
    return any(
        is_opaque(part) or (len(part) >= 8 and is_opaque_under_key(part))
        for part in {stem, re.split(r"[-_.]", stem)[-1]}
    )


def find_signed_urls(text: str) -> list[Span]:
    """Values of URL parameters that sign, date or expire the link."""
    return [
        Span(match.start(1), match.end(1), "volatile_url", "signed_url")
        for match in _PARAMETER.finditer(text)
        if len(match[1]) >= 6 and any(char.isdigit() for char in match[1][:256])
    ]


def find_addresses(text: str) -> list[Span]:
    """IPv6 addresses of hosts; loopback, multicast, unspecified addresses and whole networks are left alone."""
    found: list[Span] = []
    for match in _V6.finditer(text):
        value = match[0].rstrip(".")
        if value.count(":") < 2 or _LOOPBACK_V6.match(value):
            continue
        try:
            IPv6Address(value)
        except AddressValueError:
            continue
        end = match.start() + len(value)
        after = text[end : end + 3]
        if after[:1] == "/" and after[1:2].isdigit():
            continue
        found.append(Span(match.start(), end, KINDS["ip"].category, "ip"))
    return found
