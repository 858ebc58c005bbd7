"""The completion hook, called by the library that every official GenAI instrumentation is built on."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from canaries import Canaries
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from scripted import ScriptedServer
from spans import Spans, attributes, exported

import llm_observer
from llm_observer.completion import CompletionHook, completion_hook
from llm_observer.counters import counters
from llm_observer.guard import Guard
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.summary import callbacks, tally
from llm_observer.wiring import connected

types = pytest.importorskip("opentelemetry.util.genai.types")
handling = pytest.importorskip("opentelemetry.util.genai.handler")
loading = pytest.importorskip("opentelemetry.util.genai.completion_hook")

GOOGLE = "opentelemetry.instrumentation.google_genai"
OPENAI = "opentelemetry.instrumentation.genai.openai"
BEDROCK = "opentelemetry.instrumentation.genai.bedrock"
LANGCHAIN = "opentelemetry.instrumentation.genai.langchain"
HEAD = "You are a careful clerk who answers letters in one paragraph each. " * 700

Handle = Callable[..., Any]


@pytest.fixture(autouse=True)
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The hook is chosen, nothing is instrumented, and nothing is left of it afterwards."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "llm_observer")
    monkeypatch.setenv("LLM_OBSERVER_STORE", "off")
    monkeypatch.setenv("LLM_OBSERVER_HASH_KEY", "0" * 64)
    monkeypatch.setattr(LLMObserverInstrumentor, "_ended", False)
    monkeypatch.setattr(callbacks, "_functions", ())
    tally.clear()
    yield
    llm_observer.unpatch()
    tally.clear()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """What an exporter of the global provider gets."""
    return Spans(exported(monkeypatch))


def handler(scope: str = GOOGLE, version: str = "1.3b0", provider: Any = None) -> Any:
    """What an official instrumentation makes of its own as it is set up."""
    return handling.TelemetryHandler(
        tracer_provider=provider,
        instrumentation_scope_name=scope,
        instrumentation_scope_version=version,
        completion_hook=loading.load_completion_hook(),
    )


def say(by: Any, text: str = "hello", system: str = HEAD, **usage: int | None) -> None:
    """A call of Gemini that succeeded."""
    with by.inference("gemini", request_model="gemini-2.5-flash", operation_name="generate_content") as call:
        call.input_messages = [types.InputMessage("user", [types.TextPart(text)])]
        call.system_instruction = [types.TextPart(system)]
        call.tool_definitions = [types.FunctionToolDefinition("look", "Looks.", {"type": "object"})]
        call.output_messages = [types.OutputMessage("assistant", [types.TextPart("hi")], "stop")]
        for name, tokens in ({"input_tokens": 9000, "output_tokens": 5} | usage).items():
            setattr(call, name, tokens)


def ours(span: Any) -> dict[str, Any]:
    return {name: value for name, value in attributes(span).items() if name.startswith("llm_observer.")}


def loaded() -> None:
    """Prices are there."""
    runtime = LLMObserverInstrumentor.current()
    assert runtime is not None
    runtime.engine.prices.wait(30)


def test_without_patching_a_call_is_explained_on_its_own_span(spans: Spans) -> None:
    reports: list[llm_observer.CallReport] = []
    llm_observer.on_call(reports.append)
    by = handler()
    loaded()
    say(by)
    found = ours(spans.one())
    assert found["llm_observer.prompt.canonical_hash"]
    assert found["llm_observer.prompt.family"]
    assert found["llm_observer.cost.usd"] == pytest.approx(9000 * 0.3e-6 + 5 * 2.5e-6)
    assert found["llm_observer.cache.outcome"] == "not_reported"
    assert found["llm_observer.cache.cause"] == "none"
    assert not {"llm_observer.prompt.hash", "llm_observer.prompt.chain", "llm_observer.call.api"} & found.keys()
    assert not any("tokens" in name or "lost" in name for name in found)
    (report,) = reports
    assert (report.provider, report.model) == ("gcp.gemini", "gemini-2.5-flash")
    assert report.site is not None
    assert report.site.file == __file__
    assert attributes(spans.one())["gen_ai.provider.name"] == "gemini"
    assert llm_observer.summary().total.calls == llm_observer.stats().calls == 1


def test_a_read_that_a_changed_time_cost_is_named(spans: Spans) -> None:
    by = handler()
    say(by, system=f"It is 2026-12-01T10:00:00Z. {HEAD}", cache_read_input_tokens=9)
    say(by, system=f"It is 2026-12-01T10:01:00Z. {HEAD}", cache_read_input_tokens=9)
    found = ours(spans.all()[1])
    assert found["llm_observer.cache.cause"] == "timestamp"
    assert found["llm_observer.cache.location"] == "system[0]"
    assert found["llm_observer.cache.confidence"] <= 0.6


def test_a_failed_call_and_one_without_usage_have_no_cost(spans: Spans) -> None:
    by = handler()
    with pytest.raises(ValueError), by.inference("gemini", request_model="gemini-2.5-flash"):
        raise ValueError("secret")
    say(by, input_tokens=None, output_tokens=None)
    for span in spans.all():
        found = ours(span)
        assert found["llm_observer.cost.reason"] == "no_usage"
        assert "llm_observer.cost.usd" not in found
    assert "secret" not in str(ours(spans.all()[0]))


def test_what_is_no_call_of_a_model_is_left_alone(spans: Spans) -> None:
    """An agent's span has the sum of its calls' tokens: counted too, they would be counted twice."""
    by = handler(LANGCHAIN)
    with by.invoke_local_agent() as agent:
        agent.input_messages = [types.InputMessage("user", [types.TextPart("hello")])]
    with by.tool("look"):
        pass
    assert [ours(span) for span in spans.all()] == [{}, {}]
    assert llm_observer.stats().calls == 0


def test_a_call_that_two_instrumentations_tell_of_is_counted_once(spans: Spans) -> None:
    """LangChain's has no id of the response: then the tokens tell, and that one ran inside the other."""
    inner, outer = handler(), handler(LANGCHAIN)
    for known in ("r1", None):
        around = outer.inference("gemini", request_model="gemini-2.5-flash", _attach_to_context=False)
        # Not inside it by the context: suppressed, the inner one would not tell at all.
        with inner.inference("gemini", request_model="gemini-2.5-flash", operation_name="generate_content") as call:
            call.input_tokens, call.output_tokens, call.response_id = 9000, 5, "r1" if known else "r2"
        around.input_tokens, around.output_tokens, around.response_id = 9000, 5, known
        around.stop()
    assert [bool(ours(span)) for span in spans.all()] == [True, False, True, False]
    assert llm_observer.stats().calls == 2
    assert counters.of("skipped") == {"told_twice": 2}


