"""Claude on Bedrock: the same traffic as InvokeModel takes it, and as Converse does, gets the same verdicts.

Calls are made with the demo provider, which keeps Anthropic's rules, and written for Bedrock here.
"""

import json
import re
from typing import Any

import pytest
from recorded import JSON, recorder
from scenarios import PLANS, Source
from traffic import SHAPE

import llm_observer
from llm_observer.results import Verdict

CLAUDE = SHAPE["claude"]
MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "eu.amazon.nova-pro-v1:0"

NAMES = [
    *("none: two prompts in turn", "none: agents that share tools", "none: retries", "none: within 1h"),
    *("none: within 5m", "none: changes behind the last boundary", "none: parallel tool calls within the lookback"),
    *("none: other workspaces", "none: explicit defaults", "none: temperature", "none: not reported"),
    *("none: a summary is asked for",),
    *("timestamp: iso z, head", "timestamp: iso z, tool", "uuid: plain, middle", "session_id: json, user"),
    *("whitespace: crlf, system", "whitespace: trailing newline, tool", "json_key_order: all tools"),
    *("json_key_order: replayed arguments", "tool_order: shuffled", "tool_membership: added behind"),
    *("tool_membership: removed", "tool_membership: gone in a session", "tool_schema: described"),
    *("retrieved_content: xml, head", "system_changed: persona", "few_shot_order: messages"),
    *("tool_choice_changed: any", "thinking_changed: on", "effort_changed: claude", "model_changed"),
    *("history_truncated: results elided", "history_truncated: agent window", "history_rewritten: thinking stripped"),
    *("compaction: wording 0, 1 kept", "compaction: short history, wording 1", "message_extended"),
    *("image_changed: changed", "image_changed: first image at the end", "no_breakpoint: chat", "no_breakpoint: batch"),
    *("breakpoint_after_volatile: last message", "breakpoint_after_volatile: system block"),
    *("lookback_exceeded: many blocks", "below_minimum", "ttl_expired", "ttl_expired: 1h", "evicted_or_rerouted"),
    *("concurrent_cold_start: fan-out",),
]  # fmt: skip


def point(block: JSON) -> list[JSON]:
    """The cache point that stands behind a block with Anthropic's marker."""
    marker = block.get("cache_control")
    if not marker:
        return []
    return [{"cachePoint": {"type": "default", **({"ttl": marker["ttl"]} if "ttl" in marker else {})}}]


def block(given: JSON) -> JSON:
    match given["type"]:
        case "tool_use":
            return {"toolUse": {"toolUseId": given["id"], "name": given["name"], "input": given["input"]}}
        case "tool_result":
            content = [{"text": given["content"]}]
            return {"toolResult": {"toolUseId": given["tool_use_id"], "content": content, "status": "success"}}
        case "thinking":
            text = {"text": given["thinking"], "signature": given["signature"]}
            return {"reasoningContent": {"reasoningText": text}}
        case "image":
            return {"image": {"format": "png", "source": {"bytes": given["source"]["data"]}}}
        case _:
            return {"text": given["text"]}


def blocks(given: Any) -> list[JSON]:
    listed: list[JSON] = [{"type": "text", "text": given}] if isinstance(given, str) else given
    return [made for one in listed for made in (block(one), *point(one))]


def converse(body: JSON, model: str) -> JSON:
    """The arguments of boto3's `converse` for a body of Anthropic's API."""
    messages = [{"role": m["role"], "content": blocks(m["content"])} for m in body["messages"]]
    made: JSON = {"modelId": model, "messages": messages, "inferenceConfig": {"maxTokens": body["max_tokens"]}}
    if "system" in body:
        made["system"] = blocks(body["system"])
    more = {name: body[name] for name in ("thinking", "output_config") if name in body}
    if more:
        made["additionalModelRequestFields"] = more
    tools: list[JSON] = []
    config: JSON = {"tools": tools}
    for tool in body.get("tools", []):
        named = {
            "name": tool["name"],
            "description": tool["description"],
            "inputSchema": {"json": tool["input_schema"]},
        }
        tools += [{"toolSpec": named}, *point(tool)]
    if tools:
        made["toolConfig"] = config
    if "tool_choice" in body:
        config["toolChoice"] = {body["tool_choice"]["type"]: {}}
    return made


def conversed(record: JSON) -> JSON:
    """The record of the same call as Converse makes it."""
    usage, request = record["response"]["usage"], record["request"]
    model = MODEL.replace("4-5-20250929", "4-6") if "4-6" in request["model"] else MODEL
    counts = {"inputTokens": usage["input_tokens"], "outputTokens": usage["output_tokens"]}
    if "cache_read_input_tokens" in usage:
        counts["cacheReadInputTokens"] = usage["cache_read_input_tokens"]
        counts["cacheWriteInputTokens"] = usage["cache_creation_input_tokens"]
    made = {**record, "provider": "aws.bedrock", "api": "converse", "request": converse(request, model)}
    return made | {"response": {"output": {}, "stopReason": "end_turn", "usage": counts}}


