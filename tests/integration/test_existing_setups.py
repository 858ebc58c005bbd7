"""Whatever OpenTelemetry set-up is there, before or after us: one explained span per call, at every exporter of it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from anthropic.resources import Messages
from openai.resources.chat import Completions
from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import (
    ConcurrentMultiSpanProcessor,
    ReadableSpan,
    TracerProvider,
)
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from spans import Spans, attributes

import llm_observer
from llm_observer.export.reading import read_events
from llm_observer.summary import tally

pytestmark = pytest.mark.usefixtures("provider")

SDKS = ("openai", "anthropic")


def call(sdk: str) -> str:
    """One call of a real SDK; the answer."""
    if sdk == "openai":
        with openai.OpenAI(max_retries=0) as client:
            completion = client.chat.completions.create(
                model="gpt-4.1", messages=[{"role": "user", "content": "Where is my spade?"}]
            )
            return str(completion.choices[0].message.content)
    with anthropic.Anthropic(max_retries=0) as client:
        message = client.messages.create(
            model="claude-sonnet-4-6", max_tokens=64, messages=[{"role": "user", "content": "Where is my spade?"}]
        )
        return "".join(block.text for block in message.content if block.type == "text")


class Setup:
    """A provider of the user's, with an exporter."""

    def __init__(self, processor: type[Any] = SimpleSpanProcessor, **settings: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **settings)
        self._processor = processor
        self.add(self.exporter)

    def add(self, exporter: SpanExporter) -> None:
        """Register one more exporter."""
        self.provider.add_span_processor(self._processor(exporter))

    def spans(self) -> list[ReadableSpan]:
        """What has reached the exporter."""
        assert self.provider.force_flush()
        return Spans(self.exporter).all()


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Setup]]:
    """Makes a user's provider, by default the global one."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    made: list[Setup] = []

    def set_up(processor: type[Any] = SimpleSpanProcessor, *, everywhere: bool = True, **settings: Any) -> Setup:
        setup = Setup(processor, **settings)
        made.append(setup)
        if everywhere:
            monkeypatch.setattr(trace, "_TRACER_PROVIDER", setup.provider)
        return setup

    yield set_up
    for setup in made:
        setup.provider.shutdown()


@pytest.fixture
def patch(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """`llm_observer.patch` with a store of the test's, undone at its end."""
    tally.clear()

    def patch(**arguments: Any) -> None:
        llm_observer.patch(store=str(tmp_path / "calls.db"), **arguments)

    yield patch
    llm_observer.unpatch()


def stored(tmp_path: Path) -> list[dict[str, Any]]:
    """What the local store holds."""
    assert llm_observer.flush()
    return list(read_events(tmp_path / "calls.db"))


def assert_explained(span: ReadableSpan, sdk: str) -> None:
    found = attributes(span)
    assert found["gen_ai.provider.name"] == sdk
    assert found["gen_ai.usage.input_tokens"] > 0
    assert found["llm_observer.prompt.hash"]
    assert found["llm_observer.cache.outcome"]
    assert found["llm_observer.cache.broke"] is False
    assert found.get("llm_observer.cost.usd", 0.0) > 0 or found["llm_observer.cost.reason"] == "prices_loading"


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("first", ["the provider", "patch"])
def test_the_order_of_the_provider_and_patch_does_not_matter(
    first: str, sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None]
) -> None:
    if first == "patch":
        patch()
        setup = set_up()
    else:
        setup = set_up()
        patch()
    call(sdk)
    (span,) = setup.spans()
    assert_explained(span, sdk)


@pytest.mark.parametrize("sdk", SDKS)
def test_a_provider_set_after_the_first_calls_gets_those_after_it(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None], tmp_path: Path
) -> None:
    """The calls before it are in the store and the summary all the same."""
    patch()
    call(sdk)
    setup = set_up()
    call(sdk)
    (span,) = setup.spans()
    assert_explained(span, sdk)
    assert len(stored(tmp_path)) == 2
    assert llm_observer.summary().total.calls == 2


