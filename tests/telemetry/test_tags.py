"""`tag` names the calls made inside, and only those."""

import asyncio
import contextvars
import inspect
from collections.abc import AsyncGenerator, Generator

import pytest

import llm_observer
from llm_observer.telemetry.tags import current_tag


def test_the_innermost_name_counts_and_the_outer_one_comes_back() -> None:
    with llm_observer.tag("outer"):
        with llm_observer.tag("inner"):
            assert current_tag() == "inner"
        assert current_tag() == "outer"
    assert current_tag() is None


def test_a_decorated_function_is_named_while_it_runs() -> None:
    @llm_observer.tag("support agent")
    def answer(question: str) -> tuple[str, str | None]:
        """Answer."""
        return question, current_tag()

    assert answer("why?") == ("why?", "support agent")
    assert answer.__doc__ == "Answer."
    assert current_tag() is None


async def test_a_decorated_coroutine_is_named_across_its_awaits_and_leaks_into_no_other_task() -> None:
    @llm_observer.tag("support agent")
    async def answer() -> list[str | None]:
        before = current_tag()
        await asyncio.sleep(0)
        return [before, current_tag()]

    async def other() -> str | None:
        await asyncio.sleep(0)
        return current_tag()

    assert inspect.iscoroutinefunction(answer)
    named, unnamed = await asyncio.gather(answer(), other())
    assert named == ["support agent", "support agent"]
    assert unnamed is None


def test_a_long_name_is_cut() -> None:
    with llm_observer.tag("x" * 1000):
        assert current_tag() == "x" * 128


def test_a_lone_surrogate_in_a_name_is_replaced_since_exporters_cannot_encode_it() -> None:
    with llm_observer.tag("a\ud800b"):
        assert current_tag() == "a?b"


def test_a_block_left_in_another_context_raises_nothing() -> None:
    """Frameworks run the two halves of a dependency that yields in two contexts."""

    def dependency() -> Generator[str | None]:
        with llm_observer.tag("support agent"):
            yield current_tag()

    halves = dependency()
    assert contextvars.copy_context().run(next, halves) == "support agent"
    assert contextvars.copy_context().run(next, halves, "ended") == "ended"
    assert current_tag() is None


async def test_one_tag_is_used_by_several_tasks_at_once() -> None:
    shared = llm_observer.tag("support agent")

    async def answer(waits: int) -> str | None:
        with shared:
            for _ in range(waits):
                await asyncio.sleep(0)
            return current_tag()

    assert await asyncio.gather(answer(1), answer(3), answer(2)) == ["support agent"] * 3
    assert current_tag() is None


def test_a_decorated_generator_is_named_and_its_reader_is_not() -> None:
    events: list[object] = []

    @llm_observer.tag("support agent")
    def answer(first: str) -> Generator[str, str, str]:
        try:
            events.append((yield first))
            yield str(current_tag())
        except KeyError:
            yield f"caught in {current_tag()}"
        finally:
            events.append(current_tag())
        return "done"

    assert inspect.isgeneratorfunction(answer)
    running = answer("begun")
    assert next(running) == "begun"
    assert current_tag() is None
    assert running.send("sent") == "support agent"
    assert running.throw(KeyError()) == "caught in support agent"
    with pytest.raises(StopIteration) as end:
        next(running)
    assert end.value.value == "done"

    left = answer("begun")
    next(left)
    left.close()
    assert events == ["sent", "support agent", "support agent"]
    assert current_tag() is None


async def test_a_decorated_async_generator_is_named_and_its_reader_is_not() -> None:
    events: list[object] = []

    @llm_observer.tag("support agent")
    async def answer(first: str) -> AsyncGenerator[str, str]:
        try:
            events.append((yield first))
            await asyncio.sleep(0)
            yield str(current_tag())
        except KeyError:
            yield f"caught in {current_tag()}"
        finally:
            events.append(current_tag())

    assert inspect.isasyncgenfunction(answer)
    running = answer("begun")
    assert await anext(running) == "begun"
    assert current_tag() is None
    assert await running.asend("sent") == "support agent"
    assert await running.athrow(KeyError()) == "caught in support agent"
    assert await anext(running, "ended") == "ended"

    left = answer("begun")
    await anext(left)
    await left.aclose()
    assert events == ["sent", "support agent", "support agent"]
    assert current_tag() is None
