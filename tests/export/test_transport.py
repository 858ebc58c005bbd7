"""An endpoint may do whatever it likes: what it accepted is known, the rest is counted, nobody waits for it long."""

import logging
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, formatdate
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint, Received, close, drip, endless, garbage, hang, reply, reset
from hypothesis import given
from hypothesis import strategies as st

from llm_observer.counters import counters
from llm_observer.export import backoff as waits
from llm_observer.export import transport as room
from llm_observer.export.backoff import backoff, retry_after
from llm_observer.export.transport import Outcome, Result, Transport

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

HERE = Path(__file__).parent
CERTIFICATE = (str(HERE / "certificate.pem"), str(HERE / "key.pem"))
ACCEPTED = Result(Outcome.ACCEPTED)
BODY = b'{"schema_version":"1.0","events":[]}'


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "_FIRST_S", 0.01)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def post(endpoint: Endpoint, **options: Any) -> Result:
    """One request by a transport of its own."""
    options.setdefault("timeout_s", 5.0)
    transport = Transport(endpoint.url, "secret-token", **options)
    try:
        return transport.post(BODY, {"Idempotency-Key": "k"})
    finally:
        transport.shutdown(0)


def test_a_request_is_what_the_contract_says() -> None:
    with Endpoint() as endpoint:
        assert post(endpoint) == ACCEPTED
        (request,) = endpoint.requests
    assert request.path == "/v1/events?k=v"
    assert request.batch == {"schema_version": "1.0", "events": []}
    assert request.headers["authorization"] == "Bearer secret-token"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["idempotency-key"] == "k"
    assert re.fullmatch(r"llm-observer/\d+\.\d+\.\d+\S* \(python\)", request.headers["user-agent"])


@pytest.mark.parametrize("status", [200, 201, 202, 204, 207])
def test_any_success_is_one(status: int) -> None:
    with Endpoint(reply(status, b"")) as endpoint:
        assert post(endpoint) == ACCEPTED


@pytest.mark.parametrize("status", sorted(room.RETRIED))
def test_a_status_that_may_pass_is_tried_again(status: int) -> None:
    with Endpoint(reply(status), reply(status)) as endpoint:
        assert post(endpoint) == ACCEPTED
        assert len(endpoint.requests) == 3
        first, *others = endpoint.requests
    assert all((other.headers, other.body) == (first.headers, first.body) for other in others)
    assert counters.of("retries") == {f"http_{status}": 2}


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 415, 422, 501, 505])
def test_a_status_that_will_not_change_is_final(status: int) -> None:
    with Endpoint(reply(status)) as endpoint:
        assert post(endpoint) == Result(Outcome.LOST, f"http_{status}")
        assert len(endpoint.requests) == 1
    assert counters.of("retries") == {}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_a_failure_and_the_token_goes_nowhere(status: int) -> None:
    with Endpoint() as other, Endpoint(reply(status, Location=other.url)) as endpoint:
        assert post(endpoint) == Result(Outcome.LOST, "redirect")
        assert len(endpoint.requests) == 1
        assert other.requests == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_all_sending(status: int) -> None:
    with Endpoint(reply(status)) as endpoint:
        transport = Transport(endpoint.url, "secret-token")
        for _ in range(3):
            assert transport.post(BODY, {}) == Result(Outcome.LOST, f"http_{status}")
        assert len(endpoint.requests) == 1
        transport.shutdown(0)


def test_too_large_is_said_so() -> None:
    with Endpoint(reply(413)) as endpoint:
        assert post(endpoint).outcome is Outcome.TOO_LARGE


@pytest.mark.parametrize("behaviour", [close, reset, garbage])
def test_a_broken_connection_is_tried_again(behaviour: Any) -> None:
    with Endpoint(behaviour, behaviour) as endpoint:
        assert post(endpoint) == ACCEPTED
        assert len(endpoint.requests) == 3
    assert counters.of("retries") == {"disconnected": 2}


def test_an_endpoint_that_breaks_every_connection_is_given_up() -> None:
    with Endpoint(then=reset) as endpoint:
        assert post(endpoint, timeout_s=0.3) == Result(Outcome.LOST, "disconnected")
        assert len(endpoint.requests) > 2


