"""What each peer makes of a call alone, and what is there with us: the table in `docs/opentelemetry.md`."""

import json
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["PAGE", "Group", "filled", "groups", "rows"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "opentelemetry.md"
APP = ROOT / "tests" / "integration" / "apps" / "beside.py"

SDKS = {"openai": "OpenAI", "anthropic": "Anthropic"}
OFF = {"ANTHROPIC_OPEN_TELEMETRY": "false"}
OWNERS = {"llm_observer": "a span of ours", "com.anthropic.sdk.python": "the SDK's"}

VARIANTS = {
    "official": {"pool": "under a `ConcurrentMultiSpanProcessor`"},
    "logfire": {"clients": "set on each client"},
}
"""Other ways of setting a peer up, by what the application calls them."""

_NO_SPAN = "no span"

Calls = Mapping[str, Mapping[str, Any]]
"""What `apps/beside.py` prints."""


class Group(NamedTuple):
    """Calls of one SDK that all come to the same."""

    sdk: str
    calls: str
    alone: int
    with_us: str
    verdict_is_on: str


def _is_of(style: str, sdk: str) -> bool:
    return style.partition(": ")[0].partition(" ")[0] == sdk


def _owner(call: Mapping[str, Any]) -> str:
    owners = {
        next((named for scope, named in OWNERS.items() if span["scope"].startswith(scope)), "its span")
        for span in call["spans"]
        if span["explained"]
    }
    return " and ".join(sorted(owners)) or _NO_SPAN


def _both(first: Any, last: Any) -> str:
    """One word for both orders, or one for each."""
    return str(first) if first == last else f"{first} where it was first, else {last}"


def _named(styles: Iterable[str]) -> str:
    """Names of styles; with the kind of client where the other kind is not among them."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for style in styles:
        kind, _, name = style.partition(": ")
        kinds[name].add("async" if kind.endswith("async") else "sync")
    return ", ".join(name if len(of) == 2 else f"{name} ({of.pop()})" for name, of in kinds.items())


def groups(alone: Calls, first: Calls, last: Calls) -> list[Group]:
    """The calls of each SDK by what they come to, the largest group last. Those that are no inference are left out.

    Args:
        alone: Without us.
        first: The peer set up before us.
        last: The peer set up behind us.
    """
    found: list[Group] = []
    for sdk, title in SDKS.items():
        alike: dict[tuple[int, str, str], list[str]] = defaultdict(list)
        for style in (each for each in alone if _is_of(each, sdk)):
            counts = [len(calls[style]["spans"]) for calls in (alone, first, last)]
            whose = _both(_owner(first[style]), _owner(last[style]))
            if whose != _NO_SPAN:
                alike[counts[0], _both(counts[1], counts[2]), whose].append(style)
        ordered = sorted(alike.items(), key=lambda item: len(item[1]))
        for place, (what, styles) in enumerate(ordered, 1):
            name = _named(styles) if place < len(ordered) else "all" if len(ordered) == 1 else "all others"
            found.append(Group(title, name, *what))
    return found


def _calls(python: Path, peer: str, environment: Mapping[str, str], order: str) -> Calls:
    done = subprocess.run(
        [python, APP, peer, order],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def rows(python: Path, peer: str, packages: Iterable[str]) -> list[list[str]]:
    """The lines of the table for a peer.

    Args:
        python: The interpreter of its environment.
        peer: Its name in `apps/beside.py`.
        packages: What it is made of.
    """
    names = [package for package in packages if "<" not in package]
    program = "import sys, importlib.metadata as m; print(*dict.fromkeys(map(m.version, sys.argv[1:])), sep=', ')"
    versions = subprocess.run([python, "-c", program, *names], stdout=subprocess.PIPE, check=True, text=True)
    version = f"{peer} {versions.stdout.strip()}"
    lines: list[list[str]] = []
    said: set[str] = set()
    for name, called, environment in (
        (peer, version, {}),
        (peer, f"{version}, `ANTHROPIC_OPEN_TELEMETRY=false`", OFF),
        *((f"{peer}, {variant}", f"{version}, {text}", {}) for variant, text in VARIANTS.get(peer, {}).items()),
    ):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            alone, first, last = pool.map(partial(_calls, python, name, environment), ("alone", "first", "last"))
        for group in groups(alone, first, last):
            if environment and group.sdk != SDKS["anthropic"]:
                continue
            of = f"{group.sdk}: {group.calls}"
            # The name stands in front of its first line only.
            first_cell = "" if called in said else called
            said.add(called)
            lines.append([first_cell, of, str(group.alone), group.with_us, group.verdict_is_on])
    return lines


def filled(page: str, lines: Iterable[Iterable[str]]) -> str:
    """The page with its table as measured."""
    head = ["beside", "calls", "spans with it alone", "with both", "the verdict is on"]
    text = "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *lines))
    return re.sub(
        r"(<!-- peers: begin -->\n).*?(<!-- peers: end -->)",
        lambda found: found[1] + text + found[2],
        page,
        flags=re.DOTALL,
    )
