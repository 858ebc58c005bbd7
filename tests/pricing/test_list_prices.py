"""What a provider's payload costs by its list: dollars worked out by hand from the published rates.

Every case names the page that publishes its rate and the day for which the rate is recorded there. The dollars are
literals, worked out from those rates and not by the library under test.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest

from llm_observer.pricing.prices import Prices
from llm_observer.pricing.terms import call_terms
from llm_observer.usage import Usage

OPENAI = "developers.openai.com/api/docs/pricing, 2026-10-14"
OPENAI_2025 = "openai.com/api/pricing, 2025-04-16"
ANTHROPIC = "platform.claude.com/docs/en/about-claude/pricing, 2026-10-14"
BEDROCK = "AWS price list API, AmazonBedrockFoundationModels, us-east-1, 2026-10-14"
GOOGLE = "ai.google.dev/gemini-api/docs/pricing, 2026-10-14"
XAI = "docs.x.ai/developers/pricing, 2026-10-14"
DEEPSEEK = "api-docs.deepseek.com/quick_start/pricing, 2026-09-21"

OLDER_LIST = tuple(map(int, version("genai-prices").split(".")[:3])) < (0, 2, 3)
"""Whether the installed list may lack prices that are asked for here."""

FRIDAY_NOON = 1795176000.0
"""2026-11-20 12:00 UTC."""


def utc(text: str) -> float:
    """Unix seconds of a UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call: what was asked, what came back, and what the list says it costs."""

    name: str
    provider: str = "openai"
    api: str = "chat.completions"
    model: str
    raw: dict[str, Any]
    usd: str
    source: str
    at: float = FRIDAY_NOON
    terms: dict[str, Any] = field(default_factory=dict[str, Any])
    batch: bool = False


def chat(prompt: int, completion: int, cached: int | None = None, **details: Any) -> dict[str, Any]:
    """A `usage` of Chat Completions."""
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    if cached is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": cached, "audio_tokens": 0}
    return {**usage, **details}


def responses(tokens_in: int, out: int, *, cached: int = 0, write: int = 0, write_12h: int | None = None) -> Any:
    """A `usage` of the Responses API."""
    details: dict[str, Any] = {"cached_tokens": cached, "cache_write_tokens": write}
    if write_12h is not None:
        details["cache_write_tokens_details"] = {"ttl_30m_tokens": write - write_12h, "ttl_12h_tokens": write_12h}
    return {
        "input_tokens": tokens_in,
        "input_tokens_details": details,
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": tokens_in + out,
    }


def claude(rest: int, out: int, *, read: int = 0, write_5m: int = 0, write_1h: int = 0, **more: Any) -> dict[str, Any]:
    """A `usage` of Anthropic Messages."""
    return {
        "input_tokens": rest,
        "cache_creation_input_tokens": write_5m + write_1h,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": write_5m, "ephemeral_1h_input_tokens": write_1h},
        "output_tokens": out,
        "service_tier": "standard",
        **more,
    }


def gemini(prompt: int, candidates: int, **more: Any) -> dict[str, Any]:
    """A `usageMetadata` of Gemini."""
    return {"promptTokenCount": prompt, "candidatesTokenCount": candidates, **more}


def reasoned(prompt: int, completion: int, reasoning: int) -> dict[str, Any]:
    """Chat Completions with the reasoning inside the completion."""
    return chat(prompt, completion, completion_tokens_details={"reasoning_tokens": reasoning})


MESSAGES: Any = {"provider": "anthropic", "api": "messages"}
CONVERSE: Any = {"provider": "aws.bedrock", "api": "converse"}
GEMINI: Any = {"provider": "gcp.gemini", "api": "generate_content"}

OPENAI_CASES = [
    Case(name="plain", model="gpt-4o", raw=chat(10_000, 1_000), usd="0.035", source=OPENAI),
    # 2,000 x 2.50 + 8,000 x 1.25 + 1,000 x 10
    Case(name="cached is inside", model="gpt-4o", raw=chat(10_000, 1_000, 8_000), usd="0.025", source=OPENAI),
    Case(name="dated id", model="gpt-4o-2024-08-06", raw=chat(10_000, 1_000), usd="0.035", source=OPENAI),
    Case(name="first gpt-4o", model="gpt-4o-2024-05-13", raw=chat(10_000, 1_000), usd="0.065", source=OPENAI),
    Case(name="mini", model="gpt-4o-mini", raw=chat(10_000, 1_000), usd="0.0021", source=OPENAI),
    Case(name="read at a quarter", model="gpt-4.1", raw=chat(10_000, 1_000, 8_000), usd="0.016", source=OPENAI),
    Case(name="4.1 mini", model="gpt-4.1-mini", raw=chat(10_000, 1_000), usd="0.0056", source=OPENAI),
    Case(name="4.1 nano", model="gpt-4.1-nano-2025-04-14", raw=chat(10_000, 1_000), usd="0.0014", source=OPENAI),
    Case(name="reasoning is inside", model="o3", raw=reasoned(1_000, 5_000, 4_000), usd="0.042", source=OPENAI),
    Case(
        name="o3 before its cut",
        model="o3",
        raw=reasoned(1_000, 5_000, 4_000),
        usd="0.21",
        at=utc("2025-06-09 23:00"),
        source=OPENAI_2025,
    ),
    # 500 x 10 + 500 x 2.50 + 5,000 x 40
    Case(
        name="o3 before its cut, cached",
        model="o3-2025-04-16",
        raw=chat(1_000, 5_000, 500),
        usd="0.20625",
        at=utc("2025-05-01"),
        source=OPENAI_2025,
    ),
    Case(name="o4-mini", model="o4-mini", raw=reasoned(1_000, 2_000, 1_500), usd="0.0099", source=OPENAI),
    Case(name="o1 read at half", model="o1", raw=chat(1_000, 1_000, 1_000), usd="0.0675", source=OPENAI),
    # 5,904 x 1.25 + 4,096 x 0.125 + 2,000 x 10
    Case(name="read at a tenth", model="gpt-5", raw=chat(10_000, 2_000, 4_096), usd="0.027892", source=OPENAI),
    Case(name="5 mini", model="gpt-5-mini", raw=chat(10_000, 1_000), usd="0.0045", source=OPENAI),
    Case(name="5 nano", model="gpt-5-nano-2025-08-07", raw=chat(10_000, 1_000), usd="0.0009", source=OPENAI),
    Case(name="5 pro", model="gpt-5-pro", api="responses", raw=responses(1_000, 1_000), usd="0.135", source=OPENAI),
    Case(
        name="priority at 1.8x",
        model="gpt-5-mini",
        raw=chat(10_000, 1_000),
        terms={"service_tier": "priority"},
        usd="0.0081",
        source=OPENAI,
    ),
    Case(
        name="priority at 1.7x",
        model="gpt-4o",
        raw=chat(10_000, 1_000),
        terms={"service_tier": "priority"},
        usd="0.0595",
        source=OPENAI,
    ),
    Case(
        name="priority at 2.5x",
        model="gpt-5.5",
        raw=chat(10_000, 1_000),
        terms={"service_tier": "priority"},
        usd="0.2",
        source=OPENAI,
    ),
    Case(
        name="fast",
        model="gpt-6-sol",
        api="responses",
        raw=responses(10_000, 1_000),
        terms={"service_tier": "fast"},
        usd="0.06",
        source=OPENAI,
    ),
    Case(
        name="flex",
        model="gpt-5",
        raw=chat(10_000, 1_000),
        terms={"service_tier": "flex"},
        usd="0.01125",
        source=OPENAI,
    ),
    Case(
        name="asked for flex, served as default",
        model="gpt-5",
        raw=chat(10_000, 1_000),
        terms={"service_tier": "default", "request": {"service_tier": "flex"}},
        usd="0.0225",
        source=OPENAI,
    ),
    # 2,000 x 1.25 + 8,000 x 0.13 + 1,000 x 7.50: the published 0.13, not half of 0.25
    Case(
        name="flex cached, rounded by the list",
        model="gpt-5.4",
        raw=chat(10_000, 1_000, 8_000),
        terms={"service_tier": "flex"},
        usd="0.01104",
        source=OPENAI,
    ),
    # 2,000 x 0.55 + 8,000 x 0.138 + 1,000 x 2.20
    Case(
        name="flex cached, o4-mini",
        model="o4-mini",
        raw=chat(10_000, 1_000, 8_000),
        terms={"service_tier": "flex"},
        usd="0.004404",
        source=OPENAI,
    ),
    Case(
        name="a batch that saves nothing",
        model="gpt-3.5-turbo-1106",
        raw=chat(10_000, 1_000),
        batch=True,
        usd="0.012",
        source=OPENAI,
    ),
    Case(name="batch", model="gpt-5", raw=chat(10_000, 1_000), batch=True, usd="0.01125", source=OPENAI),
    Case(name="batch luna", model="gpt-6-luna", raw=chat(10_000, 1_000), batch=True, usd="0.00075", source=OPENAI),
    Case(name="at the cliff", model="gpt-5.4", raw=chat(272_000, 1_000), usd="0.695", source=OPENAI),
    # every token of the call at the long price: 272,001 x 5 + 1,000 x 22.50
    Case(name="over the cliff", model="gpt-5.4", raw=chat(272_001, 1_000), usd="1.382505", source=OPENAI),
    # cached tokens count for the cliff: 100,000 x 5 + 200,000 x 0.50 + 1,000 x 22.50
    Case(
        name="over the cliff by cached tokens",
        model="gpt-5.4",
        raw=chat(300_000, 1_000, 200_000),
        usd="0.6225",
        source=OPENAI,
    ),
    # 2,000 x 4 + 2,000 x 0.40 + 6,000 x 5 + 1,000 x 20
    Case(
        name="writes are inside and at 1.25x",
        model="gpt-5.6-sol",
        api="responses",
        raw=responses(10_000, 1_000, cached=2_000, write=6_000),
        usd="0.0588",
        source=OPENAI,
    ),
    Case(
        name="writes in chat",
        model="gpt-5.6-sol",
        raw=chat(10_000, 1_000, prompt_tokens_details={"cached_tokens": 2_000, "cache_write_tokens": 6_000}),
        usd="0.0588",
        source=OPENAI,
    ),
    Case(
        name="before its price cut",
        model="gpt-5.6-sol",
        api="responses",
        raw=responses(10_000, 1_000, cached=2_000, write=6_000),
        usd="0.0785",
        at=utc("2026-08-20 23:59"),
        source="developers.openai.com/api/docs/changelog, 2026-08-21",
    ),
    Case(
        name="alias",
        model="gpt-5.6",
        api="responses",
        raw=responses(10_000, 1_000, cached=2_000, write=6_000),
        usd="0.0588",
        source=OPENAI,
    ),
    # 10,000 x 2 + 90,000 x 0.10 + 1,000 x 10
    Case(
        name="read at a twentieth",
        model="gpt-6.1-sol",
        api="responses",
        raw=responses(100_000, 1_000, cached=90_000),
        usd="0.039",
        source=OPENAI,
    ),
    # 2,000 x 1 + 8,000 x 2.50 + 1,000 x 5
    Case(
        name="12-hour write",
        model="gpt-6.1-terra",
        api="responses",
        raw=responses(10_000, 1_000, write=8_000, write_12h=8_000),
        usd="0.027",
        source="developers.openai.com/api/docs/models/gpt-6.1-terra, 2026-10-26",
    ),
    Case(
        name="embedding",
        model="text-embedding-3-small",
        api="embeddings",
        raw={"prompt_tokens": 10_000, "total_tokens": 10_000},
        usd="0.0002",
        source=OPENAI,
    ),
    Case(
        name="embedding in a batch",
        model="text-embedding-3-large",
        api="embeddings",
        raw={"prompt_tokens": 10_000, "total_tokens": 10_000},
        batch=True,
        usd="0.00065",
        source=OPENAI,
    ),
    Case(
        name="legacy completion",
        model="gpt-3.5-turbo-instruct",
        api="completions",
        raw=chat(10_000, 1_000),
        usd="0.017",
        source=OPENAI,
    ),
    # 200 x 2.50 + 800 x 32 + 100 x 10 + 400 x 64
    Case(
        name="audio",
        model="gpt-audio",
        raw=chat(
            1_000,
            500,
            prompt_tokens_details={"audio_tokens": 800},
            completion_tokens_details={"audio_tokens": 400},
        ),
        usd="0.0527",
        source=OPENAI,
    ),
    # 200 x 2.50 + 800 x 40 + 100 x 10 + 400 x 80
    Case(
        name="audio of the preview model",
        model="gpt-4o-audio-preview-2025-06-03",
        raw=chat(
            1_000,
            500,
            prompt_tokens_details={"audio_tokens": 800},
            completion_tokens_details={"audio_tokens": 400},
        ),
        usd="0.0655",
        source=OPENAI,
    ),
    # 2,000 x 3.75 + 8,000 x 1.875 + 1,000 x 15
    Case(
        name="fine-tune, cached",
        model="ft:gpt-4o-2024-08-06:acme::AbC123",
        raw=chat(10_000, 1_000, 8_000),
        usd="0.0375",
        source=OPENAI,
    ),
    Case(
        name="fine-tune of 4.1 mini",
        model="ft:gpt-4.1-mini-2025-04-14:acme::AbC123",
        raw=chat(10_000, 1_000),
        usd="0.0112",
        source=OPENAI,
    ),
    Case(
        name="fine-tune of o4-mini",
        model="ft:o4-mini-2025-04-16:acme::AbC123",
        raw=chat(10_000, 1_000),
        usd="0.056",
        source=OPENAI,
    ),
    Case(
        name="rejected predictions are inside",
        model="gpt-4o",
        raw=chat(
            10_000,
            1_000,
            completion_tokens_details={"accepted_prediction_tokens": 300, "rejected_prediction_tokens": 200},
        ),
        usd="0.035",
        source="OpenAI API reference, CompletionTokensDetails, openai 3.54.0",
    ),
    Case(
        name="European endpoint at 1.1x",
        model="gpt-5.5",
        raw=chat(10_000, 1_000),
        terms={"server_address": "eu.api.openai.com"},
        usd="0.088",
        source=OPENAI,
    ),
    Case(
        name="Azure by the response's model",
        provider="azure.ai.openai",
        model="gpt-4o-2024-11-20",
        raw=chat(10_000, 1_000),
        usd="0.035",
        source="azure.microsoft.com/pricing/details/cognitive-services/openai-service, global standard, 2026-11-22",
    ),
]

STREAM_START = {"input_tokens": 1_000, "cache_read_input_tokens": 5_000, "output_tokens": 1}
"""`message_start.message.usage`"""
STREAM_END = {"input_tokens": 1_000, "cache_read_input_tokens": 5_000, "output_tokens": 400}
"""`message_delta.usage`, cumulative"""

# 21 x 5 + 188,086 x 6.25 + 393 x 25
ANTHROPIC_CASES = [
    Case(
        **MESSAGES,
        name="first write",
        model="claude-opus-4-5-20251101",
        raw=claude(21, 393, write_5m=188_086),
        usd="1.1854675",
        source=ANTHROPIC,
    ),
    # 1,000 x 3 + 10,000 x 0.30 + 500 x 3.75 + 1,500 x 6 + 500 x 15
    Case(
        **MESSAGES,
        name="both lifetimes",
        model="claude-sonnet-4-5-20250929",
        raw=claude(1_000, 500, read=10_000, write_5m=500, write_1h=1_500),
        usd="0.024375",
        source=ANTHROPIC,
    ),
    # the sum of all three counts: 50,000 + 150,000 is not more than 200,000
    Case(
        **MESSAGES,
        name="at the cliff",
        model="claude-sonnet-4-5",
        raw=claude(50_000, 1_000, read=150_000),
        usd="0.21",
        at=utc("2026-04-01"),
        source="platform.claude.com/docs/en/about-claude/pricing, 2026-04-01",
    ),
    # 50,001 x 6 + 150,000 x 0.60 + 1,000 x 22.50
    Case(
        **MESSAGES,
        name="over the cliff",
        model="claude-sonnet-4-5",
        raw=claude(50_001, 1_000, read=150_000),
        usd="0.412506",
        at=utc("2026-04-01"),
        source="platform.claude.com/docs/en/about-claude/pricing, 2026-04-01",
    ),
    Case(
        **MESSAGES,
        name="while long context cost more",
        model="claude-opus-4-6",
        raw=claude(250_000, 1_000),
        usd="2.5375",
        at=utc("2026-03-12 23:00"),
        source="claude.com/blog/1m-context-ga, 2026-03-13",
    ),
    Case(
        **MESSAGES,
        name="since it does not",
        model="claude-opus-4-6",
        raw=claude(250_000, 1_000),
        usd="1.275",
        at=utc("2026-03-13 00:00"),
        source="claude.com/blog/1m-context-ga, 2026-03-13",
    ),
    Case(
        **MESSAGES,
        name="read at a twentieth",
        model="claude-opus-5-5",
        raw=claude(1_000, 1_000, read=100_000),
        usd="0.044",
        source=ANTHROPIC,
    ),
    Case(
        **MESSAGES,
        name="read at a fortieth",
        model="claude-fable-5-1",
        raw=claude(1_000, 1_000, read=100_000),
        usd="0.085",
        source=ANTHROPIC,
    ),
    Case(
        **MESSAGES,
        name="Haiku at its cliff",
        model="claude-haiku-5-5",
        raw=claude(100_000, 1_000),
        usd="0.0105",
        source=ANTHROPIC,
    ),
    Case(
        **MESSAGES,
        name="Haiku over its cliff",
        model="claude-haiku-5-5",
        raw=claude(100_001, 1_000),
        usd="0.0525005",
        source=ANTHROPIC,
    ),
    Case(
        **MESSAGES,
        name="batch by the usage's tier",
        model="claude-opus-4-5",
        raw=claude(10_000, 1_000, service_tier="batch"),
        usd="0.0375",
        source=ANTHROPIC,
    ),
    # 1,000 x 1.50 + 10,000 x 0.15 + 2,000 x 3 + 1,000 x 7.50: the cache factors are on top of the batch price
    Case(
        **MESSAGES,
        name="batch with a one-hour write",
        model="claude-sonnet-4-5",
        raw=claude(1_000, 1_000, read=10_000, write_1h=2_000, service_tier="batch"),
        usd="0.0165",
        source=ANTHROPIC,
    ),
    Case(
        **MESSAGES,
        name="batch before the list recorded it",
        model="claude-sonnet-4-5",
        raw=claude(10_000, 1_000, service_tier="batch"),
        usd="0.0225",
        at=utc("2026-05-01"),
        source="platform.claude.com/docs/en/build-with-claude/batch-processing, 2026-05-01",
    ),
    Case(
        **MESSAGES,
        name="batch of a retired model",
        model="claude-3-haiku-20240307",
        raw=claude(10_000, 1_000, service_tier="batch"),
        usd="0.001875",
        source="platform.claude.com/docs/en/build-with-claude/batch-processing, 2026-10-14",
    ),
    Case(
        **MESSAGES,
        name="batch of limited availability",
        model="claude-mythos-5",
        raw=claude(10_000, 1_000, service_tier="batch"),
        usd="0.075",
        source="platform.claude.com/docs/en/build-with-claude/batch-processing, 2026-11-22",
    ),
    # LangChain counts all of Anthropic's input as input: 1,000 x 3 + 9,000 x 0.30 + 100 x 15
    Case(
        **MESSAGES,
        name="by LangChain's inclusive counts",
        model="claude-sonnet-4-5",
        raw={
            "input_tokens": 10_000,
            "output_tokens": 100,
            "total_tokens": 10_100,
            "input_token_details": {"cache_read": 9_000, "cache_creation": 0},
        },
        usd="0.0072",
        source=ANTHROPIC,
    ),
    Case(
        **MESSAGES,
        name="fast",
        model="claude-opus-5",
        raw=claude(10_000, 1_000, speed="fast"),
        usd="0.15",
        source="platform.claude.com/docs/en/build-with-claude/fast-mode#pricing, 2026-10-14",
    ),
    Case(
        **MESSAGES,
        name="in the US at 1.1x",
        model="claude-opus-4-6",
        raw=claude(10_000, 1_000, inference_geo="us"),
        usd="0.0825",
        source="platform.claude.com/docs/en/manage-claude/data-residency, 2026-11-22",
    ),
    Case(
        **MESSAGES,
        name="in the US, in a batch",
        model="claude-opus-5",
        raw=claude(10_000, 1_000, inference_geo="us", service_tier="batch"),
        usd="0.04125",
        source="platform.claude.com/docs/en/manage-claude/data-residency, 2026-11-22",
    ),
    Case(
        **MESSAGES,
        name="older than places",
        model="claude-haiku-4-5-20251001",
        raw=claude(10_000, 1_000, inference_geo="not_available"),
        usd="0.015",
        source=ANTHROPIC,
    ),
    # 1,000 x 3 + 500 x 15 + 3 searches at 0.01
    Case(
        **MESSAGES,
        name="web searches",
        model="claude-sonnet-4-5",
        raw=claude(1_000, 500, server_tool_use={"web_search_requests": 3}),
        usd="0.0405",
        source=ANTHROPIC,
    ),
    Case(
        **MESSAGES,
        name="thinking is inside",
        model="claude-sonnet-4-5",
        raw=claude(1_000, 2_000, output_tokens_details={"thinking_tokens": 1_500}),
        usd="0.033",
        source=ANTHROPIC,
    ),
    # 23,000 x 5 + 1,000 x 25, and besides 180,000 x 5 + 3,500 x 25
    Case(
        **MESSAGES,
        name="compaction stands in the iterations alone",
        model="claude-opus-4-6",
        raw=claude(
            23_000,
            1_000,
            iterations=[
                {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
                {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000},
            ],
        ),
        usd="1.1275",
        source="platform.claude.com/docs/en/build-with-claude/compaction, anthropic 2.12.0 BetaUsage",
    ),
    # 10,000 x 2 + 1,000 x 10, and by the advisor 5,000 x 5 + 500 x 25
    Case(
        **MESSAGES,
        name="an advisor at its own model's price",
        model="claude-sonnet-5",
        raw=claude(
            10_000,
            1_000,
            iterations=[
                {"type": "message", "input_tokens": 10_000, "output_tokens": 1_000},
                {
                    "type": "advisor_message",
                    "model": "claude-opus-4-8",
                    "input_tokens": 5_000,
                    "output_tokens": 500,
                },
            ],
        ),
        usd="0.0675",
        source=ANTHROPIC,
    ),
    # two turns of 60,000 are two prompts below 100,000: 2 x (60,000 x 0.10 + 500 x 0.50) + 1 search
    Case(
        **MESSAGES,
        name="turns of server tools count alone for the cliff",
        model="claude-haiku-5-5",
        raw=claude(
            120_000,
            1_000,
            server_tool_use={"web_search_requests": 1},
            iterations=[
                {"type": "message", "input_tokens": 60_000, "output_tokens": 500},
                {"type": "message", "input_tokens": 60_000, "output_tokens": 500},
            ],
        ),
        usd="0.0225",
        source=ANTHROPIC,
    ),
    Case(
        **MESSAGES,
        name="limited availability",
        model="claude-mythos-5",
        raw=claude(1_000, 1_000),
        usd="0.06",
        source="platform.claude.com/docs/en/about-claude/pricing, 2026-11-22",
    ),
    # message_delta repeats what message_start had; merged by key, it counts once: 1,000 x 3 + 5,000 x 0.30 + 400 x 15
    Case(
        **MESSAGES,
        name="a stream's cumulative usage",
        model="claude-sonnet-4-5",
        raw=STREAM_START | STREAM_END,
        usd="0.0105",
        source="platform.claude.com/docs/en/build-with-claude/streaming, 2026-11-22",
    ),
]

BEDROCK_CASES = [
    # 1,000 x 5.50 + 10,000 x 0.55 + 2,000 x 11 + 500 x 27.50
    Case(
        **CONVERSE,
        name="regional profile, counts exclude the cache",
        model="us.anthropic.claude-opus-4-5-20251101-v1:0",
        raw={
            "inputTokens": 1_000,
            "outputTokens": 500,
            "totalTokens": 13_500,
            "cacheReadInputTokens": 10_000,
            "cacheWriteInputTokens": 2_000,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 2_000}],
        },
        usd="0.04675",
        source=BEDROCK,
    ),
    Case(
        **CONVERSE,
        name="global profile",
        model="global.anthropic.claude-opus-4-5-20251101-v1:0",
        raw={"inputTokens": 10_000, "outputTokens": 1_000},
        usd="0.075",
        source=BEDROCK,
    ),
    Case(
        **CONVERSE,
        name="in its region, at 10 % more",
        model="anthropic.claude-opus-4-5-20251101-v1:0",
        raw={"inputTokens": 10_000, "outputTokens": 1_000},
        usd="0.0825",
        source=BEDROCK,
    ),
    Case(
        **CONVERSE,
        name="ARN that carries the model",
        model="arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-5-20251101-v1:0",
        raw={"inputTokens": 10_000, "outputTokens": 1_000},
        usd="0.0825",
        source=BEDROCK,
    ),
    Case(
        provider="aws.bedrock",
        api="messages",
        name="Messages on Bedrock, by the model asked for",
        model="global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        raw=claude(1_000, 1_000),
        terms={"response_model": "claude-sonnet-4-5-20250929"},
        usd="0.018",
        source=BEDROCK,
    ),
    # 1,000 x 0.06 + 9,000 x 0.015 + 100 x 0.24
    Case(
        **CONVERSE,
        name="Nova reads at a quarter",
        model="amazon.nova-lite-v1:0",
        raw={"inputTokens": 1_000, "outputTokens": 100, "cacheReadInputTokens": 9_000, "cacheWriteInputTokens": 0},
        usd="0.000219",
        source=BEDROCK,
    ),
    Case(
        provider="aws.bedrock",
        api="invoke_model",
        name="Nova by its own names",
        model="amazon.nova-lite-v1:0",
        raw={"inputTokens": 1_000, "outputTokens": 100, "cacheReadInputTokenCount": 9_000},
        usd="0.000219",
        source=BEDROCK,
    ),
    # 1,000 x 5.50 + 2,000 x 6.875 + 500 x 27.50
    Case(
        provider="aws.bedrock",
        api="invoke_model",
        name="Claude by InvokeModel, in Anthropic's words",
        model="us.anthropic.claude-opus-4-5-20251101-v1:0",
        raw={
            "input_tokens": 1_000,
            "cache_creation_input_tokens": 2_000,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 2_000, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 500,
        },
        usd="0.033",
        source=BEDROCK,
    ),
    Case(
        provider="aws.bedrock",
        api="invoke_model",
        name="Llama",
        model="us.meta.llama3-3-70b-instruct-v1:0",
        raw={"prompt_token_count": 10_000, "generation_token_count": 1_000},
        usd="0.00792",
        source=BEDROCK,
    ),
]

GOOGLE_CASES = [
    # 6,000 x 1.25 + 4,000 x 0.125 + (500 + 1,500) x 10
    Case(
        **GEMINI,
        name="cached inside, thoughts outside",
        model="gemini-2.5-pro",
        raw=gemini(10_000, 500, cachedContentTokenCount=4_000, thoughtsTokenCount=1_500, totalTokenCount=12_000),
        usd="0.028",
        source=GOOGLE,
    ),
    Case(
        **GEMINI,
        name="over the cliff",
        model="models/gemini-2.5-pro",
        raw=gemini(200_001, 1_000),
        usd="0.5150025",
        source=GOOGLE,
    ),
    # 600 text x 0.30 + 600 audio x 1 + 100 x 2.50
    Case(
        **GEMINI,
        name="tool use outside the prompt, audio",
        model="gemini-2.5-flash",
        raw=gemini(
            1_000,
            100,
            toolUsePromptTokenCount=200,
            promptTokensDetails=[
                {"modality": "TEXT", "tokenCount": 400},
                {"modality": "AUDIO", "tokenCount": 600},
            ],
        ),
        usd="0.00103",
        source=GOOGLE,
    ),
    Case(
        **GEMINI,
        name="the last day of a promotion",
        model="gemini-3.6-flash",
        raw=gemini(10_000, 1_000),
        usd="0.01125",
        at=utc("2026-12-31 23:59"),
        source=GOOGLE,
    ),
    Case(
        **GEMINI,
        name="the day after",
        model="gemini-3.6-flash",
        raw=gemini(10_000, 1_000),
        usd="0.0225",
        at=utc("2027-01-01 00:00"),
        source=GOOGLE,
    ),
    # 6,000 x 0.625 + 4,000 x 0.125 (caching is "same as standard") + 1,000 x 5
    Case(
        **GEMINI,
        name="batch, cached at the standard rate",
        model="gemini-2.5-pro",
        raw=gemini(10_000, 1_000, cachedContentTokenCount=4_000),
        batch=True,
        usd="0.00925",
        source=GOOGLE,
    ),
    # thoughts appear in the total alone: 20 x 0.30 + 603 x 2.50
    Case(
        provider="gcp.gemini",
        name="through the OpenAI API",
        model="gemini-2.5-flash",
        raw={"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623},
        usd="0.0015135",
        source=GOOGLE,
    ),
    Case(
        provider="gcp.vertex_ai",
        api="messages",
        name="Claude on Vertex AI",
        model="claude-sonnet-4-5@20250929",
        raw=claude(10_000, 1_000),
        terms={"server_address": "aiplatform.googleapis.com"},
        usd="0.045",
        source="cloud.google.com/vertex-ai/generative-ai/pricing#claude-models, 2026-10-14",
    ),
    Case(
        provider="gcp.vertex_ai",
        api="messages",
        name="Claude on Vertex AI, in a region",
        model="claude-sonnet-4-5@20250929",
        raw=claude(10_000, 1_000),
        terms={"server_address": "us-east5-aiplatform.googleapis.com"},
        usd="0.0495",
        source="cloud.google.com/vertex-ai/generative-ai/pricing#claude-models, 2026-10-14",
    ),
]

DEEPSEEK_USAGE = chat(10_000, 1_000, prompt_cache_hit_tokens=8_000, prompt_cache_miss_tokens=2_000)

OTHER_CASES = [
    # reasoning beside the completion: 1,000 x 1.25 + (100 + 900) x 2.50
    Case(
        provider="x_ai",
        name="reasoning is outside",
        model="grok-4.3",
        raw={
            "prompt_tokens": 1_000,
            "completion_tokens": 100,
            "total_tokens": 2_000,
            "completion_tokens_details": {"reasoning_tokens": 900},
        },
        usd="0.00375",
        source=XAI,
    ),
    Case(
        provider="x_ai",
        name="just under an inclusive cliff",
        model="grok-4.3",
        raw=chat(199_999, 100),
        usd="0.25024875",
        source=XAI,
    ),
    Case(provider="x_ai", name="at it", model="grok-4.3", raw=chat(200_000, 100), usd="0.5005", source=XAI),
    Case(
        provider="x_ai",
        name="its own bill wins",
        model="grok-4.3",
        raw=chat(1_000, 100, cost_in_usd_ticks=37_756_000),
        usd="0.0037756",
        source="docs.x.ai, cost_in_usd_ticks, 1e10 per dollar",
    ),
    # 2,000 x 0.15 + 8,000 x 0.003 + 1,000 x 0.60
    Case(
        provider="deepseek",
        name="off-peak",
        model="deepseek-v4-flash",
        raw=DEEPSEEK_USAGE,
        usd="0.000924",
        source=DEEPSEEK,
    ),
    Case(
        provider="deepseek",
        name="peak",
        model="deepseek-v4-flash",
        raw=DEEPSEEK_USAGE,
        usd="0.001848",
        at=utc("2026-11-20 02:00"),
        source=DEEPSEEK,
    ),
    Case(
        provider="deepseek",
        name="a Saturday",
        model="deepseek-v4-flash",
        raw=DEEPSEEK_USAGE,
        usd="0.000924",
        at=utc("2026-11-21 02:00"),
        source=DEEPSEEK,
    ),
    Case(
        provider="deepseek",
        name="a Chinese holiday",
        model="deepseek-flash",
        raw=DEEPSEEK_USAGE,
        usd="0.000924",
        at=utc("2026-10-01 07:00"),
        source=DEEPSEEK,
    ),
    # the peak of V4 Flash, before V4.1 took its name: 2,000 x 0.44 + 8,000 x 0.014 + 1,000 x 1.32
    Case(
        provider="deepseek",
        name="an earlier peak price",
        model="deepseek-v4-flash",
        raw=DEEPSEEK_USAGE,
        usd="0.002312",
        at=utc("2026-08-20 02:00"),
        source="api-docs.deepseek.com/quick_start/pricing, 2026-08-23",
    ),
    Case(
        provider="deepseek",
        name="before there was a peak",
        model="deepseek-v4-pro",
        raw=chat(10_000, 1_000),
        usd="0.00522",
        at=utc("2026-08-10 03:00"),
        source="api-docs.deepseek.com/quick_start/pricing, 2026-08-10",
    ),
    Case(
        provider="groq",
        name="read at half",
        model="openai/gpt-oss-120b",
        raw=chat(10_000, 1_000, 8_000),
        terms={"service_tier": "on_demand"},
        usd="0.0015",
        source="groq.com/pricing, 2026-10-14",
    ),
    Case(
        provider="moonshot_ai",
        name="cached at the top of the usage",
        model="kimi-k2.5",
        raw=chat(10_000, 1_000, cached_tokens=8_000),
        usd="0.005",
        source="platform.moonshot.ai/docs/pricing, 2026-10-14",
    ),
    Case(
        provider="mistral_ai",
        name="Mistral",
        model="mistral-large-2512",
        raw=chat(10_000, 1_000),
        usd="0.0065",
        source="docs.mistral.ai/inference/pricing, 2026-10-14",
    ),
    Case(
        provider="openrouter",
        name="the gateway's bill",
        model="anthropic/claude-sonnet-4.5",
        raw=chat(10_000, 1_000, cost=0.04725),
        usd="0.04725",
        source="openrouter.ai/docs/use-cases/usage-accounting, 2026-11-22",
    ),
    Case(
        provider="openrouter",
        name="the gateway's fee and the bill behind it",
        model="anthropic/claude-sonnet-4.5",
        raw=chat(194, 2, cost=0.00095, is_byok=True, cost_details={"upstream_inference_cost": 0.019}),
        usd="0.01995",
        source="openrouter.ai/docs/use-cases/usage-accounting, 2026-11-22",
    ),
    Case(
        provider="perplexity",
        name="a bill with fees by the request",
        model="sonar",
        raw=chat(100, 100, cost={"input_tokens_cost": 0.0001, "request_cost": 0.005, "total_cost": 0.0052}),
        usd="0.0052",
        source="docs.perplexity.ai, usage.cost, 2026-09-27",
    ),
]

CASES = [*OPENAI_CASES, *ANTHROPIC_CASES, *BEDROCK_CASES, *GOOGLE_CASES, *OTHER_CASES]


def test_there_are_cases_for_every_trap() -> None:
    """The table is as large as it claims, and every case has a source with a date or a version."""
    assert len(CASES) >= 90
    assert all(any(character.isdigit() for character in case.source) for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.provider}: {case.name}" for case in CASES])
def test_payload_in_dollars_out(case: Case, prices: Prices) -> None:
    """A raw payload costs what the provider's list says, to the last digit."""
    usage = Usage.from_provider(case.provider, case.api, case.raw)
    assert usage is not None
    assert usage.problem is None
    asked: dict[str, Any] = {"response_model": case.model, **case.terms}
    terms = call_terms(provider=case.provider, request_model=case.model, raw_usage=case.raw, at=case.at, **asked)
    terms["batch"] = case.batch
    estimate = prices.estimate(usage=usage, **terms)
    if estimate.reason and OLDER_LIST:
        pytest.skip("the installed list is older than this price: absent, and not another one")
    assert estimate.reason is None
    assert estimate.usd == Decimal(case.usd)
    assert estimate.source
