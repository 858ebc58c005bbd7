"""A generated workload with planted causes. A call is labelled by what was planted, never by the analysis."""

import copy
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]

WORDS = """
order parcel customer refund policy window agent carrier invoice account address warranty delivery
return label status region holiday stock item price receipt method card credit store section rule
answer question promise polite short clear never always before after when until unless check confirm
explain offer escalate record note
""".split()  # noqa: SIM905  read as a text is

CLAUDE, OLDER, NEWER = "claude-sonnet-4-5", "gpt-4.1", "gpt-5.6"
MODELS = (CLAUDE, OLDER, NEWER)


def api_of(model: str) -> str:
    return "messages" if model == CLAUDE else "chat.completions"


class Writer:
    """Writes text, tools and questions that no other writer with another seed writes."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def sentence(self, words: int = 12) -> str:
        return " ".join(self.rng.choice(WORDS) for _ in range(words)).capitalize() + "."

    def text(self, sentences: int) -> str:
        lines = [self.sentence(self.rng.randint(8, 16)) for _ in range(sentences)]
        return "\n".join(" ".join(lines[i : i + 3]) for i in range(0, len(lines), 3))

    def tools(self, n: int, model: str) -> list[JSON]:
        made: list[JSON] = []
        for i in range(n):
            name = f"{self.rng.choice(WORDS)}_{self.rng.choice(WORDS)}_{i}"
            schema: JSON = {
                "type": "object",
                "properties": {
                    w: {"type": "string", "description": self.sentence(10)} for w in self.rng.sample(WORDS, 3)
                },
                "required": [],
            }
            description = self.text(6)
            if model == CLAUDE:
                made.append({"name": name, "description": description, "input_schema": schema})
            else:
                function = {"name": name, "description": description, "parameters": schema}
                made.append({"type": "function", "function": function})
        return made


@dataclass
class Conversation:
    """One conversation as a healthy application has it: static head, marked where its provider wants that."""

    model: str
    writer: Writer
    system: str = ""
    tools: list[JSON] = field(default_factory=list[JSON])
    messages: list[JSON] = field(default_factory=list[JSON])
    marked: bool = True
    more: JSON = field(default_factory=dict[str, Any])

    @classmethod
    def new(cls, model: str, seed: int, *, sentences: int = 150, tools: int = 4) -> "Conversation":
        writer = Writer(seed)
        return cls(model, writer, writer.text(sentences), writer.tools(tools, model))

    def session(self, seed: int) -> "Conversation":
        """Another conversation with the same head."""
        return Conversation(self.model, Writer(seed), self.system, self.tools, [], self.marked, dict(self.more))

    def ask(self, sentences: int = 4) -> None:
        self.messages.append({"role": "user", "content": self.writer.text(sentences)})

    def answer(self, sentences: int = 4) -> None:
        self.messages.append({"role": "assistant", "content": self.writer.text(sentences)})

    def body(self) -> JSON:
        """The request now; nothing in it is shared with the conversation."""
        messages = copy.deepcopy(self.messages)
        if self.model == CLAUDE:
            system: JSON = {"type": "text", "text": self.system}
            if self.marked:
                system["cache_control"] = {"type": "ephemeral"}
                last = messages[-1]
                if isinstance(last["content"], str):
                    block: JSON = {"type": "text", "text": last["content"]}
                    last["content"] = [block]
                last["content"][-1]["cache_control"] = {"type": "ephemeral"}
            made: JSON = {"model": self.model, "max_tokens": 64, "system": [system], "messages": messages}
        else:
            content: Any = self.system
            if self.model == NEWER and self.marked:
                content = [{"type": "text", "text": self.system, "prompt_cache_breakpoint": {"mode": "explicit"}}]
            made = {"model": self.model, "messages": [{"role": "developer", "content": content}, *messages]}
        if self.tools:
            made["tools"] = copy.deepcopy(self.tools)
        return made | copy.deepcopy(self.more)


@dataclass
class Step:
    """One call to make, and what its verdict must be: a cause, `none`, or `None` where nothing is claimed."""

    body: JSON
    cause: str | None = "none"
    location: str | None = None
    after_s: float = 10.0
    causes: frozenset[str] = frozenset()
    spoil: Callable[[JSON], None] | None = None
    """Changes the response, for what no request can plant."""


Plan = Callable[[str, int], Iterator[Step]]


def system_path(model: str) -> str:
    return "system[0]" if model == CLAUDE else "messages[0].content[0]" if model == NEWER else "messages[0]"


def single_turns(
    model: str, seed: int, change: Callable[[Conversation, int, random.Random], None], cause: str, location: str = ""
) -> Iterator[Step]:
    """Calls of one family with a question each; from the second on what `change` planted is to blame."""
    rng = random.Random(seed + 1)
    for i in range(4):
        conversation = Conversation.new(model, seed)
        conversation.ask(3)
        conversation.messages[0]["content"] = f"{Writer(seed * 31 + i).text(3)}"
        change(conversation, i, rng)
        where = location or system_path(model)
        yield Step(conversation.body(), "none" if i == 0 else cause, None if i == 0 else where)


# -- volatile values at the head of the system text


def hexed(rng: random.Random, n: int) -> str:
    return "".join(rng.choice("0123456789abcdef") for _ in range(n))


def mixed(rng: random.Random, n: int) -> str:
    return "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789") for _ in range(n))


def a_uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


VOLATILE: dict[str, Callable[[random.Random, int], str]] = {
    "timestamp": lambda r, i: (
        f"Current time: 2026-11-{r.randint(10, 28)}T{r.randint(10, 23)}:{r.randint(10, 59)}:0{i}Z"
    ),
    "date": lambda r, i: f"Today's date is 2026-{r.randint(1, 9):02d}-{10 + i}.",
    "uuid": lambda r, _: f"Build {a_uuid(r)} of the assistant.",
    "session_id": lambda r, _: f"session_id: {a_uuid(r)}",
    "random_id": lambda r, _: f"Deployment chatcmpl-{mixed(r, 29)} is live.",
    "nonce": lambda r, _: f"nonce: {hexed(r, 32)}",
    "counter": lambda _, i: f"Request number: {i + 17}",
    "temp_path": lambda r, _: f"The workspace is /tmp/tmp{mixed(r, 8).lower()}/work.",
    "volatile_url": lambda r, _: (
        "Logo: https://files.example.com/logo.png"
        f"?X-Amz-Date=20261122T10{r.randint(10, 59)}00Z&X-Amz-Signature={hexed(r, 64)}"
    ),
}


Change = Callable[[Conversation, int, random.Random], None]


def volatile(category: str) -> Change:
    def change(conversation: Conversation, i: int, rng: random.Random) -> None:
        conversation.system = f"{VOLATILE[category](rng, i)}\n{conversation.system}"

    return change


# -- tools, spelling, system


def described(tool: JSON) -> JSON:
    return tool.get("function", tool)


def turn_tools(conversation: Conversation, i: int, _rng: random.Random) -> None:
    conversation.tools = conversation.tools[i:] + conversation.tools[:i]


def vary_tool(conversation: Conversation, i: int, _rng: random.Random) -> None:
    described(conversation.tools[1])["description"] += f" Prefer {WORDS[i]} first."


def turn_keys(conversation: Conversation, i: int, _rng: random.Random) -> None:
    # The last tool is found by its name, so that turning the tools as well leaves it the one.
    tool = max(conversation.tools, key=lambda tool: described(tool)["name"].rpartition("_")[2])
    key = "input_schema" if "input_schema" in tool else "parameters"
    rows = list(described(tool)[key]["properties"].items())
    described(tool)[key]["properties"] = dict(rows[i % 3 :] + rows[: i % 3])


def vary_space(conversation: Conversation, i: int, _rng: random.Random) -> None:
    conversation.system = conversation.system.replace("\n", "\n" + " " * i, 1)


CHANGES: dict[str, tuple[Change, str]] = {
    **{category: (volatile(category), "") for category in VOLATILE},
    "tool_order": (turn_tools, "tools[0]"),
    "tool_schema": (vary_tool, "tools[1]"),
    "json_key_order": (turn_keys, "tools[3]"),
    "whitespace": (vary_space, ""),
}
"""Content and tool causes that can be planted together, with their location when planted alone."""


def planted(*causes: str) -> Plan:
    """The causes planted together; the first in the contract's order is the cause, all are listed."""

    def plan(model: str, seed: int) -> Iterator[Step]:
        def change(conversation: Conversation, i: int, rng: random.Random) -> None:
            for cause in causes:
                CHANGES[cause][0](conversation, i, rng)

        first = min(causes, key=ORDER.index)
        for i, step in enumerate(single_turns(model, seed, change, first, CHANGES[first][1])):
            if i == 3 and "json_key_order" in causes:
                return  # three rows turned three times are as they were
            step.causes = frozenset(causes if i else ())
            if len(causes) > 1:
                step.location = None
            yield step

    return plan


