"""Say whether a new version of a JSON Schema keeps the promises of an old one, or list each one that it breaks.

    python schema/check_compat.py OLD.json NEW.json

What is promised: whatever was valid stays valid, and a reader of the old contract finds every field that it knows, of
the type, unit and privacy class that it knows. So new optional fields, new words in a list and wider bounds pass;
removed or retyped fields, new demands, narrower lists and bounds, and closed objects are breaks. What cannot be judged
(a changed `pattern`, a keyword not known here) counts as a break. A raised major number of `schema_version` announces
a break, and then there may be any.

Exit status: 0 compatible, or the major version was raised; 1 a break; 2 no answer.
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

Schema = Mapping[str, Any] | bool

VERSION: Final = "schema_version"
ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "$anchor", "$comment", "$defs", "title", "description", "examples", "default", "deprecated"}
    | {"readOnly", "writeOnly", "x-source"}
)
"""Keywords that promise nothing. Definitions are looked at where they are referred to."""
MEANING: Final = {"x-unit": "unit", "x-privacy": "privacy class", "x-sent": "condition of being sent"}
"""Annotations of ours that say what a value means or where it may go."""


@dataclass(frozen=True)
class Break:
    """One broken promise: where, as a path from the root, and what."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class SchemaError(Exception):
    """A schema that cannot be read. The message is one line for the user."""


def compare(old: Schema, new: Schema) -> list[Break]:
    """Every promise of `old` that `new` breaks, whatever the versions say; in the order of `old`."""
    return list(dict.fromkeys(_Comparison(old, new).breaks(old, new, "$")))


def raised(old: Schema, new: Schema) -> bool:
    """Whether `new` announces breaks: every `schema_version` in it has a larger major number than any in `old`."""
    before, after = _majors(old), _majors(new)
    return bool(before and after) and min(after) > max(before)


