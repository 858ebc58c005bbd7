"""How far off the token position of a divergence is, against real tokenizers, and how often the stated bound holds.

    pip install --group benchmarks
    python benchmarks/tokens.py [--bank FILE.json] [--vocabulary NAME=FILE.json ...] [--seeds N] [--first SEED]
        [--only NAME] [--rows]

A provider is played that counts with the tokenizer, adds tokens that it does not show, and renders tools in a way of
its own. Conversations of prose, code, JSON, Markdown, logs, numbers and other scripts go through the analyzer with the
provider's counts; then calls are made that part from an earlier one at the end of a random segment or inside of one,
and what the analyzer takes for the tokens up to there is held against what they are. The rows called hard are of
traffic of other kinds: files in base64 and hex, keys, tables, emoji, formulas, minified scripts, Thai, Hindi
and Chinese JSON, in an application that has sent English prose before, with up to 9,000 hidden tokens. Exit status 1
where after the warm-up the median is above 1 %, the 95th percentile above 4 %, or the bound holds in less than 95 % of
cases.

`--bank` takes {"prompts": [{"text"}], "tools": {name: [tool, ...]}, "questions": [{"text"}]}; without it the texts of
this repository are used. `--vocabulary` takes files of the `tokenizers` package.
"""

import argparse
import ast
import base64
import importlib
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from llm_observer.analysis import verdict
from llm_observer.analysis.analyzer import Analyzer, Observation
from llm_observer.analysis.prompts import read_prompt
from llm_observer.analysis.reads import Reads
from llm_observer.analysis.rules import CacheRules, shipped_rules
from llm_observer.analysis.segments import Prompt, Segment
from llm_observer.privacy import Hasher
from llm_observer.usage import Usage

JSON = dict[str, Any]
Count = Callable[[str], int]

ROOT = Path(__file__).parents[1]
WARM_UP = 100
"""Calls before a fit is held to the promised error."""
SCRIPTS = json.loads((Path(__file__).parent / "scripts.json").read_text(encoding="utf-8"))
"""A few sentences in each of eight languages."""


class Case(NamedTuple):
    """A divergence: what was said of its position, the bound on that, what is true, and the tokens of the prompt."""

    said: int
    bound: float
    true: int
    whole: int

    @property
    def error(self) -> float:
        """Relative to the prompt."""
        return abs(self.said - self.true) / self.whole

    @property
    def error_of_position(self) -> float:
        return abs(self.said - self.true) / self.true

    @property
    def covered(self) -> bool:
        return self.bound >= 1 or abs(self.said - self.true) <= self.bound * self.said + 1


class Watched(Reads):
    """Reads as the analyzer makes them, of which the last is kept."""

    last: "Watched"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        Watched.last = self


@dataclass
class Texts:
    """What conversations are made of, by kind."""

    rng: random.Random
    kinds: dict[str, list[str]]
    tools: list[JSON]

    def some(self, length: int, kinds: Iterable[str]) -> str:
        """About so many characters of texts of these kinds."""
        parts: list[str] = []
        while length > 0:
            text = self.rng.choice(self.kinds[self.rng.choice(sorted(kinds))])
            begin = self.rng.randrange(max(1, len(text) - 200))
            parts.append(text[begin : begin + min(length, self.rng.randint(200, 4000))])
            length -= len(parts[-1])
        return "\n\n".join(parts)


def texts(bank: JSON | None, rng: random.Random) -> Texts:
    """Texts of each kind: of the bank, of this repository, and made up."""
    pages = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))]
    code = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py"))]
    schemas = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "schema").glob("*.json"))]
    data = [json.dumps(json.loads(text)) for text in schemas] + schemas
    prose = [line for page in pages for line in page.split("\n\n") if line[:1].isalpha() and len(line) > 200]
    tools: list[JSON] = []
    for text in code:
        tools += tools_of(text)
    if bank is not None:
        prose = [prompt["text"] for prompt in bank["prompts"]] + [question["text"] for question in bank["questions"]]
        tools = [tool.get("function", tool) for group in bank["tools"].values() for tool in group] + tools[::3]
    return Texts(
        rng,
        {
            "prose": prose,
            "markdown": pages,
            "code": code,
            "json": data,
            "logs": ["\n".join(log_line(rng) for _ in range(60)) for _ in range(20)],
            "numbers": ["\n".join(number_line(rng) for _ in range(60)) for _ in range(20)],
            **hard_texts(rng),
            "scripts": [" ".join(rng.choices(sentences, k=24)) for sentences in SCRIPTS.values() for _ in range(4)],
        },
        tools,
    )