ORDER = (
    *("tool_order", "tool_membership", "tool_schema", "json_key_order", "whitespace", "timestamp", "date", "uuid"),
    *("session_id", "random_id", "nonce", "counter", "temp_path", "volatile_url"),
)
"""The order of the contract, as far as it concerns what is planted together."""


def tool_membership(model: str, seed: int) -> Iterator[Step]:
    conversation = Conversation.new(model, seed, tools=6)
    tools = conversation.tools
    for i in range(3):
        conversation.tools = tools[: 4 + i]
        conversation.ask()
        yield Step(conversation.body(), "none" if i == 0 else "tool_membership", None if i == 0 else f"tools[{3 + i}]")
        conversation.answer()


def system_changed(model: str, seed: int) -> Iterator[Step]:
    conversation = Conversation.new(model, seed)
    for i in range(4):
        conversation.ask()
        if i == 2:
            conversation.system = conversation.writer.sentence() + "\n" + conversation.system
        yield Step(conversation.body(), "system_changed" if i == 2 else "none", system_path(model) if i == 2 else None)
        conversation.answer()


def retrieved_content(model: str, seed: int) -> Iterator[Step]:
    def change(conversation: Conversation, i: int, rng: random.Random) -> None:
        documents = "\n".join(f"[{n}] {Writer(rng.getrandbits(30) + i).text(6)}" for n in range(1, 4))
        conversation.system = f"Relevant documents:\n{documents}\n\n{conversation.system}"

    return single_turns(model, seed, change, "retrieved_content")


