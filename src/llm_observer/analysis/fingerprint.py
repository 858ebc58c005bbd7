"""Fingerprints of segments: keyed hashes of their forms, where volatile values stand, and a sketch of their lines.

A fingerprint holds no text. It is made once per distinct segment and remembered by its wire hash.
"""

import functools
import operator
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import NamedTuple
from zlib import crc32

from llm_observer.analysis.breakers import Span
from llm_observer.analysis.canonical import EXAMINED, canonical_forms
from llm_observer.analysis.measure import measure
from llm_observer.analysis.segments import Segment
from llm_observer.privacy import Hasher

__all__ = ["Fingerprint", "Fingerprinter", "Value", "pieces"]

BUDGET = 48_000
"""Characters of segments not seen before that one prompt has looked through for volatile values: 5 ms of work or so."""

_identity = operator.itemgetter(
    Segment._fields.index("kind"), Segment._fields.index("role"), Segment._fields.index("text")
)
_encoded = operator.methodcaller("encode", "utf-8", "surrogatepass")
_PIECE = 256
_MOST_PIECES = 2048
_MOST_VALUES = 32

_PRINT_BYTES = 800
_DIGEST_SIZE = 49
_PIECE_BYTES = 4
_VALUE_BYTES = 320
"""What a fingerprint, and each part of it, takes in memory, with its places in dictionaries."""


class Value(NamedTuple):
    """A volatile value in a segment: what kind, where, and a short keyed hash of it."""

    span: Span
    digest: bytes


class Fingerprint(NamedTuple):
    """What is remembered of a segment. Hashes are keyed; `sketch` has 32 bits per piece of text, salted."""

    wire: bytes
    canonical: bytes
    with_space: bytes
    with_key_order: bytes
    with_values: bytes
    values: tuple[Value, ...]
    columns: "array[float]"
    kind: str
    length: int
    sketch: "array[int]"


def _size(fp: Fingerprint) -> int:
    """Bytes held, about."""
    forms = len({fp.wire, fp.canonical, fp.with_space, fp.with_key_order, fp.with_values})
    return _PRINT_BYTES + _DIGEST_SIZE * forms + _PIECE_BYTES * len(fp.sketch) + _VALUE_BYTES * len(fp.values)