@pytest.mark.parametrize("sdk", SDKS)
def test_a_given_provider_gets_the_spans_when_there_is_no_global_one(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None]
) -> None:
    setup = set_up(everywhere=False)
    patch(tracer_provider=setup.provider)
    call(sdk)
    (span,) = setup.spans()
    assert_explained(span, sdk)


def test_a_given_provider_wins_over_the_global_one(set_up: Callable[..., Setup], patch: Callable[..., None]) -> None:
    everywhere = set_up()
    given = set_up(everywhere=False)
    patch(tracer_provider=given.provider)
    call("openai")
    (span,) = given.spans()
    assert_explained(span, "openai")
    assert everywhere.spans() == []


@pytest.mark.parametrize("tracing", ["on", "off"])
def test_beside_a_given_provider_an_anthropic_call_has_one_span_in_all(
    tracing: str, set_up: Callable[..., Setup], patch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's own span is where the SDK puts it: on the global provider. With that switched off, ours is on yours."""
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "true" if tracing == "on" else "false")
    everywhere = set_up()
    given = set_up(everywhere=False)
    patch(tracer_provider=given.provider)
    call("anthropic")
    (span,) = (everywhere if tracing == "on" else given).spans()
    assert_explained(span, "anthropic")
    assert (given if tracing == "on" else everywhere).spans() == []


def test_an_anthropic_client_with_a_provider_of_its_own_has_one_span_there(
    set_up: Callable[..., Setup], patch: Callable[..., None]
) -> None:
    everywhere = set_up()
    own = set_up(everywhere=False)
    patch()
    with anthropic.Anthropic(max_retries=0, open_telemetry={"tracer_provider": own.provider}) as client:
        client.messages.create(
            model="claude-sonnet-4-6", max_tokens=64, messages=[{"role": "user", "content": "Where is my spade?"}]
        )
    (span,) = own.spans()
    assert_explained(span, "anthropic")
    assert everywhere.spans() == []


@pytest.mark.parametrize("sdk", SDKS)
def test_without_a_provider_calls_are_explained_and_nothing_is_made_global(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None], tmp_path: Path
) -> None:
    del set_up  # only for the absence of a provider
    patch()
    call(sdk)
    (event,) = stored(tmp_path)
    assert event["call"]["provider"] == sdk
    assert event["trace"]["sampled"] is True
    assert llm_observer.summary().total.calls == 1
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("processor", [SimpleSpanProcessor, BatchSpanProcessor])
def test_exporters_registered_before_and_after_ours_see_all_of_it(
    processor: type[Any], sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None]
) -> None:
    setup = set_up(processor)
    patch()
    later = InMemorySpanExporter()
    setup.add(later)
    call(sdk)
    (span,) = setup.spans()
    assert_explained(span, sdk)
    (seen_later,) = later.get_finished_spans()
    assert attributes(seen_later) == attributes(span)


@pytest.mark.parametrize("sdk", SDKS)
def test_our_processors_may_be_put_on_by_hand_too(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None]
) -> None:
    setup = set_up()
    for processor in (
        llm_observer.CacheProcessor(),
        llm_observer.CostProcessor(),
        llm_observer.PromptHashProcessor(),
    ):
        setup.provider.add_span_processor(processor)
    patch()
    call(sdk)
    (span,) = setup.spans()
    assert_explained(span, sdk)


@pytest.mark.parametrize("sdk", SDKS)
def test_a_provider_that_runs_its_processors_in_threads_is_as_good(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None]
) -> None:
    setup = set_up(active_span_processor=ConcurrentMultiSpanProcessor())
    patch()
    call(sdk)
    (span,) = setup.spans()
    assert_explained(span, sdk)


@pytest.mark.parametrize("sdk", SDKS)
def test_a_call_that_is_not_sampled_is_stored_and_counted(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None], tmp_path: Path
) -> None:
    setup = set_up(sampler=ALWAYS_OFF)
    patch()
    call(sdk)
    assert setup.spans() == []
    (event,) = stored(tmp_path)
    assert event["trace"]["sampled"] is False
    assert event["usage"]["input_tokens"] > 0
    assert llm_observer.summary().total.calls == 1


