"""Recorded calls made with the demo provider, which keeps its cache by the vendors' rules and not by our analysis."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from llm_observer.demo.provider import Exchange, Provider, VirtualClock

JSON = dict[str, Any]

PATHS = {"messages": "/v1/messages", "chat.completions": "/v1/chat/completions", "responses": "/v1/responses"}


class Recorder:
    """Sends bodies to a provider, without a network, and keeps the records that `analyze` takes."""

    def __init__(self, provider: Provider, clock: VirtualClock) -> None:
        self.provider = provider
        self.clock = clock
        self.records: list[JSON] = []

    def call(self, api: str, body: JSON, *, after_s: float = 10.0, scope: str = "workspace") -> JSON:
        """Send `body`, `after_s` seconds after the last; the response takes one second to begin."""
        self.clock.advance(after_s)
        at = self.clock.now
        raw = json.dumps(body).encode()
        reply = self.provider.reply(PATHS[api], raw, scope)
        assert reply is not None
        self.provider.clock = lambda: at + 1.0
        self.provider.begin_response(reply.ticket)
        self.provider.clock = self.clock
        record = {
            "at": at,
            "provider": "anthropic" if api == "messages" else "openai",
            "api": api,
            "request": json.loads(raw),
            "response": reply.whole(),
            "first_byte_s": 1.0,
            "duration_s": 2.0,
            "scope": scope,
        }
        self.records.append(record)
        return record

    @property
    def truth(self) -> list[Exchange]:
        """What the provider's cache truly did, call by call."""
        return self.provider.log


@contextmanager
def recorder() -> Generator[Recorder]:
    """A recorder with a provider of its own, whose clock is virtual."""
    clock = VirtualClock()
    with Provider(clock=clock) as provider:
        yield Recorder(provider, clock)
