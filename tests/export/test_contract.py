"""The published contract: frozen, complete, one text in two places, and the source of the exporter's allow-list."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from llm_observer.export.events import TABLE
from llm_observer.export.shape import SCHEMA_FILE, SCHEMA_VERSION, event_shape, schema

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "schema" / SCHEMA_FILE
DIGEST = "98833e27809ccbee322167ba3fcb0900c89ace8052d28cd794104722d09e3337"
"""Changing the contract means changing this line too, on purpose. `schema/check_compat.py` says what may change."""
RELEASED = {"telemetry_event_v1.0.json": "98833e27809ccbee322167ba3fcb0900c89ace8052d28cd794104722d09e3337"}
"""What was released: these never change."""

CLASSES = {"id", "hash", "name", "figure", "enum"}


def leaves(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field of the contract that holds a value, with its dotted path."""
    if node["type"] == "object":
        for name, child in node["properties"].items():
            yield from leaves(child, f"{path}.{name}" if path else name)
    elif node["type"] == "array" and node["items"].get("type") == "object":
        yield from leaves(node["items"], path)
    else:
        yield path, node


FIELDS = dict(leaves(schema()["$defs"]["event"]))


def test_the_contract_is_frozen() -> None:
    assert hashlib.sha256(PUBLISHED.read_bytes()).hexdigest() == DIGEST


def test_what_was_released_stays_as_it_was() -> None:
    """`make lint` compares the contract with it; an older one is kept as long as somebody may read by it."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (ROOT / "schema/published").iterdir()}
    assert found == RELEASED


@pytest.mark.parametrize("released", sorted(RELEASED))
def test_the_contract_keeps_the_promises_of_what_was_released(released: str) -> None:
    script = ROOT / "schema" / "check_compat.py"
    command = [sys.executable, script, ROOT / "schema" / "published" / released, PUBLISHED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "compatible\n")


def test_the_installed_package_carries_the_published_text() -> None:
    installed = resources.files("llm_observer.export").joinpath(SCHEMA_FILE).read_bytes()
    assert installed == PUBLISHED.read_bytes()


def test_it_is_valid_json_schema_2020_12() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_version_written_is_one_that_it_allows() -> None:
    assert re.fullmatch(schema()["properties"]["schema_version"]["pattern"], SCHEMA_VERSION)
    assert re.fullmatch(FIELDS["schema_version"]["pattern"], SCHEMA_VERSION)


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_says_what_it_is(path: str) -> None:
    """Description, unit, source and privacy class."""
    field = FIELDS[path]
    assert field["description"].endswith(".")
    assert field["x-unit"]
    assert field["x-source"]
    assert field["x-privacy"] in CLASSES


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_is_bounded(path: str) -> None:
    """No string, array or number can grow without limit."""
    field = FIELDS[path]
    if field["type"] == "array":
        assert field["maxItems"] <= 128
        field = field["items"]
    if field["type"] == "string":
        assert "enum" in field or field["maxLength"] <= 1024
        assert "pattern" not in field or (field["pattern"][0], field["pattern"][-1]) == ("^", "$")
    elif field["type"] == "integer":
        assert field["maximum"] < 2**53


def test_every_object_is_open_to_fields_of_later_versions() -> None:
    text = PUBLISHED.read_text(encoding="utf-8")
    assert "additionalProperties" not in text
    assert "unevaluatedProperties" not in text


def test_the_examples_in_it_fit_it() -> None:
    """What the contract gives as an example of a field passes as that field."""
    for path, field in FIELDS.items():
        for example in field.get("examples", ()):
            if "enum" not in field:
                assert len(example) <= field["maxLength"], path
                assert re.fullmatch(field.get("pattern", ".*"), example), path


def test_the_table_and_the_schema_name_the_same_sources() -> None:
    """`x-source` tells readers what the table does."""
    said = {path: [s for s in field["x-source"] if s.startswith("attribute ")] for path, field in FIELDS.items()}
    done = {field.path: [f"attribute {name}" for name in field.attributes] for field in TABLE}
    assert {path: sources for path, sources in said.items() if sources} == done


def test_a_keyword_type_that_is_not_understood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The allow-list never guesses: a contract that it cannot read fails to load."""
    strange = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    strange["$defs"]["event"]["properties"]["event_id"]["type"] = "null"
    event_shape.cache_clear()
    monkeypatch.setattr("llm_observer.export.shape.schema", lambda: strange)
    with pytest.raises(ValueError, match="not understood"):
        event_shape(names=True)
    event_shape.cache_clear()
