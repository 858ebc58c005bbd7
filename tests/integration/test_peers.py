"""Beside other instrumentations of the same SDKs, in either order: their spans stay, and the calls stay what they are.

Each peer runs where it is installed, next to the package, and is skipped elsewhere.
"""

import importlib.util
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from programs import run

APP = Path(__file__).parent / "apps" / "beside.py"

MODULES = {
    "official": "opentelemetry.instrumentation.genai.openai",
    "openai-v2": "opentelemetry.instrumentation.openai_v2",
    "openllmetry": "opentelemetry.instrumentation.openai",
    "openinference": "openinference.instrumentation.openai",
    "logfire": "logfire",
}
ORDERS = {"first": "the peer before us", "last": "the peer behind us"}

Calls = dict[str, dict[str, Any]]


@cache
def calls(peer: str, order: str) -> Calls:
    """The calls of `apps/beside.py`, by style."""
    return json.loads(run(APP, peer, order).stdout.splitlines()[-1])


@pytest.fixture(params=MODULES)
def peer(request: pytest.FixtureRequest) -> str:
    """A peer that is installed here."""
    module: str = MODULES[request.param]
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        pytest.skip(f"{module} is not installed")
    return request.param


def of_peer(call: dict[str, Any]) -> Counter[tuple[str, str]]:
    """Scope and name of the spans that are neither ours nor the SDK's own, which we rename by the conventions."""
    spans = [(span["scope"], span["name"]) for span in call["spans"]]
    return Counter(span for span in spans if span[0] != "llm_observer" and not span[0].startswith("com.anthropic."))


@pytest.mark.parametrize("order", ORDERS, ids=ORDERS.values())
def test_the_application_gets_what_it_gets_with_the_peer_alone(peer: str, order: str) -> None:
    alone, together = calls(peer, "alone"), calls(peer, order)
    assert alone
    assert {style: call["result"] for style, call in together.items()} == {
        style: call["result"] for style, call in alone.items()
    }


@pytest.mark.parametrize("order", ORDERS, ids=ORDERS.values())
def test_the_peers_spans_are_all_there(peer: str, order: str) -> None:
    alone, together = calls(peer, "alone"), calls(peer, order)
    assert sum(of_peer(call).total() for call in alone.values()) > 10, "the peer is at work"
    for style, call in together.items():
        assert of_peer(call) == of_peer(alone[style]), style


@pytest.mark.parametrize("order", ORDERS, ids=ORDERS.values())
def test_a_call_has_at_most_one_span_more_and_one_verdict(peer: str, order: str) -> None:
    alone, together = calls(peer, "alone"), calls(peer, order)
    for style, call in together.items():
        assert len(call["spans"]) <= len(alone[style]["spans"]) + 1, style
        assert sum(span["explained"] for span in call["spans"]) <= 1, style
