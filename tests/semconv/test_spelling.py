"""One place spells the names of attributes and metrics: the generated module."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_observer.telemetry import attributes

PACKAGE = Path(attributes.__file__).parents[1]
GENERATED = Path(attributes.__file__)

NAMES = {value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}
METRICS = {value.name for value in vars(attributes).values() if isinstance(value, attributes.Metric)}
BEGINNING = r"(llm_observer\.(\w+\.\S*)?|gen_ai\.\S*)"


def spelled(source: str, modules: set[str]) -> Iterator[tuple[int, str]]:
    """Each string in `source` that is the name of an attribute or metric, or the beginning of one.

    A name in our namespace has one of its own below it, which tells it from the name of a logger.
    """
    tree = ast.parse(source)
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            text = node.value
            if text in NAMES | METRICS or (re.fullmatch(BEGINNING, text) and text not in modules):
                yield node.lineno, text


def module_names() -> set[str]:
    paths = (path.relative_to(PACKAGE.parent).with_suffix("") for path in PACKAGE.rglob("*.py"))
    return {".".join(path.parts).removesuffix(".__init__") for path in paths}


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != GENERATED)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_takes_names_from_the_generated_one(path: Path) -> None:
    found = list(spelled(path.read_text(encoding="utf-8"), module_names()))
    assert not found, f"import these from llm_observer.telemetry.attributes: {found}"


@pytest.mark.parametrize(
    "source",
    [
        'x = "llm_observer.cache.outcome"',
        'x = {"server.address": 1}',
        'x = f"gen_ai.usage.{kind}"',
        "f('gen_ai.x')",
        'x = f"llm_observer.{kind}"',
    ],
)
def test_a_spelled_name_is_seen(source: str) -> None:
    assert list(spelled(source, set()))


@pytest.mark.parametrize(
    "source",
    [
        '"""gen_ai.system"""',
        'x = "llm_observer"',
        'x = "llm_observer.cli"',
        'x = "gen_ai.x is a name"',
        "# gen_ai.x",
        'x = "llm_observer.store"',
    ],
)
def test_prose_modules_and_the_logger_are_no_names(source: str) -> None:
    assert not list(spelled(source, {"llm_observer.cli"}))
