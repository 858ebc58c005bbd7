"""The standard switches of GenAI instrumentations, from the environment, where they have their names."""

import logging
import os
from collections.abc import Mapping
from typing import NamedTuple, Self

__all__ = ["Switches"]

log = logging.getLogger("llm_observer")

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EVENT = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"
STABILITY = "OTEL_SEMCONV_STABILITY_OPT_IN"

_NEWEST = "gen_ai_latest_experimental"

_MODES: Mapping[str, tuple[bool, bool]] = {
    "": (False, False),
    "NO_CONTENT": (False, False),
    "SPAN_ONLY": (True, False),
    "EVENT_ONLY": (False, True),
    "SPAN_AND_EVENT": (True, True),
}
"""Whether content goes on spans, and into events. Anything else counts as no content: `true` meant different things."""


class Switches(NamedTuple):
    """What the user has switched on.

    Attributes:
        content_on_spans: Put messages and tool definitions on spans of ours.
        content_in_events: Put them into events of ours.
        events: Emit an event for each inference call.
        newest_names: Record metrics under the names that the conventions have now, instead of those released.
    """

    content_on_spans: bool = False
    content_in_events: bool = False
    events: bool = False
    newest_names: bool = False

    @property
    def content(self) -> bool:
        """Whether content is wanted anywhere."""
        return self.content_on_spans or self.content_in_events

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The switches as the environment has them. A value that is none of those known is off, with a warning."""
        mode = environ.get(CONTENT, "").strip().upper()
        if mode not in _MODES:
            log.warning("%s is none of %s: no content is recorded", CONTENT, ", ".join(filter(None, _MODES)))
        on_spans, in_events = _MODES.get(mode, _MODES[""])
        said = environ.get(EVENT, "").strip().lower()
        if said not in {"", "true", "false"}:
            log.warning("%s is neither true nor false: it is ignored", EVENT)
        events = said == "true" or (said != "false" and in_events)
        newest = _NEWEST in (word.strip().lower() for word in environ.get(STABILITY, "").split(","))
        return cls(on_spans, in_events and events, events, newest)
