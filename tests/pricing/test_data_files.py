"""The corrections that come with the package: data with sources, no number in code, still needed."""

import re
import tomllib
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest

from llm_observer.pricing.price_file import parse_prices


def bundled(name: str) -> str:
    return files("llm_observer.pricing").joinpath(name).read_text(encoding="utf-8")


def rules() -> list[dict[str, Any]]:
    corrections, conditions = tomllib.loads(bundled("corrections.toml")), tomllib.loads(bundled("conditions.toml"))
    return [*corrections["price"], *conditions["place"], *conditions["peak"]]


def test_the_corrections_are_a_valid_price_file() -> None:
    """They are held to the format that users are held to."""
    parsed = parse_prices(bundled("corrections.toml"))
    assert parsed.problems == ()
    assert parsed.dated is not None


@pytest.mark.parametrize(
    "rule", rules(), ids=lambda rule: f"{rule['provider']} {rule.get('model', rule.get('models'))}"
)
def test_every_rule_has_its_source(rule: dict[str, Any]) -> None:
    """A page to check it against."""
    assert re.match(r"https://\S+", rule["source"])


def test_holidays_are_within_their_calendar() -> None:
    """Days off are listed where they matter: on weekdays, before the end of what is known."""
    (peak,) = tomllib.loads(bundled("conditions.toml"))["peak"]
    days: list[date] = peak["days_off"]
    assert all(day.weekday() < 5 and peak["from"] <= day < peak["days_known_until"] for day in days)
    assert days == sorted(set(days))
    assert peak["days_known_until"] - peak["from"] > timedelta(days=90)


def test_no_price_in_code() -> None:
    """A decimal number in the modules of this package would be a price or a factor: there is none."""
    for module in files("llm_observer.pricing").iterdir():
        if module.name.endswith(".py"):
            code = re.sub(r'"""[\s\S]*?"""|#.*', "", module.read_text(encoding="utf-8"))
            allowed = {"2.0", "60.0"}  # seconds to wait
            assert set(re.findall(r"\d+\.\d+", code)) <= allowed, module.name
