"""An application with nothing of llm-observer in it.

One task asks OpenAI with a clock at the head of its prompt. The other asks Anthropic, in a stream, with a guide that is
marked to be cached and stays the same.
"""

import asyncio
import threading

import anthropic
import openai

GUIDE = "You sort the mail of a shop for garden tools. Answer with one word: order, parcel, return or other. " * 80


def sort_mail(client: openai.OpenAI, minute: int) -> None:
    client.chat.completions.create(
        model="gpt-4.1",
        messages=[
            {"role": "system", "content": f"It is 2026-11-22T10:{minute:02}:00Z. {GUIDE}"},
            {"role": "user", "content": "Where is my spade?"},
        ],
    )


async def answer_mail(client: anthropic.AsyncAnthropic, question: str) -> None:
    async with client.messages.stream(
        model="claude-sonnet-4-6",
        max_tokens=100,
        system=[{"type": "text", "text": GUIDE, "cache_control": {"type": "ephemeral"}}],
        messages=[{"role": "user", "content": question}],
    ) as stream:
        async for _ in stream.text_stream:
            pass


async def answer_all() -> None:
    async with anthropic.AsyncAnthropic(max_retries=0) as client:
        await answer_mail(client, "Where is my spade?")
        await answer_mail(client, "Where is my rake?")


def let_prices_load() -> None:
    """Wait for a thread that is none of this application's: the first call's cost may come too early for it."""
    for thread in threading.enumerate():
        if thread.name == "llm-observer-prices":
            thread.join()


if __name__ == "__main__":
    with openai.OpenAI(max_retries=0) as client:
        for minute in range(3):
            sort_mail(client, minute)
            let_prices_load()
    asyncio.run(answer_all())
    print("done")
