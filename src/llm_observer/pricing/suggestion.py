"""An entry of a price file for a model that has no price, to be filled in by hand."""

import json

from llm_observer.pricing.entries import STANDARD

__all__ = ["entry_to_fill_in"]


def entry_to_fill_in(provider: str, model: str, tier: str | None = None) -> str:
    """The text of an entry for a model that has no price, with the prices left to fill in."""
    lines = ["[[price]]", f"provider = {_quoted(provider)}", f"model = {_quoted(model)}"]
    if tier and tier != STANDARD:
        lines.append(f"tier = {_quoted(tier)}")
    lines.append("# US dollars per million tokens:")
    lines.extend(f"# {name} = " for name in ("input", "cache_read", "cache_write", "output"))
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # TOML's basic strings are JSON's, apart from characters that JSON may leave as they are.
    return json.dumps(text).replace("\x7f", "\\u007f")
