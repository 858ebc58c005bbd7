"""What one process tells the others of its host about a call: keyed hashes and sizes, as text for the local store.

Only processes with the same hash key can use it; to all others it is noise. The sketches of lines are left out: their
checksums are good enough for memory, and not for a file.
"""

import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

from llm_observer.analysis.breakers import Span
from llm_observer.analysis.fingerprint import Fingerprint, Value
from llm_observer.analysis.index import Trace
from llm_observer.privacy import DIGEST_BYTES

__all__ = ["MOST_SHARED", "Shared", "as_text", "from_text"]

MOST_SHARED = 400
"""Segments of the longest prompt that is shared."""

_FORMAT = 1
_SHORT = 8


class Shared(NamedTuple):
    """A call as other processes remember it.

    Attributes:
        trace: Its trace.
        family: Its family.
        landmarks: What it is found by.
        lifetimes: Seconds that each prefix in the cache lives, by position; `None` when not known.
        least_read: The read that was reported, 0 for none.
        prints: Fingerprints that were not told before.
    """

    trace: Trace
    family: str
    landmarks: Sequence[bytes]
    lifetimes: dict[int, float | None]
    least_read: int
    prints: Sequence[Fingerprint]


def as_text(shared: Shared) -> str:
    """The call in one line of JSON."""
    trace = shared.trace
    return json.dumps(
        {
            "v": _FORMAT,
            "at": trace.at,
            "ready": trace.ready_at,
            "model": trace.model,
            "owner": _spelled([trace.owner]),
            "seed": _spelled([trace.seed]),
            "params": {kind: _spelled([value]) for kind, value in trace.params.items()},
            "wire": _spelled(trace.wire),
            "canonical": _spelled(trace.canonical),
            "chain": _spelled(trace.chain),
            "canonical_chain": _spelled(trace.canonical_chain),
            "tools": trace.tools,
            "head": trace.head,
            "names": _spelled(trace.names),
            "weights": b64encode(trace.weights.tobytes()).decode(),
            "anchors": list(trace.anchors.items()),
            "cached": list(trace.cached),
            "summarised": trace.summarised,
            "whole": trace.whole,
            "held": trace.held,
            "family": shared.family,
            "landmarks": [b64encode(mark).decode() for mark in shared.landmarks],
            "lifetimes": list(shared.lifetimes.items()),
            "read": shared.least_read,
            "prints": [_print_as_list(fp) for fp in shared.prints],
        },
        separators=(",", ":"),
    )


def from_text(text: str) -> Shared | None:
    """The call that `as_text` wrote; `None` for one of another format. Raises `ValueError`, `KeyError`, `TypeError`."""
    data: dict[str, Any] = json.loads(text)
    if data["v"] != _FORMAT:
        return None
    weights = array("f")
    weights.frombytes(b64decode(data["weights"]))
    trace = Trace(
        at=data["at"],
        ready_at=data["ready"],
        model=data["model"],
        owner=b64decode(data["owner"]),
        seed=b64decode(data["seed"]),
        params={kind: b64decode(value) for kind, value in data["params"].items()},
        wire=_digests(data["wire"]),
        canonical=_digests(data["canonical"]),
        chain=_digests(data["chain"]),
        canonical_chain=_digests(data["canonical_chain"]),
        tools=data["tools"],
        head=data["head"],
        names=_digests(data["names"], _SHORT),
        weights=weights,
        anchors=dict(data["anchors"]),
        cached=tuple(data["cached"]),
        summarised=bool(data.get("summarised")),
        whole=int(data.get("whole", 0)),
        held=int(data.get("held", 0)),
    )
    size = len(trace.wire)
    if not (len(trace.canonical) == len(trace.chain) == len(trace.canonical_chain) == len(weights) - 1 == size):
        raise ValueError("a shared call whose parts have different lengths")
    return Shared(
        trace=trace,
        family=data["family"],
        landmarks=[b64decode(mark) for mark in data["landmarks"]],
        lifetimes=dict(data["lifetimes"]),
        least_read=data["read"],
        prints=[_print_from_list(row) for row in data["prints"]],
    )


def _spelled(digests: Sequence[bytes]) -> str:
    return b64encode(b"".join(digests)).decode()


def _digests(text: str, size: int = DIGEST_BYTES) -> list[bytes]:
    joined = b64decode(text)
    return [joined[i : i + size] for i in range(0, len(joined), size)]


def _print_as_list(fp: Fingerprint) -> list[Any]:
    forms = (fp.wire, fp.canonical, fp.with_space, fp.with_key_order, fp.with_values)
    values = [[*value.span, b64encode(value.digest).decode()] for value in fp.values]
    return [_spelled(forms), values, fp.kind, fp.length]


def _print_from_list(row: list[Any]) -> Fingerprint:
    forms, values, kind, length = row
    wire, canonical, with_space, with_key_order, with_values = _digests(forms)
    return Fingerprint(
        wire=wire,
        canonical=canonical,
        with_space=with_space,
        with_key_order=with_key_order,
        with_values=with_values,
        values=tuple(Value(Span(*value[:-1]), b64decode(value[-1])) for value in values),
        columns=array("f"),
        kind=kind,
        length=length,
        sketch=array("I"),
    )
