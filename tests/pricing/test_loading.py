"""Prices load off the caller's path, once, without network, across threads and forks; their memory is bounded."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot, set_custom_snapshot

from llm_observer.counters import counters
from llm_observer.guard import Guard
from llm_observer.pricing.catalog import Catalog
from llm_observer.pricing.prices import Prices
from llm_observer.results import CostEstimate
from llm_observer.usage import Usage

PLAIN = Usage(input_tokens=10_000, output_tokens=1_000)


def run(script: str) -> Any:
    """What a fresh interpreter prints as JSON."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    """Importing and constructing load nothing; an estimate meanwhile says so and waits for nothing."""
    seen = run("""
import json, sys
from llm_observer.pricing.estimate import estimate_cost
from llm_observer.pricing.prices import Prices
from llm_observer.usage import Usage
prices = Prices()
before = prices.estimate(provider="openai", model="gpt-4o", usage=Usage(input_tokens=1, output_tokens=1)).reason
early = [name for name in ("genai_prices", "pydantic", "httpx2") if name in sys.modules]
assert prices.wait(60)
after = prices.estimate(provider="openai", model="gpt-4o", usage=Usage(input_tokens=10**6, output_tokens=0)).usd
print(json.dumps([before, early, "genai_prices" in sys.modules, str(after.normalize())]))
""")
    assert seen == ["prices_loading", [], True, "2.5"]


def test_no_network_and_no_other_thread() -> None:
    """Loading and pricing open no socket and leave no thread running."""
    seen = run("""
import json, socket, threading
def refuse(*args, **kwargs): raise AssertionError("a socket was opened")
socket.socket.__init__ = refuse
from llm_observer.pricing.estimate import estimate_cost
usd = estimate_cost(provider="openai", model="gpt-4o", usage={"input_tokens": 1, "output_tokens": 1}, at=0).usd
for thread in threading.enumerate():
    if thread.name == "llm-observer-prices":
        thread.join(5)
print(json.dumps([str(usd.normalize()), [thread.name for thread in threading.enumerate()]]))
""")
    assert seen == ["0.0000125", ["MainThread"]]


@pytest.mark.parametrize("moment", ["before loading", "while loading", "when loaded"])
def test_a_forked_child_prices_too(moment: str) -> None:
    """Whenever the fork comes: the child loads what its parent had not, and shares what it had."""
    steps = {
        "before loading": "",
        "while loading": "prices.start_loading()",
        "when loaded": "assert prices.wait(60)",
    }
    seen = run(f"""
import json, os, sys
from llm_observer.pricing.prices import Prices
from llm_observer.usage import Usage
prices = Prices()
{steps[moment]}
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    ready = prices.wait(30)
    usd = prices.estimate(provider="openai", model="gpt-4o", usage=Usage(input_tokens=10**6, output_tokens=0)).usd
    os.write(writer, json.dumps([ready, str(usd.normalize())]).encode())
    os._exit(0)
os.close(writer)
told = b""
while part := os.read(reader, 1000):
    told += part
os.waitpid(child, 0)
assert prices.wait(60)
print(told.decode())
""")
    assert seen == [True, "2.5"]


def test_loading_starts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of starts load once, and none of them waits."""
    loads: list[str] = []
    go = threading.Event()

    def slow() -> Catalog:
        loads.append(threading.current_thread().name)
        go.wait(10)
        return Catalog([], "0")

    monkeypatch.setattr(Catalog, "load", slow)
    prices = Prices()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(32):
            pool.submit(prices.start_loading)
    assert not prices.loaded
    assert not prices.wait(0.001)
    go.set()
    assert prices.wait(10)
    prices.start_loading()
    assert loads == ["llm-observer-prices"]


def test_while_loading_nothing_is_known() -> None:
    """Every question answers "not yet", except what the provider billed itself."""
    prices = Prices()
    terms: Any = {"provider": "openai", "model": "gpt-4o"}
    assert prices.estimate(usage=PLAIN, **terms) == CostEstimate(reason="prices_loading")
    assert prices.lost(usage=PLAIN, missed_tokens=5, **terms) is None
    assert prices.write_premium(tokens=5, **terms) is None
    assert prices.unit_prices(**terms) is None
    billed = Usage.from_provider("x_ai", "chat.completions", {"prompt_tokens": 1, "cost_in_usd_ticks": 5})
    assert prices.estimate(usage=billed, **terms).source == "provider"
    entry = {"input_tokens": 1, "output_tokens": 1}
    run = {"type": "message", **entry}
    iterated = Usage.from_provider("anthropic", "messages", {**entry, "iterations": [run, run]})
    assert prices.estimate(usage=iterated, **terms) == CostEstimate(reason="prices_loading")


