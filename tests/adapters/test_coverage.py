"""Every way of calling an SDK: one span that says it all, and nothing that the application could notice."""

import importlib.metadata
from collections.abc import Callable

import pytest
from covering import ABSENT, Seen, called, cell, documented, filled, joined, of_models, usage_of
from scripted import CHAT, Answer, ScriptedServer
from sdk_clients import Row, rows
from spans import Spans, attributes

from llm_observer.instrumentor import Runtime


def is_newest(sdk: str) -> bool:
    """Whether the newest major of the SDK is here, for which the table holds."""
    return importlib.metadata.version(sdk).partition(".")[0] == documented(sdk)["call"].partition(".")[0]


CASES = [
    pytest.param(row, kind, id=f"{row.client.sdk} {kind}: {row.name}") for row in rows() for kind in ("sync", "async")
]


@pytest.mark.parametrize(("row", "kind"), CASES)
async def test_a_call_is_the_same_with_and_without_and_has_one_span(
    row: Row, kind: str, server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """The same is sent and comes back; one span has model, usage, finish reason, call site, hash, cost and verdict."""
    asynchronous = kind == "async"
    bare = await called(row, server, asynchronous=asynchronous)
    spans.clear()
    instrument()
    observed = await called(row, server, asynchronous=asynchronous)
    found = of_models(spans.all())
    said = cell(row, bare, observed, spans.all())
    if is_newest(row.client.sdk):
        table = documented(row.client.sdk)[row.name]
        assert said in table.split(", async ") or said == ABSENT, "make test-matrix writes the table again"
    if bare is None:
        assert said == ABSENT
        if asynchronous and row.client.name == "module-level client":
            return
        assert not is_newest(row.client.sdk), "what the newest release has is tried"
        pytest.skip("this release has it not, or what it needs is not installed")
    assert observed == bare
    assert len(found) == row.style.spans
    for span in found:
        values = attributes(span)
        assert span.kind.name == "CLIENT"
        assert span.name == f"{values['gen_ai.operation.name']} {values['gen_ai.request.model']}"
        assert values["gen_ai.provider.name"] == row.client.provider
        assert values["llm_observer.call.api"] == row.style.api
        assert values.get("gen_ai.request.stream", False) is row.style.stream
        assert ("gen_ai.response.time_to_first_chunk" in values) is row.style.stream
        for name, value in usage_of(row).items():
            assert values[f"gen_ai.usage.{name}"] == value
        if row.style.api != "embeddings" and "background" not in row.name:
            assert len(values["gen_ai.response.finish_reasons"]) == 1
            assert values["gen_ai.response.id"]
        assert values["gen_ai.response.model"]
        assert values["server.address"] == (row.client.name if "." in row.client.name else "127.0.0.1")
        assert values["code.file.path"].endswith("sdk_styles.py")
        assert "llm_observer.cache.outcome" in values
        assert "llm_observer.cost.usd" in values or "llm_observer.cost.reason" in values
        assert span.status.status_code.name in {"UNSET", "OK"}


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("sdk", ["anthropic", "openai"])
async def test_a_call_is_the_same_where_the_application_has_no_tracing(
    sdk: str, kind: str, server: ScriptedServer, instrument: Callable[..., Runtime]
) -> None:
    """Every header too: none names a trace that is ours alone."""
    tried = [row for row in rows() if row.client.sdk == sdk]
    bare = [await called(row, server, asynchronous=kind == "async") for row in tried]
    instrument()
    for row, before in zip(tried, bare, strict=True):
        assert await called(row, server, asynchronous=kind == "async") == before, row.name


def test_the_table_has_the_rows_that_are_tried() -> None:
    """No more and no fewer."""
    for sdk in ("openai", "anthropic"):
        named = [name for name in documented(sdk) if name not in {"call", "---"}]
        assert named == [row.name for row in rows() if row.client.sdk == sdk]


async def test_the_table_says_what_is_wrong(
    server: ScriptedServer, instrument: Callable[..., Runtime], spans: Spans
) -> None:
    """A call without a span, with another usage, with another result: each shows in its cell."""
    row = next(rows())
    instrument()
    seen = await called(row, server, asynchronous=False)
    assert seen is not None
    assert cell(row, seen, seen, spans.all()) == "1 ✓ ="
    assert cell(row, seen, Seen("else", seen.requests), spans.all()) == "1 ✓ ≠"
    assert cell(row, seen, Seen(seen.result, []), []) == "0 · ≠"
    server.script(Answer.json({**CHAT, "usage": {"prompt_tokens": 7}}))
    await called(row, server, asynchronous=False)
    assert cell(row, seen, seen, spans.all()) == "2 ✗ ="
    assert cell(row, None, None, []) == ABSENT
    assert joined("1 ✓ =", ABSENT) == "1 ✓ ="
    assert joined("1 ✓ =", "0 · =") == "1 ✓ =, async 0 · ="


def test_the_tables_are_written_from_what_was_measured() -> None:
    """A column for each environment, in its order; the page around them stays."""
    page = "a\n<!-- openai: begin -->\nold\n<!-- openai: end -->\nb\n"
    measured = [
        {"versions": {"openai": version}, "cells": {"openai": {"chat create": said}}}
        for version, said in (("1.0.0", "–"), ("2.0.0", "1 ✓ ="))  # noqa: RUF001  a dash, as the table has it
    ]
    assert filled(page, measured) == (
        "a\n<!-- openai: begin -->\n| call | 1.0.0 | 2.0.0 |\n| --- | --- | --- |\n"
        "| chat create | – | 1 ✓ = |\n<!-- openai: end -->\nb\n"  # noqa: RUF001  the same
    )