def test_nobody_listening_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    transport = Transport(f"http://127.0.0.1:{port}/", "k", timeout_s=0.2)
    assert transport.post(BODY, {}) == Result(Outcome.LOST, "connection")
    assert counters.of("retries")["connection"] >= 1


@pytest.mark.parametrize("behaviour", [hang, drip])
def test_an_endpoint_that_does_not_come_to_an_end_gets_the_timeout_and_no_more(behaviour: Any) -> None:
    with Endpoint(then=behaviour) as endpoint:
        started = time.monotonic()
        assert post(endpoint, timeout_s=0.3) == Result(Outcome.LOST, "timeout")
        assert 0.25 < time.monotonic() - started < 2


def test_a_listener_that_never_answers_the_handshake_gets_the_timeout_and_no_more() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = Transport(f"https://127.0.0.1:{listener.getsockname()[1]}/", "k", timeout_s=0.3)
        started = time.monotonic()
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "timeout")
        assert time.monotonic() - started < 2


def test_a_body_without_end_is_not_read_to_it() -> None:
    with Endpoint(endless) as endpoint:
        started = time.monotonic()
        assert post(endpoint) == ACCEPTED
        assert time.monotonic() - started < 1


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_DRAIN_S", 0.05)

    def stall(endpoint: Endpoint, sock: socket.socket, request: Received) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        return hang(endpoint, sock, request)

    with Endpoint(stall) as endpoint:
        started = time.monotonic()
        assert post(endpoint) == ACCEPTED
        assert time.monotonic() - started < 1


def test_connections_are_used_again() -> None:
    with Endpoint() as endpoint:
        transport = Transport(endpoint.url, "k")
        for _ in range(5):
            assert transport.post(BODY, {}) == ACCEPTED
        assert endpoint.connections == 1
        transport.shutdown(0)


def test_an_endpoint_that_just_failed_gets_one_short_try_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process at its end has several batches left, and should not wait the whole timeout for each."""
    with Endpoint(then=hang) as endpoint:
        transport = Transport(endpoint.url, "k", timeout_s=0.4)
        started = time.monotonic()
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "timeout")
        first = time.monotonic() - started
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "timeout")
        assert time.monotonic() - started - first < first
        monkeypatch.setattr(room, "_SUSPECT_PART", 10.0)  # time enough on a busy machine
        endpoint.then = reply(200)
        assert transport.post(BODY, {}) == ACCEPTED
        endpoint.script = [reply(503)]
        assert transport.post(BODY, {}) == ACCEPTED
        transport.shutdown(0)


# --- Retry-After


def test_the_server_says_when_to_come_back() -> None:
    with Endpoint(reply(429, Retry_After="1")) as endpoint:
        assert post(endpoint) == ACCEPTED
        first, second = endpoint.requests
    assert 0.95 < second.at - first.at < 2.5


def test_a_wait_beyond_the_deadline_is_not_begun_and_holds_for_what_follows() -> None:
    with Endpoint(reply(503, Retry_After="3600")) as endpoint:
        transport = Transport(endpoint.url, "k", timeout_s=1.0)
        started = time.monotonic()
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "http_503")
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "throttled")
        assert time.monotonic() - started < 0.5
        assert len(endpoint.requests) == 1
        transport.shutdown(0)


def test_an_absurd_wait_is_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LONGEST_THROTTLE_S", 0.1)
    with Endpoint(reply(429, Retry_After="9" * 30)) as endpoint:
        transport = Transport(endpoint.url, "k", timeout_s=1.0)
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "http_429")
        assert transport.post(BODY, {}) == ACCEPTED
        transport.shutdown(0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0665", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 99 Jan 2026 00:00:00 GMT", None),
    ],
)
def test_both_forms_of_retry_after_are_understood(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}) == seconds
    assert retry_after({}) is None


def test_a_date_is_read_by_the_servers_clock() -> None:
    """This machine's may be wrong by hours."""
    server = datetime(2001, 1, 1, tzinfo=UTC)
    headers = {
        "Date": format_datetime(server, usegmt=True),
        "Retry-After": format_datetime(server + timedelta(seconds=30), usegmt=True),
    }
    assert retry_after(headers) == 30.0
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    without = retry_after({"Retry-After": soon})
    assert without is not None
    assert 85 < without < 91


