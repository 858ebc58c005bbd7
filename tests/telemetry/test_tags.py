"""`tag` names the calls made inside, and only those."""

import asyncio
import inspect

import llm_observer
from llm_observer.telemetry.tags import current_tag


def test_the_innermost_name_counts_and_the_outer_one_comes_back() -> None:
    with llm_observer.tag("outer"):
        with llm_observer.tag("inner"):
            assert current_tag.get() == "inner"
        assert current_tag.get() == "outer"
    assert current_tag.get() is None


def test_a_decorated_function_is_named_while_it_runs() -> None:
    @llm_observer.tag("support agent")
    def answer(question: str) -> tuple[str, str | None]:
        """Answer."""
        return question, current_tag.get()

    assert answer("why?") == ("why?", "support agent")
    assert answer.__doc__ == "Answer."
    assert current_tag.get() is None


async def test_a_decorated_coroutine_is_named_across_its_awaits_and_leaks_into_no_other_task() -> None:
    @llm_observer.tag("support agent")
    async def answer() -> list[str | None]:
        before = current_tag.get()
        await asyncio.sleep(0)
        return [before, current_tag.get()]

    async def other() -> str | None:
        await asyncio.sleep(0)
        return current_tag.get()

    assert inspect.iscoroutinefunction(answer)
    named, unnamed = await asyncio.gather(answer(), other())
    assert named == ["support agent", "support agent"]
    assert unnamed is None


def test_a_long_name_is_cut() -> None:
    with llm_observer.tag("x" * 1000):
        assert current_tag.get() == "x" * 128
