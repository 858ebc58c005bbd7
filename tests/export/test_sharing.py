"""Processes of one host know of one another's calls, through the store, and only with the same hash key."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from llm_observer.analysis.analyzer import Analyzer
from llm_observer.export.database import Database
from llm_observer.export.sharing import Sharing
from llm_observer.privacy import Hasher

JSON = dict[str, Any]

RULES = " ".join(f"Rule {i}: be polite, and read section {chr(65 + i % 26)} of the handbook first." for i in range(300))
SIZE = 6000

PROGRAM = """
import json, sys
from llm_observer import wiring
from llm_observer.config import Settings
from llm_observer.engine import Engine
from llm_observer.guard import Guard
from llm_observer.replay import call_from_record
from llm_observer.telemetry.runtime import Runtime

Guard.strict = True
settings = Settings.resolve()
engine = Engine.create(settings)
wiring.connect(Runtime(settings, engine))
store = wiring.connected().keeper.store
engine.prices.wait(30)
for line in sys.stdin:
    engine.sharing()  # as a live call does when it begins; not more often than a few times a second
    store.put(lambda: None)
    assert store.flush(20)
    report = engine.explain(call_from_record(json.loads(line)))
    store.put(lambda: None)
    assert store.flush(20)
    verdict = report.cache
    print(json.dumps([verdict.cause, verdict.location, verdict.offset, report.prompt.similarity]), flush=True)
