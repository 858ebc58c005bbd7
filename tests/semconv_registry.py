"""The registry's files, as tests read them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

SEMCONV = Path(__file__).parents[1] / "semconv"
FILES = sorted(path for path in SEMCONV.glob("*/*.yaml") if path.name != "manifest.yaml")

OWN = "llm_observer."

PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "int": int,
    "double": (int, float),
    "boolean": bool,
}


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def collect(section: str) -> Iterator[dict[str, Any]]:
    """What stands under `section` in any of the files."""
    for path in FILES:
        yield from read(path).get(section, ())


def is_of_type(value: object, kind: str) -> bool:
    """Whether an attribute of type `kind` may have this value."""
    if kind.endswith("[]"):
        return isinstance(value, list | tuple) and all(
            is_of_type(one, kind[:-2]) for one in cast("Sequence[object]", value)
        )
    return isinstance(value, PYTHON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
