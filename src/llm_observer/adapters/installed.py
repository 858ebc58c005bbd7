"""Which installed packages are the user's own: an application is often installed beside its libraries.

`pip install .` and its like record that a distribution was made from a directory (`direct_url.json`, PEP 610); of what
comes from an index they do not. Conda's packages have such a record of the machine that built them.
"""

import functools
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["is_own"]

_FOLDERS = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_SDKS = frozenset({"openai", "anthropic", "llm_observer"})
"""Made from a checkout, these are no application all the same."""


def is_own(file: str) -> bool:
    """Whether a file belongs to an installed package that was made from a directory."""
    for folder in _FOLDERS:
        before, found, path = file.rpartition(folder)
        if found:
            package = path.partition(os.sep)[0].removesuffix(".py")
            return package not in _SDKS and package in _own_packages(before + folder)
    return False


@functools.lru_cache(maxsize=16)
def _own_packages(folder: str) -> frozenset[str]:
    """The packages and modules of distributions that were made from a directory."""
    found: set[str] = set()
    for record in Path(folder).glob("*.dist-info/direct_url.json"):
        # What cannot be read is a library's.
        with suppress(OSError, ValueError, TypeError):
            if "dir_info" in json.loads(record.read_text(encoding="utf-8")) and not _is_condas(record.parent):
                found.update(_top_level(record.with_name("RECORD")))
    return frozenset(found)


def _is_condas(distribution: Path) -> bool:
    installer = distribution / "INSTALLER"
    return installer.exists() and installer.read_text(encoding="utf-8").strip() == "conda"


def _top_level(record: Path) -> Iterator[str]:
    """The packages and modules that a list of installed files names: `app/__init__.py,sha256=...,120`."""
    for line in record.read_text(encoding="utf-8").splitlines():
        path = line.partition(",")[0].strip('"')
        if path.endswith(".py"):
            yield path.partition("/")[0].removesuffix(".py")
