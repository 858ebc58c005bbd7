"""Whose prompt cache a request may read: providers keep one per organisation, project or workspace."""

import secrets
from typing import Any

from llm_observer.privacy import Hasher

__all__ = ["scope_of"]

_hasher = Hasher(secrets.token_bytes(32))
"""Keyed for this process: a scope is compared in memory and never kept."""

_HEADERS = ("openai-organization", "openai-project", "anthropic-workspace-id", "x-api-key", "api-key")

_TOKENS_CHANGE = frozenset({"azure.ai.openai", "aws.bedrock", "gcp.vertex_ai"})
"""Where `Authorization` is a token of an hour or a signature, not who pays."""


def scope_of(provider: str, client: Any, request: Any) -> str:
    """A name for the cache that `request` reads: base URL, organisation, project and key, hashed."""
    headers = request.headers
    parts = [str(client.base_url), *(str(headers.get(name, "")) for name in _HEADERS)]
    if provider not in _TOKENS_CHANGE:
        parts.append(str(headers.get("authorization", "")))
    return _hasher.name("\0".join(parts).encode(errors="surrogateescape"))
