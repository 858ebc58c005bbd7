"""Short believable answers, the same for the same question. No model is behind them."""

import json
import re
from dataclasses import dataclass
from zlib import crc32

from llm_observer.demo.provider.wire import JSON, as_dict, as_list

__all__ = ["Answer", "ToolCall", "View", "answer", "last_text"]

_ORDER = re.compile(r"\b[A-Z]{2}-\d{4,6}\b")
_WORD = re.compile(r"[a-z]{4,}")

_REPLIES = (
    (
        "Thanks for reaching out, and sorry for the trouble. I have checked this with our team: you can send the item "
        "back free of charge within 30 days, and the refund reaches your card two or three days after we have it."
    ),
    (
        "I can help with that. The change is made, and you will get a confirmation by e-mail within the next few "
        "minutes. Is there anything else I can do for you today?"
    ),
    (
        "That is a fair question. The delivery was handed to the carrier this morning and should be there by Thursday; "
        "if it is not, tell us and we will send a replacement the same day."
    ),
    (
        "I am sorry that this happened. I have credited the shipping fee to your account and asked the warehouse to "
        "look at the batch, so that it does not happen to the next customer."
    ),
)
_AFTER_TOOL = (
    (
        "Good news: I found your order. It left our warehouse yesterday and the carrier expects to deliver it tomorrow "
        "before noon. I have added a note that it may be left with your neighbour."
    ),
    (
        "I have your order here. The second parcel is still waiting for one item, which is due on Friday; both will "
        "then be sent together, and you pay no extra shipping."
    ),
)
_QUEUES = ("billing", "delivery", "returns", "technical", "account")
_PRIORITIES = ("P3", "P2", "P3", "P4", "P1")
_TOPICS = ("delivery_speed", "packaging", "price", "product_quality", "staff")
_SENTIMENTS = ("negative", "mixed", "positive", "negative", "neutral")
_SUMMARY = (
    "- The customer reports a late delivery and asks for compensation.\n"
    "- Two earlier contacts, both about the same order; a credit was promised and not booked.\n"
    "- Next step: book the credit, confirm the new delivery date, close the earlier tickets as duplicates."
)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called."""

    name: str
    arguments: JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, and the tool that it calls."""

    text: str
    call: ToolCall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the answer depends on: the instructions, the tools by name, and the last thing said."""

    instructions: str
    tools: dict[str, str]
    """Descriptions by name."""
    must_call: bool
    said: str
    by_tool: bool


def answer(view: View) -> Answer:
    """The answer to a request."""
    n = crc32(view.said.encode(errors="surrogatepass"))
    if view.by_tool:
        return Answer(_pick(_AFTER_TOOL, n))
    if view.must_call and view.tools:
        return Answer("", ToolCall(_closest(view), {"reason": view.said[:60]}))
    order = _ORDER.search(view.said)
    look_up = next((name for name in view.tools if "order" in name), None)
    if order and look_up:
        return Answer("Let me look that up for you.", ToolCall(look_up, {"order_id": order[0]}))
    instructions = view.instructions.lower()
    if "triage" in instructions:
        return Answer(json.dumps({"queue": _pick(_QUEUES, n), "priority": _pick(_PRIORITIES, n)}))
    if "sentiment" in instructions:
        return Answer(json.dumps({"topic": _pick(_TOPICS, n), "sentiment": _pick(_SENTIMENTS, n)}))
    if "summar" in view.said.lower():
        return Answer(_SUMMARY)
    return Answer(_pick(_REPLIES, n))


def last_text(content: object) -> str:
    """The text of a message's content, a string or a list of parts."""
    if isinstance(content, str):
        return content
    texts = (as_dict(part).get("text") or as_dict(part).get("content") for part in as_list(content))
    return " ".join(text for text in texts if isinstance(text, str))


def _pick(choices: tuple[str, ...], n: int) -> str:
    return choices[n % len(choices)]


def _closest(view: View) -> str:
    """The tool whose name and description share most words with what was said; the first by name of equals."""
    words = set(_WORD.findall(view.said.lower()))
    return max(
        sorted(view.tools), key=lambda name: len(words & set(_WORD.findall(f"{name} {view.tools[name]}".lower())))
    )