@lru_cache(maxsize=1000)
def tools_of(code: str) -> tuple[JSON, ...]:
    """A tool for each documented function of a module."""
    made: list[JSON] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef) and (said := ast.get_docstring(node)) and node.args.args:
            names = [a.arg for a in node.args.args if a.arg != "self"]
            properties = {name: {"type": "string", "description": f"The {name} of the {node.name}."} for name in names}
            schema = {"type": "object", "properties": properties, "required": names[:2]}
            made.append({"name": node.name.strip("_"), "description": said, "parameters": schema})
    return tuple(made)


def hard_texts(rng: random.Random) -> dict[str, list[str]]:
    """Texts of kinds that the weights were not made from."""
    chinese = [sentence for name, said in SCRIPTS.items() if name in ("zh", "ja") for sentence in said]
    orders = [
        [{"编号": rng.randint(1, 10**9), "note": rng.choice(chinese), "ok": True} for _ in range(30)] for _ in range(4)
    ]
    return {
        "base64": [base64.b64encode(rng.randbytes(4000)).decode() for _ in range(4)],
        "hex": ["\n".join(rng.randbytes(rng.choice([4, 16, 32])).hex() for _ in range(80)) for _ in range(4)],
        "tables": ["\n".join(table_line(rng) for _ in range(60)) for _ in range(4)],
        "emoji": [" ".join(rng.choice(EMOJI) if rng.random() < 0.4 else rng.choice(CHAT) for _ in range(300))],
        "formulas": ["\n".join(formula(rng) for _ in range(60)) for _ in range(4)],
        "minified": ["".join(minified(rng) for _ in range(80)) for _ in range(4)],
        "other scripts": [" ".join(rng.choices(said, k=24)) for said in OTHER_SCRIPTS.values() for _ in range(2)],
        "chinese json": [json.dumps(order, ensure_ascii=rng.random() < 0.3) for order in orders],
    }


EMOJI = ("😀", "👍🏽", "👩‍💻", "🔥🔥", "🇩🇪", "❤️", "🚀", "✅")
CHAT = ("ok", "thanks", "shipping", "today", "maybe", "the", "order", "is", "late", "again")
OTHER_SCRIPTS = {
    "th": ("กรุณาตรวจสอบหมายเลขคำสั่งซื้อก่อนดำเนินการต่อ", "ระบบไม่สามารถเชื่อมต่อกับฐานข้อมูลได้ในขณะนี้", "ขอบคุณที่ติดต่อเรา"),
    "hi": ("कृपया आगे बढ़ने से पहले ऑर्डर संख्या जाँच लें।", "सर्वर से संपर्क नहीं हो सका, बाद में पुनः प्रयास करें।", "धन्यवाद"),
    "ar": (
        "يرجى التحقق من رقم الطلب قبل المتابعة.",
        "تعذر الاتصال بقاعدة البيانات في الوقت الحالي.",
        "شكرا لتواصلك معنا",
    ),
    "el": (
        "Ελέγξτε τον αριθμό της παραγγελίας πριν συνεχίσετε.",
        "Δεν ήταν δυνατή η σύνδεση με τη βάση δεδομένων απέτυχε.",
    ),
    "he": ("יש לבדוק את מספר ההזמנה לפני שממשיכים.", "לא ניתן להתחבר למסד הנתונים כעת."),
}
"""A few sentences in each of five more languages."""


def table_line(rng: random.Random) -> str:
    return f"| {rng.choice(CHAT)} | {rng.randint(1, 10**6):,} | {rng.random():.2%} | {rng.choice(['—', '✅', 'n/a'])} |"


def formula(rng: random.Random) -> str:
    n = rng.randint(1, 99)
    return rng.choice(
        (
            rf"\frac{{{n}}}{{x^{{{n}}}}} + \int_0^{{\infty}} e^{{-t^{{2}}}} \, dt = \sum_{{k=1}}^{{n}} \alpha_k",
            rf"Let $f\colon X \to Y$ be a map with $\|f(x)\|_2 \le {n}$ for all $x \in \mathbb{{R}}^n$.",
            f"∀ε>0 ∃δ>0: |x-a|<δ ⇒ |f(x)-L|<{n}ε",
        )
    )


def minified(rng: random.Random) -> str:
    a, b, c = rng.choices("abcdefghijklmnopqrstuvwxyz", k=3)
    called = rng.choice(("addEventListener", "querySelector", "prototype.hasOwnProperty.call", "push", "indexOf"))
    most = rng.randint(1, 999)
    return f"function {a}({b},{c}){{return void 0==={b}?{c}.{called}({b}):!({c}>{most})&&{b}.{called}({c})}}"


