"""The hash key and the hashes: who gets which key, and what cannot be linked."""

import base64
import hashlib
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llm_observer import privacy
from llm_observer.privacy import DIGEST_BYTES, Hasher, load_hash_key

KEY = bytes(range(32))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_key_file_is_made_for_its_owner_alone_and_then_stays(tmp_path: Path) -> None:
    state = tmp_path / "state" / "llm-observer"
    key = load_hash_key(None, state)
    assert (state / "hash.key").read_bytes() == key
    assert len(key) == 32
    assert mode(state / "hash.key") == 0o600
    assert mode(state) == 0o700
    assert load_hash_key(None, state) == key
    assert [path.name for path in state.iterdir()] == ["hash.key"], "nothing is left beside it"


def test_the_key_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_hash_key(None, tmp_path / "state")
    finally:
        os.umask(before)
    assert mode(tmp_path / "state" / "hash.key") == 0o600
    assert mode(tmp_path / "state") == 0o700


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    assert load_hash_key(None, tmp_path / "a") != load_hash_key(None, tmp_path / "b")


def test_processes_that_make_the_key_at_once_all_get_one(tmp_path: Path) -> None:
    # The module alone: the package takes its time to import.
    code = (
        "import runpy, sys; from pathlib import Path; module = runpy.run_path(sys.argv[2])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(module['load_hash_key'](None, Path(sys.argv[1])).hex())"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "state"), privacy.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    keys = {racer.communicate(timeout=30)[0].strip() for racer in racers}
    assert keys == {(tmp_path / "state" / "hash.key").read_bytes().hex()}


def test_a_key_that_another_process_made_in_between_is_the_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loser of the race throws its own key away."""
    link = os.link

    def beaten(source: str, target: str) -> None:
        Path(target).write_bytes(KEY)
        link(source, target)

    monkeypatch.setattr(os, "link", beaten)
    assert load_hash_key(None, tmp_path) == KEY
    assert [path.name for path in tmp_path.iterdir()] == ["hash.key"]


def test_a_key_file_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "hash.key").write_bytes(b"short")
    key = load_hash_key(None, tmp_path)
    assert len(key) == 32
    assert (tmp_path / "hash.key").read_bytes() == key
    assert mode(tmp_path / "hash.key") == 0o600


def test_a_key_file_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    """As one that was copied from another machine is."""
    (tmp_path / "hash.key").write_bytes(KEY)
    (tmp_path / "hash.key").chmod(0o644)
    assert load_hash_key(None, tmp_path) == KEY
    assert mode(tmp_path / "hash.key") == 0o600


def test_where_no_file_can_be_the_key_is_this_processs_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    key = load_hash_key(None, blocked / "state")
    assert len(key) == 32
    assert load_hash_key(None, blocked / "state") != key
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert caplog.messages[0] == "no hash key in the state directory (Not a directory): using one for this process only"


def test_without_a_state_directory_the_key_is_this_processs() -> None:
    assert load_hash_key(None, None) != load_hash_key(None, None)


def test_a_secret_is_used_instead_of_a_file(tmp_path: Path) -> None:
    assert load_hash_key("correct horse battery staple", tmp_path) == b"correct horse battery staple"
    assert list(tmp_path.iterdir()) == []


def test_one_key_in_hexadecimal_in_base64_and_in_bytes_is_one_key(tmp_path: Path) -> None:
    spelled = {load_hash_key(KEY.hex(), None), load_hash_key(base64.b64encode(KEY).decode(), None)}
    (tmp_path / "hash.key").write_bytes(KEY)
    assert spelled == {KEY} == {load_hash_key(None, tmp_path)}


def test_a_short_secret_is_used_with_a_warning_that_does_not_hold_it(caplog: pytest.LogCaptureFixture) -> None:
    assert load_hash_key("hunter2", None) == b"hunter2"
    assert caplog.messages == ["LLM_OBSERVER_HASH_KEY is shorter than 16 characters: hashes can be guessed"]
    caplog.clear()
    load_hash_key("x" * 16, None)
    assert caplog.messages == []


@example(secret="\ud800" * 16)
@given(secret=st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_secret_is_a_key_and_always_the_same_one(secret: str) -> None:
    logging.getLogger("llm_observer").setLevel(logging.ERROR)
    try:
        first = Hasher(load_hash_key(secret, None))
        assert first.key_id == Hasher(load_hash_key(secret, None)).key_id
    finally:
        logging.getLogger("llm_observer").setLevel(logging.NOTSET)


def test_equal_content_has_equal_hashes_under_one_key_and_other_ones_under_another() -> None:
    a, b = Hasher(KEY), Hasher(KEY[::-1])
    assert a.digest(b"one", b"two") == a.digest(b"onetwo") == Hasher(KEY).digest(b"onetwo")
    assert a.digest(b"onetwo") != b.digest(b"onetwo")
    assert a.name(b"onetwo") != b.name(b"onetwo")
    assert a.key_id != b.key_id
    assert len(a.digest(b"")) == DIGEST_BYTES
    assert len(a.name(b"")) == 16


def test_hashes_of_two_keys_cannot_be_linked() -> None:
    """No byte of the hashes of the same contents under two keys agrees more often than chance has it."""
    a, b = Hasher(KEY), Hasher(KEY[::-1])
    contents = [str(n).encode() for n in range(2000)]
    equal = sum(x == y for c in contents for x, y in zip(a.digest(c), b.digest(c), strict=True))
    expected = len(contents) * DIGEST_BYTES / 256
    assert abs(equal - expected) < 6 * expected**0.5
    assert {a.digest(c) for c in contents}.isdisjoint(b.digest(c) for c in contents)


def test_a_hash_cannot_be_guessed_without_the_key() -> None:
    """It is none of the plain digests of the content."""
    content = b"You are a helpful assistant."
    plain = {hashlib.new(name, content).hexdigest() for name in ("md5", "sha1", "sha256", "blake2b", "sha3_256")}
    plain.add(hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest())
    assert not any(Hasher(KEY).name(content) in digest for digest in plain)


def test_neither_the_key_nor_its_id_gives_the_key_away() -> None:
    hasher = Hasher(KEY)
    assert repr(hasher) == f"Hasher(key_id='{hasher.key_id}')"
    assert hasher.key_id not in KEY.hex()
    assert not hasattr(hasher, "__dict__")
