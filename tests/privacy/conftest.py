"""A scripted server, and all that the package gives out."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canaries import Canaries
from giving import Endpoint, Given
from scripted import ScriptedServer

import llm_observer
from llm_observer.summary import callbacks, tally


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def given(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Given]:
    """What is given out in this test, at debug level, once it has patched."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="llm_observer")
    monkeypatch.setattr(callbacks, "_functions", ())
    tally.clear()
    with Endpoint() as endpoint:
        yield Given(tmp_path / "store", endpoint, caplog, capfd)
        llm_observer.unpatch()
    logging.getLogger("llm_observer").setLevel(logging.NOTSET)
    tally.clear()
