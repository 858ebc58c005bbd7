"""Prompts as several kinds of application make them, rendered for each API, with the path that each part has there.

Knows the APIs and nothing of the analysis.
"""

import copy
import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

JSON = dict[str, Any]

CLAUDE, OLDER, NEWER = "claude-sonnet-4-5", "gpt-4.1", "gpt-5.6"


class Shape(NamedTuple):
    """An API and a model, and how an application writes to them."""

    name: str
    api: str
    model: str
    marks: bool = True
    """Whether it puts markers where its provider wants them."""

    @property
    def claude(self) -> bool:
        return self.api == "messages"


SHAPES = (
    Shape("claude", "messages", CLAUDE),
    Shape("chat older", "chat.completions", OLDER),
    Shape("chat newer", "chat.completions", NEWER),
    Shape("responses older", "responses", OLDER),
    Shape("responses newer", "responses", NEWER),
)
SHAPE = {shape.name: shape for shape in SHAPES}


class Part(NamedTuple):
    """A part of a turn: `text`, `image`, `call`, `result` or `thinking`, with its text (or data, or arguments)."""

    kind: str
    text: str = ""
    id: str = ""
    name: str = ""


@dataclass
class Turn:
    role: str
    parts: list[Part]


def said(role: str, *texts: str) -> Turn:
    return Turn(role, [Part("text", text) for text in texts])


def called(*calls: tuple[str, str, JSON], before: str = "") -> Turn:
    """An assistant's turn that calls tools: id, name and arguments of each."""
    parts = [Part("text", before)] if before else []
    return Turn("assistant", parts + [Part("call", json.dumps(args), id_, name) for id_, name, args in calls])


def results(*rows: tuple[str, str]) -> Turn:
    """What the tools answered: id of the call and text of each."""
    return Turn("user", [Part("result", text, id_) for id_, text in rows])


