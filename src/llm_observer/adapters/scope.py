"""Whose prompt cache a request may read: providers keep one per organisation, project or workspace."""

import secrets
from functools import lru_cache
from typing import Any

from llm_observer.privacy import Hasher

__all__ = ["key_scopes", "scope_of"]

_keys = [Hasher(secrets.token_bytes(32))]
"""Keyed for this process, unless it shares its index: a scope is compared in memory and never kept."""

_HEADERS = frozenset({b"openai-organization", b"openai-project", b"anthropic-workspace-id", b"x-api-key", b"api-key"})

_TOKENS_CHANGE = frozenset({"azure.ai.openai", "aws.bedrock", "gcp.vertex_ai"})
"""Where `Authorization` is a token of an hour or a signature, not who pays."""


_AUTHORIZED = _HEADERS | {b"authorization"}


_lower = lru_cache(maxsize=256)(bytes.lower)
"""Names of headers are few, and the same in every request."""


def key_scopes(hasher: Hasher) -> None:
    """Name scopes as the other processes with the same hash key do, so that their caches can be told to be one."""
    _keys[:] = [hasher]


def scope_of(provider: str, base_url: str, request: Any) -> str:
    """A name for the cache that `request` reads: base URL, organisation, project and key, hashed."""
    wanted = _HEADERS if provider in _TOKENS_CHANGE else _AUTHORIZED
    headers: list[tuple[bytes, bytes]] = request.headers.raw
    parts = sorted((key, value) for name, value in headers if (key := _lower(name)) in wanted)
    return _keys[-1].name(base_url.encode(errors="replace"), *(b"\0%b=%b" % part for part in parts))