def few_shot_order(model: str, seed: int) -> Iterator[Step]:
    base = Conversation.new(model, seed)
    examples: list[list[JSON]] = []
    for _ in range(4):
        base.ask(12)
        base.answer(12)
        examples.append(base.messages[-2:])
    prefix = "messages[0].content[0]" if model == CLAUDE else "messages[1]"
    for i in range(3):
        conversation = base.session(seed * 7 + i)
        conversation.messages = [m for pair in examples[i:] + examples[:i] for m in copy.deepcopy(pair)]
        if model != OLDER:
            mark_last(conversation)
        conversation.ask(3)
        yield Step(conversation.body(), "none" if i == 0 else "few_shot_order", None if i == 0 else prefix)


def mark_last(conversation: Conversation) -> None:
    """An explicit marker behind the messages so far."""
    last = conversation.messages[-1]
    block: JSON = {"type": "text", "text": last["content"]}
    if conversation.model == CLAUDE:
        block["cache_control"] = {"type": "ephemeral"}
    last["content"] = [block]


# -- parameters


def param(cause: str, name: str, key: str, values: list[Any], models: tuple[str, ...]) -> tuple[Plan, tuple[str, ...]]:
    def plan(model: str, seed: int) -> Iterator[Step]:
        conversation = Conversation.new(model, seed)
        for i in range(3):
            conversation.ask(30)
            value = values[0] if i < 2 else values[1]
            conversation.more = {} if value is None else {key: value}
            yield Step(conversation.body(), cause if i == 2 else "none", name if i == 2 else None)
            conversation.answer(30)

    return plan, models


# -- history


