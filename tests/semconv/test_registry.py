"""The registry: valid, complete, and what is generated from it is current."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from jsonschema import Draft202012Validator
from semconv_registry import FILES, OWN, SEMCONV, collect, is_of_type, read

from llm_observer.results import Outcome
from llm_observer.telemetry import attributes

ROOT = SEMCONV.parent

# The names and types that others build on. A name is never changed or taken away; a new one is added here too.
CONTRACT = {
    "llm_observer.prompt.hash": "string",
    "llm_observer.prompt.canonical_hash": "string",
    "llm_observer.prompt.family": "string",
    "llm_observer.prompt.similarity": "double",
    "llm_observer.prompt.segments": "int",
    "llm_observer.prompt.key_id": "string",
    "llm_observer.prompt.chain": "string[]",
    "llm_observer.cost.usd": "double",
    "llm_observer.cost.saved_usd": "double",
    "llm_observer.cost.reason": "string",
    "llm_observer.cost.source": "string",
    "llm_observer.cache.outcome": "string",
    "llm_observer.cache.broke": "boolean",
    "llm_observer.cache.avoidable": "boolean",
    "llm_observer.cache.cause": "string",
    "llm_observer.cache.causes": "string[]",
    "llm_observer.cache.location": "string",
    "llm_observer.cache.offset": "int",
    "llm_observer.cache.expected_tokens": "int",
    "llm_observer.cache.missed_tokens": "int",
    "llm_observer.cache.gap": "double",
    "llm_observer.cache.tokens_method": "string",
    "llm_observer.cache.tokens_error": "double",
    "llm_observer.cache.lost_usd": "double",
    "llm_observer.cache.confidence": "double",
    "llm_observer.cache.confirmed_by": "string[]",
    "llm_observer.cache.provider_reason": "string",
    "llm_observer.cache.provider_missed_tokens": "int",
    "llm_observer.cache.hint": "string",
    "llm_observer.cache.snippet": "string",
    "llm_observer.breaker.categories": "string[]",
    "llm_observer.breaker.confidences": "double[]",
    "llm_observer.call.api": "string",
    "llm_observer.content.cut": "boolean",
    "llm_observer.call.service_tier": "string",
    "llm_observer.usage.cache_write_1h_tokens": "int",
    "llm_observer.usage.cache_write_12h_tokens": "int",
}

# In order of precedence.
CAUSES = """
    model_changed cache_key_changed service_tier_changed
    no_breakpoint too_many_breakpoints below_minimum
    tool_order tool_membership tool_schema json_key_order whitespace
    timestamp date uuid session_id random_id nonce counter temp_path volatile_url
    retrieved_content few_shot_order system_changed
    tool_choice_changed thinking_changed effort_changed speed_changed text_format_changed verbosity_changed
    image_changed message_extended history_truncated compaction history_rewritten
    breakpoint_after_volatile boundary_missing lookback_exceeded ttl_expired concurrent_cold_start evicted_or_rerouted
    input_changed none
