"""Every way of calling an SDK: one span that says it all, and nothing that the application could notice."""

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from scripted import Recorded, ScriptedServer
from sdk_styles import ANTHROPIC, OPENAI, Style, has, outcome
from spans import Spans, attributes

from llm_observer.instrumentor import Runtime

CLIENTS: dict[str, Callable[[str], Any]] = {
    "openai sync": lambda url: openai.OpenAI(base_url=f"{url}/v1", api_key="key", max_retries=0),
    "openai async": lambda url: openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="key", max_retries=0),
    "anthropic sync": lambda url: anthropic.Anthropic(base_url=url, api_key="key", max_retries=0),
    "anthropic async": lambda url: anthropic.AsyncAnthropic(base_url=url, api_key="key", max_retries=0),
}
CASES = [
    pytest.param(kind, style, id=f"{kind}: {style.name}")
    for kind in CLIENTS
    for style in (OPENAI if kind.startswith("openai") else ANTHROPIC)
]


@pytest.fixture
def call(server: ScriptedServer) -> Callable[[str, Style], Any]:
    async def call(kind: str, style: Style) -> Any:
        client = CLIENTS[kind](server.url)
        if not has(client, style.needs):
            pytest.skip(f"this SDK has no {style.needs}")
        try:
            return await outcome(style, client)
        finally:
            closed = client.close()
            if closed is not None:
                await closed

    return call


@pytest.mark.parametrize(("kind", "style"), CASES)
async def test_a_call_has_one_span_with_what_the_provider_reported(
    kind: str, style: Style, call: Callable[..., Any], instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """One CLIENT span per call, with model, usage, finish reason, call site, hash, cost and verdict on it."""
    instrument()
    await call(kind, style)
    found = [span for span in spans.all() if "count_tokens" not in span.name]
    assert len(found) == style.spans
    if not style.spans:
        return
    (span,) = found
    values = attributes(span)
    assert span.kind.name == "CLIENT"
    assert span.name == f"{values['gen_ai.operation.name']} {values['gen_ai.request.model']}"
    assert values["gen_ai.provider.name"] == kind.partition(" ")[0]
    assert values["llm_observer.call.api"] == style.api
    assert values.get("gen_ai.request.stream", False) is style.stream
    assert ("gen_ai.response.time_to_first_chunk" in values) is style.stream
    assert values["gen_ai.usage.input_tokens"] == 100
    assert values.get("gen_ai.usage.output_tokens") == (None if style.api == "embeddings" else 20)
    if style.api != "embeddings":
        assert len(values["gen_ai.response.finish_reasons"]) == 1
        assert values["gen_ai.response.id"]
    assert values["gen_ai.response.model"]
    assert values["server.address"] == "127.0.0.1"
    assert values["code.file.path"].endswith("sdk_styles.py")
    assert "llm_observer.cache.outcome" in values
    assert "llm_observer.cost.usd" in values or "llm_observer.cost.reason" in values
    assert span.status.status_code.name in {"UNSET", "OK"}


def on_the_wire(requests: list[Recorded]) -> list[tuple[str, str, dict[str, str], bytes]]:
    """What was sent, without what differs between any two requests."""
    changing = {"traceparent", "host", "idempotency-key", "x-stainless-read-timeout"}
    return [
        (
            each.method,
            each.path,
            {name: value for name, value in each.headers.items() if name not in changing},
            each.body,
        )
        for each in requests
    ]


@pytest.mark.usefixtures("spans")
@pytest.mark.parametrize(("kind", "style"), CASES)
async def test_a_call_is_the_same_with_and_without(
    kind: str, style: Style, call: Callable[..., Any], server: ScriptedServer, instrument: Callable[..., Runtime]
) -> None:
    """The same bytes and headers are sent, the same types and values come back."""
    expected = await call(kind, style)
    sent = on_the_wire(server.requests)
    server.requests.clear()
    instrument()
    assert await call(kind, style) == expected
    assert on_the_wire(server.requests) == sent
