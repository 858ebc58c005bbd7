"""Write the table of fields in docs/events.md from the schema: `python schema/fields.py`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schema" / "telemetry_event_v1.json"
DOCUMENT = ROOT / "docs" / "events.md"
BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"


def rows(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Each field under `node`: its path, what the schema says of it, and whether its object has it always."""
    for name, child in node["properties"].items():
        required = name in node.get("required", ())
        here = f"{path}.{name}" if path else name
        if child["type"] == "object":
            yield from rows(child, here)
        elif child["type"] == "array" and child["items"]["type"] == "object":
            yield from rows(child["items"], f"{here}[]")
        else:
            yield here, child, required


def kind(field: Mapping[str, Any]) -> str:
    """The type as a reader thinks of it."""
    if field["type"] == "array":
        return f"{field['items']['type']}[]"
    return "decimal string" if field["x-unit"] == "USD" else str(field["type"])


def table(schema: Mapping[str, Any]) -> str:
    """The fields of an event as a Markdown table."""
    lines = ["| field | type | unit | privacy | what | from |", "| --- | --- | --- | --- | --- | --- |"]
    for path, field, required in rows(schema["$defs"]["event"]):
        unit = "" if field["x-unit"] == "none" else f"`{field['x-unit']}`"
        source = ", ".join(
            f"`{s.removeprefix('attribute ')}`" if s.startswith("attribute ") else s for s in field["x-source"]
        )
        name = f"**`{path}`**" if required else f"`{path}`"
        lines.append(f"| {name} | {kind(field)} | {unit} | {field['x-privacy']} | {field['description']} | {source} |")
    return "\n".join(lines)


def rendered(document: str) -> str:
    """`document` with the table in it made anew."""
    head, _, rest = document.partition(BEGIN)
    _, _, tail = rest.partition(END)
    made = table(json.loads(SCHEMA.read_text(encoding="utf-8")))
    return f"{head}{BEGIN}\n\n{made}\n\n{END}{tail}"


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
