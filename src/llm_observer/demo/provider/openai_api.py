"""OpenAI's two chat APIs: what is answered to a request body, as one JSON object or as server-sent events."""

import json
from collections.abc import Iterator

from llm_observer.demo.provider.answers import Answer, View, answer, last_text
from llm_observer.demo.provider.entries import Served
from llm_observer.demo.provider.tokens import tokenize
from llm_observer.demo.provider.wire import JSON, as_dict, as_list

__all__ = ["chat_completion", "chat_events", "chat_view", "response", "response_events", "responses_view"]

_DEVELOPER = frozenset({"developer", "system"})


def chat_view(body: JSON) -> View:
    """What the answer to a Chat Completions request depends on."""
    messages = [as_dict(message) for message in as_list(body.get("messages"))]
    tools = [as_dict(as_dict(tool).get("function")) for tool in as_list(body.get("tools"))]
    return View(
        instructions=" ".join(last_text(m.get("content")) for m in messages if m.get("role") in _DEVELOPER),
        tools={str(tool.get("name")): str(tool.get("description", "")) for tool in tools},
        must_call=body.get("tool_choice") == "required",
        said=last_text(messages[-1].get("content")),
        by_tool=messages[-1].get("role") == "tool",
    )


def responses_view(body: JSON) -> View:
    """What the answer to a Responses request depends on."""
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else [as_dict(i) for i in as_list(given)]
    developer = [last_text(item.get("content")) for item in items if item.get("role") in _DEVELOPER]
    tools = [as_dict(tool) for tool in as_list(body.get("tools"))]
    return View(
        instructions=" ".join([str(body.get("instructions") or ""), *developer]),
        tools={str(tool.get("name")): str(tool.get("description", "")) for tool in tools if tool.get("name")},
        must_call=body.get("tool_choice") == "required",
        said=last_text(items[-1].get("content")),
        by_tool=str(items[-1].get("type", "")).endswith("_output"),
    )


def _output_tokens(said: Answer) -> int:
    return len(tokenize(said.text)) + (len(tokenize(json.dumps(said.call.arguments))) + 8 if said.call else 0)


def _chat_usage(served: Served, said: Answer, *, writes: bool) -> JSON:
    details: JSON = {"cached_tokens": served.read, "audio_tokens": 0}
    if writes:
        details["cache_write_tokens"] = served.written
    output = _output_tokens(said)
    return {
        "prompt_tokens": served.total,
        "completion_tokens": output,
        "total_tokens": served.total + output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _tier(body: JSON) -> str:
    """The tier that served the request: the one it asked for."""
    tier = body.get("service_tier") or "auto"
    return "default" if tier == "auto" else str(tier)


def _tool_calls(said: Answer, name: str) -> list[JSON]:
    if said.call is None:
        return []
    function = {"name": said.call.name, "arguments": json.dumps(said.call.arguments)}
    return [{"id": f"call_{name}", "type": "function", "function": function}]


def chat_completion(body: JSON, served: Served, *, name: str, at: float, writes: bool) -> JSON:
    """The answer as one object. `writes` says whether this model reports cache writes."""
    said = answer(chat_view(body))
    calls = _tool_calls(said, name)
    message: JSON = {"role": "assistant", "content": said.text or None, "refusal": None, "annotations": []}
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if calls else "stop"}
    return {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "created": int(at),
        "model": body.get("model"),
        "choices": [choice],
        "usage": _chat_usage(served, said, writes=writes),
        "service_tier": _tier(body),
        "system_fingerprint": None,
    }


def chat_events(body: JSON, served: Served, *, name: str, at: float, writes: bool) -> Iterator[JSON]:
    """The answer in chunks, the usage in a last one when `stream_options.include_usage` asks for it."""
    said = answer(chat_view(body))
    calls = _tool_calls(said, name)
    counted = bool(as_dict(body.get("stream_options")).get("include_usage"))

    def chunk(choices: list[JSON], usage: JSON | None = None) -> JSON:
        event: JSON = {
            "id": f"chatcmpl-{name}",
            "object": "chat.completion.chunk",
            "created": int(at),
            "model": body.get("model"),
            "service_tier": _tier(body),
            "system_fingerprint": None,
            "choices": choices,
        }
        return event | {"usage": usage} if counted else event

    def delta(part: JSON, finish: str | None = None) -> JSON:
        return chunk([{"index": 0, "delta": part, "logprobs": None, "finish_reason": finish}])

    yield delta({"role": "assistant", "content": "", "refusal": None})
    for piece in pieces(said.text):
        yield delta({"content": piece})
    for call in calls:
        yield delta({"tool_calls": [{"index": 0, **call, "function": {**call["function"], "arguments": ""}}]})
        for piece in pieces(call["function"]["arguments"]):
            yield delta({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    yield delta({}, "tool_calls" if calls else "stop")
    if counted:
        yield chunk([], _chat_usage(served, said, writes=writes))


def response(body: JSON, served: Served, *, name: str, at: float) -> JSON:
    """The answer of the Responses API as one object."""
    said = answer(responses_view(body))
    output_tokens = _output_tokens(said)
    usage: JSON = {
        "input_tokens": served.total,
        "input_tokens_details": {
            "cached_tokens": served.read,
            "cache_write_tokens": served.written,
            "cache_write_tokens_details": {
                "ttl_30m_tokens": served.written - served.written_long,
                "ttl_12h_tokens": served.written_long,
            },
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": served.total + output_tokens,
    }
    return _envelope(body, name, at) | {"status": "completed", "output": _output(said, name), "usage": usage}


def response_events(body: JSON, served: Served, *, name: str, at: float) -> Iterator[JSON]:
    """The answer of the Responses API in events."""
    final = response(body, served, name=name, at=at)
    started: JSON = _envelope(body, name, at) | {"status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for n, item in enumerate(final["output"]):
        where: JSON = {"output_index": n, "item_id": item["id"]}
        if item["type"] == "message":
            yield from _message_events(item, where)
        else:
            empty = {**item, "arguments": "", "status": "in_progress"}
            yield {"type": "response.output_item.added", "output_index": n, "item": empty}
            for piece in pieces(item["arguments"]):
                yield {"type": "response.function_call_arguments.delta", **where, "delta": piece}
            done: JSON = {"name": item["name"], "arguments": item["arguments"]}
            yield {"type": "response.function_call_arguments.done", **where, **done}
        yield {"type": "response.output_item.done", "output_index": n, "item": item}
    yield {"type": "response.completed", "response": final}


def _message_events(item: JSON, where: JSON) -> Iterator[JSON]:
    started: JSON = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": where["output_index"], "item": started}
    part = item["content"][0]
    where = {**where, "content_index": 0}
    yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": part}


def _envelope(body: JSON, name: str, at: float) -> JSON:
    return {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": int(at),
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": {},
        "model": body.get("model"),
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "service_tier": _tier(body),
        "text": body.get("text", {"format": {"type": "text"}}),
    }


def _output(said: Answer, name: str) -> list[JSON]:
    output: list[JSON] = []
    if said.text:
        part: JSON = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
        message = {"type": "message", "id": f"msg_{name}", "status": "completed", "role": "assistant"}
        output.append({**message, "content": [part]})
    if said.call:
        call = {"type": "function_call", "id": f"fc_{name}", "call_id": f"call_{name}", "status": "completed"}
        output.append({**call, "name": said.call.name, "arguments": json.dumps(said.call.arguments)})
    return output


def pieces(text: str, size: int = 24) -> Iterator[str]:
    """The text in the pieces that it is streamed in."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