def log_line(rng: random.Random) -> str:
    return (
        f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:07Z "
        f"{rng.choice(['INFO', 'WARN', 'ERROR'])} worker-{rng.randint(1, 40)} request {rng.getrandbits(64):016x} "
        f"took {rng.randint(1, 9000)} ms, status={rng.choice([200, 404, 500])} /v1/orders/{rng.randint(1, 10**6)}"
    )


def number_line(rng: random.Random) -> str:
    return ",".join(str(rng.choice([rng.randint(0, 10 ** rng.randint(1, 9)), rng.random() * 1000])) for _ in range(6))


@dataclass
class Provider:
    """Counts as a provider does: the tokenizer's count of each segment, with what it puts around and in front."""

    count: Count
    hidden: int
    around: int
    renders_tools: bool
    written: dict[tuple[str, ...], int] = field(default_factory=dict[tuple[str, ...], int])

    def of(self, segment: Segment, text: str | None = None) -> int:
        """The tokens of a segment, or of the first part of it."""
        shown = segment.text if text is None else text
        if segment.kind == "tool" and self.renders_tools:
            if text is not None:
                return self.of(segment) * len(text) // len(segment.text)
            shown = rendered(shown)
        return self.count(shown) + (self.around if text is None else 0)

    def up_to(self, prompt: Prompt, position: int) -> int:
        return self.hidden + sum(map(self.of, prompt.segments[:position]))

    def usage(self, prompt: Prompt) -> Usage:
        """What is billed; of a prompt with markers, what was read and written at them."""
        whole = self.up_to(prompt, len(prompt.segments))
        marked = [i for i, segment in enumerate(prompt.segments, 1) if segment.marker]
        prefixes = [tuple(segment.text for segment in prompt.segments[:i]) for i in range(len(prompt.segments) + 1)]
        looked = {i for marker in marked for i in range(marker, max(0, marker - 20), -1)}
        read = max((self.written.get(prefixes[i], 0) for i in looked), default=0)
        for i in marked:
            self.written[prefixes[i]] = self.up_to(prompt, i)
        wrote = max((self.written[prefixes[i]] for i in marked), default=0) - read
        return Usage(input_tokens=whole, cache_read_tokens=read, cache_write_tokens=wrote)


@lru_cache(maxsize=4096)
def rendered(tool: str) -> str:
    """A tool as declarations in TypeScript, the way in which models are known to be shown them."""
    described: Any = json.loads(tool)
    function: Any = described.get("function", described)
    schema: Any = function.get("parameters") or function.get("input_schema") or {}
    lines = [f"// {line}" for line in str(function.get("description", "")).splitlines()]
    lines.append(f"type {function.get('name')} = (_: {{")
    properties: dict[str, Any] = schema.get("properties", {})
    for name, value in properties.items():
        optional = "" if name in schema.get("required", []) else "?"
        lines += [f"// {value.get('description', '')}", f"{name}{optional}: {value.get('type', 'any')},"]
    return "\n".join([*lines, "}) => any;\n"])


@dataclass
class Application:
    """Prompts with a few heads, in conversations that grow."""

    texts: Texts
    heads: int
    kinds: tuple[str, ...]
    marked: bool
    made: list[tuple[list[JSON], str]] = field(default_factory=list[tuple[list[JSON], str]])
    talks: dict[int, list[JSON]] = field(default_factory=dict[int, list[JSON]])

    def __post_init__(self) -> None:
        rng = self.texts.rng
        for _ in range(self.heads):
            tools = rng.sample(self.texts.tools, rng.choice([0, 2, 5, 9]) if self.heads > 1 else 6)
            self.made.append((tools, self.texts.some(rng.randint(2000, 16000), self.kinds)))

    def body(self) -> JSON:
        """The next request of one of four conversations of a head."""
        rng = self.texts.rng
        talk = rng.randrange(4 * self.heads)
        tools, system = self.made[talk % self.heads]
        messages = self.talks.get(talk)
        if messages is None or len(messages) > 20:
            messages = self.talks[talk] = []
        else:
            messages.append({"role": "assistant", "content": self.said()})
        messages.append({"role": "user", "content": self.said()})
        return self.request(tools, system, [*messages])

    def said(self) -> str:
        return self.texts.some(self.texts.rng.randint(60, 2500), self.kinds)

    def request(self, tools: list[JSON], system: str, messages: list[JSON]) -> JSON:
        if not self.marked:
            described = [{"type": "function", "function": tool} for tool in tools]
            return {
                "model": "gpt-4.1",
                "tools": described,
                "messages": [{"role": "system", "content": system}, *messages],
            }
        marker = {"type": "ephemeral"}
        last = {"role": "user", "content": [{"type": "text", "text": messages[-1]["content"], "cache_control": marker}]}
        described = [
            {"name": t["name"], "description": t["description"], "input_schema": t["parameters"]} for t in tools
        ]
        head = [{"type": "text", "text": system, "cache_control": marker}]
        return {"model": "claude-sonnet-5-5", "tools": described, "system": head, "messages": [*messages[:-1], last]}