@dataclass
class Talk:
    """One request to come, before it is written for an API."""

    shape: Shape
    system: list[str]
    tools: list[JSON] = field(default_factory=list[JSON])
    turns: list[Turn] = field(default_factory=list[Turn])
    marked_turns: tuple[int, ...] = (-1,)
    mark_tools: bool = False
    mark_system: bool = True
    mark_parts: bool = False
    """Whether each part of the user's turns carries a marker (OpenAI)."""
    ttl: str | None = None
    wording: int = 0
    """Which of several wordings a plan uses for this prompt."""
    more: JSON = field(default_factory=dict[str, Any])

    def copy(self) -> "Talk":
        return copy.deepcopy(self)

    # -- paths

    def tool_path(self, i: int) -> str:
        return f"tools[{i}]"

    def system_path(self, i: int = 0) -> str:
        if self.shape.claude:
            return f"system[{i}]"
        root = "messages[0]" if self.shape.api == "chat.completions" else "input[0]"
        return root if self._plain_system() else f"{root}.content[{i}]"

    def turn_path(self, n: int, part: int = 0) -> str:
        """Path of a part of a turn. A call has one of its own in each API."""
        turns = self.turns
        n %= len(turns)
        if self.shape.claude:
            return f"messages[{n}].content[{part}]"
        position = 1 if self.system else 0
        for turn in turns[:n]:
            position += len(self._items(turn))
        turn = turns[n]
        kind = turn.parts[part].kind
        if self.shape.api == "responses":
            return f"input[{position + self._item_of(turn, part)}]" + self._inner(turn, part, plain=False)
        if kind == "result":
            return f"messages[{position + part}]"
        if kind == "call":
            calls = [i for i, p in enumerate(turn.parts) if p.kind == "call"]
            return f"messages[{position}].tool_calls[{calls.index(part)}]"
        return f"messages[{position}]" + self._inner(turn, part, plain=True)

    def _inner(self, turn: Turn, part: int, *, plain: bool) -> str:
        texts = [i for i, p in enumerate(turn.parts) if p.kind in {"text", "image"}]
        if part not in texts or (plain and self._plain(turn)):
            return ""
        return f".content[{texts.index(part)}]"

    def _item_of(self, turn: Turn, part: int) -> int:
        """Which of a turn's Responses items a part is in: its texts are one message, everything else is an item."""
        if turn.parts[part].kind in {"text", "image"}:
            return 0
        others = [i for i, p in enumerate(turn.parts) if p.kind not in {"text", "image"}]
        return others.index(part) + (len(others) < len(turn.parts))

    def _plain(self, turn: Turn) -> bool:
        return len(turn.parts) <= 1 or all(p.kind not in {"image", "text"} for p in turn.parts[1:])

    def _plain_system(self) -> bool:
        return len(self.system) == 1 and not self._marks_system()

    def _marks_system(self) -> bool:
        return self.shape.marks and self.mark_system and self.shape.model != OLDER

    # -- bodies

    def body(self) -> JSON:
        made = self._claude() if self.shape.claude else self._openai()
        return copy.deepcopy(made | self.more)

    def _claude(self) -> JSON:
        system: list[JSON] = [{"type": "text", "text": text} for text in self.system]
        messages: list[JSON] = [{"role": t.role, "content": [_block(p) for p in t.parts]} for t in self.turns]
        tools = [{"name": t["name"], "description": t["description"], "input_schema": t["schema"]} for t in self.tools]
        marker = {"type": "ephemeral"} | ({"ttl": self.ttl} if self.ttl else {})
        if self.shape.marks:
            if system and self.mark_system:
                system[-1]["cache_control"] = marker
            if tools and self.mark_tools:
                tools[-1]["cache_control"] = marker
            for n in self.marked_turns:
                if -len(messages) <= n < len(messages):
                    messages[n]["content"][-1]["cache_control"] = marker
        made: JSON = {"model": self.shape.model, "max_tokens": 64, "messages": messages}
        if system:
            made["system"] = system
        return made | ({"tools": tools} if tools else {})

    def _openai(self) -> JSON:
        chat = self.shape.api == "chat.completions"
        items: list[JSON] = []
        if self.system:
            kind = "text" if chat else "input_text"
            content: Any = [{"type": kind, "text": text} for text in self.system]
            if self._marks_system():
                content[-1]["prompt_cache_breakpoint"] = {"mode": "explicit"}
            items.append({"role": "developer", "content": self.system[0] if self._plain_system() else content})
        for turn in self.turns:
            items += self._items(turn)
        tools: list[JSON] = []
        for tool in self.tools:
            given = {"name": tool["name"], "description": tool["description"], "parameters": tool["schema"]}
            tools.append({"type": "function", "function": given} if chat else {"type": "function", **given})
        made: JSON = {"model": self.shape.model, "messages" if chat else "input": items}
        return made | ({"tools": tools} if tools else {})

    def _items(self, turn: Turn) -> list[JSON]:
        chat = self.shape.api == "chat.completions"
        content = [_piece(p, turn.role, chat=chat) for p in turn.parts if p.kind in {"text", "image"}]
        if self.mark_parts and turn.role == "user":
            content = [part | {"prompt_cache_breakpoint": {"mode": "explicit"}} for part in content]
        calls = [p for p in turn.parts if p.kind == "call"]
        answers = [p for p in turn.parts if p.kind == "result"]
        if chat:
            made: list[JSON] = [{"role": "tool", "tool_call_id": p.id, "content": p.text} for p in answers]
            if content or calls:
                plain: Any = content[0]["text"] if content and self._plain(turn) else content or None
                message: JSON = {"role": turn.role, "content": plain}
                if calls:
                    function = [{"name": p.name, "arguments": p.text} for p in calls]
                    message["tool_calls"] = [
                        {"id": p.id, "type": "function", "function": f} for p, f in zip(calls, function, strict=True)
                    ]
                made.append(message)
            return made
        made = [{"type": "message", "role": turn.role, "content": content}] if content else []
        made += [{"type": "function_call", "call_id": p.id, "name": p.name, "arguments": p.text} for p in calls]
        return made + [{"type": "function_call_output", "call_id": p.id, "output": p.text} for p in answers]


def _block(part: Part) -> JSON:
    match part.kind:
        case "image":
            source = {"type": "base64", "media_type": "image/png", "data": part.text}
            return {"type": "image", "source": source}
        case "call":
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": json.loads(part.text)}
        case "result":
            return {"type": "tool_result", "tool_use_id": part.id, "content": part.text}
        case "thinking":
            return {"type": "thinking", "thinking": part.text, "signature": part.id}
        case _:
            return {"type": "text", "text": part.text}


def _piece(part: Part, role: str, *, chat: bool) -> JSON:
    if part.kind == "image":
        url = f"data:image/png;base64,{part.text}"
        return {"type": "image_url", "image_url": {"url": url}} if chat else {"type": "input_image", "image_url": url}
    kind = "text" if chat else "output_text" if role == "assistant" else "input_text"
    return {"type": kind, "text": part.text}