def grown(model: str, seed: int, turns: int, sentences: int = 20) -> Iterator[tuple[Conversation, Step]]:
    """A conversation that grew by `turns` turns, each a healthy call."""
    conversation = Conversation.new(model, seed)
    for _ in range(turns):
        conversation.ask(sentences)
        yield conversation, Step(conversation.body())
        conversation.answer(sentences)


def message_path(model: str, i: int) -> str:
    return f"messages[{i}].content[0]" if model == CLAUDE else f"messages[{i + 1}]"


def history_truncated(model: str, seed: int) -> Iterator[Step]:
    conversation: Conversation | None = None
    for made, step in grown(model, seed, 5):
        conversation = made
        yield step
    assert conversation is not None
    for _ in range(2):
        del conversation.messages[:2]
        conversation.ask(20)
        yield Step(conversation.body(), "history_truncated", message_path(model, 0))
        conversation.answer(20)


def elided_results(model: str, seed: int) -> Iterator[Step]:
    conversation: Conversation | None = None
    for made, step in grown(model, seed, 4):
        conversation = made
        yield step
    assert conversation is not None
    conversation.messages[2]["content"] = "[elided]"
    conversation.ask(20)
    yield Step(conversation.body(), "history_truncated", message_path(model, 2))


def history_rewritten(model: str, seed: int) -> Iterator[Step]:
    conversation: Conversation | None = None
    for made, step in grown(model, seed, 4):
        conversation = made
        yield step
    assert conversation is not None
    conversation.messages[1]["content"] = conversation.writer.text(20)
    conversation.ask(20)
    yield Step(conversation.body(), "history_rewritten", message_path(model, 1))


def compaction(model: str, seed: int) -> Iterator[Step]:
    conversation: Conversation | None = None
    for made, step in grown(model, seed, 6):
        conversation = made
        yield step
    assert conversation is not None
    summary = f"Summary of the conversation so far: {conversation.writer.text(24)}"
    conversation.messages = [{"role": "user", "content": summary}, *conversation.messages[-1:]]
    conversation.ask(20)
    yield Step(conversation.body(), "compaction", message_path(model, 0))


def message_extended(model: str, seed: int) -> Iterator[Step]:
    conversation = Conversation.new(model, seed)
    conversation.ask(60)
    yield Step(conversation.body())
    for _ in range(2):
        conversation.messages[-1]["content"] += "\n" + conversation.writer.text(10)
        yield Step(conversation.body(), "message_extended", message_path(model, 0))


def image_changed(model: str, seed: int) -> Iterator[Step]:
    conversation = Conversation.new(model, seed)
    for i in range(3):
        data = f"{seed}{i // 2}" * 40
        if model == CLAUDE:
            source: JSON = {"type": "base64", "media_type": "image/png", "data": data}
            image: JSON = {"type": "image", "source": source}
        else:
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
        if i == 0:
            conversation.messages.append({"role": "user", "content": [image, {"type": "text", "text": "What is it?"}]})
        else:
            conversation.messages[0]["content"][0] = image
            conversation.answer(30)
            conversation.ask(20)
        where = "messages[0].content[0]" if model == CLAUDE else "messages[1].content[0]"
        yield Step(conversation.body(), "image_changed" if i == 2 else "none", where if i == 2 else None)


# -- placement, size, lifetime


def no_breakpoint(model: str, seed: int) -> Iterator[Step]:
    def change(conversation: Conversation, _i: int, _rng: random.Random) -> None:
        conversation.marked = False
        if model == NEWER:
            conversation.more = {"prompt_cache_options": {"mode": "explicit"}}

    location = "system[0]" if model == CLAUDE else "messages[0]"
    return single_turns(model, seed, change, "no_breakpoint", location)


def boundary_missing(model: str, seed: int) -> Iterator[Step]:
    def change(conversation: Conversation, _i: int, _rng: random.Random) -> None:
        conversation.marked = False

    return single_turns(model, seed, change, "boundary_missing", "messages[0]")


