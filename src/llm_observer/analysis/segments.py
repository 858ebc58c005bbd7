"""A prompt as the provider renders it: segments in order, with where the request puts cache boundaries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

__all__ = ["Kind", "Param", "Prompt", "Segment"]

Kind = Literal["tool", "system", "user", "assistant", "tool_use", "tool_result", "thinking", "media", "other"]


class Segment(NamedTuple):
    """One unit of the prompt: a tool, a block of system text, a part of a message.

    `text` is the text of a text block, and for anything else its JSON with the keys in the order in which they were
    sent; cache markers are taken out of it. `message_end` is true for the last segment of a message.
    """

    path: str
    kind: Kind
    text: str
    is_json: bool = False
    name: str = ""
    role: str = ""
    message_end: bool = False
    marker: str | None = None
    """Lifetime of an explicit cache marker behind this segment: `5m`, `30m`, ... or `default`."""


class Param(NamedTuple):
    """A parameter that some provider's cache depends on: its own name in the request, and its value as JSON."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request's prompt.

    Attributes:
        segments: In the provider's render order: tools, system text, messages.
        head: How many of the first segments are tools and system text.
        params: By what they are (`tool_choice`, `effort`, ...), those that were given another value than the default.
        names: What each of these parameters is called in a request, given or not.
        automatic: Lifetime that the request gives to a boundary which the provider places itself, `None` for none.
        implicit: Whether the provider may place boundaries by itself, where it does so.
        counted: Whether the tokens that the provider counts are those of these segments. They are not where it keeps a
            part of the prompt itself, edits it, or runs tools of its own and counts the input of each run.
        repeats: Whether the last is the only reason: all of the prompt is in the request then, and stays as it is.
        veiled: Which segments the provider counts by something else than their text: what its own tools found.
        kept: The conversation that the provider keeps and the request goes on with, or the response behind which it
            does; `None` where there is none, or where more is behind it than the calls before say.
        compared: The earlier response whose request the provider is asked to compare this one with.
        as_sent: Whether the segments are those of the request as it was sent. They are not where another
            instrumentation told of the call: key order, order of tools, markers and parameters are not known then.
        markers: The explicit markers, in order: behind how many segments, and the lifetime asked for there.
    """

    segments: tuple[Segment, ...]
    head: int
    params: Mapping[str, Param] = field(default_factory=dict[str, Param])
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    automatic: str | None = None
    implicit: bool = True
    counted: bool = True
    repeats: bool = False
    veiled: frozenset[int] = frozenset()
    kept: str | None = None
    compared: str | None = None
    as_sent: bool = True
    markers: tuple[tuple[int, str | None], ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Collect the markers."""
        found = tuple((i, s.marker) for i, s in enumerate(self.segments, 1) if s.marker is not None)
        object.__setattr__(self, "markers", found)
