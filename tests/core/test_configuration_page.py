"""docs/configuration.md has every setting, with its argument, its variable and its default."""

import inspect
import re
from pathlib import Path
from typing import NamedTuple

import llm_observer
from llm_observer.config import VARIABLES, Settings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


class Row(NamedTuple):
    argument: str
    variable: str
    default: str
    effect: str


def rows() -> list[Row]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    return [Row(*(cell.strip("|").strip() for cell in row)) for row in cells]


def test_each_variable_stands_in_the_table_once_beside_its_argument() -> None:
    named = {row.variable.strip("`"): row.argument.strip("`") for row in rows() if row.variable}
    assert len(named) == len([row for row in rows() if row.variable])
    assert set(named) == set(VARIABLES.values())
    taken = set(inspect.signature(llm_observer.patch).parameters)
    assert named == {variable: name if name in taken else "" for name, variable in VARIABLES.items()}


def test_each_argument_of_patch_stands_in_the_table() -> None:
    assert {row.argument.strip("`") for row in rows()} - {""} == set(inspect.signature(llm_observer.patch).parameters)


def test_the_defaults_are_those_of_the_settings() -> None:
    settings = Settings.resolve({})
    flags = {row.variable.strip("`"): row.default.strip("`") for row in rows() if row.default.startswith("`")}
    for name in ("disabled", "send_names", "call_site", "snippets"):
        assert flags[VARIABLES[name]] == str(getattr(settings, name)).lower()
    assert settings.store is not None
    assert flags[VARIABLES["store"]].startswith(settings.store.name)
    for row in rows():
        if row.default in {"none", "left alone"} and row.variable:
            name = next(name for name, variable in VARIABLES.items() if variable == row.variable.strip("`"))
            assert getattr(settings, name) is None


def test_what_the_log_says_is_quoted_as_it_is() -> None:
    (quoted,) = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    environ = {
        "LLM_OBSERVER_ENABLED": "true",
        "LLM_OBSERVER_ENDPOINT": "http://in.example/",
        "LLM_OBSERVER_ENDPIONT": "",
    }
    assert set(quoted.splitlines()) == set(Settings.resolve(environ).problems)
