"""What docs/analyze.md says of records, options and problems holds. Its Python is run with that of all pages."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from llm_observer.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "analyze.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def record() -> dict[str, Any]:
    (text,) = blocks("json")
    return json.loads(text)


def test_the_record_is_one(record: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "f").write_text(json.dumps(record), encoding="utf-8")
    assert main(["analyze", "--json", str(tmp_path / "f")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["families"][0]["name"] == "answer customers"
    assert report["totals"]["input_tokens"] == 6024
    assert report["totals"]["cost_usd"] is not None


def test_the_table_names_its_fields(record: dict[str, Any]) -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert named == {*record, "usage"}


def test_what_it_says_is_required_is(
    record: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    required = set(re.findall(r"^\| `(\w+)` \| required\.", PAGE, re.MULTILINE))
    for field in record:
        (tmp_path / "f").write_text(json.dumps({**record, field: None}), encoding="utf-8")
        assert main(["analyze", "--json", str(tmp_path / "f")]) == (2 if field in required else 0)
        assert (f'"{field}" is missing' in capsys.readouterr().err) is (field in required)


def test_its_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Their options at least: they end for want of files."""
    (console,) = blocks("console")
    commands = re.findall(r"llm-observer (analyze [^>|\n]*)", console)
    assert len(commands) == 3
    for command in commands:
        arguments = ["/none" if "jsonl" in word or word == "-" else word for word in command.split()]
        assert main(arguments) == 2
        assert "nothing was read" in capsys.readouterr().err


def test_the_problems_that_it_shows_are_told_so(
    record: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (shown,) = blocks("text")
    milliseconds = json.dumps({**record, "at": record["at"] * 1000})
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps(record)] * 6 + ['{"at": 1', json.dumps(record), milliseconds]
    Path("calls.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert main(["analyze", "--json", "calls.jsonl"]) == 1
    told = re.sub(r"character \d+", "character 1,204", capsys.readouterr().err)
    assert told.splitlines() == shown.splitlines()[:2]
