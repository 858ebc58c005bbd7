"""How a message opens that took the place of a conversation, and how others do that speak of summaries."""

import time

import pytest

from llm_observer.analysis.segments import Segment
from llm_observer.analysis.summaries import continues, states_summary


def message(text: str) -> Segment:
    return Segment("messages[1]", "user", text, role="user", message_end=True)


@pytest.mark.parametrize(
    "text",
    [
        "Summary of the conversation so far:\nAnn asked for a lamp.",
        "Here is a recap of what was discussed earlier: a lamp.",
        "Here's a brief summary of our previous conversation. Ann ...",
        "This is a summary of all earlier messages.",
        "## Conversation summary\n- a lamp",
        "[Context Summary] A lamp.",
        "<summary>\nA lamp.\n</summary>",
        "<conversation_summary>A lamp.</conversation_summary>",
        "<state_snapshot>A lamp.</state_snapshot>",
        "**Previous conversation summary**: a lamp",
        "[Conversation compacted]\nA lamp.",
        "Below is the compacted history.",
        "Earlier in this conversation, Ann asked for a lamp.",
        "Conversation so far: a lamp.",
        "The conversation history before this point was compacted into the following summary: a lamp.",
        "Your context has been condensed. A lamp.",
        "This session is being continued from a previous conversation that ran out of context. It is summarized below.",
        "You are continuing a previous session. Ann asked for a lamp.",
        '{"type":"compaction","encrypted_content":"Ab3d"}',
    ],
)
def test_a_message_that_opens_as_a_summary_of_the_conversation_is_one(text: str) -> None:
    assert states_summary(message(text))


@pytest.mark.parametrize(
    "text",
    [
        "Summarize the following article:\nA lamp.",
        "Write a summary of the conversation so far.",
        "Please give me a recap of our discussion.",
        "Can you make a summary of this session?",
        "Summary: the app is slow.",
        "Summary of the article: a lamp.",
        "Here is a summary of the product, as the maker gives it.",
        "The soil was compacted. What now?",
        "I want the history of lamps summarized.",
        "Previous owners were summarised as careful. Why?",
        "Continue the conversation.",
        "What was said earlier?",
        "This chapter is continued from the last one.",
        "Context: a lamp.",
        "History",
        "",
    ],
)
def test_a_request_or_another_text_is_none(text: str) -> None:
    assert not states_summary(message(text))


def test_only_what_goes_on_with_a_conversation_is_one_where_every_session_opens_with_a_summary() -> None:
    assert continues(message("This session is being continued from a previous conversation. It was about a lamp."))
    assert not continues(message("Summary of our previous conversation: a lamp."))


def test_a_long_text_is_looked_at_in_no_time() -> None:
    """Its head alone: what matches nowhere is not looked for in all of it."""
    began = time.process_time()
    for text in (" # " * 200_000, "conversation " * 100_000, "the " * 200_000, "here is a the our " * 50_000):
        assert not continues(message(text))
        assert not states_summary(message(text))
    assert time.process_time() - began < 0.2
