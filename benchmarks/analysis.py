"""What the analysis costs the thread that made a call, and how that grows with the prompt and with the prompts seen.

    python benchmarks/analysis.py [--quick] [PART ...]

Times are CPU time in ms: the least of several runs, beside one `json.dumps` and one `json.loads` of the same body
measured in the same loop, since machines are noisy and ratios are less so.
"""

import argparse
import gc
import json
import multiprocessing
import random
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from resident import resident_kb

from llm_observer.analysis.analyzer import Analyzer, Observation
from llm_observer.analysis.index import PrefixIndex
from llm_observer.analysis.prompts import read_prompt
from llm_observer.privacy import Hasher
from llm_observer.replay import call_from_record, iter_analyze
from llm_observer.usage import Usage

JSON = dict[str, Any]

ROOT = Path(__file__).parents[1]
TOKEN_BYTES = 4
MODEL = "claude-sonnet-4-6"


def text() -> str:
    """Prose, code and tables: this project's own."""
    pages = sorted((ROOT / "docs").glob("*.md")) + sorted((ROOT / "src").rglob("*.py"))
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


CORPUS = text()
WORDS = CORPUS.split()


def cut(start: int, length: int) -> str:
    """`length` characters of the corpus, which is repeated as need be."""
    start %= len(CORPUS)
    repeated = CORPUS[start:] + CORPUS * (1 + length // len(CORPUS))
    return repeated[:length]


def talk(tokens: int, seed: int = 0) -> JSON:
    """A body of about so many tokens: half of it system text, half history. The end of both is marked."""
    half = tokens * TOKEN_BYTES // 2
    turns = max(2, tokens // 500)
    messages: list[JSON] = [
        {"role": "user" if n % 2 == 0 else "assistant", "content": f"{n}: {cut(seed + 977 * n, half // turns)}"}
        for n in range(turns)
    ]
    messages[-1]["content"] = [marked(messages[-1]["content"])]
    system = [marked(f"{seed} {cut(seed, half)}")]
    return {"model": MODEL, "max_tokens": 16, "system": system, "messages": messages}


def marked(text: str) -> JSON:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}


def asked(tokens: int, i: int, *, seed: int = 0) -> JSON:
    """Call `i` with another last question, behind what is cached from call 0 on."""
    body = talk(tokens, seed)
    body["messages"].append({"role": "user", "content": f"Question {i} of {seed}"})
    return recorded(body, i, input_tokens=12, read=tokens if i else 0, written=0 if i else tokens)


def grown(tokens: int, i: int, *, seed: int = 0) -> JSON:
    """Turn `i` of a conversation: an answer of 100 tokens more each turn, and a new question, which is marked."""
    body = talk(tokens, seed)
    messages = body["messages"]
    for n in range(i):
        messages.append({"role": "user", "content": f"Question {n} of {seed}"})
        messages.append({"role": "assistant", "content": f"Answer {n}: {cut(seed + 331 * n, 400)}"})
    messages.append({"role": "user", "content": [marked(f"Question {i} of {seed}")]})
    size = tokens + 120 * i
    return recorded(body, i, input_tokens=3, read=size - 120 if i else 0, written=120 if i else size)


def recorded(body: JSON, i: int, *, input_tokens: int, read: int, written: int) -> JSON:
    usage = {"input_tokens": input_tokens, "output_tokens": 5}
    usage |= {"cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    return {"at": 1.79e9 + i * 5, "provider": "anthropic", "api": "messages", "request": body, "usage": usage}


def with_openai(make: Callable[..., JSON]) -> Callable[..., JSON]:
    """The same calls to OpenAI."""

    def made(tokens: int, i: int, *, seed: int = 0) -> JSON:
        one = make(tokens, i, seed=seed)
        body = one["request"]
        said = [{"role": "system", "content": body["system"][0]["text"]}]
        for message in body["messages"]:
            content = message["content"]
            text = content if isinstance(content, str) else content[0]["text"]
            said.append({"role": message["role"], "content": text})
        read = one["usage"]["cache_read_input_tokens"]
        whole = one["usage"]["input_tokens"] + read + one["usage"]["cache_creation_input_tokens"]
        usage = {"prompt_tokens": whole, "completion_tokens": 5}
        usage["prompt_tokens_details"] = {"cached_tokens": read - read % 128}
        request = {"model": "gpt-5.1", "messages": said}
        return {**one, "provider": "openai", "api": "chat.completions", "request": request, "usage": usage}

    return made


def timed(function: Callable[..., object], *arguments: object) -> float:
    """CPU milliseconds of one call."""
    began = time.thread_time()
    function(*arguments)
    return (time.thread_time() - began) * 1e3


KINDS: dict[str, Callable[..., JSON]] = {
    "anthropic, other question": asked,
    "anthropic, next turn": grown,
    "openai, other question": with_openai(asked),
    "openai, next turn": with_openai(grown),
}


def per_call(sizes: list[int], runs: int) -> None:
    """Cost of one call: its prompt seen before but for its end, the same prompt again, and one not seen before."""
    titles = (
        "seen before",
        "÷ json.dumps",
        "repeated",
        "÷ json.dumps",
        "new",
        "read from the body",
        "json.dumps",
        "json.loads",
    )
    print(f"| call | prompt tokens | {' | '.join(titles)} |")
    print(f"| :--- | ---: |{' ---: |' * len(titles)}")
    for name, make in KINDS.items():
        for tokens in sizes:
            seen, again, fresh, read, dumps, loads = times = tuple(array("d") for _ in range(6))
            analyzer, newcomer = Analyzer(Hasher(b"a key for the benchmark")), Analyzer(Hasher(b"another key"))

            def explain(analyzer: Analyzer, one: JSON, took: "array[float]") -> None:
                body = json.dumps(one["request"])
                # Parsed anew, so that no text has been hashed before.
                loads.append(timed(json.loads, body))  # noqa: B023
                one["request"] = json.loads(body)
                dumps.append(timed(json.dumps, one["request"]))  # noqa: B023
                read.append(timed(read_prompt, one["api"], one["request"]))  # noqa: B023
                took.append(timed(analyzer.explain, observed(one)))

            # Made beforehand: making them would empty the processor's caches each time, as no application does.
            turns = [make(tokens, i) for i in range(runs)]
            others = [make(tokens, 0, seed=7919 * (i + 1)) for i in range(runs)]
            for one in turns:
                explain(analyzer, one, seen)
                explain(analyzer, repeated(one), again)
            for one in others:
                explain(newcomer, one, fresh)
            row = [f"{min(took[2:]):.2f}" for took in times]
            ratios = [f"{min(took[2:]) / min(dumps):.1f}" for took in (seen, again)]
            print(
                f"| {name} | {tokens:,} | {row[0]} | {ratios[0]} | {row[1]} | {ratios[1]} | {' | '.join(row[2:])} |",
                flush=True,
            )


def repeated(one: JSON) -> JSON:
    """The same call two seconds later, whose prompt is then in the cache."""
    usage = one["usage"]
    if "prompt_tokens" in usage:
        whole = usage["prompt_tokens"]
        usage = usage | {"prompt_tokens_details": {"cached_tokens": whole - whole % 128}}
    else:
        cached = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
        usage = usage | {"cache_read_input_tokens": cached, "cache_creation_input_tokens": 0}
    return one | {"at": one["at"] + 2, "usage": usage}


def observed(one: JSON) -> Observation:
    """A recorded call as the analysis takes it."""
    call = call_from_record(one)
    prompt = read_prompt(call.api, call.request)
    assert prompt is not None
    return Observation(
        provider=call.provider,
        model=call.model,
        scope="",
        at=call.at,
        ready_at=call.at + 1,
        prompt=prompt,
        usage=call.usage,
    )


def throughput(megabytes: int) -> None:
    """`analyze` over recorded conversations that grow."""
    size = 0

    def records() -> Iterator[JSON]:
        nonlocal size
        i = 0
        while size < megabytes * 1_000_000:
            one = grown(4000, i % 20, seed=104729 * (i // 20))
            size += len(json.dumps(one))
            yield one
            i += 1

    calls = 0
    began = time.process_time()
    for _ in iter_analyze(records()):
        calls += 1
    seconds = time.process_time() - began
    rate = size / 1e6 / seconds
    print(f"\nanalyze: {rate:.1f} MB/s, {calls / seconds:,.0f} calls/s ({calls:,} calls, making the records included)")


def short_talks(count: int) -> Iterator[JSON]:
    """Conversations of one to eight short turns."""
    for i in range(count):
        messages = [{"role": "user", "content": f"prompt {i // 8}, turn {n} of it"} for n in range(1 + i % 8)]
        yield {"system": "Be brief.", "messages": messages}


def many_lines(count: int) -> Iterator[JSON]:
    """Conversations of one turn, each with 2,000 lines that are different everywhere."""
    rng = random.Random(1)
    for i in range(count):
        yield {"messages": [{"role": "user", "content": "\n".join([f"Number {i}", *rng.choices(WORDS, k=2000)])}]}


def memory(bodies: Callable[[int], Iterator[JSON]], counts: Sequence[int]) -> None:
    """What is held once so many prompts were explained: by its own count, and by what the process has grown.

    In a process of its own, so that nothing freed before is taken for room.
    """
    process = multiprocessing.get_context("spawn").Process(target=_memory, args=(bodies, counts))
    process.start()
    process.join()


def _memory(bodies: Callable[[int], Iterator[JSON]], counts: Sequence[int]) -> None:
    index = PrefixIndex()
    analyzer = Analyzer(Hasher(b"a key for the benchmark"), index=index)
    usage = Usage(input_tokens=2000, cache_read_tokens=0, cache_write_tokens=1900)
    name = (bodies.__doc__ or "").rstrip(".")
    began = 0
    for i, body in enumerate(bodies(max(counts))):
        prompt = read_prompt("messages", body)
        assert prompt is not None
        call = Observation(
            provider="anthropic", model=MODEL, scope="", at=float(i), ready_at=float(i), prompt=prompt, usage=usage
        )
        analyzer.explain(call)
        if not i:
            gc.collect()
            began = resident_kb()  # what is loaded once is no memory of prompts
        elif i + 1 in counts:
            gc.collect()
            said, held = sum(analyzer.sizes()) / 1e6, (resident_kb() - began) / 1e3
            print(f"| {i + 1:,} | {name} | {len(index):,} | {said:.1f} | {held:.1f} |", flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of calls, throughput and memory; all by default")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer runs")
    given = parser.parse_args()
    quick: bool = given.quick
    parts: list[str] = given.parts or ["calls", "throughput", "memory"]
    if "calls" in parts:
        per_call([1_000, 10_000, 100_000] if quick else [1_000, 10_000, 100_000, 1_000_000], 8 if quick else 20)
    if "throughput" in parts:
        throughput(5 if quick else 40)
    if "memory" in parts:
        print("\n| prompts | each | kept in the index | by its own count, MB | grown, MB |")
        print("| ---: | :--- | ---: | ---: | ---: |", flush=True)
        memory(short_talks, [1_000, 10_000] if quick else [10_000, 100_000, 1_000_000])
        memory(many_lines, [100, 300] if quick else [1_000, 3_000, 10_000])
    return 0


if __name__ == "__main__":
    sys.exit(main())
