"""The public API is what is written here: names, signatures, and the fields of what is returned. It only grows."""

import dataclasses
import inspect
import logging
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor

import llm_observer
from llm_observer import testing
from llm_observer.counters import counters
from llm_observer.instrumentor import LLMObserverInstrumentor

NAMES = {
    "BreakEven",
    "Breaker",
    "CacheProcessor",
    "CallReport",
    "CallSite",
    "CostEstimate",
    "CostProcessor",
    "EnvelopeExporter",
    "GroupSummary",
    "LLMObserverInstrumentor",
    "Lifetime",
    "LifetimeAdvice",
    "PromptHashProcessor",
    "PromptReport",
    "RecordError",
    "Stats",
    "Summary",
    "Usage",
    "Verdict",
    "__version__",
    "analyze",
    "detect_breakers",
    "estimate_cost",
    "flush",
    "iter_analyze",
    "on_call",
    "patch",
    "prefix_similarity",
    "stats",
    "summary",
    "tag",
    "testing",
    "unpatch",
}

NO_DEFAULT = inspect.Parameter.empty

SIGNATURES: dict[str, dict[str, tuple[str, Any]]] = {
    "patch": {
        "enabled": ("keyword", None),
        "api_key": ("keyword", None),
        "endpoint": ("keyword", None),
        "store": ("keyword", None),
        "hash_key": ("keyword", None),
        "prices": ("keyword", None),
        "cache_rules": ("keyword", None),
        "log_level": ("keyword", None),
        "send_names": ("keyword", None),
        "call_site": ("keyword", None),
        "snippets": ("keyword", None),
        "tracer_provider": ("keyword", None),
        "meter_provider": ("keyword", None),
    },
    "unpatch": {},
    "flush": {"timeout": ("any", 5.0)},
    "summary": {},
    "on_call": {"function": ("any", NO_DEFAULT)},
    "stats": {},
    "analyze": {"records": ("any", NO_DEFAULT)},
    "iter_analyze": {"records": ("any", NO_DEFAULT)},
    "detect_breakers": {"text": ("any", NO_DEFAULT)},
    "estimate_cost": {
        "provider": ("keyword", NO_DEFAULT),
        "model": ("keyword", NO_DEFAULT),
        "usage": ("keyword", NO_DEFAULT),
        "service_tier": ("keyword", None),
        "batch": ("keyword", False),
        "speed": ("keyword", None),
        "inference_geo": ("keyword", None),
        "at": ("keyword", None),
    },
    "prefix_similarity": {"a": ("any", NO_DEFAULT), "b": ("any", NO_DEFAULT)},
    "tag": {"name": ("any", NO_DEFAULT)},
}

FIELDS = {
    "Breaker": ["category", "start", "end", "confidence", "hint"],
    "CallReport": [
        "provider",
        "api",
        "model",
        "at",
        "usage",
        "cost",
        "prompt",
        "cache",
        "breakers",
        "response_model",
        "duration_s",
        "error_type",
        "site",
    ],
    "CallSite": ["file", "function", "line"],
    "CostEstimate": ["usd", "saved_usd", "reason", "source"],
    "GroupSummary": [
        "calls",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cost_usd",
        "saved_usd",
        "lost_usd",
        "unpriced_calls",
        "break_even",
        "lifetime",
    ],
    "BreakEven": ["calls", "lifetime"],
    "Lifetime": ["name", "seconds", "words"],
    "LifetimeAdvice": ["now", "best", "costs_usd", "pays", "calls"],
    "PromptReport": ["hash", "canonical_hash", "family", "segments", "key_id", "similarity", "chain"],
    "Stats": ["calls", "errors", "dropped", "sent", "stored", "retries", "queued"],
    "Summary": ["total", "by_family", "by_cause"],
    "Usage": [
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "cache_write_12h_tokens",
        "input_audio_tokens",
        "cache_read_audio_tokens",
        "input_image_tokens",
        "reasoning_tokens",
        "output_audio_tokens",
        "output_image_tokens",
    ],
    "Verdict": [
        "outcome",
        "broke",
        "avoidable",
        "cause",
        "causes",
        "location",
        "offset",
        "expected_tokens",
        "reported_tokens",
        "missed_tokens",
        "gap_s",
        "tokens_method",
        "tokens_error",
        "lost_usd",
        "confidence",
        "confirmed_by",
        "hint",
    ],
}
"""The fields that are promised; a type may have more behind them."""


