"""Keeps content within bounds: texts are cut, inline data left out, and the farthest messages dropped first."""

import json
from typing import Any, cast

from llm_observer.telemetry.content.parts import Part

__all__ = ["MOST_CHARACTERS", "MOST_TEXT", "Bounds"]

MOST_CHARACTERS = 128 * 1024
"""Of one attribute as JSON."""

MOST_TEXT = 32 * 1024
"""Of one text. Of inline data that are longer nothing is kept, since half an image is none."""

_DEEPEST = 32


class Bounds:
    """Bounds the content of one call, and remembers whether anything was cut."""

    def __init__(self) -> None:
        self.cut = False

    def kept(self, items: list[Part], *, newest: bool) -> tuple[list[Part], str]:
        """What is kept of `items`, and the same as JSON.

        Args:
            items: Messages, parts or tools.
            newest: Whether the last ones are kept when there is no room for all.
        """
        kept: list[tuple[Part, str]] = []
        room = MOST_CHARACTERS
        for item in reversed(items) if newest else items:
            small = self._small(item, _DEEPEST)
            written = json.dumps(small, ensure_ascii=False, separators=(",", ":"), default=lambda _: None)
            room -= len(written) + 1
            if room < 0:
                self.cut = True
                break
            kept.append((small, written))
        if newest:
            kept.reverse()
        return [item for item, _ in kept], f"[{','.join(written for _, written in kept)}]"

    def _small(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            if len(value) <= MOST_TEXT:
                # A lone surrogate has no UTF-8, and an exporter would fail on it.
                return value if value.isascii() else value.encode("utf-8", "replace").decode()
            self.cut = True
            return value[:MOST_TEXT].encode("utf-8", "replace").decode()
        if not isinstance(value, dict | list):
            return value
        if depth == 0:
            self.cut = True
            return None
        if isinstance(value, list):
            return [self._small(item, depth - 1) for item in cast("list[Any]", value)]
        found = cast("dict[str, Any]", value)
        content = found.get("content")
        if found.get("type") == "blob" and isinstance(content, str) and len(content) > MOST_TEXT:
            self.cut = True
            found = {name: item for name, item in found.items() if name != "content"}
        return {self._small(str(name), depth - 1): self._small(item, depth - 1) for name, item in found.items()}
