"""Price data loaded once for the suite, and hypothesis without chance."""

import pytest
from hypothesis import settings

from llm_observer.pricing.prices import Prices

settings.register_profile("pricing", derandomize=True, max_examples=60, database=None)


@pytest.fixture(scope="session")
def prices() -> Prices:
    """List prices without the overrides of a user."""
    loaded = Prices()
    assert loaded.wait(60)
    return loaded
