"""Where a call was made: the application's line, or nothing when it is not on the stack."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import llm_observer.demo
from llm_observer.adapters import site
from llm_observer.adapters.site import call_site
from llm_observer.results import CallSite


def made_in(file: str, call: Callable[[], Any] = call_site) -> Any:
    """What `call` returns, called by code that says it is of `file`."""
    space: dict[str, Any] = {"call": call}
    exec(compile("def caller():\n    return call()\n", file, "exec"), space)
    return space["caller"]


def test_libraries_are_passed_over() -> None:
    """Frames of installed packages, of the standard library and of this package do not count."""
    installed = made_in("/venv/lib/python3.11/site-packages/agents/run.py")
    standard = made_in(json.__file__, installed)
    found = made_in("/app/answers.py", standard)()
    assert found == CallSite(file="/app/answers.py", function="caller", line=2)


def test_the_demos_application_is_one() -> None:
    """It stands in this package and is an application all the same."""
    app = str(Path(llm_observer.demo.__file__).with_name("app.py"))
    assert made_in(app)().file == app


def test_a_call_that_nobody_on_the_stack_made() -> None:
    """A library's thread pool runs it: no line is better than a wrong one."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(made_in("/x/site-packages/a.py")).result() is None
        assert pool.submit(call_site).result() is None


def test_the_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deep stack of libraries is not walked to its end, and what is known of files does not grow for ever."""
    monkeypatch.setattr(site, "_DEEPEST", 3)
    call: Callable[[], Any] = call_site
    for _ in range(5):
        call = made_in("/x/site-packages/a.py", call)
    assert call() is None
    monkeypatch.setattr(site, "_MOST_FILES", 2)
    for number in range(10):
        assert made_in(f"/app/{number}.py")().file == f"/app/{number}.py"
    assert len(site._is_application) <= 4  # pyright: ignore[reportPrivateUsage]
