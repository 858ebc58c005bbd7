"""Prices from a file, TOML: the user's overrides, and in the same form our corrections of the price data.

`docs/pricing.md` describes the format for its users. A file is taken whole or not at all: one wrong entry in it could
be the one that matters.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from llm_observer.pricing.entries import STANDARD, PriceEntry, PriceFile
from llm_observer.pricing.rates import PRICE_NAMES, UnitPrices

__all__ = ["parse_prices", "read_prices"]

_ABSENT: Final = ("unknown_date", "unknown_model", "unknown_rate")
"""The reasons that an entry can give for there being no price."""

_LARGEST_FILE: Final = 1_000_000

_TEXT: Final = frozenset({"provider", "model", "tier", "source", "absent", "of"})
_DATES: Final = frozenset({"from", "until"})
_KEYS: Final = (
    *sorted(_TEXT),
    *sorted(_DATES),
    "multiplier",
    "extends",
    "times_input",
    "most_tokens",
    "above",
    *PRICE_NAMES,
)
_HEADER: Final = re.compile(r"^\s*\[\[\s*price\s*\]\]")


def read_prices(path: Path) -> PriceFile:
    """The entries of the file at `path`. Never raises: what is wrong is told in `problems`."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return PriceFile(problems=(f"{path}: larger than {_LARGEST_FILE} bytes",))
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return PriceFile(problems=(f"{path}: cannot be read: {error.strerror}",))
    except UnicodeDecodeError:
        return PriceFile(problems=(f"{path}: is not UTF-8 text",))
    parsed = parse_prices(text)
    return PriceFile(
        entries=parsed.entries, problems=tuple(f"{path}: {line}" for line in parsed.problems), dated=parsed.dated
    )


def parse_prices(text: str) -> PriceFile:
    """The entries of a price file's text."""
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        return PriceFile(problems=(f"not TOML: {error}",))
    except RecursionError:
        return PriceFile(problems=("not TOML: nested too deep",))
    problems = [
        f"line {_line(text, 0, key)}: unknown key {key!r} outside of [[price]]{_meant(key, ('price', 'checked'))}"
        for key in data
        if key not in {"price", "checked"}
    ]
    tables: Any = data.get("price", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in cast("list[Any]", tables)):
        return PriceFile(problems=("entries are written [[price]], with two brackets",))
    headers = [number for number, line in enumerate(text.splitlines(), 1) if _HEADER.match(line)]
    entries: list[PriceEntry] = []
    for index, table in enumerate(cast("list[dict[str, Any]]", tables)):
        line = headers[index] if index < len(headers) else 1
        reader = _EntryReader(table)
        entry = reader.entry()
        problems.extend(
            f"line {_line(text, line, key) if key else line}: entry {index + 1}: {fault}"
            for key, fault in reader.faults
        )
        if entry is not None:
            entries.append(entry)
    if problems:
        return PriceFile(problems=tuple(problems))
    dated: Any = data.get("checked")
    return PriceFile(entries=tuple(entries), dated=dated if isinstance(dated, date) else None)


