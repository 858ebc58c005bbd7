"""The prompt of an OpenAI request. Render order: tools, instructions, messages (OpenAI, "Prompt caching")."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from llm_observer.analysis.jsons import as_list, as_mapping, as_text, dump, dump_without
from llm_observer.analysis.segments import Kind, Param, Prompt, Segment

__all__ = ["read_chat", "read_responses", "read_text"]

_MARKER = "prompt_cache_breakpoint"
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_MEDIA_PARTS = frozenset({"image_url", "input_image", "input_audio", "file", "input_file", "computer_screenshot"})
_ROLES: Mapping[str, Kind] = {
    "system": "system",
    "developer": "system",
    "assistant": "assistant",
    "tool": "tool_result",
    "function": "tool_result",
}
_ITEMS: Mapping[str, Kind] = {
    "function_call": "tool_use",
    "custom_tool_call": "tool_use",
    "function_call_output": "tool_result",
    "custom_tool_call_output": "tool_result",
    "computer_call_output": "tool_result",
    "reasoning": "thinking",
}
_OWN_TOOLS = frozenset(
    {"function", "custom", "namespace", "computer", "computer_use_preview", "local_shell", "apply_patch"}
)
"""The types of tools that the application runs."""
_SEARCHES = ("web_search_options", "search_parameters", "plugins")
"""Parameters by which a search or another extension adds to the prompt: OpenAI's, xAI's, OpenRouter's."""
_KEPT = ("previous_response_id", "conversation", "prompt")
"""Parameters that name a part of the prompt which the provider keeps."""


def read_chat(body: Mapping[str, Any]) -> Prompt:
    """The prompt of a Chat Completions request body. Never raises."""
    tools = list(_tools(body))
    messages: list[Segment] = []
    for i, message in enumerate(as_list(body.get("messages"))):
        plain = _plain_message(i, message)
        if plain is not None:
            messages.append(plain)
        else:
            messages += _message(f"messages[{i}]", message)
    counted = _runs_no_tools(body) and not any(body.get(name) for name in _SEARCHES)
    return _prompt(body, tools, messages, _CHAT_NAMES, counted=counted)


def read_responses(body: Mapping[str, Any]) -> Prompt:
    """The prompt of a Responses request body, as far as it is in the request. Never raises."""
    tools = list(_tools(body))
    messages: list[Segment] = []
    instructions = as_text(body.get("instructions"))
    if instructions:
        messages.append(Segment("instructions", "system", instructions, role="developer", message_end=True))
    leads = len(messages)
    items = body.get("input")
    if isinstance(items, str):
        messages.append(Segment("input", "user", items, role="user", message_end=True))
    for i, item in enumerate(as_list(items)):
        messages += _item(f"input[{i}]", item)
    kept = {name: body[name] for name in _KEPT if body.get(name)}
    if kept:
        # What stands behind a part that is not here is like an earlier message only where that part is the same.
        after = f" after {dump(kept)}"
        messages[leads:] = [segment._replace(role=segment.role + after) for segment in messages[leads:]]
        return _prompt(body, tools, messages, _RESPONSES_NAMES, leads=leads, counted=False, kept=_kept(body))
    counted = _runs_no_tools(body) and not body.get("context_management") and "item_reference" not in _kinds(items)
    return _prompt(body, tools, messages, _RESPONSES_NAMES, counted=counted)


def _runs_no_tools(body: Mapping[str, Any]) -> bool:
    """Whether every tool is one that the application runs: of the provider's own, each run's input is counted."""
    return _kinds(body.get("tools")) <= _OWN_TOOLS


def _kinds(items: object) -> set[str]:
    return {kind for item in as_list(items) if (kind := as_text(as_mapping(item).get("type")))}


def read_text(body: Mapping[str, Any]) -> Prompt:
    """The prompt of a legacy completion or an embedding: its text. Never raises."""
    value = body.get("prompt", body.get("input"))
    name = "prompt" if "prompt" in body else "input"
    if isinstance(value, str):
        return Prompt(segments=(Segment(name, "user", value, role="user", message_end=True),), head=0)
    return Prompt(
        segments=tuple(
            Segment(f"{name}[{i}]", "user", item, role="user", message_end=True)
            if isinstance(item, str)
            else Segment(f"{name}[{i}]", "user", dump(item), is_json=True, role="user", message_end=True)
            for i, item in enumerate(as_list(value))
        ),
        head=0,
    )


def _prompt(
    body: Mapping[str, Any],
    tools: list[Segment],
    messages: list[Segment],
    names: Mapping[str, str],
    *,
    leads: int | None = None,
    counted: bool,
    kept: str | None = None,
) -> Prompt:
    """The prompt, of whose messages at most the first `leads` are part of its head."""
    most = len(messages) if leads is None else leads
    leading = 0
    while leading < most and messages[leading].kind == "system":
        leading += 1
    options = as_mapping(body.get("prompt_cache_options"))
    return Prompt(
        segments=(*tools, *messages),
        head=len(tools) + leading,
        params=_params(body, names),
        names=names,
        automatic=as_text(options.get("ttl")) or "default",
        implicit=options.get("mode") != "explicit",
        counted=counted,
        kept=kept,
        compared=as_text(options.get("comparison_response_id")) or None,
    )


