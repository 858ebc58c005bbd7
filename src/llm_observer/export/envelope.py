"""Events to the bytes of a POST, and back into smaller ones when they are too many."""

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from llm_observer.export.events import Event
from llm_observer.export.shape import SCHEMA_VERSION

__all__ = ["MAX_EVENTS", "Item", "batches", "encode", "envelope", "idempotency_key"]

MAX_EVENTS = 1000
"""Most events in one POST."""

_HEAD = f'{{"schema_version":"{SCHEMA_VERSION}","events":['.encode()
_TAIL = b"]}"

Item = tuple[str, bytes]
"""The id of an event, and the event as JSON."""


def encode(event: Event) -> Item:
    """One event as it will stand in the body. Raises `ValueError` for what JSON cannot say."""
    return event["event_id"], json.dumps(event, allow_nan=False, separators=(",", ":")).encode()


def batches(items: Sequence[Item], max_bytes: int) -> Iterator[Sequence[Item]]:
    """`items` in order, in batches whose body has at most `max_bytes`; an event that has more goes alone."""
    start, size = 0, len(_HEAD) + len(_TAIL)
    used = size
    for index, (_, text) in enumerate(items):
        if index > start and (used + len(text) + 1 > max_bytes or index - start >= MAX_EVENTS):
            yield items[start:index]
            start, used = index, size
        used += len(text) + 1
    if start < len(items):
        yield items[start:]


def envelope(batch: Sequence[Item]) -> bytes:
    """The body of one POST, before compression."""
    return _HEAD + b",".join(text for _, text in batch) + _TAIL


def idempotency_key(batch: Sequence[Item]) -> str:
    """The same for the same events in the same order, so that a server can tell a batch that is sent again."""
    return blake2b("".join(event_id for event_id, _ in batch).encode(), digest_size=16).hexdigest()
