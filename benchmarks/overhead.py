"""The CPU time that a call gains with this package, and with others that instrument the same SDKs.

    python benchmarks/overhead.py [--peers] [--rounds N] [--only TEXT]

Every side runs in a process of its own, with real clients of the SDKs against one loopback provider in yet another, and
with an exporter that keeps nothing. `--peers` first makes an environment for each of the others, in
`benchmarks/.peers`, since their dependencies conflict. Those that are there take part.

Blocks of calls without and with each side alternate. What a block took more than the mean of the two beside it is the
gain; the table has the medians over all rounds. `bare` against itself, in two processes, is the noise. The figures are
the CPU time of all threads of the process, so the writing of the local store is among ours.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Self

from overhead_side import Row
from provider import loopback

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
CHUNKS = 500
BLOCK_S = 0.02
MOST_CALLS = 40

OURS = ("bare again", "provider", "us", "us-no-store")
PACKAGES = {
    "official": ("opentelemetry-instrumentation-genai-openai", "opentelemetry-instrumentation-genai-anthropic"),
    "openai-v2": (
        "opentelemetry-instrumentation-openai-v2",
        "opentelemetry-util-genai==0.4b0",
        "openai<3",
        "httpx<1",
    ),
    "openllmetry": ("opentelemetry-instrumentation-openai", "opentelemetry-instrumentation-anthropic"),
    "openinference": ("openinference-instrumentation-openai", "openinference-instrumentation-anthropic"),
    "logfire": ("logfire",),
}
"""What each of the others is made of. One that does not take our release of an SDK has a bare side of its own."""


def rows() -> Iterator[Row]:
    """All rows. All but the last message of a prompt was sent before, unless it is fresh."""
    for sdk in ("openai", "anthropic"):
        for mode in ("sync", "async"):
            for tokens in (100, 1_000, 10_000, 100_000):
                yield Row(sdk, mode, tokens)
            yield Row(sdk, mode, 1_000, chunks=CHUNKS)
        yield Row(sdk, "sync", 100_000, fresh=True)


def label(row: Row) -> str:
    """The first column of the table."""
    what = f", {row.chunks} chunks" if row.chunks else ", never seen" if row.fresh else ""
    return f"{row.sdk}, {row.mode}, {row.tokens:,} tokens{what}"


class Took(NamedTuple):
    """CPU seconds per call of a block, by all threads and by the one that calls, and spans per call."""

    process: float
    caller: float
    spans: float


class Side:
    """A process that makes calls."""

    def __init__(self, name: str, python: Path | str, port: int) -> None:
        self.name = name
        command = [str(python), str(HERE / "overhead_side.py"), name, str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.versions: dict[str, str] = json.loads(self._answer())

    def measure(self, row: Row, calls: int) -> Took:
        """Make a block of calls."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"row": row, "calls": calls}) + "\n")
        self._process.stdin.flush()
        return Took(**json.loads(self._answer()))

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} has ended")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


class Pair(NamedTuple):
    """A side and what it is held against."""

    name: str
    side: Side
    bare: Side


class Gain(NamedTuple):
    """What a side made of a row, in µs per call: medians over the rounds."""

    bare: float
    process: float
    caller: float
    spans: float


