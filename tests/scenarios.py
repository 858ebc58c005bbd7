"""Traffic of agents, chats, RAG and batches with one thing planted in it, worded as applications word it.

Written from the contract and the vendors' rules; what a verdict must say comes from what was planted.
"""

# ruff: noqa: E501 - tables of wordings and parameters read best with one row to a line

import json
import random
import unicodedata
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from traffic import JSON, SHAPES, Part, Shape, Talk, Turn, called, results, said
from workload import Writer, hexed, mixed

FIRST = 1_790_000_000


@dataclass
class Planted:
    """One call to make and what its verdict must be. `cause` of `None`: nothing is claimed about this call."""

    talk: Talk
    cause: str | None = "none"
    location: str | None = None
    after_s: float = 7.0
    causes: frozenset[str] = frozenset()
    spoil: Callable[[JSON], None] | None = None
    broke: bool | None = None
    also: frozenset[str] = frozenset()
    """Other causes that name the same thing as well."""
    scope: str = "workspace"
    model: str | None = None


class Source:
    """Texts for one run. With a bank of published prompts they come from it, else from a list of words."""

    def __init__(self, seed: int, bank: Mapping[str, Any] | None = None) -> None:
        self.rng = random.Random(seed)
        self._writer = Writer(seed)
        self._bank = bank

    def system(self, chars: int = 9000) -> str:
        if self._bank is None:
            return self._writer.text(chars // 75)
        made = ""
        while len(made) < chars:
            made += "\n\n" * bool(made) + self.rng.choice(self._bank["prompts"])["text"]
        return made[: chars * 2]

    def question(self) -> str:
        if self._bank is None:
            return self._writer.text(self.rng.randint(2, 5))
        return self.rng.choice(self._bank["questions"])["text"] + f" ({self._writer.sentence(5)})"

    def prose(self, sentences: int) -> str:
        return self._writer.text(sentences)

    def tools(self, n: int) -> list[JSON]:
        if self._bank is None:
            made = self._writer.tools(n, "claude-sonnet-4-5")
            return [{"name": t["name"], "description": t["description"], "schema": t["input_schema"]} for t in made]
        given = [t["function"] for tools in self._bank["tools"].values() for t in tools]
        names: dict[str, JSON] = {}
        for t in self.rng.sample(given, len(given)):
            names.setdefault(t["name"], {"name": t["name"], "description": t["description"], "schema": t["parameters"]})
        return list(names.values())[:n]


Plan = Callable[[Source, Shape], Iterator[Planted]]

PLANS: dict[str, tuple[Plan, tuple[Shape, ...]]] = {}
"""Each plan by its name, with the shapes on which it can be carried out."""


def plan(name: str, *shapes: str) -> Callable[[Plan], Plan]:
    def note(made: Plan) -> Plan:
        PLANS[name] = made, tuple(s for s in SHAPES if not shapes or s.name in shapes)
        return made

    return note


BOUNDARY = ("claude", "chat newer", "responses newer")
GPT = ("chat older", "chat newer", "responses older", "responses newer")
NEW_GPT = ("chat newer", "responses newer")


def chat_of(source: Source, shape: Shape, *, chars: int = 9000, tools: int = 4) -> Talk:
    return Talk(shape, [source.system(chars)], source.tools(tools))


def fresh(talk: Talk, source: Source) -> Talk:
    """Another call of the same prompt with a question of its own."""
    made = talk.copy()
    made.turns = [*made.turns, said("user", source.question())]
    return made


# -- volatile values, as people write them

MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905


def clock(r: random.Random) -> str:
    return f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}"


def day(r: random.Random) -> str:
    return f"2026-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"


def a_uuid(r: random.Random) -> str:
    return str(uuid.UUID(int=r.getrandbits(128), version=4))


Maker = Callable[[random.Random, int], str]