def _kept(body: Mapping[str, Any]) -> str | None:
    """The name of the conversation that is gone on with, or of the response; `None` where more is behind it."""
    if body.get("prompt") or body.get("context_management") or not _runs_no_tools(body):
        return None
    before, talk = body.get("previous_response_id"), body.get("conversation")
    return as_text(before) or as_text(as_mapping(talk).get("id")) or as_text(talk) or None


def _tools(body: Mapping[str, Any]) -> Iterator[Segment]:
    tools, key = body.get("tools"), "tools"
    if not tools:
        tools, key = body.get("functions"), "functions"
    for i, tool in enumerate(as_list(tools)):
        described = as_mapping(tool)
        named = as_mapping(described.get("function")) or as_mapping(described.get("custom")) or described
        name = as_text(named.get("name")) or as_text(described.get("type"))
        yield Segment(f"{key}[{i}]", "tool", dump(tool), is_json=True, name=name)


def _plain_message(i: int, message: Any) -> Segment | None:
    """A message that is a role and a text, as most are: in a third of the time."""
    if type(message) is not dict or len(cast("dict[str, Any]", message)) != len(("role", "content")):
        return None
    role, content = cast("dict[str, Any]", message).get("role"), cast("dict[str, Any]", message).get("content")
    if not role or type(role) is not str or type(content) is not str:
        return None
    return Segment(f"messages[{i}]", _ROLES.get(role, "user"), content, False, "", role, True)


def _message(path: str, message: object) -> Iterator[Segment]:
    described = as_mapping(message)
    role = as_text(described.get("role")) or "user"
    kind = _ROLES.get(role, "user")
    found = list(_content(path, kind, role, described.get("content")))
    found += [
        Segment(f"{path}.tool_calls[{j}]", "tool_use", dump(call), is_json=True, role=role)
        for j, call in enumerate(as_list(described.get("tool_calls")))
    ]
    # What else a message says (a name, the id of the tool call that it answers) is rendered with it.
    rest = {
        name: value
        for name, value in described.items()
        if name not in {"role", "content", "tool_calls"} and value is not None
    }
    if rest and found:
        last = found[-1]
        found[-1] = last._replace(role=f"{last.role} {dump(rest)}")
    elif rest:
        found.append(Segment(path, "other", dump(rest), is_json=True, role=role))
    if found:
        found[-1] = found[-1]._replace(message_end=True)
    yield from found


def _item(path: str, item: object) -> Iterator[Segment]:
    described = as_mapping(item)
    kind_of_item = as_text(described.get("type")) or "message"
    if kind_of_item == "message":
        yield from _message(path, {name: value for name, value in described.items() if name not in _ITEM_NOISE})
        return
    kind = _ITEMS.get(kind_of_item, "other")
    marker = _marker_within(described)
    text = dump_without(item, _MARKER)
    yield Segment(path, kind, text, is_json=True, role=kind_of_item, message_end=True, marker=marker)


_ITEM_NOISE = frozenset({"type", "id", "status"})
"""What a replayed message carries of the response that it came from; the model does not see it."""


def _content(path: str, kind: Kind, role: str, content: object) -> Iterator[Segment]:
    if isinstance(content, str):
        yield Segment(path, kind, content, role=role)
        return
    for j, part in enumerate(as_list(content)):
        described = as_mapping(part)
        marker = _ttl(described.get(_MARKER))
        where = f"{path}.content[{j}]"
        kind_of_part = as_text(described.get("type"))
        if kind_of_part in _TEXT_PARTS and isinstance(described.get("text"), str):
            yield Segment(where, kind, described["text"], role=role, marker=marker)
        else:
            text = dump_without(part, _MARKER)
            media = kind_of_part in _MEDIA_PARTS
            yield Segment(where, "media" if media else kind, text, is_json=True, role=role, marker=marker)


def _ttl(marker: object) -> str | None:
    described = as_mapping(marker)
    return (as_text(described.get("ttl")) or "default") if described else None


def _marker_within(item: Mapping[str, Any]) -> str | None:
    """The marker on the last marked part of an item's output."""
    found: str | None = None
    for part in as_list(item.get("output")):
        found = _ttl(as_mapping(part).get(_MARKER)) or found
    return found


_CHAT_NAMES: Mapping[str, str] = {
    "cache_key": "prompt_cache_key",
    "service_tier": "service_tier",
    "effort": "reasoning_effort",
    "text_format": "response_format",
    "verbosity": "verbosity",
    "parallel_tool_calls": "parallel_tool_calls",
}
_RESPONSES_NAMES: Mapping[str, str] = _CHAT_NAMES | {
    "effort": "reasoning.effort",
    "text_format": "text.format",
    "verbosity": "text.verbosity",
}
_DEFAULTS: Mapping[str, tuple[object, ...]] = {
    "service_tier": ("auto", "default"),
    "text_format": ({"type": "text"},),
    "verbosity": ("medium",),
    "parallel_tool_calls": (True,),
}
"""Values that mean the same as leaving a parameter out."""


def _params(body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Param]:
    """The parameters that were given another value than the default."""
    found: dict[str, Param] = {}
    for kind, name in names.items():
        outer, _, inner = name.partition(".")
        value = as_mapping(body.get(outer)).get(inner) if inner else body.get(outer)
        if value is not None and value not in _DEFAULTS.get(kind, ()):
            found[kind] = Param(name, dump(value))
    return found
