"""How well and how fast volatile values are found.

    python benchmarks/breakers.py speed                   MB/s on prose, seconds per megabyte of hostile text
    python benchmarks/breakers.py score FOLDER [part]     precision and recall on labelled.jsonl and pairs.jsonl
    python benchmarks/breakers.py score FILE.txt          the same on lines with values marked [[category|value]]

`part` is `held` or `rest`: a third of the source files, picked by hash, or the others. Lines come in parts, each
under a heading.

A labelled text has `spans`, each with `start`, `end`, `accept` (the names counted as right) and perhaps `core_start`
and `core_end` (without what is constant), and `ignore`, stretches that count neither way. A value is found when what is
predicted covers 90 % of its core; a prediction is right when half of it lies in labelled or ignored stretches.
"""

import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from llm_observer.analysis.breakers import Span, find_spans
from llm_observer.analysis.breakers.compare import compare_masked

_MARKED = re.compile(r"\[\[(?P<category>[a-z_]+)\|(?P<value>[^|]*?)\]\]")

_PROSE = (
    "You are a careful assistant for the customers of a small book shop. Answer in at most three paragraphs, name your "
    "sources, and say so when you do not know. Prices are in euro, delivery takes 2 to 4 days, returns are free within "
    "30 days. If a question is about an order, ask for its number first; never guess one.\n"
)

# Each is repeated to the length wanted: dense candidates, near misses, nesting, and what makes regular expressions
# backtrack.
HOSTILE = {
    "digits": "1",
    "hex": "0123456789abcdef",
    "base62": "aB3",
    "letters": "a",
    "dots": "1.",
    "colons": "0:",
    "commas": "1,000,",
    "dashes": "-",
    "dashed": "a-1-",
    "snake": "a_",
    "blanks": " ",
    "lines": "\n1\n",
    "numbers": "1 2 ",
    "word and number": "a 1 ",
    "steps": "step 1 of ",
    "keys": '"id": 12345, ',
    "quotes": "\"'`",
    "nested": '[{("',
    "half dates": "2026-01-",
    "dates": "2026-01-02 ",
    "short dates": "12/12/20 ",
    "times": "2026-01-02T03:04:05Z ",
    "clocks": "12:34 ",
    "long clocks": "12:34:56 ",
    "half days": "1:00 am ",
    "spelled dates": "Monday, March 24, 2026 at 2:33 PM ",
    "months": "march 24 ",
    "Chinese dates": "2026年3月24日",
    "Chinese signs": "年月日1",
    "Arabic digits": "٢٠٢٦-٠٣-",
    "uuids": "0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10 ",
    "epochs": "1774362782 ",
    "tokens": "eyJhbGciOiJ.",
    "addresses": "1.2.3.",
    "new addresses": "2001:db8::1 ",
    "double colons": "::",
    "objects": "a@1b2c3d4",
    "ages": "1m ago (",
    "paths": "/tmp",
    "temporary paths": "/tmp/a1b2c3d4e5f6 ",
    "Windows paths": "\\Temp\\",
    "drives": "C:\\a\\",
    "parameters": "?sig=a1&",
    "today": "today is ",
    "prose": "request id ",
    "control": "\x00\x01",
    "surrogates": "\ud800",
    "one token": "aB3xZ9qL",
    "hexadecimal prefixes": "0x",
    "dashed letters": "a-a-a-",
    "moments": "2026-03-24T14:33:02.123Z,",
    "near uuids": "0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e1 ",
    "joined uuids": "0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10-",
    "percent": "%2F",
    "equals": "=",
    "slashes": "/",
    "Arabic digit": "٣",
    "brackets": "[([{",
    "base64": "aGVsbG8+d29y/bGQ",
    "padded base64": "aGVsbG8gd29ybGQ= ",
    "signatures": '"signature": "aGVsbG8+d29y/bGQ1" ',
    "signed tokens": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0ODIxMyJ9.q7TzRk2V ",
    "token heads": "eyJ",
    "query": "&a=b1c2d3e4f5g6",
    "session ids": "session_id: a1b2c3d4e5\n",
    "nested ids": '"user": {"id": "a1b2c3d4e5f6"}, ',
    "users": "user 482913 ",
    "attempts": "attempt=3 ",
    "states": "12 tokens used, x so far: 1 ",
    "announced": "It is 14:33. The time is 14:33 ",
    "years": "2026 ",
    "log": "[2026-03-24 14:33:02,123] INFO a.b - x=1\n",
    "hardware addresses": "00:1a:2b:3c:4d:5e ",
    "hashes": "6b1d0c9e8f7a5b4c3d2e1f0a9b8c7d6e5f4a3b2c\n",
    "commits": "6b1d0c9 Fix it\n",
    "Thai dates": "24 มีนาคม 2569 ",
    "words of a script": "24 રોજી રોજી ",
    "colons alone": ":",
    "deep paths": "/tmp/a/b/c/d/e/f/",
    "joiners": "\u200d\u0301",
    "emoji": "😀1",
    "line ends": "\r\n1",
    "numerals": "二〇二六年三月",
    "elements": "<a>1</a>",
    "agos": "1s ago ",
    "letters under ids": "session_id: vdpqtrwx ",
    "message ids": "Message-ID: <a1b2c3d4e5f6",
    "mails": "a1b2c3d4e5f6@",
    "tallies": "3 pending, ",
    "ordinals": "your 3rd attempt ",
    "had more": "you have 3 more tries ",
    "times over": "(x3 over 1m) ",
    "hosts": "ip-10-2-3-4 ",
    "places": "/runs/ab12cd34",
    "bracketed": "[37d1877b] ",
    "accents and digits": "\u00e9" * 20 + "1",
}


