"""Content, where it is switched on: in the conventions' shapes, on spans and events of ours, bounded; nowhere else."""

import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from scripted import CHAT, MESSAGE, RESPONSE, Answer, ScriptedServer, chat_chunks, message_events, sse
from scripted import response_events as events
from spans import Listening, Spans, attributes

from llm_observer.call import Call
from llm_observer.instrumentor import Runtime
from llm_observer.telemetry.content.bounds import MOST_CHARACTERS, MOST_TEXT, Bounds
from llm_observer.telemetry.content.conversation import instructions, questions, replies, tools
from llm_observer.telemetry.switches import CONTENT, EVENT

Instrument = Callable[..., Runtime]

CONTENTS = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
DATA = "data:image/png;base64,aGVsbG8="

CALL = {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Bern"}}
ANSWERED = {"type": "tool_call_response", "id": "call_1", "response": "rain"}
TOOL = {"type": "function", "name": "weather", "description": "Tells.", "parameters": SCHEMA}
HELLO = {"type": "text", "content": "Hello"}


@pytest.fixture
def logs() -> InMemoryLogRecordExporter:
    return InMemoryLogRecordExporter()


@pytest.fixture
def logger_provider(logs: InMemoryLogRecordExporter) -> LoggerProvider:
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    return provider


def content(spans: Spans) -> dict[str, Any]:
    """What the one span has of content, parsed."""
    found = attributes(spans.one())
    return {name: json.loads(found[name]) for name in CONTENTS if name in found}


CHAT_REQUEST: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {
            "role": "user",
            "name": "Ann",
            "content": [
                {"type": "text", "text": "Hello"},
                {"type": "image_url", "image_url": {"url": DATA}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
                {"type": "file", "file": {"file_id": "file_1"}},
                {"type": "from_the_future", "secret": 1},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "description": "Tells.", "parameters": SCHEMA}}],
}
RESPONSES_REQUEST: dict[str, Any] = {
    "instructions": "Be kind.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hello"}, {"type": "input_image", "file_id": "f"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city": "Bern"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    ],
    "tools": [{"type": "function", "name": "weather", "description": "Tells.", "parameters": SCHEMA}, {"type": "mcp"}],
}
MESSAGES_REQUEST: dict[str, Any] = {
    "system": [{"type": "text", "text": "Be kind."}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hello"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}},
                {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "redacted_thinking", "data": "s"},
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bern"}},
                {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []},
                {"type": "mcp_tool_use", "id": "mcp_1", "name": "find", "server_name": "files", "input": {"q": 1}},
                {"type": "mcp_tool_result", "tool_use_id": "mcp_1", "is_error": False, "content": []},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "rain"}]},
    ],
    "tools": [{"name": "weather", "description": "Tells.", "input_schema": SCHEMA}],
}
BLOB = {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "aGVsbG8="}


def test_a_request_to_chat_completions() -> None:
    assert questions("chat.completions", CHAT_REQUEST) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
        {
            "role": "user",
            "name": "Ann",
            "parts": [
                HELLO,
                BLOB,
                {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
                {"type": "blob", "mime_type": "audio/wav", "modality": "audio", "content": "aGk="},
                {"type": "file", "modality": "document", "file_id": "file_1"},
                {"type": "from_the_future"},
            ],
        },
        {"role": "assistant", "parts": [CALL]},
        {"role": "tool", "parts": [ANSWERED]},
    ]
    assert instructions("chat.completions", CHAT_REQUEST) == []
    assert tools(CHAT_REQUEST) == [TOOL]


def test_a_request_to_responses() -> None:
    """What the model said in a row is one message."""
    search = {
        "type": "server_tool_call",
        "id": "ws_1",
        "name": "web_search",
        "server_tool_call": {"type": "web_search", "status": "completed"},
    }
    assert questions("responses", RESPONSES_REQUEST) == [
        {"role": "user", "parts": [HELLO, {"type": "file", "modality": "image", "file_id": "f"}]},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "Hm."}, CALL]},
        {"role": "tool", "parts": [ANSWERED]},
        {"role": "assistant", "parts": [search]},
    ]
    assert instructions("responses", RESPONSES_REQUEST) == [{"type": "text", "content": "Be kind."}]
    assert tools(RESPONSES_REQUEST) == [TOOL, {"type": "mcp", "name": "mcp"}]
    assert questions("responses", {"input": "Hello"}) == [{"role": "user", "parts": [HELLO]}]


