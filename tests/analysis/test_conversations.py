"""Conversations that were not replayed as they were sent, and ones that were: what is blamed, and what is left alone.

Sizes are given as the provider counts them: four characters a token.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from llm_observer.replay import analyze
from llm_observer.results import CallReport, Verdict

JSON = dict[str, Any]

RULES = "\n".join(f"Rule {i}: be polite and read section {chr(65 + i % 26)} of the handbook first." for i in range(150))
TOOLS: list[JSON] = [
    {"type": "function", "function": {"name": name, "description": f"{name}: {'looks it up. ' * 30}", "parameters": {}}}
    for name in ("find_order", "refund", "escalate")
]


def text(topic: str, lines: int = 12) -> str:
    return "\n".join(
        f"The {topic} of aisle {i} was seen at the {topic} counter and nobody took it." for i in range(lines)
    )


def size(*parts: Any) -> int:
    return sum(len(part if isinstance(part, str) else json.dumps(part)) for part in parts) // 4


def chat(at: float, messages: Sequence[JSON], read: int, *, provider: str = "openai", **body: Any) -> JSON:
    request = {"model": "gpt-4.1", "messages": [{"role": "system", "content": RULES}, *messages], **body}
    total = size(RULES, *(m.get("content") or m for m in messages), *body.get("tools", ()))
    usage = {"prompt_tokens": total, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": read}}
    return {"at": at, "provider": provider, "api": "chat.completions", "request": request, "usage": usage}


def user(content: Any) -> JSON:
    return {"role": "user", "content": content}


def answer(content: str) -> JSON:
    return {"role": "assistant", "content": content}


def claude(at: float, messages: Sequence[JSON], read: int, written: int, **body: Any) -> JSON:
    """A call with markers behind its system text and its last message."""
    marker = {"cache_control": {"type": "ephemeral"}}
    *before, last = messages
    *blocks, block = last["content"]
    request = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 9,
        "system": [{"type": "text", "text": RULES, **marker}],
        "messages": [*before, {**last, "content": [*blocks, {**block, **marker}]}],
        **body,
    }
    usage = {
        "input_tokens": 0,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": 9,
    }
    return {"at": at, "provider": "anthropic", "api": "messages", "request": request, "usage": usage}


def part(content: str) -> JSON:
    return {"type": "text", "text": content}


def verdicts(records: list[JSON]) -> list[Verdict]:
    reports: list[CallReport] = analyze(records)
    return [report.cache for report in reports]


def grid(tokens: int) -> int:
    return tokens - tokens % 128


def turns(n: int) -> list[list[JSON]]:
    """The messages of each call of a conversation."""
    found = [[user(text("parcel 0"))]]
    for i in range(1, n):
        found.append([*found[-1], answer(text(f"answer {i}")), user(text(f"parcel {i}"))])
    return found


def test_tools_that_come_and_go_lose_the_turn_in_between() -> None:
    said = turns(4)
    few = TOOLS[1:]
    lost = size(*(m["content"] for m in said[1][1:]))
    records = [
        chat(0, said[0], 0, tools=TOOLS),
        chat(20, said[1], 0, tools=few),
        chat(40, said[2], grid(size(RULES, said[0][0]["content"], *TOOLS)), tools=TOOLS),
    ]
    _, _, third = verdicts(records)
    assert (third.cause, third.broke, third.location) == ("tool_membership", True, "tools[0]")
    assert third.missed_tokens == pytest.approx(lost, abs=160)


def test_two_prompts_that_are_asked_the_same_side_by_side_are_two_prompts() -> None:
    said = turns(3)
    records: list[JSON] = []
    for i, messages in enumerate(said):
        read = grid(size(RULES, *(m["content"] for m in said[i - 1]))) if i else 0
        for tools in (TOOLS, TOOLS[1:]):
            records.append(chat(20 * len(records), [*messages], read + (grid(size(*tools)) if i else 0), tools=tools))
    assert [v.broke for v in verdicts(records)][2:] == [False] * 4


def test_a_reminder_that_is_taken_out_of_the_message_before_loses_it() -> None:
    asked, reminder = text("parcel"), "\n<reminder>Keep the list of open questions up to date.</reminder>"
    head, first = size(RULES), size(asked, reminder)
    now = [user([part(asked)]), {"role": "assistant", "content": [part(text("answer"))]}, user([part("And now?")])]
    records = [
        claude(0, [user([part(asked + reminder)])], 0, head + first),
        claude(20, now, head, first + size(text("answer"))),
    ]
    verdict = verdicts(records)[1]
    assert (verdict.cause, verdict.broke, verdict.location) == ("history_rewritten", True, "messages[0].content[0]")
    assert verdict.missed_tokens == pytest.approx(first, rel=0.1)


def test_a_block_that_is_taken_out_of_the_message_before_loses_it() -> None:
    asked = text("parcel", 30)
    head = size(RULES)
    now = [user([part(asked)]), {"role": "assistant", "content": [part(text("answer"))]}, user([part("And now?")])]
    records = [
        claude(0, [user([part(asked), part("The list of open questions is empty.")])], 0, head + size(asked) + 10),
        claude(20, now, head, size(asked, text("answer"))),
    ]
    verdict = verdicts(records)[1]
    assert (verdict.cause, verdict.broke, verdict.location) == ("history_rewritten", True, "messages[0].content[0]")


def test_a_question_that_is_edited_and_sent_anew_breaks_nothing() -> None:
    before = [user([part(text("parcel"))]), {"role": "assistant", "content": [part(text("answer"))]}]
    asked = text("second parcel", 20)
    head, behind = size(RULES), size(text("parcel"), text("answer"))
    records = [
        claude(0, [*before[:1]], 0, head + size(text("parcel"))),
        claude(20, [*before, user([part(asked)])], head + size(text("parcel")), behind + size(asked)),
        claude(40, [*before, user([part(asked.replace("aisle 7", "hall 7"))])], head + size(text("parcel")), behind),
        claude(60, [*before, user([part("\n".join(asked.split("\n")[:-2]))])], head + size(text("parcel")), behind),
    ]
    assert [v.broke for v in verdicts(records)] == [False] * 4


def test_what_stands_behind_a_changed_system_text_counts_as_lost_with_it() -> None:
    said = turns(2)
    before = [{"role": "system", "content": "Mode: quick and cheerful.\n" + RULES}, *said[0]]
    after = [{"role": "system", "content": "Mode: slow and careful.\n" + RULES}, *said[1]]
    first, second = chat(0, said[0], 0), chat(20, said[1], 0)
    first["request"]["messages"], second["request"]["messages"] = before, after
    verdict = verdicts([first, second])[1]
    assert (verdict.cause, verdict.broke) == ("system_changed", True)
    assert verdict.expected_tokens == pytest.approx(size(RULES, said[0][0]["content"]), abs=160)


def test_a_history_that_is_rewritten_is_found_where_the_shortest_prefix_is_not_documented() -> None:
    said = turns(4)
    whole = [size(RULES, *(m["content"] for m in messages)) for messages in said]
    small = [{"role": "system", "content": "Mode: slow and careful.\n" + RULES}, *said[3]]
    records = [chat(20 * i, said[i], grid(whole[i - 1]) if i else 0, provider="x_ai", model="grok-4") for i in range(3)]
    records.append(chat(60, said[3], 0, provider="x_ai", model="grok-4"))
    records[-1]["request"]["messages"] = small
    assert [(v.cause, v.broke) for v in verdicts(records)] == [("none", False)] * 3 + [("system_changed", True)]


def called(i: int) -> JSON:
    call = {"id": f"call_{i}", "type": "function", "function": {"name": "find_order", "arguments": f'{{"order": {i}}}'}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def result(i: int, content: str) -> JSON:
    return {"role": "tool", "tool_call_id": f"call_{i}", "content": content}


def test_results_that_were_cut_side_by_side_are_a_shortened_history() -> None:
    start = [user(text("parcel")), called(1)]
    full = [result(i, text(f"result {i}", 20)) for i in range(3)]
    cut = [result(i, "[cleared]") for i in range(3)]
    more = [called(2), result(9, text("last", 30))]
    first = chat(0, [*start, *full, *more], 0)
    second = chat(20, [*start, *cut, *more, called(3), result(10, text("newest"))], grid(size(RULES, text("parcel"))))
    verdict = verdicts([first, second])[1]
    assert (verdict.cause, verdict.broke) == ("history_truncated", True)


def reasoning(i: int) -> JSON:
    return {"type": "reasoning", "id": f"rs_{i}", "summary": [], "encrypted_content": f"{i}" + "Ab3d" * 80}


def responses(at: float, items: list[JSON], read: int) -> JSON:
    request = {"model": "gpt-5.2", "instructions": RULES, "input": items}
    usage = {"input_tokens": size(RULES, *items), "output_tokens": 9, "input_tokens_details": {"cached_tokens": read}}
    return {"at": at, "provider": "openai", "api": "responses", "request": request, "usage": usage}


def step(i: int) -> list[JSON]:
    call = {"type": "function_call", "call_id": f"c{i}", "name": "find_order", "arguments": f'{{"order": {i}}}'}
    return [call, {"type": "function_call_output", "call_id": f"c{i}", "output": text(f"result {i}", 20)}]


@pytest.mark.parametrize(("drops_turn", "cause"), [(True, "history_truncated"), (False, "history_rewritten")])
def test_a_turn_that_goes_with_its_reasoning_was_dropped_and_reasoning_that_goes_alone_was_stripped(
    *, drops_turn: bool, cause: str
) -> None:
    task = {"role": "user", "content": text("parcel")}
    before = [task, reasoning(1), *step(1), *step(2), *step(3)]
    after = [task, *([] if drops_turn else step(1)), *step(2), *step(3), *step(4)]
    verdict = verdicts([responses(0, before, 0), responses(20, after, grid(size(RULES, task)))])[1]
    assert (verdict.cause, verdict.broke) == (cause, True)


@pytest.mark.parametrize(
    ("name", "cause"), [("prompt_cache_key", "cache_key_changed"), ("service_tier", "service_tier_changed")]
)
def test_an_older_model_is_routed_by_key_and_tier_and_its_usage_says_whether_that_mattered(
    name: str, cause: str
) -> None:
    said = turns(2)
    whole = grid(size(RULES, said[0][0]["content"]))
    first = chat(0, said[0], 0, **{name: "flex"})
    missed, read = (verdicts([first, chat(20, said[1], n, **{name: "priority"})])[1] for n in (0, whole))
    assert (missed.cause, missed.broke, missed.location) == (cause, True, name)
    assert (read.cause, read.broke) == ("none", False)


def test_a_read_is_in_steps_of_what_the_model_matches() -> None:
    said = turns(2)
    records = [chat(0, said[0], 0, model="gpt-5.5"), chat(20, said[1], 0, model="gpt-5.5")]
    for record, mode in zip(records, ("quick", "careful"), strict=True):
        record["request"]["messages"][0]["content"] = f"Mode: {mode}.\n{RULES}"
    verdict = verdicts(records)[1]
    assert (verdict.cause, verdict.expected_tokens) == ("system_changed", 2048)


def test_a_marked_part_that_is_too_short_has_its_boundary() -> None:
    """What the provider did not write at a marker that is there was too short for it, whatever an estimate says."""
    marker = {"cache_control": {"type": "ephemeral"}}
    short = "\n".join(RULES.split("\n")[:56])

    def call(at: float, question: str) -> JSON:
        request = {
            "model": "claude-sonnet-4-5",
            "max_tokens": 9,
            "system": [{"type": "text", "text": short, **marker}],
            "messages": [user(question)],
        }
        usage = {
            "input_tokens": 1090,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": 0,
            "output_tokens": 9,
        }
        return {"at": at, "provider": "anthropic", "api": "messages", "request": request, "usage": usage}

    _, second, third = verdicts([call(20 * i, f"{i} " + text("parcel", 2)) for i in range(3)])
    assert (second.cause, second.broke, third.cause, third.broke) == (*["below_minimum", False] * 2,)


def test_a_boundary_too_far_back_is_named_though_little_was_lost() -> None:
    head, asked = size(RULES), text("parcel", 30)
    first = claude(0, [user([part(asked)])], 0, head + size(asked))
    talk = [m for i in range(12) for m in (answer(f"Yes, {i}."), user(f"And {i}?"))]
    second = claude(
        20, [user([part(asked)]), *talk, answer("So it is."), user([part("Why?")])], head, size(asked) + 300
    )
    verdict = verdicts([first, second])[1]
    assert (verdict.cause, verdict.broke, verdict.location) == ("lookback_exceeded", True, "messages[0].content[0]")


def test_an_image_that_was_exchanged_is_named_though_little_stands_behind_it() -> None:
    def image(name: str) -> JSON:
        return {"type": "image_url", "image_url": {"url": f"https://example.com/{name}.png"}}

    def asked(name: str) -> JSON:
        return user([{"type": "text", "text": text("parcel")}, image(name)])

    behind = [answer("It is a lamp, and it looks as good as new from here. " * 5), user("Which colour does it have?")]
    records = [
        chat(0, [asked("lamp"), *behind], 0),
        chat(20, [asked("bulb"), *behind, answer("Blue."), user(text("more"))], grid(size(RULES, text("parcel")))),
    ]
    records[0]["usage"]["prompt_tokens"] += 1500
    records[1]["usage"]["prompt_tokens"] += 1500
    verdict = verdicts(records)[1]
    assert (verdict.cause, verdict.broke, verdict.location) == ("image_changed", True, "messages[1].content[1]")


def test_a_summary_behind_an_acknowledgement_is_a_compaction() -> None:
    task = user(text("parcel"))
    old = [m for i in range(4) for m in (answer(text(f"answer {i}", 20)), user(text(f"question {i}", 8)))]
    kept = [answer(text("kept", 20)), user(text("kept question", 8))]
    summary = [answer("Noted."), user("Summary of the conversation so far: all parcels were found.")]
    records = [
        chat(0, [task, *old, *kept], 0),
        chat(20, [task, *summary, *kept, answer("Good."), user("And now?")], grid(size(RULES, task["content"]))),
    ]
    verdict = verdicts(records)[1]
    assert (verdict.cause, verdict.broke, verdict.avoidable) == ("compaction", True, False)


def test_noise_and_a_change_of_content_are_both_named() -> None:
    said = turns(2)
    renamed = [{"type": "function", "function": {**TOOLS[0]["function"], "name": "find_parcel"}}, *TOOLS[1:]]
    records = [chat(0, said[0], 0, tools=TOOLS), chat(20, said[1], 0, tools=renamed)]
    for record, moment in zip(records, ("2026-11-23T10:00:07Z", "2026-11-23T10:00:27Z"), strict=True):
        record["request"]["messages"][0]["content"] = f"It is {moment} now.\n{RULES}"
    verdict = verdicts(records)[1]
    assert (verdict.causes, verdict.location) == (("tool_membership", "timestamp"), "tools[0]")


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        ("Step 4", "Step 5", "counter"),
        ("[Runde 11]", "[Runde 12]", "counter"),
        ("cwd=/tmp/run-HNwQDw", "cwd=/tmp/run-bgVTBW", "temp_path"),
        ("cwd=/tmp/my-Report", "cwd=/tmp/my-Letter", "system_changed"),
        ("Version 4", "Version 5", "system_changed"),
    ],
)
def test_a_line_that_proves_nothing_by_itself_is_known_by_its_twin(first: str, second: str, cause: str) -> None:
    said = turns(2)
    records = [chat(0, said[0], 0), chat(20, said[1], 0)]
    for record, line in zip(records, (first, second), strict=True):
        record["request"]["messages"][0]["content"] = f"{line}\n{RULES}"
    verdict = verdicts(records)[1]
    assert (verdict.cause, verdict.broke) == (cause, True)
