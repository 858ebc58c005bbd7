"""Healthy traffic: chats, agents, RAG and batches at once, each marked where its provider wants that.

Sessions are interleaved and end at any time, calls are repeated, markers move along, heads start together. No call
waits longer than its entries live, and no prompt's second call is sent before its first response has begun.
"""

import random
from collections.abc import Iterator

from scenarios import Planted, Source, chat_of, documents, fresh, go_on, step
from traffic import JSON, SHAPES, Part, Shape, Talk, Turn, said
from workload import hexed, mixed

__all__ = ["healthy"]


class _Session:
    """One application's session; `next` makes its next call."""

    def __init__(self, base: Talk, source: Source) -> None:
        self.talk = base.copy()
        self.source = source
        self.left = source.rng.randint(2, 12)

    def next(self) -> Talk:
        self.left -= 1
        self.advance()
        return self.talk.copy()

    def advance(self) -> None:
        if self.talk.turns and self.talk.turns[-1].role == "user":
            self.talk.turns.append(said("assistant", self.source.prose(self.source.rng.randint(1, 8))))
        self.talk.turns.append(said("user", self.source.question()))


class _Agent(_Session):
    """Calls tools, several at a time, thinks on Claude, and reads long answers."""

    def advance(self) -> None:
        rng, talk = self.source.rng, self.talk
        if not talk.turns:
            talk.turns.append(said("user", self.source.question()))
        elif talk.turns[-1].parts[-1].kind == "result" and rng.random() < 0.2:
            go_on(talk, self.source, rng.randint(1, 4))
        else:
            step(talk, self.source, len(talk.turns), parallel=rng.randint(1, 4), size=rng.randint(1, 20))
            if talk.shape.claude and rng.random() < 0.5:
                talk.turns[-2].parts.insert(0, Part("thinking", self.source.prose(3), mixed(rng, 60)))
        talk.marked_turns = (-3, -1) if rng.random() < 0.5 else (-1,)


class _Retrieval(_Session):
    """Asks one question with what was retrieved behind the instructions."""

    def advance(self) -> None:
        rng = self.source.rng
        given = documents(self.source, rng.choice(["xml", "markdown", "json", "numbered", "plain"]))
        self.talk.turns = [said("user", f"{given}\n\n{self.source.question()}")]
        self.talk.marked_turns = ()


class _Seen(_Session):
    """Talks about an image that came first, and is never without one."""

    def __init__(self, base: Talk, source: Source) -> None:
        super().__init__(base, source)
        self.talk.turns = [Turn("user", [Part("image", hexed(source.rng, 300)), Part("text", source.question())])]


def _bases(source: Source, shape: Shape) -> list[tuple[type[_Session], Talk]]:
    rng = source.rng
    tools = source.tools(8)
    chat, retrieval = chat_of(source, shape, chars=rng.randint(6000, 16_000)), chat_of(source, shape)
    agents = [Talk(shape, [source.system(7000), source.prose(10)], tools) for _ in range(2)]
    for agent in agents:
        agent.mark_tools = shape.claude and rng.random() < 0.5
    strict: JSON = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    if shape.api == "chat.completions":
        chat.more = {"response_format": strict}
    if shape.api != "messages":
        retrieval.more = {"prompt_cache_key": f"app-{rng.randint(1, 99)}"}
    seen = Talk(shape, [source.system(8000)], tools[:2])
    return [(_Session, chat), (_Retrieval, retrieval), *((_Agent, agent) for agent in agents), (_Seen, seen)]


def healthy(source: Source, turns: int) -> Iterator[Planted]:
    """About `turns` calls of all kinds, to every API and model."""
    rng = source.rng
    bases = rng.sample([base for shape in SHAPES for base in _bases(source, shape)], 12)
    # All heads start together: none of them is another's.
    for kind, base in bases:
        first = kind(base, source).next() if kind is _Seen else fresh(base, source)
        yield Planted(first, after_s=0.05)
    yield from _sessions(source, bases, turns - len(bases), rng)


def _sessions(
    source: Source, bases: list[tuple[type[_Session], Talk]], turns: int, rng: random.Random
) -> Iterator[Planted]:
    open_: list[tuple[int, _Session]] = []
    used = [0] * len(bases)
    last: Talk | None = None
    for n in range(turns):
        if last is not None and rng.random() < 0.05:
            yield Planted(last.copy(), after_s=2.0)
            continue
        open_ = [row for row in open_ if row[1].left > 0]
        while len(open_) < 8:
            # What was last used long ago would soon be gone from the cache.
            chosen = min(range(len(bases)), key=lambda i: used[i]) if rng.random() < 0.5 else rng.randrange(len(bases))
            used[chosen] = n
            open_.append((chosen, bases[chosen][0](bases[chosen][1], source)))
        waiting = min(open_, key=lambda row: used[row[0]])
        chosen, session = waiting if n - used[waiting[0]] > 60 else rng.choice(open_)
        used[chosen] = n
        talk = last = session.next()
        talk.more = talk.more | {"stream": rng.random() < 0.5}
        yield Planted(talk, after_s=rng.uniform(1.1, 1.8))
