"""What holds for every test: our own failures are raised, state is temporary, no socket leaves the machine."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
from hypothesis import HealthCheck, settings

from llm_observer.counters import counters
from llm_observer.guard import Guard

# How long an example takes says more of what else the machine does. Where CI is set, hypothesis draws the same examples
# in each run (its own default), so that a change is judged by what it changes; other runs go on looking.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have one authority trusted: each of the many clients would load all, and none of them speaks TLS."""
    first, end, _ = Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----\n")
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    path.write_text(first + end, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


@pytest.fixture(autouse=True)
def strict_guard() -> Iterator[None]:
    """What fails inside the package fails the test; a test of failing open sets `Guard.strict` to False itself."""
    Guard.strict = True
    counters.clear()
    yield
    Guard.strict = False


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test, and no test's state reaches the machine."""
    for name in list(os.environ):
        if name.startswith(("LLM_OBSERVER_", "OTEL_", "OPENAI_", "ANTHROPIC_", "AZURE_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but this machine is an error: the suite cannot reach production."""
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        internet = self.family in {socket.AF_INET, socket.AF_INET6}
        host = str(address[0]) if internet else ""
        if internet and host not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to connect to {host!r}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", checked)
