"""What a row of the coverage table comes to: the row called bare and observed, the spans, and what the table says."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from scripted import Recorded, ScriptedServer
from sdk_clients import Row, dispose
from sdk_styles import has, outcome
from spans import attributes

__all__ = ["ABSENT", "PAGE", "Seen", "called", "cell", "documented", "filled", "joined", "of_models", "usage_of"]

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"

ABSENT = "–"  # noqa: RUF001  a dash, as a table has it
"""The cell of what a release does not have."""

_OPERATIONS = frozenset({"chat", "text_completion", "embeddings"})

_USAGE: Mapping[str, Mapping[str, int]] = {
    "chat.completions": {"input_tokens": 100, "cache_read.input_tokens": 64, "output_tokens": 20},
    "responses": {"input_tokens": 100, "cache_read.input_tokens": 64, "output_tokens": 20},
    "messages": {"input_tokens": 100, "cache_read.input_tokens": 70, "output_tokens": 20},
    "completions": {"input_tokens": 100, "output_tokens": 20},
    "embeddings": {"input_tokens": 100},
}
"""What the scripted server reports, as spans have it, by API."""

_CHANGING = frozenset({"host", "idempotency-key", "x-stainless-read-timeout", "x-amz-date"})
"""Headers that differ between any two requests."""


class Seen(NamedTuple):
    """What the application got, and what the provider."""

    result: Any
    requests: list[tuple[str, str, dict[str, str], bytes]]


async def called(row: Row, server: ScriptedServer, *, asynchronous: bool) -> Seen | None:
    """Call as `row` says; `None` where the release cannot."""
    try:
        client = row.client.make(server.url, asynchronous)
    except (AttributeError, ImportError):
        return None
    try:
        if not has(client, row.style.needs):
            return None
        server.requests.clear()
        result = await outcome(row.style, client)
        # An argument, or a package, that the release or the environment does not have.
        if isinstance(result, tuple) and any(result[0] is kind for kind in (TypeError, ModuleNotFoundError)):
            return None
        return Seen(result, [_on_the_wire(each) for each in server.requests])
    finally:
        await dispose(client)


def _on_the_wire(request: Recorded) -> tuple[str, str, dict[str, str], bytes]:
    signed = request.headers.get("authorization", "").startswith("AWS4")
    # An SDK names the application's current trace in a header, a new one for each call. Without tracing there is none.
    traced = isinstance(trace.get_tracer_provider(), TracerProvider)
    left_out = {*_CHANGING, *(("authorization",) if signed else ()), *(("traceparent",) if traced else ())}
    headers = {name: value for name, value in request.headers.items() if name not in left_out}
    return request.method, request.path, headers, request.body


def of_models(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """The spans that are ours, or whosever for a call to a model."""
    return [
        span
        for span in spans
        if (span.instrumentation_scope is not None and span.instrumentation_scope.name == "llm_observer")
        or attributes(span).get("gen_ai.operation.name") in _OPERATIONS
    ]


def usage_of(row: Row) -> Mapping[str, int]:
    """The usage that each span of the row must have; nothing where the provider reports none."""
    return _USAGE[row.style.api] if row.style.usage and row.style.api else {}


def _has_usage(row: Row, span: ReadableSpan) -> bool:
    found = {
        name.removeprefix("gen_ai.usage."): value
        for name, value in attributes(span).items()
        if name.startswith("gen_ai.usage.")
    }
    expected = usage_of(row)
    return expected.items() <= found.items() if expected else not found


def cell(row: Row, bare: Seen | None, observed: Seen | None, spans: Sequence[ReadableSpan]) -> str:
    """What the table says of a row, sync or async, that was called without us and with us."""
    if bare is None:
        return ABSENT
    found = of_models(spans)
    right = all(_has_usage(row, span) for span in found)
    usage = "✗" if not right else "✓" if found and usage_of(row) else "·"
    return f"{len(found)} {usage} {'=' if bare == observed else '≠'}"


def joined(sync: str, asynchronous: str) -> str:
    """One cell for both: one word where they say the same, or where there is no async one."""
    return sync if asynchronous in {sync, ABSENT} else f"{sync}, async {asynchronous}"


def _table(sdk: str) -> str:
    """A pattern of the part of the page that lists the calls of `sdk`."""
    return rf"(<!-- {sdk}: begin -->\n).*?(<!-- {sdk}: end -->)"


def filled(page: str, measured: Sequence[Mapping[str, Any]]) -> str:
    """The page with its tables as `measured`: what `matrix/measure.py` prints, a column each."""
    for sdk, newest in measured[-1]["cells"].items():
        lines = [
            ["call", *(each["versions"][sdk] for each in measured)],
            ["---"] * (len(measured) + 1),
            *([name, *(each["cells"][sdk][name] for each in measured)] for name in newest),
        ]
        text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        page = re.sub(_table(sdk), lambda found, text=text: found[1] + text + found[2], page, flags=re.DOTALL)
    return page


def documented(sdk: str) -> dict[str, str]:
    """The newest release's column of `docs/coverage.md`, by row; the release itself is that of the row `call`."""
    table = re.search(_table(sdk), PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert table is not None
    lines = [[each.strip() for each in line.strip("|").split("|")] for line in table[0].splitlines()[1:-1]]
    return {line[0]: line[-1] for line in lines}
