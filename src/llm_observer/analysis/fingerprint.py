"""Fingerprints of segments: keyed hashes of their forms, where volatile values stand, and a sketch of their lines.

A fingerprint holds no text. It is made once per distinct segment and remembered by its wire hash.
"""

import functools
import operator
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from llm_observer.analysis.breakers import Span
from llm_observer.analysis.canonical import EXAMINED, canonical_forms
from llm_observer.analysis.measure import measure
from llm_observer.analysis.segments import Segment
from llm_observer.privacy import Hasher

__all__ = ["Fingerprint", "Fingerprinter", "Value", "pieces"]

BUDGET = 96_000
"""Characters of segments not seen before that one prompt has looked through for volatile values."""

_identity = operator.itemgetter(
    Segment._fields.index("kind"), Segment._fields.index("role"), Segment._fields.index("text")
)
_PIECE = 256
_MOST_PIECES = 2048
_MOST_VALUES = 32


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


class Fingerprinter:
    """Makes and remembers fingerprints. Not safe in threads by itself: its owner holds a lock."""

    def __init__(self, hasher: Hasher, *, most: int = 10_000) -> None:
        self._hasher = hasher
        self._most = most
        self._salt = int.from_bytes(hasher.digest(b"sketch")[:4])
        self._known: OrderedDict[bytes, Fingerprint] = OrderedDict()
        self._foreign: OrderedDict[bytes, Fingerprint] = OrderedDict()
        self._keys: dict[int, bytes] = {}
        self._budget = BUDGET
        self.skipped = False
        """Whether segments of the current prompt were not looked through for volatile values."""

    def begin(self) -> None:
        """Begin another prompt, with a work budget of its own."""
        self._budget = BUDGET
        self.skipped = False

    @staticmethod
    def keys(segments: Sequence[Segment]) -> list[int]:
        """Numbers by which segments are known again within this process, five times as fast as by their wire hashes.

        Python's own hash of 64 bits, which it keys with a secret of the process (PEP 456). It is told to nobody.
        """
        return list(map(hash, map(_identity, segments)))

    def touch(self, prints: Iterable[Fingerprint]) -> None:
        """Take fingerprints that were made here as just used."""
        known = self._known
        if 2 * len(known) < self._most:
            # None is about to be forgotten, and the next turn does the same.
            return
        for fp in prints:
            known[fp.wire] = fp
            known.move_to_end(fp.wire)

    def named(self, key: int, segment: Segment) -> Fingerprint:
        """The fingerprint of a segment with this key."""
        seen = self._keys.get(key)
        known = self._known.get(seen) if seen is not None else None
        if known is not None and known.length == len(segment.text):
            self._known.move_to_end(known.wire)
            return known
        tag = _tag(segment)
        wire = self._hasher.digest(tag, segment.text.encode("utf-8", "surrogatepass"))
        if len(self._keys) >= 2 * self._most:
            self._keys.clear()
        self._keys[key] = wire
        known = self._known.get(wire)
        if known is not None:
            self._known.move_to_end(wire)
            return known
        made = self._make(segment, tag, wire)
        self._known[wire] = made
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return made

    def wire(self, segment: Segment) -> bytes:
        """The wire hash of a segment, remembering nothing."""
        return self._hasher.digest(_tag(segment), segment.text.encode("utf-8", "surrogatepass"))

    def known(self, wire: bytes) -> Fingerprint | None:
        """The fingerprint with this wire hash, unless it is forgotten; one of another process has no sketch."""
        return self._known.get(wire) or self._foreign.get(wire)

    def learn(self, prints: Iterable[Fingerprint]) -> None:
        """Remember fingerprints that another process made with the same key."""
        for fp in prints:
            self._foreign[fp.wire] = fp
            if len(self._foreign) > self._most:
                self._foreign.popitem(last=False)

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
        sketch = array("I", (crc32(p.encode("utf-8", "surrogatepass"), self._salt) for _, p in pieces(text)))
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
            sketch=sketch,
        )


def _tag(segment: Segment) -> bytes:
    """What tells equal texts in different places of a message apart."""
    return _encoded_tag(segment.kind, segment.role)


@functools.lru_cache(maxsize=1024)
def _encoded_tag(kind: str, role: str) -> bytes:
    return f"{kind}\x1f{role}\x1f".encode("utf-8", "surrogatepass")


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
