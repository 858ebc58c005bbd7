"""OpenAI request bodies as the blocks that the model is shown, in the order of the prompt-caching guide.

Tools come first, then developer text, then the conversation. The request's own settings that the guide counts to the
prefix (format, effort, verbosity, parallel tool calls) stand before all of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from llm_observer.demo.provider.tokens import media_tokens, tokenize
from llm_observer.demo.provider.wire import JSON, BadRequestError, as_dict, as_list, compact

__all__ = ["Block", "Prompt", "chat_prompt", "responses_prompt"]

_DEVELOPER = frozenset({"developer", "system"})
_MEDIA = frozenset({"image_url", "input_image", "input_audio", "file", "input_file", "computer_screenshot"})

_RETENTIONS = frozenset({None, "in_memory", "24h"})
_TTLS_CHAT, _TTLS_RESPONSES = frozenset({"30m"}), frozenset({"30m", "12h"})

_Kind = Literal["tool", "developer", "user", "assistant", "result", "other"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the prompt at whose end a cache boundary can lie.

    Attributes:
        tokens: As shown to the model.
        explicit: It carries `prompt_cache_breakpoint`.
        ending: An eligible message ends here: of the user, the last of a run of tool results, or the last of the
            developer messages that open the conversation.
        opening: The developer messages that open the conversation end here.
    """

    tokens: tuple[str, ...]
    explicit: bool = False
    ending: bool = False
    opening: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What of a request decides about its cache."""

    model: str
    blocks: tuple[Block, ...]
    settings: str = ""
    key: str = ""
    tier: str = "default"
    explicit_only: bool = False
    ttl: str = "30m"
    retention: str | None = None


@dataclass(slots=True)
class _Message:
    kind: _Kind
    parts: list[tuple[tuple[str, ...], bool]]
    """Tokens of each content block, and whether it is marked."""


def chat_prompt(body: JSON) -> Prompt:
    """The prompt of a `POST /v1/chat/completions` body."""
    messages = [_chat_message(as_dict(message)) for message in as_list(body.get("messages"))]
    if not messages:
        raise BadRequestError("Invalid 'messages': expected at least one message.")
    settings: list[object] = [
        body.get("parallel_tool_calls", True),
        body.get("response_format"),
        body.get("reasoning_effort"),
        body.get("verbosity") or "medium",
    ]
    return _prompt(body, messages, settings, _TTLS_CHAT)


def responses_prompt(body: JSON) -> Prompt:
    """The prompt of a `POST /v1/responses` body."""
    if body.get("previous_response_id"):
        raise BadRequestError("previous_response_id: this provider keeps no responses; send the whole input.")
    messages: list[_Message] = []
    if body.get("instructions"):
        messages.append(_Message("developer", [(_header("developer") + tokenize(str(body["instructions"])), False)]))
    given = body.get("input")
    items: list[object] = [{"role": "user", "content": given}] if isinstance(given, str) else as_list(given)
    if not items:
        raise BadRequestError("Missing required parameter: 'input'.")
    messages += [_response_item(as_dict(item)) for item in items]
    text = as_dict(body.get("text"))
    settings: list[object] = [
        body.get("parallel_tool_calls", True),
        text.get("format"),
        as_dict(body.get("reasoning")).get("effort"),
        text.get("verbosity") or "medium",
    ]
    return _prompt(body, messages, settings, _TTLS_RESPONSES)


def _prompt(body: JSON, messages: list[_Message], settings: list[object], ttls: frozenset[str]) -> Prompt:
    options = as_dict(body.get("prompt_cache_options"))
    ttl = str(options.get("ttl") or "30m")
    if ttl not in ttls:
        raise BadRequestError("Invalid value for 'prompt_cache_options.ttl'.")
    if body.get("prompt_cache_retention") not in _RETENTIONS:
        raise BadRequestError("Invalid value for 'prompt_cache_retention'.")
    tier = body.get("service_tier") or "default"
    return Prompt(
        model=str(body.get("model", "")),
        blocks=(*_tools(body), *_blocks(messages)),
        settings=compact(settings),
        key=str(body.get("prompt_cache_key") or ""),
        tier="default" if tier == "auto" else str(tier),
        explicit_only=options.get("mode") == "explicit",
        ttl=ttl,
        retention=body.get("prompt_cache_retention"),
    )


def _tools(body: JSON) -> Iterator[Block]:
    for tool in as_list(body.get("tools")):
        if not as_dict(tool).get("defer_loading"):
            yield Block((*_header("tool"), *tokenize(compact(tool))))


def _blocks(messages: list[_Message]) -> Iterator[Block]:
    kinds: list[_Kind] = [message.kind for message in messages]
    opening = next((n for n, kind in enumerate(kinds) if kind != "developer"), len(kinds)) - 1
    ends_run = [a != b for a, b in pairwise([*kinds, "other"])]
    for n, message in enumerate(messages):
        eligible = message.kind == "user" or (message.kind == "result" and ends_run[n]) or n == opening
        for m, (tokens, explicit) in enumerate(message.parts):
            last = m == len(message.parts) - 1
            yield Block(tokens, explicit=explicit, ending=eligible and last, opening=n == opening and last)


def _header(role: str) -> tuple[str, ...]:
    return ("<|start|>", role, "<|message|>")


def _chat_message(message: JSON) -> _Message:
    role = str(message.get("role", ""))
    kind: _Kind = (
        "developer" if role in _DEVELOPER else "result" if role == "tool" else "user" if role == "user" else "assistant"
    )
    header = _header(role) + tokenize(str(message.get("tool_call_id") or ""))
    parts = _parts(message.get("content"), header, markable=kind != "assistant")
    calls = "".join(compact(as_dict(call).get("function")) for call in as_list(message.get("tool_calls")))
    if calls:
        parts.append((tokenize(calls), False))
    return _Message(kind, parts)


def _response_item(item: JSON) -> _Message:
    kind = str(item.get("type") or "message")
    if kind == "message":
        role = str(item.get("role", "user"))
        said: _Kind = "developer" if role in _DEVELOPER else "user" if role == "user" else "assistant"
        return _Message(said, _parts(item.get("content"), _header(role), markable=said != "assistant"))
    if kind.endswith("_output"):
        header = _header("tool") + tokenize(str(item.get("call_id") or ""))
        return _Message("result", _parts(item.get("output"), header, markable=True))
    if kind.endswith("_call"):
        call = {"name": item.get("name"), "arguments": item.get("arguments")}
        return _Message("assistant", [(_header("assistant") + tokenize(compact(call)), False)])
    return _Message("other", [(_header(kind) + tokenize(compact(item)), False)])


def _parts(content: object, header: tuple[str, ...], *, markable: bool) -> list[tuple[tuple[str, ...], bool]]:
    """The content blocks; the message's header goes with the first."""
    blocks = [as_dict(part) for part in as_list(content)]
    if not blocks:
        return [(header + tokenize(content if isinstance(content, str) else ""), False)]
    parts: list[tuple[tuple[str, ...], bool]] = []
    for n, block in enumerate(blocks):
        if block.get("type") in _MEDIA:
            unmarked = {name: value for name, value in block.items() if name != "prompt_cache_breakpoint"}
            tokens = media_tokens(compact(unmarked))
        else:
            tokens = tokenize(str(block.get("text") or ""))
        parts.append((tokens if n else header + tokens, markable and "prompt_cache_breakpoint" in block))
    return parts