@dataclass
class Session:
    """One application at one provider, watched by one analyzer."""

    application: Application
    provider: Provider
    at: float = 1e9

    def __post_init__(self) -> None:
        plain = {"id": "plain", "providers": ["openai"], "models": ["*"], "match": "interval", "min_tokens": 1}
        self.analyzer = Analyzer(Hasher(b"a key for the benchmark"), rules=CacheRules((plain, *shipped_rules())))

    def call(self, prompt: Prompt) -> Usage:
        self.at += 10
        usage = self.provider.usage(prompt)
        name, model = ("anthropic", "claude-sonnet-5-5") if self.application.marked else ("openai", "gpt-4.1")
        self.analyzer.explain(
            Observation(
                provider=name, model=model, scope="", at=self.at, ready_at=self.at + 1, prompt=prompt, usage=usage
            )
        )
        return usage

    def prompt(self) -> Prompt:
        api = "messages" if self.application.marked else "chat.completions"
        prompt = read_prompt(api, self.application.body())
        assert prompt is not None
        return prompt

    def diverge(self) -> Case:
        """A call, and one that parts from it somewhere."""
        rng = self.application.texts.rng
        prompt = self.prompt()
        self.call(prompt)
        position = rng.randrange(1, len(prompt.segments))
        segment = prompt.segments[position]
        cut = rng.randrange(len(segment.text)) if rng.random() < 0.5 and segment.kind != "tool" else 0
        # What is changed is changed for good: another line, of another text.
        new = f"{rng.getrandbits(60):x}"
        if segment.kind == "tool":
            other = segment._replace(text=segment.text.replace('"name":"', f'"name":"{new}', 1))
        else:
            other = segment._replace(text=segment.text[:cut] + f"<{new}>" + segment.text[cut + len(new) :])
        changed = (*prompt.segments[:position], other, *prompt.segments[position + 1 :])
        usage = self.call(
            Prompt(segments=changed, head=prompt.head, automatic=prompt.automatic, implicit=prompt.implicit)
        )
        true = self.provider.up_to(prompt, position)
        reads = Watched.last
        if self.application.marked:
            said = reads.tokens(position)
        else:
            said = reads.sent
            if cut:
                true += self.provider.of(segment, segment.text[:cut])
        return Case(said.tokens, said.error, max(1, true), usage.input_tokens or 1)


def counters(vocabularies: list[str]) -> dict[str, Count]:
    """The tokenizers that are installed, by name."""
    found: dict[str, Count] = {}
    bpe = module("bpe_openai")
    if bpe is not None:
        for name in ("o200k", "cl100k"):
            found[name] = _counting(bpe.get_encoding(f"{name}_base").encode_ordinary)
    mistral = module("mistral_common.tokens.tokenizers.tekken")
    if mistral is not None:
        data = Path(str(mistral.__file__)).parents[2] / "data"
        tekken = mistral.Tekkenizer.from_file(str(max(data.glob("tekken_*.json"))))
        found["tekken"] = _counting(lambda text: tekken.encode(text, bos=False, eos=False))
    tokenizers: Any = module("tokenizers")
    for given in vocabularies:
        if tokenizers is None:
            break
        name, _, path = given.partition("=")
        found[name] = _of_file(tokenizers.Tokenizer.from_file(path))
    return found


def _of_file(tokenizer: Any) -> Count:
    return _counting(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)


def _counting(encode: Callable[[str], Any]) -> Count:
    @lru_cache(maxsize=100_000)
    def count(text: str) -> int:
        return len(encode(text))

    return count


def module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


class Setting(NamedTuple):
    """One row of the table."""

    api: str
    heads: int
    kinds: tuple[str, ...]
    hidden: bool

    @property
    def hard(self) -> bool:
        """Whether it is of what nothing was tuned on."""
        return self.kinds == HARD


