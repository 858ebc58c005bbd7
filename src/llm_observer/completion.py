"""The completion hook of OpenTelemetry's official GenAI instrumentations, for providers whose SDK we do not hook.

The user chooses it by `OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=llm_observer`. Each instrumentation asks for a hook
as it is set up, and calls it with what it has parsed of a call when that has ended and its span has not. The protocol
is met by name: nothing of `opentelemetry-util-genai` is imported.
"""

import time
from typing import Any

from opentelemetry.trace import SpanContext

from llm_observer.adapters.site import call_site
from llm_observer.adapters.told import told_attributes, told_call
from llm_observer.analysis.told_prompt import read_told
from llm_observer.call import Call
from llm_observer.counters import counters
from llm_observer.guard import guard
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.telemetry import attributes as names
from llm_observer.telemetry.describe_report import report_attributes
from llm_observer.telemetry.foreign import claim, complete, scope_name, unwrapped
from llm_observer.telemetry.runtime import Runtime
from llm_observer.telemetry.tags import current_tag
from llm_observer.telemetry.values import Attributes

__all__ = ["CompletionHook", "completion_hook"]


class CompletionHook:
    """Explains the calls that official instrumentations tell of, on their spans. Never raises; alters nothing else."""

    def on_completion(
        self,
        *,
        inputs: Any = None,
        system_instruction: Any = None,
        tool_definitions: Any = None,
        span: Any = None,
        **_rest: Any,
    ) -> None:
        """Explain one call: put hashes, cost and verdict on `span`, and tell all that take note of calls.

        Args:
            inputs: The messages that were sent.
            system_instruction: The parts of the system instructions.
            tool_definitions: The tools that the model was offered.
            span: The call's span, which still records.
            _rest: The answer and the log record, which are not looked at, and what later versions pass.
        """
        with guard("completion"):
            runtime = LLMObserverInstrumentor.current()
            if runtime is None or span is None:
                return
            span = unwrapped(span)
            if not span.is_recording():
                # Without its attributes neither the model nor the usage is known.
                counters.add("skipped", "unsampled")
                return
            _Told(runtime, span).conclude(inputs, system_instruction, tool_definitions)


class _Told:
    """One call that was told of, until it is accounted for."""

    def __init__(self, runtime: Runtime, span: Any) -> None:
        self._runtime = runtime
        self._span = span
        self._start_ns: int = span.start_time or time.time_ns()

    def conclude(self, inputs: Any, system: Any, tools: Any) -> None:
        call = told_call(self._span)
        if call is None or not claim(self._span):
            # No call of a model; or one that our hook into the SDK has adopted the span of.
            return
        end_ns = time.time_ns()
        if self._runtime.seen.has(call, self._start_ns, scope_name(self._span)) or self._is_open(call):
            counters.add("skipped", "told_twice")
            return
        runtime = self._runtime
        runtime.providers.refresh()
        runtime.engine.warm_up()
        call.duration_s = max(0.0, (end_ns - self._start_ns) / 1e9)
        call.tag = current_tag()
        if runtime.settings.call_site and not call.stream:
            # A stream may end far from where it was asked for.
            with guard("completion.call_site"):
                call.site = call_site()
        with guard("completion.prompt"):
            call.prompt = read_told(inputs, system, tools)
            if call.prompt is None:
                counters.add("skipped", "prompt")
        self._account(call, end_ns)
        call.release()

    def _is_open(self, call: Call) -> bool:
        """Whether our hook into an SDK is observing this very call and has not seen its end yet."""
        if call.response_id is None:
            return False
        return any(open_.call.response_id == call.response_id for open_ in tuple(self._runtime.open))

    def _account(self, call: Call, end_ns: int) -> None:
        runtime, span = self._runtime, self._span
        report = runtime.explain(call)
        found: Attributes = {}
        with guard("completion.attributes"):
            if report is not None:
                found = report_attributes(report)
            if call.site is not None:
                found[names.CODE_FILE_PATH] = call.site.file
                found[names.CODE_FUNCTION_NAME] = call.site.function
                found[names.CODE_LINE_NUMBER] = call.site.line
            span.set_attributes(complete(span, found, failed=False))
        identity: SpanContext = span.get_span_context()
        attributes = told_attributes(span, call) | found
        runtime.finished(call, report, identity, self._start_ns, end_ns, attributes, told_by=scope_name(span))


def completion_hook() -> CompletionHook:
    """Make the hook: the factory of the entry point. Begins to load what the first call will need. Never raises."""
    with guard("completion.factory"):
        runtime = LLMObserverInstrumentor.current()
        if runtime is not None:
            runtime.engine.warm_up()
    return CompletionHook()
