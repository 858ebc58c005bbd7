"""Names of attributes and metrics: the only place where they are spelled.

Generated from semconv/ by `make generate`. Do not edit.
"""
# ruff: noqa: S105  a type of token is no password

from typing import Final, Literal, NamedTuple

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"
"""The release of the conventions that these names belong to, or come closest to."""

# Ours, on the span of a call.

CONTENT_CUT: Final = "llm_observer.content.cut"
"""True when the messages, instructions or tool definitions on the span are not all of the call's."""

CALL_API: Final = "llm_observer.call.api"
"""Which API of the provider was called, or of whose kind."""

CallApi = Literal[
    "chat.completions",
    "responses",
    "completions",
    "embeddings",
    "messages",
]
"""The values of `llm_observer.call.api`."""

CALL_SERVICE_TIER: Final = "llm_observer.call.service_tier"
"""The service tier that served the call, as the response names it."""

USAGE_CACHE_WRITE_1H_TOKENS: Final = "llm_observer.usage.cache_write_1h_tokens"
"""The input tokens that were written to the provider's cache for one hour."""

USAGE_CACHE_WRITE_12H_TOKENS: Final = "llm_observer.usage.cache_write_12h_tokens"
"""The input tokens that were written to the provider's cache for twelve hours."""

PROMPT_HASH: Final = "llm_observer.prompt.hash"
"""Keyed hash of the whole prompt as it was sent."""

PROMPT_CANONICAL_HASH: Final = "llm_observer.prompt.canonical_hash"
"""Keyed hash of the prompt's canonical form: white space, Unicode form, JSON key order and volatile values evened out.
"""

PROMPT_FAMILY: Final = "llm_observer.prompt.family"
"""Id of the canonical head (tools and system text): one prompt as a person thinks of it. The name that `tag` gave,
where it gave one.
"""

PROMPT_SIMILARITY: Final = "llm_observer.prompt.similarity"
"""The part of the prompt, by tokens, that is a canonical prefix shared with the closest earlier call; 0 to 1."""

PROMPT_SEGMENTS: Final = "llm_observer.prompt.segments"
"""The number of segments (tools, system blocks, message parts) that the prompt has."""

PROMPT_KEY_ID: Final = "llm_observer.prompt.key_id"
"""Which hash key was used."""

PROMPT_CHAIN: Final = "llm_observer.prompt.chain"
"""Canonical and wire chain ids at the prompt's boundaries, for joining calls across processes."""

COST_USD: Final = "llm_observer.cost.usd"
"""What the call cost at list prices, or by the provider's own word, in US dollars."""

COST_SAVED_USD: Final = "llm_observer.cost.saved_usd"
"""What the prompt cache saved against the same call without it, in US dollars, net of write premiums. Negative when a
write cost more than the reads gave.
"""

COST_REASON: Final = "llm_observer.cost.reason"
"""Why the cost is not known."""

CostReason = Literal[
    "unknown_provider",
    "unknown_model",
    "unknown_tier",
    "unknown_geo",
    "unknown_rate",
    "unknown_date",
    "invalid_terms",
    "no_usage",
    "incomplete_usage",
    "invalid_usage",
    "separate_iterations",
    "prices_loading",
    "prices_unavailable",
    "internal_error",
]
"""The values of `llm_observer.cost.reason`."""

COST_SOURCE: Final = "llm_observer.cost.source"
"""Where the price came from, with the version of its data."""

CACHE_OUTCOME: Final = "llm_observer.cache.outcome"
"""What the provider's prompt cache gave the call."""

CacheOutcome = Literal[
    "hit",
    "partial",
    "miss",
    "cold",
    "uncacheable",
    "not_reported",
]
"""The values of `llm_observer.cache.outcome`."""

CACHE_BROKE: Final = "llm_observer.cache.broke"
"""An earlier call of the same family or conversation made a larger cache read possible by the provider's rules, this
call did not get it, and `llm_observer.cache.cause` is why.
"""

