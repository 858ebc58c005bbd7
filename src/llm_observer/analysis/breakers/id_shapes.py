"""What the look of a run of letters and digits says of it, whatever stands around it."""

import re

from llm_observer.analysis.breakers.opaque import is_jumbled, is_opaque, is_opaque_under_key

__all__ = ["HEX", "ULID", "is_opaque_behind_prefix", "shape"]

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z|[0-7][0-9a-hjkmnp-tv-z]{25}\Z")
# KSUID, ObjectId, cuid, xid.
_SORTABLE = re.compile(r"[0-3][0-9A-Za-z]{26}\Z|[0-9a-f]{24}\Z|c[a-z0-9]{24}\Z|[0-9a-v]{20}\Z")
HEX = re.compile(r"(?:[0-9a-f]+|[0-9A-F]+)\Z")
_CLOUD_KEY = re.compile(r"A(?:KI|SI|RO|ID)A(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}\Z")
# Slack's users, channels and teams.
_CAPITALS = frozenset("ACDGTUW")
_SLACK = re.compile(r"[CDGTUW]0[A-Z0-9]{8,9}\Z")


def is_opaque_behind_prefix(body: str) -> bool:
    """Whether what follows `call_`, `msg-` and the like is generated, and no name or small number."""
    if len(body) < 6 or ("-" in body and body == body.lower()):
        return False
    if body.isdigit():
        return is_opaque_under_key(body)
    mixed = not body.islower() and not body.isupper() and any(map(str.isdigit, body))
    return (mixed and (len(body) >= 16 or is_jumbled(body))) or (len(body) >= 8 and is_opaque_under_key(body))


def shape(token: str) -> str | None:
    """The kind that the look of a token gives it, `None` for no look of its own."""
    if len(token) == 26 and ULID.match(token) and not token.isdigit():
        return "sortable_id"
    if token[0] in _CAPITALS:
        if _SLACK.match(token):
            return "random_id"
        if _CLOUD_KEY.match(token):
            return "token"
    if not is_opaque(token):
        return None
    if len(token) in {20, 24, 25, 27} and _SORTABLE.match(token):
        return "sortable_id"
    return "hex" if HEX.match(token) else "random_id"
