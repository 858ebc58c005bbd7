"""What else stands in prompts - documents, server tools, thinking - and other platforms, healthy and with one fault."""

from collections.abc import Callable
from typing import Any

import pytest
from recorded import recorder
from workload import Writer

import llm_observer
from llm_observer.results import Verdict

JSON = dict[str, Any]

SYSTEM = Writer(1).text(150)
LOOK: JSON = {"name": "look", "description": "Looks it up.", "input_schema": {"type": "object", "properties": {}}}
SEARCH: JSON = {"type": "web_search_20250305", "name": "web_search"}
PLATFORMS = {
    "anthropic": "claude-sonnet-4-5",
    "aws.bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "gcp.vertex_ai": "claude-sonnet-4-5@20250929",
}


def text(seed: int, sentences: int = 8) -> JSON:
    return {"type": "text", "text": Writer(seed).text(sentences)}


def user(*content: JSON) -> JSON:
    return {"role": "user", "content": [*content]}


def assistant(*content: JSON) -> JSON:
    return {"role": "assistant", "content": [*content]}


def body(messages: list[JSON], **more: Any) -> JSON:
    """A request with a marker behind the system text and one at its end."""
    marker = {"cache_control": {"type": "ephemeral"}}
    last = messages[-1]
    marked = {**last, "content": [*last["content"][:-1], last["content"][-1] | marker]}
    system = [{"type": "text", "text": SYSTEM} | marker]
    made: JSON = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 64,
        "system": system,
        "messages": [*messages[:-1], marked],
    }
    return made | more


def document(source: JSON) -> JSON:
    return {"type": "document", "title": "Handbook", "source": source}


def plain(seed: int) -> JSON:
    return document({"type": "text", "media_type": "text/plain", "data": Writer(seed).text(40)})


def pdf(seed: int) -> JSON:
    return document({"type": "base64", "media_type": "application/pdf", "data": f"JVBERi{seed}" * 200})


def upload(seed: int) -> JSON:
    return document({"type": "file", "file_id": f"file_011CNha8iCJcU1wXNR6q4V8{seed}"})


def searched(n: int) -> tuple[JSON, ...]:
    use = {"type": "server_tool_use", "id": f"srvtoolu_{n}", "name": "web_search", "input": {"query": f"parcel {n}"}}
    page = {"type": "web_search_result", "title": "Parcels", "url": f"https://example.com/{n}"}
    found = [page | {"encrypted_content": Writer(n * 7 + i).text(12)} for i in range(3)]
    return use, {"type": "web_search_tool_result", "tool_use_id": f"srvtoolu_{n}", "content": found}, text(n)


def found_nothing(n: int) -> tuple[JSON, ...]:
    """The same search, whose results an application has cleared."""
    use, result, said_then = searched(n)
    return use, result | {"content": []}, said_then


def forgotten(n: int) -> tuple[JSON, ...]:
    """The same answer without the search that it came from."""
    return searched(n)[2:]


def mixed(*answers: Callable[[int], tuple[JSON, ...]]) -> Callable[[int], tuple[JSON, ...]]:
    """Each turn has the next of these answers, and those behind them the last."""
    return lambda n: answers[min(n, len(answers) - 1)](n)


def timed(n: int, **more: Any) -> JSON:
    made = body(grown(n, searched), **more)
    made["system"][0]["text"] = f"It is 2026-11-22T10:0{n}:27Z now.\n{SYSTEM}"
    return made


def reached(n: int) -> tuple[JSON, ...]:
    """Redacted thinking, and a call to an MCP server that the provider makes itself."""
    use = {"type": "mcp_tool_use", "id": f"mcptoolu_{n}", "name": "echo", "server_name": "s", "input": {"n": n}}
    result = {"type": "mcp_tool_result", "tool_use_id": f"mcptoolu_{n}", "is_error": False, "content": [text(n)]}
    return {"type": "redacted_thinking", "data": Writer(n).text(9)}, use, result, text(n + 1)


def thinking(n: int) -> JSON:
    return {"type": "thinking", "thinking": Writer(60 + n).text(30), "signature": f"EqQBCgIYAhIkM{n}"}