class Fingerprinter:
    """Makes and remembers fingerprints. Not safe in threads by itself: its owner holds a lock.

    Args:
        hasher: Keys the hashes.
        max_bytes: Of those that were made here.
        max_foreign_bytes: Of those of other processes.
    """

    def __init__(self, hasher: Hasher, *, max_bytes: int, max_foreign_bytes: int) -> None:
        self._hasher = hasher
        self._salt = int.from_bytes(hasher.digest(b"sketch")[:4])
        self._most, self._most_foreign = max_bytes, max_foreign_bytes
        self._used = self._used_foreign = 0
        self._known: OrderedDict[int, Fingerprint] = OrderedDict()
        self._by_wire: dict[bytes, Fingerprint] = {}
        self._foreign: OrderedDict[bytes, Fingerprint] = OrderedDict()
        self._budget = BUDGET
        self.skipped = False
        """Whether segments of the current prompt were not looked through for volatile values."""

    @property
    def used_bytes(self) -> int:
        """Bytes held, about."""
        return self._used + self._used_foreign

    @property
    def filling(self) -> bool:
        """Whether so much is held that a fingerprint which is not asked for may soon be forgotten."""
        return 2 * self._used > self._most

    def begin(self) -> None:
        """Begin another prompt, with a work budget of its own."""
        self._budget = BUDGET
        self.skipped = False

    @staticmethod
    def keys(segments: Sequence[Segment]) -> "array[int]":
        """Numbers by which segments are known again within this process, five times as fast as by their wire hashes.

        Python's own hash of 64 bits, which it keys with a secret of the process (PEP 456). It is told to nobody.
        """
        return array("q", map(hash, map(_identity, segments)))

    def named(self, key: int, segment: Segment) -> Fingerprint:
        """The fingerprint of a segment with this key."""
        known = self._known.get(key)
        if known is not None and known.length == len(segment.text):
            self._known.move_to_end(key)
            return known
        tag = _tag(segment)
        made = self._make(segment, tag, self._hasher.digest(tag, segment.text.encode("utf-8", "surrogatepass")))
        self._keep(key, made)
        return made

    def wire(self, segment: Segment) -> bytes:
        """The wire hash of a segment, remembering nothing."""
        return self._hasher.digest(_tag(segment), segment.text.encode("utf-8", "surrogatepass"))

    def known(self, wire: bytes) -> Fingerprint | None:
        """The fingerprint with this wire hash, unless it is forgotten; one of another process has no sketch."""
        return self._by_wire.get(wire) or self._foreign.get(wire)

    def learn(self, prints: Iterable[Fingerprint]) -> None:
        """Remember fingerprints that another process made with the same key."""
        foreign = self._foreign
        for fp in prints:
            if fp.wire not in foreign:
                self._used_foreign += _size(fp)
            foreign[fp.wire] = fp
            while self._used_foreign > self._most_foreign:
                _, oldest = foreign.popitem(last=False)
                self._used_foreign -= _size(oldest)

    def _keep(self, key: int, made: Fingerprint) -> None:
        before = self._known.pop(key, None)
        if before is not None:
            self._forget(before)
        self._known[key] = self._by_wire[made.wire] = made
        self._used += _size(made)
        while self._used > self._most and len(self._known) > 1:
            self._forget(self._known.popitem(last=False)[1])

    def _forget(self, fp: Fingerprint) -> None:
        self._by_wire.pop(fp.wire, None)
        self._used -= _size(fp)

    def _make(self, segment: Segment, tag: bytes, wire: bytes) -> Fingerprint:
        text = segment.text
        # A budget in characters and not in time, so that live and replayed calls agree. A segment is looked through
        # up to a bound of its own, so that what it was called before does not depend on what came with it.
        examine = EXAMINED if self._budget > 0 else 0
        self._budget -= min(len(text), EXAMINED)
        self.skipped = self.skipped or not examine
        forms = canonical_forms(segment, examine)
        digests: dict[str, bytes] = {text: wire}
        for form in (forms.canonical, forms.with_space, forms.with_key_order, forms.with_values):
            if form not in digests:
                digests[form] = self._hasher.digest(tag, form.encode("utf-8", "surrogatepass"))
        values = tuple(
            Value(span, self._hasher.digest(text[span.start : span.end].encode("utf-8", "surrogatepass"))[:6])
            for span in forms.spans[:_MOST_VALUES]
        )
        return Fingerprint(
            wire=wire,
            canonical=digests[forms.canonical],
            with_space=digests[forms.with_space],
            with_key_order=digests[forms.with_key_order],
            with_values=digests[forms.with_values],
            values=values,
            columns=measure(text, segment.kind),
            kind=segment.kind,
            length=len(text),
            sketch=_sketch(text, self._salt),
        )


def _tag(segment: Segment) -> bytes:
    """What tells equal texts in different places of a message apart."""
    return _encoded_tag(segment.kind, segment.role)


@functools.lru_cache(maxsize=1024)
def _encoded_tag(kind: str, role: str) -> bytes:
    return f"{kind}\x1f{role}\x1f".encode("utf-8", "surrogatepass")


def _sketch(text: str, salt: int) -> "array[int]":
    """A salted number for each of the `pieces` of a text, which mostly are its lines."""
    parts = text.splitlines(keepends=True)
    if len(parts) > _MOST_PIECES or max(map(len, parts), default=0) > _PIECE:
        parts = [piece for _, piece in pieces(text)]
    return array("I", map(crc32, map(_encoded, parts), repeat(salt)))


def pieces(text: str) -> list[tuple[int, str]]:
    """The lines of a text with their offsets; a long line in pieces, and what is beyond a bound in one."""
    found: list[tuple[int, str]] = []
    start = 0
    for line in text.splitlines(keepends=True):
        for cut in range(0, len(line), _PIECE):
            if len(found) >= _MOST_PIECES:
                found.append((start + cut, text[start + cut :]))
                return found
            found.append((start + cut, line[cut : cut + _PIECE]))
        start += len(line)
    return found
