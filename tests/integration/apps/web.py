"""A WSGI application that makes one call for each request."""

from collections.abc import Callable, Iterable
from typing import Any

import openai

import llm_observer

llm_observer.patch()


def application(_environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Ask, and answer with nothing."""
    with openai.OpenAI(max_retries=0) as client:
        client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Where is my spade?"}])
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]