def thought(steps: int, forgets: int = 0) -> list[JSON]:
    """An agent's loop that thinks ahead of each call; of the first `forgets` steps the thinking is left out."""
    made = [user(text(1))]
    for n in range(steps):
        call = {"type": "tool_use", "id": f"toolu_{n}", "name": "look", "input": {"n": n}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{n}", "content": Writer(90 + n).text(10)}
        made += [assistant(*([thinking(n)] if n >= forgets else []), call), user(result)]
    return made


def grown(turns: int, answer: Callable[[int], tuple[JSON, ...]], first: tuple[JSON, ...] = ()) -> list[JSON]:
    made = [user(*first, text(200))]
    for n in range(turns):
        made += [assistant(*answer(n)), user(text(300 + n))]
    return made


def said(n: int) -> tuple[JSON, ...]:
    return (text(400 + n),)


THINKS: JSON = {"thinking": {"type": "enabled", "budget_tokens": 2048}, "tools": [LOOK]}

HEALTHY: dict[str, list[JSON]] = {
    "text document": [body(grown(n, said, (plain(1),))) for n in range(5)],
    "pdf and upload": [body(grown(n, said, (pdf(1), upload(1)))) for n in range(5)],
    "a document for each question": [body([user(plain(n), text(n))]) for n in range(5)],
    "web search": [body(grown(n, searched), tools=[SEARCH]) for n in range(5)],
    "mcp and redacted thinking": [body(grown(n, reached)) for n in range(5)],
    "thinking": [body(thought(n), **THINKS) for n in range(6)],
}


def sent(bodies: list[JSON], provider: str = "anthropic", **response: Any) -> list[Verdict]:
    """The verdicts on these calls, one after another; `response` is put into the last response."""
    with recorder() as calls:
        for given in bodies:
            calls.call("messages", given)
        records: list[JSON] = [record | {"provider": provider} for record in calls.records]
        for record in records:
            record["request"]["model"] = PLATFORMS[provider]
        records[-1]["response"].update(response)
    return [report.cache for report in llm_observer.analyze(records)]


@pytest.mark.parametrize("provider", PLATFORMS)
@pytest.mark.parametrize("kind", HEALTHY)
def test_a_healthy_conversation_is_blamed_for_nothing(kind: str, provider: str) -> None:
    verdicts = sent(HEALTHY[kind], provider)
    assert [verdict.outcome for verdict in verdicts] == ["cold", *["hit"] * (len(verdicts) - 1)]
    assert {verdict.cause for verdict in verdicts} == {"none"}


FAULTS: dict[str, tuple[list[JSON], JSON, str, str]] = {
    "pdf": (
        [body(grown(n, said, (pdf(1),))) for n in range(3)],
        body(grown(3, said, (pdf(2),))),
        "image_changed",
        "messages[0].content[0]",
    ),
    "upload": (
        [body(grown(n, said, (upload(1),))) for n in range(3)],
        body(grown(3, said, (upload(2),))),
        "image_changed",
        "messages[0].content[0]",
    ),
    "search taken away": (
        [body(grown(n, said), tools=[LOOK, SEARCH]) for n in range(3)],
        body(grown(3, said), tools=[LOOK]),
        "tool_membership",
        "tools[0]",
    ),
    "search results dropped": (
        [body(grown(n, searched), tools=[SEARCH]) for n in range(3)],
        body(grown(3, mixed(forgotten, searched)), tools=[SEARCH]),
        "history_truncated",
        "messages[1].content[0]",
    ),
    "all search results dropped": (
        [body(grown(n, searched), tools=[LOOK, SEARCH]) for n in range(3)],
        body(grown(3, forgotten), tools=[LOOK, SEARCH]),
        "history_truncated",
        "messages[1].content[0]",
    ),
    "search results cleared": (
        [body(grown(n, searched), tools=[SEARCH]) for n in range(3)],
        body(grown(3, mixed(searched, found_nothing, searched)), tools=[SEARCH]),
        "history_truncated",
        "messages[3].content[1]",
    ),
    "time ahead of a search": ([timed(0, tools=[SEARCH])], timed(1, tools=[SEARCH]), "timestamp", "system[0]"),
    "thinking forgotten": (
        [body(thought(n), **THINKS) for n in range(4)],
        body(thought(4, forgets=1), **THINKS),
        "history_rewritten",
        "messages[1].content[0]",
    ),
    "thinking off": (
        [body(thought(n), **THINKS) for n in range(4)],
        body(thought(4), tools=[LOOK], thinking={"type": "disabled"}),
        "thinking_changed",
        "thinking",
    ),
}


@pytest.mark.parametrize("provider", PLATFORMS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_at_its_place(fault: str, provider: str) -> None:
    before, broken, cause, where = FAULTS[fault]
    *healthy, verdict = sent([*before, broken], provider)
    assert not any(verdict.broke for verdict in healthy)
    assert (verdict.broke, verdict.cause) == (True, cause)
    assert verdict.location == where
    assert verdict.avoidable == (cause != "image_changed")


@pytest.mark.parametrize("fault", [name for name in FAULTS if "dropped" in name or "cleared" in name])
def test_what_was_lost_with_search_results_is_not_counted(fault: str) -> None:
    """They are encrypted: how many tokens they are stands nowhere."""
    before, broken, *_ = FAULTS[fault]
    verdict = sent([*before, broken])[-1]
    assert (verdict.expected_tokens, verdict.missed_tokens, verdict.tokens_error) == (None, None, None)
    assert verdict.lost_usd is None
    assert verdict.confidence <= 0.6
    assert verdict.confirmed_by == ("counterfactual",)


def test_a_search_that_was_dropped_before_it_was_cached_lost_nothing() -> None:
    """The newest answer stands behind the last marker; only the provider knows what it cached there by itself."""
    calls = [body(grown(n, searched), tools=[SEARCH]) for n in range(3)]
    verdict = sent([*calls, body(grown(3, mixed(searched, searched, forgotten)), tools=[SEARCH])])[-1]
    assert (verdict.outcome, verdict.broke) == ("hit", False)


def test_diagnostics_that_contradict_a_read_change_nothing() -> None:
    said_so = {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 3000}}
    assert sent(HEALTHY["thinking"], diagnostics=said_so)[-1] == sent(HEALTHY["thinking"])[-1]
