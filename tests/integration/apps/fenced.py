"""Makes calls of both SDKs with `llm_observer.patch()` in a process that reaches one address only.

`fenced.py PORT LOG`: each use of the network by the process, to its very end, is a line of JSON in LOG; what is not a
connection to the provider at 127.0.0.1:PORT is refused.
"""

import json
import os
import sys
from typing import Any

PROVIDER = ("127.0.0.1", int(sys.argv[1]))
LOG = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

EVENTS = frozenset(
    {
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
        "socket.sendmsg",
        "socket.sendto",
        "urllib.Request",
    }
)


def fence(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what is attempted, and allow the provider. The name is looked up by the SDKs' HTTP library, as a number."""
    if event not in EVENTS:
        return
    what = list(arguments[1:] if event in {"socket.bind", "socket.connect"} else arguments[:2])
    allowed = (event == "socket.connect" and what == [PROVIDER]) or (
        event == "socket.getaddrinfo" and what == list(PROVIDER)
    )
    os.write(LOG, (json.dumps({"event": event, "what": repr(what), "allowed": allowed}) + "\n").encode())
    if not allowed:
        raise PermissionError(f"{event} is refused")


sys.addaudithook(fence)

import asyncio  # noqa: E402  the fence stands before anything is loaded

import anthropic  # noqa: E402
import openai  # noqa: E402

import llm_observer  # noqa: E402

QUESTION: Any = [{"role": "user", "content": "Where is my spade?"}]
GPT: Any = {"model": "gpt-4.1", "messages": QUESTION}
CLAUDE: Any = {"model": "claude-sonnet-4-6", "max_tokens": 64, "messages": QUESTION}


def sync_calls() -> None:
    with openai.OpenAI(max_retries=0) as gpt, anthropic.Anthropic(max_retries=0) as claude:
        gpt.chat.completions.create(**GPT)
        list(gpt.chat.completions.create(**GPT, stream=True))
        gpt.responses.create(model="gpt-5.6", input="Where is my spade?")
        claude.messages.create(**CLAUDE)
        list(claude.messages.create(**CLAUDE, stream=True))


async def async_calls() -> None:
    async with openai.AsyncOpenAI(max_retries=0) as gpt, anthropic.AsyncAnthropic(max_retries=0) as claude:
        calls: list[Any] = [gpt.chat.completions.create(**GPT), claude.messages.create(**CLAUDE)]
        await asyncio.gather(*calls)


llm_observer.patch()
sync_calls()
asyncio.run(async_calls())
print(llm_observer.summary().total.calls, "calls")
print("flushed:", llm_observer.flush())
print("swallowed:", dict(llm_observer.stats().errors))