class _EntryReader:
    """Reads one `[[price]]` table, and notes what it cannot use as pairs of a key and what is wrong with it."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table
        self.faults: list[tuple[str, str]] = []

    def entry(self) -> PriceEntry | None:
        self.faults.extend((key, f"unknown key {key!r}{_meant(key, _KEYS)}") for key in self._table if key not in _KEYS)
        provider, model = self._text("provider"), self._text("model")
        for name, value in (("provider", provider), ("model", model)):
            if value is None and name not in self._table:
                self.faults.append(("", f"{name!r} is missing"))
        base = self._prices(self._table)
        steps = self._steps(base)
        absent, multiplier = self._text("absent"), self._amount(self._table, "multiplier")
        extends, ratios = self._flag("extends"), self._ratios()
        starts, ends = self._day("from"), self._day("until")
        most: Any = self._table.get("most_tokens")
        if most is not None and (type(most) is not int or most < 1):
            self.faults.append(("most_tokens", "'most_tokens' has to be a count"))
        tier, of = self._text("tier"), self._text("of")
        if absent not in {None, *_ABSENT}:
            self.faults.append(("absent", f"'absent' can only be one of {', '.join(_ABSENT)}"))
        if of not in {None, STANDARD}:
            self.faults.append(("of", "'of' can only be \"standard\""))
        if not (steps or multiplier is not None or ratios or most or absent):
            self.faults.append(("", "has neither a price nor a multiplier"))
        elif steps and base.input is None and not extends:
            self.faults.append(("", "'input' is missing; with extends = true the rest comes from the price list"))
        if ratios and not extends:
            self.faults.append(("times_input", "'times_input' needs extends = true"))
        if starts and ends and starts >= ends:
            self.faults.append(("until", "'until' is not after 'from'"))
        if self.faults or provider is None or model is None:
            return None
        return PriceEntry(
            provider=provider.lower(),
            model=model.lower(),
            tier=tier.lower() if tier else STANDARD if steps else None,
            starts=starts,
            ends=ends,
            steps=steps,
            multiplier=multiplier,
            of_standard=of == STANDARD,
            extends=extends,
            times_input=ratios,
            most_tokens=most,
            absent=absent,
        )

    def _steps(self, base: UnitPrices) -> tuple[tuple[int, UnitPrices], ...]:
        steps = [(-1, base)] if base != UnitPrices() else []
        tables: Any = self._table.get("above", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in cast("list[Any]", tables)):
            self.faults.append(("above", "steps are written [[price.above]], with two brackets"))
            return ()
        for table in cast("list[dict[str, Any]]", tables):
            self.faults.extend(
                (key, f"unknown key {key!r} in [[price.above]]{_meant(key, ('tokens', *PRICE_NAMES))}")
                for key in table
                if key != "tokens" and key not in PRICE_NAMES
            )
            tokens: Any = table.get("tokens")
            prices = self._prices(table)
            if type(tokens) is not int or tokens <= (steps[-1][0] if steps else 0):
                self.faults.append(("tokens", "'tokens' of [[price.above]] has to be a count, larger in each step"))
            elif not steps or prices == UnitPrices():
                self.faults.append(("tokens", "a step needs prices, above the entry's own"))
            else:
                steps.append((tokens, prices.or_else(steps[-1][1])))
        return tuple(steps)

    def _prices(self, table: Mapping[str, Any]) -> UnitPrices:
        return UnitPrices(**{name: self._amount(table, name) for name in PRICE_NAMES})

    def _ratios(self) -> dict[str, Decimal]:
        table: Any = self._table.get("times_input", {})
        if not isinstance(table, dict) or not table.keys() <= set(PRICE_NAMES):
            self.faults.append(("times_input", "'times_input' is a table of prices, each a multiple of input's"))
            return {}
        ratios = cast("dict[str, Any]", table)
        return {name: ratio for name in ratios if (ratio := self._amount(ratios, name)) is not None}

    def _amount(self, table: Mapping[str, Any], name: str) -> Decimal | None:
        value: Any = table.get(name)
        if value is None:
            return None
        if type(value) is int:
            value = Decimal(value)
        if isinstance(value, Decimal) and value.is_finite() and value >= 0:
            return value
        self.faults.append((name, f"{name!r} has to be a number, zero or more, in US dollars per million tokens"))
        return None

    def _text(self, name: str) -> str | None:
        value: Any = self._table.get(name)
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        self.faults.append((name, f"{name!r} has to be a text"))
        return None

    def _flag(self, name: str) -> bool:
        value: Any = self._table.get(name, False)
        if not isinstance(value, bool):
            self.faults.append((name, f"{name!r} has to be true or false"))
            return False
        return value

    def _day(self, name: str) -> date | None:
        value: Any = self._table.get(name)
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        self.faults.append((name, f"{name!r} has to be a day, written 2026-11-22 without quotes"))
        return None


def _meant(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1)
    return f": did you mean {close[0]!r}?" if close else ""


def _line(text: str, header: int, key: str) -> int:
    """The line that sets `key`, searched from the entry's header on to the next."""
    lines = text.splitlines()
    pattern = re.compile(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]|^\s*\[+\s*(price\.)?{re.escape(key)}\s*\]")
    for number in range(header, len(lines)):
        if pattern.match(lines[number]):
            return number + 1
        if header and _HEADER.match(lines[number]):
            break
    return max(header, 1)