"""


class Peer:
    """A process of its own that explains the calls it is given."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def explain(self, record: JSON) -> list[Any]:
        """Cause, location, offset and similarity."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(record) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def peer(store: Path, key: str = "a key for this host's processes") -> Generator[Peer]:
    environment = {"LLM_OBSERVER_STORE": str(store), "LLM_OBSERVER_HASH_KEY": key, "PATH": ""}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Peer(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Peer, Peer, Peer, Path]]:
    """Two with the same key, one with another."""
    store = tmp_path_factory.mktemp("shared") / "calls.db"
    with ExitStack() as stack:
        one, two = (stack.enter_context(peer(store)) for _ in range(2))
        yield one, two, stack.enter_context(peer(store, "a key of somebody else's")), store


def call(at: float, question: str, *, system: str = RULES, read: int = 0) -> JSON:
    block = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
    request = {"model": "claude-sonnet-4-5", "system": [block], "messages": [{"role": "user", "content": question}]}
    usage = {"input_tokens": 12, "cache_read_input_tokens": read, "cache_creation_input_tokens": SIZE - read}
    more = {"first_byte_s": 0.5, "duration_s": 1.0, "scope": "team"}
    return {"at": at, "provider": "anthropic", "api": "messages", "request": request, "usage": usage, **more}


def test_one_process_names_what_differs_from_anothers_call(peers: tuple[Peer, Peer, Peer, Path]) -> None:
    one, two, other, _ = peers
    stamped = [f"{RULES}\nCurrent time: 2026-11-22T10:00:0{i}Z\nBe brief. {RULES[:2000]}" for i in range(3)]
    assert one.explain(call(1000.0, "First?", system=stamped[0]))[0] == "none"
    assert two.explain(call(1010.0, "Second?", system=stamped[1])) == [
        "timestamp",
        "system[0]",
        len(RULES) + 15,
        pytest.approx(1, abs=0.01),
    ]
    assert one.explain(call(1020.0, "Third?", system=stamped[2]))[0] == "timestamp"
    assert other.explain(call(1030.0, "Fourth?", system=stamped[0]))[0] == "none"


def test_an_entry_that_another_process_wrote_is_known_with_its_lifetime(peers: tuple[Peer, Peer, Peer, Path]) -> None:
    one, two, _, _ = peers
    system = RULES[::-1]
    assert one.explain(call(2000.0, "First?", system=system))[0] == "none"
    assert two.explain(call(2000.2, "At once?", system=system))[0] == "concurrent_cold_start"
    assert one.explain(call(2200.0, "Used?", system=system, read=SIZE))[0] == "none"
    # Its own call is too long ago, but the other process's use renewed the entry.
    assert two.explain(call(2450.0, "Dropped?", system=system))[0] == "evicted_or_rerouted"
    assert one.explain(call(2900.0, "Late?", system=system))[0] == "ttl_expired"


def test_a_conversation_goes_on_in_another_process(peers: tuple[Peer, Peer, Peer, Path]) -> None:
    one, two, _, _ = peers
    first = call(3000.0, "A question of its own?", system=f"Another prompt. {RULES}")
    assert one.explain(first)[0] == "none"
    second = call(3010.0, "Next?", system=f"Another prompt. {RULES}".replace("polite", "kind", 1))
    cause, location, offset, _ = two.explain(second)
    # The lines of the other process's prompt are not in the store, so where it differs is not claimed.
    assert (cause, location, offset) in {("none", None, None), ("system_changed", "system[0]", None)}


def test_the_store_has_hashes_and_no_text(peers: tuple[Peer, Peer, Peer, Path]) -> None:
    one, _, _, store = peers
    one.explain(call(4000.0, "Is the sesame secret?", system=f"Open sesame. {RULES}"))
    with closing(sqlite3.connect(store)) as connection:
        rows = [row[0] for row in connection.execute("SELECT call FROM shared")]
    assert rows
    assert not any(word in row.lower() for row in rows for word in ("sesame", "polite", "handbook", "team"))


def hearing(path: Path, told: list[str], heard: list[str], key_id: str = "k") -> tuple[Sharing, Database]:
    def tell() -> list[str]:
        texts = told[:]
        told.clear()
        return texts

    return Sharing(key_id, tell, heard.append, lambda: None), Database(path)


def test_each_call_is_heard_once_by_others_and_the_table_is_bounded(tmp_path: Path) -> None:
    told: list[str] = []
    heard_here: list[str] = []
    heard_there: list[str] = []
    here, database = hearing(tmp_path / "calls.db", told, heard_here)
    there, other = hearing(tmp_path / "calls.db", [], heard_there)
    for i in range(12):
        told += [f"{i}.{n}" for n in range(300)]
        here.exchange(database)
        there.exchange(other)
        there.exchange(other)
    assert heard_here == []
    assert len(heard_there) == len(set(heard_there)) == 3600
    assert database.connection.execute("SELECT count(*) FROM shared").fetchone()[0] <= 2000
    late: list[str] = []
    third, same = hearing(tmp_path / "calls.db", [], late)
    third.exchange(same)
    assert late == [f"11.{n}" for n in range(300)] or len(late) == 500
    assert late[-1] == "11.299"
    for opened in (database, other, same):
        opened.close()


def test_an_exchange_takes_no_longer_for_what_the_process_told_before(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine, as no clock is fair."""
    told: list[str] = []
    sharing, database = hearing(tmp_path / "calls.db", told, [])

    def steps() -> int:
        taken = 0

        def step() -> int:
            nonlocal taken
            taken += 1
            return 0

        told.append("one more")
        database.connection.set_progress_handler(step, 1)
        sharing.exchange(database)
        database.connection.set_progress_handler(None, 1)
        return taken

    sharing.exchange(database)
    few = steps()
    told += ["said"] * 150
    sharing.exchange(database)
    assert steps() < few + 20
    database.close()


def test_what_others_tell_through_a_new_file_is_heard(tmp_path: Path) -> None:
    """The user has removed the store meanwhile: numbers start over in the one made in its place."""
    told, heard = ["a", "b"], list[str]()
    here, database = hearing(tmp_path / "old.db", told, [])
    there, other = hearing(tmp_path / "old.db", [], heard)
    here.exchange(database)
    there.exchange(other)
    told.append("c")
    fresh = Database(tmp_path / "new.db")
    here.exchange(fresh)
    there.exchange(fresh)
    assert heard == ["a", "b", "c"]
    for opened in (database, other, fresh):
        opened.close()


def test_what_is_not_understood_is_passed_over(tmp_path: Path) -> None:
    """A newer release's calls, and those of another key."""
    analyzer = Analyzer(Hasher(b"k" * 32))
    analyzer.hear('{"v": 99}')
    for text in ("", "[]", "{}", '{"v": 1}'):
        with pytest.raises((ValueError, KeyError, TypeError)):
            analyzer.hear(text)
    told, heard = ["x"], list[str]()
    mine, database = hearing(tmp_path / "calls.db", told, [])
    mine.exchange(database)
    theirs, other = hearing(tmp_path / "calls.db", [], heard, key_id="another")
    theirs.exchange(other)
    assert heard == []
    database.close()
    other.close()
