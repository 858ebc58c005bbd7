"""`opentelemetry-instrument python app.py`: explained spans of real SDK calls at a backend, without a line of code."""

import re
import subprocess
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from collector import collector, find_collector
from otlp import ReceivedSpan, Receiver
from programs import run_instrumented

from llm_observer.demo.provider import Provider

APP = Path(__file__).parent / "apps" / "support.py"
PAGE = Path(__file__).parents[2] / "docs" / "opentelemetry.md"

ONE_CALL = """
import openai
with openai.OpenAI(max_retries=0) as client:
    client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Where is my spade?"}])
"""

PER_TOKEN = {
    "gpt-4.1": {"input": Decimal("2.00e-6"), "read": Decimal("0.50e-6"), "output": Decimal("8.00e-6")},
    "claude-sonnet-4-6": {
        "input": Decimal("3.00e-6"),
        "read": Decimal("0.30e-6"),
        "write": Decimal("3.75e-6"),
        "output": Decimal("15.00e-6"),
    },
}
"""List prices in US dollars."""


def list_price(span: ReceivedSpan) -> float:
    """What the span's own usage costs by the vendors' price pages."""
    prices = PER_TOKEN[span.attributes["gen_ai.request.model"]]
    usage = {
        kind: span.attributes.get(f"gen_ai.usage.{name}", 0)
        for kind, name in (
            ("input", "input_tokens"),
            ("read", "cache_read.input_tokens"),
            ("write", "cache_write.input_tokens"),
            ("output", "output_tokens"),
        )
    }
    usage["input"] -= usage["read"] + usage["write"]
    return float(sum(tokens * prices.get(kind, Decimal(0)) for kind, tokens in usage.items()))


def llm_spans(receiver: Receiver) -> list[ReceivedSpan]:
    return [span for span in receiver.spans() if "gen_ai.operation.name" in span.attributes]


@pytest.fixture
def export_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets what the documentation tells a user to set, and where the telemetry goes."""

    def export_to(url: str) -> None:
        for line in re.findall(r"^\$ export (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
            for assignment in line.split():
                monkeypatch.setenv(*assignment.split("=", 1))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)

    return export_to


def assert_explained(spans: Sequence[ReceivedSpan], provider: Provider) -> None:
    """The spans say of the application's five calls what the provider knows to be true."""
    assert [span.name for span in spans] == ["chat gpt-4.1"] * 3 + ["chat claude-sonnet-4-6"] * 2
    for span, exchange in zip(spans, provider.log, strict=True):
        found = span.attributes
        assert span.kind == "CLIENT"
        assert span.resource["service.name"] == "support"
        assert found["gen_ai.usage.input_tokens"] == exchange.served.total
        assert found["gen_ai.usage.cache_read.input_tokens"] == exchange.served.read
        assert found["gen_ai.response.finish_reasons"]
        assert found["gen_ai.response.id"]
        assert found["server.address"] == "127.0.0.1"
        assert found["code.file.path"] == str(APP)
        assert len(found["llm_observer.prompt.hash"]) >= 16
        assert found["llm_observer.prompt.segments"] == 2

    sorted_mail, answered_mail = spans[:3], spans[3:]
    for span in sorted_mail:
        assert span.scope == "llm_observer"
        assert span.attributes["gen_ai.provider.name"] == "openai"
        assert span.attributes["code.function.name"] == "sort_mail"
    for span in answered_mail:
        assert span.attributes["gen_ai.provider.name"] == "anthropic"
        assert span.attributes["gen_ai.request.stream"] is True
        assert span.attributes["gen_ai.response.time_to_first_chunk"] > 0
        assert span.attributes["code.function.name"] == "answer_mail"
    assert len({span.attributes["llm_observer.prompt.family"] for span in sorted_mail}) == 1

    # The first call may end before the prices are loaded, and then says so.
    if "llm_observer.cost.reason" in spans[0].attributes:
        assert spans[0].attributes["llm_observer.cost.reason"] == "prices_loading"
        assert "llm_observer.cost.usd" not in spans[0].attributes
        spans = spans[1:]
    for span in spans:
        assert span.attributes["llm_observer.cost.usd"] == pytest.approx(list_price(span), rel=1e-9)
        assert span.attributes["llm_observer.cost.source"].startswith("genai-prices ")

    # The clock breaks the prefix from its second tick on; what is lost is claimed from the third call on.
    for span in sorted_mail[1:]:
        found = span.attributes
        assert found["llm_observer.cache.outcome"] == "miss"
        assert found["llm_observer.cache.broke"] is True
        assert found["llm_observer.cache.avoidable"] is True
        assert found["llm_observer.cache.cause"] == "timestamp"
        assert found["llm_observer.cache.location"] == "messages[0]"
        assert found["llm_observer.cache.offset"] == len("It is ")
        assert found["llm_observer.cache.missed_tokens"] > 1024
        assert "timestamp" in found["llm_observer.breaker.categories"]
    saving = PER_TOKEN["gpt-4.1"]["input"] - PER_TOKEN["gpt-4.1"]["read"]
    third = sorted_mail[2].attributes
    assert third["llm_observer.cache.lost_usd"] == pytest.approx(
        float(third["llm_observer.cache.missed_tokens"] * saving), rel=1e-9
    )

    assert [span.attributes["llm_observer.cache.outcome"] for span in answered_mail] == ["cold", "hit"]
    assert [span.attributes["llm_observer.cache.broke"] for span in answered_mail] == [False, False]


