"""The table of the peers says what was measured."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from peers import Group, filled, groups


def call(*scopes: str, explained: str = "") -> dict[str, Any]:
    return {"spans": [{"scope": scope, "explained": scope == explained} for scope in scopes]}


def test_calls_that_come_to_the_same_are_one_line() -> None:
    """By SDK; the largest group is the others; what is no inference is left out; orders that differ are told apart."""
    alone = {
        "openai: chat create": call("peer"),
        "openai async: chat create": call("peer"),
        "openai: chat post": call(),
        "openai: batches create": call(),
        "anthropic: messages create": call("peer", "com.anthropic.sdk.python"),
    }
    first = {
        "openai: chat create": call("peer", explained="peer"),
        "openai async: chat create": call("peer", explained="peer"),
        "openai: chat post": call("llm_observer", explained="llm_observer"),
        "openai: batches create": call(),
        "anthropic: messages create": call("peer", "com.anthropic.sdk.python", explained="com.anthropic.sdk.python"),
    }
    last = {**first, "anthropic: messages create": call("peer", explained="peer")}
    assert groups(alone, first, last) == [
        Group("OpenAI", "chat post (sync)", 0, "1", "a span of ours"),
        Group("OpenAI", "all others", 1, "1", "its span"),
        Group("Anthropic", "all", 2, "2 where it was first, else 1", "the SDK's where it was first, else its span"),
    ]


def test_the_page_around_the_table_stays() -> None:
    page = "a\n<!-- peers: begin -->\nold\n<!-- peers: end -->\nb\n"
    found = filled(page, [["peer 1", "OpenAI: all", "1", "1", "its span"]])
    assert found.startswith("a\n<!-- peers: begin -->\n| beside |")
    assert found.endswith("| peer 1 | OpenAI: all | 1 | 1 | its span |\n<!-- peers: end -->\nb\n")
