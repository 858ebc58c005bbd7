"""Cache rules from a file of the user's, TOML or JSON: `docs/cache-rules.md` describes the format.

A file is taken whole or not at all: one wrong rule in it could be the one that matters.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from llm_observer.analysis.rules import CacheRules, shipped_rules

__all__ = ["FIELDS", "RuleFile", "parse_rules", "read_rules"]

_LARGEST_FILE: Final = 1_000_000
_TIERS: Final = frozenset({"all", "system", "messages"})
_HEADER: Final = re.compile(r"^\s*\[\[\s*rule\s*\]\]")


class RuleFile(NamedTuple):
    """The rules of a file, in its order; none when it has a problem. One line of `problems` for each fault."""

    rows: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[str, ...] = ()

    def rules(self) -> CacheRules:
        """These rules, and behind them those of this version."""
        return CacheRules((*self.rows, *shipped_rules()))


def read_rules(path: Path) -> RuleFile:
    """The rules of the file at `path`. Never raises: what is wrong is told in `problems`."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return RuleFile(problems=(f"{path}: larger than {_LARGEST_FILE} bytes",))
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return RuleFile(problems=(f"{path}: cannot be read: {error.strerror}",))
    except UnicodeDecodeError:
        return RuleFile(problems=(f"{path}: is not UTF-8 text",))
    found = parse_rules(text, as_json=path.suffix.lower() == ".json")
    return RuleFile(found.rows, tuple(f"{path}: {line}" for line in found.problems))


def parse_rules(text: str, *, as_json: bool = False) -> RuleFile:
    """The rules of a file's text."""
    name, load = ("JSON", json.loads) if as_json else ("TOML", tomllib.loads)
    try:
        data: Any = load(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        return RuleFile(problems=(f"not {name}: {error}",))
    except RecursionError:
        return RuleFile(problems=(f"not {name}: nested too deep",))
    tables: Any = cast("dict[str, Any]", data).get("rule") if isinstance(data, dict) else None
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in cast("list[Any]", tables)):
        how = 'a list of objects under "rule"' if as_json else "written [[rule]], with two brackets"
        return RuleFile(problems=(f"rules are {how}",))
    lines = [] if as_json else [n for n, line in enumerate(text.splitlines(), 1) if _HEADER.match(line)]
    rows: list[Mapping[str, Any]] = []
    problems: list[str] = []
    for index, table in enumerate(cast("list[dict[str, Any]]", tables)):
        where = f"line {lines[index]}: " if index < len(lines) else ""
        row, faults = _row(table)
        rows.append(row)
        problems += (f"{where}rule {index + 1}: {fault}" for fault in faults)
    return RuleFile(problems=tuple(problems)) if problems else RuleFile(tuple(rows))


def _row(table: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """A rule as data, with what it takes from the shipped one that it extends, and what is wrong with it."""
    faults = [f"unknown key {key!r}{_meant(key)}" for key in table if key not in FIELDS]
    for key, value in table.items():
        if key in FIELDS and not FIELDS[key].fits(value):
            faults.append(f"{key!r} has to be {FIELDS[key].what}")
    base: Mapping[str, Any] = {}
    if "extends" in table:
        found = [rule for rule in shipped_rules() if rule["id"] == table["extends"]]
        if found:
            base = found[0]
        else:
            known = ", ".join(str(rule["id"]) for rule in shipped_rules())
            faults.append(f"'extends' names no rule of this version: give one of {known}")
    row = {"id": "own", **base, **{key: value for key, value in table.items() if key != "extends"}}
    if "extends" not in table:
        faults += [f"{key!r} is missing" for key in ("providers", "models", "match") if key not in row]
    return row, faults


class _Field(NamedTuple):
    what: str
    fits: Callable[[Any], bool]


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(map(_is_text, cast("list[Any]", value)))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_tier(value: Any) -> bool:
    return value in _TIERS


def _is_number(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_minimum(value: Any) -> bool:
    if not isinstance(value, list):
        return _is_count(value)
    return all(
        isinstance(row, dict)
        and cast("dict[str, Any]", row).keys() == {"models", "tokens"}
        and _is_names(row["models"])
        and _is_count(row["tokens"])
        for row in cast("list[Any]", value)
    )


def _is_table(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        return isinstance(value, dict) and all(fits(item) for item in cast("dict[str, Any]", value).values())

    return check


def _one_of(*names: str) -> _Field:
    return _Field(f"one of {', '.join(names)}", names.__contains__)


_COUNT = _Field("a whole number above zero", _is_count)
_NAME = _Field("a text", _is_text)
_NAMES = _Field("a list of names or patterns", _is_names)
_FLAG = _Field("true or false", _is_flag)

FIELDS: Final[Mapping[str, _Field]] = {
    "id": _NAME,
    "extends": _NAME,
    "providers": _NAMES,
    "models": _NAMES,
    "match": _one_of("interval", "boundary", "object"),
    "min_tokens": _Field("a whole number, or a list of tables with models and tokens", _is_minimum),
    "grid": _COUNT,
    "report_grid": _COUNT,
    "implicit": _FLAG,
    "max_writes": _COUNT,
    "lookback": _COUNT,
    "lookup": _Field("a table of counts", _is_table(_is_number)),
    "ttl_s": _Field("a table of lifetimes in whole seconds", _is_table(_is_count)),
    "ttl_default": _NAME,
    "ttl_sure_s": _COUNT,
    "ttl_most_s": _COUNT,
    "readable_after": _one_of("first_byte", "end"),
    "needs": _NAME,
    "params": _Field("a table of all, system or messages", _is_table(_is_tier)),
    "source": _NAME,
    "retrieved": _NAME,
}


def _meant(key: str) -> str:
    close = difflib.get_close_matches(key, list(FIELDS), n=1)
    return f": did you mean {close[0]!r}?" if close else ""
