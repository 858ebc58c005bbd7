"""The whole of it: the demo's application, observed, stored and reported, against the truth that its provider keeps.

Prices are list prices, in US dollars per million tokens, written out here so that nothing of ours is trusted for them.
"""

import json
import re
import socket
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import llm_observer
from llm_observer import demo
from llm_observer.cli import main
from llm_observer.demo import runner
from llm_observer.demo.app import claude, gpt
from llm_observer.demo.app.__main__ import work
from llm_observer.demo.app.assets import FEEDBACK_GUIDE, HANDBOOK, TRIAGE_GUIDE
from llm_observer.demo.provider import Exchange, Provider
from llm_observer.demo.provider.tokens import tokenize
from llm_observer.demo.provider.wire import as_list, compact
from llm_observer.demo.runner import environment

MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Run:
    """One run of the demo."""

    truth: list[Exchange]
    report: dict[str, Any]
    text: str
    kept: list[str]
    """Files that it left in the user's home."""

    def family(self, model: str) -> dict[str, Any]:
        (family,) = [family for family in self.report["families"] if family["model"] == model]
        return family

    def served(self, model: str) -> list[Exchange]:
        return [exchange for exchange in self.truth if exchange.model == model]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`llm-observer demo`, once, in a directory where a file has the name of an SDK."""
    home = tmp_path_factory.mktemp("home")
    store = tmp_path_factory.mktemp("demo") / "calls.db"
    (store.parent / "openai.py").write_text("raise SystemExit('the wrong one')")
    truth: list[Exchange] = []

    def run(*arguments: Any, **more: Any) -> list[Exchange]:
        truth.extend(runner.run(*arguments, **more))
        return truth

    def printed(*arguments: str) -> str:
        with pytest.MonkeyPatch.context() as patched, (store.parent / "printed").open("w+", encoding="utf-8") as output:
            patched.chdir(store.parent)
            patched.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # its tracer breaks anyio's task groups on 3.11
            patched.setenv("HOME", str(home))
            patched.setenv("XDG_STATE_HOME", str(home))
            patched.setattr("sys.stdout", output)
            patched.setattr(demo, "run", run)
            assert main([*arguments, "--store", str(store)]) == 0
            output.seek(0)
            return output.read()

    text = printed("demo")
    kept = [path.name for path in home.rglob("*") if path.is_file()]
    return Run(truth, json.loads(printed("report", "--json")), text, kept)


@dataclass(frozen=True)
class Planted:
    """A fault of the application: where it is, and what of the prompt stays the same, by the provider's own count."""

    model: str
    function: str
    file: Path
    cause: str
    location: str
    offset: int | None
    input_price: str
    read_price: str
    write_price: str | None
    static_tokens: int


HEADER = 3
"""What a message or tool costs at OpenAI besides its text."""

PLANTED = [
    Planted(
        model="claude-opus-5-5",
        function="triage_tickets",
        file=Path(claude.__file__),
        cause="timestamp",
        location="system[0]",
        offset=len("Current time: "),
        input_price="4",
        read_price="0.20",
        write_price="5",
        static_tokens=len(tokenize(TRIAGE_GUIDE)),
    ),
    Planted(
        model="claude-sonnet-4-6",
        function="summarize_cases",
        file=Path(claude.__file__),
        cause="no_breakpoint",
        location="system[0]",
        offset=None,
        input_price="3",
        read_price="0.30",
        write_price=None,
        static_tokens=len(tokenize(HANDBOOK)),
    ),
    Planted(
        model="gpt-5.2",
        function="route_requests",
        file=Path(gpt.__file__),
        cause="tool_order",
        location="tools[0]",
        offset=None,
        input_price="1.75",
        read_price="0.175",
        write_price=None,
        static_tokens=(
            sum(HEADER + len(tokenize(compact(tool))) for tool in gpt.ROUTER_TOOLS)
            + HEADER
            + len(tokenize(gpt.ROUTER_PROMPT))
            + HEADER
        )
        // 128
        * 128,
    ),
    Planted(
        model="gpt-5.6-sol",
        function="classify_feedback",
        file=Path(gpt.__file__),
        cause="boundary_missing",
        location="messages[0]",
        offset=None,
        input_price="4",
        read_price="0.40",
        write_price="5",
        static_tokens=HEADER + len(tokenize(FEEDBACK_GUIDE)),
    ),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.cause)
class TestPlantedFaults:
    def test_the_cause_and_its_place_are_named(self, ran: Run, planted: Planted) -> None:
        family = ran.family(planted.model)
        (finding,) = family["findings"]
        assert family["status"] == "losing"
        assert (finding["cause"], finding["location"]) == (planted.cause, planted.location)
        assert finding["offset"] == planted.offset
        assert finding["avoidable"]
        assert finding["hint"]
        assert finding["calls"] == family["totals"]["calls"] - 1

    def test_the_line_of_the_application_is_named(self, ran: Run, planted: Planted) -> None:
        site = ran.family(planted.model)["findings"][0]["site"]
        assert site["function"] == planted.function
        assert Path(site["file"]) == planted.file
        source = planted.file.read_text("utf-8").splitlines()
        assert ".create(" in source[site["line"] - 1]
        head = max(n for n, line in enumerate(source[: site["line"]]) if line.startswith("def "))
        assert source[head].startswith(f"def {planted.function}(")
        assert f"{planted.file.name}:{site['line']}" in ran.text

    def test_the_saving_is_what_list_prices_make_of_it(self, ran: Run, planted: Planted) -> None:
        """Per call that claims: what of the static part was not read, at what it cost less what a read costs."""
        paid = Decimal(planted.write_price or planted.input_price)
        each = (paid - Decimal(planted.read_price)) / MILLION
        claiming = ran.served(planted.model)[2:]
        lost = sum((each * (planted.static_tokens - exchange.served.read) for exchange in claiming), Decimal(0))
        family = ran.family(planted.model)
        claimed = Decimal(family["findings"][0]["lost_usd"])
        assert abs(claimed / lost - 1) < Decimal("0.02"), (claimed, lost)
        assert Decimal(family["totals"]["lost_usd_avoidable"]) == claimed
        rate = Decimal(family["lost_usd_per_1000_calls"])
        assert abs(rate - claimed * 1000 / (len(claiming) + 1)) < Decimal("0.000001")
        assert f"about ${rate:.2f} in every 1,000 calls" in ran.text