_HEX, _BASE62 = "0123456789abcdef", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _drawn(alphabet: str, size: int) -> Callable[[Random], str]:
    return lambda random: "".join(random.choices(alphabet, k=size))


# Candidates that all differ, so that nothing that was found at one place helps at the next.
DIFFERING: dict[str, Callable[[Random], str]] = {
    "hexadecimal": lambda random: f"{_drawn(_HEX, 8)(random)} ",
    "short ids": lambda random: f"{_drawn(_BASE62, 6)(random)} ",
    "ids": lambda random: f"{_drawn(_BASE62, 10)(random)} ",
    "long ids": lambda random: f"{_drawn(_BASE62, 24)(random)} ",
    "hashes": lambda random: f"{_drawn(_HEX, 40)(random)} ",
    "uuids": lambda random: "-".join(_drawn(_HEX, size)(random) for size in (8, 4, 4, 4, 12)) + " ",
    "numbers": lambda random: f"{random.randint(10_000, 99_999)} ",
    "years": lambda random: f"{random.randint(1970, 2099)} ",
    "words and years": lambda random: f"{_drawn('abcdefgh', 3)(random)} {random.randint(1970, 2099)} ",
    "dates": lambda random: f"{random.randint(1, 31)} March {random.randint(1970, 2099)} ",
    "short dates": lambda random: f"{random.randint(1, 31)}/{random.randint(1, 12)}/{random.randint(10, 99)} ",
    "accented dates": lambda random: (
        f"{random.randint(1, 31)} {_drawn('éàüöñß', 4)(random)} {random.randint(1970, 2099)} "
    ),
    "Arabic": lambda random: f"{random.randint(1, 31)} {_drawn('مارسبت', 5)(random)} {random.randint(0, 23)}:15 ",
    "Chinese dates": lambda random: f"{random.randint(1970, 2099)}年{random.randint(1, 12)}月{random.randint(1, 28)}日",
    "clocks": lambda random: f"{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02} ",
    "times told": lambda random: f"time is {random.randint(0, 23)}:{random.randint(10, 59)} ",
    "colons": _drawn("0123456789:", 7),
    "digits and marks": _drawn("0123456789:-/. ", 20),
    "digits and letters": _drawn("0123456789ab_- ", 20),
    "Arabic digits": _drawn("٠١٢٣٤٥٦٧٨٩-: ", 20),
    "keys": lambda random: f"{_drawn('abcdefgh', 3)(random)}_id: {random.randint(10_000, 99_999)}\n",
    "counters": lambda random: f"attempt {random.randint(1, 9999)} of {random.randint(1, 9999)}\n",
    "ages": lambda random: f"{random.randint(1, 99)}{random.choice('smhd')} ago {_drawn(_HEX, 3)(random)}",
    "pods": lambda random: f"web-{_drawn('bcdfghjk24567', 9)(random)}-{_drawn('bcdfghjk24567', 5)(random)} ",
    "slugs": lambda random: "-".join(_drawn("abc123", 4)(random) for _ in range(10)) + " ",
    "temporary paths": lambda random: f"/tmp/{_drawn(_BASE62, 8)(random)} ",
    "Windows paths": lambda random: f"C:\\Temp\\{_drawn(_BASE62, 6)(random)} ",
    "parameters": lambda random: f"?sig={_drawn(_BASE62, 7)(random)}&",
    "base64": lambda random: f"{_drawn(_BASE62 + '+/', 40)(random)}== ",
    "addresses": lambda random: ".".join(str(random.randint(1, 254)) for _ in range(4)) + " ",
    "versions": lambda random: ".".join(str(random.randint(0, 99)) for _ in range(3)) + " ",
    "log": lambda random: (
        f"2026-03-{random.randint(1, 28):02} {random.randint(0, 23):02}:15:{random.randint(0, 59):02} INFO "
        f"req={_drawn(_HEX, 12)(random)} took {random.randint(1, 999)}ms\n"
    ),
}


