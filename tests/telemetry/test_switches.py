"""The standard switches: what each value means, and that what is no value is off."""

import logging

import pytest

from llm_observer.telemetry.switches import CONTENT, EVENT, STABILITY, Switches


@pytest.mark.parametrize(
    ("mode", "event", "expected"),
    [
        ("", "", (False, False, False)),
        ("no_content", "", (False, False, False)),
        ("SPAN_ONLY", "", (True, False, False)),
        (" event_only ", "", (False, True, True)),
        ("SPAN_AND_EVENT", "", (True, True, True)),
        ("SPAN_AND_EVENT", "false", (True, False, False)),
        ("EVENT_ONLY", "FALSE", (False, False, False)),
        ("SPAN_ONLY", "true", (True, False, True)),
        ("NO_CONTENT", "true", (False, False, True)),
    ],
)
def test_where_content_goes(mode: str, event: str, expected: tuple[bool, bool, bool]) -> None:
    """As the official instrumentations read it: the mode says where, and an event can be asked for or kept back."""
    switches = Switches.read({CONTENT: mode, EVENT: event})
    assert (switches.content_on_spans, switches.content_in_events, switches.events) == expected


@pytest.mark.parametrize("mode", ["true", "1", "all", "span"])
def test_a_mode_that_is_none_is_off(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    """`true` was one once, and meant different things: who wants content says where. The value is not logged."""
    with caplog.at_level(logging.WARNING, "llm_observer"):
        assert Switches.read({CONTENT: mode}) == Switches()
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{CONTENT} is none of NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT: no content is recorded"
    )


def test_an_event_switch_that_is_neither(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "llm_observer"):
        assert Switches.read({CONTENT: "EVENT_ONLY", EVENT: "maybe"}).events
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", False),
        ("http", False),
        ("gen_ai_latest_experimental", True),
        ("http/dup, GEN_AI_latest_experimental", True),
    ],
)
def test_the_newest_names(value: str, *, expected: bool) -> None:
    """One of a list, as for the other conventions."""
    assert Switches.read({STABILITY: value}).newest_names is expected