def test_a_request_to_messages() -> None:
    search = {"type": "server_tool_call", "id": "srv_1", "name": "web_search"}
    found = {"type": "server_tool_call_response", "id": "srv_1"}
    assert questions("messages", MESSAGES_REQUEST) == [
        {
            "role": "user",
            "parts": [HELLO, BLOB, {"type": "uri", "modality": "document", "uri": "https://example.com/a.pdf"}],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm."},
                CALL,
                search | {"server_tool_call": {"type": "web_search", "input": {"query": "q"}}},
                found | {"server_tool_call_response": {"type": "web_search", "content": []}},
                {
                    "type": "server_tool_call",
                    "id": "mcp_1",
                    "name": "find",
                    "server_tool_call": {"type": "mcp", "server_name": "files", "input": {"q": 1}},
                },
                {
                    "type": "server_tool_call_response",
                    "id": "mcp_1",
                    "server_tool_call_response": {"type": "mcp", "content": []},
                },
            ],
        },
        {"role": "tool", "parts": [ANSWERED]},
    ]
    assert instructions("messages", MESSAGES_REQUEST) == [{"type": "text", "content": "Be kind."}]
    assert tools(MESSAGES_REQUEST) == [TOOL]


def test_a_request_to_completions() -> None:
    """Tokens are no text."""
    assert questions("completions", {"prompt": ["Hello", [1, 2]]}) == [{"role": "user", "parts": [HELLO]}]


@pytest.mark.parametrize("api", ["chat.completions", "completions", "messages", "responses"])
@pytest.mark.parametrize("odd", [None, 7, "x", [None, 7, ["x"]], {"type": 7}, [{"type": None, "content": 7}]])
def test_odd_bodies_make_no_odd_content(api: str, odd: Any) -> None:
    """Nothing is raised, and what is there is JSON."""
    request: dict[str, Any] = dict.fromkeys(
        ("messages", "input", "prompt", "system", "instructions", "tools", "functions"), odd
    )
    answer: dict[str, Any] = dict.fromkeys(("choices", "content", "output"), odd)
    found = [questions(api, request), instructions(api, request), tools(request), replies(api, answer, ("stop",))]
    assert json.dumps(found)