def differing_text(name: str, size: int) -> str:
    """Text of `size` characters that is nothing but differing candidates, the same each time."""
    random = Random(name)
    parts: list[str] = []
    length = 0
    while length < size:
        parts.append(DIFFERING[name](random))
        length += len(parts[-1])
    return "".join(parts)[:size]


class Score(NamedTuple):
    """What a detection found and missed; `by_category` counts values found and values there."""

    right: int
    wrong: int
    by_category: dict[str, tuple[int, int]]

    @property
    def found(self) -> int:
        return sum(found for found, _ in self.by_category.values())

    @property
    def values(self) -> int:
        return sum(values for _, values in self.by_category.values())

    @property
    def precision(self) -> float:
        """0 to 1."""
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        """0 to 1."""
        return self.found / self.values


def read_rows(folder: Path, name: str, part: str | None) -> Iterator[dict[str, Any]]:
    with (folder / name).open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if part is None or _is_held(row) == (part == "held"):
                yield row


def _is_held(row: dict[str, Any]) -> bool:
    """Whether a row belongs to the third that is held out: by source file, own sentences by their line."""
    source = str(row["source"])
    if not source.startswith("own "):
        name = re.split(r"[@ (]", source)[0]
    elif source.startswith("own sentence") or "text" not in row:
        name = "own:" + (source if source.startswith("own sentence") else row["id"])
    else:
        text = row["text"]
        for span in sorted(row["spans"], key=lambda span: -span["start"]):
            text = text[: span["start"]] + "#" + text[span["end"] :]
        if row["spans"]:
            at = text.index("#")
            end = text.find("\n", at)
            text = text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else None]
        name = f"own:{text}"
    return int(hashlib.sha256(f"h1{name}".encode()).hexdigest(), 16) % 3 == 0


def _covered(spans: list[Span], start: int, end: int) -> int:
    return sum(max(0, min(span.end, end) - max(span.start, start)) for span in spans)


def _overlap(span: Span, stretches: list[dict[str, Any]]) -> int:
    return sum(max(0, min(span.end, other["end"]) - max(span.start, other["start"])) for other in stretches)


