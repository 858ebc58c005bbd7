"""A provider on this machine, and the variables by which the SDKs find it."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from llm_observer.demo.provider import Provider


@contextmanager
def loopback_provider(monkeypatch: pytest.MonkeyPatch) -> Generator[Provider]:
    """Inside, a client of either SDK made without arguments talks to the provider, in this process or a child."""
    with Provider() as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.anthropic_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-loopback")
        yield provider