@pytest.mark.parametrize("tokens", [9000, None])
def test_calls_side_by_side_of_one_instrumentation_are_counted_each(spans: Spans, tokens: int | None) -> None:
    """Asked the same at the same time, answered at the same length, and without an id; or failed alike."""
    by = handler()
    calls = [by.inference("gemini", request_model="gemini-2.5-flash", _attach_to_context=False) for _ in range(3)]
    for call in reversed(calls):
        call.input_tokens = call.output_tokens = tokens
        call.stop()
    assert all(ours(span) for span in spans.all())
    assert llm_observer.stats().calls == 3


def test_calls_side_by_side_with_ids_of_their_own_are_counted_each(spans: Spans) -> None:
    by = handler()
    outer = by.inference("gemini", request_model="gemini-2.5-flash", _attach_to_context=False)
    with by.inference("gemini", request_model="gemini-2.5-flash") as call:
        call.input_tokens, call.output_tokens, call.response_id = 9, 5, "r1"
    outer.input_tokens, outer.output_tokens, outer.response_id = 9, 5, "r2"
    outer.stop()
    assert all(ours(span) for span in spans.all())
    assert llm_observer.stats().calls == 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("adopted", [True, False])
def test_a_call_that_our_hook_into_the_sdk_observes_is_not_told_again(
    spans: Spans, *, stream: bool, adopted: bool
) -> None:
    """Whether ours has adopted the peer's span or has one of its own, as beside LangChain."""
    with ScriptedServer() as server:
        by = handler(OPENAI if adopted else LANGCHAIN)
        llm_observer.patch(call_site=False)
        client: Any = openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)
        call = by.inference("openai", request_model="gpt-4o", _attach_to_context=adopted)
        call.input_messages = [types.InputMessage("user", [types.TextPart("hi")])]
        ask: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        if stream:
            ask |= {"stream": True, "stream_options": {"include_usage": True}}
        made = client.chat.completions.create(**ask)
        answers: list[Any] = [*made] if stream else [made]
        usage: Any = answers[-1].usage
        call.response_id = answers[-1].id
        call.input_tokens, call.output_tokens = usage.prompt_tokens, usage.completion_tokens
        call.stop()
    explained = [span for span in spans.all() if ours(span)]
    assert len(explained) == 1
    assert ours(explained[0])["llm_observer.prompt.hash"]
    assert llm_observer.stats().calls == 1


