"""The prompt of an Anthropic Messages request. Render order: tools, system, messages (Anthropic, "Prompt caching")."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llm_observer.analysis.jsons import as_list, as_mapping, as_text, dump, dump_without
from llm_observer.analysis.segments import Kind, Param, Prompt, Segment

__all__ = ["read_messages"]

_MARKER = "cache_control"
_TEXT_KINDS: Mapping[str, Kind] = {"system": "system", "assistant": "assistant"}
_WRITTEN = frozenset({"text", "content"})
"""Sources of a document that are text in the request, and no file."""
_KINDS: Mapping[str, Kind] = {
    "tool_use": "tool_use",
    "server_tool_use": "tool_use",
    "mcp_tool_use": "tool_use",
    "tool_result": "tool_result",
    "mcp_tool_result": "tool_result",
    "web_search_tool_result": "tool_result",
    "image": "media",
    "document": "media",
    "thinking": "thinking",
    "redacted_thinking": "thinking",
}
_FOUND = re.compile(r'"type":"(?!mcp_)[a-z_]+_tool_result"')
"""In a block with what one of the provider's own tools found: encrypted, or a part of what the model is shown."""
_NONE = frozenset[int]()
_OWN_TOOLS = ("custom", "bash_", "computer_", "memory_", "text_editor_")
"""What the types of tools begin with that the application runs; a tool without a type is one too."""


def read_messages(body: Mapping[str, Any]) -> Prompt:
    """The prompt of a Messages request body. Never raises: a part of another shape than documented is read as JSON."""
    head = [*_tools(body), *_system(body)]
    segments = (*head, *_messages(body))
    automatic = as_mapping(body.get(_MARKER))
    edited = bool(body.get("container") or body.get("context_management"))
    repeats = _repeats(body)
    return Prompt(
        segments=segments,
        head=len(head),
        params=_params(body, segments),
        names=_NAMES,
        automatic=_ttl(automatic) if automatic else None,
        compared=as_text(as_mapping(body.get("diagnostics")).get("previous_message_id")) or None,
        counted=not (edited or repeats),
        repeats=repeats and not edited,
        veiled=frozenset(i for i, s in enumerate(segments) if s.is_json and _FOUND.search(s.text))
        if repeats
        else _NONE,
    )


def _repeats(body: Mapping[str, Any]) -> bool:
    """Whether the provider may run tools of its own, so that the reported input is that of several runs."""
    kinds = (as_text(as_mapping(tool).get("type")) for tool in as_list(body.get("tools")))
    return bool(body.get("mcp_servers")) or not all(kind.startswith(_OWN_TOOLS) for kind in kinds if kind)


def _ttl(marker: object) -> str:
    return as_text(as_mapping(marker).get("ttl")) or "default"


def _marker(block: Mapping[str, Any]) -> str | None:
    """The marker of a block, which may stand on a block within it too (a part of a tool result)."""
    own = block.get(_MARKER)
    if own:
        return _ttl(own)
    for part in as_list(block.get("content")):
        if as_mapping(as_mapping(part).get(_MARKER)):
            return _ttl(part[_MARKER])
    return None


def _tools(body: Mapping[str, Any]) -> Iterator[Segment]:
    for i, tool in enumerate(as_list(body.get("tools"))):
        described = as_mapping(tool)
        # Deferred tools are not part of the prefix until the model looks one up.
        if described.get("defer_loading") is True:
            continue
        name = as_text(described.get("name")) or as_text(described.get("type"))
        text = dump_without(tool, _MARKER)
        yield Segment(f"tools[{i}]", "tool", text, is_json=True, name=name, marker=_marker(described))


def _system(body: Mapping[str, Any]) -> Iterator[Segment]:
    system = body.get("system")
    if isinstance(system, str):
        # A string is short for one block of text.
        if system:
            yield Segment("system[0]", "system", system, role="system")
        return
    for i, block in enumerate(as_list(system)):
        yield _block(f"system[{i}]", "system", block)


def _messages(body: Mapping[str, Any]) -> list[Segment]:
    segments: list[Segment] = []
    for i, message in enumerate(as_list(body.get("messages"))):
        described = as_mapping(message)
        role = described.get("role")
        if not isinstance(role, str) or not role:
            role = "user"
        content = described.get("content")
        if isinstance(content, str):
            # A string is short for one block of text. By position, in half the time: most prompts are made of these.
            kind = _TEXT_KINDS.get(role, "user")
            segments.append(Segment(f"messages[{i}].content[0]", kind, content, False, "", role, True))
            continue
        blocks = as_list(content)
        for j, block in enumerate(blocks, 1):
            segments.append(_block(f"messages[{i}].content[{j - 1}]", role, block, message_end=j == len(blocks)))
    return segments


def _block(path: str, role: str, block: object, *, message_end: bool = False) -> Segment:
    described = as_mapping(block)
    kind = _TEXT_KINDS.get(role, "user")
    marker = _marker(described)
    kind_of_block = as_text(described.get("type"))
    if kind_of_block == "text" and isinstance(described.get("text"), str) and not described.get("citations"):
        text: str = described["text"]
        return Segment(path, kind, text, role=role, message_end=message_end, marker=marker)
    if kind_of_block != "document" or as_mapping(described.get("source")).get("type") not in _WRITTEN:
        kind = _KINDS.get(kind_of_block, kind)
    return Segment(
        path, kind, dump_without(block, _MARKER), is_json=True, role=role, message_end=message_end, marker=marker
    )


_NAMES: Mapping[str, str] = {
    "tool_choice": "tool_choice",
    "thinking": "thinking",
    "speed": "speed",
    "effort": "output_config.effort",
    "text_format": "output_config.format",
    "media": "messages",
}


def _params(body: Mapping[str, Any], segments: tuple[Segment, ...]) -> dict[str, Param]:
    """The parameters that the cache depends on; one that states its default counts as left out."""
    params: dict[str, Param] = {}

    def note(kind: str, value: object, *defaults: object) -> None:
        if value is not None and value not in defaults:
            params[kind] = Param(_NAMES[kind], dump(value))

    note("tool_choice", body.get("tool_choice"), {"type": "auto"})
    note("thinking", body.get("thinking"), {"type": "disabled"})
    note("speed", body.get("speed"), "standard")
    images = [s.path for s in segments if s.kind == "media" and '"type":"image"' in s.text]
    if images:
        # With any image in the messages they are cached apart from those without.
        params["media"] = Param(images[0], "true")
    output = as_mapping(body.get("output_config"))
    note("effort", output.get("effort"), "high")
    note("text_format", output.get("format"))
    return params