CACHE_AVOIDABLE: Final = "llm_observer.cache.avoidable"
"""Whether the loss is a fault to fix (true) or a choice with a price (false)."""

CACHE_CAUSE: Final = "llm_observer.cache.cause"
"""The first cause, in the order of this list, that by itself explains the lost read."""

CacheCause = Literal[
    "model_changed",
    "cache_key_changed",
    "service_tier_changed",
    "no_breakpoint",
    "too_many_breakpoints",
    "below_minimum",
    "tool_order",
    "tool_membership",
    "tool_schema",
    "json_key_order",
    "whitespace",
    "timestamp",
    "date",
    "uuid",
    "session_id",
    "random_id",
    "nonce",
    "counter",
    "temp_path",
    "volatile_url",
    "retrieved_content",
    "few_shot_order",
    "system_changed",
    "tool_choice_changed",
    "thinking_changed",
    "effort_changed",
    "speed_changed",
    "text_format_changed",
    "verbosity_changed",
    "image_changed",
    "message_extended",
    "history_truncated",
    "compaction",
    "history_rewritten",
    "breakpoint_after_volatile",
    "boundary_missing",
    "lookback_exceeded",
    "ttl_expired",
    "concurrent_cold_start",
    "evicted_or_rerouted",
    "input_changed",
    "none",
]
"""The values of `llm_observer.cache.cause`."""

CACHE_CAUSES: Final = "llm_observer.cache.causes"
"""All causes that were found, first first."""

CACHE_LOCATION: Final = "llm_observer.cache.location"
"""Path of the segment where the prefix stopped matching, or the name of the parameter that changed."""

CACHE_OFFSET: Final = "llm_observer.cache.offset"
"""Character in that segment where the volatile value starts, else where the first differing line starts."""

CACHE_EXPECTED_TOKENS: Final = "llm_observer.cache.expected_tokens"
"""The tokens that could have been read from the cache by the provider's rules."""

CACHE_MISSED_TOKENS: Final = "llm_observer.cache.missed_tokens"
"""The part of the expected tokens that was not read."""

CACHE_GAP: Final = "llm_observer.cache.gap"
"""The time from the start of the earlier call that last used the expected tokens to the start of this one."""

CACHE_TOKENS_METHOD: Final = "llm_observer.cache.tokens_method"
"""How the expected and the missed tokens were come by."""

CACHE_TOKENS_ERROR: Final = "llm_observer.cache.tokens_error"
"""Relative bound on the error of the expected and the missed tokens, 0 to 1."""

CACHE_LOST_USD: Final = "llm_observer.cache.lost_usd"
"""What a fix would have saved on this call, in US dollars."""

CACHE_CONFIDENCE: Final = "llm_observer.cache.confidence"
"""How sure the verdict is, 0 to 1."""

CACHE_CONFIRMED_BY: Final = "llm_observer.cache.confirmed_by"
"""What confirms the verdict, apart from the analysis of the prompts."""

CacheConfirmedBy = Literal[
    "usage",
    "provider_diagnostics",
    "counterfactual",
]
"""The values of `llm_observer.cache.confirmed_by`."""

CACHE_PROVIDER_REASON: Final = "llm_observer.cache.provider_reason"
"""The provider's own word on the call's cache, from the diagnostics in its response."""

CACHE_PROVIDER_MISSED_TOKENS: Final = "llm_observer.cache.provider_missed_tokens"
"""How many tokens the provider says were not read, from the same diagnostics. Approximate by its own word."""

CACHE_HINT: Final = "llm_observer.cache.hint"
"""What to do about it. One sentence, without content."""

CACHE_SNIPPET: Final = "llm_observer.cache.snippet"
"""A few common words of the prompt around the place where it broke."""

BREAKER_CATEGORIES: Final = "llm_observer.breaker.categories"
"""The kinds of volatile values seen in the part of the prompt that should be stable."""

BreakerCategories = Literal[
    "timestamp",
    "date",
    "uuid",
    "session_id",
    "random_id",
    "nonce",
    "counter",
    "temp_path",
    "volatile_url",
]
"""The values of `llm_observer.breaker.categories`."""

