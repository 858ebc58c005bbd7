"""Cache rules of the user's own: read, checked, put before the shipped ones; a fault leaves those alone."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from llm_observer.analysis.rule_file import FIELDS, parse_rules, read_rules
from llm_observer.analysis.rules import shipped_rules
from llm_observer.engine import Engine
from llm_observer.pricing.estimate import default_prices
from llm_observer.privacy import Hasher
from llm_observer.replay import analyze, call_from_record

OWN = """
[[rule]]
providers = ["acme"]
models = ["fast-*"]
match = "interval"
min_tokens = 512
grid = 64
ttl_sure_s = 600

[[rule]]
extends = "anthropic"
providers = ["my-gateway"]
models = ["claude-*"]
min_tokens = [{models = ["claude-sonnet-4-5*"], tokens = 2048}]
"""


def test_own_rules_go_before_the_shipped_ones_and_can_extend_them() -> None:
    rules = parse_rules(OWN).rules()
    own, extended, shipped = (
        rules.find("acme", "fast-1"),
        rules.find("my-gateway", "claude-sonnet-4-5-20250929"),
        rules.find("openai", "gpt-4.1"),
    )
    assert own is not None
    assert (own.min_tokens, own.grid, own.ttl_sure_s, own.report_grid) == (512, 64, 600, None)
    assert extended is not None
    assert (extended.min_tokens, extended.lookback, extended.ttl_s["1h"]) == (2048, 20, 3600)
    assert shipped is not None
    assert shipped.id == "openai"
    assert rules.find("my-gateway", "gpt-4.1") is None


def test_the_same_rules_in_json(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    rule = {"providers": ["*"], "models": ["*"], "match": "interval", "min_tokens": 7}
    file.write_text(json.dumps({"rule": [rule]}))
    found = read_rules(file).rules().find("anyone", None)
    assert found is not None
    assert found.min_tokens == 7


FAULTS = [
    ("not = [toml", "not TOML: "),
    ('[rule]\nproviders = ["a"]', "rules are written [[rule]], with two brackets"),
    ("", "rules are written [[rule]], with two brackets"),
    ('\n[[rule]]\nproviders = ["a"]\nmodels = ["b"]', "line 2: rule 1: 'match' is missing"),
    ('[[rule]]\nextends = "anthropik"', "line 1: rule 1: 'extends' names no rule of this version: give one of "),
    ('[[rule]]\nextends = "groq"\nmin_token = 3', "rule 1: unknown key 'min_token': did you mean 'min_tokens'?"),
    ('[[rule]]\nextends = "groq"\ngrid = 0', "rule 1: 'grid' has to be a whole number above zero"),
    ('[[rule]]\nextends = "groq"\nmatch = "prefix"', "'match' has to be one of interval, boundary, object"),
    ('[[rule]]\nextends = "groq"\nmodels = "b"', "'models' has to be a list of names or patterns"),
    ('[[rule]]\nextends = "groq"\nimplicit = "yes"', "'implicit' has to be true or false"),
    ('[[rule]]\nextends = "groq"\nttl_s = {"5m" = "300"}', "'ttl_s' has to be a table of lifetimes in whole seconds"),
    ('[[rule]]\nextends = "groq"\nlookup = {first_explicit = -1}', "'lookup' has to be a table of counts"),
    ('[[rule]]\nextends = "groq"\nparams = {effort = "some"}', "'params' has to be a table of all, system or messages"),
    ('[[rule]]\nextends = "groq"\nmin_tokens = [{tokens = 3}]', "'min_tokens' has to be a whole number, or a list of"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS)
def test_a_fault_is_told_by_line_and_field_and_no_rule_is_taken(text: str, said: str) -> None:
    found = parse_rules(text)
    assert not found.rows
    assert len(found.problems) == 1
    assert said in found.problems[0]


def test_each_fault_of_a_file_is_a_line_of_its_own() -> None:
    found = parse_rules('[[rule]]\nid = 3\n\n[[rule]]\nextends = "groq"\ngrids = 1\n')
    assert [line.split(":")[0] for line in found.problems] == ["line 1"] * 4 + ["line 4"]


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'id = "\xe9"')
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "large.toml").write_text("#" * 1_000_001)
    for name in ("missing.toml", "latin.toml", "deep.json", "large.toml"):
        found = read_rules(tmp_path / name)
        assert not found.rows
        assert found.problems[0].startswith(str(tmp_path / name))


HEAD = " ".join(f"Rule {i}: be polite and read section {i % 9} of the handbook." for i in range(200))


def record(i: int, read: int = 0, **more: Any) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": f"It is 2026-11-22T10:00:0{i}Z.\n{HEAD}"},
        {"role": "user", "content": "?"},
    ]
    usage = {"prompt_tokens": 3000, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": read}}
    request = {"model": "fast-1", "messages": messages}
    return {"at": 10.0 * i, "provider": "acme", "api": "chat.completions", "request": request, "usage": usage} | more


def test_a_provider_without_a_rule_is_judged_by_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [record(i) for i in range(3)]
    assert {report.cache.cause for report in analyze(records)} == {"none"}
    (tmp_path / "own.toml").write_text(OWN)
    monkeypatch.setenv("LLM_OBSERVER_CACHE_RULES", str(tmp_path / "own.toml"))
    assert [report.cache.cause for report in analyze(records)] == ["none", "timestamp", "timestamp"]


def test_a_fault_is_one_line_in_the_log_and_the_shipped_rules_hold(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "own.toml").write_text(OWN.replace("grid = 64", "grid = 0"))
    with caplog.at_level(logging.WARNING):
        engine = Engine(Hasher(b"k" * 32), default_prices(), cache_rules=tmp_path / "own.toml")
    (line,) = caplog.records
    assert line.getMessage() == (
        f"cache rules are used without your own: {tmp_path / 'own.toml'}: line 2: rule 1: "
        "'grid' has to be a whole number above zero"
    )
    assert engine.explain(call_from_record(record(0))).cache.outcome == "cold"


def test_where_the_minimum_is_not_documented_only_a_read_that_was_seen_makes_a_loss() -> None:
    """Groq documents no minimum: what is lost is not guessed, until as small a prefix was read there."""
    unknown = [record(i, provider="groq") for i in range(3)]
    assert {(report.cache.cause, report.cache.broke) for report in analyze(unknown)} == {("none", False)}
    assert [report.cache.expected_tokens for report in analyze(unknown)[1:]] == [None, None]
    seen = [record(0, provider="groq"), record(0, 1024, at=3.0, provider="groq"), record(7, provider="groq")]
    assert [report.cache.cause for report in analyze(seen)] == ["none", "none", "timestamp"]


def test_a_read_that_did_not_come_is_no_loss_where_lifetimes_are_not_documented() -> None:
    records = [record(0, at=1.0 * i, provider="x_ai") for i in range(3)]
    assert {report.cache.cause for report in analyze(records)} == {"none"}


def test_a_provider_that_caches_only_with_a_key_is_uncacheable_without() -> None:
    records = [record(0, at=10.0 * i, provider="mistral_ai") for i in range(3)]
    assert {report.cache.outcome for report in analyze(records)} == {"uncacheable"}
    assert {report.cache.broke for report in analyze(records)} == {False}


def test_the_page_has_every_key_every_rule_and_an_example_that_holds() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cache-rules.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(parse_rules(example).rows) == 2
    shipped, keys = page.split("## Your own rules")
    assert {str(rule["id"]) for rule in shipped_rules()} == set(re.findall(r"`([^`]+)`", _first_column(shipped)))
    assert set(FIELDS) == set(re.findall(r"`([^`]+)`", _first_column(keys)))


def _first_column(page: str) -> str:
    return "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
