"""Events as the store keeps them, made by hand."""

from typing import Any


def event(
    n: int,
    *,
    model: str = "claude-opus-5-5",
    provider: str = "anthropic",
    family: str | None = "5f0c2a9be4d17f33",
    function: str = "triage_tickets",
    line: int = 61,
    file: str = "/srv/app/claude.py",
    usd: str | None = "0.0100",
    saved: str | None = "0",
    input_tokens: int | None = 2000,
    read: int | None = 0,
    call: dict[str, Any] | None = None,
    reason: str | None = None,
    **cache: Any,
) -> dict[str, Any]:
    """The `n`th call of a day. `cache` is the verdict; without one the call hit what it could."""
    usage = {"input_tokens": input_tokens, "output_tokens": 50, "cache_read_tokens": read}
    cost = {"usd": usd, "saved_usd": saved, "reason": reason, "source": "genai-prices 0.2.3"}
    verdict: dict[str, Any] = {"outcome": "hit", "broke": False, "cause": "none"} | cache
    made: dict[str, Any] = {
        "schema_version": "1.0",
        "event_id": f"{n:032x}",
        "occurred_at": f"2026-11-22T10:{n // 60:02}:{n % 60:02}.000000Z",
        "sdk": {"name": "llm-observer", "version": "0.1.0", "language": "python"},
        "service": {},
        "trace": {"trace_id": f"{n:032x}", "span_id": f"{n:016x}", "sampled": True},
        "call": {
            "provider": provider,
            "operation": "chat",
            "request_model": model,
            "stream": False,
            "site": {"file": file, "function": function, "line": line},
        }
        | (call or {}),
        "usage": {name: value for name, value in usage.items() if value is not None},
        "cost": {name: value for name, value in cost.items() if value is not None},
        "cache": verdict,
    }
    if family is not None:
        made["prompt"] = {"hash": "00", "canonical_hash": "00", "family": family, "segments": 2, "key_id": "k"}
    return made


def broken(n: int, **more: Any) -> dict[str, Any]:
    """A call that lost a read to a timestamp."""
    verdict: dict[str, Any] = {
        "outcome": "miss",
        "broke": True,
        "avoidable": True,
        "cause": "timestamp",
        "causes": ["timestamp"],
        "location": "system[0]",
        "offset": 14,
        "expected_tokens": 1800,
        "reported_tokens": 0,
        "missed_tokens": 1800,
        "lost_usd": "0.0080",
        "confidence": 0.95,
        "confirmed_by": ["usage", "counterfactual"],
        "hint": "Move the time behind the part that stays the same, for example into the last user message.",
    }
    return event(n, **(verdict | more))
