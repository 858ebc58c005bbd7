"""Parts of messages: from each provider's own shape to that of the GenAI conventions.

The types of a provider's parts are told apart by their names, which no two of the APIs use for different things.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from llm_observer.telemetry.values import dig, is_code

__all__ = ["Json", "Part", "calls", "mapping", "parts", "response", "sequence", "text"]

Json: TypeAlias = Mapping[str, Any]
Part: TypeAlias = dict[str, Any]

_NONE: Json = {}
_AUDIO = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def mapping(value: object) -> Json:
    """`value` if it is a mapping, else an empty one."""
    return cast("Json", value) if isinstance(value, Mapping) else _NONE


def sequence(value: object) -> list[Any]:
    """`value` if it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def parts(content: object) -> list[Part]:
    """The parts of a message's content: a text, one part or a list of them."""
    if isinstance(content, str):
        return list(text(content))
    items: list[Any] = [mapping(cast("object", content))] if isinstance(content, Mapping) else sequence(content)
    return [part for item in items for part in _part(item)]


def _part(item: object) -> Iterable[Part]:
    if isinstance(item, str):
        return text(item)
    given = mapping(item)
    kind = given.get("type")
    if not isinstance(kind, str):
        return ()
    if (convert := _KINDS.get(kind)) is not None:
        return convert(given)
    if kind.endswith("_tool_result"):
        answer = {"type": kind.removesuffix("_tool_result"), "content": given.get("content")}
        return _one("server_tool_call_response", id=given.get("tool_use_id"), server_tool_call_response=answer)
    if kind.endswith("_call"):
        name = kind.removesuffix("_call")
        call = {key: value for key, value in given.items() if key != "id"} | {"type": name}
        return _one("server_tool_call", id=given.get("id"), name=given.get("name") or name, server_tool_call=call)
    # Of a kind that the conventions have no shape for: that it was there.
    return ({"type": kind},) if is_code(kind) else ()


def _one(kind: str, **fields: object) -> tuple[Part]:
    return ({"type": kind} | {name: value for name, value in fields.items() if value is not None},)


def text(content: object, kind: str = "text") -> Iterable[Part]:
    """A part of text, unless there is none."""
    return _one(kind, content=content) if isinstance(content, str) and content else ()


def response(call_id: object, answer: object) -> Iterable[Part]:
    """What a tool of the application answered."""
    return _one("tool_call_response", id=call_id, response=_plain(answer))


def _plain(answer: object) -> object:
    """A tool's answer as it is, except that media in it have the conventions' shape: they may be large."""
    if not isinstance(answer, list):
        return "" if answer is None else answer
    return parts(cast("list[Any]", answer))


def calls(items: object) -> Iterator[Part]:
    """The tool calls of a message of Chat Completions."""
    for item in sequence(items):
        call = mapping(item)
        function = mapping(call.get("function") or call.get("custom"))
        arguments = function.get("arguments", function.get("input"))
        yield from _one("tool_call", id=call.get("id"), name=function.get("name"), arguments=_parsed(arguments))


def _parsed(arguments: object) -> object:
    if isinstance(arguments, str):
        try:
            return json.loads(arguments)
        except (ValueError, RecursionError):
            return arguments
    return arguments


def _call(item: Json) -> Iterable[Part]:
    arguments = item.get("arguments", item.get("input"))
    # Free text is not parsed: what looks like JSON there is text all the same.
    parsed = arguments if item["type"] == "custom_tool_call" else _parsed(arguments)
    return _one("tool_call", id=item.get("call_id") or item.get("id"), name=item.get("name"), arguments=parsed)


def _media(modality: str, url: object) -> Iterable[Part]:
    """A reference; or data, for a URL that holds them."""
    if not isinstance(url, str) or not url:
        return ()
    if not url.startswith("data:"):
        return _one("uri", modality=modality, uri=url)
    head, _, data = url[len("data:") :].partition(",")
    return _one("blob", mime_type=head.partition(";")[0] or None, modality=modality, content=data)


def _image(item: Json) -> Iterable[Part]:
    image = item.get("image_url")
    if isinstance(file := item.get("file_id"), str):
        return _one("file", modality="image", file_id=file)
    return _media("image", image if isinstance(image, str) else mapping(image).get("url"))


def _file(item: Json) -> Iterable[Part]:
    given = mapping(item.get("file")) or item
    if isinstance(file := given.get("file_id"), str):
        return _one("file", modality="document", file_id=file)
    if isinstance(data := given.get("file_data"), str):
        return _media("document", data if data.startswith("data:") else f"data:,{data}")
    return _media("document", given.get("file_url"))


def _audio(item: Json) -> Iterable[Part]:
    audio = mapping(item.get("input_audio"))
    kind = audio.get("format")
    mime = _AUDIO.get(kind) if isinstance(kind, str) else None
    return _one("blob", mime_type=mime, modality="audio", content=audio.get("data"))


def _source(modality: str) -> Callable[[Json], Iterable[Part]]:
    """Of Anthropic's parts with a `source`: an image or a document."""

    def convert(item: Json) -> Iterable[Part]:
        source = mapping(item.get("source"))
        match source.get("type"):
            case "base64":
                return _one("blob", mime_type=source.get("media_type"), modality=modality, content=source.get("data"))
            case "url":
                return _media(modality, source.get("url"))
            case "file":
                return _one("file", modality=modality, file_id=source.get("file_id"))
            case "text":
                return text(source.get("data"))
            case "content":
                return parts(source.get("content"))
            case _:
                return ()

    return convert


def _reasoning(item: Json) -> Iterable[Part]:
    """Of Responses: the summary, and the reasoning itself where it is given."""
    for block in [*sequence(item.get("summary")), *sequence(item.get("content"))]:
        yield from text(dig(block, ("text",)), "reasoning")


def _server_tool(item: Json) -> Iterable[Part]:
    name = item.get("name")
    call = {"type": name, "input": item.get("input")}
    return _one("server_tool_call", id=item.get("id"), name=name, server_tool_call=call)


def _mcp_tool(item: Json) -> Iterable[Part]:
    """Of Anthropic, which runs tools of MCP servers itself, as it does its own."""
    call = {"type": "mcp", "server_name": item.get("server_name"), "input": item.get("input")}
    return _one("server_tool_call", id=item.get("id"), name=item.get("name"), server_tool_call=call)


_KINDS: Mapping[str, Callable[[Json], Iterable[Part]]] = {
    "text": lambda item: text(item.get("text")),
    "input_text": lambda item: text(item.get("text")),
    "output_text": lambda item: text(item.get("text")),
    "summary_text": lambda item: text(item.get("text")),
    "refusal": lambda item: text(item.get("refusal")),
    "image_url": _image,
    "input_image": _image,
    "image": _source("image"),
    "document": _source("document"),
    "file": _file,
    "input_file": _file,
    "input_audio": _audio,
    "thinking": lambda item: text(item.get("thinking"), "reasoning"),
    "redacted_thinking": lambda _: (),
    "reasoning": _reasoning,
    "tool_use": _call,
    "function_call": _call,
    "custom_tool_call": _call,
    "server_tool_use": _server_tool,
    "mcp_tool_use": _mcp_tool,
    "tool_result": lambda item: response(item.get("tool_use_id"), item.get("content")),
    "function_call_output": lambda item: response(item.get("call_id"), item.get("output")),
    "custom_tool_call_output": lambda item: response(item.get("call_id"), item.get("output")),
    "computer_call_output": lambda item: response(item.get("call_id"), item.get("output")),
    "compaction": lambda item: _one("compaction", id=item.get("id"), content=item.get("content")),
}
