"""What became of each call, for who reads the log at debug level: stages, figures and causes, no content."""

import logging
from collections.abc import Iterable

from llm_observer.guard import guard

__all__ = ["reached", "watched"]

log = logging.getLogger("llm_observer")


def watched() -> bool:
    """Whether anybody reads of stages."""
    return log.isEnabledFor(logging.DEBUG)


def reached(stage: str, event_ids: Iterable[str], **facts: str | float | None) -> None:
    """Log that the calls of these events came to `stage`. Never raises.

    Args:
        stage: One of a short list: `ended`, `stored`, `sent`, `spooled`, `dropped`.
        event_ids: Of the calls: each has one line.
        facts: Figures and words of short lists. What is `None` is left out.
    """
    if not watched():
        return
    given = {name: fact for name, fact in facts.items() if fact is not None}
    said = "".join(f" {name}={fact}" for name, fact in given.items())
    with guard("stages"):
        for event_id in event_ids:
            about = {"call": event_id, "stage": stage, **given}
            log.debug("call=%s stage=%s%s", event_id, stage, said, extra={"llm_observer": about})
