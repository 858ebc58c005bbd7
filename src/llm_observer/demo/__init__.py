"""The demonstration: a small application, a provider on this machine for it to talk to, and what runs the two."""

from llm_observer.demo.runner import DemoError, run

__all__ = ["DemoError", "run"]
