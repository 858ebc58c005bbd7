"""How each provider's prompt cache matches, as dated data: `cache_rules.json` beside this file, and the user's own."""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any, Literal

from llm_observer.analysis.jsons import as_list, as_mapping

__all__ = ["CacheRule", "CacheRules", "rule_for", "shipped_rules"]

_MOST_FOUND = 512
_DATE = re.compile(r"[-@]\d{4}-?\d{2}-?\d{2}(?:-v\d+)?(?::\d+)?$|-latest$")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRule:
    """The cache of one group of models.

    Attributes:
        match: `interval`: the longest common prefix, rounded down to a grid. `boundary`: a prefix can be read only
            where an earlier request wrote one and this request looks. `object`: only what the request names can be
            read, such as Gemini's `CachedContent`.
        min_tokens: The shortest prefix that is cached; `None` when not documented.
        grid: Tokens to which a read is rounded down.
        report_grid: Tokens to which the reported read is rounded down.
        implicit: Whether the provider places boundaries by itself.
        max_writes: Boundaries that one request can write.
        lookback: How many blocks before a marker the provider looks for an earlier boundary.
        first_explicit, latest_explicit, earlier_endings: Where else it looks: how many of the first and of the last
            explicit markers, and how many earlier ends of messages.
        ttl_s: Seconds that an entry lives, by the lifetime's name in a request, from its last use.
        ttl_default: The name of the lifetime that applies when the request names none.
        ttl_sure_s, ttl_most_s: Where only a range is known: an idle entry surely lives so long, and at most so long.
        readable_after: From when on what a request wrote can be read: `first_byte` or `end` of its response; `None`
            when not documented.
        needs: The parameter without which nothing is cached.
        params: Parameters that the cache depends on, and from where on in the prompt: `all`, `system`, `messages`.
    """

    id: str
    match: Literal["interval", "boundary", "object"]
    min_tokens: int | None = None
    grid: int | None = None
    report_grid: int | None = None
    implicit: bool = False
    max_writes: int | None = None
    lookback: int | None = None
    first_explicit: int = 0
    latest_explicit: int = 0
    earlier_endings: int = 0
    ttl_s: Mapping[str, int] = field(default_factory=dict[str, int])
    ttl_default: str | None = None
    ttl_sure_s: int | None = None
    ttl_most_s: int | None = None
    readable_after: str | None = None
    needs: str | None = None
    params: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def tells_loss(self) -> bool:
        """Whether enough is documented to say of a read that did not come that the provider lost it."""
        lives = bool(self.ttl_s) or self.ttl_sure_s is not None
        return self.min_tokens is not None and lives and self.match != "object"

    def lifetime(self, name: str | None) -> tuple[str | None, int | None]:
        """The name and the seconds of the lifetime that a request asks for by `name`."""
        if name is not None and name in self.ttl_s:
            return name, self.ttl_s[name]
        default = self.ttl_default
        return default, self.ttl_s.get(default) if default is not None else None


class CacheRules:
    """The rules in their order; the first whose provider and model fit applies. Safe in threads."""

    def __init__(self, data: Sequence[Mapping[str, Any]]) -> None:
        self._data = data
        self._found: dict[tuple[str, str | None], CacheRule | None] = {}

    def find(self, provider: str, model: str | None) -> CacheRule | None:
        """The rule for a model of a provider, `None` when its cache is not documented."""
        if (provider, model) not in self._found:
            if len(self._found) >= _MOST_FOUND:
                self._found.clear()
            name = (model or "").lower().removeprefix("models/")
            fitting = (
                row
                for row in self._data
                if _fits(provider, list(as_list(row["providers"]))) and _fits(name, as_list(row["models"]))
            )
            row = next(fitting, None)
            self._found[provider, model] = _rule(row, name) if row is not None else None
        return self._found[provider, model]


@functools.cache
def shipped_rules() -> tuple[Mapping[str, Any], ...]:
    """The rules of this version, as data."""
    text = files("llm_observer.analysis").joinpath("cache_rules.json").read_text(encoding="utf-8")
    return tuple(as_mapping(rule) for rule in as_list(json.loads(text)["rules"]))


@functools.cache
def _shipped() -> CacheRules:
    return CacheRules(shipped_rules())


def rule_for(provider: str, model: str | None) -> CacheRule | None:
    """The rule of this version for a model of a provider, `None` when its cache is not documented."""
    return _shipped().find(provider, model)


def _fits(model: str, patterns: list[str]) -> bool:
    # Gateways and clouds put their own prefix before a model's name (`openai/`, `us.anthropic.`).
    bare = model.rpartition("/")[2]
    return any(fnmatchcase(model, pattern) or fnmatchcase(bare, pattern) for pattern in patterns)


def _rule(data: Mapping[str, Any], model: str) -> CacheRule:
    undated = _DATE.sub("", model)
    minimum: int | None = None
    given = data.get("min_tokens")
    if isinstance(given, int):
        minimum = given
    for row in as_list(given):
        if _fits(undated, row["models"]) or _fits(model, row["models"]):
            minimum = row["tokens"]
            break
    lookup = as_mapping(data.get("lookup"))
    return CacheRule(
        id=data["id"],
        match=data["match"],
        min_tokens=minimum,
        grid=data.get("grid"),
        report_grid=data.get("report_grid"),
        implicit=bool(data.get("implicit")),
        max_writes=data.get("max_writes"),
        lookback=data.get("lookback"),
        first_explicit=lookup.get("first_explicit", 0),
        latest_explicit=lookup.get("latest_explicit", 0),
        earlier_endings=lookup.get("earlier_endings", 0),
        ttl_s=data.get("ttl_s", {}),
        ttl_default=data.get("ttl_default"),
        ttl_sure_s=data.get("ttl_sure_s"),
        ttl_most_s=data.get("ttl_most_s"),
        readable_after=data.get("readable_after"),
        needs=data.get("needs"),
        params=data.get("params", {}),
    )
