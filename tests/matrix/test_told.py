"""What official instrumentations of SDKs that we do not hook tell of real clients' calls, and what we say of them.

Each runs where it is installed, in the environments of `environments.toml`, and is skipped elsewhere.
"""

import importlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from scripted import Answer, Recorded, ScriptedServer
from spans import Spans, attributes, exported

import llm_observer
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.summary import tally

pytestmark = pytest.mark.filterwarnings("default")

HEAD = "You are a careful clerk who answers letters in one paragraph each. " * 700
GOOGLE_USAGE = {
    "promptTokenCount": 9000,
    "candidatesTokenCount": 5,
    "totalTokenCount": 9005,
    "cachedContentTokenCount": 40,
}
CLAUDE = "us.anthropic.claude-sonnet-4-20250514-v1:0"


class Providers(ScriptedServer):
    """Answers as Gemini, as Bedrock's Converse, and as OpenAI."""

    def answer(self, request: Recorded) -> Answer:
        whole = {
            "responseId": f"r{len(self.requests)}",
            "modelVersion": "gemini-2.5-flash",
            "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
            "usageMetadata": GOOGLE_USAGE,
        }
        path = request.path.partition("?")[0]
        if path.endswith(":generateContent"):
            self.requests.append(request)
            return Answer.json(whole)
        if path.endswith(":streamGenerateContent"):
            self.requests.append(request)
            first = {"candidates": whole["candidates"]}
            return Answer(
                headers={"content-type": "text/event-stream"},
                body=b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in (first, whole)),
            )
        if path.endswith("/converse"):
            self.requests.append(request)
            usage = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 9015, "cacheReadInputTokens": 9000}
            said = {"message": {"role": "assistant", "content": [{"text": "hi"}]}}
            return Answer.json({"output": said, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 3}})
        return super().answer(request)


@pytest.fixture
def server() -> Iterator[Providers]:
    with Providers() as running:
        yield running


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """What is exported where the variable alone has chosen us."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "llm_observer")
    monkeypatch.setenv("LLM_OBSERVER_STORE", "off")
    monkeypatch.setattr(LLMObserverInstrumentor, "_ended", False)
    exporter = exported(monkeypatch)
    tally.clear()
    yield Spans(exporter)
    llm_observer.unpatch()
    tally.clear()


def module(name: str) -> Any:
    return importlib.import_module(name)


class Instrumented:
    """An official instrumentation, on."""

    def __init__(self, name: str, kind: str) -> None:
        self._instrumentor = getattr(pytest.importorskip(f"opentelemetry.instrumentation.{name}"), kind)()

    def __enter__(self) -> None:
        self._instrumentor.instrument()
        runtime = LLMObserverInstrumentor.current()
        assert runtime is not None
        runtime.engine.prices.wait(30)

    def __exit__(self, *_: object) -> None:
        self._instrumentor.uninstrument()


def explained(spans: Spans) -> list[Mapping[str, Any]]:
    """The attributes of the spans on which a verdict is."""
    return [attributes(span) for span in spans.all() if "llm_observer.cache.outcome" in attributes(span)]


async def test_every_way_to_call_gemini_is_explained_once(spans: Spans, server: Providers) -> None:
    with Instrumented("google_genai", "GoogleGenAiSdkInstrumentor"):
        genai, types = module("google.genai"), module("google.genai.types")
        client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=server.url))
        look = types.FunctionDeclaration(name="look", parameters=types.Schema(type="OBJECT"))

        def asked(minute: int) -> dict[str, Any]:
            system = f"It is 2026-12-01T10:{minute:02}:00Z. {HEAD}"
            tools = [types.Tool(function_declarations=[look])]
            config = types.GenerateContentConfig(system_instruction=system, tools=tools)
            return {"model": "gemini-2.5-flash", "contents": "hello", "config": config}

        client.models.generate_content(**asked(0))
        list(client.models.generate_content_stream(**asked(1)))
        await client.aio.models.generate_content(**asked(2))
        async for _ in await client.aio.models.generate_content_stream(**asked(3)):
            pass
    found = explained(spans)
    assert len(found) == len(spans.all()) == len(server.requests) == llm_observer.summary().total.calls == 4
    assert all(call["llm_observer.cost.usd"] > 0 for call in found)
    assert all("llm_observer.prompt.hash" not in call for call in found)
    assert [call["llm_observer.cache.cause"] for call in found] == ["none", "timestamp", "timestamp", "timestamp"]
    assert [call["llm_observer.prompt.segments"] for call in found] == [3] * 4


def test_claude_on_bedrock_is_priced_with_what_was_cached(spans: Spans, server: Providers) -> None:
    with Instrumented("genai.bedrock", "BedrockInstrumentor"):
        client = module("boto3").client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="id",
            aws_secret_access_key="key",
        )
        client.converse(
            modelId=CLAUDE, system=[{"text": HEAD}], messages=[{"role": "user", "content": [{"text": "hello"}]}]
        )
    (found,) = explained(spans)
    assert found["llm_observer.cost.usd"] == pytest.approx((10 * 3 + 9000 * 0.3 + 5 * 15) / 1e6, rel=0.11)
    assert (found["llm_observer.cache.outcome"], found["llm_observer.cache.cause"]) == ("hit", "none")


async def _openai(url: str) -> None:
    client = module("openai").OpenAI(base_url=f"{url}/v1", api_key="key")
    ask: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
    client.chat.completions.create(**ask)
    list(client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
    client.responses.create(model="gpt-4o", input="hello")


async def _langchain(url: str) -> None:
    model = pytest.importorskip("langchain_openai").ChatOpenAI(model="gpt-4o", base_url=f"{url}/v1", api_key="key")
    model.invoke("hello")
    list(model.stream("hello"))
    await model.ainvoke("hello")


@pytest.mark.parametrize("patched", [False, True])
@pytest.mark.parametrize(
    ("name", "kind", "calls"),
    [("genai.openai", "OpenAIInstrumentor", _openai), ("genai.langchain", "LangChainInstrumentor", _langchain)],
)
async def test_calls_of_a_hooked_sdk_are_explained_once_with_and_without_our_hook(
    spans: Spans, server: Providers, name: str, kind: str, calls: Callable[[str], Awaitable[None]], *, patched: bool
) -> None:
    with Instrumented(name, kind):
        if patched:
            llm_observer.patch()
        await calls(server.url)
    assert len(explained(spans)) == len(server.requests) == llm_observer.summary().total.calls == 3
    assert all(("llm_observer.prompt.hash" in found) is patched for found in explained(spans))