def test_a_price_list_that_does_not_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Costs are absent with a reason, the failure is counted, and the user's own prices still hold."""

    def broken() -> Catalog:
        raise ImportError("no such package")

    monkeypatch.setattr(Catalog, "load", broken)
    monkeypatch.setattr(Guard, "strict", False)
    path = tmp_path / "prices.toml"
    path.write_text('[[price]]\nprovider = "openai"\nmodel = "own"\ninput = 1\noutput = 1\n')
    prices = Prices(path)
    assert prices.wait(10)
    assert prices.estimate(provider="openai", model="gpt-4o", usage=PLAIN).reason == "prices_unavailable"
    assert prices.estimate(provider="openai", model="own", usage=PLAIN).source == "overrides"
    assert counters.of("errors") == {"prices.catalog": 1}


def test_a_resolver_that_fails_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even our own failure leaves an answer."""

    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("llm_observer.pricing.resolve.Resolver.with_bundled", broken)
    monkeypatch.setattr(Guard, "strict", False)
    prices = Prices()
    assert prices.wait(60)
    assert prices.estimate(provider="openai", model="gpt-4o", usage=PLAIN).reason == "prices_unavailable"


def test_the_application_s_own_price_data_is_left_alone(prices: Prices) -> None:
    """A snapshot that the application sets neither changes our prices nor is changed by them."""
    empty = DataSnapshot(providers=[], from_auto_update=False)
    set_custom_snapshot(empty)
    try:
        fresh = Prices()
        assert fresh.wait(60)
        assert fresh.estimate(provider="openai", model="gpt-4o", usage=PLAIN).usd is not None
        assert prices.estimate(provider="openai", model="gpt-4o", usage=PLAIN).usd is not None
        assert get_snapshot() is empty
        assert empty.providers == []
    finally:
        set_custom_snapshot(None)


def test_memory_is_bounded() -> None:
    """However many models are named, a bounded number of answers is kept, misses too."""
    prices = Prices()
    assert prices.wait(60)
    for number in range(3_000):
        prices.estimate(provider="openai", model=f"gpt-4o-{number}", usage=PLAIN, at=0)
    info = prices.cache_info()
    assert info.currsize == info.maxsize == 1_024


def test_threads_agree(prices: Prices) -> None:
    """Eight threads over many models and times give the answers that one gives."""
    calls = [
        (provider, model, float(hour * 3_600 + 1_795_000_000))
        for hour in range(24)
        for provider, model in (("openai", "gpt-5"), ("anthropic", "claude-opus-5"), ("deepseek", "deepseek-v4-pro"))
    ]

    def cost(call: tuple[str, str, float]) -> CostEstimate:
        provider, model, at = call
        return prices.estimate(provider=provider, model=model, usage=PLAIN, at=at)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(cost, calls * 20))
    assert together == [cost(call) for call in calls] * 20


def test_now_is_the_default(prices: Prices) -> None:
    """Without a time, the price is today's."""
    now = prices.estimate(provider="openai", model="gpt-5.6-luna", usage=PLAIN)
    assert now == prices.estimate(provider="openai", model="gpt-5.6-luna", usage=PLAIN, at=time.time())


def test_a_naive_time_is_utc(prices: Prices) -> None:
    """A datetime without a zone is UTC, as everywhere in telemetry."""
    peak = datetime(2026, 11, 20, 2, 30)  # noqa: DTZ001  what is tested
    terms: Any = {"provider": "deepseek", "model": "deepseek-v4-pro", "usage": PLAIN}
    expected = prices.estimate(at=peak.replace(tzinfo=UTC), **terms)
    assert prices.estimate(at=peak, **terms) == expected
    beijing = peak.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=8)))
    assert prices.estimate(at=beijing, **terms) == expected
