"""`llm-observer analyze`, as its user meets it."""

import gzip
import io
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from recorded import recorder

from llm_observer.cli import main, recordings
from llm_observer.cli.recordings import Recordings
from llm_observer.guard import Guard
from llm_observer.replay import iter_analyze

JSON = dict[str, Any]
SECRET = "Zq7-the-content-of-a-prompt"


def record(n: int = 0, **more: Any) -> JSON:
    """The `n`th call of one prompt."""
    messages = [{"role": "system", "content": SECRET * 5}, {"role": "user", "content": f"question {n}"}]
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 0}}
    body: JSON = {"model": "gpt-4.1", "messages": messages}
    start = 1_790_000_000.0 + n
    return {"at": start, "provider": "openai", "api": "chat.completions", "request": body, "usage": usage} | more


def line(n: int = 0, **more: Any) -> bytes:
    return json.dumps(record(n, **more)).encode() + b"\n"


@pytest.fixture(scope="module")
def talk() -> list[JSON]:
    """Calls of two prompts, one of which starts with the time."""
    system = [{"type": "text", "text": "Answer briefly. " * 1000, "cache_control": {"type": "ephemeral"}}]
    with recorder() as made:
        for n in range(8):
            head = [{"type": "text", "text": f"It is 2026-09-2{n}T10:00:00Z."}] if n % 2 else []
            messages = [{"role": "user", "content": f"question {n}"}]
            body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "system": [*head, *system], "messages": messages}
            made.call("messages", body)
    return made.records


@pytest.fixture
def recorded(tmp_path: Path, talk: list[JSON]) -> Path:
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in talk), encoding="utf-8")
    return path