def breakpoint_after_volatile(model: str, seed: int) -> Iterator[Step]:
    def change(conversation: Conversation, _i: int, _rng: random.Random) -> None:
        conversation.marked = False
        text = conversation.messages[0]["content"]
        key = "cache_control" if model == CLAUDE else "prompt_cache_breakpoint"
        value = {"type": "ephemeral"} if model == CLAUDE else {"mode": "explicit"}
        conversation.messages[0]["content"] = [{"type": "text", "text": text, key: value}]

    location = "messages[0].content[0]" if model == CLAUDE else "messages[1].content[0]"
    return single_turns(model, seed, change, "breakpoint_after_volatile", location)


def lookback_exceeded(model: str, seed: int) -> Iterator[Step]:
    conversation = Conversation.new(model, seed)
    conversation.ask(60)
    yield Step(conversation.body())
    for _ in range(12):
        conversation.answer(8)
        conversation.ask(8)
    # The marker of the system text is dropped as well: what was written is too far back for the one at the end.
    made = conversation.body()
    del made["system"][0]["cache_control"]
    yield Step(made, "lookback_exceeded", "messages[0].content[0]")


def below_minimum(model: str, seed: int) -> Iterator[Step]:
    for i in range(3):
        conversation = Conversation.new(model, seed, sentences=12, tools=0)
        conversation.messages = [{"role": "user", "content": Writer(seed * 31 + i).sentence(8)}]
        yield Step(conversation.body(), "none" if i == 0 else "below_minimum", None)


def ttl_expired(model: str, seed: int) -> Iterator[Step]:
    gap = {CLAUDE: 320.0, OLDER: 4000.0, NEWER: 1900.0}[model]
    conversation = Conversation.new(model, seed)
    for i in range(3):
        conversation.ask()
        yield Step(conversation.body(), "ttl_expired" if i == 2 else "none", after_s=gap if i == 2 else 10.0)
        conversation.answer()


def concurrent_cold_start(model: str, seed: int) -> Iterator[Step]:
    for i in range(4):
        conversation = Conversation.new(model, seed)
        conversation.messages = [{"role": "user", "content": Writer(seed * 31 + i).text(3)}]
        yield Step(conversation.body(), "none" if i == 0 else "concurrent_cold_start", after_s=0.05)


def forget(response: JSON) -> None:
    """As if the provider had dropped the entry."""
    usage = response["usage"]
    if "cache_read_input_tokens" in usage:
        usage["cache_creation_input_tokens"] += usage["cache_read_input_tokens"]
        usage["cache_read_input_tokens"] = 0
    else:
        usage["prompt_tokens_details"]["cached_tokens"] = 0


def evicted_or_rerouted(model: str, seed: int) -> Iterator[Step]:
    conversation = Conversation.new(model, seed)
    for i in range(3):
        conversation.ask()
        yield Step(conversation.body(), "evicted_or_rerouted" if i == 2 else "none", spoil=forget if i == 2 else None)
        conversation.answer()


def model_changed(model: str, seed: int) -> Iterator[Step]:
    other = {CLAUDE: "claude-opus-4-8", OLDER: "gpt-4o", NEWER: "gpt-5.6-mini"}[model]
    conversation = Conversation.new(model, seed)
    for i in range(3):
        conversation.ask()
        made = conversation.body()
        if i == 2:
            made["model"] = other
        yield Step(made, "model_changed" if i == 2 else "none", "model" if i == 2 else None)
        conversation.answer()


def too_many_breakpoints(model: str, seed: int) -> Iterator[Step]:
    """Only where more than the limit is no error: the first of five, behind the static part, is not written."""
    base = Conversation.new(model, seed)
    for i in range(3):
        conversation = base.session(seed * 13 + i)
        for _ in range(5):
            conversation.ask(6)
            text = conversation.messages[-1]["content"]
            mark = {"mode": "explicit"}
            conversation.messages[-1]["content"] = [{"type": "text", "text": text, "prompt_cache_breakpoint": mark}]
        location = "messages[0].content[0]"
        yield Step(conversation.body(), "none" if i == 0 else "too_many_breakpoints", None if i == 0 else location)


