"""Calls in every style that `docs/coverage.md` lists, bare and observed, and prints what came of it as JSON."""

import asyncio
import importlib.metadata
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import llm_observer

sys.path.insert(0, str(Path(__file__).parents[1]))

from covering import called, cell, joined
from scripted import ScriptedServer
from sdk_clients import rows


async def measured(server: ScriptedServer, exporter: InMemorySpanExporter) -> dict[str, dict[str, str]]:
    """The cells, by SDK and row."""
    bare: list[Any] = [
        await called(row, server, asynchronous=asynchronous) for row in rows() for asynchronous in (False, True)
    ]
    expected = iter(bare)
    llm_observer.patch(store="off", hash_key="0" * 64)
    cells: dict[str, dict[str, str]] = {"openai": {}, "anthropic": {}}
    for row in rows():
        both: list[str] = []
        for asynchronous in (False, True):
            exporter.clear()
            observed = await called(row, server, asynchronous=asynchronous)
            both.append(cell(row, next(expected), observed, exporter.get_finished_spans()))
        cells[row.client.sdk][row.name] = joined(*both)
    return cells


def main() -> None:
    warnings.simplefilter("ignore")
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    with ScriptedServer() as server:
        cells = asyncio.run(measured(server, exporter))
    versions = {sdk: importlib.metadata.version(sdk) for sdk in cells}
    print(json.dumps({"versions": versions, "cells": cells}))


if __name__ == "__main__":
    main()
