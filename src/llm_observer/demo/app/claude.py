"""What the support application does with Claude: it chats with customers, triages tickets and sums up cases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import anthropic
from anthropic.types import Message, MessageParam, ToolParam

from llm_observer.demo.app.assets import HANDBOOK, INBOX, TOOLS, TRIAGE_GUIDE

CHAT_TOOLS: list[ToolParam] = [
    {"name": tool["name"], "description": tool["description"], "input_schema": tool["parameters"]}
    for tool in TOOLS
    if tool["name"] in {"get_order", "track_parcel", "create_return", "hand_over"}
]


def run_tool(name: str, arguments: Any) -> str:
    """Stands for the shop's own systems."""
    return f"{name} of {arguments}: status handed_over, 1 parcel, planned for tomorrow before noon"


def answer_chats(client: anthropic.Anthropic) -> Iterator[Message]:
    """Chat with customers, looking their orders up; handbook and conversation are both kept in the cache."""
    for questions in INBOX["chats"]:
        messages: list[MessageParam] = []
        for question in questions:
            messages.append({"role": "user", "content": question})
            reply = stream_reply(client, messages)
            yield reply
            while reply.stop_reason == "tool_use":
                messages.append({"role": "assistant", "content": reply.content})
                calls = [block for block in reply.content if block.type == "tool_use"]
                messages.append(
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": call.id, "content": run_tool(call.name, call.input)}
                            for call in calls
                        ],
                    }
                )
                reply = stream_reply(client, messages)
                yield reply
            messages.append({"role": "assistant", "content": reply.content})


def stream_reply(client: anthropic.Anthropic, messages: list[MessageParam]) -> Message:
    """One turn of a chat, streamed to the customer's browser."""
    with client.messages.stream(
        model="claude-sonnet-5-5",
        max_tokens=1024,
        tools=CHAT_TOOLS,
        system=[{"type": "text", "text": HANDBOOK, "cache_control": {"type": "ephemeral"}}],
        messages=messages,
        cache_control={"type": "ephemeral"},
    ) as stream:
        for _ in stream.text_stream:
            pass  # sent to the browser
        return stream.get_final_message()


def triage_tickets(client: anthropic.Anthropic) -> Iterator[Message]:
    """Sort new tickets into queues. The model is told the time, for appointments of today and tomorrow."""
    for ticket in INBOX["tickets"]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        yield client.messages.create(
            model="claude-opus-5-5",
            max_tokens=64,
            system=[
                {
                    "type": "text",
                    "text": f"Current time: {now}\n\n{TRIAGE_GUIDE}",
                    "cache_control": {"type": "ephemeral"},
                }
            ],
            messages=[{"role": "user", "content": ticket}],
        )


def summarize_cases(client: anthropic.Anthropic) -> Iterator[Message]:
    """Sum up cases for the colleague who takes over, by the rules of the handbook."""
    for case in INBOX["cases"]:
        yield client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=400,
            system=HANDBOOK,
            messages=[{"role": "user", "content": f"Summarize this case for a colleague:\n\n{case}"}],
        )
