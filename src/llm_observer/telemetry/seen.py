"""`Seen`: the calls that ended last, by which one that is told of again, by another instrumentation, is known."""

from collections import deque
from typing import NamedTuple

from llm_observer.call import Call
from llm_observer.usage import Usage

__all__ = ["Seen"]

_MOST = 512


class _Ended(NamedTuple):
    by: str | None
    response_id: str | None
    model: str | None
    tokens: tuple[int | None, int | None]
    start_ns: int
    end_ns: int


class Seen:
    """The calls that ended last: two instrumentations, one around the other, tell of one call twice.

    The outer one ends later, and is the same call where the response is the same one; or, where not both know its id,
    where the model and the tokens are the same and the inner ran while the outer did. One instrumentation tells of a
    call once: what it tells of twice are two, side by side.
    """

    def __init__(self) -> None:
        self._ended: deque[_Ended] = deque(maxlen=_MOST)

    def note(self, call: Call, start_ns: int, end_ns: int, by: str | None) -> None:
        """Take note of a call that has ended; `by` names the instrumentation that told of it, if not ours saw it."""
        self._ended.append(_Ended(by, call.response_id, call.model, _tokens(call.usage), start_ns, end_ns))

    def has(self, call: Call, start_ns: int, by: str) -> bool:
        """Whether the call that began at `start_ns` and ends now was told of already, by another than `by`."""
        tokens = _tokens(call.usage)
        for ended in reversed(self._ended.copy()):
            if call.response_id is not None and ended.response_id is not None:
                if call.response_id == ended.response_id and ended.end_ns >= start_ns:
                    return True
            elif ended.by == by or ended.start_ns < start_ns:
                continue
            elif ended.tokens == tokens != _UNKNOWN and _alike(call.model, ended.model):
                return True
        return False


def _alike(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


_UNKNOWN = (None, None)


def _tokens(usage: Usage | None) -> tuple[int | None, int | None]:
    return _UNKNOWN if usage is None else (usage.input_tokens, usage.output_tokens)