WORDED: Sequence[tuple[str, str, Maker]] = [
    ("timestamp", "iso z", lambda r, i: f"Current time: {day(r)}T{clock(r)}:{i:02d}Z"),
    ("timestamp", "iso micro", lambda r, i: f"now={day(r)}T{clock(r)}:{i:02d}.{r.randint(100000, 999999)}+00:00"),
    ("timestamp", "python", lambda r, i: f"The current date and time is {day(r)} {clock(r)}:{i:02d}.{r.randint(1000, 999999):06d}"),
    ("timestamp", "long", lambda r, i: f"It is {r.choice(DAYS)}, {r.choice(MONTHS)} {r.randint(1, 28)}, 2026 at {r.randint(1, 12)}:{r.randint(10, 59)}:{i:02d} PM."),
    ("timestamp", "epoch", lambda r, i: f"Unix time: {FIRST + r.randint(0, 9_999_999) + i}"),
    ("timestamp", "epoch ms", lambda r, i: f'{{"ts": {(FIRST + r.randint(0, 9_999_999)) * 1000 + i}}}'),
    ("timestamp", "rfc2822", lambda r, i: f"Date: {r.choice(DAYS)[:3]}, {r.randint(10, 28)} {r.choice(MONTHS)[:3]} 2026 {clock(r)}:{i:02d} +0000"),
    ("timestamp", "ampm", lambda r, i: f"Current time is {r.randint(1, 12)}:{r.randint(10, 59)}:{i:02d} AM"),
    ("timestamp", "slashes", lambda r, i: f"<current_time>{r.randint(1, 12):02d}/{r.randint(10, 28)}/2026 {clock(r)}:{i:02d}</current_time>"),
    ("timestamp", "log", lambda r, i: f"[{day(r)} {clock(r)}:{i:02d},{r.randint(100, 999)}] session started"),
    ("date", "iso", lambda r, i: f"Today is 2026-{r.randint(1, 12):02d}-{10 + i}."),
    ("date", "long", lambda r, i: f"Today's date is {r.choice(DAYS)}, {r.choice(MONTHS)} {i + 3}, 2026."),
    ("date", "us", lambda r, i: f"Current date: {r.randint(1, 12):02d}/{11 + i}/2026"),
    ("date", "day first", lambda r, i: f"date: {11 + i} {r.choice(MONTHS)[:3]} 2026"),
    ("uuid", "plain", lambda r, _: f"Agent {a_uuid(r)} is running."),
    ("uuid", "upper", lambda r, _: f"Build: {a_uuid(r).upper()}"),
    ("session_id", "snake", lambda r, _: f"session_id: {a_uuid(r)}"),
    ("session_id", "request", lambda r, _: f"Request ID: req_{mixed(r, 24)}"),
    ("session_id", "json", lambda r, _: f'{{"session_id": "{hexed(r, 32)}", "version": 3}}'),
    ("session_id", "trace", lambda r, _: f"traceId={hexed(r, 32)}"),
    ("session_id", "user", lambda r, _: f"user_id: usr_{mixed(r, 16)}"),
    ("session_id", "conversation", lambda r, _: f"<conversation_id>{a_uuid(r)}</conversation_id>"),
    ("session_id", "correlation", lambda r, _: f"X-Correlation-Id: {a_uuid(r)}"),
    ("session_id", "number", lambda r, _: f"Session ID: {r.randint(10**7, 10**8)}"),
    ("random_id", "ulid", lambda r, _: f"Document 01{''.join(r.choice('0123456789ABCDEFGHJKMNPQRSTVWXYZ') for _ in range(24))} is open."),
    ("random_id", "objectid", lambda r, _: f"_id: 6{hexed(r, 23)}"),
    ("random_id", "prefixed", lambda r, _: f"Workspace file-{mixed(r, 24)} is loaded."),
    ("nonce", "hex", lambda r, _: f"nonce: {hexed(r, 32)}"),
    ("nonce", "cache buster", lambda r, _: f"cache-buster: {hexed(r, 16)}"),
    ("nonce", "base64", lambda r, _: f"nonce={mixed(r, 42)}=="),
    ("counter", "request", lambda _, i: f"Request number: {i + 17}"),
    ("counter", "turn", lambda _, i: f"This is turn {i + 3} of the conversation."),
    ("counter", "step of", lambda _, i: f"Step {i + 2} of 40"),
    ("counter", "left", lambda _, i: f"Remaining tokens: {187_211 - 2113 * i}"),
    ("counter", "attempt", lambda _, i: f"attempt: {i + 1}"),
    ("temp_path", "tmp", lambda r, _: f"Working directory: /tmp/tmp{mixed(r, 8).lower()}/repo"),
    ("temp_path", "mac", lambda r, _: f"cwd: /var/folders/zz/{mixed(r, 10).lower()}/T/run-{hexed(r, 8)}/work"),
    ("temp_path", "windows", lambda r, _: rf"cwd: C:\Users\ann\AppData\Local\Temp\tmp{mixed(r, 8).lower()}\work"),
    ("temp_path", "pytest", lambda r, i: f"Root: /tmp/pytest-of-ci/pytest-{r.randint(10, 99) * 10 + i}/app0"),
    ("volatile_url", "s3", lambda r, i: f"Logo: https://bucket.s3.amazonaws.com/logo.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261122T10{r.randint(10, 59)}{i:02d}Z&X-Amz-Expires=3600&X-Amz-Signature={hexed(r, 64)}"),
    ("volatile_url", "gcs", lambda r, i: f"See https://storage.googleapis.com/b/guide.pdf?Expires={FIRST + i}&GoogleAccessId=svc&Signature={mixed(r, 60)}%3D"),
    ("volatile_url", "sas", lambda r, i: f"![chart](https://acct.blob.core.windows.net/c/chart.png?sv=2024-11-04&se={day(r)}T{clock(r)}%3A{i:02d}Z&sig={mixed(r, 43)}%3D)"),
    ("volatile_url", "token", lambda r, _: f"Download: https://files.example.com/manual?token={mixed(r, 40)}"),
]  # fmt: skip


def volatile_plans() -> None:
    for category, wording, make in WORDED:
        for where in ("head", "middle", "tool", "user"):
            PLANS[f"{category}: {wording}, {where}"] = volatile(category, make, where), SHAPES


def volatile(category: str, make: Maker, where: str) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        base = chat_of(source, shape)
        if where == "user":
            base.turns = [said("user", source.system(8000)), said("assistant", "Understood.")]
            base.marked_turns = (0, -1)
        for i in range(4):
            talk = fresh(base, source)
            line = make(source.rng, i)
            path = talk.system_path()
            if where == "head":
                talk.system[0] = f"{line}\n{talk.system[0]}"
            elif where == "middle":
                lines = talk.system[0].split("\n")
                middle = len(lines) // 2
                talk.system[0] = "\n".join([*lines[:middle], line, *lines[middle:]])
            elif where == "tool":
                talk.tools[1]["description"] += f" {line}"
                path = talk.tool_path(1)
            else:
                first = talk.turns[0].parts[0]
                talk.turns[0].parts[0] = first._replace(text=f"{line}\n\n{first.text}")
                path = talk.turn_path(0)
                if shape.model == "gpt-5.6":
                    # The head is marked; what is volatile stands behind it, and nothing behind that is marked.
                    yield Planted(talk, None)
                    continue
            yield Planted(talk, category if i else "none", path if i else None)

    return made


volatile_plans()


# -- spelling


def crlf(text: str, i: int) -> str:
    return text.replace("\n", "\r\n") if i % 2 else text


def nfd(text: str, i: int) -> str:
    return unicodedata.normalize("NFD" if i % 2 else "NFC", "Réponds en français. " + text)


SPACES: Mapping[str, Callable[[str, int], str]] = {
    "crlf": crlf,
    "nfd": nfd,
    "trailing newline": lambda text, i: text + "\n" * i,
    "trailing spaces": lambda text, i: text.replace("\n", " " * (i % 2) + "\n"),
    "leading newline": lambda text, i: "\n" * i + text,
    "indent": lambda text, i: text.replace("\n", "\n" + " " * i),
    "tabs": lambda text, i: text.replace("\n", "\n\t" if i % 2 else "\n    "),
    "double space": lambda text, i: text.replace(". ", ".  " if i % 2 else ". ") + ("" if "." in text else " "),
    "nbsp": lambda text, i: text.replace(" ", "\u00a0" if i % 2 else " ", 3),
}


def space(change: Callable[[str, int], str], where: str) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        base = chat_of(source, shape)
        base.turns = [said("user", source.prose(60)), said("assistant", source.prose(20))]
        base.marked_turns = (1, -1)
        for i in range(2):
            talk = fresh(base, source)
            if where == "system":
                talk.system[0] = change(talk.system[0], i)
                path = talk.system_path()
            else:
                talk.tools[1]["description"] = change("Use it.\nOften. And well.\n" + talk.tools[1]["description"], i)
                path = talk.tool_path(1)
            yield Planted(talk, "whitespace" if i else "none", path if i else None)

    return made


for _name, _change in SPACES.items():
    for _where in ("system", "tool"):
        PLANS[f"whitespace: {_name}, {_where}"] = space(_change, _where), SHAPES


