"""What pricing costs the process it runs in: `python benchmarks/pricing.py`.

Times are CPU time of this process, the best of several rounds, so that a busy machine shows little. Exits with 1 when
a limit is passed.
"""

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from typing import Any

from llm_observer.pricing.prices import Prices
from llm_observer.usage import Usage

WARM_LIMIT_US = 5.0
"""One warm estimate, by the promise of the package."""

USAGE_LIMIT_US = 10.0
"""One conversion of a provider's usage."""

AT = 1795176000.0
"""2026-11-20 12:00 UTC."""

OPENAI_USAGE: dict[str, Any] = {
    "prompt_tokens": 2_006,
    "completion_tokens": 300,
    "total_tokens": 2_306,
    "prompt_tokens_details": {"cached_tokens": 1_920, "cache_write_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0},
}
ANTHROPIC_USAGE: dict[str, Any] = {
    "input_tokens": 21,
    "cache_creation_input_tokens": 1_200,
    "cache_read_input_tokens": 18_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 393,
    "service_tier": "standard",
}

CALLS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("openai", "chat.completions", "gpt-5", OPENAI_USAGE),
    ("openai", "chat.completions", "gpt-5.6-sol", OPENAI_USAGE),
    ("anthropic", "messages", "claude-opus-4-5", ANTHROPIC_USAGE),
    ("anthropic", "messages", "claude-haiku-5-5", ANTHROPIC_USAGE),
    ("openai", "chat.completions", "no-such-model", OPENAI_USAGE),
]

COLD = """
import json, sys, time
import llm_observer
from llm_observer.pricing.prices import Prices
llm_observer.patch()
started = time.process_time()
prices = Prices()
prices.estimate(provider="openai", model="gpt-5", usage=llm_observer.Usage(input_tokens=1, output_tokens=1))
before = time.process_time() - started
loaded = sorted({"genai_prices", "pydantic", "httpx2"} & set(sys.modules))
started = time.process_time()
prices.wait(60)
load = time.process_time() - started
started = time.process_time()
first = prices.estimate(provider="openai", model="gpt-5", usage=llm_observer.Usage(input_tokens=1, output_tokens=1))
print(json.dumps([before, loaded, load, time.process_time() - started]))
"""
"""Import and `patch()` in a process without the SDKs' own imports, then what the first request sets off."""


def microseconds(calls: dict[str, Callable[[], object]], *, number: int = 5_000, rounds: int = 20) -> dict[str, float]:
    """CPU time of one of each; the rounds take turns, so that a slow moment of the machine hits none alone."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            seconds = timeit.timeit(call, number=number, timer=time.process_time)
            best[name] = min(best[name], seconds / number * 1e6)
    return best


def main() -> int:
    """Print the figures, and say whether they keep the limits."""
    parser = argparse.ArgumentParser(description="What pricing costs the process it runs in.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json

    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "XDG_STATE_HOME": state, "LLM_OBSERVER_STORE": "off"}
        cold = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True, env=environment)
    before, loaded, load, first = json.loads(cold.stdout)

    prices = Prices()
    prices.wait(60)
    converting: dict[str, Callable[[], object]] = {}
    estimating: dict[str, Callable[[], object]] = {}
    for provider, api, model, raw in CALLS:
        usage = Usage.from_provider(provider, api, raw)
        converting[f"{provider} {api}"] = functools.partial(Usage.from_provider, provider, api, raw)
        estimating[f"{provider} {model}"] = functools.partial(
            prices.estimate, provider=provider, model=model, usage=usage, service_tier="default", at=AT
        )
    convert, warm = microseconds(converting), microseconds(estimating)
    figures: dict[str, Any] = {
        "loaded_by_patch": loaded,
        "construct_ms": round(before * 1e3, 2),
        "load_ms": round(load * 1e3, 1),
        "first_estimate_ms": round(first * 1e3, 2),
        "usage_us": {name: round(value, 2) for name, value in convert.items()},
        "warm_estimate_us": {name: round(value, 2) for name, value in warm.items()},
    }
    kept = not loaded and max(warm.values()) <= WARM_LIMIT_US and max(convert.values()) <= USAGE_LIMIT_US
    figures["limits_kept"] = kept
    if as_json:
        print(json.dumps(figures))
    else:
        print(f"loaded by import and patch(): {', '.join(loaded) or 'nothing'}")
        print(f"construct, and answer 'prices_loading': {figures['construct_ms']} ms")
        print(f"load in the background: {figures['load_ms']} ms, then the first estimate {first * 1e3:.2f} ms")
        for name, value in convert.items():
            print(f"usage     {name:32} {value:6.2f} us   (limit {USAGE_LIMIT_US:g})")
        for name, value in warm.items():
            print(f"estimate  {name:32} {value:6.2f} us   (limit {WARM_LIMIT_US:g})")
        print("limits kept" if kept else "LIMITS PASSED")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