def measured(row: Row, pairs: Sequence[Pair], rounds: int) -> dict[str, Gain]:
    """The gains of all sides in one row."""
    bares = {id(pair.bare): pair.bare for pair in pairs}
    for side in (*bares.values(), *(pair.side for pair in pairs)):
        side.measure(row, 3)  # connects, loads, learns
    once = pairs[0].bare.measure(row, 3).process
    calls = min(MOST_CALLS, max(1, round(BLOCK_S / once)))
    for pair in pairs:
        pair.side.measure(row, calls)
    took: dict[str, list[tuple[float, Took]]] = {pair.name: [] for pair in pairs}
    gains: dict[str, list[Took]] = {pair.name: [] for pair in pairs}
    for turn in range(rounds):
        # Back and forth, so that nobody always comes behind the same one.
        before = {key: bare.measure(row, calls) for key, bare in bares.items()}
        for pair in pairs if turn % 2 else reversed(pairs):
            key = id(pair.bare)
            if pair.bare is not pairs[0].bare:
                before[key] = pair.bare.measure(row, calls)
            found = pair.side.measure(row, calls)
            after = pair.bare.measure(row, calls)
            process = (before[key].process + after.process) / 2
            caller = (before[key].caller + after.caller) / 2
            took[pair.name].append((process, found))
            gains[pair.name].append(Took(found.process - process, found.caller - caller, found.spans))
            before[key] = after
    return {
        name: Gain(
            statistics.median(bare for bare, _ in took[name]) * 1e6,
            statistics.median(gain.process for gain in found) * 1e6,
            statistics.median(gain.caller for gain in found) * 1e6,
            statistics.median(gain.spans for gain in found),
        )
        for name, found in gains.items()
    }


def make_environments() -> None:
    """Make what is missing in `benchmarks/.peers`: one environment for each of the others, with our SDKs."""
    ours = [f"{name}=={version(name)}" for name in ("openai", "anthropic", "opentelemetry-sdk")]
    for name, packages in PACKAGES.items():
        python = python_of(name)
        if python.exists():
            continue
        print(f"making {python.parents[1]} ...", flush=True)
        venv.create(PEERS / name, with_pip=True)
        named = {package.partition("<")[0] for package in packages}
        wanted = [*packages, *(one for one in ours if one.partition("==")[0] not in named)]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)


def python_of(name: str) -> Path:
    """The interpreter of one of the others."""
    return PEERS / name / "bin" / "python"


def started(port: int, stack: ExitStack) -> list[Pair]:
    """All sides, each in its process."""
    bare = stack.enter_context(Side("bare", sys.executable, port))
    pairs = [Pair(name, stack.enter_context(Side(name.partition(" ")[0], sys.executable, port)), bare) for name in OURS]
    for name in PACKAGES:
        python = python_of(name)
        if python.exists():
            side = stack.enter_context(Side(name, python, port))
            own = side.versions != bare.versions
            pairs.append(Pair(name, side, stack.enter_context(Side("bare", python, port)) if own else bare))
    return pairs


def table(title: str, pairs: Sequence[Pair], lines: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Print a table in Markdown."""
    print(f"\n{title}\n")
    print(f"| call | bare | {' | '.join(pair.name for pair in pairs)} |")
    print("| :--- |" + " ---: |" * (len(pairs) + 1))
    for name, cells in lines:
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", action="store_true", help="first make the environments of the others")
    parser.add_argument("--rounds", type=int, default=15, help="how often each block is made (15)")
    parser.add_argument("--only", default="", help="only rows whose first column has this text in it")
    options = parser.parse_args()
    if options.peers:
        make_environments()
    chosen = [row for row in rows() if options.only in label(row)]
    results: list[tuple[Row, dict[str, Gain]]] = []
    with ExitStack() as stack:
        pairs = started(stack.enter_context(loopback()), stack)
        about: dict[str, Any] = pairs[0].bare.versions
        print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, ", end="")
        print(", ".join(f"{name} {number}" for name, number in about.items()))
        for pair in pairs:
            if pair.side.versions != about:
                print(f"{pair.name}: {', '.join(f'{name} {number}' for name, number in pair.side.versions.items())}")
        for row in chosen:
            results.append((row, measured(row, pairs, options.rounds)))
            print(".", end="", flush=True)
    names = [pair.name for pair in pairs]
    for title, figure, form in (
        ("CPU that a call gains, all threads, µs", "process", "+,.0f"),
        ("CPU that a call gains, the calling thread, µs", "caller", "+,.0f"),
        ("Spans per call", "spans", "g"),
    ):
        lines = [
            (
                label(row),
                [f"{found[names[0]].bare:,.0f}", *(f"{getattr(found[name], figure):{form}}" for name in names)],
            )
            for row, found in results
        ]
        table(title, pairs, lines)


if __name__ == "__main__":
    main()
