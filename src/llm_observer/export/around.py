"""Which spans of calls only stand around another's: a framework's own span for a call that the SDK's span is of too."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from llm_observer.telemetry import attributes as names

__all__ = ["Around"]

_MOST = 4096
"""Spans that have not ended, of which is remembered that a call stands inside."""

_OURS = frozenset({names.CALL_API, names.CACHE_OUTCOME, names.COST_USD, names.COST_REASON})
"""What tells that a call was observed here, at least one of them."""


class Around:
    """Remembers, by those that end, which spans have a call inside; what is inside ends first. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: OrderedDict[tuple[int, int], bool] = OrderedDict()
        """By trace and span, whether the call inside was one of embeddings."""

    def ended(self, span: ReadableSpan, *, is_call: bool) -> bool:
        """Take note of an ended span; whether it is that of a call and stands around another's of the same kind.

        A span with attributes of ours is the call's by itself, whatever another instrumentation started inside it.
        """
        context = span.get_span_context()
        if context is None:
            return False
        attributes: Mapping[str, Any] = span.attributes or {}
        embeds = attributes.get(names.GEN_AI_OPERATION_NAME) == "embeddings"
        parent = span.parent
        with self._lock:
            inside = self._inside.pop((context.trace_id, context.span_id), None)
            kind = embeds if is_call else inside
            if kind is not None and parent is not None and not parent.is_remote:
                self._inside[parent.trace_id, parent.span_id] = kind
                if len(self._inside) > _MOST:
                    self._inside.popitem(last=False)
        return is_call and inside is embeds and _OURS.isdisjoint(attributes)