""".split()  # noqa: SIM905  a list would be a page


def own() -> dict[str, dict[str, Any]]:
    return {raw["key"]: raw for raw in collect("attributes") if raw["key"].startswith(OWN)}


def generate(root: Path, *arguments: str, seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "semconv" / "generate.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONHASHSEED": seed},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the registry and its generator, to write in."""
    shutil.copytree(SEMCONV, tmp_path / "semconv", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_registry_file_is_valid_by_weavers_schema(path: Path) -> None:
    schema = json.loads((SEMCONV / "definition-2.schema.json").read_text(encoding="utf-8"))
    document = read(path)
    assert document["file_format"] == "definition/2"
    jsonschema.validate(document, schema, Draft202012Validator)


def test_the_registry_depends_on_the_definitions_beside_it() -> None:
    manifest = read(SEMCONV / "registry" / "manifest.yaml")
    (dependency,) = manifest["dependencies"]
    upstream = (SEMCONV / "registry" / dependency["registry_path"]).resolve()
    assert dependency["schema_url"] == read(upstream / "manifest.yaml")["schema_url"]


def test_the_registry_has_every_name_of_the_contract_with_its_type() -> None:
    types = {key: raw["type"] if isinstance(raw["type"], str) else "string" for key, raw in own().items()}
    assert types == CONTRACT


def test_the_causes_stand_in_the_order_of_their_precedence() -> None:
    assert list(get_args(attributes.CacheCause)) == CAUSES


def test_the_outcomes_are_those_of_a_verdict() -> None:
    assert get_args(attributes.CacheOutcome) == get_args(Outcome)


def test_each_kind_of_volatile_value_is_a_cause() -> None:
    assert set(get_args(attributes.BreakerCategories)) < set(CAUSES)


def test_each_name_of_ours_has_a_constant_without_the_prefix() -> None:
    for key in CONTRACT:
        name = key.removeprefix("llm_observer.").replace(".", "_").upper()
        assert getattr(attributes, name) == key


def test_each_attribute_of_ours_is_on_the_span_with_the_condition_for_its_presence() -> None:
    (refinement,) = read(SEMCONV / "registry" / "spans.yaml")["span_refinements"]
    levels = {ref["ref"]: ref.get("requirement_level") for ref in refinement["attributes"]}
    assert {key for key in levels if key.startswith("llm_observer.")} == set(CONTRACT)
    assert all(level in ("required", "opt_in") or level.get("conditionally_required") for level in levels.values())


@pytest.mark.parametrize("raw", list(collect("attributes")), ids=lambda raw: raw["key"])
def test_an_attribute_has_values_of_its_type_to_show(raw: dict[str, Any]) -> None:
    if not isinstance(raw["type"], str):
        members: list[dict[str, str]] = raw["type"]["members"]
        assert all(member["stability"] == "development" for member in members)
        return
    assert raw["examples"]
    assert all(is_of_type(example, raw["type"]) for example in raw["examples"])


def test_the_generated_files_are_current() -> None:
    done = generate(ROOT, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_generating_again_gives_the_same_bytes_whatever_the_hash_seed(copy: Path) -> None:
    for seed in ("1", "2"):
        assert generate(copy, seed=seed).returncode == 0
        for path in ("src/llm_observer/telemetry/attributes.py", "docs/attributes.md"):
            assert (copy / path).read_bytes() == (ROOT / path).read_bytes()
            (copy / path).unlink()


def test_a_file_that_is_not_current_fails_the_check_with_one_line(copy: Path) -> None:
    generate(copy)
    page = copy / "docs/attributes.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nby hand\n", encoding="utf-8")
    done = generate(copy, "--check")
    assert (done.returncode, done.stderr) == (1, "docs/attributes.md is not current: run `make generate`\n")
    assert "by hand" in page.read_text(encoding="utf-8"), "a check writes nothing"


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("attributes: [{key: error.type, type: int, stability: stable, brief: Twice.}]", "error.type is defined twice"),
        (
            "metrics: [{name: m, instrument: counter, unit: s, stability: beta, brief: M, attributes: [ref: no.such]}]",
            "m: no attribute no.such is defined",
        ),
        ("span_refinements: [{id: s, ref: no.such}]", "s: no span no.such is defined"),
        (
            "attributes: [{key: server_port, type: int, stability: alpha, brief: Alike.}]",
            "server_port and server.port would both be SERVER_PORT",
        ),
        (
            "attributes: [{key: a, type: int, stability: alpha, brief: A., annotations: {elements: error.type}}]",
            "a: error.type has no members",
        ),
    ],
)
def test_a_registry_that_contradicts_itself_is_refused_with_one_line(copy: Path, addition: str, message: str) -> None:
    (copy / "semconv" / "upstream" / "zz.yaml").write_text(f"file_format: definition/2\n{addition}\n", encoding="utf-8")
    done = generate(copy)
    assert done.returncode == 2
    assert done.stderr.startswith("semconv: ")
    assert done.stderr.rstrip("\n").endswith(message)
    assert not (copy / "docs").exists()
