"""The kinds of volatile value that are told apart, and what each is called, how sure it makes us and what to do."""

from typing import NamedTuple

__all__ = ["KINDS", "MARKERS", "SESSION", "Kind", "Span", "span_of"]


class Span(NamedTuple):
    """A volatile value: where it is, what the contract calls it, and the finer kind that it was known by."""

    start: int
    end: int
    category: str
    kind: str


class Kind(NamedTuple):
    """What goes with a kind of value.

    Attributes:
        category: The public name, one of the causes of a cache break.
        confidence: 0 to 1: how often such a look is a value that changes.
        hint: What to do about it.
    """

    category: str
    confidence: float
    hint: str


SESSION = "session_id"

_MOVE = "move it behind the stable part, into the last user message"
_DROP = "leave it out of the prompt, or pass it as request metadata"

KINDS: dict[str, Kind] = {
    "datetime": Kind("timestamp", 0.95, f"A date with a time changes on every call: write the date alone, or {_MOVE}."),
    "date": Kind("date", 0.75, f"A date changes once a day, and the first call of each day pays in full: {_MOVE}."),
    "clock": Kind("timestamp", 0.7, f"A clock time changes on every call: {_MOVE}."),
    "age": Kind("timestamp", 0.7, f"An age such as '5 minutes ago' changes while time passes: {_MOVE}."),
    "epoch": Kind("timestamp", 0.9, f"A Unix time changes on every call: {_MOVE}."),
    "uuid": Kind("uuid", 0.9, f"A UUID is new for each run: {_DROP}."),
    "sortable_id": Kind("random_id", 0.9, f"A time-ordered id (ULID, KSUID, ObjectId, ...) is new each time: {_DROP}."),
    "random_id": Kind("random_id", 0.85, f"A generated id is new each time: {_DROP}, or number the items yourself."),
    "keyed_id": Kind("random_id", 0.75, f"An id of one record differs between calls: {_MOVE}."),
    "hex": Kind("nonce", 0.8, f"A hash or nonce differs between runs: {_DROP}."),
    "jwt": Kind("nonce", 0.95, f"A signed token is new for each login and is a secret: {_DROP}."),
    "token": Kind("nonce", 0.85, f"A token is new for each login and may be a secret: {_DROP}."),
    "mem_addr": Kind("nonce", 0.9, "The default repr of an object holds its address: render its fields instead."),
    "counter": Kind("counter", 0.7, f"A counter changes on every call: {_MOVE}."),
    "temp_path": Kind(
        "temp_path", 0.9, "A temporary path is new for each run: give it a fixed name or a relative path."
    ),
    "signed_url": Kind("volatile_url", 0.9, "A signed or expiring URL is new each time: use a stable file id or link."),
    "ip": Kind(SESSION, 0.6, f"An address tells one client or host from another: {_DROP}."),
}

# What stands for a masked value. No pattern has these brackets in it, so a marker is never part of a value.
MARKERS: dict[str, str] = {
    category: f"\N{MATHEMATICAL LEFT ANGLE BRACKET}{category}\N{MATHEMATICAL RIGHT ANGLE BRACKET}"
    for category in sorted({kind.category for kind in KINDS.values()})
}


def span_of(start: int, end: int, kind: str, *, session: bool = False) -> Span:
    """The span of a value of `kind` under its public category; `session`: its key names a session, request or user."""
    return Span(start, end, SESSION if session else KINDS[kind].category, kind)