THINKING: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}},
    },
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"city": "B'}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": 'ern"}'}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 20}},
    {"type": "message_stop"},
]
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
CALLING: list[dict[str, Any]] = [
    {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": ""}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '"Bern"}'}}]},
]
CHUNKS: list[Any] = [
    *({**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in CALLING),
    {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    "[DONE]",
]


def said(text: str, reason: str = "stop") -> list[dict[str, Any]]:
    return [{"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": reason}]


ANSWERS: list[Any] = [
    ("chat", Answer.json(CHAT), False, said('{"a":1}')),
    ("chat", Answer.stream(chat_chunks()), True, said("012")),
    ("chat", Answer.stream(sse(CHUNKS)), True, [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_call"}]),
    ("completions", None, False, said("hello", "length")),
    ("responses", Answer.json(RESPONSE), False, said('{"a":1}')),
    ("responses", Answer.stream(events()), True, said('{"a":1}')),
    ("messages", Answer.json(MESSAGE), False, said('{"a":1}')),
    ("messages", Answer.stream(message_events()), True, said("012")),
    (
        "messages",
        Answer.stream(sse(THINKING, named=True)),
        True,
        [
            {
                "role": "assistant",
                "parts": [{"type": "reasoning", "content": "Hm."}, CALL],
                "finish_reason": "tool_call",
            }
        ],
    ),
]


def ask(api: str, server: ScriptedServer, *, stream: bool = False) -> None:
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as one,
        anthropic.Anthropic(base_url=server.url, api_key="k") as other,
    ):
        asked = [{"role": "user", "content": "Hello"}]
        calls: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
            "chat": (one.chat.completions.create, {"messages": asked}),
            "completions": (one.completions.create, {"prompt": "Hello"}),
            "responses": (one.responses.create, {"input": "Hello"}),
            "messages": (other.messages.create, {"messages": asked, "max_tokens": 9}),
        }
        create, request = calls[api]
        if stream:
            list(create(model="m", stream=True, **request))
        else:
            create(model="m", **request)


@pytest.mark.parametrize(("api", "answer", "stream", "expected"), ANSWERS)
def test_an_answer_whole_or_put_together_from_a_stream(
    api: str,
    answer: Answer | None,
    expected: list[Any],
    server: ScriptedServer,
    spans: Spans,
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
    *,
    stream: bool,
) -> None:
    """What is on the span is the same, however the answer came; listeners get none of it, and nothing is kept."""
    monkeypatch.setenv(CONTENT, "SPAN_ONLY")
    runtime = instrument()
    runtime.listeners.append(told := Listening())
    if answer is not None:
        server.script(answer)
    ask(api, server, stream=stream)
    assert content(spans) == {
        "gen_ai.input.messages": [{"role": "user", "parts": [HELLO]}],
        "gen_ai.output.messages": expected,
    }
    assert not set(CONTENTS) & told.finished[0].attributes.keys()
    assert told.finished[0].call.answer is None


def test_a_stream_that_is_left(
    server: ScriptedServer, spans: Spans, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had come is there."""
    monkeypatch.setenv(CONTENT, "SPAN_ONLY")
    instrument()
    server.script(Answer.stream(events()))
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client,
        client.responses.create(model="m", input="Hello", stream=True) as stream,
    ):
        for event in stream:
            if event.type == "response.output_text.delta" and event.delta == "1":
                break
    (message,) = content(spans)["gen_ai.output.messages"]
    assert message == {"role": "assistant", "parts": [{"type": "text", "content": "01"}]}


@pytest.mark.parametrize(
    ("mode", "event", "on_span", "events_of", "in_event"),
    [
        ("", "", False, 0, False),
        ("SPAN_ONLY", "", True, 0, False),
        ("EVENT_ONLY", "", False, 1, True),
        ("SPAN_AND_EVENT", "", True, 1, True),
        ("true", "", False, 0, False),
        ("NO_CONTENT", "true", False, 1, False),
    ],
)
def test_where_content_goes(
    mode: str,
    event: str,
    events_of: int,
    server: ScriptedServer,
    spans: Spans,
    logs: InMemoryLogRecordExporter,
    logger_provider: LoggerProvider,
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
    *,
    on_span: bool,
    in_event: bool,
) -> None:
    """As text on spans, structured in events; an event has what the span has, its ids, and the lowest severity."""
    monkeypatch.setenv(CONTENT, mode)
    monkeypatch.setenv(EVENT, event)
    instrument(logger_provider=logger_provider)
    ask("chat", server)
    assert bool(content(spans)) is on_span
    records = logs.get_finished_logs()
    assert len(records) == events_of
    for written in records:
        record = written.log_record
        found = dict(record.attributes or {})
        context = spans.one().context
        assert context is not None
        assert record.event_name == "gen_ai.client.inference.operation.details"
        assert (record.trace_id, record.span_id) == (context.trace_id, context.span_id)
        assert found["gen_ai.request.model"] == "m"
        assert found["gen_ai.usage.input_tokens"] == 100
        assert ("gen_ai.input.messages" in found) is in_event
        if in_event:
            messages: Any = found["gen_ai.input.messages"]
            assert [message["role"] for message in messages] == ["user"]


def test_nothing_is_added_to_the_span_of_another(
    server: ScriptedServer,
    provider: TracerProvider,
    spans: Spans,
    logs: InMemoryLogRecordExporter,
    logger_provider: LoggerProvider,
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its maker has switches of its own; and it has events of its own."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setenv(CONTENT, "SPAN_AND_EVENT")
    ask("messages", server)
    alone = {name: value for name, value in attributes(spans.one()).items() if name in CONTENTS}
    spans.clear()
    instrument(tracer_provider=None, logger_provider=logger_provider)
    ask("messages", server)
    found = attributes(spans.one())
    scope = spans.one().instrumentation_scope
    assert scope is not None
    assert scope.name.startswith("com.anthropic")
    assert "llm_observer.cache.outcome" in found
    assert {name: value for name, value in found.items() if name in CONTENTS} == alone
    assert "llm_observer.content.cut" not in found
    assert not logs.get_finished_logs()


def test_what_is_long_is_cut() -> None:
    """Texts at a length, inline data altogether; and what is left is said to be not all."""
    bounds = Bounds()
    data = {"type": "blob", "modality": "image", "content": "x" * (MOST_TEXT + 1)}
    kept, written = bounds.kept([{"parts": [{"type": "text", "content": "x" * (MOST_TEXT + 1)}, data]}], newest=True)
    assert json.loads(written) == kept
    assert kept == [{"parts": [{"type": "text", "content": "x" * MOST_TEXT}, {"type": "blob", "modality": "image"}]}]
    assert bounds.cut


@pytest.mark.parametrize(("newest", "first"), [(True, 94), (False, 0)])
def test_when_there_is_no_room_for_all(*, newest: bool, first: int) -> None:
    """Of a conversation the newest messages are kept."""
    bounds = Bounds()
    kept, written = bounds.kept([{"n": n, "content": "x" * (MOST_TEXT // 2)} for n in range(101)], newest=newest)
    assert [item["n"] for item in kept] == list(range(first, first + 7))
    assert len(written) <= MOST_CHARACTERS
    assert bounds.cut


def test_what_cannot_be_written_is_made_so() -> None:
    """Lone surrogates, and what is nested beyond reason."""
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    bounds = Bounds()
    _, written = bounds.kept([{"a": "\ud800", "b": deep}], newest=False)
    assert written.encode()
    assert bounds.cut


def test_a_cut_is_said(
    server: ScriptedServer, spans: Spans, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTENT, "SPAN_ONLY")
    instrument()
    server.script(Answer.json(CHAT | {"choices": [{"index": 0, "message": {"content": "x" * 40_000}}]}))
    ask("chat", server)
    assert attributes(spans.one())["llm_observer.content.cut"] is True


def test_the_answer_of_a_call_is_released() -> None:
    call = Call(provider="openai", api="responses", answer={"output": []})
    call.release()
    assert call.answer is None
