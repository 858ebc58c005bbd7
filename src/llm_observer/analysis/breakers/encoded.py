"""Base64: short noise is an id or a nonce; images, encoded text and digests that pin a version are content."""

import re
from base64 import urlsafe_b64decode

from llm_observer.analysis.breakers.keys import key_before
from llm_observer.analysis.breakers.kinds import Span, span_of
from llm_observer.analysis.breakers.opaque import wordlike

__all__ = ["PINNED", "classify_base64", "is_piece", "whole_base64"]

_BASE64 = re.compile(r"[A-Za-z0-9+/]*+")
_BEFORE = 128
_LONGEST_BASE64 = 4096
_LONG_BASE64 = 100
_SEALED = frozenset(("encrypted", "ciphertext", "token", "cursor"))
# A line of base64 above or below, as in a certificate: what is between is a piece of content.
_LINE_AFTER = re.compile(r"(?:\r?\n|\\n)[ \t]{0,12}[A-Za-z0-9+/]{40}")
_LINE_BEFORE = re.compile(r"[A-Za-z0-9+/]{40}(?:\r?\n|\\n)[ \t]{0,12}\Z")
# The first bytes of keys for SSH and of public keys in PEM, which say of what kind they are.
_PUBLIC_KEY = ("AAAAB3Nza", "AAAAC3Nza", "AAAAE2Vj", "MIIBIjANBgkq", "MIICIjANBgkq", "MFkwEwYHKoZI")
_PADDING = re.compile(r"={0,2}(?![A-Za-z0-9+/=])")
# A digest that pins a fixed version: integrity="sha512-…", image@sha256:…, uses: action@<commit>, /blob/<commit>/, or
# names a migration: revision = "…".
PINNED = re.compile(
    r"(?:\b(?:down_)?revision(?:: [^=\n]{1,24})? = [\"']|Revis(?:es|ion ID): |@(?:sha(?:1|256|384|512):)?|\.tgz#|"
    r",sha(?:256|384|512)=-?|sha(?:1|256|384|512)-|--hash=sha256:|\bh1:|;base64,|"
    r"/(?:blob|tree|commit|commits|raw|archive|compare|gist|resolve|assets)/|"
    r"gist\.github(?:usercontent)?\.com/[\w-]{1,40}/|[?&]ref=|"
    r"raw\.githubusercontent\.com/[\w.-]{1,40}/[\w.-]{1,60}/|\bhash\W{1,5}sha(?:256|512):)\Z"
)


def whole_base64(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The base64 that a run is a piece of, as far as it can be seen; `None` if it stands alone.

    A slash alone makes a path: there must be a plus or padding, and groups of four.
    """
    before = _BASE64.match(text[max(0, start - _BEFORE) : start][::-1])
    start -= before.end() if before else 0
    if before and before.end() == _BEFORE and "+" in text[start:end]:
        return start, end
    after = _BASE64.match(text, end, end + _LONGEST_BASE64)
    end = after.end() if after else end
    padding = _PADDING.match(text, end)
    size = (padding.end() if padding else end) - start
    if start >= 7 and text.startswith("base64,", start - 7):
        return start, start + size
    if size < 12 or not ((padding and padding[0]) or "+" in text[start:end]):
        return None
    return (start, start + size) if size >= _LONGEST_BASE64 or (padding and size % 4 == 0) else None


def is_piece(text: str, start: int, end: int) -> bool:
    """Whether a run is a piece of long base64, perhaps broken into lines, or a public key."""
    if text.startswith(_PUBLIC_KEY, start):
        return True
    before, after = _BASE64.match(text[max(0, start - _BEFORE) : start][::-1]), _BASE64.match(text, end, end + _BEFORE)
    size = end - start
    start -= before.end() if before else 0
    end = after.end() if after else end
    if size < end - start >= _LONG_BASE64:
        return True
    return _LINE_AFTER.match(text, end) is not None or _LINE_BEFORE.search(text[max(0, start - 56) : start]) is not None


def classify_base64(text: str, start: int, end: int) -> Span | None:
    """What base64 is: an id or nonce is short and decodes to noise; images, digests that pin and encoded text stay."""
    key = key_before(text, start)
    drawn = key.is_drawn or not _SEALED.isdisjoint(key.words)
    token = text[start : min(end, start + _BEFORE)]
    if (
        end - start < 16
        or (end - start > 100 and not drawn)
        or PINNED.search(text[max(0, start - 48) : start])
        or not any(map(str.isdigit, token))
        or token.islower()
        or token.isupper()
        or _is_text(token)
        or wordlike(token) > 0.75
        or is_piece(text, start, end)
    ):
        return None
    return span_of(start, end, "token" if drawn else "random_id", session=key.names_session)


def _is_text(token: str) -> bool:
    """Whether base64 encodes text that can be read."""
    body = token.rstrip("=")
    content = urlsafe_b64decode(body[: len(body) // 4 * 4])
    return sum(0x20 <= byte < 0x7F for byte in content) > 0.8 * len(content)
