"""Frameworks over the SDKs: one span for each call to a model that they make, with its usage.

Each runs where it is installed, in the environments of `environments.toml`, and is skipped elsewhere.
"""

import importlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pydantic
import pytest
from covering import of_models
from scripted import ScriptedServer
from spans import Spans, attributes, exported

from llm_observer.instrumentor import LLMObserverInstrumentor

pytestmark = pytest.mark.filterwarnings("default")

QUESTION = "What is the capital of France?"


class Structured(pydantic.BaseModel):
    """What a structured answer is parsed to."""

    a: int


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """What is exported while we are on."""
    exporter = exported(monkeypatch)
    LLMObserverInstrumentor().instrument(store="off", hash_key="0" * 64)
    yield Spans(exporter)
    LLMObserverInstrumentor().uninstrument()


def module(name: str) -> Any:
    return importlib.import_module(name)


async def all_of(items: Any) -> list[Any]:
    return [item async for item in items]


async def langchain_openai(url: str) -> None:
    model = module("langchain_openai").ChatOpenAI(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="key")
    model.invoke(QUESTION)
    list(model.stream(QUESTION))
    model.batch([QUESTION, QUESTION])
    await model.ainvoke(QUESTION)
    await all_of(model.astream(QUESTION))
    model.with_structured_output(Structured, method="json_schema").invoke(QUESTION)
    responses = module("langchain_openai").ChatOpenAI(
        model="gpt-4o-mini", base_url=f"{url}/v1", api_key="key", use_responses_api=True
    )
    responses.invoke(QUESTION)
    list(responses.stream(QUESTION))


async def langchain_anthropic(url: str) -> None:
    model = module("langchain_anthropic").ChatAnthropic(model="claude-sonnet-5", base_url=url, api_key="key")
    model.invoke(QUESTION)
    list(model.stream(QUESTION))
    await model.ainvoke(QUESTION)
    await all_of(model.astream(QUESTION))


async def litellm(url: str) -> None:
    library = module("litellm")
    arguments: dict[str, Any] = {
        "model": "openai/gpt-4o-mini",
        "api_base": f"{url}/v1",
        "api_key": "key",
        "messages": [{"role": "user", "content": QUESTION}],
    }

    library.completion(**arguments)
    list(library.completion(**arguments, stream=True))
    await library.acompletion(**arguments)
    await all_of(await library.acompletion(**arguments, stream=True))
    library.embedding(model="openai/text-embedding-3-small", input=["x"], api_base=f"{url}/v1", api_key="key")


async def agents(url: str) -> None:
    library, openai = module("agents"), module("openai")
    library.set_tracing_disabled(True)

    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="key") as client:
        for kind in ("OpenAIChatCompletionsModel", "OpenAIResponsesModel"):
            model = getattr(library, kind)(model="gpt-4o-mini", openai_client=client)
            agent = library.Agent(name="a", model=model)
            await library.Runner.run(agent, QUESTION)
            await all_of(library.Runner.run_streamed(agent, QUESTION).stream_events())


async def instructor(url: str) -> None:
    library, openai, anthropic = module("instructor"), module("openai"), module("anthropic")
    messages = [{"role": "user", "content": QUESTION}]
    chat = library.from_openai(openai.OpenAI(base_url=f"{url}/v1", api_key="key"), mode=library.Mode.JSON)
    chat.chat.completions.create(model="gpt-4o-mini", messages=messages, response_model=Structured)
    claude = library.from_anthropic(anthropic.Anthropic(base_url=url, api_key="key"), mode=library.Mode.ANTHROPIC_JSON)
    claude.messages.create(model="claude-sonnet-5", max_tokens=64, messages=messages, response_model=Structured)


async def pydantic_ai(url: str) -> None:
    library = module("pydantic_ai")
    models = [
        module("pydantic_ai.models.openai").OpenAIChatModel(
            "gpt-4o-mini",
            provider=module("pydantic_ai.providers.openai").OpenAIProvider(base_url=f"{url}/v1", api_key="key"),
        ),
        module("pydantic_ai.models.openai").OpenAIResponsesModel(
            "gpt-4o-mini",
            provider=module("pydantic_ai.providers.openai").OpenAIProvider(base_url=f"{url}/v1", api_key="key"),
        ),
        module("pydantic_ai.models.anthropic").AnthropicModel(
            "claude-sonnet-5",
            provider=module("pydantic_ai.providers.anthropic").AnthropicProvider(base_url=url, api_key="key"),
        ),
    ]
    for model in models:
        agent = library.Agent(model)
        await agent.run(QUESTION)
        async with agent.run_stream(QUESTION) as result:
            await all_of(result.stream_text())


async def llama_index(url: str) -> None:
    """Its Anthropic class fails by itself with today's SDK: it calls a union of types."""
    message: Any = module("llama_index.core.llms").ChatMessage(role="user", content=QUESTION)
    model = module("llama_index.llms.openai").OpenAI(model="gpt-4o-mini", api_base=f"{url}/v1", api_key="key")
    model.chat([message])
    list(model.stream_chat([message]))
    await model.achat([message])
    await all_of(await model.astream_chat([message]))


FRAMEWORKS: dict[str, tuple[Callable[[str], Awaitable[None]], int]] = {
    "langchain_openai": (langchain_openai, 9),
    "langchain_anthropic": (langchain_anthropic, 4),
    "litellm": (litellm, 5),
    "agents": (agents, 4),
    "instructor": (instructor, 2),
    "pydantic_ai": (pydantic_ai, 6),
    "llama_index.llms": (llama_index, 4),
}
"""By the module that each is in: what calls models, and how often."""


@pytest.mark.parametrize("name", FRAMEWORKS)
async def test_one_span_for_each_call_to_a_model(
    name: str, server: ScriptedServer, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many spans as requests, with the usage that the provider reported."""
    # No look-up of prices on the network.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    pytest.importorskip(name)
    run, expected = FRAMEWORKS[name]
    await run(server.url)
    found = [attributes(span) for span in of_models(spans.all())]
    assert len(server.requests) == expected
    assert len(found) == expected
    assert [values["gen_ai.usage.input_tokens"] for values in found] == [100] * expected
    for values in found:
        assert values.get("gen_ai.usage.output_tokens") == (20 if values["gen_ai.operation.name"] == "chat" else None)
        assert "llm_observer.cache.outcome" in values
