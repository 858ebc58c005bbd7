"""Run the application in a process of its own against a provider in this one. No key, no network."""

import importlib.util
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from llm_observer.demo.provider import Exchange, Provider

__all__ = ["DemoError", "environment", "run"]

_LATENCY_S = 0.02
_TIMEOUT_S = 120.0
_SDKS = ("openai", "anthropic")
_NOT_INHERITED = ("OPENAI_", "ANTHROPIC_", "AZURE_", "OTEL_", "LLM_OBSERVER_")
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


class DemoError(Exception):
    """The demo cannot run. The message is one line: what, and how to mend it."""


def run(store: Path, *, output: IO[str] | None = None) -> list[Exchange]:
    """Run the application once; its calls are kept in `store`, its progress is written to `output`.

    Returns:
        The truth about each request, from the provider.

    Raises:
        DemoError: An SDK is not installed, or the application failed.
    """
    missing = [name for name in _SDKS if importlib.util.find_spec(name) is None]
    if missing:
        raise DemoError(f"the demo needs {' and '.join(missing)}: pip install 'llm-observer[demo]'")
    with Provider(latency_s=_LATENCY_S) as provider:
        # -P: a file named openai.py in the working directory is not what the application imports.
        command = [sys.executable, "-P", "-m", "llm_observer.demo.app"]
        # In a session of its own: Ctrl-C ends this process, which ends the application without a word of it.
        with subprocess.Popen(  # noqa: S603  our own module under this very interpreter
            command, env=environment(os.environ, provider, store), stdout=output, start_new_session=True
        ) as app:
            try:
                status = app.wait(_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                raise DemoError(f"the demo's application did not end within {_TIMEOUT_S:.0f} s") from None
            finally:
                app.kill()
    if status != 0:
        raise DemoError(f"the demo's application failed with exit status {status}: its own message stands above")
    return provider.log


def environment(inherited: Mapping[str, str], provider: Provider, store: Path) -> dict[str, str]:
    """The application's environment: the caller's, without settings that would lead it elsewhere."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(_NOT_INHERITED) and name.lower() not in _PROXIES
    }
    return kept | {
        "OPENAI_BASE_URL": provider.openai_url,
        "OPENAI_API_KEY": "sk-demo",
        "ANTHROPIC_BASE_URL": provider.anthropic_url,
        "ANTHROPIC_API_KEY": "sk-demo",
        "LLM_OBSERVER_STORE": str(store),
        # For this run only, so that it leaves no key file behind.
        "LLM_OBSERVER_HASH_KEY": secrets.token_hex(32),
        "PYTHONIOENCODING": "utf-8",
    }
