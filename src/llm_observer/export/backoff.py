"""When to try a request again: the server's own word (RFC 9110, section 10.2.3), else growing waits with jitter."""

import math
import random
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["backoff", "retry_after"]

_FIRST_S = 0.5
_LONGEST_S = 8.0


def backoff(attempt: int) -> float:
    """Seconds to wait after attempt number `attempt` (from 0) failed, so that many clients do not come back at once."""
    return min(_LONGEST_S, _FIRST_S * 2.0 ** min(attempt, 16)) * random.uniform(0.5, 1.0)  # noqa: S311  nothing to guess here


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the response asks to wait; `None` when it does not say or cannot be understood.

    A date is taken from the server's own clock where the response tells it, so that a wrong clock here does no harm.
    """
    text = (headers.get("Retry-After") or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        # A number too long to be meant is a number that is too long to wait.
        return float(text) if len(text) < 10 else math.inf
    until = _unix(text)
    if until is None:
        return None
    now = _unix(headers.get("Date") or "")
    return max(0.0, until - (time.time() if now is None else now))


def _unix(date: str) -> float | None:
    """An HTTP date as Unix seconds."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