def test_an_application_without_a_line_of_ours_exports_explained_spans(
    provider: Provider, receiver: Receiver, export_to: Callable[[str], None]
) -> None:
    """Traces and metrics of both SDKs reach an OTLP/HTTP endpoint in protobuf."""
    export_to(receiver.url)
    done = run_instrumented(APP)
    assert done.stdout == "done\n"
    assert done.stderr == ""
    assert receiver.content_types == {"application/x-protobuf"}
    assert_explained(llm_spans(receiver), provider)
    assert {
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
        "llm_observer.client.cost",
    } <= receiver.metric_names()


@pytest.fixture
def binary() -> str:
    """A Collector that is installed."""
    found = find_collector()
    if found is None:
        pytest.skip("no OpenTelemetry Collector: put otelcol on PATH or its path in OTELCOL")
    return found


def test_a_collector_takes_the_documentations_configuration(binary: str, tmp_path: Path) -> None:
    (block,) = re.findall(r"^```yaml\n(receivers:.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    config = tmp_path / "collector.yaml"
    config.write_text(block, encoding="utf-8")
    done = subprocess.run(
        [binary, "validate", "--config", str(config)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_spans_come_through_a_collector(
    binary: str, provider: Provider, receiver: Receiver, export_to: Callable[[str], None], tmp_path: Path
) -> None:
    """A real OpenTelemetry Collector takes them, and passes all of it on in OTLP's JSON."""
    with collector(binary, receiver.url, tmp_path) as url:
        export_to(url)
        done = run_instrumented(APP)
    assert done.stderr == ""
    assert receiver.content_types == {"application/json"}
    assert_explained(llm_spans(receiver), provider)
    assert "gen_ai.client.token.usage" in receiver.metric_names()


def test_an_application_that_patches_as_well_has_one_span_per_call(
    provider: Provider, receiver: Receiver, export_to: Callable[[str], None]
) -> None:
    """The agent was first: the `patch()` in the code changes nothing."""
    export_to(receiver.url)
    done = run_instrumented("-c", f"import llm_observer\nllm_observer.patch()\n{ONE_CALL}")
    assert done.stderr == ""
    assert len(provider.log) == 1
    (span,) = receiver.spans()
    assert span.scope == "llm_observer"
    assert span.attributes["llm_observer.cache.outcome"] == "uncacheable"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "llm_observer"), ("LLM_OBSERVER_DISABLED", "true")],
)
def test_the_agent_leaves_the_package_out_when_told_to(
    variable: str,
    value: str,
    provider: Provider,
    receiver: Receiver,
    export_to: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By OpenTelemetry's own switch or by ours: the call is made and nothing is seen."""
    export_to(receiver.url)
    monkeypatch.setenv(variable, value)
    done = run_instrumented("-c", ONE_CALL)
    assert done.stderr == ""
    assert len(provider.log) == 1
    assert receiver.spans() == []
    assert not any(name.startswith("gen_ai.") for name in receiver.metric_names())