def test_patching_goes_on_with_what_the_hook_knows_and_with_one_store(spans: Spans) -> None:
    by = handler()
    say(by)
    alone = LLMObserverInstrumentor.current()
    llm_observer.patch()
    assert LLMObserverInstrumentor.runtime is alone
    say(by)
    assert ours(spans.all()[1])["llm_observer.prompt.similarity"] == 1.0


def test_patching_with_other_settings_takes_the_hook_along(spans: Spans, tmp_path: Path) -> None:
    by = handler()
    say(by)
    llm_observer.patch(store=str(tmp_path / "calls.db"), hash_key="another key of some length")
    say(by)
    keys = [ours(span)["llm_observer.prompt.key_id"] for span in spans.all()]
    assert keys[0] != keys[1]
    assert LLMObserverInstrumentor.current() is LLMObserverInstrumentor.runtime
    assert llm_observer.flush()
    assert llm_observer.stats().stored == 1


@pytest.mark.parametrize("patched", [True, False])
def test_unpatching_ends_the_hook_until_the_next_patch(spans: Spans, *, patched: bool) -> None:
    by = handler()
    if patched:
        llm_observer.patch()
    llm_observer.unpatch()
    say(by)
    llm_observer.patch()
    say(by)
    assert [bool(ours(span)) for span in spans.all()] == [False, True]


def test_disabled_it_does_nothing(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_OBSERVER_DISABLED", "true")
    before = connected()
    say(handler())
    assert ours(spans.one()) == {}
    assert connected() is before
    assert llm_observer.stats().calls == 0


def test_a_span_that_was_not_sampled_says_nothing_and_is_counted_as_skipped() -> None:
    say(handler(provider=TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)))
    assert llm_observer.stats().calls == 0
    assert counters.of("skipped") == {"unsampled": 1}


@pytest.mark.parametrize(
    ("scope", "version", "given", "meant"),
    [(BEDROCK, "1.3b0", 10, 910), (BEDROCK, "9", 10, 910), (BEDROCK, "9", 2000, 2000), (GOOGLE, "1.3b0", 2000, 2000)],
)
def test_input_that_leaves_out_what_was_cached_is_summed(
    spans: Spans, scope: str, version: str, given: int, meant: int
) -> None:
    reports: list[llm_observer.CallReport] = []
    llm_observer.on_call(reports.append)
    with handler(scope, version).inference("aws.bedrock", request_model="us.anthropic.claude-sonnet-4-6") as call:
        call.input_tokens, call.output_tokens = given, 5
        call.cache_read_input_tokens, call.cache_write_input_tokens = 600, 300
    (report,) = reports
    assert report.usage is not None
    assert report.usage.input_tokens == meant
    assert (report.usage.cache_read_tokens, report.usage.cache_write_tokens) == (600, 300)
    assert attributes(spans.one())["gen_ai.usage.input_tokens"] == given


def test_a_large_prompt_is_priced_and_not_read(spans: Spans) -> None:
    by = handler()
    loaded()
    with by.inference("gemini", request_model="gemini-2.5-flash") as call:
        call.input_messages = [types.InputMessage("user", [types.BlobPart("image/png", "image", bytes(17 << 20))])]
        call.input_tokens, call.output_tokens = 9000, 5
    found = ours(spans.one())
    assert "llm_observer.cost.usd" in found
    assert "llm_observer.prompt.family" not in found
    assert counters.of("skipped") == {"prompt": 1}


