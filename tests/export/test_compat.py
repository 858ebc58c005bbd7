"""What may change in the contract and what may not, by pairs of an old and a new schema."""

import copy
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from export_helpers import FULL, MINIMAL, make_event
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "schema" / "check_compat.py"
CONTRACT: dict[str, Any] = json.loads((ROOT / "schema" / "telemetry_event_v1.json").read_text(encoding="utf-8"))


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_compat", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_compat"] = module
    spec.loader.exec_module(module)
    return module


tool: Any = _load()


def obj(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
V1, V2 = {"type": "string", "const": "1.0"}, {"type": "string", "const": "2.0"}


def ref(**definitions: Any) -> dict[str, Any]:
    return {**obj(a={"$ref": "#/$defs/a"}), "$defs": definitions}


COMPATIBLE: dict[str, tuple[Any, Any]] = {
    "nothing changed": (obj(a=STRING), obj(a=STRING)),
    "an optional field was added": (obj(a=STRING), obj(a=STRING, b=INTEGER)),
    "an optional object with required fields was added": (obj(), obj(a=obj(("b",), b=STRING))),
    "a value was added to a list": (obj(a={"enum": ["x"]}), obj(a={"enum": ["x", "y"]})),
    "a constant became a list": (obj(a={"const": 1}), obj(a={"enum": [1, 2]})),
    "a list of values was opened": ({**STRING, "enum": ["x"]}, STRING),
    "the order of values changed": ({"enum": ["x", "y"]}, {"enum": ["y", "x"]}),
    "a minimum was lowered": ({**NUMBER, "minimum": 1}, {**NUMBER, "minimum": 0}),
    "an exclusive minimum became inclusive": ({**NUMBER, "exclusiveMinimum": 0}, {**NUMBER, "minimum": 0}),
    "a maximum was dropped": ({**NUMBER, "maximum": 1}, NUMBER),
    "a maximum length was raised": ({**STRING, "maxLength": 10}, {**STRING, "maxLength": 20}),
    "a least number of items was dropped": ({"type": "array", "minItems": 1}, {"type": "array"}),
    "a pattern was dropped": ({**STRING, "pattern": "^a$"}, STRING),
    "a format was dropped": ({**STRING, "format": "date-time"}, STRING),
    "multiples became finer": ({**NUMBER, "multipleOf": 0.3}, {**NUMBER, "multipleOf": 0.1}),
    "items no longer have to differ": ({"type": "array", "uniqueItems": True}, {"type": "array"}),
    "a closed object was opened": ({**obj(), "additionalProperties": False}, obj()),
    "other fields may be more": (
        {**obj(), "additionalProperties": {**NUMBER, "minimum": 1}},
        {**obj(), "additionalProperties": {**NUMBER, "minimum": 0}},
    ),
    "words about a field changed": ({**STRING, "description": "x"}, {**STRING, "description": "y", "examples": ["z"]}),
    "a definition was moved": (ref(a=STRING), {**obj(a={"$ref": "#/$defs/b"}), "$defs": {"b": STRING}}),
    "a definition was written out": (ref(a=STRING), obj(a=STRING)),
    "a definition that nobody uses changed": ({**obj(), "$defs": {"a": STRING}}, {**obj(), "$defs": {"a": NUMBER}}),
    "an alternative was added": ({"anyOf": [STRING]}, {"anyOf": [STRING, NUMBER]}),
    "a demand was dropped": ({"allOf": [STRING, {"minLength": 1}]}, {"allOf": [STRING]}),
    "an unknown keyword is as it was": ({"not": STRING}, {"not": STRING}),
    "an annotation of another tool changed": ({**STRING, "x-order": 1}, {**STRING, "x-order": 2}),
    "the minor version was raised": (obj(schema_version=V1), obj(schema_version={**V1, "const": "1.1"})),
    "a minor version was added": (
        obj(schema_version={**STRING, "enum": ["1.0"]}),
        obj(schema_version={**STRING, "enum": ["1.0", "1.1"]}),
    ),
    "everything is allowed now": (obj(a=STRING), obj(a=True)),
    "nothing was allowed before": (obj(a=False), obj(a=STRING)),
    "no schema became an empty one": (obj(a=True), obj(a={})),
}

BROKEN: dict[str, tuple[Any, Any, str]] = {
    "a field was removed": (obj(a=STRING), obj(), "$.a: the field was removed"),
    "a field was renamed": (obj(a=STRING), obj(b=STRING), "$.a: the field was removed"),
    "a field within was removed": (obj(a=obj(b=STRING)), obj(a=obj()), "$.a.b: the field was removed"),
    "a field was retyped": (obj(a=STRING), obj(a=INTEGER), "$.a: the type changed from string to integer"),
    "an integer may be broken now": (obj(a=INTEGER), obj(a=NUMBER), "$.a: the type changed from integer to number"),
    "a field may be null now": (
        obj(a=STRING),
        obj(a={"type": ["string", "null"]}),
        "$.a: the type changed from string to null or string",
    ),
    "an untyped field has a type now": (obj(a={}), obj(a=STRING), "$.a: the type changed from any to string"),
    "items were retyped": (
        {"type": "array", "items": STRING},
        {"type": "array", "items": INTEGER},
        "$[]: the type changed from string to integer",
    ),
    "items have a type now": ({"type": "array"}, {"type": "array", "items": STRING}, "$[]: the type changed from any"),
    "a new field is required": (obj(), obj(("a",), a=STRING), "$.a: the field became required"),
    "an old field became required": (obj(a=STRING), obj(("a",), a=STRING), "$.a: the field became required"),
    "a required field became optional": (
        obj(("a",), a=STRING),
        obj(a=STRING),
        "$.a: the field is no longer always there",
    ),
    "a value was removed from a list": (
        obj(a={"enum": ["x", "y"]}),
        obj(a={"enum": ["x"]}),
        '$.a: the value "y" is no longer allowed',
    ),
    "a constant changed": ({"const": 1}, {"const": 2}, "$: the value 1 is no longer allowed"),
    "a list of values is new": (STRING, {**STRING, "enum": ["x"]}, '$: only some values are allowed now: "x"'),
    "a minimum was raised": (
        {**NUMBER, "minimum": 0},
        {**NUMBER, "minimum": 1},
        "$: minimum was narrowed from 0 to 1",
    ),
    "a minimum is new": (NUMBER, {**NUMBER, "minimum": 1}, "$: minimum was narrowed from open to 1"),
    "a minimum became exclusive": (
        {**NUMBER, "minimum": 0},
        {**NUMBER, "exclusiveMinimum": 0},
        "$: minimum was narrowed from 0 to 0",
    ),
    "a maximum was lowered": (
        {**NUMBER, "maximum": 2},
        {**NUMBER, "exclusiveMaximum": 2},
        "$: maximum was narrowed from 2 to 2",
    ),
    "a maximum length was lowered": (
        {**STRING, "maxLength": 20},
        {**STRING, "maxLength": 10},
        "$: maxLength was narrowed from 20 to 10",
    ),
    "a minimum length was raised": (
        {**STRING, "minLength": 1},
        {**STRING, "minLength": 2},
        "$: minLength was narrowed",
    ),
    "fewer items are allowed": (
        {"type": "array", "maxItems": 9},
        {"type": "array", "maxItems": 8},
        "$: maxItems was narrowed from 9 to 8",
    ),
    "more items are needed": ({"type": "array"}, {"type": "array", "minItems": 1}, "$: minItems was narrowed"),
    "more fields are needed": (obj(), {**obj(), "minProperties": 2}, "$: minProperties was narrowed"),
    "multiples became coarser": (
        {**NUMBER, "multipleOf": 0.1},
        {**NUMBER, "multipleOf": 0.25},
        "$: values now have to be multiples of 0.25",
    ),
    "a pattern changed": ({**STRING, "pattern": "^a"}, {**STRING, "pattern": "^b"}, "$: the pattern changed"),
    "a pattern is new": (STRING, {**STRING, "pattern": "^b"}, "$: the pattern is new"),
    "a format changed": ({**STRING, "format": "date"}, {**STRING, "format": "time"}, "$: the format changed"),
    "items now have to differ": (
        {"type": "array"},
        {"type": "array", "uniqueItems": True},
        "$: items now have to be different",
    ),
    "the object was closed": (obj(), {**obj(), "additionalProperties": False}, "$: the object was closed"),
    "the object was closed by the other keyword": (
        obj(),
        {**obj(), "unevaluatedProperties": False},
        "$: the object was closed to other fields (unevaluatedProperties)",
    ),
    "an object within was closed": (
        obj(a=obj()),
        obj(a={**obj(), "additionalProperties": False}),
        "$.a: the object was closed",
    ),
    "other fields were restricted": (
        obj(),
        {**obj(), "additionalProperties": STRING},
        "$: other fields of the object were restricted",
    ),
    "other fields were retyped": (
        {**obj(), "additionalProperties": STRING},
        {**obj(), "additionalProperties": NUMBER},
        "$.*: the type changed from string to number",
    ),
    "a definition changed": (ref(a=STRING), ref(a=INTEGER), "$.a: the type changed from string to integer"),
    "an alternative was removed": ({"anyOf": [STRING, NUMBER]}, {"anyOf": [STRING]}, "$: an alternative (anyOf)"),
    "alternatives are new": ({}, {"anyOf": [STRING]}, "$: an alternative (anyOf) was removed or changed"),
    "a demand was added": ({}, {"allOf": [STRING]}, "$: a demand (allOf) was added or changed"),
    "something that is not understood changed": ({"not": STRING}, {"not": NUMBER}, "$: not changed, which cannot"),
    "a field is forbidden": (obj(a=STRING), obj(a=False), "$.a: nothing is allowed here any more"),
    "a unit changed": (
        obj(a={**NUMBER, "x-unit": "s"}),
        obj(a={**NUMBER, "x-unit": "ms"}),
        "$.a: the unit changed from s to ms",
    ),
    "a privacy class changed": (
        {**STRING, "x-privacy": "hash"},
        {**STRING, "x-privacy": "name"},
        "$: the privacy class changed from hash to name",
    ),
    "a field is sent unasked": ({**STRING, "x-sent": "with_names"}, STRING, "$: the condition of being sent changed"),
    "the version is a number now": (
        obj(schema_version=V1),
        obj(schema_version={"type": "number"}),
        "$.schema_version: the type of the version changed from string to number",
    ),
    "the version went back": (
        obj(schema_version={**V1, "const": "1.2"}),
        obj(schema_version=V1),
        "$.schema_version: the version went back from 1.2 to 1.0",
    ),
    "the major version went back": (obj(schema_version=V2), obj(schema_version=V1), "the major version changed"),
    "nobody says which versions there are": (
        obj(schema_version=V1),
        obj(schema_version=STRING),
        "$.schema_version: it is no longer said which versions there are",
    ),
    "a version of before is refused": (
        obj(schema_version={**STRING, "pattern": r"^1\.[0-9]$", "examples": ["1.0"]}),
        obj(schema_version={**STRING, "pattern": r"^1\.[1-9]$", "examples": ["1.1"]}),
        "$.schema_version: a version of before is no longer allowed",
    ),
    "the version was removed": (obj(schema_version=V1), obj(), "$.schema_version: the field was removed"),
}


def breaks(old: Any, new: Any) -> list[str]:
    return [str(one) for one in tool.compare(old, new)]


def test_there_are_enough_pairs() -> None:
    assert len(COMPATIBLE) + len(BROKEN) >= 40


@pytest.mark.parametrize("name", COMPATIBLE)
def test_it_is_compatible_when(name: str) -> None:
    old, new = COMPATIBLE[name]
    assert breaks(old, new) == []


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_a_break_when(name: str) -> None:
    """One break is listed, at its place, and no new version makes up for it."""
    old, new, expected = BROKEN[name]
    found = breaks(old, new)
    assert len(found) == 1
    assert expected in found[0]
    assert not tool.raised(old, new)


@pytest.mark.parametrize("name", [*COMPATIBLE, *BROKEN])
def test_a_schema_is_compatible_with_itself(name: str) -> None:
    for schema in (COMPATIBLE.get(name) or BROKEN[name])[:2]:
        assert breaks(schema, copy.deepcopy(schema)) == []


def test_every_break_is_listed() -> None:
    old = obj(("a",), a=STRING, b=INTEGER, c={"enum": [1, 2, 3]})
    new = {**obj(("d",), b=NUMBER, c={"enum": [1]}, d=STRING), "additionalProperties": False}
    assert breaks(old, new) == [
        "$.a: the field was removed",
        "$.b: the type changed from integer to number",
        "$.c: the value 2 is no longer allowed",
        "$.c: the value 3 is no longer allowed",
        "$.d: the field became required, and events of before may lack it",
        "$: the object was closed to other fields (additionalProperties)",
    ]


def test_a_schema_that_contains_itself_comes_to_an_end() -> None:
    def tree(leaf: Any) -> dict[str, Any]:
        node = obj(value=leaf, children={"type": "array", "items": {"$ref": "#/$defs/node"}})
        return {"$ref": "#/$defs/node", "$defs": {"node": node}}

    assert breaks(tree(STRING), tree(STRING)) == []
    assert breaks(tree(STRING), tree(NUMBER)) == ["$.value: the type changed from string to number"]


def test_a_new_major_version_announces_breaks() -> None:
    old = obj(schema_version=V1, event=obj(schema_version=V1, a=STRING))
    half = obj(schema_version=V2, event=obj(schema_version=V1))
    new = obj(schema_version=V2, event=obj(schema_version=V2))
    assert tool.raised(old, new)
    assert breaks(old, new)
    assert not tool.raised(old, half), "a batch of one version with events of another"
    assert not tool.raised(old, obj(a=STRING))
    assert not tool.raised(new, old)


# --- the contract itself


def event(schema: Any) -> Any:
    return schema["$defs"]["event"]["properties"]


def field(path: str) -> Callable[[Any], Any]:
    def find(schema: Any) -> Any:
        node = event(schema)
        *parents, last = path.split(".")
        for parent in parents:
            node = node[parent]["properties"]
        return node[last]

    return find


def test_the_contract_may_grow() -> None:
    new = copy.deepcopy(CONTRACT)
    event(new)["call"]["properties"]["region"] = {"type": "string", "maxLength": 64}
    event(new)["retries"] = {"type": "array", "items": {"type": "integer"}}
    field("cache.outcome")(new)["enum"].append("deferred")
    field("call.request_model")(new)["maxLength"] = 512
    field("cache.cause")(new)["examples"].append("moon_phase")
    new["properties"]["schema_version"]["examples"] = ["1.0", "1.1"]
    assert breaks(CONTRACT, new) == []
    for attributes in (FULL, MINIMAL):
        batch = {"schema_version": "1.0", "events": [make_event(attributes)]}
        assert not list(Draft202012Validator(new).iter_errors(batch))  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("event_id", {"pattern": "^[0-9A-F]{32}$"}),
        ("usage.input_tokens", {"type": "string"}),
        ("usage.input_tokens", {"maximum": 1000}),
        ("call.duration_s", {"x-unit": "ms"}),
        ("call.request_model", {"maxLength": 100}),
        ("call.site", {"x-sent": "always"}),
        ("cache.outcome", {"enum": ["hit", "miss"]}),
        ("cost.usd", {"type": "number"}),
        ("schema_version", {"examples": ["2.0"]}),
    ],
)
def test_the_contract_may_not_shrink(path: str, change: dict[str, Any]) -> None:
    new = copy.deepcopy(CONTRACT)
    field(path)(new).update(change)
    found = breaks(CONTRACT, new)
    assert found
    assert all(line.startswith(f"$.events[].{path}: ") for line in found)


