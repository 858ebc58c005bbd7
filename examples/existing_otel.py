"""Where OpenTelemetry is set up already: the instrumentor joins your provider, and its attributes reach your exporters.

Needs `pip install llm-observer anthropic`, ANTHROPIC_API_KEY, and something that takes OTLP over HTTP at
OTEL_EXPORTER_OTLP_ENDPOINT (http://localhost:4318 when unset).
"""

import anthropic
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from llm_observer import LLMObserverInstrumentor

# Your set-up, as it is. The order does not matter: also exporters registered before see what is added.
provider = TracerProvider(resource=Resource.create({"service.name": "example"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

# The one line that is new. It adds PromptHashProcessor, CostProcessor and CacheProcessor to the provider.
LLMObserverInstrumentor().instrument(tracer_provider=provider)

with trace.get_tracer("example").start_as_current_span("answer"):
    message = anthropic.Anthropic().messages.create(
        model="claude-sonnet-5-5",
        max_tokens=200,
        system=[
            {
                "type": "text",
                "text": "You answer in one short sentence.",
                "cache_control": {"type": "ephemeral"},
            }
        ],
        messages=[{"role": "user", "content": "What does a prompt cache do?"}],
    )
print("".join(block.text for block in message.content if block.type == "text"))

provider.shutdown()