@given(st.text(max_size=40))
def test_whatever_retry_after_says_it_is_a_wait_or_nothing(text: str) -> None:
    wait = retry_after({"Retry-After": text})
    assert wait is None or wait >= 0


@given(st.integers(0, 10_000))
def test_waits_grow_to_a_limit(attempt: int) -> None:
    assert 0 < backoff(attempt) <= 8


# --- shutdown, fork


def later(seconds: float, action: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer


def test_shutdown_ends_a_wait_at_once() -> None:
    with Endpoint(then=reply(503, Retry_After="4")) as endpoint:
        transport = Transport(endpoint.url, "k", timeout_s=10.0)
        timer = later(0.2, lambda: transport.shutdown(5))
        started = time.monotonic()
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "shutdown")
        assert time.monotonic() - started < 1.5
        timer.join()
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "shutdown")


def test_shutdown_ends_a_request_that_hangs_within_its_timeout() -> None:
    with Endpoint(then=hang) as endpoint:
        transport = Transport(endpoint.url, "k", timeout_s=10.0)
        timer = later(0.1, lambda: transport.shutdown(0.2))
        started = time.monotonic()
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "shutdown")
        assert 0.2 < time.monotonic() - started < 2
        timer.join()


def test_shutdown_lets_a_request_end_that_is_nearly_done() -> None:
    def slow(endpoint: Endpoint, sock: socket.socket, request: Received) -> bool:
        time.sleep(0.3)
        return reply(200)(endpoint, sock, request)

    with Endpoint(slow) as endpoint:
        transport = Transport(endpoint.url, "k", timeout_s=10.0)
        timer = later(0.1, lambda: transport.shutdown(5))
        assert transport.post(BODY, {}) == ACCEPTED
        timer.join()


def test_a_process_that_is_ending_is_held_up_for_a_few_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended:
        def is_alive(self) -> bool:
            return False

    monkeypatch.setattr(room, "_EXIT_S", 0.3)
    with Endpoint(then=hang) as endpoint:
        transport = Transport(endpoint.url, "k", timeout_s=10.0)
        monkeypatch.setattr(threading, "main_thread", Ended)
        started = time.monotonic()
        for _ in range(4):
            assert transport.post(BODY, {}) == Result(Outcome.LOST, "timeout")
        assert time.monotonic() - started < 1.5
        monkeypatch.undo()
        transport.shutdown(0)


def test_a_forked_child_has_connections_of_its_own() -> None:
    """On a shared connection the requests of parent and children would run into each other."""
    with Endpoint() as endpoint:
        transport = Transport(endpoint.url, "k")
        assert transport.post(BODY, {}) == ACCEPTED
        children: list[int] = []
        for _ in range(3):
            pid = os.fork()
            if not pid:
                done = all(transport.post(BODY, {}) == ACCEPTED for _ in range(20))
                os._exit(0 if done else 1)
            children.append(pid)
        for _ in range(20):
            assert transport.post(BODY, {}) == ACCEPTED
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
        assert len(endpoint.requests) == 81
        assert endpoint.connections == 4
        transport.shutdown(0)
        pid = os.fork()
        if not pid:
            os._exit(0 if transport.post(BODY, {}) == Result(Outcome.LOST, "shutdown") else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_many_threads_may_post() -> None:
    with Endpoint() as endpoint:
        transport = Transport(endpoint.url, "k")
        results: list[Result] = []
        threads = [
            threading.Thread(target=lambda: results.extend(transport.post(BODY, {}) for _ in range(10)))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [ACCEPTED] * 50
        transport.shutdown(0)


def test_without_threads_the_timeouts_of_the_socket_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with Endpoint(then=hang) as endpoint:
        transport = Transport(endpoint.url, "k", timeout_s=0.3)
        time.sleep(0.1)

        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Timer, "start", refuse)
            assert transport.post(BODY, {}) == Result(Outcome.LOST, "timeout")
        transport.shutdown(0)


# --- secrets, TLS, proxies


def test_netrc_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password other\n", encoding="utf-8")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Endpoint() as endpoint:
        assert post(endpoint) == ACCEPTED
        assert endpoint.requests[0].headers["authorization"] == "Bearer secret-token"


def test_the_token_is_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Endpoint(reply(503), reset, garbage, reply(401)) as endpoint:
        transport = Transport(endpoint.url, "secret-token")
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "http_401")
        assert repr(transport) == "Transport(host='127.0.0.1')"
        transport.shutdown(0)
    assert "secret-token" not in caplog.text


