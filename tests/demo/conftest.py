"""A provider on a virtual clock, and the real clients that talk to it."""

from collections.abc import Iterator

import anthropic
import openai
import pytest

from llm_observer.demo.provider import Provider, VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def provider(clock: VirtualClock) -> Iterator[Provider]:
    with Provider(clock=clock) as running:
        yield running
    assert running.failures == []


@pytest.fixture
def gpt(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=provider.openai_url, api_key="sk-one", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.anthropic_url, api_key="sk-one", max_retries=0) as client:
        yield client
