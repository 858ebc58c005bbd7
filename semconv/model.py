"""The registry as the generator reads it: definitions from YAML, and every reference between them checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

OWN = "llm_observer."
"""The namespace of what this package defines."""

_CONDITIONS = ("conditionally_required", "recommended", "opt_in")
_LEVELS: Mapping[str, str] = {"required": "always", "recommended": "when known", "opt_in": "when switched on"}


class RegistryError(Exception):
    """The registry contradicts itself; the message names where."""


@dataclass(frozen=True)
class Member:
    """One value of an enumeration."""

    value: str
    brief: str


@dataclass(frozen=True)
class Attribute:
    """An attribute's definition."""

    key: str
    type: str
    brief: str
    note: str = ""
    examples: tuple[Any, ...] = ()
    members: tuple[Member, ...] = ()
    like: str | None = None
    """The attribute whose members are the elements of this one."""

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> Self:
        """The definition from its YAML."""
        kind: str | dict[str, Any] = raw["type"]
        elements: str | list[dict[str, str]] = raw.get("annotations", {}).get("elements", [])
        like = elements if isinstance(elements, str) else None
        members: list[dict[str, str]] = [] if isinstance(elements, str) else elements
        if not isinstance(kind, str):
            kind, members = "string", kind["members"]
        return cls(
            key=raw["key"],
            type=kind,
            brief=_line(raw["brief"]),
            note=_line(raw.get("note", "")),
            examples=tuple(raw.get("examples", ())),
            members=tuple(Member(member["id"], _line(member.get("brief", ""))) for member in members),
            like=like,
        )

    @property
    def constant(self) -> str:
        """Its name in the code."""
        return constant_name(self.key)


@dataclass(frozen=True)
class Use:
    """An attribute's place on a span or metric."""

    key: str
    brief: str
    present: str


@dataclass(frozen=True)
class Metric:
    """A metric's definition."""

    name: str
    instrument: str
    unit: str
    brief: str
    note: str
    boundaries: tuple[float, ...]
    uses: tuple[Use, ...]


@dataclass
class Registry:
    """All definitions of a directory of registry files, by name, in their order."""

    attributes: dict[str, Attribute] = field(default_factory=dict[str, Attribute])
    metrics: dict[str, Metric] = field(default_factory=dict[str, Metric])
    spans: dict[str, tuple[Use, ...]] = field(default_factory=dict[str, tuple[Use, ...]])
    """The attributes of each span type and refinement; a refinement's own, without its base's."""
    bases: dict[str, str] = field(default_factory=dict[str, str])
    """The span that each refinement refines."""
    schema_url: str = ""
    """Of OpenTelemetry's conventions, as `upstream/` has them."""

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read `registry/` and `upstream/` in `directory`; `RegistryError` when a name is taken twice or unknown."""
        registry = cls()
        registry.schema_url = yaml.safe_load((directory / "upstream/manifest.yaml").read_text("utf-8"))["schema_url"]
        for path in sorted(directory.glob("*/*.yaml")):
            if path.name != "manifest.yaml":
                registry._read(path)
        registry._resolve()
        return registry

    def _read(self, path: Path) -> None:
        document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for raw in document.get("attributes", ()):
            _put(self.attributes, raw["key"], Attribute.parse(raw), path)
        for raw in document.get("spans", ()):
            _put(self.spans, raw["type"], _uses(raw), path)
        for raw in document.get("span_refinements", ()):
            _put(self.spans, raw["id"], _uses(raw), path)
            self.bases[raw["id"]] = raw["ref"]
        for raw in document.get("metrics", ()):
            metric = Metric(
                name=raw["name"],
                instrument=raw["instrument"],
                unit=raw["unit"],
                brief=_line(raw["brief"]),
                note=_line(raw.get("note", "")),
                boundaries=tuple(raw.get("annotations", {}).get("boundaries", ())),
                uses=_uses(raw),
            )
            _put(self.metrics, metric.name, metric, path)

    def _resolve(self) -> None:
        for refinement, base in self.bases.items():
            if base not in self.spans:
                raise RegistryError(f"{refinement}: no span {base} is defined")
        lists = [*self.spans.items(), *((metric.name, metric.uses) for metric in self.metrics.values())]
        for owner, uses in lists:
            for use in uses:
                if use.key not in self.attributes:
                    raise RegistryError(f"{owner}: no attribute {use.key} is defined")
        for attribute in self.attributes.values():
            if attribute.like and not self.attributes.get(attribute.like, attribute).members:
                raise RegistryError(f"{attribute.key}: {attribute.like} has no members")
        constants: dict[str, str] = {}
        for attribute in self.attributes.values():
            other = constants.setdefault(attribute.constant, attribute.key)
            if other != attribute.key:
                raise RegistryError(f"{attribute.key} and {other} would both be {attribute.constant}")

    def ours(self) -> list[Attribute]:
        """The attributes that this package defines."""
        return [attribute for attribute in self.attributes.values() if attribute.key.startswith(OWN)]

    def borrowed(self) -> list[Attribute]:
        """The attributes of OpenTelemetry's that it refers to, by name."""
        others = (attribute for attribute in self.attributes.values() if not attribute.key.startswith(OWN))
        return sorted(others, key=lambda attribute: attribute.key)


def _put(table: dict[str, Any], name: str, value: object, path: Path) -> None:
    if name in table:
        raise RegistryError(f"{path.name}: {name} is defined twice")
    table[name] = value


def _uses(raw: dict[str, Any]) -> tuple[Use, ...]:
    return tuple(
        Use(ref["ref"], _line(ref.get("brief", "")), _present(ref.get("requirement_level", "recommended")))
        for ref in raw.get("attributes", ())
    )


def _present(level: str | dict[str, str]) -> str:
    """When an attribute is there, in words."""
    if isinstance(level, str):
        return _LEVELS[level]
    return next(_line(level[name]) for name in _CONDITIONS if name in level)


def _line(text: str) -> str:
    return " ".join(text.split())


def constant_name(key: str) -> str:
    """A name as a Python constant. Ours lose the prefix that all of them have."""
    return key.removeprefix(OWN).replace(".", "_").upper()
