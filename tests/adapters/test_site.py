"""Where a call was made: the application's line, or nothing when it is not on the stack."""

import asyncio
import functools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import llm_observer.demo
from llm_observer.adapters import site
from llm_observer.adapters.awaiting import awaiting_frames
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


def waited_for(file: str, how: str) -> Any:
    """What `how`, which is code of `file`, makes of `job()`: a library's coroutine that gives its call site."""
    space: dict[str, Any] = {"asyncio": asyncio, "functools": functools, "call_site": call_site}
    exec(compile("async def job():\n    return call_site()", "/x/site-packages/sdk.py", "exec"), space)
    indented = how.replace("\n", "\n    ")
    exec(compile(f"async def caller():\n    {indented}", file, "exec"), space)
    return asyncio.run(space["caller"]())


NESTED = """async def inner():
    return await asyncio.gather(job())
return (await asyncio.create_task(inner()))[0]"""


@pytest.mark.parametrize(
    ("how", "line", "function"),
    [
        ("return (await asyncio.gather(job(), job()))[1]", 2, "caller"),
        ("task = asyncio.create_task(job())\nreturn await task", 3, "caller"),
        ("return await asyncio.wait_for(job(), 30)", 2, "caller"),
        ("return await asyncio.shield(job())", 2, "caller"),
        ("done, _ = await asyncio.wait([asyncio.create_task(job())])\nreturn done.pop().result()", 2, "caller"),
        (
            "async with asyncio.TaskGroup() as group:\n    task = group.create_task(job())\nreturn task.result()",
            2,
            "caller",
        ),
        (NESTED, 3, "caller.<locals>.inner"),
    ],
    ids=["gather", "create_task", "wait_for", "shield", "wait", "TaskGroup", "in another task"],
)
def test_a_task_that_runs_the_call_directly(how: str, line: int, function: str) -> None:
    """Nothing of the application is on its stack. The call's line is where the application waits for the task."""
    assert waited_for("/app/fan_out.py", how) == CallSite(file="/app/fan_out.py", function=function, line=line)


def test_a_task_that_nobody_waits_for() -> None:
    """In the background, or behind callbacks of somebody's own: no line is better than a wrong one."""
    for callback in (
        "",
        "task.add_done_callback(lambda task: None)\n",
        "task.add_done_callback(asyncio.create_task(asyncio.sleep(0)).cancel)\n",
        "task.add_done_callback(functools.partial(print, asyncio.current_task()))\n",
    ):
        how = f"task = asyncio.create_task(job())\n{callback}await asyncio.sleep(0.01)\nreturn task.result()"
        assert waited_for("/app/background.py", how) is None
    assert waited_for("/y/site-packages/agents.py", "return (await asyncio.gather(job()))[0]") is None
    assert list(awaiting_frames()) == []


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


OWN: dict[str, Any] = {"url": "file:///src/shop", "dir_info": {}}


@pytest.mark.parametrize(
    ("record", "installer", "own"),
    [
        (OWN, "pip", True),
        (OWN, None, True),
        # Conda builds its packages from directories; wheels and repositories are where libraries come from too.
        (OWN, "conda", False),
        ({"url": "file:///wheels/shop-1.0-py3-none-any.whl", "archive_info": {}}, "pip", False),
        ({"url": "https://example.com/shop.git", "vcs_info": {"vcs": "git"}}, "pip", False),
        (None, "pip", False),
        ("half a rec", "pip", False),
    ],
)
def test_an_application_that_is_installed(tmp_path: Path, record: object, installer: str | None, *, own: bool) -> None:
    """`pip install .` puts it among the libraries, and says where it came from."""
    folder = tmp_path / "site-packages"
    distribution = folder / "shop-1.0.dist-info"
    distribution.mkdir(parents=True)
    distribution.joinpath("RECORD").write_text(
        "shop/__init__.py,sha256=AA,1\nshop/answers.py,sha256=AA,1\nshop_cli.py,,\nshop-1.0.dist-info/RECORD,,\n"
    )
    if record is not None:
        text = record if isinstance(record, str) else json.dumps(record)
        distribution.joinpath("direct_url.json").write_text(text)
    if installer is not None:
        distribution.joinpath("INSTALLER").write_text(f"{installer}\n")
    for file in ("shop/answers.py", "shop_cli.py"):
        found = made_in(str(folder / file))()
        assert (found is not None and found.file == str(folder / file)) is own, file
    library = made_in(str(folder / "agents/run.py"))()
    assert library is None or not library.file.startswith(str(folder))


def test_an_sdk_from_a_checkout_is_no_application(tmp_path: Path) -> None:
    distribution = tmp_path / "site-packages/openai-9.dist-info"
    distribution.mkdir(parents=True)
    distribution.joinpath("RECORD").write_text("openai/__init__.py,sha256=AA,1\n")
    distribution.joinpath("direct_url.json").write_text(json.dumps(OWN))
    sdk = made_in(str(tmp_path / "site-packages/openai/_base_client.py"))
    assert made_in("/app/answers.py", sdk)() == CallSite(file="/app/answers.py", function="caller", line=2)