BREAKER_CONFIDENCES: Final = "llm_observer.breaker.confidences"
"""How sure each of these is, 0 to 1, in the same order."""


# OpenTelemetry's own.

CODE_FILE_PATH: Final = "code.file.path"
"""A source file."""

CODE_FUNCTION_NAME: Final = "code.function.name"
"""A function, with what contains it."""

CODE_LINE_NUMBER: Final = "code.line.number"
"""A line of the source file."""

DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
"""Where it is deployed."""

ERROR_TYPE: Final = "error.type"
"""What kind of error ended the operation. A class name or a status code, never a message."""

GEN_AI_CONVERSATION_COMPACTED: Final = "gen_ai.conversation.compacted"
"""True when the provider summed up earlier turns of the conversation in this call."""

GEN_AI_CONVERSATION_ID: Final = "gen_ai.conversation.id"
"""The conversation's id, where the request or the application has one."""

GEN_AI_EMBEDDINGS_DIMENSION_COUNT: Final = "gen_ai.embeddings.dimension.count"
"""How many dimensions the request asks an embedding to have."""

GEN_AI_INPUT_MESSAGES: Final = "gen_ai.input.messages"
"""The messages of the request, in the conventions' JSON shape."""

GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
"""The kind of operation."""

GenAiOperationName = Literal[
    "chat",
    "generate_content",
    "text_completion",
    "embeddings",
]
"""The values of `gen_ai.operation.name`."""

GEN_AI_OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
"""The messages of the response, one for each choice."""

GEN_AI_OUTPUT_TYPE: Final = "gen_ai.output.type"
"""The kind of output that the request asks for."""

GenAiOutputType = Literal[
    "text",
    "json",
    "image",
    "speech",
]
"""The values of `gen_ai.output.type`."""

GEN_AI_PROMPT_NAME: Final = "gen_ai.prompt.name"
"""The prompt template that the request names."""

GEN_AI_PROMPT_VERSION: Final = "gen_ai.prompt.version"
"""The version of the prompt template."""

GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
"""The provider, by OpenTelemetry's name where it has one."""

GEN_AI_REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
"""How many answers the request asks for."""

GEN_AI_REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
"""The encodings that the request asks embeddings to have."""

GEN_AI_REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
"""The request's frequency penalty."""

GEN_AI_REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
"""The most output tokens that the request allows."""

GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
"""The model that the request names."""

GEN_AI_REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
"""The request's presence penalty."""

GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: Final = "gen_ai.request.previous_response.id"
"""The response that the request continues."""

GEN_AI_REQUEST_REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
"""The reasoning effort that the request asks for."""

GEN_AI_REQUEST_SEED: Final = "gen_ai.request.seed"
"""The request's seed."""

GEN_AI_REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
"""The sequences at which the model is to stop."""

GEN_AI_REQUEST_STREAM: Final = "gen_ai.request.stream"
"""True when the response is streamed."""

GEN_AI_REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
"""The request's temperature."""

GEN_AI_REQUEST_TOP_K: Final = "gen_ai.request.top_k"
"""The request's `top_k`."""

GEN_AI_REQUEST_TOP_P: Final = "gen_ai.request.top_p"
"""The request's nucleus sampling bound."""

GEN_AI_RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
"""Why the model stopped, one for each answer."""

GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
"""The response's id."""

GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
"""The model that answered."""

GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
"""Seconds from the start of the call to the first chunk of a streamed response."""

GEN_AI_SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
"""The instructions that stand outside the messages."""

GEN_AI_TOKEN_MODALITY: Final = "gen_ai.token.modality"
"""What kind of tokens are counted."""

GenAiTokenModality = Literal[
    "text",
    "image",
    "audio",
    "unknown",
]
"""The values of `gen_ai.token.modality`."""

GEN_AI_TOKEN_TYPE: Final = "gen_ai.token.type"
"""Which tokens are counted."""