def test_only_the_cost_is_a_metric_the_rest_is_the_instrumentations_own(spans: Spans) -> None:
    reader = InMemoryMetricReader()
    llm_observer.patch(meter_provider=MeterProvider([reader], shutdown_on_exit=False))
    loaded()
    say(handler())
    data = reader.get_metrics_data()
    assert data is not None
    found = {m.name for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}
    assert "llm_observer.client.cost" in found
    assert not {name for name in found if name.startswith("gen_ai.")}
    assert spans.one()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"span": None},
        {"span": object()},
        {"inputs": object(), "outputs": 7, "span": trace.INVALID_SPAN},
        {"new": 1},
    ],
)
def test_whatever_it_is_called_with_it_does_not_raise(given: dict[str, Any]) -> None:
    Guard.strict = False
    hook = completion_hook()
    assert isinstance(hook, CompletionHook)
    assert isinstance(hook, loading.CompletionHook)
    hook.on_completion(**given)


def test_what_fails_inside_reaches_nobody(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    Guard.strict = False
    by = handler()
    runtime = LLMObserverInstrumentor.current()
    assert runtime is not None

    def broken(*_: object) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr(runtime.engine, "explain", broken)
    monkeypatch.setattr("llm_observer.completion.read_told", broken)
    say(by)
    assert ours(spans.one()) == {}
    assert counters.of("errors") == {"completion.prompt": 1, "engine.explain": 1}


def test_no_content_gets_out(
    spans: Spans, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of no part of any kind: not on the span, in the store, the log, the reports."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("LLM_OBSERVER_STORE", str(tmp_path / "calls.db"))
    canaries = Canaries()
    plant = canaries.plant
    reports: list[Any] = []
    llm_observer.on_call(reports.append)
    by = handler()
    with by.inference("gemini", request_model="gemini-2.5-flash") as call:
        parts = [
            types.TextPart(plant("text")),
            types.ReasoningPart(plant("reasoning")),
            types.ToolCallRequestPart({plant("argument name"): plant("argument")}, plant("call"), plant("call id")),
            types.ToolCallResponsePart({"a": plant("result")}, plant("result id")),
            types.ServerToolCallPart(plant("server tool"), {"code": plant("code")}),
            types.BlobPart(plant("mime"), "image", plant("blob").encode()),
            types.FilePart("a/b", "image", plant("file id")),
            types.UriPart("a/b", "image", f"https://example.test/{plant('uri')}"),
            types.CompactionPart(content=plant("compaction")),
            {"type": plant("kind"), plant("field"): plant("value")},
            plant("bare"),
        ]
        call.input_messages = [types.InputMessage("user", parts, plant("name"))]
        call.system_instruction = [types.TextPart(plant("system"))]
        call.tool_definitions = [types.FunctionToolDefinition(plant("tool"), plant("about"), {plant("key"): 1})]
        call.output_messages = [types.OutputMessage("assistant", [types.TextPart(plant("answer"))], "stop")]
        call.input_tokens, call.output_tokens = 9000, 5
    assert ours(spans.one())["llm_observer.prompt.segments"] == 13
    assert llm_observer.flush()
    assert llm_observer.stats().stored == 1
    kept = (tmp_path / "calls.db").read_bytes() + b"".join(p.read_bytes() for p in tmp_path.glob("calls.db-*"))
    given = [str(attributes(spans.one())), kept.decode("latin-1"), caplog.text, repr(reports), repr(connected())]
    assert canaries.found_in(" ".join(given)) == set()


ZERO_CODE = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
from opentelemetry.util.genai.completion_hook import load_completion_hook
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import InputMessage, TextPart
by = TelemetryHandler(completion_hook=load_completion_hook(), instrumentation_scope_name="google_genai")
with by.inference("gemini", request_model="gemini-2.5-flash") as call:
    call.input_messages = [InputMessage("user", [TextPart("hi")])]
    call.input_tokens, call.output_tokens = 9, 5
print({name for name in ("openai", "anthropic") if name in sys.modules})
"""


def test_the_variable_alone_is_enough_and_the_report_has_the_call(tmp_path: Path) -> None:
    """In a process that neither imports us nor patches anything; written at its exit."""
    env = os.environ | {"LLM_OBSERVER_STORE": str(tmp_path / "calls.db")}
    done = subprocess.run([sys.executable, "-c", ZERO_CODE], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert done.stderr == ""
    report = [sys.executable, "-m", "llm_observer", "report", "--json"]
    told = subprocess.run(report, env=env, capture_output=True, text=True, check=True).stdout
    assert "gemini-2.5-flash" in told
