"""Numbers, places and causes in words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from report_events import broken

from llm_observer.report import words
from llm_observer.report.families import Finding
from llm_observer.report.summary import summarize
from llm_observer.results import CallSite
from llm_observer.telemetry import attributes


def finding(**more: object) -> Finding:
    (family,) = summarize([broken(n, **more) for n in range(3)]).families
    return family.findings[0]


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (None, "-"),
        ("0", "$0"),
        ("0.00001", "<$0.0001"),
        ("-0.0123", "-$0.0123"),
        ("0.99", "$0.9900"),
        ("12.346", "$12.35"),
        ("12345.6", "$12,346"),
    ],
)
def test_money(amount: str | None, said: str) -> None:
    assert words.money(None if amount is None else Decimal(amount)) == said


@pytest.mark.parametrize(
    ("part", "said"), [(None, "-"), (0.0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (0.999, ">99 %"), (1.0, "100 %")]
)
def test_shares(part: float | None, said: str) -> None:
    assert words.percent(part) == said


@pytest.mark.parametrize(("seconds", "said"), [(5, "5 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d")])
def test_durations(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_sizes_and_tokens() -> None:
    assert [words.size(count) for count in (12, 2000, 3_400_000)] == ["12 bytes", "2 kB", "3.4 MB"]
    assert (words.tokens(None), words.tokens(12345)) == ("-", "12,345")


def test_a_period_says_a_day_once() -> None:
    start = datetime(2026, 11, 22, 10, 0, tzinfo=UTC).astimezone()
    day = f"{start:%Y-%m-%d}"
    assert words.period(None, None) is None
    assert words.period(start, start) == f"{start:%Y-%m-%d %H:%M}"
    assert words.period(start, start + timedelta(minutes=5)) == f"{day} {start:%H:%M} to {start:%H}:05"
    later = start + timedelta(days=3)
    assert words.period(start, later) == f"{start:%Y-%m-%d %H:%M} to {later:%Y-%m-%d %H:%M}"


def test_every_cause_and_every_reason_has_words() -> None:
    """The registry's members, each said in more than its own name."""
    for cause in attributes.CacheCause.__args__:
        if cause != "none":
            assert words.what_happened(finding(cause=cause)) != cause.replace("_", " "), cause
    for reason in attributes.CostReason.__args__:
        assert " " in words.why_unpriced(reason)
        assert words.why_unpriced(reason) != reason.replace("_", " ")


def test_what_to_add_is_said_where_something_helps() -> None:
    assert "LLM_OBSERVER_PRICES" in (words.what_to_add("unknown_model") or "")
    assert "include_usage" in (words.what_to_add("no_usage") or "")
    assert "doctor" in (words.what_to_add("prices_unavailable") or "")
    assert words.what_to_add("internal_error") is None


def test_an_unsure_cause_is_said_to_be_possible() -> None:
    assert words.what_happened(finding(confidence=0.4)) == "Possibly: a timestamp changes the prompt on every call"
    assert words.what_happened(finding(cause="new_cause")) == "new cause"


def test_a_place_is_the_path_and_the_character() -> None:
    assert words.place(finding()) == "system[0], character 14"
    assert words.place(finding(offset=None)) == "system[0]"
    assert words.place(finding(location=None)) is None


def test_a_source_is_a_path_that_opens_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def said(file: Path) -> str:
        return words.source(CallSite(file=str(file), function="f", line=3))

    assert said(tmp_path / "app" / "a.py") == "app/a.py:3"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert said(tmp_path / "home" / "b.py") == "~/b.py:3"
    assert said(Path("/srv/c.py")) == "/srv/c.py:3"

    def another_drive(_path: str) -> str:
        raise ValueError

    monkeypatch.setattr("os.path.relpath", another_drive)
    assert said(Path("/srv/c.py")) == "/srv/c.py:3"


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("https://events.example/v1?key=x", "https://events.example"),
        ("http://user:secret@127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ("http://[::1]:4318", "http://[::1]:4318"),
        ("http://[x", "(no URL)"),
        ("http://a:b", "(no URL)"),
        ("events", "(no URL)"),
        (None, "(no URL)"),
    ],
)
def test_of_an_endpoint_scheme_host_and_port(endpoint: str | None, said: str) -> None:
    assert words.origin(endpoint) == said
