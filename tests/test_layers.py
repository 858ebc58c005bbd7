"""Imports go one way, and importing the package costs its user nothing that is not used."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import llm_observer

PACKAGE = Path(llm_observer.__file__).parent
ROOT = "llm_observer"

# From the outside in. A room imports from itself, from the rooms of the rows below its own, and from the last row,
# which all may use.
LAYERS = (
    {"__main__", "__init__", "testing"},
    {"cli"},
    {"completion", "report"},
    {"instrumentor", "replay"},
    {"wiring"},
    {"keeping", "summary"},
    {"adapters"},
    {"telemetry", "export"},
    {"engine"},
    {"ledger", "lifetimes"},
    {"analysis", "pricing"},
    {
        "_version",
        "call",
        "config",
        "counters",
        "guard",
        "privacy",
        "results",
        "stages",
        "telemetry.attributes",
        "usage",
    },
)
LEAVES = LAYERS[-1]

# What runs as an application of the package: it uses the public API, as any application does, and nothing behind it.
# It is the independent witness of the vendors' rules, so it takes nothing from `analysis`.
APPLICATIONS = {"demo"}

PROVIDERS_AND_TELEMETRY = {"opentelemetry", "openai", "anthropic"}
FORBIDDEN = {"analysis": PROVIDERS_AND_TELEMETRY, "pricing": PROVIDERS_AND_TELEMETRY} | dict.fromkeys(
    LEAVES, PROVIDERS_AND_TELEMETRY | {"genai_prices", "rich", "sqlite3"}
)


def module_name(path: Path) -> str:
    """`llm_observer.analysis.index` for the file of that module, without `__init__`."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def room(module: str) -> str:
    """The part of the package that a module belongs to."""
    inner = module.removeprefix(f"{ROOT}.")
    if module == ROOT:
        return "__init__"
    return inner if inner in LEAVES else inner.split(".")[0]


def layer(name: str) -> int:
    return next((rank for rank, rooms in enumerate(LAYERS) if name in rooms), -1)


def is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that is there at run time."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and is_type_checking(child.test):
            for branch in child.orelse:
                yield branch
                yield from nodes(branch)
        else:
            yield child
            yield from nodes(child)


def imports(module: str, source: str, *, package: bool) -> Iterator[tuple[int, str]]:
    """The line and absolute name of each module that `source` imports, at its head or later."""
    home = module if package else module.rpartition(".")[0]
    for node in nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = home.split(".")[: len(home.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield node.lineno, inner if inner in MODULES else base


def of(module: str) -> list[tuple[int, str]]:
    path = MODULES[module]
    return list(imports(module, path.read_text(encoding="utf-8"), package=path.name == "__init__.py"))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_from_its_own_room_or_from_further_in(module: str) -> None:
    here = room(module)
    if here not in APPLICATIONS:
        assert layer(here) >= 0, f"{here} has no place in LAYERS"
    for line, target in of(module):
        if target.split(".")[0] != ROOT:
            continue
        there = room(target)
        if here in APPLICATIONS:
            allowed = there in {here, "__init__"}
        else:
            # An application is run by the command line, and by nothing else.
            run = here == "cli" and there in APPLICATIONS
            allowed = run or there == here or there in LEAVES or layer(there) > layer(here)
        assert allowed, f"{module}:{line} imports {target}: {here} may not use {there}"


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) in FORBIDDEN])
def test_what_reasons_about_calls_knows_neither_telemetry_nor_a_providers_sdk(module: str) -> None:
    for line, target in of(module):
        assert target.split(".")[0] not in FORBIDDEN[room(module)], f"{module}:{line} imports {target}"


def test_no_modules_import_one_another_in_a_circle() -> None:
    """Not for types alone either: what stands in a circle can only be understood all at once."""
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        source = path.read_text(encoding="utf-8").replace("if TYPE_CHECKING:", "if True:")
        found = imports(module, source, package=path.name == "__init__.py")
        graph[module] = {target for _, target in found if target in MODULES} - {module, ROOT}
    circle: list[str] = []
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert not circle, " -> ".join(circle)


def test_importing_the_package_imports_neither_an_sdk_nor_what_only_some_uses_need() -> None:
    heavy = ["anthropic", "genai_prices", "openai", "pydantic", "rich", "sqlite3"]
    code = f"import sys, llm_observer; print([name for name in {heavy} if name in sys.modules])"
    # Coverage that follows into child processes loads SQLite there itself.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_the_reading_of_imports_sees_them_wherever_they_stand() -> None:
    """Inside functions and relative ones too; those for type checkers alone are not there at run time."""
    source = """
import os.path
from llm_observer.telemetry import attributes
from . import index
from ..guard import guard
if TYPE_CHECKING:
    from llm_observer.cli import main
else:
    import json
def f():
    from llm_observer import engine
"""
    found = {target for _, target in imports("llm_observer.analysis.verdict", source, package=False)}
    assert {"os.path", "llm_observer.telemetry.attributes", "llm_observer.guard", "llm_observer.engine"} < found
    assert "json" in found
    assert not any("cli" in target for target in found)
    assert room("llm_observer.telemetry.attributes") == "telemetry.attributes"
    assert room("llm_observer.telemetry.spans") == "telemetry"