ALL = MODELS
BOUNDARY = (CLAUDE, NEWER)

PLANS: dict[str, tuple[Plan, tuple[str, ...]]] = {
    **{cause: (planted(cause), ALL) for cause in CHANGES},
    "tool_membership": (tool_membership, ALL),
    "system_changed": (system_changed, ALL),
    "retrieved_content": (retrieved_content, ALL),
    "few_shot_order": (few_shot_order, (CLAUDE, OLDER)),
    "cache_key_changed": param("cache_key_changed", "prompt_cache_key", "prompt_cache_key", ["a", "b"], (NEWER,)),
    "service_tier_changed": param("service_tier_changed", "service_tier", "service_tier", [None, "flex"], (NEWER,)),
    "tool_choice_changed": param(
        "tool_choice_changed", "tool_choice", "tool_choice", [None, {"type": "any"}], (CLAUDE,)
    ),
    "thinking_changed": param(
        "thinking_changed", "thinking", "thinking", [None, {"type": "enabled", "budget_tokens": 2048}], (CLAUDE,)
    ),
    "effort_changed": param("effort_changed", "reasoning_effort", "reasoning_effort", [None, "high"], (OLDER, NEWER)),
    "speed_changed": param("speed_changed", "speed", "speed", [None, "fast"], (CLAUDE,)),
    "text_format_changed": param(
        "text_format_changed", "response_format", "response_format", [None, {"type": "json_object"}], (OLDER, NEWER)
    ),
    "verbosity_changed": param("verbosity_changed", "verbosity", "verbosity", [None, "low"], (OLDER, NEWER)),
    "image_changed": (image_changed, ALL),
    "message_extended": (message_extended, BOUNDARY),
    "history_truncated": (history_truncated, ALL),
    "history_truncated, elided": (elided_results, ALL),
    "history_rewritten": (history_rewritten, ALL),
    "compaction": (compaction, ALL),
    "no_breakpoint": (no_breakpoint, BOUNDARY),
    "boundary_missing": (boundary_missing, (NEWER,)),
    "breakpoint_after_volatile": (breakpoint_after_volatile, BOUNDARY),
    "too_many_breakpoints": (too_many_breakpoints, (NEWER,)),
    "lookback_exceeded": (lookback_exceeded, (CLAUDE,)),
    "below_minimum": (below_minimum, ALL),
    "ttl_expired": (ttl_expired, ALL),
    "concurrent_cold_start": (concurrent_cold_start, ALL),
    "evicted_or_rerouted": (evicted_or_rerouted, ALL),
    "model_changed": (model_changed, ALL),
}
"""Each cause planted alone, and the models on which it can be."""


# -- clean traffic


def clean(seed: int, turns: int) -> Iterator[tuple[str, Step]]:
    """Healthy calls of several families on every model: sessions interleaved, retries, markers that move along.

    Heads are marked where their provider wants that. No session waits longer than its entries live.
    """
    rng = random.Random(seed)
    bases = [
        Conversation.new(model, seed * 101 + n, sentences=rng.randint(110, 200), tools=rng.randint(0, 6))
        for n, model in enumerate((*MODELS, CLAUDE, NEWER))
    ]
    for base in bases:
        yield base.model, warm(base, seed)
    sessions: list[Conversation] = []
    last: tuple[str, JSON] | None = None
    for n in range(turns - len(bases)):
        if last is not None and rng.random() < 0.05:
            yield last[0], Step(last[1], after_s=2.0)
            continue
        if len(sessions) < 6 or rng.random() < 0.1:
            sessions = [s for s in sessions if len(s.messages) < 16][-8:]
            sessions.append(rng.choice(bases).session(seed * 1009 + n))
        session = rng.choice(sessions)
        session.ask(rng.randint(1, 12))
        body = session.body()
        session.answer(rng.randint(1, 12))
        last = session.model, body
        yield session.model, Step(copy.deepcopy(body), after_s=rng.uniform(1.1, 2.0))


def warm(base: Conversation, seed: int) -> Step:
    session = base.session(seed * 7919)
    session.ask(2)
    return Step(session.body())
