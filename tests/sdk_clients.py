"""The clients that people call the SDKs with, each with the styles that are tried on it."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sdk_styles import (
    ANTHROPIC,
    CHAT_CREATE,
    CHAT_STREAM,
    EMBEDDINGS_CREATE,
    MESSAGES_CREATE,
    MESSAGES_HELPER,
    MESSAGES_STREAM,
    MESSAGES_STREAM_BYTES,
    MESSAGES_STREAMING_BYTES,
    MESSAGES_STREAMING_LINES,
    OPENAI,
    RESPONSES_CREATE,
    RESPONSES_STREAM,
    Style,
)

__all__ = ["CLIENTS", "HOSTS", "Client", "Row", "dispose", "rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A kind of client.

    Attributes:
        sdk: The package that it is of.
        name: Where its calls go; empty for the SDK's own provider.
        provider: `gen_ai.provider.name` of its calls.
        make: Makes one from the URL of a `ScriptedServer`, an async one if told so. Raises `AttributeError` or
            `ImportError` where the SDK has none, or what it needs besides is not installed.
        styles: How it is called.
    """

    sdk: str
    name: str = ""
    provider: str
    make: Callable[[str, bool], Any]
    styles: tuple[Style, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One way of calling one kind of client."""

    client: Client
    style: Style

    @property
    def name(self) -> str:
        """What it is called in the coverage table."""
        return f"{self.client.name}: {self.style.name}" if self.client.name else self.style.name


def _made(sdk: str, kind: str, *, keyed: bool = True, at: str = "", **arguments: Any) -> Callable[[str, bool], Any]:
    """Makes `sdk.kind`, or its async twin, at the server's URL and `at` behind it."""

    def make(url: str, asynchronous: bool) -> Any:  # noqa: FBT001  the two kinds there are
        module: Any = importlib.import_module(sdk)
        given = {"base_url": url + at, "max_retries": 0, **({"api_key": "key"} if keyed else {}), **arguments}
        return getattr(module, f"Async{kind}" if asynchronous else kind)(**given)

    return make


def _azure(url: str, asynchronous: bool) -> Any:  # noqa: FBT001  the two kinds there are
    return _made("openai", "AzureOpenAI", azure_endpoint=url, base_url=None, api_version="2024-10-21")(
        url, asynchronous
    )


def _module(url: str, asynchronous: bool) -> Any:  # noqa: FBT001  the two kinds there are
    """`openai` itself, which has no async twin."""
    if asynchronous:
        raise AttributeError("openai has no async module-level client")
    openai: Any = importlib.import_module("openai")
    openai._reset_client()
    # The SDK appends to this one as it is.
    openai.base_url, openai.api_key = f"{url}/v1/", "key"
    return openai


def _at(host: str) -> Callable[[str, bool], Any]:
    """Makes a client that believes to talk to `host`: the connection goes to the server."""

    def make(url: str, asynchronous: bool) -> Any:  # noqa: FBT001  the two kinds there are
        base: Any = importlib.import_module("openai._base_client")
        http = getattr(base, "httpx2", None) or base.httpx
        real = http.URL(url)

        def there(request: Any) -> None:
            request.url = request.url.copy_with(scheme=real.scheme, host=real.host, port=real.port)

        async def there_later(request: Any) -> None:
            there(request)

        client = (
            http.AsyncClient(event_hooks={"request": [there_later]})
            if asynchronous
            else http.Client(event_hooks={"request": [there]})
        )
        return _made("openai", "OpenAI", base_url=f"https://{host}/v1", http_client=client)(url, asynchronous)

    return make


async def dispose(client: Any) -> None:
    """Close a client that was made here."""
    if inspect.ismodule(client):
        openai: Any = client
        openai.base_url = openai.api_key = None
        openai._reset_client()
    elif inspect.isawaitable(closed := client.close()):
        await closed


HOSTS = {
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.x.ai": "x_ai",
    "api.perplexity.ai": "perplexity",
    "api.moonshot.ai": "moonshot_ai",
    "openrouter.ai": "openrouter",
    "api.together.xyz": "together_ai",
    "vllm.internal.example": "openai",
}
"""Hosts that speak OpenAI's protocol, and whose models are there. Of one's own there is no name but the protocol's."""

_BEDROCK = {"aws_access_key": "a", "aws_secret_key": "b", "aws_region": "us-east-1"}
_VERTEX = {"region": "us-east5", "project_id": "p", "access_token": "token"}
_ELSEWHERE = (
    MESSAGES_CREATE,
    MESSAGES_STREAM,
    MESSAGES_HELPER,
    MESSAGES_STREAMING_BYTES,
    MESSAGES_STREAMING_LINES,
    MESSAGES_STREAM_BYTES,
)

CLIENTS = (
    Client(sdk="openai", provider="openai", make=_made("openai", "OpenAI", at="/v1"), styles=OPENAI),
    Client(
        sdk="openai", name="module-level client", provider="openai", make=_module, styles=(CHAT_CREATE, CHAT_STREAM)
    ),
    Client(
        sdk="openai",
        name="Azure OpenAI",
        provider="azure.ai.openai",
        make=_azure,
        styles=(CHAT_CREATE, CHAT_STREAM, RESPONSES_CREATE, EMBEDDINGS_CREATE),
    ),
    Client(
        sdk="openai",
        name="BedrockOpenAI",
        provider="aws.bedrock",
        make=_made("openai", "BedrockOpenAI", at="/v1", aws_region="us-east-1"),
        styles=(RESPONSES_CREATE, RESPONSES_STREAM),
    ),
    *(
        Client(sdk="openai", name=host, provider=provider, make=_at(host), styles=(CHAT_CREATE,))
        for host, provider in HOSTS.items()
    ),
    Client(sdk="anthropic", provider="anthropic", make=_made("anthropic", "Anthropic"), styles=ANTHROPIC),
    Client(
        sdk="anthropic",
        name="AnthropicBedrock",
        provider="aws.bedrock",
        make=_made("anthropic", "AnthropicBedrock", keyed=False, **_BEDROCK),
        styles=tuple(style for style in _ELSEWHERE if style is not MESSAGES_STREAMING_LINES),
    ),
    Client(
        sdk="anthropic",
        name="AnthropicVertex",
        provider="gcp.vertex_ai",
        make=_made("anthropic", "AnthropicVertex", keyed=False, **_VERTEX),
        styles=_ELSEWHERE,
    ),
    Client(
        sdk="anthropic",
        name="AnthropicFoundry",
        provider="anthropic",
        make=_made("anthropic", "AnthropicFoundry"),
        styles=_ELSEWHERE,
    ),
    Client(
        sdk="anthropic",
        name="AnthropicAWS",
        provider="anthropic",
        make=_made("anthropic", "AnthropicAWS", workspace_id="w", aws_region="us-east-1"),
        styles=(MESSAGES_CREATE, MESSAGES_STREAM),
    ),
    Client(
        sdk="anthropic",
        name="AnthropicGoogleCloud",
        provider="anthropic",
        make=_made("anthropic", "AnthropicGoogleCloud", keyed=False, skip_auth=True, project="p", location="global"),
        styles=(MESSAGES_CREATE, MESSAGES_STREAM),
    ),
)


def rows() -> Iterator[Row]:
    """All rows of the coverage table."""
    for client in CLIENTS:
        for style in client.styles:
            yield Row(client, style)
