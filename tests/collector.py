"""A real OpenTelemetry Collector between a program and a receiver of the test, where its binary is found."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["collector", "find_collector"]

_CONFIG = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:0
exporters:
  otlp_http:
    endpoint: {sink}
    encoding: json
    compression: none
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_http]}}
    metrics: {{receivers: [otlp], exporters: [otlp_http]}}
  telemetry:
    metrics: {{level: none}}
"""
"""Each request is passed on before it is answered: what a program has flushed has reached the sink."""

_LISTENS = re.compile(r'Starting HTTP server.*"endpoint": "([^"]+)"')
_READY = "Everything is ready"
_START_S = 30.0


def find_collector() -> str | None:
    """The binary that `OTELCOL` names, else one on the path."""
    named = os.environ.get("OTELCOL")
    return named or shutil.which("otelcol") or shutil.which("otelcol-contrib")


@contextmanager
def collector(binary: str, sink: str, folder: Path) -> Generator[str]:
    """Inside, a Collector takes OTLP over HTTP at the URL and sends it to `sink` as JSON."""
    config = folder / "collector.yaml"
    config.write_text(_CONFIG.format(sink=sink), encoding="utf-8")
    with subprocess.Popen([binary, "--config", str(config)], stderr=subprocess.PIPE, text=True, cwd=folder) as process:
        stuck = threading.Timer(_START_S, process.kill)
        stuck.start()
        try:
            address = _address(process)
            stuck.cancel()
            yield f"http://{address}"
        finally:
            stuck.cancel()
            process.terminate()
            assert process.stderr is not None
            process.stderr.read()


def _address(process: subprocess.Popen[str]) -> str:
    """Where it listens, once it is ready. Its log ends with the process, so this ends."""
    assert process.stderr is not None
    said: list[str] = []
    address = ""
    for line in process.stderr:
        said.append(line)
        if found := _LISTENS.search(line):
            address = found[1]
        if _READY in line:
            return address
    raise AssertionError("the Collector did not start:\n" + "".join(said))
