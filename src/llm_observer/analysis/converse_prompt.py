"""The prompt of a request to Bedrock's Converse, as Claude gets it: tools, system, messages; cache points are markers.

The source of the names is botocore's model of the service (1.44).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llm_observer.analysis.jsons import as_list, as_mapping, as_text, dump
from llm_observer.analysis.segments import Kind, Param, Prompt, Segment

__all__ = ["is_converse", "read_converse"]

_POINT = "cachePoint"
_KINDS: Mapping[str, Kind] = {
    "toolUse": "tool_use",
    "toolResult": "tool_result",
    "reasoningContent": "thinking",
    "image": "media",
    "document": "media",
    "video": "media",
    "audio": "media",
}
_BLOCKS = frozenset({"text", "guardContent", "citationsContent", "searchResult", _POINT, *_KINDS})
_READ_AS_CLAUDE = "claude"
"""In the id of a model whose cache is read and written at cache points alone."""
_NAMES: Mapping[str, str] = {
    "tool_choice": "toolConfig.toolChoice",
    "thinking": "additionalModelRequestFields.thinking",
    "effort": "additionalModelRequestFields.output_config.effort",
    "media": "messages",
}


def is_converse(body: Mapping[str, Any]) -> bool:
    """Whether a body with messages has Converse's blocks, which are named by their key, and not Anthropic's."""
    contents = [body.get("system"), *(as_mapping(message).get("content") for message in as_list(body.get("messages")))]
    blocks = (as_mapping(block) for content in contents for block in as_list(content))
    return any("type" not in block and not _BLOCKS.isdisjoint(block) for block in blocks)


def read_converse(body: Mapping[str, Any]) -> Prompt:
    """The prompt of a Converse request. Never raises: a block of another shape than documented is read as JSON.

    Of another model than Claude it is not known where its cache has boundaries besides.
    """
    config = as_mapping(body.get("toolConfig"))
    head = [*_marked(_tools(config)), *_marked(_blocks("system", "system", "system", body.get("system")))]
    segments = list(head)
    for i, message in enumerate(as_list(body.get("messages"))):
        described = as_mapping(message)
        role = as_text(described.get("role")) or "user"
        kind: Kind = "assistant" if role == "assistant" else "user"
        found = list(_marked(_blocks(f"messages[{i}].content", kind, role, described.get("content"))))
        if found:
            found[-1] = found[-1]._replace(message_end=True)
        segments += found
    return Prompt(
        segments=tuple(segments),
        head=len(head),
        params=_params(body, config, segments),
        names=_NAMES,
        counted=not body.get("promptVariables"),
        as_sent=_READ_AS_CLAUDE in as_text(body.get("modelId")).lower(),
    )


def _tools(config: Mapping[str, Any]) -> Iterator[Segment | str]:
    """The tools, and the lifetime of each cache point between them."""
    for i, tool in enumerate(as_list(config.get("tools"))):
        described = as_mapping(tool)
        if _POINT in described:
            yield _lifetime(described)
            continue
        name = as_text(as_mapping(described.get("toolSpec")).get("name"))
        yield Segment(f"toolConfig.tools[{i}]", "tool", dump(tool), is_json=True, name=name)


def _blocks(path: str, kind: Kind, role: str, content: object) -> Iterator[Segment | str]:
    """The blocks of a content, likewise."""
    for j, block in enumerate(as_list(content)):
        described = as_mapping(block)
        where = f"{path}[{j}]"
        if _POINT in described:
            yield _lifetime(described)
        elif isinstance(described.get("text"), str) and len(described) == 1:
            yield Segment(where, kind, described["text"], role=role)
        else:
            own: list[Kind] = [_KINDS[name] for name in described if name in _KINDS]
            yield Segment(where, own[0] if own else kind, dump(block), is_json=True, role=role)


def _lifetime(block: Mapping[str, Any]) -> str:
    return as_text(as_mapping(block.get(_POINT)).get("ttl")) or "default"


def _marked(parts: Iterable[Segment | str]) -> list[Segment]:
    """The segments, those ahead of a cache point with its lifetime."""
    found: list[Segment] = []
    for part in parts:
        if isinstance(part, Segment):
            found.append(part)
        elif found:
            found[-1] = found[-1]._replace(marker=part)
    return found


def _params(body: Mapping[str, Any], config: Mapping[str, Any], segments: Iterable[Segment]) -> dict[str, Param]:
    """The parameters that Claude's cache depends on; one that states its default counts as left out."""
    params: dict[str, Param] = {}

    def note(kind: str, value: object, *defaults: object) -> None:
        if value is not None and value not in defaults:
            params[kind] = Param(_NAMES[kind], dump(value))

    more = as_mapping(body.get("additionalModelRequestFields"))
    note("tool_choice", config.get("toolChoice"), {"auto": {}})
    note("thinking", more.get("thinking"), {"type": "disabled"})
    note("effort", as_mapping(more.get("output_config")).get("effort"), "high")
    images = [s.path for s in segments if s.kind == "media" and s.text.startswith('{"image":')]
    if images:
        params["media"] = Param(images[0], "true")
    return params
