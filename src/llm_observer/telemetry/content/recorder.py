"""`Recorder`: puts the content of calls on spans and into events of ours, where that was switched on."""

from typing import Any

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger

from llm_observer._version import __version__
from llm_observer.call import Call
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.content.bounds import Bounds
from llm_observer.telemetry.content.conversation import instructions, questions, replies, tools
from llm_observer.telemetry.providers import SCOPE
from llm_observer.telemetry.switches import Switches
from llm_observer.telemetry.values import Attributes

__all__ = ["Recorder"]

_EVENT = f"{names.GEN_AI_OPERATION_NAME.partition('.')[0]}.client.inference.operation.details"


class Recorder:
    """Records finished inference calls. Made only when one of its switches is on.

    Args:
        switches: Where content goes, and whether there are events.
        logger_provider: Where events go, if not to the global one.
    """

    def __init__(self, switches: Switches, logger_provider: Any = None) -> None:
        self._switches = switches
        self._logger = get_logger(SCOPE, __version__, logger_provider, schema_url=names.SCHEMA_URL)

    def record(self, call: Call, span: Any, found: Attributes, end_ns: int) -> None:
        """Put the content of `call` on its span, and emit its event.

        Args:
            call: A call that has not let go of its content.
            span: Its span, which is ours.
            found: The other attributes of the span.
            end_ns: When the call ended, in Unix nanoseconds.
        """
        if call.operation == "embeddings":
            return
        content = _content(call) if self._switches.content else {}
        if self._switches.content_on_spans and span.is_recording():
            span.set_attributes({name: written for name, (_, written) in content.items()})
        if self._switches.events:
            structured = (
                {name: value for name, (value, _) in content.items()} if self._switches.content_in_events else {}
            )
            self._logger.emit(
                LogRecord(
                    timestamp=end_ns,
                    observed_timestamp=end_ns,
                    context=trace.set_span_in_context(span),
                    severity_number=SeverityNumber.DEBUG,
                    event_name=_EVENT,
                    attributes={**found, **structured},
                )
            )


def _content(call: Call) -> dict[str, tuple[Any, Any]]:
    """Each attribute of content, as events have it and as spans do."""
    bounds = Bounds()
    api, request = call.api, call.request
    found: dict[str, tuple[Any, Any]] = {}
    for name, items, newest in (
        (names.GEN_AI_INPUT_MESSAGES, questions(api, request), True),
        (names.GEN_AI_OUTPUT_MESSAGES, replies(api, call.answer or {}, call.finish_reasons), False),
        (names.GEN_AI_SYSTEM_INSTRUCTIONS, instructions(api, request), False),
        (names.GEN_AI_TOOL_DEFINITIONS, tools(request), False),
    ):
        if items:
            found[name] = bounds.kept(items, newest=newest)
    if bounds.cut:
        found[names.CONTENT_CUT] = (True, True)
    return found