@pytest.mark.parametrize(
    ("model", "function", "share"), [("claude-sonnet-5-5", "stream_reply", 0.85), ("gpt-4.1", "draft_letter", 0.80)]
)
def test_healthy_families_are_reported_healthy(ran: Run, model: str, function: str, share: float) -> None:
    family = ran.family(model)
    assert family["status"] == "healthy"
    assert family["findings"] == []
    assert family["totals"]["cache_share"] > share
    assert Decimal(family["totals"]["saved_usd"]) > 0
    (row,) = [line for line in ran.text.splitlines() if line.strip().startswith(f"{function} ")]
    assert row.endswith("healthy")


def test_every_call_is_in_the_report_with_the_providers_own_counts(ran: Run) -> None:
    totals = ran.report["totals"]
    assert totals["calls"] == len(ran.truth) == 47
    assert totals["input_tokens"] == sum(exchange.served.total for exchange in ran.truth)
    assert totals["cache_read_tokens"] == sum(exchange.served.read for exchange in ran.truth)
    assert ran.report["unpriced"] == []


def test_the_cost_of_a_family_is_what_list_prices_make_of_it(ran: Run) -> None:
    """Claude Opus 5.5: 4 in, 0.20 read, 5 written, 20 out."""
    family = ran.family("claude-opus-5-5")
    served = [exchange.served for exchange in ran.served("claude-opus-5-5")]
    plain = sum(call.total - call.read - call.written for call in served)
    cost = plain * 4 + sum(call.written for call in served) * 5 + family["totals"]["output_tokens"] * 20
    assert Decimal(family["totals"]["cost_usd"]) == Decimal(cost) / MILLION


TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")


class Observed:
    """One run of the application in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **patched: Any) -> None:
        with Provider(clock=lambda: 1_790_000_000.0) as provider:
            for name, value in environment({}, provider, Path("unused")).items():
                monkeypatch.setenv(name, value)
            if patched:
                llm_observer.patch(**patched)
            try:
                self.answers = work()
                assert llm_observer.flush()
            finally:
                llm_observer.unpatch()
        self.dumped = {name: [plain(answer) for answer in answers] for name, answers in self.answers.items()}
        self.types = {name: [type(answer).__name__ for answer in answers] for name, answers in self.answers.items()}
        # What letters are sent first among those that are sent at once is the event loop's business.
        self.bodies = sorted(TIME.sub(b"<time>", exchange.body) for exchange in provider.log)
        self.address = provider.url.removeprefix("http://")


def plain(answer: Any) -> Any:
    """A response, or the list of chunks of one, as plain data."""
    return [plain(chunk) for chunk in as_list(answer)] or answer.model_dump()


def test_answers_and_requests_are_equal_with_the_package_on_and_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And while it is on, no socket is opened to anything but the provider."""
    off = Observed(monkeypatch)
    reached: list[str] = []
    for name in ("connect", "connect_ex"):
        real = getattr(socket.socket, name)

        def noted(self: socket.socket, address: Any, real: Any = real) -> Any:
            reached.append(f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address))  # pyright: ignore[reportUnknownArgumentType]
            return real(self, address)

        monkeypatch.setattr(socket.socket, name, noted)
    resolve = socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **more: Any) -> Any:
        assert host == "127.0.0.1"
        return resolve(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    on = Observed(monkeypatch, store=str(tmp_path / "calls.db"))
    assert on.dumped == off.dumped
    assert on.types == off.types
    assert on.bodies == off.bodies
    assert set(reached) == {on.address}
    assert (tmp_path / "calls.db").exists()


def test_it_shows_progress_ends_within_half_a_minute_and_leaves_nothing_behind(ran: Run) -> None:
    progress, _, report = ran.text.partition("Done in ")
    assert [line.split("●")[0].strip() for line in progress.splitlines() if "●" in line] == [
        "chatting with customers",
        "triaging tickets",
        "summarizing cases",
        "routing requests to tools",
        "classifying feedback",
        "drafting letters",
    ]
    assert float(report.split(" s.")[0]) < 30
    assert ran.kept == []


def test_the_readme_shows_what_the_demo_prints(ran: Run) -> None:
    """Causes, places, lines of code and fixes; amounts follow the price list and are not compared."""

    def told(text: str) -> list[str]:
        words = [line.split() for line in text.splitlines()]
        rows = [row for row in words if row[:1] in (["where"], ["code"], ["fix"])]
        return [f"{row[0]} {' '.join(row[1:]).rpartition('/')[2]}" for row in rows]

    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("```text\n")[2].partition("```")[0]
    assert len(told(shown)) == 3 * len(PLANTED)
    assert told(shown) == told(ran.text)
