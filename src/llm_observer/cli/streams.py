"""Streams of bytes: counted as they are read, and out of gzip."""

import io
import zlib
from typing import Any, BinaryIO

__all__ = ["BUFFER_BYTES", "GZIP", "Counted", "Unpacked"]

BUFFER_BYTES = 1 << 18
GZIP = b"\x1f\x8b"
"""The first bytes of a gzip file (RFC 1952)."""

_GZIP_FORMAT = 16 + zlib.MAX_WBITS


class Counted(io.RawIOBase):
    """Bytes of an unbuffered file, counted as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file: Any = file
        self._ahead = b""
        self.count = 0

    def starts_with(self, magic: bytes) -> bool:
        """Whether the file starts so. Ask before anything is read."""
        while len(self._ahead) < len(magic) and (more := self._file.read(len(magic) - len(self._ahead))):
            self._ahead += more
        return self._ahead == magic

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what there is; how much that was."""
        if self._ahead:
            size = min(len(self._ahead), len(buffer))
            buffer[:size], self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            size = self._file.readinto(buffer) or 0
        self.count += size
        return size

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()


class Unpacked(io.RawIOBase):
    """What a gzip file holds, all members of it. `gzip.GzipFile` loses up to a buffer in front of an early end.

    Raises:
        EOFError: The file ends within a member.
        zlib.error: It is damaged.
    """

    def __init__(self, raw: Counted) -> None:
        self._raw = raw
        self._ahead = b""
        self._member = zlib.decompressobj(_GZIP_FORMAT)

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what there is; how much that was."""
        while not self._member.eof or self._next_member():
            if not self._ahead and not self._read():
                raise EOFError
            text = self._member.decompress(self._ahead, len(buffer))
            self._ahead = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if text:
                buffer[: len(text)] = text
                return len(text)
        return 0

    def _next_member(self) -> bool:
        """Begin what was appended to the member that ended, if anything was; zeros in between are padding."""
        self._ahead = self._ahead.lstrip(b"\0")
        while not self._ahead:
            if not self._read():
                return False
            self._ahead = self._ahead.lstrip(b"\0")
        self._member = zlib.decompressobj(_GZIP_FORMAT)
        return True

    def _read(self) -> bool:
        self._ahead = self._raw.read(BUFFER_BYTES) or b""
        return bool(self._ahead)
