"""What `doctor` finds."""

import errno
import os
import tempfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from report_events import event

from llm_observer.config import Settings
from llm_observer.export.store import Store
from llm_observer.privacy import load_hash_key
from llm_observer.report import doctor
from llm_observer.report.doctor import Check, checks


def look(**environ: str) -> list[Check]:
    return list(checks(environ, Settings.resolve(environ)))


def about(found: list[Check], subject: str) -> list[tuple[str, str]]:
    return [(check.state, check.found) for check in found if check.subject == subject]


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    def version(name: str) -> str:
        try:
            return versions[name.replace("-", "_")]
        except KeyError:
            raise PackageNotFoundError(name) from None

    monkeypatch.setattr(doctor, "version", version)


def test_a_fresh_installation_has_no_problem(tmp_path: Path) -> None:
    found = look()
    assert not [check for check in found if check.state == "problem"]
    (store,) = about(found, "store")
    assert store[0] == "note"
    assert "not there yet" in store[1]
    assert about(found, "telemetry") == [("ok", "off: nothing leaves this machine")]


def test_the_store_is_told_with_size_and_age(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    store = Store(path)
    store.put(event(1))
    assert store.close()
    ((state, found),) = about(look(LLM_OBSERVER_STORE=str(path)), "store")
    assert state == "ok"
    assert found.startswith(f"{path}, ")
    assert "last written 0 s ago" in found
    path.chmod(0o644)
    assert "chmod 600" in about(look(LLM_OBSERVER_STORE=str(path)), "store")[1][1]


def test_a_store_that_is_off_or_another_file_is_told(tmp_path: Path) -> None:
    assert about(look(LLM_OBSERVER_STORE="off"), "store") == [("note", "off: nothing is kept for reports")]
    other = tmp_path / "notes.txt"
    other.write_text("hello" * 1000)
    ((state, found),) = about(look(LLM_OBSERVER_STORE=str(other)), "store")
    assert state == "problem"
    assert str(other) in found


def test_what_cannot_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "calls.db"
    store = Store(path)
    store.put(event(1))
    store.close()

    def refused(*_arguments: object, **_named: object) -> bool:
        return False

    def read_only(**_named: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "access", refused)
    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    assert about(look(LLM_OBSERVER_STORE=str(path)), "store")[1] == (
        "problem",
        f"{path} cannot be written: calls are not kept",
    )
    ((state, found),) = about(look(LLM_OBSERVER_STORE=str(tmp_path / "sub" / "calls.db")), "store")
    assert (state, found) == (
        "problem",
        f"{tmp_path / 'sub' / 'calls.db'} cannot be made: {tmp_path} cannot be written",
    )


def test_a_place_that_holds_no_file_is_a_problem(tmp_path: Path) -> None:
    """A directory given for the store, and a path through a file."""
    ((state, found),) = about(look(LLM_OBSERVER_STORE=str(tmp_path)), "store")
    assert (state, found) == ("problem", f"{tmp_path} is a directory, not a file: set LLM_OBSERVER_STORE to another")
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    ((state, found),) = about(look(LLM_OBSERVER_STORE=str(file / "calls.db")), "store")
    assert (state, found) == ("problem", f"{file / 'calls.db'} cannot be made: {file} is not a directory")


def test_looking_at_a_place_leaves_nothing_there(tmp_path: Path) -> None:
    look(LLM_OBSERVER_STORE=str(tmp_path / "calls.db"))
    assert [*tmp_path.iterdir()] == []


def test_a_secret_that_can_be_guessed_is_a_problem() -> None:
    ((state, found),) = about(look(LLM_OBSERVER_HASH_KEY="sesame"), "hash key")
    assert state == "problem"
    assert "shorter than 16 characters" in found
    assert "sesame" not in found


def test_the_key_file_is_told_with_its_mode_and_its_faults(tmp_path: Path) -> None:
    state = Path(os.environ["XDG_STATE_HOME"]) / "llm-observer"
    load_hash_key(None, state)
    assert about(look(), "hash key") == [("ok", f"{state / 'hash.key'}, mode 0600")]
    (state / "hash.key").chmod(0o640)
    assert about(look(), "hash key")[0][0] == "problem"
    (state / "hash.key").chmod(0o600)
    (state / "hash.key").write_bytes(b"short")
    assert "damaged" in about(look(), "hash key")[0][1]


def test_secrets_are_named_and_not_shown() -> None:
    found = look(
        LLM_OBSERVER_API_KEY="sesame",
        LLM_OBSERVER_HASH_KEY="open-sesame-open-sesame",
        LLM_OBSERVER_ENDPOINT="https://events.example:8443/v1/sesame?token=sesame",
        LLM_OBSERVER_ENABLED="true",
    )
    assert "sesame" not in str(found)
    assert "pass" not in str(look(LLM_OBSERVER_ENDPOINT="https://user:pass@events.example/v1"))
    assert about(found, "telemetry") == [("ok", "on: events are sent to https://events.example:8443")]
    assert about(found, "hash key") == [("ok", "from LLM_OBSERVER_HASH_KEY")]
    assert ("ok", "LLM_OBSERVER_API_KEY=(set)") in about(found, "setting")
    assert ("ok", "LLM_OBSERVER_ENDPOINT=https://events.example:8443") in about(found, "setting")
    assert ("ok", "LLM_OBSERVER_ENDPOINT=(no URL)") in about(look(LLM_OBSERVER_ENDPOINT="http://[x"), "setting")


def test_settings_that_cannot_be_used_are_problems() -> None:
    found = look(LLM_OBSERVER_ENABLD="1", LLM_OBSERVER_ENABLED="true")
    problems = [text for state, text in about(found, "setting") if state == "problem"]
    assert any("LLM_OBSERVER_ENABLD is not a setting" in text for text in problems)
    assert any("without a key" in text for text in problems)


def test_patching_that_is_disabled_is_told() -> None:
    assert about(look(LLM_OBSERVER_DISABLED="true"), "patching")


def test_sdks_are_told_with_their_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, openai="3.54.0", genai_prices="0.2.3")
    assert about(look(), "SDKs") == [("ok", "openai 3.54.0"), ("note", "anthropic is not installed")]
    installed(monkeypatch, openai="0.28.1", anthropic="0.30")
    assert about(look(), "SDKs") == [
        ("problem", "openai 0.28.1 is not supported: install 1.0 or newer"),
        ("ok", "anthropic 0.30"),
    ]
    assert about(look(), "prices")[0][0] == "problem"
    installed(monkeypatch)
    assert [state for state, _ in about(look(), "SDKs")] == ["problem", "problem"]


def test_a_file_of_prices_is_read(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text('[[price]]\nprovider = "openai"\nmodel = "acme-7b"\ninput = 1\noutput = 2\n')
    assert ("ok", f"1 of your own, from {path}") in about(look(LLM_OBSERVER_PRICES=str(path)), "prices")
    path.write_text("[[price]\n")
    assert about(look(LLM_OBSERVER_PRICES=str(path)), "prices")[-1][0] == "problem"
