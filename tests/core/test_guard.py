"""The fail-open boundary: what it swallows, what it lets pass, and what it says."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from llm_observer.counters import counters
from llm_observer.guard import Guard, guard

SECRET = "the prompt that broke it"


@pytest.fixture
def fail_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production."""
    monkeypatch.setattr(Guard, "strict", False)


def fail(error: BaseException | None = None) -> None:
    with guard("room"):
        raise error if error is not None else ValueError(SECRET)


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "llm_observer"]


@pytest.fixture
def debug(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG, logger="llm_observer"):
        yield caplog


def test_it_is_strict_in_our_tests() -> None:
    """What fails inside fails the suite."""
    with pytest.raises(ValueError, match=SECRET):
        fail()
    assert counters.of("errors") == {}


@pytest.mark.usefixtures("fail_open")
def test_what_fails_inside_is_swallowed_and_counted_under_the_boundarys_name() -> None:
    for _ in range(3):
        fail()
    with guard("other room"):
        raise KeyError
    assert counters.of("errors") == {"room": 3, "other room": 1}


@pytest.mark.usefixtures("fail_open")
def test_the_log_has_the_type_and_our_line_and_never_the_message(debug: pytest.LogCaptureFixture) -> None:
    def theirs() -> None:
        raise UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET)

    with guard("room"):
        counters.add("x", n=theirs())  # pyright: ignore[reportArgumentType]
    (record,) = records(debug)
    assert record.getMessage().startswith("room failed with UnicodeDecodeError at ")
    assert record.exc_info is None
    assert SECRET not in repr(record.__dict__)


@pytest.mark.usefixtures("fail_open")
def test_the_place_is_the_innermost_line_of_the_package(debug: pytest.LogCaptureFixture) -> None:
    with guard("room"):
        counters.add("x", n="no number")  # pyright: ignore[reportArgumentType]
    (record,) = records(debug)
    assert "failed with TypeError at llm_observer.counters:" in record.getMessage()


@pytest.mark.usefixtures("fail_open")
def test_the_first_failure_of_a_boundary_is_a_warning_and_the_rest_are_for_debugging(
    debug: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        fail()
    with guard("other room"):
        raise KeyError
    assert [(record.levelname, record.getMessage().split()[0]) for record in records(debug)] == [
        ("WARNING", "room"),
        ("DEBUG", "room"),
        ("DEBUG", "room"),
        ("WARNING", "other"),
    ]


@pytest.mark.usefixtures("fail_open")
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, BaseException])
def test_what_is_no_exception_of_a_program_passes(kind: type[BaseException]) -> None:
    """An interrupt, an exit and a cancellation are the application's."""
    with pytest.raises(kind):
        fail(kind())
    assert counters.of("errors") == {}


@pytest.mark.usefixtures("fail_open")
def test_cancellation_passes() -> None:
    with pytest.raises(asyncio.CancelledError):
        fail(asyncio.CancelledError())


@pytest.mark.usefixtures("fail_open")
def test_a_log_handler_that_raises_does_not_reach_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("the log is full")

    logger = logging.getLogger("llm_observer")
    monkeypatch.setattr(logger, "handlers", [Broken()])
    fail()
    assert counters.of("errors") == {"room": 1, "guard.log": 1}


@pytest.mark.usefixtures("fail_open")
def test_what_does_not_fail_is_not_touched(debug: pytest.LogCaptureFixture) -> None:
    with guard("room"):
        pass
    assert counters.of("errors") == {}
    assert records(debug) == []