PROSE = ("prose", "markdown")
ALL = ("prose", "markdown", "code", "json", "logs", "numbers", "scripts")
HARD = (
    *("base64", "hex", "tables", "emoji", "formulas", "minified", "other scripts", "chinese json"),
    *("prose", "code", "json", "logs"),
)
SETTINGS = [
    Setting(api, heads, kinds, hidden)
    for api in ("chat", "messages")
    for heads in (1, 3, 12)
    for kinds in (PROSE, ALL, HARD)
    for hidden in (False, True)
]


def cases(setting: Setting, count: Count, bank: JSON | None, seed: int, *, warm: bool) -> list[Case]:
    """Divergences in one application, or in fresh ones each."""
    found: list[Case] = []
    for run in range(1 if warm else 12):
        # Each row draws for itself: of one seed for all, all would have the same number of hidden tokens.
        rng = random.Random(f"{seed} {run} {setting}")
        hidden = rng.choice([300, 1800, 9000] if setting.hard else [300, 900, 1800]) if setting.hidden else 0
        provider = Provider(count, hidden, rng.randint(3, 8) if setting.hidden else 0, renders_tools=setting.hidden)
        application = Application(texts(bank, rng), setting.heads, setting.kinds, setting.api == "messages")
        session = Session(application, provider)
        for i in range(WARM_UP if warm else 0):
            # What it sends changes in the middle.
            application.kinds = PROSE if setting.hard and i < WARM_UP // 2 else setting.kinds
            session.call(session.prompt())
        found += [session.diverge() for _ in range(40 if warm else 4)]
    return found


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bank", type=Path, help="prompts, tools and questions")
    parser.add_argument("--vocabulary", action="append", default=[], help="NAME=tokenizer.json")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", help="a tokenizer's name")
    parser.add_argument("--rows", action="store_true", help="a row for each setting besides")
    options = parser.parse_args()
    found = counters(options.vocabulary)
    if not found:
        print("no tokenizer is installed: pip install --group benchmarks")
        return 0
    bank = json.loads(options.bank.read_text(encoding="utf-8")) if options.bank else None
    # What the analyzer makes of a call is read where it makes it.
    mock.patch.object(verdict, "Reads", Watched).start()
    print(f"| tokenizer | {'API | heads | ' if options.rows else ''}texts | hidden tokens | | {HEADINGS} |")
    print("| --- " * (5 if options.rows else 3) + "| --- " + "| ---: " * HEADINGS.count("|") + "| ---: |")
    missed = False
    for name, count in found.items():
        if options.only and name != options.only:
            continue
        every: dict[tuple[bool, bool, bool], list[Case]] = {}
        for setting in SETTINGS:
            for warm in (False, True):
                seeds = range(options.first, options.first + options.seeds)
                here = [case for seed in seeds for case in cases(setting, count, bank, seed, warm=warm)]
                every.setdefault((setting.hard, setting.hidden, warm), []).extend(here)
                if options.rows:
                    kinds = "hard" if setting.hard else "all" if setting.kinds == ALL else "prose"
                    title = f"{name} | {setting.api} | {setting.heads} | {kinds} | {yes(setting.hidden)}"
                    row(title, here, warm=warm)
        for (hard, hidden, warm), here in sorted(every.items(), key=lambda item: item[0][:2]):
            title = f"{name} | {'| | ' if options.rows else ''}{'hard' if hard else 'usual'} | {yes(hidden)}"
            missed |= row(title, here, warm=warm)
    return int(missed)


HEADINGS = "of the prompt: median | 95th | of the position: median | 95th | bound: median | holds"


def yes(hidden: bool) -> str:  # noqa: FBT001  a word for it
    return "yes" if hidden else "no"


def row(title: str, found: list[Case], *, warm: bool) -> bool:
    """Print a row; whether it misses what is promised."""
    of_prompt = [case.error for case in found]
    of_position = [case.error_of_position for case in found]
    median, high = statistics.median(of_prompt), statistics.quantiles(of_prompt, n=20)[-1]
    held = statistics.mean(case.covered for case in found)
    figures = [f"{x:.2%}" for x in (median, high, statistics.median(of_position))]
    figures += [f"{statistics.quantiles(of_position, n=20)[-1]:.1%}"]
    figures += [f"{statistics.median(case.bound for case in found):.1%}", f"{held:.1%}"]
    print(f"| {title} | {'warm' if warm else 'cold'} | {' | '.join(figures)} |", flush=True)
    return held < 0.95 or (warm and (median > 0.01 or high > 0.04))


if __name__ == "__main__":
    sys.exit(main())
