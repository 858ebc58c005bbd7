"""Which requests are calls to a model, and whose model it is."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from llm_observer.adapters.reading import ChatReading, EmbeddingsReading, MessagesReading, Reading, ResponsesReading

__all__ = ["ANTHROPIC_APIS", "OPENAI_APIS", "Api", "Server", "api_of", "provider_of", "server_of"]


class Api(NamedTuple):
    """One endpoint of inference."""

    path: str
    name: str
    """`Call.api`."""
    operation: str
    """`gen_ai.operation.name`."""
    reading: type[Reading]


# A path that ends in another one stands before it.
OPENAI_APIS = (
    Api("/chat/completions", "chat.completions", "chat", ChatReading),
    Api("/responses", "responses", "chat", ResponsesReading),
    Api("/completions", "completions", "text_completion", ChatReading),
    Api("/embeddings", "embeddings", "embeddings", EmbeddingsReading),
)
ANTHROPIC_APIS = (Api("/v1/messages", "messages", "chat", MessagesReading),)

_BY_CLASS: Mapping[str, str] = {
    "AzureOpenAI": "azure.ai.openai",
    "BedrockOpenAI": "aws.bedrock",
    "AnthropicBedrock": "aws.bedrock",
    "AnthropicBedrockMantle": "aws.bedrock",
    "AnthropicVertex": "gcp.vertex_ai",
    # Anthropic's own service, sold by others and at their hosts.
    "AnthropicFoundry": "anthropic",
    "AnthropicAWS": "anthropic",
    "AnthropicGoogleCloud": "anthropic",
}
"""Providers by the client's class, without a leading `Async`."""

_BY_HOST: Mapping[str, str] = {
    "openai.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "amazonaws.com": "aws.bedrock",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.anthropic.com": "anthropic",
    "deepseek.com": "deepseek",
    "groq.com": "groq",
    "mistral.ai": "mistral_ai",
    "x.ai": "x_ai",
    "perplexity.ai": "perplexity",
    "moonshot.ai": "moonshot_ai",
    "moonshot.cn": "moonshot_ai",
    "cohere.com": "cohere",
    "cohere.ai": "cohere",
    "openrouter.ai": "openrouter",
    "together.ai": "together_ai",
    "together.xyz": "together_ai",
    "fireworks.ai": "fireworks_ai",
    "cerebras.ai": "cerebras",
    "z.ai": "zai",
    "bigmodel.cn": "zhipuai",
    "minimax.io": "minimax",
    "minimaxi.com": "minimax",
    "aliyuncs.com": "alibaba",
    "novita.ai": "novita",
    "deepinfra.com": "deepinfra",
    "nebius.com": "nebius",
    "sambanova.ai": "sambanova",
    "huggingface.co": "huggingface",
}
"""Providers that speak another's protocol, by the end of the host's name."""


def api_of(apis: tuple[Api, ...], options: Any) -> Api | None:
    """The API that a request's options call; `None` for one that is no inference. Paths come with or without a base."""
    if str(options.method).lower() != "post":
        return None
    path = str(options.url).partition("?")[0]
    for api in apis:
        if path.endswith(api.path):
            return api
    return None


def provider_of(client: object, host: str | None) -> str:
    """OpenTelemetry's name of the provider behind `client`, by its class, else its host, else the SDK's own."""
    return _provider(type(client), host)


@lru_cache(maxsize=256)
def _provider(kind: type, host: str | None) -> str:
    for base in kind.__mro__:
        provider = _BY_CLASS.get(base.__name__.removeprefix("Async"))
        if provider is not None:
            return provider
    if host is not None:
        # The region stands in front of it, with a hyphen.
        labels = host.lower().replace("-aiplatform.", ".aiplatform.").split(".")
        for start in range(len(labels) - 1):
            provider = _BY_HOST.get(".".join(labels[start:]))
            if provider is not None:
                return provider
    return "anthropic" if any(base.__module__.startswith("anthropic.") for base in kind.__mro__) else "openai"


class Server(NamedTuple):
    """What a client talks to."""

    url: Any
    """The base URL as the client has it."""
    text: str
    """The same as a string."""
    address: str | None
    port: int | None
    provider: str


_servers: WeakKeyDictionary[Any, Server] = WeakKeyDictionary()
"""By client: taking a URL apart costs more than all the rest of the beginning of a call."""


def server_of(client: Any) -> Server:
    """The server that `client` calls, and whose it is."""
    url = client.base_url
    known = _servers.get(client)
    # A client's base URL can be set anew.
    if known is not None and known.url is url:
        return known
    host = cast("object", url.host)
    port = cast("object", url.port)
    if not isinstance(host, str) or not host:
        server = Server(url, str(url), None, None, provider_of(client, None))
    else:
        port = port if isinstance(port, int) else 80 if url.scheme == "http" else 443
        server = Server(url, str(url), host, port, provider_of(client, host))
    _servers[client] = server
    return server
