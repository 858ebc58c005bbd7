"""`observe`: a user's own test sees every call inside the block, and nothing outside of it notices."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import Answer, ScriptedServer
from spans import exported

import llm_observer
from llm_observer.demo.provider import Provider
from llm_observer.instrumentor import LLMObserverInstrumentor
from llm_observer.testing import observe

GUIDE = "Answer in one sentence, and politely. " * 600


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Keeps a prompt cache by the vendors' rules."""
    with Provider() as running:
        yield running


@pytest.fixture
def answer(provider: Provider) -> Iterator[Callable[..., object]]:
    """An application's function: asks Claude with a long system prompt."""
    with anthropic.Anthropic(base_url=provider.anthropic_url, api_key="key") as client:

        def answer(question: str, *, head: str = "", model: str = "claude-sonnet-5-5") -> object:
            return client.messages.create(
                model=model,
                max_tokens=64,
                system=[{"type": "text", "text": head + GUIDE, "cache_control": {"type": "ephemeral"}}],
                messages=[{"role": "user", "content": question}],
            )

        yield answer


@pytest.fixture
def applications(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What an application's own OpenTelemetry exports."""
    return exported(monkeypatch)


def refusal(check: Callable[[], None]) -> str:
    with pytest.raises(AssertionError) as caught:
        check()
    return str(caught.value)


def test_each_call_has_a_report_and_a_span_in_the_order_of_their_ends(answer: Callable[..., object]) -> None:
    with observe() as observed:
        assert observed.reports == observed.spans == []
        answer("Where is my parcel?")
        answer("Can I send it back?")
        assert len(observed.reports) == 2
    first, second = observed.reports
    assert (first.cache.outcome, second.cache.outcome) == ("cold", "hit")
    assert first.at < second.at
    assert isinstance(second.cost.usd, Decimal), "prices are waited for"
    assert [span.name for span in observed.spans] == ["chat claude-sonnet-5-5"] * 2
    assert (observed.spans[0].end_time or 0) <= (observed.spans[1].start_time or 0)
    assert repr(observed) == "<Observed 2 calls>"


def test_a_prompt_that_is_cached_passes_every_check(answer: Callable[..., object]) -> None:
    with observe() as observed:
        for question in "abc":
            answer(question)
    observed.assert_cache_hits()
    observed.assert_no_cache_breaks()
    observed.assert_no_breakers()


def test_a_prompt_that_breaks_is_refused_with_the_line_the_cause_and_what_to_do(answer: Callable[..., object]) -> None:
    with observe() as observed:
        for second in range(12):
            answer("secret question", head=f"It is 2026-11-22T10:00:{second:02}Z. ")
    line = (
        rf"{re.escape(__file__)}:\d+ in answer\.<locals>\.answer: miss, timestamp at system\[0\]: Move the time behind"
    )
    for check, what in (
        (observed.assert_cache_hits, "11 calls did not read the prompt from the cache:"),
        (observed.assert_no_cache_breaks, "11 calls broke the prompt cache:"),
    ):
        text = refusal(check)
        assert text.startswith(what)
        assert len(re.findall(line.replace("answer\\.<locals>", ".*"), text)) == 10
        assert text.endswith("and 1 more")
    text = refusal(observed.assert_no_breakers)
    assert text.startswith("12 calls had volatile values in tools or system text:")
    assert ": timestamp\n" in text
    assert "secret" not in text


def test_a_choice_with_a_price_can_be_allowed(answer: Callable[..., object]) -> None:
    with observe() as observed:
        answer("a")
        answer("b", model="claude-opus-5-5")
    assert "model_changed" in refusal(observed.assert_no_cache_breaks)
    observed.assert_no_cache_breaks(avoidable_only=True)


def test_a_check_that_could_show_nothing_fails(answer: Callable[..., object], server: ScriptedServer) -> None:
    with observe() as observed:
        assert refusal(observed.assert_no_cache_breaks) == (
            "no call was observed that has a prompt cache and succeeded"
        )
        assert refusal(observed.assert_no_breakers) == "no call was observed"
        answer("a")
        observed.assert_no_cache_breaks()
        assert refusal(observed.assert_cache_hits) == (
            "no prompt was sent twice, so none could be read from the cache: 1 call"
        )
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    server.script(Answer.json({"id": "1", "choices": [], "model": "gpt-5.6", "usage": usage}))
    with observe() as observed, openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        client.chat.completions.create(model="gpt-5.6", messages=[{"role": "user", "content": "secret"}])
    text = refusal(observed.assert_no_cache_breaks)
    assert text.startswith("1 call got no count of cached tokens, so nothing can be said of the cache:\n")
    assert "secret" not in text


def test_calls_without_a_prompt_cache_and_calls_that_failed_are_passed_over(
    answer: Callable[..., object], server: ScriptedServer
) -> None:
    with observe() as observed, openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0) as client:
        client.embeddings.create(model="text-embedding-3-small", input="France", encoding_format="float")
        server.script(Answer.json({"error": {"message": "no"}}, 400))
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="gpt-5.6", messages=[{"role": "user", "content": "a"}])
        answer("a")
        answer("b")
    assert len(observed.reports) == 4
    observed.assert_cache_hits()
    observed.assert_no_cache_breaks()


