"""When caching a prompt pays and for how long to keep it: what was observed of it, by its model's rule and prices."""

from typing import NamedTuple, Unpack

from llm_observer.analysis.rules import rule_for
from llm_observer.pricing.prices import Prices
from llm_observer.pricing.reuse import Reuse
from llm_observer.pricing.savings import break_even, lifetime_advice
from llm_observer.pricing.terms import CallTerms
from llm_observer.results import BreakEven, LifetimeAdvice

__all__ = ["CachePays", "cache_pays"]

_LONG_WRITES = {"1h": "cache_write_1h", "12h": "cache_write_12h"}
"""Lifetimes with a price of their own; the others are written at the usual one."""


class CachePays(NamedTuple):
    """When the cache pays for one prompt, and how long to keep it; each `None` where it is not known."""

    break_even: BreakEven | None = None
    lifetime: LifetimeAdvice | None = None


def cache_pays(reuse: Reuse, prices: Prices, *, prompt_tokens: int, **terms: Unpack[CallTerms]) -> CachePays:
    """The break-even of a prompt's cache and the advice on its lifetime.

    Args:
        reuse: What was sent again of it, and when.
        prices: Loaded prices; waits for none.
        prompt_tokens: How long the prompts are: long ones have prices of their own.
        **terms: What decides the unit prices, as of the latest call.
    """
    rule = rule_for(terms["provider"], terms["model"])
    unit = prices.unit_prices(prompt_tokens=prompt_tokens, **terms)
    if rule is None or unit is None or unit.input is None or unit.cache_read is None:
        return CachePays()
    known = dict(unit.known())
    writes = {name: known[field] for name in rule.ttl_s if (field := _LONG_WRITES.get(name, "cache_write")) in known}
    usual = rule.ttl_default
    if usual is None:
        return CachePays(break_even(input_price=unit.input, read_price=unit.cache_read, write_price=unit.cache_write))
    advice = lifetime_advice(
        reuse, input_price=unit.input, read_price=unit.cache_read, write_prices=writes, usual=usual
    )
    name = advice.now.name if advice is not None and advice.now is not None else usual
    if name not in writes:
        return CachePays(lifetime=advice)
    pays = break_even(input_price=unit.input, read_price=unit.cache_read, write_price=writes[name], lifetime=name)
    return CachePays(pays, advice)
