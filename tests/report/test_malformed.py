"""Whatever stands in a row of the store, a report and a preview are made of the rest."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_events import broken, event

from llm_observer.export.exporter import preview
from llm_observer.report.machine import as_json
from llm_observer.report.render import console, render
from llm_observer.report.summary import summarize

WORDS = st.sampled_from(["", "x", "NaN", "-1", "1e999", "2026-13-45T99:00:00Z", "\ud800", "[red]"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


def paths(node: Any, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every place in an event, its root too."""
    found = [at]
    if isinstance(node, dict):
        for name, child in node.items():  # pyright: ignore[reportUnknownVariableType]
            found += paths(child, (*at, str(name)))  # pyright: ignore[reportUnknownArgumentType]
    return found


WHOLE = broken(1) | {"local": {"snippet": "It is"}}
PATHS = paths(WHOLE)[1:]


def bent(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The event with another value at this place."""
    made = copy.deepcopy(WHOLE)
    node: Any = made
    for name in place[:-1]:
        node = node[name]
    node[place[-1]] = value
    return made


@settings(max_examples=300)
@given(
    st.lists(st.builds(bent, st.sampled_from(PATHS), VALUES) | st.dictionaries(WORDS, VALUES, max_size=3), max_size=4)
)
def test_a_row_of_any_shape_spoils_nothing(rows: list[dict[str, Any]]) -> None:
    report = summarize([*rows, *(event(n) for n in range(10, 13))])
    as_json(report)
    shown = console()
    with shown.capture() as captured:
        shown.print(render(report, title="x"))
    assert captured.get()
    bodies = list(preview([*rows, event(10)], send_names=True))
    assert f"{10:032x}" in b"".join(bodies).decode()


@pytest.mark.parametrize("amount", ["1e999", "-1e999", "9" * 30, "Infinity"])
@pytest.mark.parametrize("place", [("cache", "lost_usd"), ("cost", "usd"), ("cost", "saved_usd")])
def test_an_amount_that_no_call_has_is_not_known(place: tuple[str, ...], amount: str) -> None:
    (family,) = as_json(summarize([bent(place, amount), bent(place, amount), WHOLE]))["families"]
    assert amount[:8] not in str(family)


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan"), True])
def test_a_number_that_none_can_be_is_not_known(number: float) -> None:
    as_json(summarize([bent(("cache", "gap_s"), number), bent(("cache", "confidence"), number)]))
