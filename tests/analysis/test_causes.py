"""The causes: one list in code, registry and documentation."""

import re
from pathlib import Path
from typing import get_args

from llm_observer.analysis.causes import CHOICES, hint, in_order
from llm_observer.telemetry.attributes import CacheCause

DOCS = Path(__file__).parents[2] / "docs" / "causes.md"


def test_the_order_of_precedence_is_the_registrys() -> None:
    causes = [cause for cause in get_args(CacheCause) if cause != "none"]
    assert list(in_order(reversed(causes))) == causes


def test_every_cause_has_a_hint_and_a_section_in_the_documentation() -> None:
    sections = re.findall(r"^### (\w+)$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == list(get_args(CacheCause))
    assert all(hint(cause) for cause in sections if cause != "none")


def test_hints_are_one_sentence_without_content() -> None:
    for cause in get_args(CacheCause):
        text = hint(cause)
        assert text is None or (text.endswith(".") and ". " not in text)


def test_choices_are_causes() -> None:
    assert set(get_args(CacheCause)) >= CHOICES


def test_causes_are_named_once_in_order_and_unknown_ones_last() -> None:
    assert in_order(["timestamp", "no_breakpoint", "timestamp", "new"]) == ("no_breakpoint", "timestamp", "new")
