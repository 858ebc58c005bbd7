"""Under real servers each call is stored once and sent once, and none is lost when they stop or change their workers.

`make test-servers` installs them; what is not installed is left out.
"""

import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from endpoint import Endpoint
from programs import run

from llm_observer.demo.provider import Provider
from llm_observer.export.reading import read_events

APPS = Path(__file__).parent / "apps"
REQUESTS = 8
TASKS = 4

GUNICORN = [sys.executable, "-m", "gunicorn", "--no-control-socket", "-w", "2", "-b", "{address}", "web:application"]
UWSGI = [
    *[str(Path(sysconfig.get_path("scripts")) / "uwsgi"), "--http-socket", "{address}", "--master", "-p", "2"],
    *["--enable-threads", "--die-on-term", "--disable-logging", "--module", "web"],
]
SERVERS = {
    "gunicorn": GUNICORN,
    "gunicorn with preload": [*GUNICORN, "--preload"],
    "gunicorn with recycled workers": [*GUNICORN, "--max-requests", "2"],
    "gunicorn with threads": [*GUNICORN, "--threads", "3"],
    "uwsgi": UWSGI,
    "uwsgi with lazy apps": [*UWSGI, "--lazy-apps"],
}


def installed(server: str) -> bool:
    if server.startswith("gunicorn"):
        return importlib.util.find_spec("gunicorn") is not None
    return shutil.which(UWSGI[0]) is not None


def ask(url: str, until: float) -> None:
    """One request; the server may not be there yet, or be changing a worker."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as response:
                assert response.status == 200
                return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Endpoint]:
    """Takes what the application sends."""
    with Endpoint() as endpoint:
        monkeypatch.setenv("LLM_OBSERVER_ENABLED", "true")
        monkeypatch.setenv("LLM_OBSERVER_API_KEY", "k")
        monkeypatch.setenv("LLM_OBSERVER_ENDPOINT", endpoint.url)
        monkeypatch.setenv("LLM_OBSERVER_STORE", str(tmp_path / "calls.db"))
        monkeypatch.setenv("PYTHONPATH", str(APPS))
        yield endpoint


def check(endpoint: Endpoint, store: Path, calls: int, said: str) -> None:
    """Each call is stored and sent, once."""
    stored = [event["event_id"] for event in read_events(store)]
    sent = [event["event_id"] for request in endpoint.requests for event in request.batch["events"]]
    assert len(set(stored)) == len(stored) == calls, said
    assert sorted(sent) == sorted(stored), said


@pytest.mark.parametrize("server", SERVERS)
def test_each_request_is_one_event_and_none_is_lost_at_the_end(
    server: str, provider: Provider, endpoint: Endpoint, tmp_path: Path
) -> None:
    if not installed(server):
        pytest.skip("it is not installed: make test-servers")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    command = [part.format(address=address) for part in SERVERS[server]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for _ in range(REQUESTS):
                ask(f"http://{address}/", time.monotonic() + 60)
        finally:
            # What the last requests made is still queued.
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
    assert len(provider.log) == REQUESTS
    check(endpoint, tmp_path / "calls.db", REQUESTS, said)


def test_a_worker_of_celerys_that_ends_after_each_task_loses_none(
    provider: Provider, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if importlib.util.find_spec("celery") is None:
        pytest.skip("it is not installed: make test-servers")
    folder = tmp_path / "queue"
    folder.mkdir()
    monkeypatch.setenv("QUEUE_FOLDER", str(folder))
    monkeypatch.chdir(tmp_path)
    run(APPS / "tasks.py")
    command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "-c", "1", "--max-tasks-per-child", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            until = time.monotonic() + 60
            while len(provider.log) < TASKS and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
    assert len(provider.log) == TASKS, said
    check(endpoint, tmp_path / "calls.db", TASKS, said)