GenAiTokenType = Literal[
    "input",
    "output",
]
"""The values of `gen_ai.token.type`."""

GEN_AI_TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
"""The tools that the request offers."""

GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.audio.cache_read.input_tokens"
"""The audio input tokens that were read from the provider's cache."""

GEN_AI_USAGE_AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
"""The input tokens that are audio."""

GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"
"""The output tokens that are audio."""

GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
"""The input tokens that were written to the provider's cache, under the name that some backends still read."""

GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
"""The input tokens that were read from the provider's cache."""

GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
"""The input tokens that were written to the provider's cache."""

GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.image.cache_read.input_tokens"
"""The image input tokens that were read from the provider's cache."""

GEN_AI_USAGE_IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"
"""The input tokens that are images."""

GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.image.output_tokens"
"""The output tokens that are images."""

GEN_AI_USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""All input tokens, those read from and written to the cache among them."""

GEN_AI_USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
"""All output tokens, those of reasoning among them."""

GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
"""The output tokens that the model reasoned with."""

GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.text.cache_read.input_tokens"
"""The text input tokens that were read from the provider's cache."""

GEN_AI_USAGE_TEXT_INPUT_TOKENS: Final = "gen_ai.usage.text.input_tokens"
"""The input tokens that are text."""

GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: Final = "gen_ai.usage.text.output_tokens"
"""The output tokens that are text."""

HTTP_REQUEST_RESEND_COUNT: Final = "http.request.resend_count"
"""How many times the request was sent again."""

OPENAI_API_TYPE: Final = "openai.api.type"
"""Which of OpenAI's APIs was called."""

OpenaiApiType = Literal[
    "chat_completions",
    "responses",
]
"""The values of `openai.api.type`."""

OPENAI_REQUEST_SERVICE_TIER: Final = "openai.request.service_tier"
"""The service tier that the request asks for."""

OPENAI_RESPONSE_SERVICE_TIER: Final = "openai.response.service_tier"
"""The service tier that served the call."""

OPENAI_RESPONSE_SYSTEM_FINGERPRINT: Final = "openai.response.system_fingerprint"
"""The fingerprint of the configuration that the model ran with."""

OTEL_COMPONENT_NAME: Final = "otel.component.name"
"""The component, told from others of its kind in the process."""

OTEL_COMPONENT_TYPE: Final = "otel.component.type"
"""The kind of the component that is told of."""

SERVER_ADDRESS: Final = "server.address"
"""The host that was called."""

SERVER_PORT: Final = "server.port"
"""The port that was called."""

SERVICE_NAME: Final = "service.name"
"""The name of the service that makes the calls."""

SERVICE_VERSION: Final = "service.version"
"""Its version."""


# Metrics.


class Metric(NamedTuple):
    """What an instrument is made from.

    Attributes:
        name: The metric's name.
        unit: Its unit.
        description: One sentence.
        boundaries: Bucket boundaries to advise for a histogram, in the unit; empty for the SDK's own.
    """

    name: str
    unit: str
    description: str
    boundaries: tuple[float, ...] = ()


