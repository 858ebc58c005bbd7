"""A provider that answers both SDKs, and a receiver of OTLP, both on this machine."""

from collections.abc import Iterator

import pytest
from loopback import loopback_provider
from otlp import Receiver

from llm_observer.demo.provider import Provider


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Answers the clients made without arguments, in this process and in its children."""
    with loopback_provider(monkeypatch) as provider:
        yield provider


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes what is exported to its `url`."""
    with Receiver() as receiver:
        yield receiver
