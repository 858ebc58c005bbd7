"""Runs the tests in each environment of `environments.toml`, and writes the tables of what was seen there.

`run.py [NAME ...]`: the environments of these names or kinds, else all. The tables of `docs/coverage.md` are written
when every `sdk` was measured in this run, that of `docs/opentelemetry.md` when every `peer` was.
"""

import json
import subprocess
import sys
import tomllib
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLACE = ROOT / ".venv-matrix"

sys.path.insert(0, str(HERE.parent))

import peers  # noqa: E402  beside this file
from covering import PAGE, filled  # noqa: E402  the helpers of the tests stand above

TESTS: Mapping[str, Sequence[str]] = {
    "sdk": ("tests/adapters",),
    "peer": ("tests/integration/test_peers.py",),
    "framework": ("tests/matrix/test_frameworks.py",),
    "told": ("tests/matrix/test_told.py", "tests/integration/test_completion.py"),
}
"""What is run in an environment, by its kind."""

PARALLEL = ("--numprocesses=auto", "--dist=worksteal")


class Environment(NamedTuple):
    kind: str
    name: str
    requires: tuple[str, ...]

    @property
    def python(self) -> Path:
        return PLACE / self.name / "bin" / "python"

    def build(self) -> None:
        """Make it, unless it is there with the same requirements."""
        stamp = PLACE / self.name / "requires.txt"
        wanted = "\n".join(self.requires)
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        venv.create(PLACE / self.name, clear=True, with_pip=False)
        install = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", str(self.python)]
        common = ["--editable", ".[instruments-any]", "--group", "test"]
        subprocess.run([*install, "install", *common, *self.requires], cwd=ROOT, check=True)
        stamp.write_text(wanted, encoding="utf-8")

    def measure(self) -> dict[str, Any]:
        """What `measure.py` prints here."""
        done = subprocess.run(
            [self.python, HERE / "measure.py"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
        return json.loads(done.stdout)

    def test(self) -> bool:
        """Run its tests; whether they pass. Older SDKs warn of what newer Pythons deprecate."""
        pytest = [self.python, "-m", "pytest", "-q", "-W", "default", "--tb=short", "-p", "no:cacheprovider", *PARALLEL]
        return subprocess.run([*pytest, *TESTS[self.kind]], cwd=ROOT, check=False).returncode == 0


def environments(wanted: Sequence[str]) -> list[Environment]:
    """Those of the names or kinds in `wanted`, or all."""
    listed = tomllib.loads((HERE / "environments.toml").read_text(encoding="utf-8"))
    return [
        Environment(kind, name, tuple(of["requires"]))
        for kind, named in listed.items()
        for name, of in named.items()
        if not wanted or kind in wanted or name in wanted
    ]


def say(text: str) -> None:
    print(f"--- {text}", flush=True)


def main(wanted: Sequence[str]) -> int:
    """Run; the exit code."""
    chosen = environments(wanted)
    for environment in chosen:
        say(f"building {environment.name}")
        environment.build()
    columns = [each for each in chosen if each.kind == "sdk"]
    if columns == environments(["sdk"]):
        measured: list[dict[str, Any]] = []
        for environment in columns:
            say(f"measuring {environment.name}")
            measured.append(environment.measure())
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
    others = [each for each in chosen if each.kind == "peer"]
    if others == environments(["peer"]):
        lines: list[list[str]] = []
        for environment in others:
            say(f"measuring {environment.name}")
            lines += peers.rows(environment.python, environment.name, environment.requires)
        page = peers.filled(peers.PAGE.read_text(encoding="utf-8"), lines)
        peers.PAGE.write_text(page, encoding="utf-8")
    failed: list[str] = []
    for environment in chosen:
        say(f"testing {environment.name}")
        if not environment.test():
            failed.append(environment.name)
    say(f"failed: {', '.join(failed)}" if failed else "all passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