@plan("whitespace: replayed answer stripped")
def stripped(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = chat_of(source, shape)
    talk.turns = [
        said("user", source.question()),
        said("assistant", source.prose(20) + "\n"),
        said("user", source.prose(60)),
    ]
    yield Planted(talk.copy())
    part = talk.turns[1].parts[0]
    talk.turns[1].parts[0] = part._replace(text=part.text.rstrip())
    talk.turns += [said("assistant", source.prose(60)), said("user", source.question())]
    yield Planted(talk.copy(), "whitespace", talk.turn_path(1))


def turned(value: Any, rng: random.Random) -> Any:
    """Keys of every object in another order."""
    if isinstance(value, dict):
        rows = list(value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return {k: turned(v, rng) for k, v in [*rows[1:], *rows[:1]]}  # pyright: ignore[reportUnknownVariableType]
    return [turned(v, rng) for v in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


@plan("json_key_order: nested schema")
def nested_keys(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    base.tools[2]["schema"] = {
        "type": "object",
        "properties": {
            "filter": {
                "type": "object",
                "description": "What to look for.",
                "properties": {
                    "status": {"type": "string", "enum": ["open", "closed"], "description": "Which."},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 50},
                },
            },
            "query": {"type": "string"},
        },
        "required": ["query"],
    }
    for i in range(3):
        talk = fresh(base, source)
        if i:
            inner = talk.tools[2]["schema"]["properties"]["filter"]["properties"]
            if i == 1:
                inner["status"] = dict(reversed(inner["status"].items()))
            else:
                talk.tools[2]["schema"] = turned(talk.tools[2]["schema"], source.rng)
        yield Planted(talk, "json_key_order" if i else "none", talk.tool_path(2) if i else None)


@plan("json_key_order: all tools")
def all_keys(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    for i in range(2):
        talk = fresh(base, source)
        if i:
            talk.tools = [t | {"schema": turned(t["schema"], source.rng)} for t in talk.tools]
        yield Planted(talk, "json_key_order" if i else "none", talk.tool_path(0) if i else None)


ARGUMENTS: JSON = {"order": "W2378156", "fields": {"status": "open", "city": "Rome"}, "limit": 5}


def agent(source: Source, shape: Shape, steps: int, *, parallel: int = 1, size: int = 12) -> Talk:
    """An agent that called a tool or several a few times and has their answers."""
    talk = chat_of(source, shape, chars=7000)
    talk.turns = [said("user", source.question())]
    for n in range(steps):
        step(talk, source, n, parallel=parallel, size=size)
    return talk


def step(talk: Talk, source: Source, n: int, *, parallel: int = 1, size: int = 12) -> None:
    rng = source.rng
    ids = [f"call_{mixed(rng, 22)}" for _ in range(parallel)]
    names = [talk.tools[(n + k) % len(talk.tools)]["name"] for k in range(parallel)]
    rows = [(id_, name, ARGUMENTS | {"limit": n + k}) for k, (id_, name) in enumerate(zip(ids, names, strict=True))]
    talk.turns.append(called(*rows, before=source.prose(2) if n % 2 else ""))
    talk.turns.append(results(*((id_, json.dumps({"ok": True, "text": source.prose(size)})) for id_ in ids)))


@plan("json_key_order: replayed arguments")
def replayed_arguments(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = agent(source, shape, 4, size=30)
    yield Planted(talk.copy())
    turn = talk.turns[1]
    call = next(i for i, p in enumerate(turn.parts) if p.kind == "call")
    args = json.loads(turn.parts[call].text)
    turn.parts[call] = turn.parts[call]._replace(text=json.dumps(turned(args, source.rng)))
    step(talk, source, 5)
    yield Planted(talk.copy(), "json_key_order", talk.turn_path(1, call))


@plan("whitespace: arguments respaced", "chat older", "chat newer", "responses older", "responses newer")
def respaced_arguments(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = agent(source, shape, 4, size=30)
    yield Planted(talk.copy())
    turn = talk.turns[1]
    args = json.loads(turn.parts[0].text)
    turn.parts[0] = turn.parts[0]._replace(text=json.dumps(args, separators=(",", ":")))
    step(talk, source, 5)
    yield Planted(talk.copy(), "whitespace", talk.turn_path(1), also=frozenset({"json_key_order"}))


# -- tools


def tool_plan(change: Callable[[list[JSON], int, Source], int], cause: str) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        base = chat_of(source, shape, tools=6)
        for i in range(3):
            talk = fresh(base, source)
            where = change(talk.tools, i, source) if i else 0
            yield Planted(talk, cause if i else "none", talk.tool_path(where) if i and where >= 0 else None)

    return made


def shuffled(tools: list[JSON], i: int, source: Source) -> int:
    before = [t["name"] for t in tools]
    if i == 2:
        tools.reverse()
        # Compared with either earlier order, the first tool is another.
        return -1
    while [t["name"] for t in tools] == before:
        source.rng.shuffle(tools)
    return next(n for n, t in enumerate(tools) if t["name"] != before[n])


def swapped_last(tools: list[JSON], i: int, _source: Source) -> int:
    a, b = (4, 5) if i == 1 else (2, 3)
    tools[a], tools[b] = tools[b], tools[a]
    return a if i == 1 else -1


def added_front(tools: list[JSON], i: int, source: Source) -> int:
    tools.insert(0, {"name": f"extra_{i}", "description": source.prose(3), "schema": {"type": "object"}})
    return 0


def added_end(tools: list[JSON], i: int, source: Source) -> int:
    tools.append({"name": f"extra_{i}", "description": source.prose(3), "schema": {"type": "object"}})
    return len(tools) - 1


def removed(tools: list[JSON], i: int, _source: Source) -> int:
    del tools[i + 1]
    return i + 1 if i == 1 else -1


def described(tools: list[JSON], i: int, source: Source) -> int:
    tools[2]["description"] = source.prose(3)
    return 2


def enumerated(tools: list[JSON], i: int, source: Source) -> int:
    values = [source.rng.choice(["north", "south", "east", "west"]) for _ in range(i + 2)]
    tools[3]["schema"] = {**tools[3]["schema"], "x-areas": {"enum": [*values, f"area {'abc'[i]}"]}}
    return 3


def renamed_property(tools: list[JSON], i: int, _source: Source) -> int:
    tools[1]["schema"] = {"type": "object", "properties": {f"argument_{'abc'[i]}": {"type": "string"}}}
    return 1


PLANS.update(
    {
        "tool_order: shuffled": (tool_plan(shuffled, "tool_order"), SHAPES),
        "tool_order: two swapped": (tool_plan(swapped_last, "tool_order"), SHAPES),
        "tool_membership: added in front": (tool_plan(added_front, "tool_membership"), SHAPES),
        "tool_membership: added behind": (tool_plan(added_end, "tool_membership"), SHAPES),
        "tool_membership: removed": (tool_plan(removed, "tool_membership"), SHAPES),
        "tool_schema: described": (tool_plan(described, "tool_schema"), SHAPES),
        "tool_schema: enumeration": (tool_plan(enumerated, "tool_schema"), SHAPES),
        "tool_schema: property": (tool_plan(renamed_property, "tool_schema"), SHAPES),
    }
)


@plan("tool_membership: gone in a session")
def tools_gone(source: Source, shape: Shape) -> Iterator[Planted]:
    """The last call of an agent comes without tools, to make it answer."""
    talk = agent(source, shape, 3, size=30)
    yield Planted(talk.copy())
    talk.tools = []
    yield Planted(talk.copy(), "tool_membership")


# -- what is retrieved


def documents(source: Source, style: str) -> str:
    texts = [source.prose(source.rng.randint(4, 8)) for _ in range(3)]
    r = source.rng
    match style:
        case "xml":
            inner = "\n".join(f'<document index="{n}">\n{t}\n</document>' for n, t in enumerate(texts, 1))
            return f"<documents>\n{inner}\n</documents>"
        case "markdown":
            return "## Retrieved context\n\n" + "\n\n".join(f"### Result {n}\n{t}" for n, t in enumerate(texts, 1))
        case "json":
            rows = [{"id": r.randint(1, 999), "score": round(r.random(), 3), "text": t} for t in texts]
            return "Search results:\n" + json.dumps(rows, indent=1)
        case "numbered":
            return "Sources:\n" + "\n".join(f"[{n}] {t}" for n, t in enumerate(texts, 1))
        case "memory":
            return "# Memories about the user\n" + "\n".join(f"- {s}" for t in texts for s in t.split(". "))
        case "plain":
            return "Use the following pieces of context to answer the question.\n\n" + "\n\n".join(texts)
        case _:
            return "\n".join(f"Source: doc{r.randint(1, 99)}.md (score {r.random():.2f})\nContent: {t}" for t in texts)


STYLES = ("xml", "markdown", "json", "numbered", "memory", "plain", "chunks")


def retrieved(style: str, where: str) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        base = chat_of(source, shape)
        rules = source.prose(60)
        for i in range(4):
            talk = base.copy()
            given = documents(source, style)
            if where == "head":
                talk.system[0] = f"{given}\n\n{talk.system[0]}"
            elif where == "middle":
                half = talk.system[0].index("\n", len(talk.system[0]) // 2)
                talk.system[0] = f"{talk.system[0][:half]}\n\n{given}\n\n{talk.system[0][half:]}"
            elif where == "block":
                talk.system = [given, talk.system[0]]
            if where == "user":
                # Instructions that stay the same behind what was retrieved, in one message.
                talk.turns = [said("user", f"{given}\n\n{rules}\n\n"), said("assistant", "Ready.")]
                talk.marked_turns = (0, -1)
            talk.turns.append(said("user", source.question()))
            path = talk.turn_path(0) if where == "user" else talk.system_path()
            if where == "user" and shape.model == "gpt-5.6":
                yield Planted(talk, None)
                continue
            yield Planted(talk, "retrieved_content" if i else "none", path if i else None)

    return made


for _style in STYLES:
    for _where in ("head", "middle", "block", "user"):
        PLANS[f"retrieved_content: {_style}, {_where}"] = retrieved(_style, _where), SHAPES


# -- system text


@plan("system_changed: persona")
def persona(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    names = ["Anna from Leeds", "Bert from Utrecht", "Chloe from Lyon", "Dario from Turin"]
    for i in range(4):
        talk = fresh(base, source)
        talk.system[0] = f"You are talking to {names[i]}.\n{talk.system[0]}"
        yield Planted(talk, "system_changed" if i else "none", talk.system_path() if i else None)


@plan("system_changed: section toggled")
def toggled(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    section = "## Beta\n" + source.prose(6) + "\n"
    for i in range(3):
        talk = fresh(base, source)
        lines = talk.system[0].split("\n")
        if i == 1:
            lines.insert(3, section)
        talk.system[0] = "\n".join(lines)
        # The third call is as the first was, and reads what that wrote.
        yield Planted(talk, "system_changed" if i == 1 else "none", talk.system_path() if i == 1 else None)


@plan("system_changed: edited once in a session")
def edited(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = chat_of(source, shape)
    for i in range(4):
        talk.turns.append(said("user", source.question()))
        if i == 2:
            talk.system[0] = talk.system[0].replace(" ", " really ", 1)
        yield Planted(talk.copy(), "system_changed" if i == 2 else "none", talk.system_path() if i == 2 else None)
        talk.turns.append(said("assistant", source.prose(12)))


@plan("few_shot_order: messages", "claude", "chat older", "responses older")
def few_shot(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape, chars=5000)
    pairs = [[said("user", source.prose(12)), said("assistant", source.prose(12))] for _ in range(4)]
    for i in range(3):
        talk = base.copy()
        order = pairs if i == 0 else [pairs[2], pairs[0], pairs[3], pairs[1]] if i == 1 else pairs[::-1]
        talk.turns = [Turn(t.role, list(t.parts)) for pair in order for t in pair]
        talk.marked_turns = (7,)
        talk.turns.append(said("user", source.question()))
        yield Planted(talk, "few_shot_order" if i else "none", talk.turn_path(0) if i else None)


def examples_first(source: Source, shape: Shape, *, marked: bool) -> Iterator[Talk]:
    """Questions behind four examples: in one order, in another, in a third, and in the first again."""
    base = chat_of(source, shape, chars=5000)
    base.mark_parts = marked
    pairs = [[said("user", source.prose(12)), said("assistant", source.prose(12))] for _ in range(4)]
    for order in ((0, 1, 2, 3), (0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0), (0, 1, 2, 3)):
        talk = base.copy()
        talk.turns = [Turn(t.role, list(t.parts)) for n in order for t in pairs[n]]
        talk.turns.append(said("user", source.question()))
        yield talk


@plan("few_shot_order: marked messages", "responses newer")
def few_shot_marked(source: Source, shape: Shape) -> Iterator[Planted]:
    """The third order takes up nothing that was written, and the first is still there at the end."""
    for i, talk in enumerate(examples_first(source, shape, marked=True)):
        turned = i in {2, 3}
        yield Planted(talk, "few_shot_order" if turned else "none", talk.turn_path(0) if turned else None)


@plan("boundary_missing: examples", *NEW_GPT)
def few_shot_unmarked(source: Source, shape: Shape) -> Iterator[Planted]:
    """Nothing is written at the end of examples that are not marked, so their order loses nothing besides."""
    for i, talk in enumerate(examples_first(source, shape, marked=False)):
        yield Planted(talk, "boundary_missing" if i in {1, 4} else "none")


# -- parameters

PARAMS: Sequence[tuple[str, str, str, JSON, JSON, tuple[str, ...]]] = [
    ("tool_choice_changed", "any", "tool_choice", {}, {"tool_choice": {"type": "any"}}, ("claude",)),
    ("tool_choice_changed", "named", "tool_choice", {"tool_choice": {"type": "auto"}}, {"tool_choice": {"type": "none"}}, ("claude",)),
    ("thinking_changed", "on", "thinking", {}, {"thinking": {"type": "enabled", "budget_tokens": 4096}}, ("claude",)),
    ("thinking_changed", "budget", "thinking", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, {"thinking": {"type": "enabled", "budget_tokens": 8192}}, ("claude",)),
    ("effort_changed", "claude", "output_config.effort", {}, {"output_config": {"effort": "low"}}, ("claude",)),
    ("effort_changed", "chat", "reasoning_effort", {"reasoning_effort": "low"}, {"reasoning_effort": "high"}, ("chat older", "chat newer")),
    ("effort_changed", "responses", "reasoning.effort", {"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "high"}}, ("responses older", "responses newer")),
    ("speed_changed", "fast", "speed", {}, {"speed": "fast"}, ("claude",)),
    ("text_format_changed", "chat", "response_format", {}, {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}}, ("chat older", "chat newer")),
    ("text_format_changed", "responses", "text.format", {}, {"text": {"format": {"type": "json_object"}}}, ("responses older", "responses newer")),
    ("text_format_changed", "claude", "output_config.format", {}, {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, ("claude",)),
    ("verbosity_changed", "chat", "verbosity", {}, {"verbosity": "high"}, ("chat older", "chat newer")),
    ("verbosity_changed", "responses", "text.verbosity", {"text": {"verbosity": "low"}}, {"text": {"verbosity": "high"}}, ("responses older", "responses newer")),
    ("cache_key_changed", "key", "prompt_cache_key", {"prompt_cache_key": "a"}, {"prompt_cache_key": "b"}, NEW_GPT),
    ("cache_key_changed", "dropped", "prompt_cache_key", {"prompt_cache_key": "a"}, {}, NEW_GPT),
    ("service_tier_changed", "flex", "service_tier", {}, {"service_tier": "flex"}, NEW_GPT),
    ("service_tier_changed", "priority", "service_tier", {"service_tier": "priority"}, {"service_tier": "default"}, NEW_GPT),
]  # fmt: skip


def params(cause: str, path: str, before: JSON, after: JSON) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        talk = chat_of(source, shape)
        for i in range(4):
            talk.turns.append(said("user", source.prose(20)))
            talk.more = after if i == 2 else before
            # The fourth call finds what the second wrote, where the gap is not too long.
            yield Planted(talk.copy(), (cause if i == 2 else "none") if i < 3 else None, path if i == 2 else None)
            talk.turns.append(said("assistant", source.prose(20)))

    return made


for _cause, _wording, _path, _before, _after, _shapes in PARAMS:
    PLANS[f"{_cause}: {_wording}"] = (
        params(_cause, _path, _before, _after),
        tuple(s for s in SHAPES if s.name in _shapes),
    )


@plan("model_changed")
def other_model(source: Source, shape: Shape) -> Iterator[Planted]:
    other = {"claude-sonnet-4-5": "claude-sonnet-4-6", "gpt-4.1": "gpt-4.1-mini", "gpt-5.6": "gpt-6"}[shape.model]
    talk = chat_of(source, shape)
    for i in range(3):
        talk.turns.append(said("user", source.prose(20)))
        yield Planted(
            talk.copy(),
            "model_changed" if i == 2 else "none",
            "model" if i == 2 else None,
            model=other if i == 2 else None,
        )
        talk.turns.append(said("assistant", source.prose(20)))


HARMLESS: Sequence[tuple[str, JSON, JSON, tuple[str, ...]]] = [
    ("tool_choice of OpenAI", {}, {"tool_choice": "none"}, GPT),
    ("temperature", {"temperature": 0}, {"temperature": 1}, tuple(s.name for s in SHAPES)),
    ("max tokens", {"max_tokens": 64}, {"max_tokens": 512}, ("claude",)),
    ("explicit defaults", {}, {"tool_choice": {"type": "auto"}, "thinking": {"type": "disabled"}, "speed": "standard"}, ("claude",)),
    ("default effort", {}, {"output_config": {"effort": "high"}}, ("claude",)),
    ("stream", {"stream": False}, {"stream": True}, tuple(s.name for s in SHAPES)),
    ("metadata", {"metadata": {"user_id": "a"}}, {"metadata": {"user_id": "b"}}, tuple(s.name for s in SHAPES)),
    ("default tier", {}, {"service_tier": "auto"}, GPT),
    ("user", {"user": "a"}, {"user": "b"}, GPT),
    ("store", {"store": True}, {"store": False}, GPT),
]  # fmt: skip


def harmless(before: JSON, after: JSON) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        talk = chat_of(source, shape)
        for i in range(4):
            talk.turns.append(said("user", source.prose(20)))
            talk.more = after if i % 2 else before
            yield Planted(talk.copy())
            talk.turns.append(said("assistant", source.prose(20)))

    return made


for _wording, _before, _after, _shapes in HARMLESS:
    PLANS[f"none: {_wording}"] = harmless(_before, _after), tuple(s for s in SHAPES if s.name in _shapes)


# -- history


def talked(source: Source, shape: Shape, turns: int, size: int = 15) -> Talk:
    talk = chat_of(source, shape, chars=7000)
    for _ in range(turns):
        talk.turns += [said("user", source.prose(size)), said("assistant", source.prose(size))]
    talk.turns.append(said("user", source.prose(size)))
    return talk


def go_on(talk: Talk, source: Source, size: int = 15) -> None:
    talk.turns += [said("assistant", source.prose(size)), said("user", source.prose(size))]


@plan("history_truncated: window of messages")
def window(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = talked(source, shape, 5)
    yield Planted(talk.copy())
    for _ in range(2):
        go_on(talk, source)
        del talk.turns[:2]
        yield Planted(talk.copy(), "history_truncated", talk.turn_path(0))


@plan("history_truncated: middle dropped")
def middle_dropped(source: Source, shape: Shape) -> Iterator[Planted]:
    """The first message is kept, the ones behind it go."""
    talk = talked(source, shape, 6)
    yield Planted(talk.copy())
    go_on(talk, source)
    del talk.turns[2:6]
    yield Planted(talk.copy(), "history_truncated", talk.turn_path(2))


@plan("history_truncated: results elided")
def elided(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = agent(source, shape, 5, size=30)
    yield Planted(talk.copy())
    part = talk.turns[2].parts[0]
    talk.turns[2].parts[0] = part._replace(text="[Old tool result content cleared]")
    step(talk, source, 6)
    yield Planted(talk.copy(), "history_truncated", talk.turn_path(2))


@plan("history_truncated: result cut")
def cut(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = agent(source, shape, 5, size=40)
    yield Planted(talk.copy())
    part = talk.turns[2].parts[0]
    talk.turns[2].parts[0] = part._replace(text=part.text[:300] + "... [truncated]")
    step(talk, source, 6)
    yield Planted(talk.copy(), "history_truncated", talk.turn_path(2))


@plan("history_truncated: agent window")
def agent_window(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = agent(source, shape, 6, parallel=2, size=12)
    yield Planted(talk.copy())
    del talk.turns[1:5]
    step(talk, source, 7)
    yield Planted(talk.copy(), "history_truncated", talk.turn_path(1))


SUMMARIES = (
    "This session is being continued from a previous conversation that ran out of context. The conversation is summarized below:\n{}",
    "Summary of the conversation so far:\n{}",
    "<summary>\n{}\n</summary>",
    "[Conversation compacted]\n{}",
    "Here is a recap of what was discussed earlier: {}",
    "## Context from earlier\n{}",
)


def compacted(wording: str, keep: int) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        talk = talked(source, shape, 6)
        yield Planted(talk.copy())
        summary = said("user", wording.format(source.prose(30)))
        kept = talk.turns[-keep:] if keep else []
        talk.turns = [summary, *kept]
        if keep:
            go_on(talk, source)
        else:
            talk.turns += [said("assistant", "I have read it."), said("user", source.prose(10))]
        yield Planted(talk.copy(), "compaction", talk.turn_path(0))
        go_on(talk, source)
        yield Planted(talk.copy())

    return made


for _n, _wording in enumerate(SUMMARIES):
    for _keep in (0, 1, 3):
        if _keep or _n < 5:
            PLANS[f"compaction: wording {_n}, {_keep} kept"] = compacted(_wording, _keep), SHAPES


def shortened(wording: str, turns: int, size: int, keep: int, summary: int) -> Plan:
    """A conversation of a few words, or a summary of few: little has to be written anew, and it is all that was kept."""

    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        talk = talked(source, shape, turns, size)
        yield Planted(talk.copy())
        talk.turns = [said("user", wording.format(source.prose(summary))), *(talk.turns[-keep:] if keep else [])]
        if not keep:
            talk.turns.append(said("assistant", "I have read it."))
            talk.turns.append(said("user", source.prose(2)))
        else:
            go_on(talk, source, size)
        yield Planted(talk.copy(), "compaction", talk.turn_path(0))
        go_on(talk, source, size)
        yield Planted(talk.copy())

    return made


for _n, _wording in enumerate(SUMMARIES[:5]):
    PLANS[f"compaction: short history, wording {_n}"] = (
        shortened(_wording, 3, 2, _n % 2, 3),
        tuple(s for s in SHAPES if s.name in BOUNDARY),
    )
    PLANS[f"compaction: short summary, wording {_n}"] = shortened(_wording, 6, 15, 0, 12), SHAPES

REQUESTS = (
    "Summarize the following article in three points:\n{}",
    "Write a summary of this:\n{}",
    "Give me a recap of the meeting: {}",
    "Give a summary of the conversation so far between Ann and Bob:\n{}",
    "Summary: the app is slow.\n{}",
    "What has been compacted here, and why?\n{}",
)


@plan("none: a summary is asked for")
def asked_to_summarise(source: Source, shape: Shape) -> Iterator[Planted]:
    """Each in a conversation of its own, beside longer ones of the same prompt."""
    long = talked(source, shape, 6)
    yield Planted(long.copy())
    for request in REQUESTS:
        talk = long.copy()
        talk.turns = [said("user", request.format(source.prose(30)))]
        yield Planted(talk.copy())
        go_on(talk, source)
        yield Planted(talk)
        go_on(long, source)
        yield Planted(long.copy())


@plan("none: sessions that open with a summary")
def remembered(source: Source, shape: Shape) -> Iterator[Planted]:
    """An application that begins each session with what was said in those before it."""
    base = chat_of(source, shape, chars=7000)
    for turns in range(5, 1, -1):
        talk = base.copy()
        memory = f"Summary of our previous conversation: {source.prose(20)}"
        talk.turns = [said("user", memory), said("assistant", "I remember."), said("user", source.prose(15))]
        for _ in range(turns):
            go_on(talk, source)
        yield Planted(talk.copy())
        go_on(talk, source)
        yield Planted(talk)


@plan("history_rewritten: answer edited")
def rewritten(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = talked(source, shape, 4)
    yield Planted(talk.copy())
    talk.turns[1] = said("assistant", source.prose(15))
    go_on(talk, source)
    yield Planted(talk.copy(), "history_rewritten", talk.turn_path(1))


@plan("history_rewritten: reminder taken out")
def reminder(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = talked(source, shape, 3)
    before = talk.turns[2].parts[0]
    note = "\n<system-reminder>" + source.prose(3) + "</system-reminder>"
    talk.turns[2].parts[0] = before._replace(text=before.text + note)
    yield Planted(talk.copy())
    talk.turns[2].parts[0] = before
    go_on(talk, source)
    yield Planted(talk.copy(), "history_rewritten", talk.turn_path(2), also=frozenset({"history_truncated"}))


@plan("history_rewritten: thinking stripped", "claude")
def thinking_stripped(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = talked(source, shape, 3)
    talk.turns[1].parts.insert(0, Part("thinking", source.prose(20), mixed(source.rng, 60)))
    yield Planted(talk.copy())
    del talk.turns[1].parts[0]
    go_on(talk, source)
    yield Planted(talk.copy(), "history_rewritten", talk.turn_path(1))


@plan("message_extended", *BOUNDARY)
def extended(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = chat_of(source, shape)
    talk.turns = [said("user", source.prose(80))]
    yield Planted(talk.copy())
    for _ in range(2):
        part = talk.turns[-1].parts[0]
        talk.turns[-1].parts[0] = part._replace(text=part.text + "\n\n" + source.prose(8))
        yield Planted(talk.copy(), "message_extended", talk.turn_path(-1))


def pictured(change: str) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        talk = talked(source, shape, 3, size=20)
        image = Part("image", hexed(source.rng, 400))
        if change != "added":
            talk.turns[0].parts.insert(0, image)
        yield Planted(talk.copy())
        go_on(talk, source)
        yield Planted(talk.copy())
        if change == "added":
            talk.turns[0].parts.insert(0, image)
        elif change == "removed":
            del talk.turns[0].parts[0]
        else:
            talk.turns[0].parts[0] = Part("image", hexed(source.rng, 400))
        go_on(talk, source)
        where = talk.turn_path(0)
        if change == "removed" and shape.api != "messages":
            where = None
        yield Planted(talk.copy(), "image_changed", where)

    return made


for _change in ("changed", "added", "removed"):
    PLANS[f"image_changed: {_change}"] = pictured(_change), SHAPES


@plan("none: image sent at the end", "chat older", "chat newer", "responses older", "responses newer")
def image_at_end(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = talked(source, shape, 2)
    yield Planted(talk.copy())
    go_on(talk, source)
    talk.turns[-1].parts.insert(0, Part("image", hexed(source.rng, 400)))
    yield Planted(talk.copy())


@plan("image_changed: first image at the end", "claude")
def first_image(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = talked(source, shape, 3, size=25)
    yield Planted(talk.copy())
    go_on(talk, source)
    talk.turns[-1].parts.insert(0, Part("image", hexed(source.rng, 400)))
    yield Planted(talk.copy(), "image_changed", talk.turn_path(-1, 0))


# -- placement, size, lifetime


@plan("no_breakpoint: chat", "claude")
def unmarked_chat(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = chat_of(source, shape)
    talk.mark_system, talk.marked_turns = False, ()
    for i in range(4):
        talk.turns.append(said("user", source.question()))
        yield Planted(talk.copy(), "no_breakpoint" if i else "none", talk.turn_path(-3) if i else None)
        talk.turns.append(said("assistant", source.prose(12)))


@plan("no_breakpoint: batch", "claude")
def unmarked_batch(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    base.mark_system, base.marked_turns = False, ()
    for i in range(4):
        talk = fresh(base, source)
        yield Planted(talk, "no_breakpoint" if i else "none", talk.system_path() if i else None)


@plan("no_breakpoint: explicit mode", *NEW_GPT)
def explicit_mode(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    base.mark_system = False
    base.more = {"prompt_cache_options": {"mode": "explicit"}}
    for i in range(4):
        talk = fresh(base, source)
        yield Planted(talk, "no_breakpoint" if i else "none", talk.system_path() if i else None)


@plan("boundary_missing", *NEW_GPT)
def missing(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    base.mark_system = False
    for i in range(4):
        talk = fresh(base, source)
        yield Planted(talk, "boundary_missing" if i else "none", talk.system_path() if i else None)


@plan("breakpoint_after_volatile: last message", "claude")
def after_volatile(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    base.mark_system = False
    for i in range(4):
        talk = fresh(base, source)
        yield Planted(talk, "breakpoint_after_volatile" if i else "none", talk.turn_path(-1) if i else None)


@plan("breakpoint_after_volatile: automatic", "claude")
def automatic_after_volatile(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    base.mark_system, base.marked_turns = False, ()
    base.more = {"cache_control": {"type": "ephemeral"}}
    for i in range(4):
        talk = fresh(base, source)
        yield Planted(talk, "breakpoint_after_volatile" if i else "none", talk.turn_path(-1) if i else None)


@plan("breakpoint_after_volatile: system block", "claude")
def after_volatile_block(source: Source, shape: Shape) -> Iterator[Planted]:
    """A last system block that differs on each call carries the marker."""
    base = chat_of(source, shape)
    base.marked_turns = ()
    for i in range(4):
        talk = fresh(base, source)
        talk.system.append(source.prose(5))
        yield Planted(talk, "breakpoint_after_volatile" if i else "none", talk.system_path(1) if i else None)


@plan("lookback_exceeded: many blocks", "claude")
def lookback(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = chat_of(source, shape)
    talk.mark_system = False
    talk.turns = [said("user", source.prose(40))]
    yield Planted(talk.copy())
    talk.turns += [said("assistant", source.prose(3)), Turn("user", [Part("text", source.prose(2)) for _ in range(25)])]
    yield Planted(talk.copy(), "lookback_exceeded", talk.turn_path(0))


@plan("none: parallel tool calls within the lookback", "claude")
def parallel_calls(source: Source, shape: Shape) -> Iterator[Planted]:
    """A run of tool uses, and one of results, count as one position each."""
    talk = agent(source, shape, 2, size=20)
    yield Planted(talk.copy())
    for n in range(3):
        step(talk, source, n + 2, parallel=14, size=2)
        yield Planted(talk.copy())


@plan("below_minimum")
def short(source: Source, shape: Shape) -> Iterator[Planted]:
    base = Talk(shape, [source.prose(14)])
    for i in range(3):
        talk = fresh(base, source)
        yield Planted(talk, "below_minimum" if i else "none", None, broke=False)


@plan("too_many_breakpoints", *NEW_GPT)
def too_many(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    for i in range(4):
        talk = base.copy()
        talk.turns = [Turn("user", [Part("text", source.prose(5)) for _ in range(6)])]
        talk.mark_parts = True
        yield Planted(talk, "too_many_breakpoints" if i else "none", talk.system_path() if i else None)


def expiring(gap: Mapping[str, float], ttl: str | None, *, broke: bool) -> Plan:
    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        talk = chat_of(source, shape)
        talk.ttl = ttl if shape.claude else None
        for i in range(3):
            talk.turns.append(said("user", source.question()))
            gone = broke and i == 2
            after = gap[shape.model] if i == 2 else 7.0
            yield Planted(talk.copy(), "ttl_expired" if gone else "none", after_s=after)
            talk.turns.append(said("assistant", source.prose(6)))

    return made


PLANS.update(
    {
        "ttl_expired": (
            expiring({"claude-sonnet-4-5": 330, "gpt-4.1": 7200, "gpt-5.6": 1900}, None, broke=True),
            SHAPES,
        ),
        "ttl_expired: 1h": (expiring({"claude-sonnet-4-5": 3700}, "1h", broke=True), SHAPES[:1]),
        "none: within 1h": (expiring({"claude-sonnet-4-5": 3500}, "1h", broke=False), SHAPES[:1]),
        "none: within 5m": (
            expiring({"claude-sonnet-4-5": 290, "gpt-4.1": 290, "gpt-5.6": 1700}, None, broke=False),
            SHAPES,
        ),
        "ttl_expired: next day": (
            expiring(dict.fromkeys(["claude-sonnet-4-5", "gpt-4.1", "gpt-5.6"], 90_000), None, broke=True),
            SHAPES,
        ),
    }
)


@plan("concurrent_cold_start: fan-out")
def fan_out(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    for i in range(5):
        yield Planted(fresh(base, source), "concurrent_cold_start" if i else "none", after_s=0.1)
    yield Planted(fresh(base, source), after_s=5)


@plan("concurrent_cold_start: at the same second")
def same_second(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    for i in range(4):
        yield Planted(fresh(base, source), "concurrent_cold_start" if i else "none", after_s=0.0)


@plan("concurrent_cold_start: examples behind the marker", *BOUNDARY)
def examples_at_once(source: Source, shape: Shape) -> Iterator[Planted]:
    """More is shared than is marked, which is not what these calls lost."""
    base = chat_of(source, shape)
    base.turns = [said(role, source.prose(14)) for _ in range(4) for role in ("user", "assistant")]
    base.marked_turns = ()
    for i in range(4):
        yield Planted(fresh(base, source), "concurrent_cold_start" if i else "none", after_s=0.1)


def forget(response: JSON) -> None:
    usage = response["usage"]
    if "cache_read_input_tokens" in usage:
        usage["cache_creation_input_tokens"] += usage["cache_read_input_tokens"]
        usage["cache_read_input_tokens"] = 0
        return
    details = usage.get("prompt_tokens_details") or usage["input_tokens_details"]
    if "cache_write_tokens" in details:
        details["cache_write_tokens"] += details["cached_tokens"]
    details["cached_tokens"] = 0


@plan("evicted_or_rerouted")
def evicted(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = chat_of(source, shape)
    for i in range(4):
        talk.turns.append(said("user", source.question()))
        gone = i == 2
        yield Planted(talk.copy(), "evicted_or_rerouted" if gone else "none", spoil=forget if gone else None)
        talk.turns.append(said("assistant", source.prose(6)))


@plan("none: not reported")
def unreported(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)

    def drop(response: JSON) -> None:
        for name in ("prompt_tokens_details", "input_tokens_details", "cache_read_input_tokens"):
            response["usage"].pop(name, None)
        for name in ("cache_creation_input_tokens", "cache_creation"):
            response["usage"].pop(name, None)

    for i in range(3):
        talk = fresh(base, source)
        talk.system[0] = f"Request {i}\n" + talk.system[0]
        yield Planted(talk, "none", spoil=drop)


@plan("none: other workspaces")
def other_scopes(source: Source, shape: Shape) -> Iterator[Planted]:
    base = chat_of(source, shape)
    for i in range(4):
        yield Planted(fresh(base, source), scope=f"workspace {i}")


@plan("none: changes behind the last boundary")
def behind(source: Source, shape: Shape) -> Iterator[Planted]:
    """What is volatile stands in the last message, behind all that is shared."""
    base = chat_of(source, shape)
    for i in range(4):
        talk = base.copy()
        line = WORDED[i * 7 % len(WORDED)][2](source.rng, i)
        talk.turns = [said("user", f"{line}\n{documents(source, STYLES[i])}\n\n{source.question()}")]
        talk.marked_turns = ()
        yield Planted(talk)


@plan("none: two prompts in turn")
def two_prompts(source: Source, shape: Shape) -> Iterator[Planted]:
    bases = [chat_of(source, shape), chat_of(source, shape), chat_of(source, shape, chars=3000)]
    for i in range(9):
        yield Planted(fresh(bases[i % 3], source), "none" if i < 3 or i % 3 != 5 else None)


@plan("none: agents that share tools")
def sub_agents(source: Source, shape: Shape) -> Iterator[Planted]:
    tools = source.tools(8)
    roles = [Talk(shape, [source.system(6000)], tools) for _ in range(3)]
    for i in range(9):
        yield Planted(fresh(roles[i % 3], source))


@plan("none: retries")
def retried(source: Source, shape: Shape) -> Iterator[Planted]:
    talk = chat_of(source, shape)
    for _ in range(3):
        talk.turns.append(said("user", source.question()))
        yield Planted(talk.copy())
        yield Planted(talk.copy(), after_s=3)
        talk.turns.append(said("assistant", source.prose(6)))


# -- several things at once

Edit = Callable[[Talk, int, Source], None]


def _stamp(category: str, where: str) -> Edit:
    def edit(talk: Talk, i: int, source: Source) -> None:
        makers = [make for name, _, make in WORDED if name == category]
        # Each run has one wording, so that nothing but the value differs.
        line = makers[talk.wording % len(makers)](source.rng, i)
        if where == "tool":
            # The same tool wherever another edit put it, or else its content would move from tool to tool.
            sorted(talk.tools, key=itemgetter("name"))[2]["description"] += f" {line}"
        elif where == "head":
            talk.system[0] = f"{line}\n{talk.system[0]}"
        else:
            lines = talk.system[0].split("\n")
            half = len(lines) // 2
            talk.system[0] = "\n".join([*lines[:half], line, *lines[half:]])

    return edit


def _turn_tools(talk: Talk, i: int, _source: Source) -> None:
    talk.tools = talk.tools[i % 4 :] + talk.tools[: i % 4]


def _turn_keys(talk: Talk, i: int, source: Source) -> None:
    tool = max(talk.tools, key=lambda tool: tool["name"])
    schema = tool["schema"]
    for _ in range(i):
        schema = turned(schema, source.rng)
    tool["schema"] = {"x-a": i * 0, **schema} if i % 2 else {**schema, "x-a": 0}


def _respace(talk: Talk, i: int, _source: Source) -> None:
    talk.system[0] += " \n" * i


EDITS: Mapping[str, tuple[str, Edit]] = {
    "tool_order": ("tool_order", _turn_tools),
    "json_key_order": ("json_key_order", _turn_keys),
    "whitespace": ("whitespace", _respace),
    **{
        f"{category} in {where}": (category, _stamp(category, where))
        for category in ("timestamp", "date", "uuid", "session_id", "random_id", "nonce", "counter", "temp_path", "volatile_url")
        for where in ("head", "middle", "tool")
    },
}  # fmt: skip


def together(names: Sequence[str]) -> Plan:
    """What is planted together: the causes of a verdict are exactly these."""

    def made(source: Source, shape: Shape) -> Iterator[Planted]:
        base = chat_of(source, shape)
        base.wording = source.rng.randrange(1000)
        causes = frozenset(EDITS[name][0] for name in names)
        for i in range(3):
            talk = fresh(base, source)
            for name in names:
                EDITS[name][1](talk, i, source)
            yield Planted(talk, min(causes) if i else "none", causes=causes if i else frozenset())

    return made


def combinations(rng: random.Random, n: int) -> list[tuple[str, ...]]:
    """`n` picks of two or three edits that are different causes."""
    found: list[tuple[str, ...]] = []
    while len(found) < n:
        picked = tuple(sorted(rng.sample(sorted(EDITS), rng.choice([2, 3]))))
        if len({EDITS[name][0] for name in picked}) == len(picked):
            found.append(picked)
    return found
