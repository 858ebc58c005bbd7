"""Settings in the file of `OTEL_CONFIG_FILE`, under `opentelemetry-instrument`."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from programs import run_instrumented

from llm_observer.demo.provider import Provider

AGAIN = "Attempting to instrument while already instrumented"
"""What the agent says of each instrumentation that the file has set up: it comes by once more."""

SHOWN = """
import openai
from opentelemetry import trace
from llm_observer.instrumentor import LLMObserverInstrumentor

with openai.OpenAI(max_retries=0) as client:
    client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Where is my spade?"}])

runtime = LLMObserverInstrumentor.runtime
print(type(trace.get_tracer_provider()).__module__)
print("not instrumented" if runtime is None else runtime.settings)
"""

Running = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def run_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, provider: Provider) -> Running:
    """Runs `SHOWN` with a file that has these lines for the package; its call is made, whatever they are."""

    def run_with(lines: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "otel.yaml"
        section = f"instrumentation/development: {{python: {{llm_observer: {lines}}}}}"
        spans = "tracer_provider: {processors: [{batch: {exporter: {console: {}}}}]}"
        file.write_text(f"file_format: '1.0'\n{spans}\n{section}\n", encoding="utf-8")
        monkeypatch.setenv("OTEL_CONFIG_FILE", str(file))
        done = run_instrumented("-c", SHOWN)
        assert len(provider.log) == 1
        assert "Traceback" not in done.stderr
        assert done.stdout.startswith("opentelemetry.sdk.trace\n")
        return done

    return run_with


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was logged, except OpenTelemetry's own."""
    return [line for line in done.stderr.splitlines() if AGAIN not in line and "OTEL_" not in line]


def test_settings_of_the_file_are_those_of_patch(run_with: Running, tmp_path: Path) -> None:
    """YAML's own reading of `off` as false included."""
    done = run_with(f"{{store: off, call_site: off, hash_key: {'a' * 32}, prices: {tmp_path}/none.json, snippets: on}}")
    for found in ("store=None", "call_site=False", f"prices={tmp_path / 'none.json'!r}", "snippets=True"):
        assert found in done.stdout
    assert AGAIN in done.stderr


def test_a_misspelt_setting_is_one_line_and_the_others_hold(run_with: Running) -> None:
    done = run_with("{stroe: off, store: [off], call_site: off, environ: x, runtime: x}")
    assert "call_site=False" in done.stdout
    assert said(done) == [
        "environ is not a setting",
        "runtime is not a setting",
        "stroe is not a setting: did you mean store?",
        "store is not one value: it is not used",
    ]


def test_the_file_can_leave_the_package_out(run_with: Running) -> None:
    """By `disabled`. `enabled: false` is OpenTelemetry's, and the agent sets up what the file passes over."""
    assert "not instrumented" in run_with("{disabled: true}").stdout


def test_enabled_is_opentelemetrys_word_in_the_file(run_with: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says whether the file sets the package up; whether events are sent, the environment says."""
    monkeypatch.setenv("LLM_OBSERVER_CALL_SITE", "true")
    done = run_with("{enabled: false, call_site: off}")
    assert "enabled=None" in done.stdout
    assert "call_site=True" in done.stdout
    assert AGAIN not in done.stderr
