"""Run the application once over its inbox: `python -m llm_observer.demo.app`."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import anthropic
import openai

import llm_observer
from llm_observer.demo.app import claude, gpt


def show(what: str, results: Iterable[Any]) -> list[Any]:
    """Collect results, with a dot on the terminal for each as it comes."""
    print(f"  {what:<36}", end="", flush=True)  # noqa: T201  the application's own output
    collected: list[Any] = []
    for result in results:
        collected.append(result)
        print("●", end="", flush=True)  # noqa: T201
    print(f"  {len(collected)} calls")  # noqa: T201
    return collected


def draft_letters() -> Iterator[Any]:
    """Run the asynchronous part of the application to its end."""

    async def drafts() -> list[Any]:
        async with openai.AsyncOpenAI() as client:
            return [draft async for draft in gpt.draft_letters(client)]

    yield from asyncio.run(drafts())


def work() -> dict[str, list[Any]]:
    """A day's work. Returns what the models answered, by task."""
    with anthropic.Anthropic() as claude_client, openai.OpenAI() as gpt_client:
        return {
            "chats": show("chatting with customers", claude.answer_chats(claude_client)),
            "tickets": show("triaging tickets", claude.triage_tickets(claude_client)),
            "cases": show("summarizing cases", claude.summarize_cases(claude_client)),
            "requests": show("routing requests to tools", gpt.route_requests(gpt_client)),
            "comments": show("classifying feedback", gpt.classify_feedback(gpt_client)),
            "letters": show("drafting letters", draft_letters()),
        }


if __name__ == "__main__":
    llm_observer.patch()
    work()