def read_marked(file: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a text file whose lines have their values marked, by the first word of the heading they are under."""
    parts: dict[str, list[dict[str, Any]]] = {}
    rows: list[dict[str, Any]] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            rows = parts.setdefault(line.removeprefix("## ").partition(":")[0], [])
        elif line and not line.startswith("#"):
            spans: list[dict[str, Any]] = []
            text = ""
            at = 0
            marked = line.replace("\\n", "\n")
            for match in _MARKED.finditer(marked):
                text += marked[at : match.start()]
                spans.append(
                    {"start": len(text), "end": len(text) + len(match["value"]), "category": match["category"]}
                )
                text += match["value"]
                at = match.end()
            rows.append({"text": text + marked[at:], "spans": spans})
    return parts


def score_detection(rows: Iterable[dict[str, Any]]) -> Score:
    """Precision and recall of `find_spans`, any category."""
    right = wrong = 0
    by_category: dict[str, tuple[int, int]] = {}
    for row in rows:
        spans = find_spans(row["text"])
        for gold in row["spans"]:
            start, end = gold.get("core_start", gold["start"]), gold.get("core_end", gold["end"])
            found, values = by_category.get(gold["category"], (0, 0))
            found += _covered(spans, start, end) >= 0.9 * (end - start)
            by_category[gold["category"]] = (found, values + 1)
        for span in spans:
            size, gold, ignored = (
                span.end - span.start,
                _overlap(span, row["spans"]),
                _overlap(span, row.get("ignore", [])),
            )
            if gold and (gold + ignored) * 2 >= size:
                right += 1
            elif ignored * 2 < size:
                wrong += 1
    return Score(right, wrong, by_category)


def score_comparison(folder: Path, part: str | None = None) -> float:
    """The part of the pairs of prompts for which it is told rightly whether masking restores the shared prefix."""
    verdicts: list[bool] = []
    for row in read_rows(folder, "pairs.jsonl", part):
        if row.get("group") == "ambiguous" or row["masking_restores"] is None:
            continue
        first, *others = row["prompts"]
        earliest = min((compare_masked(first, other) for other in others), key=_first_difference)
        verdicts.append(earliest.restores == row["masking_restores"])
    return sum(verdicts) / len(verdicts)


def _first_difference(comparison: Any) -> int:
    return sys.maxsize if comparison.first_difference is None else comparison.first_difference


def _seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        find_spans(text)
        best = min(best, time.process_time() - start)
    return best


def _speed() -> None:
    for size in (1_000, 10_000, 100_000, 1_000_000):
        text = (_PROSE * (size // len(_PROSE) + 1))[:size]
        print(f"prose, {size:>9,} characters: {size / 1e6 / _seconds(text):6.1f} MB/s")
    print("\nhostile texts, seconds per million characters")
    for name, unit in HOSTILE.items():
        text = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
        print(f"{name:>18} {_seconds(text):5.2f}")
    print("\nthe same, of candidates that all differ")
    for name in DIFFERING:
        print(f"{name:>18} {_seconds(differing_text(name, 1_000_000)):5.2f}")


def _print(name: str, score: Score) -> None:
    print(f"{name}precision {score.precision:.1%} ({score.wrong} wrong of {score.right + score.wrong})")
    print(f"{name}recall    {score.recall:.1%} (of {score.values} values)")
    for category, (found, values) in sorted(score.by_category.items()):
        print(f"    {category:<12} {found:>4} of {values}")


def _score(place: Path, part: str | None) -> None:
    if place.is_file():
        for name, rows in read_marked(place).items():
            _print(f"{name}: ", score_detection(rows))
        return
    _print("", score_detection(read_rows(place, "labelled.jsonl", part)))
    print(f"comparison verdicts right {score_comparison(place, part):.1%}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["speed"]:
            _speed()
        case ["score", place, *rest] if len(rest) <= 1:
            _score(Path(place), rest[0] if rest else None)
        case _:
            sys.exit(__doc__)
