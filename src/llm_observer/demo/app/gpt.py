"""What the support application does with GPT: it routes requests to tools, classifies feedback and drafts letters."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionFunctionToolParam

from llm_observer.demo.app.assets import FEEDBACK_GUIDE, HANDBOOK, INBOX, TOOLS

ROUTER_TOOLS: list[ChatCompletionFunctionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": tool["name"],
            "description": tool["description"],
            "parameters": tool["parameters"],
        },
    }
    for tool in TOOLS
]

ROUTER_PROMPT = (
    "You route requests of customers of Northwind Home. Call the one tool that starts to deal with the request. "
    "Do not answer in words, and do not ask back: a colleague completes the arguments. If several tools fit, call the "
    "one that has to come first; if none fits, hand over. A request that mentions an injury, smoke or sparks is always "
    "handed over to the queue for safety with the priority P1, whatever else it asks for."
)


def route_requests(client: openai.OpenAI) -> Iterator[list[ChatCompletionChunk]]:
    """Choose the tool for each request. The tools used most so far come first, so that they are found sooner."""
    used: Counter[str] = Counter()
    for request in INBOX["requests"]:
        tools = sorted(ROUTER_TOOLS, key=lambda tool: -used[tool["function"]["name"]])
        chunks = list(
            client.chat.completions.create(
                model="gpt-5.2",
                messages=[{"role": "developer", "content": ROUTER_PROMPT}, {"role": "user", "content": request}],
                tools=tools,
                tool_choice="required",
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        for chunk in chunks:
            for choice in chunk.choices:
                for call in choice.delta.tool_calls or ():
                    if call.function and call.function.name:
                        used[call.function.name] += 1
        yield chunks


def classify_feedback(client: openai.OpenAI) -> Iterator[ChatCompletion]:
    """Classify what customers wrote after a delivery, by a guide that is the same for all."""
    for comment in INBOX["comments"]:
        yield client.chat.completions.create(
            model="gpt-5.6-sol",
            messages=[{"role": "developer", "content": FEEDBACK_GUIDE}, {"role": "user", "content": comment}],
        )


async def draft_letters(client: openai.AsyncOpenAI) -> AsyncIterator[ChatCompletion]:
    """Draft answers to letters, several at once: the first alone, so that the others find the handbook cached."""
    first, *others = INBOX["letters"]
    yield await draft_letter(client, first)
    for draft in await asyncio.gather(*(draft_letter(client, letter) for letter in others)):
        yield draft


async def draft_letter(client: openai.AsyncOpenAI, letter: str) -> ChatCompletion:
    """Draft the answer to one letter."""
    return await client.chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "system", "content": HANDBOOK}, {"role": "user", "content": letter}],
    )