class _Comparison:
    """Walks two schemas side by side. Knows their roots, to follow references into them."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new
        self._under_way: set[tuple[int, int]] = set()

    def breaks(self, old: Schema, new: Schema, path: str) -> Iterator[Break]:
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if (id(old), id(new)) in self._under_way:
            return  # a schema that contains itself: the answer is being found further up
        self._under_way.add((id(old), id(new)))
        try:
            yield from self._compared(old, new, path)
        finally:
            self._under_way.discard((id(old), id(new)))

    def _compared(self, old: Schema, new: Schema, path: str) -> Iterator[Break]:
        if new is True or old is False:
            return
        if new is False:
            yield Break(path, "nothing is allowed here any more")
            return
        before: Mapping[str, Any] = {} if isinstance(old, bool) else old
        assert not isinstance(new, bool)  # noqa: S101  for the type checker
        if path.endswith(f".{VERSION}"):
            yield from _version_breaks(before, new, path)
            return
        yield from _type_breaks(before, new, path)
        yield from _value_breaks(before, new, path)
        yield from _bound_breaks(before, new, path)
        yield from self._object_breaks(before, new, path)
        yield from self._array_breaks(before, new, path)
        yield from _branch_breaks(before, new, path)
        yield from _meaning_breaks(before, new, path)
        for keyword in sorted((before.keys() | new.keys()) - _KNOWN):
            if not keyword.startswith("x-") and before.get(keyword) != new.get(keyword):
                yield Break(path, f"{keyword} changed, which cannot be judged")

    def _object_breaks(self, old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
        fields: Mapping[str, Schema] = old.get("properties", {})
        now: Mapping[str, Schema] = new.get("properties", {})
        for name, field in fields.items():
            if name in now:
                yield from self.breaks(field, now[name], f"{path}.{name}")
            else:
                yield Break(f"{path}.{name}", "the field was removed")
        demanded, demanded_now = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(demanded_now - demanded):
            yield Break(f"{path}.{name}", "the field became required, and events of before may lack it")
        for name in sorted(demanded - demanded_now):
            if name in now:
                yield Break(f"{path}.{name}", "the field is no longer always there")
        for keyword in ("additionalProperties", "unevaluatedProperties"):
            before, after = old.get(keyword, True), new.get(keyword, True)
            if before == after:
                continue
            if after is False:
                yield Break(path, f"the object was closed to other fields ({keyword})")
            elif before is True:
                yield Break(path, f"other fields of the object were restricted ({keyword})")
            else:
                yield from self.breaks(before, after, f"{path}.*")

    def _array_breaks(self, old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
        if "items" in new:
            yield from self.breaks(old.get("items", True), new["items"], f"{path}[]")
        if new.get("uniqueItems", False) and not old.get("uniqueItems", False):
            yield Break(path, "items now have to be different from each other")


def _type_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    before, after = _types(old), _types(new)
    if before != after:
        yield Break(path, f"the type changed from {_named(before)} to {_named(after)}")


def _value_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    before, after = _values(old), _values(new)
    if after is not None:
        if before is None:
            yield Break(path, f"only some values are allowed now: {', '.join(map(_json, after))}")
        else:
            for value in before:
                if _json(value) not in map(_json, after):
                    yield Break(path, f"the value {_json(value)} is no longer allowed")
    for keyword in ("pattern", "format"):
        if keyword in new and old.get(keyword) != new[keyword]:
            yield Break(path, f"the {keyword} {'changed' if keyword in old else 'is new'}")


def _bound_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    for upper, keywords in _BOUNDS:
        before, after = (_bound(schema, keywords, upper=upper) for schema in (old, new))
        narrower = after < before if upper else after > before
        if narrower:
            was = "open" if math.isinf(before[0]) else f"{before[0]:g}"
            yield Break(path, f"{keywords[0]} was narrowed from {was} to {after[0]:g}")
    before, after = old.get("multipleOf"), new.get("multipleOf")
    if after is not None and (before is None or Decimal(str(before)) % Decimal(str(after))):
        yield Break(path, f"values now have to be multiples of {after:g}")


def _branch_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    """Alternatives can be added, demands can be dropped; the branches themselves are compared as they stand."""
    before, after = old.get("anyOf"), new.get("anyOf")
    if after is not None and (before is None or any(branch not in after for branch in before)):
        yield Break(path, "an alternative (anyOf) was removed or changed")
    if any(branch not in old.get("allOf", ()) for branch in new.get("allOf", ())):
        yield Break(path, "a demand (allOf) was added or changed")


def _meaning_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    for keyword, name in MEANING.items():
        if old and old.get(keyword) != new.get(keyword):
            yield Break(path, f"the {name} changed from {old.get(keyword, 'none')} to {new.get(keyword, 'none')}")


def _version_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    """A later minor number may take the place of an earlier one; all else changes what the number means."""
    if _types(old) != _types(new):
        yield Break(path, f"the type of the version changed from {_named(_types(old))} to {_named(_types(new))}")
        return
    before, after = _versions(old), _versions(new)
    if before and not after:
        yield Break(path, "it is no longer said which versions there are")
    elif before and after and (after[0][0], after[-1][0]) != (before[0][0], before[-1][0]):
        yield Break(path, f"the major version changed from {before[-1][0]} to {after[-1][0]}")
    elif before and after and after[-1] < before[-1]:
        yield Break(path, f"the version went back from {_dotted(before[-1])} to {_dotted(after[-1])}")
    elif _values(new) is None and not all(_allows(new, version) for version in before):
        yield Break(path, "a version of before is no longer allowed")


def _resolved(schema: Schema, root: Schema) -> Schema:
    """`schema`, or what it refers to; beside a reference only annotations are understood."""
    seen: set[str] = set()
    while not isinstance(schema, bool) and "$ref" in schema:
        reference = schema["$ref"]
        if schema.keys() - ANNOTATIONS - MEANING.keys() - {"$ref"}:
            raise SchemaError(f"{reference}: keywords beside a reference are not supported")
        if not isinstance(reference, str) or not re.fullmatch(r"#(/.*)?", reference) or reference in seen:
            raise SchemaError(f"{reference}: only references into the same file are supported")
        seen.add(reference)
        target: Any = root
        for part in reference[1:].split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, Mapping) or name not in target:
                raise SchemaError(f"{reference}: there is no such definition")
            target = cast("Mapping[str, Any]", target)[name]
        schema = target
    return schema


_BOUNDS: Final[Sequence[tuple[bool, tuple[str, str]]]] = (
    (False, ("minimum", "exclusiveMinimum")),
    (True, ("maximum", "exclusiveMaximum")),
    (False, ("minLength", "")),
    (True, ("maxLength", "")),
    (False, ("minItems", "")),
    (True, ("maxItems", "")),
    (False, ("minProperties", "")),
    (True, ("maxProperties", "")),
)

_KNOWN: Final = (
    ANNOTATIONS
    | MEANING.keys()
    | {keyword for _, keywords in _BOUNDS for keyword in keywords}
    | {"type", "enum", "const", "pattern", "format", "multipleOf", "properties", "required", "additionalProperties"}
    | {"unevaluatedProperties", "items", "uniqueItems", "anyOf", "allOf"}
)


def _bound(schema: Mapping[str, Any], keywords: tuple[str, str], *, upper: bool) -> tuple[float, int]:
    """The tighter of an inclusive and an exclusive bound, so that of two the narrower one compares as such."""
    sign = -1 if upper else 1
    found = [(-sign * math.inf, 0)]
    if keywords[0] in schema:
        found.append((schema[keywords[0]], 0))
    if keywords[1] in schema:
        found.append((schema[keywords[1]], sign))
    return min(found) if upper else max(found)


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    declared: str | Sequence[str] = schema.get("type", ())
    return frozenset([declared] if isinstance(declared, str) else declared)


def _named(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "any"


def _values(schema: Mapping[str, Any]) -> Sequence[Any] | None:
    """The values of `enum` or `const`; `None` when there is no such list."""
    if "const" in schema:
        return [schema["const"]]
    values: Sequence[Any] | None = schema.get("enum")
    return values


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _versions(schema: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The versions that a `schema_version` names by list or, beside a pattern, by example; lowest first."""
    named = _values(schema) or schema.get("examples", ())
    found = (re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?(?:\.[0-9]+)*", str(value)) for value in named)
    return sorted((int(match[1]), int(match[2] or 0)) for match in found if match is not None)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _allows(schema: Mapping[str, Any], version: tuple[int, int]) -> bool:
    pattern = schema.get("pattern")
    return pattern is None or re.search(pattern, _dotted(version)) is not None


def _majors(schema: Schema) -> set[int]:
    """The major numbers of all `schema_version` fields, wherever they are."""
    found: set[int] = set()

    def look(node: object) -> None:
        if isinstance(node, Mapping):
            mapping = cast("Mapping[str, Any]", node)
            field = mapping.get("properties", {}).get(VERSION)
            if isinstance(field, Mapping):
                found.update(major for major, _ in _versions(cast("Mapping[str, Any]", field)))
            for child in mapping.values():
                look(child)
        elif isinstance(node, list):
            for child in cast("list[object]", node):
                look(child)

    look(schema)
    return found


def load(path: Path) -> Schema:
    """The schema in a file. Raises `SchemaError`."""
    try:
        schema: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemaError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SchemaError(f"{path}: not JSON: {error}") from error
    if not isinstance(schema, (dict, bool)):
        raise SchemaError(f"{path}: not a JSON Schema: neither an object nor a boolean")
    return cast("Schema", schema)


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> int:
    """Compare two files and say what is broken; the exit status."""
    parser = argparse.ArgumentParser(description="Say whether a new JSON Schema keeps the promises of an old one.")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    given = parser.parse_args(arguments)
    try:
        old, new = load(given.old), load(given.new)
        broken, announced = compare(old, new), raised(old, new)
    except SchemaError as error:
        say(f"check_compat: {error}")
        return 2
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        say(f"check_compat: a schema is not valid ({type(error).__name__})")
        return 2
    if not broken:
        say("compatible")
        return 0
    for one in broken:
        say(str(one))
    if announced:
        say(f"{len(broken)} changes that break readers, announced by a new major version")
        return 0
    say(f"not compatible: {len(broken)} changes that break readers; raise the major number of {VERSION} or undo them")
    return 1


if __name__ == "__main__":
    sys.exit(main())
