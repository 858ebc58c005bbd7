"""The demo's application and how it is run."""

import importlib.util
from pathlib import Path

import pytest

from llm_observer.demo import DemoError, run
from llm_observer.demo.app.__main__ import work
from llm_observer.demo.provider import Exchange, Provider
from llm_observer.demo.runner import environment


@pytest.fixture
def pointed(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The environment that the application finds."""
    for name, value in environment({}, provider, Path("unused")).items():
        monkeypatch.setenv(name, value)
    return provider


def served(log: list[Exchange], model: str) -> list[tuple[int, int]]:
    return [(exchange.served.read, exchange.served.written) for exchange in log if exchange.model == model]


def test_it_plants_what_it_is_said_to_plant(pointed: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    """Two families whose prompts the cache serves, and four whose prompts it cannot."""
    results = work()
    assert {name: len(answers) for name, answers in results.items()} == {
        "chats": 9,
        "tickets": 8,
        "cases": 6,
        "requests": 8,
        "comments": 8,
        "letters": 8,
    }
    # Healthy: after the first call all reads cover the handbook and all of the conversation so far.
    chats = served(pointed.log, "claude-sonnet-5-5")
    assert chats[0][0] == 0
    assert all(read > 3500 and written < 150 for read, written in chats[1:])
    letters = served(pointed.log, "gpt-4.1")
    assert letters == [(0, 0), *[(2304, 0)] * 7]
    # A timestamp ahead of the guide: written every time, never read.
    assert {read for read, _ in served(pointed.log, "claude-opus-5-5")} == {0}
    assert min(written for _, written in served(pointed.log, "claude-opus-5-5")) > 1700
    # No marker at all.
    assert set(served(pointed.log, "claude-sonnet-4-6")) == {(0, 0)}
    # Tools in changing order: nothing at first, later what happens to stand still.
    requests = [read for read, _ in served(pointed.log, "gpt-5.2")]
    assert requests[:6] == [0] * 6
    assert max(requests) < 2000
    # No boundary behind the static part.
    assert {read for read, _ in served(pointed.log, "gpt-5.6-sol")} == {0}
    assert capsys.readouterr().out.count("●") == 47


def test_its_environment_leads_to_the_provider_and_nowhere_else(provider: Provider, tmp_path: Path) -> None:
    inherited = {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy.example",
        "all_proxy": "http://proxy.example",
        "OPENAI_ORG_ID": "org",
        "ANTHROPIC_AUTH_TOKEN": "t",
        "LLM_OBSERVER_ENABLED": "true",
        "LLM_OBSERVER_ENDPOINT": "https://events.example",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example",
    }
    found = environment(inherited, provider, tmp_path / "calls.db")
    assert "example" not in str(found)
    assert found["PATH"] == "/bin"
    assert found["OPENAI_BASE_URL"] == provider.openai_url
    assert found["LLM_OBSERVER_STORE"] == str(tmp_path / "calls.db")
    assert "OPENAI_ORG_ID" not in found
    assert "ANTHROPIC_AUTH_TOKEN" not in found


def test_without_an_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def found(name: str) -> None:
        assert name in {"openai", "anthropic"}

    monkeypatch.setattr(importlib.util, "find_spec", found)
    with pytest.raises(DemoError, match=r"needs openai and anthropic: pip install"):
        run(tmp_path / "calls.db")


def test_an_application_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "anthropic.py").write_text("raise SystemExit(3)")
    with pytest.raises(DemoError, match="exit status 3"):
        run(tmp_path / "calls.db")


def test_an_application_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("llm_observer.demo.runner._TIMEOUT_S", 0.5)
    (tmp_path / "anthropic.py").write_text("import time\ntime.sleep(60)")
    with pytest.raises(DemoError, match="did not end"):
        run(tmp_path / "calls.db")
