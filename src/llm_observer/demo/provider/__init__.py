"""A loopback provider: answers as OpenAI and Anthropic do and keeps a prompt cache by the vendors' published rules.

It is written from the vendors' documentation alone and shares nothing with the package's analysis, so that what the
analysis expects of a cache can be held against it.
"""

from llm_observer.demo.provider.entries import Served
from llm_observer.demo.provider.server import Exchange, Provider, VirtualClock

__all__ = ["Exchange", "Provider", "Served", "VirtualClock"]
