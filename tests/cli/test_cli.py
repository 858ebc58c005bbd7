"""The command line, as its user meets it."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest
from report_events import broken, event

from llm_observer import demo
from llm_observer.cli import main
from llm_observer.export.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "calls.db"
    kept = Store(path)
    for n in range(4):
        kept.put(broken(n))
    assert kept.close()
    return path


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_report_reads_the_store(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--store", str(store)]) == 0
    printed = capsys.readouterr().out
    assert "A timestamp changes the prompt on every call" in printed
    assert str(store) in printed
    assert not any(line != line.rstrip() for line in printed.splitlines())
    assert "\x1b" not in printed


def test_on_a_terminal_it_is_coloured(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    main(["report", "--store", str(store)])
    assert "\x1b[" in capsys.readouterr().out


def test_report_reads_the_users_own_store_when_none_is_named(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_OBSERVER_STORE", str(store))
    assert main(["report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["calls"] == 4


@pytest.mark.parametrize(
    ("since", "calls"),
    [("2026-11-22T10:00:02Z", 2), ("2026-11-21", 4), ("2 weeks", None), ("1e9d", None), ("90m", 0), ("2w", 0)],
)
def test_since_takes_a_span_or_a_time(
    store: Path, capsys: pytest.CaptureFixture[str], since: str, calls: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_900_000_000.0)  # years after the calls in the store
    status = main(["report", "--store", str(store), "--since", since, "--json"])
    if calls is None:
        assert status == 2
        assert "write 90m, 24h, 7d, 2w, or a date" in one_line(capsys)
    else:
        assert status == 0
        assert json.loads(capsys.readouterr().out)["totals"]["calls"] == calls


def test_a_store_without_calls_says_how_to_start(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--store", str(tmp_path / "none.db")]) == 1
    assert "call llm_observer.patch() in your app" in one_line(capsys)
    assert main(["report", "--store", str(store), "--since", "2999-01-01"]) == 1
    assert "there are no calls since 2999-01-01" in one_line(capsys)


def test_a_store_that_is_off_or_broken_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.db").write_bytes(b"no database at all" * 100)
    assert main(["report", "--store", str(tmp_path / "x.db")]) == 1
    assert str(tmp_path / "x.db") in one_line(capsys)
    monkeypatch.setenv("LLM_OBSERVER_STORE", "off")
    assert main(["report"]) == 1
    assert "--store FILE" in one_line(capsys)


@pytest.mark.parametrize("arguments", [["repotr"], ["report", "--colour"], ["report", "--since"]])
def test_misuse_is_one_line_and_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "--help" in one_line(capsys)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith("llm-observer ")


def test_doctor_says_what_is_wrong_and_fails_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["doctor"]) == 0
    assert "Nothing is wrong." in capsys.readouterr().out
    monkeypatch.setenv("LLM_OBSERVER_ENABLD", "1")
    assert main(["doctor"]) == 1
    assert "did you mean LLM_OBSERVER_ENABLED?" in capsys.readouterr().out
    monkeypatch.setenv("LLM_OBSERVER_STOER", "1")
    main(["doctor"])
    assert "2 problems" in capsys.readouterr().out


def test_python_m_is_the_same_command(store: Path) -> None:
    command = [sys.executable, "-m", "llm_observer", "report", "--store", str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    assert "system[0], character 14" in done.stdout
    assert done.stderr == ""


def test_a_terminal_without_unicode_gets_a_report_too(store: Path) -> None:
    command = [sys.executable, "-m", "llm_observer", "report", "--store", str(store)]
    environ = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert "system[0], character 14" in done.stdout


def test_a_reader_that_stops_early_is_no_error(store: Path) -> None:
    command = [sys.executable, "-m", "llm_observer", "report", "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_an_interrupt_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_arguments: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupted)
    assert main(["demo"]) == 128 + signal.SIGINT
    assert "Traceback" not in capsys.readouterr().err


def test_the_demo_prints_progress_and_report_apart_for_machines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: Path
) -> None:
    def run(path: Path, *, output: IO[str]) -> None:
        print("working", file=output)
        shutil.copy(store, path)

    monkeypatch.setattr(demo, "run", run)
    assert main(["demo", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["totals"]["calls"] == 4
    assert "working" in printed.err
    assert main(["demo", "--store", str(store.parent / "kept.db")]) == 0
    printed = capsys.readouterr()
    assert "working" in printed.out
    assert f"llm-observer report --store {store.parent / 'kept.db'}" in printed.out
    assert printed.err == ""
    assert (store.parent / "kept.db").exists()


def test_a_demo_that_cannot_run_says_why(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def failing(*_arguments: object, **_more: object) -> None:
        raise demo.DemoError("the demo needs openai: pip install 'llm-observer[demo]'")

    monkeypatch.setattr(demo, "run", failing)
    assert main(["demo", "--json"]) == 1
    assert "pip install 'llm-observer[demo]'" in capsys.readouterr().err


def test_events_of_other_versions_are_read_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "calls.db"
    kept = Store(path)
    kept.put(event(1) | {"schema_version": "1.9", "new": {"field": 1}})
    assert kept.close()
    assert main(["report", "--store", str(path)]) == 0
    assert "fewer than 3 calls" in capsys.readouterr().out


def test_without_a_command_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr()
    assert all(command in printed.out for command in ("report", "analyze", "export", "demo", "doctor", "version"))
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "--store", "~no-such-user-here/x.db"], "the home of a user that is not known"),
        (["demo", "--store", "~no-such-user-here/x.db"], "the home of a user that is not known"),
        (["report", "--store", "{tmp}"], "is a directory, not a store"),
        (["demo", "--store", "{tmp}"], "is a directory, not a file: name another with --store FILE"),
        (["report", "--store", "{tmp}/notes.txt"], "is no store, or a damaged one"),
        (["report", "--since", ""], "--since without a value is no time"),
    ],
)
def test_a_name_that_cannot_be_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no database\n" * 100)
    assert main([argument.replace("{tmp}", str(tmp_path)) for argument in arguments]) in {1, 2}
    assert said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_output_that_cannot_be_written_is_one_line(store: Path, form: list[str]) -> None:
    command = [sys.executable, "-m", "llm_observer", "report", "--store", str(store), *form]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "llm-observer: No space left on device\n")


def test_an_output_that_is_closed_is_nobodys() -> None:
    done = subprocess.run([sys.executable, "-c", CLOSED_OUTPUT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


CLOSED_OUTPUT = """
import sys
sys.stdout = None
from llm_observer.cli import main
sys.exit(main(["version"]))
"""


def test_where_signs_cannot_be_shown_others_stand_for_them(store: Path) -> None:
    """What the cache gave is told from what it could have given in ASCII too."""
    command = [sys.executable, "-m", "llm_observer", "report", "--store", str(store)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.isascii()
    assert "............................" in done.stdout
    assert "?" not in done.stdout


def test_rows_that_cannot_be_read_are_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("UPDATE calls SET event = '{' WHERE rowid = (SELECT min(rowid) FROM calls)")
    assert main(["report", "--store", str(store)]) == 1
    printed = capsys.readouterr()
    assert "3 calls" in printed.out
    assert printed.err == "llm-observer: 1 row of the store is not readable and left out\n"
    assert main(["report", "--store", str(store), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["passed_over"] == 1
