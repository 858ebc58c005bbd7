"""Cache rules: which one a model has, and that what is not documented is unknown."""

import json
from importlib.resources import files
from typing import Any

import pytest

from llm_observer.analysis.rules import rule_for

RULES: list[dict[str, Any]] = json.loads(
    files("llm_observer.analysis").joinpath("cache_rules.json").read_text(encoding="utf-8")
)["rules"]


@pytest.mark.parametrize(
    ("provider", "model", "rule", "minimum"),
    [
        ("anthropic", "claude-sonnet-4-5-20250929", "anthropic", 1024),
        ("anthropic", "claude-opus-4-5", "anthropic", 4096),
        ("anthropic", "claude-opus-4-7", "anthropic", 2048),
        ("anthropic", "claude-opus-5-5", "anthropic", 512),
        ("anthropic", "claude-sonnet-5", "anthropic", 1024),
        ("anthropic", "claude-sonnet-5-5", "anthropic", 512),
        ("anthropic", "claude-haiku-4-5-20251001", "anthropic", 4096),
        ("anthropic", "claude-3-haiku-20240307", "anthropic", 2048),
        ("anthropic", "claude-3-7-sonnet-20250219", "anthropic", 1024),
        ("anthropic", "claude-of-tomorrow", "anthropic", None),
        ("gcp.vertex_ai", "claude-opus-4-5@20251101", "anthropic", 4096),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock-claude", 1024),
        ("openai", "gpt-4o-2024-08-06", "openai", 1024),
        ("openai", "gpt-4.1-mini", "openai", 1024),
        ("openai", "gpt-5", "openai", 1024),
        ("openai", "gpt-5-mini-2025-08-07", "openai", 1024),
        ("openai", "gpt-5.2", "openai", 1024),
        ("openai", "o4-mini", "openai", 1024),
        ("openai", "ft:gpt-4.1:acme::x", "openai", 1024),
        ("openai", "gpt-5.5-pro", "openai-5.5", 2048),
        ("openai", "gpt-5.6", "openai-5.6", 1024),
        ("openai", "gpt-6.1-terra", "openai-5.6", 1024),
        ("azure.ai.openai", "gpt-5.6-sol", "openai-5.6", 1024),
        ("deepseek", "deepseek-chat", "deepseek", 64),
        ("groq", "llama-3.3-70b", "groq", None),
        ("aws.bedrock", "openai.gpt-5.6-sol", "bedrock-openai-5.6", 1024),
        ("aws.bedrock", "us.amazon.nova-pro-v1:0", "bedrock-nova", None),
        ("gcp.gemini", "gemini-2.5-pro", "gemini", 2048),
        ("gcp.gemini", "models/gemini-3.6-flash", "gemini", 4096),
        ("gcp.vertex_ai", "gemini-3.1-pro", "gemini-vertex", None),
        ("gcp.vertex_ai", "gemini-2.0-flash", "gemini-older", None),
        ("x_ai", "grok-5", "x_ai", None),
        ("mistral_ai", "mistral-large-latest", "mistral_ai", None),
        ("moonshot_ai", "kimi-k3", "moonshot_ai", None),
        ("vllm", "any/model", "vllm", 16),
        ("sglang", "any/model", "sglang", 1),
    ],
)
def test_a_model_has_the_rule_of_its_group(provider: str, model: str, rule: str, minimum: int | None) -> None:
    found = rule_for(provider, model)
    assert found is not None
    assert (found.id, found.min_tokens) == (rule, minimum)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-99"), ("openai", None), ("anthropic", "gpt-4o"), ("together_ai", "x"), ("nobody", "gpt-4o")],
)
def test_what_is_not_documented_has_no_rule(provider: str, model: str | None) -> None:
    assert rule_for(provider, model) is None


def test_a_lifetime_that_is_not_known_is_the_default_one() -> None:
    rule = rule_for("anthropic", "claude-sonnet-4-5")
    assert rule is not None
    assert rule.lifetime("1h") == ("1h", 3600)
    assert rule.lifetime("default") == ("5m", 300)
    assert rule.lifetime(None) == ("5m", 300)
    grid = rule_for("openai", "gpt-4o")
    assert grid is not None
    assert grid.lifetime("5m") == (None, None)


def test_every_rule_says_where_it_is_from_and_when_it_was_read() -> None:
    for rule in RULES:
        assert rule["source"]
        assert rule["retrieved"] == "2026-11-22"
        assert rule["match"] in {"boundary", "interval", "object"}
        assert set(rule["params"].values()) <= {"all", "system", "messages"}