def test_https_with_an_authority_of_ones_own() -> None:
    with Endpoint(certificate=CERTIFICATE) as endpoint:
        assert post(endpoint, certificate_file=CERTIFICATE[0]) == ACCEPTED


def test_a_certificate_that_is_not_trusted_gets_no_token_and_no_second_try() -> None:
    with Endpoint(certificate=CERTIFICATE) as endpoint:
        assert post(endpoint) == Result(Outcome.LOST, "certificate")
        assert endpoint.connections == 1
        assert endpoint.requests == []


def test_an_endpoint_that_does_not_speak_tls_is_given_up() -> None:
    with Endpoint(then=garbage) as endpoint:
        transport = Transport(endpoint.url.replace("http:", "https:"), "k", timeout_s=0.5)
        result = transport.post(BODY, {})
        transport.shutdown(0)
    assert result.outcome is Outcome.LOST
    assert result.cause in {"tls", "timeout", "disconnected"}


def test_a_certificate_file_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="certificate file"):
        Transport("https://telemetry.example/", "k", certificate_file=str(tmp_path / "none.pem"))


def test_a_python_without_the_systems_authorities_takes_certifis(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def stats(_: ssl.SSLContext) -> dict[str, int]:
        return {"x509_ca": 0, "x509": 0, "crl": 0}

    def load(_: ssl.SSLContext, cafile: str) -> None:
        loaded.append(cafile)

    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setattr(ssl.SSLContext, "cert_store_stats", stats, raising=False)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load, raising=False)
    Transport("https://telemetry.example/", "k")
    assert [Path(path).name for path in loaded] == ["cacert.pem"]


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for a tunnel, gets its own password, and never sees the token."""
    with Endpoint(reply(407)) as proxy:
        port = proxy.url.split(":")[2].split("/")[0]
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass@127.0.0.1:{port}")
        transport = Transport("https://telemetry.example/v1", "secret-token", timeout_s=0.2)
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "proxy")
        transport.shutdown(0)
    request = proxy.requests[0]
    assert request.path == "telemetry.example:443"
    assert request.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert "authorization" not in request.headers


def test_no_proxy_is_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Endpoint() as endpoint:
        assert post(endpoint) == ACCEPTED


@pytest.mark.parametrize(("variable", "value"), [("ALL_PROXY", "socks5://127.0.0.1:1"), ("https_proxy", "http://")])
def test_a_proxy_that_cannot_be_used_is_said_and_not_passed_by(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match="proxy"):
        Transport("https://telemetry.example/", "k")


def test_a_proxy_may_be_named_without_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    with Endpoint(then=reply(407)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.split("/")[2])
        transport = Transport("https://telemetry.example/v1", "k", timeout_s=0.1)
        assert transport.post(BODY, {}) == Result(Outcome.LOST, "proxy")
        transport.shutdown(0)
        assert "proxy-authorization" not in proxy.requests[0].headers


@pytest.mark.parametrize("jump_s", [-400 * 86400.0, 400 * 86400.0])
def test_a_clock_that_jumps_changes_no_wait(jump_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a deadline, nor the word of a server whose own clock goes on as before."""
    date = formatdate(time.time(), usegmt=True)
    later = formatdate(time.time() + 1, usegmt=True)
    script = (reply(503), reply(429, Date=date, Retry_After=later))
    with Endpoint(*script) as endpoint:
        sender = Transport(endpoint.url, "k", timeout_s=10.0)
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + (jump_s if endpoint.requests else 0.0))
        started = time.monotonic()
        assert sender.post(b"{}", {}).outcome is Outcome.ACCEPTED
        assert 0.9 < time.monotonic() - started < 8.0
        sender.shutdown(0)
