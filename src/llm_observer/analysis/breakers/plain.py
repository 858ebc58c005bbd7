"""What is known by its form alone, wherever it stands: UUIDs, times to the second, long hashes.

For what is left of a text that is too dense to be read closely: fast, and blind to keys.
"""

# ruff: noqa: E501 - one line of a pattern is one alternative

import re

from llm_observer.analysis.breakers.kinds import Span, span_of

__all__ = ["find_plain_ids", "find_plain_times"]

_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|[0-9a-f]{32}(?:[0-9a-f]{8}|[0-9a-f]{32})?)(?![0-9A-Za-z])"
)
_TIME = re.compile(
    r"(?<![0-9A-Za-z])20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:[.,][0-9]{1,9})?(?:Z|[+-][0-2][0-9]:?[0-5][0-9])?(?![0-9A-Za-z])"
)


def find_plain_ids(text: str, start: int) -> list[Span]:
    """UUIDs and hashes from `start` on."""
    return [
        span_of(*match.span(), "uuid" if match["uuid"] else "hex")
        for match in _ID.finditer(text, start)
        if not match[0].isdigit()
    ]


def find_plain_times(text: str, start: int) -> list[Span]:
    """Dates with a clock, as loggers write them, from `start` on."""
    return [span_of(*match.span(), "datetime") for match in _TIME.finditer(text, start)]