METRIC_GEN_AI_CLIENT_INFERENCE_DURATION: Final = Metric(
    name="gen_ai.client.inference.duration",
    unit="s",
    description="How long each inference call took.",
    boundaries=(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS: Final = Metric(
    name="gen_ai.client.inference.operation.input_tokens",
    unit="{token}",
    description="How many input tokens each inference call used.",
    boundaries=(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864),
)
METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS: Final = Metric(
    name="gen_ai.client.inference.operation.output_tokens",
    unit="{token}",
    description="How many output tokens each inference call used.",
    boundaries=(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864),
)
METRIC_GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK: Final = Metric(
    name="gen_ai.client.inference.time_per_output_chunk",
    unit="s",
    description="How long each further chunk of a streamed response took.",
    boundaries=(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5),
)
METRIC_GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK: Final = Metric(
    name="gen_ai.client.inference.time_to_first_chunk",
    unit="s",
    description="How long the first chunk of each streamed response took.",
    boundaries=(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)
METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS: Final = Metric(
    name="gen_ai.client.inference.usage.cache_read.input_tokens",
    unit="{token}",
    description="The input tokens that were read from the provider's cache.",
)
METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = Metric(
    name="gen_ai.client.inference.usage.cache_write.input_tokens",
    unit="{token}",
    description="The input tokens that were written to the provider's cache.",
)
METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS: Final = Metric(
    name="gen_ai.client.inference.usage.input_tokens",
    unit="{token}",
    description="All input tokens, those read from and written to the cache among them.",
)
METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS: Final = Metric(
    name="gen_ai.client.inference.usage.output_tokens",
    unit="{token}",
    description="All output tokens, those of reasoning among them.",
)
METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS: Final = Metric(
    name="gen_ai.client.inference.usage.reasoning.output_tokens",
    unit="{token}",
    description="The output tokens that the model reasoned with.",
)
METRIC_GEN_AI_CLIENT_OPERATION_DURATION: Final = Metric(
    name="gen_ai.client.operation.duration",
    unit="s",
    description="How long each call took.",
    boundaries=(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
METRIC_GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK: Final = Metric(
    name="gen_ai.client.operation.time_per_output_chunk",
    unit="s",
    description="How long each further chunk of a streamed response took.",
    boundaries=(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5),
)
METRIC_GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK: Final = Metric(
    name="gen_ai.client.operation.time_to_first_chunk",
    unit="s",
    description="How long the first chunk of each streamed response took.",
    boundaries=(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)
METRIC_GEN_AI_CLIENT_TOKEN_USAGE: Final = Metric(
    name="gen_ai.client.token.usage",
    unit="{token}",
    description="How many tokens each call used.",
    boundaries=(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864),
)
METRIC_CLIENT_COST: Final = Metric(
    name="llm_observer.client.cost",
    unit="{USD}",
    description="What each call cost, in US dollars.",
    boundaries=(0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)
METRIC_ERRORS: Final = Metric(
    name="llm_observer.errors",
    unit="{error}",
    description="The failures of the package's own that were swallowed.",
)
METRIC_EXPORTER_RETRIES: Final = Metric(
    name="llm_observer.exporter.retries",
    unit="{request}",
    description="The requests to the endpoint that were tried again.",
)
METRIC_STORE_CALLS: Final = Metric(
    name="llm_observer.store.calls",
    unit="{call}",
    description="The calls that were written to the local store.",
)
METRIC_STORE_QUEUE_SIZE: Final = Metric(
    name="llm_observer.store.queue.size",
    unit="{call}",
    description="The calls that wait to be written to the local store.",
)
METRIC_OTEL_SDK_EXPORTER_OPERATION_DURATION: Final = Metric(
    name="otel.sdk.exporter.operation.duration",
    unit="s",
    description="How long the export of each batch took, with all its tries.",
)
METRIC_OTEL_SDK_EXPORTER_SPAN_EXPORTED: Final = Metric(
    name="otel.sdk.exporter.span.exported",
    unit="{span}",
    description="The spans that the endpoint accepted.",
)
METRIC_OTEL_SDK_EXPORTER_SPAN_INFLIGHT: Final = Metric(
    name="otel.sdk.exporter.span.inflight",
    unit="{span}",
    description="The spans that are being sent.",
)
METRIC_OTEL_SDK_PROCESSOR_SPAN_PROCESSED: Final = Metric(
    name="otel.sdk.processor.span.processed",
    unit="{span}",
    description="The spans that left the processor's queue.",
)
METRIC_OTEL_SDK_PROCESSOR_SPAN_QUEUE_CAPACITY: Final = Metric(
    name="otel.sdk.processor.span.queue.capacity",
    unit="{span}",
    description="The spans that the processor's queue has room for.",
)
METRIC_OTEL_SDK_PROCESSOR_SPAN_QUEUE_SIZE: Final = Metric(
    name="otel.sdk.processor.span.queue.size",
    unit="{span}",
    description="The spans that wait in the processor's queue.",
)