# --- the command


def run(*arguments: str) -> tuple[int, str]:
    ended = subprocess.run([sys.executable, str(SCRIPT), *arguments], check=False, capture_output=True, text=True)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[str]]:
    def write(*schemas: Any) -> list[str]:
        paths = [tmp_path / f"{n}.json" for n in range(len(schemas))]
        for path, schema in zip(paths, schemas, strict=True):
            path.write_text(schema if isinstance(schema, str) else json.dumps(schema), encoding="utf-8")
        return [str(path) for path in paths]

    return write


def test_the_command_says_it_by_its_exit_status(files: Callable[..., list[str]]) -> None:
    assert run(*files(obj(), obj(a=STRING))) == (0, "compatible\n")
    status, output = run(*files(obj(a=STRING, schema_version=V1), obj(schema_version=V1)))
    assert status == 1
    assert output.splitlines()[0] == "$.a: the field was removed"
    assert output.splitlines()[1].startswith("not compatible: 1 change")


def called(*arguments: str) -> tuple[int, list[str]]:
    lines: list[str] = []
    return tool.main(arguments, lines.append), lines


def test_breaks_pass_under_a_new_major_version(files: Callable[..., list[str]]) -> None:
    status, lines = called(*files(obj(a=STRING, schema_version=V1), obj(schema_version=V2)))
    assert status == 0
    assert lines[-1] == "2 changes that break readers, announced by a new major version"


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON Schema"),
        ({"$ref": "#/$defs/none"}, "no such definition"),
        ({"$ref": "https://example.org/x"}, "only references into the same file"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "only references into the same file"),
        ({"$ref": "#/$defs/a", "type": "string", "$defs": {"a": {}}}, "keywords beside a reference"),
        ({"type": "object", "properties": []}, "not valid"),
        ({"type": "object", "required": 5}, "not valid"),
    ],
)
def test_a_mistake_gets_one_line(files: Callable[..., list[str]], schema: Any, says: str) -> None:
    for order in (files(schema, obj(a=STRING)), files(obj(a=STRING), schema)):
        status, lines = called(*order)
        assert status == 2
        (line,) = lines
        assert says in line
        assert line.startswith("check_compat: ")


def test_a_file_that_is_not_there_gets_one_line(tmp_path: Path) -> None:
    status, lines = called(str(tmp_path / "old.json"), str(tmp_path / "new.json"))
    assert status == 2
    assert lines == [f"check_compat: {tmp_path / 'old.json'}: No such file or directory"]


def test_the_published_contract_is_compatible_with_itself() -> None:
    path = str(ROOT / "schema" / "telemetry_event_v1.json")
    assert called(path, path) == (0, ["compatible"])


def test_a_boolean_is_a_schema_too(files: Callable[..., list[str]]) -> None:
    assert called(*files(False, True)) == (0, ["compatible"])
    assert called(*files(True, False))[0] == 1