def invoked(record: JSON) -> JSON:
    """The record of the same call as InvokeModel makes it: its model stands in the path, and in the response."""
    body = {name: value for name, value in record["request"].items() if name != "model"}
    body["anthropic_version"] = "bedrock-2023-05-31"
    return {**record, "provider": "aws.bedrock", "request": body}


def planted(name: str) -> list[JSON]:
    with recorder() as calls:
        for step in PLANS[name][0](Source(3), CLAUDE):
            body = step.talk.body() | ({"model": step.model} if step.model else {})
            record = calls.call("messages", body, after_s=step.after_s, scope=step.scope)
            if step.spoil is not None:
                step.spoil(record["response"])
    return calls.records


def verdicts(records: list[JSON]) -> list[Verdict]:
    return [report.cache for report in llm_observer.analyze(records)]


def said(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.outcome, verdict.broke, verdict.cause, verdict.causes, verdict.reported_tokens


def place(verdict: Verdict) -> str:
    """Where it is, without the count of blocks: a cache point is one too."""
    where = (verdict.location or "").removeprefix("toolConfig.")
    where = where.removeprefix("additionalModelRequestFields.").replace("toolChoice", "tool_choice")
    return re.sub(r"(content|system|tools)\[\d+\]", r"\1", where)


@pytest.mark.parametrize("name", NAMES)
def test_converse_gets_the_verdict_that_messages_get(name: str) -> None:
    records = planted(name)
    plain, made = verdicts(records), verdicts([conversed(record) for record in records])
    assert [said(verdict) for verdict in made] == [said(verdict) for verdict in plain]
    assert [place(verdict) for verdict in made] == [place(verdict) for verdict in plain]
    if not name.startswith("none"):
        assert {verdict.cause for verdict in made} > {"none"}


@pytest.mark.parametrize("name", [*NAMES[:12], *NAMES[12:44:3]])
def test_invoke_model_gets_the_verdict_that_messages_get(name: str) -> None:
    records = planted(name)
    plain, made = verdicts(records), verdicts([invoked(record) for record in records])
    assert [said(verdict) for verdict in made] == [said(verdict) for verdict in plain]
    assert [verdict.location for verdict in made] == [verdict.location for verdict in plain]


def test_a_place_is_that_of_the_request_as_it_was_sent() -> None:
    """Cache points are counted as the blocks that they are."""
    made = [conversed(record) for record in planted("timestamp: iso z, head")]
    for n, record in enumerate(made):
        record["request"]["system"] = [
            {"text": Source(9).prose(90)},
            {"cachePoint": {"type": "default"}},
            {"text": f"It is 2026-11-22T10:0{n}:27Z now.\n" + Source(8).prose(60)},
            {"cachePoint": {"type": "default"}},
        ]
        usage = {"inputTokens": 30, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 4000, "outputTokens": 9}
        if n:
            usage |= {"cacheReadInputTokens": 2500, "cacheWriteInputTokens": 1500}
        record["response"]["usage"] = usage
    later = verdicts(made)[1:]
    assert {(verdict.cause, verdict.location, verdict.offset) for verdict in later} == {("timestamp", "system[2]", 6)}


@pytest.mark.parametrize(
    ("named", "read_as"),
    [
        ("converse", "converse"),
        ("ConverseStream", "converse"),
        ("converse_stream", "converse"),
        ("messages", "converse"),
        ("InvokeModel", "converse"),
    ],
)
def test_a_body_of_converse_is_known_by_its_blocks(named: str, read_as: str) -> None:
    records = [conversed(record) | {"api": named} for record in planted("timestamp: iso z, head")]
    reports = llm_observer.analyze(records)
    assert {report.api for report in reports} == {read_as}
    assert [report.cache.cause for report in reports] == ["none", *["timestamp"] * 3]


@pytest.mark.parametrize("named", ["invoke_model", "InvokeModelWithResponseStream", "messages"])
def test_a_body_of_invoke_model_is_anthropic_s(named: str) -> None:
    records = [invoked(record) | {"api": named} for record in planted("timestamp: iso z, head")]
    reports = llm_observer.analyze(records)
    assert {report.api for report in reports} == {"messages"}
    assert [report.cache.cause for report in reports] == ["none", *["timestamp"] * 3]


def test_the_arguments_of_boto3_s_invoke_model_are_told_from_its_body() -> None:
    (first, *_) = planted("timestamp: iso z, head")
    request = {"modelId": MODEL, "body": json.dumps(first["request"])}
    with pytest.raises(llm_observer.RecordError, match='give its "body", as a JSON object'):
        llm_observer.analyze([first | {"request": request, "provider": "aws.bedrock"}])


@pytest.mark.parametrize("model", [NOVA, "openai.gpt-5.6-v1:0", "meta.llama4-maverick-17b-instruct-v1:0", None])
@pytest.mark.parametrize("name", ["timestamp: iso z, head", "no_breakpoint: chat", "tool_order: shuffled"])
def test_nothing_is_held_against_another_model_behind_converse(name: str, model: str | None) -> None:
    records = [conversed(record) for record in planted(name)]
    for record in records:
        if model is None:
            del record["request"]["modelId"]
        else:
            record["request"]["modelId"] = model
    assert not any(verdict.broke for verdict in verdicts(records))
