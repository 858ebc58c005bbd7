"""What the documents say of events is so."""

import json
import re
import runpy
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from export_helpers import validate_batch

from llm_observer.export.names import redact

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
EXAMPLES: list[str] = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_by_the_contract(text: str) -> None:
    batch = json.loads(text)
    validate_batch(batch)
    for event in batch["events"]:
        assert redact(event, send_names=False) == event, "an example shows what would be sent"


def test_the_first_example_adds_up() -> None:
    """Claude Sonnet 4.5 list prices per million tokens: 3 in, 3.75 to write, 0.30 to read, 15 out."""
    event = json.loads(EXAMPLES[0])["events"][0]
    usage, cost, cache = event["usage"], event["cost"], event["cache"]
    million = Decimal(1_000_000)
    plain = usage["input_tokens"] - usage["cache_write_tokens"]
    usd = (plain * 3 + usage["cache_write_tokens"] * Decimal("3.75") + usage["output_tokens"] * 15) / million
    assert Decimal(cost["usd"]) == usd
    assert Decimal(cost["saved_usd"]) == -usage["cache_write_tokens"] * Decimal("0.75") / million
    assert Decimal(cache["lost_usd"]) == cache["missed_tokens"] * (Decimal("3.75") - Decimal("0.30")) / million


def test_the_table_of_fields_is_current() -> None:
    """`python schema/fields.py` writes it anew."""
    script: dict[str, Any] = runpy.run_path(str(ROOT / "schema" / "fields.py"))
    rendered = cast("Callable[[str], str]", script["rendered"])
    assert rendered(DOCUMENT) == DOCUMENT
