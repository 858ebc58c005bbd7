"""Calls land in the store, sampled or not, with the cost that was not known when they ended."""

import gc
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from export_helpers import validate_event
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from scripted import MESSAGE, MESSAGES_USAGE, Answer, ScriptedServer

import llm_observer
from llm_observer.counters import counters
from llm_observer.export.reading import read_events
from llm_observer.pricing.prices import Prices

Ask = Callable[..., object]


def kept(store: Path) -> list[dict[str, Any]]:
    """The events in the store, once all are written."""
    assert llm_observer.flush()
    events = list(read_events(store))
    for event in events:
        validate_event(event)
    return events


def test_each_call_is_one_event(patched: Callable[..., None], ask: Ask, store: Path) -> None:
    patched()
    ask()
    ask("And the other one?", stream=True)
    gc.collect()  # never read, so it ends when it is dropped
    first, second = kept(store)
    assert first["call"]["api"] == "chat.completions"
    assert first["call"]["request_model"] == "gpt-5.6"
    assert first["call"]["site"]["function"].endswith("ask")
    assert first["usage"]["input_tokens"] == 100
    assert first["event_id"] != second["event_id"]
    assert second["call"]["stream"] is True
    assert llm_observer.stats().stored == 2
    assert llm_observer.stats().queued == 0


def test_a_call_that_is_not_sampled_is_kept_with_an_id_of_its_own(
    patched: Callable[..., None], ask: Ask, store: Path
) -> None:
    resource = Resource({"service.name": "support", "deployment.environment.name": "staging"})
    patched(tracer_provider=TracerProvider(ALWAYS_OFF, resource, shutdown_on_exit=False))
    ask()
    ask()
    events = kept(store)
    assert [event["trace"]["sampled"] for event in events] == [False, False]
    assert len({event["event_id"] for event in events}) == 2
    assert events[0]["service"] == {"name": "support", "environment": "staging"}
    assert events[0]["cache"]["outcome"] in {"hit", "cold", "partial", "miss"}
    assert llm_observer.summary().total.calls == 2


def test_a_call_that_failed_is_kept_with_the_kind_of_its_error(
    patched: Callable[..., None], ask: Ask, store: Path, server: ScriptedServer
) -> None:
    patched()
    server.script(Answer.json({"error": {"message": "secret", "code": "rate_limit_exceeded"}}, 429))
    with pytest.raises(openai.RateLimitError):
        ask()
    (event,) = kept(store)
    assert event["call"]["error_type"] == "rate_limit_exceeded"
    assert event["cost"] == {"reason": "no_usage"}


def test_with_the_store_off_no_file_is_made(patched: Callable[..., None], ask: Ask, store: Path) -> None:
    patched(store="off")
    ask()
    assert llm_observer.flush()
    assert not store.exists()
    assert llm_observer.stats().queued == 0
    assert llm_observer.summary().total.calls == 1


def test_a_call_that_ended_while_prices_were_loading_is_priced_when_it_is_stored(
    patched: Callable[..., None], claude: anthropic.Anthropic, store: Path, loading: threading.Event
) -> None:
    patched()
    told: list[llm_observer.CallReport] = []
    llm_observer.on_call(told.append)
    claude.messages.create(
        model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "Where is my parcel?"}]
    )
    assert told[0].cost == llm_observer.CostEstimate(reason="prices_loading")
    loading.set()
    (event,) = kept(store)
    # The scripted answer's model is priced as Claude Sonnet 5: see what the price list says of it once it is loaded.
    assert told[0].usage is not None
    again = llm_observer.estimate_cost(
        provider="anthropic", model="claude-sonnet-5-20260901", usage=told[0].usage, at=told[0].at
    )
    assert event["cost"].get("usd") == (None if again.usd is None else f"{again.usd.normalize():f}")
    assert event["cost"].get("reason") == again.reason


def test_a_call_is_repriced_by_all_that_decides_its_price(
    patched: Callable[..., None],
    claude: anthropic.Anthropic,
    store: Path,
    loading: threading.Event,
    server: ScriptedServer,
) -> None:
    """Where it ran and the searches it made are not in an event, and are billed all the same."""
    patched()
    usage = {
        "input_tokens": 1000,
        "output_tokens": 100,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "inference_geo": "us",
        "server_tool_use": {"web_search_requests": 3},
    }
    server.script(Answer.json({**MESSAGE, "model": "claude-opus-4-6", "usage": {**MESSAGES_USAGE, **usage}}))
    claude.messages.create(
        model="claude-opus-4-6", max_tokens=9, messages=[{"role": "user", "content": "Where is my parcel?"}]
    )
    loading.set()
    (event,) = kept(store)
    # 1000 * $5 + 100 * $25 per million, times 1.1 in the US, and 3 searches at $10 per 1000.
    assert Decimal(event["cost"]["usd"]) == Decimal("1.1") * Decimal("0.0075") + Decimal("0.03")


@pytest.mark.usefixtures("fail_open")
def test_a_call_whose_repricing_fails_is_kept_without_a_cost(
    patched: Callable[..., None],
    ask: Ask,
    store: Path,
    loading: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    patched()
    ask()
    monkeypatch.setattr(Prices, "estimate", broken)
    loading.set()
    (event,) = kept(store)
    assert event["cost"] == {"reason": "prices_loading"}
    assert counters.of("errors") == {"keeping.price": 1}


def test_a_store_that_cannot_be_written_costs_the_application_nothing(
    patched: Callable[..., None], ask: Ask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    patched(store=str(blocked / "calls.db"))
    assert ask() is not None
    ask()
    assert llm_observer.flush()
    assert (
        llm_observer.stats().dropped == {"store_unwritable": 1, "store_unavailable": 1}
        or sum(llm_observer.stats().dropped.values()) == 2
    )
    assert len([message for message in caplog.messages if message.startswith("calls are not kept")]) == 1
