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


def of_peer(call: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    """Scope, name and kind of the peer's spans."""
    return Counter((span["scope"], span["name"], span["kind"]) for span in of_others(call))


def is_late(peer: str, style: str) -> bool:
    """Whether the peer starts its span after the call, so that it cannot be known to be that call's."""
    return peer == "openllmetry" and ": responses" in style


def of_others(call: dict[str, Any]) -> list[dict[str, Any]]:
    """The spans that are neither ours nor the SDK's own, which we rename by the conventions."""
    return [
        span
        for span in call["spans"]
        if span["scope"] != "llm_observer" and not span["scope"].startswith("com.anthropic.")
    ]


def is_fixed(name: str) -> bool:
    """Whether an attribute is the same in each run: no time, no id and no port."""
    return name.startswith(("gen_ai.", "llm.", "openinference.", "traceloop.")) and not any(
        part in name for part in ("time_to", "api_base", "duration")
    )


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
def test_the_peers_spans_say_what_they_say_alone(peer: str, order: str) -> None:
    """No attribute is lost and no value is changed, of those that are the same in each run."""
    alone, together = calls(peer, "alone"), calls(peer, order)
    for style, call in together.items():
        # Spans may be exported in another order: those of a call that has several differ by what they say.
        for span in of_others(alone[style]):
            says = {name: value for name, value in span["says"].items() if is_fixed(name)}
            if peer == "logfire":
                # Where it does not know the response's model at the end, it exports the request's.
                says.pop("gen_ai.response.model", None)
            assert any(
                span["name"] == other["name"]
                and set(span["says"]) <= set(other["says"])
                and says.items() <= other["says"].items()
                for other in of_others(call)
            ), style


@pytest.mark.parametrize("order", ORDERS, ids=ORDERS.values())
def test_a_call_has_as_many_spans_as_with_the_peer_alone_and_one_verdict_for_each_answer(peer: str, order: str) -> None:
    """A call that has none there has one; so has one whose span the peer makes after the call, beside that."""
    alone, together, bare = calls(peer, "alone"), calls(peer, order), calls("nothing", "last")
    for style, call in together.items():
        before = len(alone[style]["spans"])
        found = [span["scope"] for span in call["spans"] if span["explained"]]
        ours = sum(span["explained"] for span in bare[style]["spans"])
        if not ours:
            assert (len(call["spans"]), found) == (before, []), style
        elif not call["spans"]:
            assert call["result"].startswith("(<class "), f"{style}: the peer lets no request be made"
        elif before and not is_late(peer, style):
            assert (len(call["spans"]), len(found)) == (before, ours), style
            assert "llm_observer" not in found, style
        else:
            assert (len(call["spans"]), len(found)) == (before + ours, ours), style
