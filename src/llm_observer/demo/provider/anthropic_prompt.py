"""Anthropic request bodies as the blocks that the model is shown: tools, then system, then messages.

What a parameter changes is kept apart from the blocks, by the level of the cache that it invalidates.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from llm_observer.demo.provider.tokens import media_tokens, tokenize
from llm_observer.demo.provider.wire import JSON, BadRequestError, as_dict, as_list, compact

__all__ = ["LEVELS", "Block", "Level", "Prompt", "messages_prompt"]

Level = Literal["tools", "system", "messages"]
LEVELS: tuple[Level, ...] = ("tools", "system", "messages")

_MAX_MARKERS = 4
_MEDIA = frozenset({"image", "document"})
_UNMARKABLE = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class Block:
    """One content block.

    Attributes:
        level: The level of the cache that it belongs to.
        kind: Its `type`.
        tokens: As shown to the model.
        ttl: What its `cache_control` asks for: `5m`, `1h`, or `None` without one.
        markable: Whether it can carry a cache marker.
    """

    level: Level
    kind: str
    tokens: tuple[str, ...]
    ttl: str | None = None
    markable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What of a request decides about its cache. `settings` holds, for each level, what invalidates it."""

    model: str
    blocks: tuple[Block, ...]
    settings: dict[Level, str]


def messages_prompt(body: JSON) -> Prompt:
    """The prompt of a `POST /v1/messages` body.

    Raises:
        BadRequestError: More than four cache markers, a short-lived marker before a long-lived one, or an automatic
            marker that has no place.
    """
    if not as_list(body.get("messages")):
        raise BadRequestError("messages: at least one message is required")
    blocks = _automatic(body, [*_tools(body), *_system(body), *_messages(body)])
    lifetimes = [block.ttl for block in blocks if block.ttl is not None]
    if len(lifetimes) > _MAX_MARKERS:
        raise BadRequestError(f"A maximum of 4 blocks with cache_control may be provided. Found {len(lifetimes)}.")
    if "5m" in lifetimes and "1h" in lifetimes[lifetimes.index("5m") :]:
        raise BadRequestError("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.")
    return Prompt(model=str(body.get("model", "")), blocks=tuple(blocks), settings=_settings(body, blocks))


def _settings(body: JSON, blocks: list[Block]) -> dict[Level, str]:
    """The parameters by the first level that they invalidate, an explicit default as if it were left out.

    Thinking and effort are counted to the messages, where every model has them; some models also invalidate the
    levels above. So is the output format, which the documentation counts to the conversation.
    """
    output = as_dict(body.get("output_config"))
    effort, thinking, choice = output.get("effort"), body.get("thinking"), body.get("tool_choice")
    speed = body.get("speed")
    server_tools = [as_dict(tool).get("type") for tool in as_list(body.get("tools")) if _changes_system(as_dict(tool))]
    return {
        "tools": "",
        "system": compact([None if speed == "standard" else speed, server_tools, _cites(body)]),
        "messages": compact(
            [
                None if choice == {"type": "auto"} else choice,
                None if thinking == {"type": "disabled"} else thinking,
                None if effort == "high" else effort,
                output.get("format"),
                any(block.kind == "image" for block in blocks),
            ]
        ),
    }


def _changes_system(tool: JSON) -> bool:
    """Web search is switched on by a change of the system prompt, not by a tool definition."""
    return str(tool.get("type") or "").startswith("web_search")


def _cites(body: JSON) -> bool:
    contents = [as_list(as_dict(message).get("content")) for message in as_list(body.get("messages"))]
    return any(as_dict(as_dict(part).get("citations")).get("enabled") for parts in contents for part in parts)


def _tools(body: JSON) -> Iterator[Block]:
    for tool in map(as_dict, as_list(body.get("tools"))):
        if not tool.get("defer_loading") and not _changes_system(tool):
            yield Block("tools", "tool", tokenize(compact(_unmarked(tool))), _ttl(tool))


def _system(body: JSON) -> Iterator[Block]:
    system = body.get("system")
    parts = [{"type": "text", "text": system}] if isinstance(system, str) and system else as_list(system)
    for part in map(as_dict, parts):
        yield _block("system", part, ())


def _messages(body: JSON) -> Iterator[Block]:
    speaker = ""
    for message in map(as_dict, as_list(body.get("messages"))):
        role, content = str(message.get("role", "")), message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else as_list(content)
        for part in map(as_dict, parts):
            # Consecutive turns of one role are one turn.
            yield _block("messages", part, () if role == speaker else (f"<|{role}|>",))
            speaker = role


def _block(level: Level, part: JSON, header: tuple[str, ...]) -> Block:
    kind = str(part.get("type", "text"))
    bare = _unmarked(part)
    if kind == "text":
        tokens = tokenize(str(part.get("text", "")))
    elif kind in _MEDIA:
        tokens = media_tokens(compact(bare.get("source")))
    elif kind == "tool_result":
        tokens = _result(bare)
    else:
        tokens = tokenize(compact(bare))
    markable = kind not in _UNMARKABLE and bool(tokens)
    ttl = _ttl(part)
    if ttl is not None and not markable:
        raise BadRequestError("cache_control cannot be set for empty text blocks or thinking blocks")
    return Block(level, kind, header + tokens, ttl, markable)


def _result(part: JSON) -> tuple[str, ...]:
    """A tool's result: its id, then its text or parts."""
    content = part.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else as_list(content)
    tokens = tokenize(str(part.get("tool_use_id", "")) + ("!" if part.get("is_error") else ""))
    for inner in map(as_dict, parts):
        tokens += _block("messages", inner, ()).tokens
    return tokens


def _unmarked(part: JSON) -> JSON:
    return {name: value for name, value in part.items() if name != "cache_control"}


def _ttl(part: JSON) -> str | None:
    control = as_dict(part.get("cache_control"))
    if not control:
        return None
    ttl = str(control.get("ttl") or "5m")
    if ttl not in {"5m", "1h"}:
        raise BadRequestError("cache_control.ttl: Input should be '5m' or '1h'")
    return ttl


def _automatic(body: JSON, blocks: list[Block]) -> list[Block]:
    """The blocks with the marker that a top-level `cache_control` puts on the last one that can take it."""
    ttl = _ttl(body)
    place = next((n for n in reversed(range(len(blocks))) if blocks[n].markable), None)
    if ttl is None or place is None:
        return blocks
    marked = blocks[place].ttl
    if marked is not None and marked != ttl:
        raise BadRequestError("cache_control: the last block already has a cache_control with another ttl")
    if marked is None and sum(block.ttl is not None for block in blocks) >= _MAX_MARKERS:
        raise BadRequestError("cache_control: no slot is left for automatic caching")
    blocks[place] = replace(blocks[place], ttl=ttl)
    return blocks