def test_without_a_line_of_the_application_the_call_is_named_by_its_api(
    answer: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_observer.adapters.hook.call_site", lambda: None)
    with observe() as observed:
        answer("a", head="2026-11-22T10:00:00Z")
    assert "\n  anthropic messages: timestamp" in refusal(observed.assert_no_breakers)


async def test_async_calls_and_streams_are_observed(provider: Provider) -> None:
    async with openai.AsyncOpenAI(base_url=provider.openai_url, api_key="key") as client:
        with observe() as observed:
            stream = await client.chat.completions.create(
                model="gpt-5.6-sol",
                messages=[{"role": "user", "content": "a"}],
                stream=True,
                stream_options={"include_usage": True},
            )
            assert observed.reports == []
            async for _ in stream:
                pass
    (report,) = observed.reports
    assert report.usage is not None
    assert len(observed.spans) == 1


def test_nothing_is_stored_counted_or_exported(
    answer: Callable[..., object],
    applications: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Whatever the environment says. Anthropic's SDK makes its own span on the application's provider, as always."""
    monkeypatch.setenv("LLM_OBSERVER_ENABLED", "true")
    monkeypatch.setenv("LLM_OBSERVER_API_KEY", "key")
    monkeypatch.setenv("LLM_OBSERVER_ENDPOINT", "http://127.0.0.1:9/")
    monkeypatch.setenv("LLM_OBSERVER_DISABLED", "true")
    before = llm_observer.summary()
    with observe() as observed:
        answer("a")
    assert len(observed.reports) == len(observed.spans) == 1
    assert llm_observer.summary() == before
    assert list(tmp_path.iterdir()) == []
    scopes = [span.instrumentation_scope for span in applications.get_finished_spans()]
    assert all(scope is not None and scope.name == "com.anthropic.sdk.python" for scope in scopes)


def test_openais_calls_make_no_span_on_the_applications_provider(
    provider: Provider, applications: InMemorySpanExporter
) -> None:
    with observe() as observed, openai.OpenAI(base_url=provider.openai_url, api_key="key") as client:
        client.chat.completions.create(model="gpt-5.6-sol", messages=[{"role": "user", "content": "a"}])
    assert len(observed.spans) == 1
    assert applications.get_finished_spans() == ()


def test_behind_the_block_the_sdks_are_as_before(answer: Callable[..., object]) -> None:
    kinds = (*openai.OpenAI.__mro__, *anthropic.Anthropic.__mro__)

    def requests() -> list[object]:
        return [vars(kind)["request"] for kind in kinds if "request" in vars(kind)]

    originals = requests()
    with observe() as observed:
        assert requests() != originals
    answer("a")
    assert requests() == originals
    assert observed.reports == []
    assert LLMObserverInstrumentor.runtime is None
    assert not LLMObserverInstrumentor().is_instrumented_by_opentelemetry


def test_behind_a_block_that_raised_the_sdks_are_as_before() -> None:
    with pytest.raises(KeyError), observe():
        raise KeyError
    assert LLMObserverInstrumentor.runtime is None


def test_an_active_patch_rests_for_the_length_of_the_block(
    answer: Callable[..., object], patched: Callable[..., None], applications: InMemorySpanExporter, store: Path
) -> None:
    told: list[llm_observer.CallReport] = []
    patched()
    llm_observer.on_call(told.append)
    active = LLMObserverInstrumentor.runtime
    answer("before")
    with observe() as observed:
        answer("inside")
        llm_observer.patch()
        answer("inside")
    assert LLMObserverInstrumentor.runtime is active
    answer("behind")
    assert [report.cache.outcome for report in observed.reports] == ["hit", "hit"]
    assert len(observed.spans) == 2
    assert [report.cache.outcome for report in told] == ["cold", "hit"]
    assert llm_observer.summary().total.calls == 2
    assert llm_observer.flush()
    assert llm_observer.stats().stored == 2
    assert store.exists()
    llm_observer.patch(store="off")
    assert LLMObserverInstrumentor.runtime is active, "still patched"
    assert len(applications.get_finished_spans()) == 4


def test_a_patch_inside_the_block_changes_nothing(answer: Callable[..., object], store: Path) -> None:
    """As when the code under test sets itself up."""
    with observe() as observed:
        llm_observer.patch(store=str(store))
        answer("a")
    assert len(observed.reports) == 1
    assert not LLMObserverInstrumentor().is_instrumented_by_opentelemetry
    assert not store.exists()


@pytest.mark.parametrize("before", [False, True])
def test_an_unpatch_inside_the_block_ends_the_observation_and_no_more(
    answer: Callable[..., object], patched: Callable[..., None], *, before: bool
) -> None:
    if before:
        patched()
    active = LLMObserverInstrumentor.runtime
    with observe() as observed:
        answer("a")
        llm_observer.unpatch()
        answer("b")
    assert len(observed.reports) == 1
    assert LLMObserverInstrumentor.runtime is active
    assert LLMObserverInstrumentor().is_instrumented_by_opentelemetry is before
    answer("c")
    assert llm_observer.summary().total.calls == before


def test_what_is_disabled_is_disabled_behind_the_block(
    answer: Callable[..., object], patched: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_OBSERVER_DISABLED", "true")
    patched()
    with observe() as observed:
        answer("a")
    answer("b")
    assert len(observed.reports) == 1
    assert LLMObserverInstrumentor.runtime is None
    assert llm_observer.summary().total.calls == 0


def test_a_patch_that_sends_sends_behind_the_block_and_nothing_of_it(
    answer: Callable[..., object], patched: Callable[..., None], server: ScriptedServer
) -> None:
    patched(enabled=True, api_key="key", endpoint=f"{server.url}/events")
    server.script(*[Answer()] * 3)
    with observe():
        answer("inside")
    answer("behind")
    assert llm_observer.flush()
    assert llm_observer.stats().sent == 1


def test_blocks_within_blocks_see_their_own_calls(answer: Callable[..., object]) -> None:
    with observe() as outer:
        answer("a")
        with observe() as inner:
            answer("b")
        answer("c")
    assert (len(outer.reports), len(inner.reports)) == (len(outer.spans), len(inner.spans)) == (2, 1)


def test_hashes_are_the_same_in_every_run(answer: Callable[..., object]) -> None:
    """So a family can stand in a test."""
    with observe() as one:
        answer("a")
    with observe() as other:
        answer("a")
    assert one.reports[0].prompt == other.reports[0].prompt
    assert one.reports[0].prompt is not None
    assert re.fullmatch("[0-9a-f]{16}", one.reports[0].prompt.family)


def test_prices_of_ones_own_count(answer: Callable[..., object], tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        '[[price]]\nprovider = "anthropic"\nmodel = "claude-sonnet-5-5"\ninput = 1000\noutput = 1000\n'
        "cache_write = 1000\ncache_read = 100\n",
        encoding="utf-8",
    )
    with observe(prices=str(prices)) as observed:
        answer("a")
    cost: Any = observed.reports[0].cost
    assert cost.source == "overrides"
    assert cost.usd > 1