@pytest.mark.parametrize("sdk", SDKS)
def test_calls_below_an_unsampled_remote_parent_are_told_apart(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None], tmp_path: Path
) -> None:
    """Two calls are two events, also where nothing records and both have the same parent."""
    setup = set_up()
    patch()
    remote = trace.SpanContext(0xA, 0xB, is_remote=True, trace_flags=trace.TraceFlags(0))
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(remote)))
    try:
        call(sdk)
        call(sdk)
    finally:
        context.detach(token)
    assert setup.spans() == []
    events = stored(tmp_path)
    assert len(events) == 2
    assert {event["trace"]["trace_id"] for event in events} == {f"{0xA:032x}"}


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("above", ["none", "remote"])
def test_with_the_sdk_disabled_calls_are_stored_and_counted(
    above: str,
    sdk: str,
    set_up: Callable[..., Setup],
    patch: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`OTEL_SDK_DISABLED=true` ends tracing, not the local report; also below a parent that came in from outside."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    setup = set_up()
    patch()
    remote = trace.SpanContext(0xA, 0xB, is_remote=True) if above == "remote" else trace.INVALID_SPAN_CONTEXT
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(remote)))
    try:
        call(sdk)
        call(sdk)
    finally:
        context.detach(token)
    assert setup.spans() == []
    assert len(stored(tmp_path)) == 2
    assert llm_observer.summary().total.calls == 2


@pytest.mark.parametrize("sdk", SDKS)
def test_a_call_is_a_child_of_the_applications_span_and_leaves_it_current(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None]
) -> None:
    setup = set_up()
    patch()
    with setup.provider.get_tracer("app").start_as_current_span("task") as task:
        call(sdk)
        assert trace.get_current_span() is task
    span, _ = setup.spans()
    assert span.parent is not None
    assert span.parent.span_id == task.get_span_context().span_id
    assert_explained(span, sdk)


@pytest.mark.parametrize("sdk", SDKS)
def test_a_span_around_the_sdk_by_another_instrumentation_stays_as_it_is(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What wraps the same resource method with a span of its own, before or after, sees the same call and result."""
    setup = set_up()
    owner = Completions if sdk == "openai" else Messages
    answers: list[Any] = []

    def wrap() -> None:
        original: Callable[..., Any] = vars(owner)["create"]

        def create(*args: Any, **kwargs: Any) -> Any:
            with setup.provider.get_tracer("other").start_as_current_span("other"):
                answer = original(*args, **kwargs)
            answers.append(answer)
            return answer

        monkeypatch.setattr(owner, "create", create)

    wrap()
    patch()
    wrap()
    call(sdk)
    span, *others = setup.spans()
    assert_explained(span, sdk)
    assert [other.name for other in others] == ["other", "other"]
    assert not any(key.startswith("llm_observer.") for other in others for key in attributes(other))
    assert answers[0] is answers[1]


@pytest.mark.parametrize("sdk", SDKS)
def test_where_instrumentation_is_suppressed_no_span_is_added(
    sdk: str, set_up: Callable[..., Setup], patch: Callable[..., None]
) -> None:
    """The Anthropic SDK makes its own all the same, and that one is completed."""
    setup = set_up()
    patch()
    with suppress_instrumentation():
        call(sdk)
    if sdk == "openai":
        assert setup.spans() == []
    else:
        (span,) = setup.spans()
        assert_explained(span, sdk)


def test_instrumenting_again_changes_nothing(set_up: Callable[..., Setup], patch: Callable[..., None]) -> None:
    """As when the zero-code agent has done it and the application calls `patch()` too."""
    setup = set_up()
    patch()
    patch()
    call("openai")
    (span,) = setup.spans()
    assert_explained(span, "openai")


def test_threads_of_one_provider_get_a_span_each(set_up: Callable[..., Setup], patch: Callable[..., None]) -> None:
    setup = set_up(BatchSpanProcessor)
    patch()
    threads = [threading.Thread(target=call, args=(SDKS[n % 2],)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans = setup.spans()
    assert len(spans) == 6
    assert len({span.context.span_id for span in spans if span.context}) == 6
    for span in spans:
        assert_explained(span, str(attributes(span)["gen_ai.provider.name"]))
