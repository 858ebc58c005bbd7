"""What leaves the machine of an event: the contract's allow-list, less the names that people gave to things."""

import re
from typing import Any, cast

from llm_observer.export.events import Event
from llm_observer.export.shape import event_shape

__all__ = ["redact"]

_DEPLOYMENT_PROVIDERS = frozenset({"azure.ai.openai", "azure.ai.inference"})
"""Where the model asked for is the name of a deployment."""

_GIVEN_NAME = re.compile(
    r"""
    ^ft: | :ft-              # an OpenAI fine-tune carries the names of organisation and model
    | ^arn:                  # an AWS resource carries the account
    | (^|/)projects/         # a Vertex AI resource carries the project
    | (^|/)(deployments|endpoints|accounts)/
    """,
    re.VERBOSE | re.IGNORECASE,
)

_PUBLIC_HOST = re.compile(
    r"""
    ((us|eu|au|ca|jp|in|sg|kr|gb|ae)\.)?api\.openai\.com
    | api\.anthropic\.com
    | bedrock-(runtime|mantle)\.[a-z]{2}(-[a-z]+)+-[0-9]\.amazonaws\.com
    | ([a-z]+-[a-z]+[0-9]+-)?aiplatform\.googleapis\.com
    | generativelanguage\.googleapis\.com
    | openrouter\.ai
    | api\.(together\.(xyz|ai)|groq\.com|mistral\.ai|deepseek\.com|x\.ai|moonshot\.(ai|cn)|perplexity\.ai|cohere\.com)
    | localhost | 127\.0\.0\.1 | ::1
    """,
    re.VERBOSE,
)
"""Hosts that name a provider, or this machine, and nobody's network."""


def redact(event: Event, *, send_names: bool) -> Event | None:
    """A copy of `event` with what may be sent, and nothing that the contract does not name.

    Without `send_names` it lacks the call site, names of fine-tunes and deployments, and hosts that are not a
    provider's public one. `None` when what is left would not be an event.
    """
    sent = cast("Event | None", event_shape(names=send_names).clean(event))
    if sent is None or send_names:
        return sent
    call: dict[str, Any] = sent["call"]
    if call["provider"] in _DEPLOYMENT_PROVIDERS:
        call.pop("request_model", None)
    for field in ("request_model", "response_model"):
        if field in call and _GIVEN_NAME.search(call[field]):
            del call[field]
    if "server_address" in call and not _PUBLIC_HOST.fullmatch(call["server_address"]):
        del call["server_address"]
    return sent
