"""Anthropic's Messages API: what is answered to a request body, as one JSON object or as server-sent events."""

import json
from collections.abc import Iterator

from llm_observer.demo.provider.answers import Answer, View, answer, last_text
from llm_observer.demo.provider.entries import Served
from llm_observer.demo.provider.openai_api import pieces
from llm_observer.demo.provider.tokens import tokenize
from llm_observer.demo.provider.wire import JSON, as_dict, as_list

__all__ = ["message", "message_events", "view"]


def view(body: JSON) -> View:
    """What the answer depends on."""
    last = as_dict(as_list(body.get("messages"))[-1])
    content = last.get("content")
    kinds = {as_dict(part).get("type") for part in as_list(content)}
    tools = [as_dict(tool) for tool in as_list(body.get("tools"))]
    return View(
        instructions=last_text(body.get("system")),
        tools={str(tool.get("name")): str(tool.get("description", "")) for tool in tools},
        must_call=as_dict(body.get("tool_choice")).get("type") == "any",
        said=last_text(content),
        by_tool="tool_result" in kinds,
    )


def message(body: JSON, served: Served, *, name: str) -> JSON:
    """The answer as one object."""
    said = answer(view(body))
    output = _output_tokens(said)
    return _envelope(body, name) | {
        "content": _content(said, name),
        "stop_reason": _stop_reason(said),
        "usage": _usage(served, output),
    }


def message_events(body: JSON, served: Served, *, name: str) -> Iterator[JSON]:
    """The answer in events; the usage of the input comes first, and again with the output's at the end."""
    said = answer(view(body))
    start: JSON = _envelope(body, name) | {"content": [], "stop_reason": None, "usage": _usage(served, 1)}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for n, block in enumerate(_content(said, name)):
        if block["type"] == "text":
            yield {"type": "content_block_start", "index": n, "content_block": {"type": "text", "text": ""}}
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
        else:
            yield {"type": "content_block_start", "index": n, "content_block": {**block, "input": {}}}
            given = json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(given)]
        for delta in deltas:
            yield {"type": "content_block_delta", "index": n, "delta": delta}
        yield {"type": "content_block_stop", "index": n}
    usage = _usage(served, _output_tokens(said))
    counted = {name: count for name, count in usage.items() if name.endswith("_tokens")}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": _stop_reason(said), "stop_sequence": None},
        "usage": counted,
    }
    yield {"type": "message_stop"}


def _output_tokens(said: Answer) -> int:
    return len(tokenize(said.text)) + (len(tokenize(json.dumps(said.call.arguments))) + 8 if said.call else 0)


def _usage(served: Served, output: int) -> JSON:
    """`input_tokens` is only what was neither read from the cache nor written to it."""
    return {
        "input_tokens": served.total - served.read - served.written,
        "cache_creation_input_tokens": served.written,
        "cache_read_input_tokens": served.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": served.written - served.written_long,
            "ephemeral_1h_input_tokens": served.written_long,
        },
        "output_tokens": output,
        "service_tier": "standard",
    }


def _envelope(body: JSON, name: str) -> JSON:
    return {
        "id": f"msg_{name}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "stop_sequence": None,
    }


def _stop_reason(said: Answer) -> str:
    return "tool_use" if said.call else "end_turn"


def _content(said: Answer, name: str) -> list[JSON]:
    content: list[JSON] = [{"type": "text", "text": said.text}] if said.text else []
    if said.call:
        content.append(
            {"type": "tool_use", "id": f"toolu_{name}", "name": said.call.name, "input": said.call.arguments}
        )
    return content
