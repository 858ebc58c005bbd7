"""Recorded calls out of files of JSON lines, plain or gzip, one line at a time."""

import heapq
import io
import json
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO, Self, cast

from llm_observer.call import Call
from llm_observer.cli.streams import BUFFER_BYTES, GZIP, Counted, Unpacked
from llm_observer.replay import RecordError, call_from_record

__all__ = ["MOST_LINE_BYTES", "Entry", "Recordings", "shown"]

MOST_LINE_BYTES = 64 << 20
"""A longer line is passed over: it would have to be in memory at once."""

_STDIN = "-"
_BOM = b"\xef\xbb\xbf"

OnProblem = Callable[[str], object]
"""Told what is wrong and where, in one line without content."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A recorded call and where it stands."""

    file: str
    line: int
    call: Call


class Recordings:
    """Files of recorded calls, read at once in the order of their `at`, in memory that does not grow with them.

    What is wrong is told, counted and passed over: a file that cannot be read, a line that is no recorded call, data
    that end early. Close it, or use it as a context manager.

    Args:
        names: Of the files; `-` is standard input.
        on_problem: Told each problem.
    """

    def __init__(self, names: Sequence[str], on_problem: OnProblem) -> None:
        self._on_problem = on_problem
        self._stack = ExitStack()
        self._files: list[_File] = []
        self.problems = 0
        """Lines passed over, and files that could not be read to their end."""
        for name in names:
            try:
                self._files.append(self._stack.enter_context(_File(name, self._problem)))
            except OSError as error:
                self._problem(f"{shown(name)}: cannot be read: {error.strerror or 'no such input'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[Entry]:
        return heapq.merge(*self._files, key=lambda entry: entry.call.at)

    @property
    def opened(self) -> bool:
        """Whether any of the files could be opened."""
        return bool(self._files)

    @property
    def size(self) -> int | None:
        """Bytes in all; `None` when that is not known."""
        sizes = [file.size for file in self._files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def position(self) -> int:
        """Bytes read so far, as they stand in the files."""
        return sum(file.raw.count for file in self._files)

    def _problem(self, what: str) -> None:
        self.problems += 1
        self._on_problem(what)


class _File:
    """One file. Iterates over its calls."""

    def __init__(self, name: str, on_problem: OnProblem) -> None:
        self.name = shown(name)
        self._on_problem = on_problem
        file = _opened(name)
        try:
            about = os.fstat(file.fileno())
            self.size = about.st_size if stat.S_ISREG(about.st_mode) else None
            self.raw = Counted(file)
            self.packed = self.raw.starts_with(GZIP)
        except BaseException:
            file.close()
            raise
        self._stream = io.BufferedReader(Unpacked(self.raw) if self.packed else self.raw, BUFFER_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self.raw.close()

    def __iter__(self) -> Iterator[Entry]:
        number = 0
        try:
            for number, line in self._lines():
                try:
                    call = _call(line)
                except RecordError as error:
                    self._on_problem(f"{self.name}:{number}: {error}")
                    if line is not None and number == 1 and line.strip()[:1] == b"[":
                        return  # each of its lines is wrong in the same way
                    continue
                if call is not None:
                    yield Entry(self.name, number, call)
        except (EOFError, OSError, zlib.error):
            what = "the gzip data end early or are damaged" if self.packed else "it cannot be read any further"
            self._on_problem(f"{self.name}: {what}: line {number:,} is the last that was read")

    def _lines(self) -> Iterator[tuple[int, bytes | None]]:
        """Number and text of each line; `None` for one that is too long."""
        number = 0
        while line := self._stream.readline(MOST_LINE_BYTES + 1):
            number += 1
            if len(line) <= MOST_LINE_BYTES:
                yield number, line
                continue
            while line and not line.endswith(b"\n"):
                line = self._stream.readline(BUFFER_BYTES)
            yield number, None


def _opened(name: str) -> BinaryIO:
    if name != _STDIN:
        return cast("BinaryIO", open(name, "rb", buffering=0))  # noqa: PTH123  kept open, and closed by _File
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]  as when it was closed
        raise OSError
    return cast("BinaryIO", open(sys.stdin.fileno(), "rb", buffering=0, closefd=False))


def shown(name: str) -> str:
    """The name of a file as people read it."""
    return "standard input" if name == _STDIN else name


def _call(line: bytes | None) -> Call | None:
    """The call on a line; `None` for a blank line.

    Raises:
        RecordError: It holds none. The message quotes nothing of the line.
    """
    if line is None:
        raise RecordError(f"the line is longer than {MOST_LINE_BYTES >> 20} MiB")
    text = line.removeprefix(_BOM).strip()
    if not text:
        return None
    if text[:1] == b"[":
        raise RecordError("a JSON array, not JSON lines: write one record on each line, as jq -c '.[]' does")
    try:
        record: Any = json.loads(text.decode())
    except UnicodeDecodeError:
        raise RecordError("not UTF-8 text: write each record with json.dumps and encoding='utf-8'") from None
    except json.JSONDecodeError as error:
        if text == b"{":
            raise RecordError("the record spans several lines: write it on one, as jq -c . does") from None
        raise RecordError(f"not JSON: {error.msg} (character {error.pos + 1:,})") from None
    except (ValueError, RecursionError):
        raise RecordError("not JSON that can be read: a number is too long, or values are nested too deep") from None
    return call_from_record(record)