def parameters(function: Callable[..., object]) -> dict[str, tuple[str, Any]]:
    return {
        name: ("keyword" if parameter.kind is parameter.KEYWORD_ONLY else "any", parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
    }


def test_the_names_are_the_written_ones_and_each_is_there() -> None:
    assert set(llm_observer.__all__) >= NAMES
    assert len(llm_observer.__all__) == len(set(llm_observer.__all__))
    for name in llm_observer.__all__:
        assert getattr(llm_observer, name) is not None


def test_every_name_is_in_the_written_list() -> None:
    """A name that is new here becomes a promise: add it above, on purpose."""
    assert set(llm_observer.__all__) <= NAMES


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_takes_what_is_written(name: str) -> None:
    assert parameters(getattr(llm_observer, name)) == SIGNATURES[name]


@pytest.mark.parametrize("name", FIELDS)
def test_a_result_has_the_written_fields_by_name_only_and_cannot_change(name: str) -> None:
    kind = getattr(llm_observer, name)
    fields = [field.name for field in dataclasses.fields(kind)]
    assert set(FIELDS[name]) <= set(fields)
    assert all(field.kw_only for field in dataclasses.fields(kind))
    assert kind.__dataclass_params__.frozen


def test_the_helpers_for_tests_are_the_written_ones() -> None:
    assert testing.__all__ == ["Observed", "observe"]
    assert parameters(testing.observe) == {"prices": ("keyword", None)}
    public = {name for name in vars(testing.Observed) if not name.startswith("_")}
    assert {"reports", "spans", "assert_cache_hits", "assert_no_cache_breaks", "assert_no_breakers"} <= public


def test_the_processors_are_span_processors_that_need_no_argument() -> None:
    for kind in (llm_observer.PromptHashProcessor, llm_observer.CostProcessor, llm_observer.CacheProcessor):
        assert issubclass(kind, SpanProcessor)
        kind().shutdown()


def test_a_record_error_is_a_value_error() -> None:
    assert issubclass(llm_observer.RecordError, ValueError)


def test_the_package_imports_with_its_names_and_nothing_else_public() -> None:
    """A star import gives what is written, in a fresh interpreter, without a word on the terminal."""
    code = "from llm_observer import *; print(sorted(name for name in dir() if not name.startswith('__')))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sorted(NAMES - {"__version__"}))
    assert done.stderr == ""


def test_patch_never_raises(monkeypatch: pytest.MonkeyPatch, fail_open: None) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(LLMObserverInstrumentor, "instrument", broken)
    monkeypatch.setattr(LLMObserverInstrumentor, "uninstrument", broken)
    llm_observer.patch()
    llm_observer.unpatch()
    assert counters.of("errors") == {"patch": 1, "unpatch": 1}


def test_what_is_wrong_with_the_settings_is_one_warning_each(
    patched: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LLM_OBSERVER_ENABELD", "true")
    patched(enabled=True)
    assert [(record.levelname, record.name) for record in caplog.records] == [("WARNING", "llm_observer")] * 3


def test_the_log_level_is_the_loggers(patched: Callable[..., None]) -> None:
    logger = logging.getLogger("llm_observer")
    before = logger.level
    try:
        patched(log_level="debug")
        assert logger.level == logging.DEBUG
        llm_observer.unpatch()
        patched()
        assert logger.level == logging.DEBUG, "without a level it is left alone"
    finally:
        logger.setLevel(before)


@pytest.mark.parametrize(
    ("name", "arguments", "argument"),
    [
        ("detect_breakers", ["odd"], "text"),
        ("prefix_similarity", ["odd", "text"], "a"),
        ("prefix_similarity", ["text", "odd"], "b"),
        ("tag", ["odd"], "name"),
        ("on_call", ["odd"], "function"),
    ],
)
@pytest.mark.parametrize("odd", [None, 5, b"text", ["text"]], ids=["None", "int", "bytes", "list"])
def test_an_argument_of_another_type_is_named(name: str, arguments: list[str], argument: str, odd: object) -> None:
    """These are plain functions: what is wrong is said at once, with the argument's name and what it should be."""
    with pytest.raises(TypeError, match=rf"^{argument} has to be .*, not {type(odd).__name__}$"):
        getattr(llm_observer, name)(*(odd if given == "odd" else given for given in arguments))
