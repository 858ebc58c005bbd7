"""A call's conversation in the conventions' shape: the question, its instructions and tools, and the answer."""

from collections.abc import Iterable, Iterator
from typing import Any

from llm_observer.telemetry.content.parts import Json, Part, calls, mapping, parts, response, sequence, text
from llm_observer.telemetry.values import dig

__all__ = ["instructions", "questions", "replies", "tools"]

_FINISHED = {
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "tool_use": "tool_call",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "refusal": "content_filter",
    "cancelled": "error",
}
"""The conventions' word for a provider's reason to stop. Another word stays as it is."""


def questions(api: str, request: Json) -> list[Part]:
    """`gen_ai.input.messages`: the messages of a request."""
    match api:
        case "completions":
            prompt = request.get("prompt")
            texts = [prompt] if isinstance(prompt, str) else sequence(prompt)
            return [_message("user", list(text(item))) for item in texts if isinstance(item, str)]
        case "responses":
            given = request.get("input")
            return [_message("user", parts(given))] if isinstance(given, str) else _merged(sequence(given))
        case _:
            return [_chat(mapping(message)) for message in sequence(request.get("messages"))]


def instructions(api: str, request: Json) -> list[Part]:
    """`gen_ai.system_instructions`: those that stand outside the messages."""
    return parts(request.get({"responses": "instructions", "messages": "system"}.get(api, "")))


def tools(request: Json) -> list[Part]:
    """`gen_ai.tool.definitions`."""
    given = [*sequence(request.get("tools")), *sequence(request.get("functions"))]
    return [definition for tool in given if (definition := _tool(mapping(tool)))]


def replies(api: str, answer: Json, reasons: tuple[str, ...]) -> list[Part]:
    """`gen_ai.output.messages`: one for each choice, with the reason why it ended.

    Args:
        api: Which API answered.
        answer: The response, of a stream as it was put together.
        reasons: Why the model stopped, for each choice.
    """
    match api:
        case "responses":
            found = [part for message in _merged(sequence(answer.get("output"))) for part in message["parts"]]
            replied = [_message("assistant", found)] if found else []
        case "messages":
            found = parts(answer.get("content"))
            replied = [_message("assistant", found)] if found else []
        case "completions":
            replied = [_message("assistant", list(text(dig(choice, ("text",))))) for choice in _choices(answer)]
        case _:
            replied = [_chat(mapping(choice.get("message"))) for choice in _choices(answer)]
    for message, reason in zip(replied, reasons, strict=False):
        called = any(part["type"] == "tool_call" for part in message["parts"])
        ended = _FINISHED.get(reason, reason)
        message["finish_reason"] = "tool_call" if called and ended == "stop" else ended
    return replied


def _choices(answer: Json) -> list[Json]:
    return [mapping(choice) for choice in sequence(answer.get("choices"))]


def _message(role: object, found: list[Part], name: object = None) -> Part:
    message: Part = {"role": role if isinstance(role, str) else "user", "parts": found}
    if isinstance(name, str):
        message["name"] = name
    return message


def _chat(message: Json) -> Part:
    """A message of Chat Completions or of Anthropic's API."""
    role = message.get("role") or "assistant"
    if role in {"tool", "function"}:
        found = list(response(message.get("tool_call_id"), message.get("content")))
        return _message("tool", found, message.get("name"))
    found = [
        *text(message.get("reasoning_content") or message.get("reasoning"), "reasoning"),
        *parts(message.get("content")),
        *text(message.get("refusal")),
        *calls(message.get("tool_calls")),
        *calls([{"function": message["function_call"]}] if message.get("function_call") else None),
    ]
    if found and all(part["type"] == "tool_call_response" for part in found):
        role = "tool"
    return _message(role, found, message.get("name"))


def _merged(items: Iterable[Any]) -> list[Part]:
    """The messages of items of Responses: what the model said in a row is one message of it."""
    messages: list[Part] = []
    for role, found in _turns(items):
        if messages and role == "assistant" == messages[-1]["role"]:
            messages[-1]["parts"] += found
        else:
            messages.append(_message(role, found))
    return messages


def _turns(items: Iterable[Any]) -> Iterator[tuple[str, list[Part]]]:
    for item in items:
        given = mapping(item)
        role = given.get("role")
        if isinstance(role, str):
            yield role, parts(given.get("content"))
            continue
        found = parts(given)
        if found:
            yield "tool" if found[0]["type"] == "tool_call_response" else "assistant", found


def _tool(tool: Json) -> Part:
    """A function with its schema; of a tool of the provider's own, its kind."""
    function = mapping(tool.get("function")) or tool
    kind = tool.get("type") or "function"
    name = function.get("name") or kind
    schema = function.get("parameters", function.get("input_schema"))
    if kind not in {"function", "custom"} or not isinstance(name, str):
        return {"type": kind, "name": name}
    found: Part = {"type": "function", "name": name}
    for field, value in (("description", function.get("description")), ("parameters", schema)):
        if value is not None:
            found[field] = value
    return found