def errors(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on standard error, when there is nothing on standard output."""
    printed = capsys.readouterr()
    assert printed.out == ""
    assert SECRET not in printed.err
    assert "Traceback" not in printed.err
    return printed.err.splitlines()


def as_json(capsys: pytest.CaptureFixture[str]) -> JSON:
    return json.loads(capsys.readouterr().out)


class TestReport:
    def test_it_is_the_report_of_families_causes_and_savings(
        self, recorded: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["analyze", str(recorded)]) == 0
        printed = capsys.readouterr()
        assert str(recorded) in printed.out
        assert "A timestamp changes the prompt on every call" in printed.out
        assert "system[0], character 6" in printed.out
        assert "in every 1,000 calls like these" in printed.out
        assert "✓ healthy" in printed.out
        assert printed.err == ""

    def test_as_json_it_is_the_one_of_the_store(self, recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["analyze", str(recorded), "--json"]) == 0
        report = as_json(capsys)
        assert report["format"] == "llm-observer.report/1"
        assert report["passed_over"] == 0
        losing, healthy = report["families"]
        assert (losing["status"], healthy["status"]) == ("losing", "healthy")
        assert losing["findings"][0]["cause"] == "timestamp"
        assert report["totals"]["calls"] == 8
        assert report["period"]["first"].endswith("+00:00")

    def test_the_sums_are_those_of_the_calls(
        self, recorded: Path, talk: list[JSON], capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(["analyze", str(recorded), "--json"])
        totals = as_json(capsys)["totals"]
        reports = list(iter_analyze(talk))
        assert totals["cost_usd"] == str(sum(report.cost.usd or 0 for report in reports))
        assert totals["cache_read_tokens"] == sum(report.cache.reported_tokens or 0 for report in reports)

    def test_a_tag_names_the_prompt(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "f").write_bytes(b"".join(line(n, tag="triage") for n in range(3)))
        main(["analyze", str(tmp_path / "f")])
        assert "triage" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("more", "entry"),
        [
            ({"request": {"model": "acme-7b", "messages": []}}, '[[price]]\nprovider = "openai"\nmodel = "acme-7b"\n'),
            (
                {"response": {"model": "gpt-4.1-2025-04-14", "service_tier": "warp"}},
                '[[price]]\nprovider = "openai"\nmodel = "gpt-4.1-2025-04-14"\ntier = "warp"\n',
            ),
        ],
    )
    def test_a_model_without_a_price_comes_with_the_entry_that_gives_it_one(
        self,
        more: JSON,
        entry: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = tmp_path / "f"
        path.write_bytes(b"".join(line(n, **more) for n in range(3)))
        main(["analyze", str(path), "--json"])
        report = as_json(capsys)
        assert report["unpriced"][0]["entry"].startswith(entry)
        main(["analyze", str(path)])
        printed = " ".join(capsys.readouterr().out.split())
        assert " ".join(entry.split()) in printed
        (tmp_path / "prices.toml").write_text(entry + "input = 2\noutput = 8\n", encoding="utf-8")
        monkeypatch.setenv("LLM_OBSERVER_PRICES", str(tmp_path / "prices.toml"))
        main(["analyze", str(path), "--json"])
        report = as_json(capsys)
        assert report["unpriced"] == []
        assert Decimal(report["totals"]["cost_usd"]) == Decimal("0.00108")


class TestCalls:
    def test_each_is_a_line_with_its_place_and_no_content(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "f"
        path.write_bytes(line(0) + b"\n" + line(1))
        assert main(["analyze", "--calls", str(path)]) == 0
        printed = capsys.readouterr().out
        assert SECRET not in printed
        first, second = map(json.loads, printed.splitlines())
        assert (first["file"], first["line"], second["line"]) == (str(path), 1, 3)
        assert first["usage"] == {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 0}
        assert Decimal(first["cost"]["usd"]) == Decimal("0.00036")
        assert "response_model" not in first, "what is not known is left out"
        assert first["cache"]["confirmed_by"] in ([], ["usage"])

    def test_they_cannot_be_asked_for_with_the_report(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as stop:
            main(["analyze", "--calls", "--json", "f"])
        assert stop.value.code == 2
        assert len(errors(capsys)) == 1


class TestInput:
    def test_gzip_is_known_by_content_and_may_have_been_appended_to(
        self, recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(["analyze", str(recorded), "--json"])
        plain = as_json(capsys)
        lines = recorded.read_bytes().splitlines(keepends=True)
        packed = tmp_path / "calls.txt"
        packed.write_bytes(gzip.compress(b"".join(lines[:3])) + gzip.compress(b"".join(lines[3:])))
        assert main(["analyze", str(packed), "--json"]) == 0
        report = as_json(capsys)
        for family in (*report["families"], *plain["families"]):
            del family["id"], family["name"]
        assert report == plain

    @pytest.mark.parametrize(
        "end",
        [b"", b"\0" * 600_000, gzip.compress(b""), b"\0" + gzip.compress(line(2))],
        ids=["nothing", "zeros", "an empty part", "a zero and a part"],
    )
    def test_gzip_data_may_be_padded_or_have_empty_parts(
        self, end: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "f").write_bytes(gzip.compress(line(1)) + end)
        assert main(["analyze", "--json", str(tmp_path / "f")]) == 0
        assert as_json(capsys)["totals"]["calls"] in {1, 2}

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_dash_is_standard_input(self, recorded: Path, *, packed: bool) -> None:
        command = [sys.executable, "-m", "llm_observer", "analyze", "-"]
        given = recorded.read_bytes()
        done = subprocess.run(
            command, input=gzip.compress(given) if packed else given, capture_output=True, check=True, timeout=60
        )
        assert done.stdout.decode().startswith("llm-observer  standard input")
        assert done.stderr == b""

    def test_input_that_is_closed_is_one_line(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", None)
        assert main(["analyze", "-"]) == 2
        assert errors(capsys)[0] == "llm-observer: standard input: cannot be read: no such input"

    def test_files_are_read_at_once_in_the_order_of_time(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a").write_bytes(line(1) + line(4))
        (tmp_path / "b").write_bytes(line(2) + line(3))
        assert main(["analyze", "--calls", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
        lines = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
        assert [each["at"] - 1_790_000_000 for each in lines] == [1, 2, 3, 4]
        main(["analyze", str(tmp_path / "a"), str(tmp_path / "b")])
        assert capsys.readouterr().out.startswith("llm-observer  2 files")

    def test_records_that_are_far_out_of_order_are_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "f").write_bytes(line(5000) + line(4990) + line(1))
        assert main(["analyze", "--json", str(tmp_path / "f")]) == 0
        assert "out of order: 1 call more than 10 minutes behind a later one" in capsys.readouterr().err

    def test_a_mark_of_utf_8_windows_line_ends_and_blank_lines_are_no_problem(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "f").write_bytes(b"\xef\xbb\xbf" + line(1).strip() + b"\r\n\r\n" + line(2).strip())
        assert main(["analyze", "--json", str(tmp_path / "f")]) == 0
        assert as_json(capsys)["totals"]["calls"] == 2

    def test_what_json_allows_in_text_is_explained(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        body = {"model": "gpt-4.1\ud800", "messages": [{"role": "user", "content": "\ud83d half of a sign \udfff"}]}
        (tmp_path / "f").write_bytes(line(request=body, scope="\ud800", tag="\ud800"))
        assert main(["analyze", str(tmp_path / "f")]) == 0
        assert main(["analyze", "--calls", str(tmp_path / "f")]) == 0
        assert "half of a sign" not in capsys.readouterr().out


class TestProblems:
    @pytest.mark.parametrize(
        ("bad", "told"),
        [
            (b'{"at": 1', "not JSON: Expecting ',' delimiter (character 9)"),
            (b'{"at": "' + SECRET.encode(), "not JSON: Unterminated string starting at (character 8)"),
            (b"\xff\xfe{}", "not UTF-8 text: write each record with json.dumps and encoding='utf-8'"),
            (b'{"at": ' + b"1" * 5000 + b"}", "not JSON that can be read: a number is too long"),
            (b"[" * 3, "a JSON array, not JSON lines: write one record on each line, as jq -c '.[]' does"),
            (b"{", "the record spans several lines: write it on one, as jq -c . does"),
            (b'{"a":' * 100_000, "not JSON that can be read"),
            (b"null", "a record is a JSON object"),
            (line(at="today").strip(), '"at" is not a number of seconds'),
            (line(request=SECRET).strip(), '"request" is missing: give the body as sent, as a JSON object'),
        ],
    )
    def test_a_bad_line_is_told_by_number_and_passed_over(
        self, bad: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "f"
        path.write_bytes(line(1) + bad + b"\n" + line(2))
        assert main(["analyze", "--json", str(path)]) == 1
        printed = capsys.readouterr()
        report = json.loads(printed.out)
        assert report["totals"]["calls"] == 2
        assert f"llm-observer: {path}:2: {told}" in printed.err
        assert report["passed_over"] == printed.err.count("\n") == 1
        assert SECRET not in printed.err + printed.out

    def test_a_line_that_is_too_long_is_passed_over_without_reading_it_whole(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recordings, "MOST_LINE_BYTES", 1 << 20)
        path = tmp_path / "f"
        long = b'{"at": "' + b"x" * (3 << 20) + b'"}\n'
        path.write_bytes(line(1) + long + line(2) + long.strip())
        assert main(["analyze", "--json", str(path)]) == 1
        printed = capsys.readouterr()
        assert json.loads(printed.out)["totals"]["calls"] == 2
        assert printed.err.splitlines() == [f"llm-observer: {path}:{n}: the line is longer than 1 MiB" for n in (2, 4)]

    def test_a_json_array_is_told_once(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "f"
        path.write_text(json.dumps([record(1), record(2)], indent=1), encoding="utf-8")
        assert main(["analyze", str(path)]) == 2
        first, last = errors(capsys)
        assert "a JSON array" in first
        assert "nothing was read" in last

    def test_many_problems_are_counted_and_not_all_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "f").write_bytes(line(1) + b"{}\n" * 1000)
        assert main(["analyze", "--json", str(tmp_path / "f")]) == 1
        printed = capsys.readouterr()
        assert json.loads(printed.out)["passed_over"] == 1000
        *shown, last = printed.err.splitlines()
        assert len(shown) == 20
        assert last == "llm-observer: 1,000 problems in all, 20 of them shown"

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
    def test_gzip_data_that_end_early_are_told_and_what_was_before_is_kept(
        self, part: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = b"".join(line(n, scope=os.urandom(9000).hex()) for n in range(100))
        packed = gzip.compress(text)
        (tmp_path / "f").write_bytes(packed[: int(len(packed) * part)])
        assert main(["analyze", "--json", str(tmp_path / "f")]) == 1
        printed = capsys.readouterr()
        calls = json.loads(printed.out)["totals"]["calls"]
        assert calls == pytest.approx(100 * part, abs=5)  # pyright: ignore[reportUnknownMemberType]  untyped there
        assert f"the gzip data end early or are damaged: line {calls} is the last that was read" in printed.err

    def test_gzip_data_that_are_damaged_are_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "f").write_bytes(gzip.compress(line(1))[:12] + b"damage" * 10)
        assert main(["analyze", str(tmp_path / "f")]) == 2
        assert "line 0 is the last that was read" in errors(capsys)[0]

    def test_a_file_that_cannot_be_read_is_told_and_others_are_read(
        self, recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["analyze", "--json", str(recorded), str(tmp_path / "none"), str(tmp_path)]) == 1
        printed = capsys.readouterr()
        assert json.loads(printed.out)["totals"]["calls"] == 8
        assert printed.err.splitlines() == [
            f"llm-observer: {tmp_path / 'none'}: cannot be read: No such file or directory",
            f"llm-observer: {tmp_path}: cannot be read: Is a directory",
        ]

    @pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file whose reading fails")
    def test_a_file_whose_reading_fails_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["analyze", "/proc/self/mem"]) == 2
        assert errors(capsys)[0] == "llm-observer: /proc/self/mem: cannot be read: Input/output error"

    @pytest.mark.parametrize(
        "content",
        [b"", b"\n\n", b"\x1f", gzip.compress(b"")],
        ids=["nothing", "empty lines", "half a gzip mark", "gzip of nothing"],
    )
    def test_a_file_without_calls_is_status_2(
        self, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "f").write_bytes(content)
        assert main(["analyze", str(tmp_path / "f")]) == 2
        assert errors(capsys)[-1].startswith("llm-observer: nothing was read")

    def test_an_interrupt_ends_without_a_traceback(
        self, recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupted(_: Recordings) -> Iterator[object]:
            raise KeyboardInterrupt

        monkeypatch.setattr(Recordings, "__iter__", interrupted)
        assert main(["analyze", str(recorded)]) == 130
        assert errors(capsys) == []

    def test_what_fails_inside_costs_one_calls_verdict(
        self, recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def failing(*_: object) -> None:
            raise ValueError(SECRET)

        monkeypatch.setattr(Guard, "strict", False)
        monkeypatch.setattr("llm_observer.engine.read_prompt", failing)
        assert main(["analyze", "--json", str(recorded)]) == 0
        assert as_json(capsys)["totals"]["calls"] == 8


class TestProgress:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def test_on_a_terminal_it_says_how_far_it_is_and_clears_that(
        self, recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        terminal = self.Terminal()
        clock = itertools.count()
        monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
        monkeypatch.setattr(sys, "stderr", terminal)
        recorded.write_bytes(b"{}\n" + recorded.read_bytes())
        assert main(["analyze", str(recorded)]) == 1
        drawn = terminal.getvalue().split("\r")
        assert any(">99 % of" in each or "100 % of" in each for each in drawn)
        assert any("8 calls, " in each and each.endswith("/s\x1b[K") for each in drawn)
        assert drawn[-1] == "\x1b[K"
        assert capsys.readouterr().out.startswith("llm-observer")

    def test_of_a_pipe_it_says_how_much_was_read(
        self, talk: list[JSON], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terminal = self.Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        text = "".join(json.dumps(each) + "\n" for each in talk)
        writer = threading.Thread(target=pipe.write_text, args=(text,))
        writer.start()
        assert main(["analyze", str(pipe)]) == 0
        writer.join()
        first = terminal.getvalue().split("\r")[1]
        assert ", 1 call, " in first
        assert "%" not in first


class TestMemory:
    def test_a_line_is_read_when_the_call_before_it_was_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "f"
        path.write_bytes(b"".join(line(n, scope="x" * 10_000) for n in range(1000)))
        with Recordings([str(path)], print) as read:
            assert read.position == 0
            entries = iter(read)
            assert [next(entries).line for _ in range(3)] == [1, 2, 3]
            assert read.position < 1 << 19
            assert read.size == path.stat().st_size
