"""An id whose key names a session, request, trace or user is a `session_id`, whatever its shape."""

# ruff: noqa: RUF001 - a full-width colon is one of the marks

import pytest

from llm_observer.analysis.breakers import find_spans

_SHAPES = {
    "UUID": "0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10",
    "UUID in capitals": "0B6F3C1E-52D4-4F0A-9A53-2F4F1A7C9E10",
    "hexadecimal": "8c1f0e5ab2d41f8a0c9b7e65d4f3a2b1",
    "short hexadecimal": "8c1f0e5a",
    "ULID": "01KMG3T4R8W2XZ6YB5N7QD9VFC",
    "nanoid": "V1StGXR8_Z5jdHi6B-myT",
    "six digits": "482913",
    "nine digits": "482913775",
    "snowflake": "1180591620717411303",
    "provider's id": "call_Zk3Vq8TnRw5YpLx1JbHs7GdC",
    "base64": "OXhkvmOIOF2zqbWZ2C47yA==",
    "ObjectId": "69c2a1f04be81d3357c60e9a",
    "letters and digits": "Kq8Zx1vT2mPq9LdW",
    "joined": "u-8f3k2m9x4q",
    "request id": "req_011CTq7Vw2XzRk9LmNb4Ys8H",
}

# § is the id.
_KEYS = [
    "Session ID: §",
    "session_id=§",
    '"sessionId": "§"',
    '{"session": {"id": "§"}}',
    '"request_id":"§"',
    "request-id: §",
    "X-Request-ID: §",
    "your request id is §",
    "The session id is §.",
    "Your session id is now §.",
    "user=§",
    "user_id: §",
    "userId='§'",
    '<user id="§">',
    '<session id="§"/>',
    "<sessionId>§</sessionId>",
    "<request-id>§</request-id>",
    "session:\n  id: §\n",
    'user:\n  id: "§"\n',
    "trace_id=§ span=1",
    "[trace_id=§]",
    "trace.id: §",
    "traceId=§",
    "(request id: §)",
    "(request_id=§)",
    "Request ID `§`",
    "**User ID**: `§`",
    "- user id: §",
    "| session_id | § |",
    "--session-id §",
    "--session-id=§",
    "?session_id=§&a=1",
    "?user_id=§",
    "Cookie: session_id=§; a=b",
    "Set-Cookie: sid=§; Path=/",
    "session § resumed",
    "request § failed",
    "user § signed in",
    "for user §",
    "for request §:",
    "conversation_id: §",
    'thread_id="§"',
    "correlation_id=§",
    '{\\"session_id\\": \\"§\\"}',
    "session_id => §",
    "session_id -> §",
    'session_id := "§"',
    "sessionID(§)",
    'ctx.session_id = "§"',
    'req.user.id = "§"',
    'os.environ["SESSION_ID"] = "§"',
    "SESSION_ID=§",
    'export REQUEST_ID="§"',
    "request_id: '§',",
    "INFO [req=§] done",
    "INFO req_id=§ done",
    "level=info request_id=§ msg=ok",
    "customer_id: §",
    '"client_id": "§"',
    "account id: §",
    "session-id\t§",
    "Session-ID:§",
    "Session ID:\n§",
    "用户ID：§",
    "会话ID: §",
    "ID de sesión: §",
    "Benutzer-ID: §",
]


@pytest.mark.parametrize("key", _KEYS)
def test_the_key_decides(key: str) -> None:
    """In JSON, YAML, XML, headers, logs, tables and sentences; the whole id is found, and nothing else."""
    before, after = key.split("§")
    for shape, value in _SHAPES.items():
        text = f"{before}{value}{after}"
        spans = find_spans(text)
        assert [span.category for span in spans] == ["session_id"], (shape, text)
        assert len(before) - 4 <= spans[0].start
        assert len(before) + 0.85 * len(value) <= spans[0].end <= len(before) + len(value), (shape, text)


@pytest.mark.parametrize(
    "text",
    [
        "session_id: str, user_id: int, trace_id: Optional[str]",
        '{"session_id": "<session id>", "user_id": "user123", "request_id": "abc123"}',
        "users: 250000, requests: 1000000, sessions: 120000",
        "Set the session timeout to 360000 and the request limit to 100000.",
        "request nodejs/node#123456, fixed by pull request #264150",
        'images["b64_json"] and users["default_name"]',
        "def get_user_by_id(user_id: int = 42) -> User: ...",
        "available memory: 4341379928, worker threads: 163840",
    ],
)
def test_what_only_mentions_a_session_or_user_is_left_alone(text: str) -> None:
    assert find_spans(text) == []
