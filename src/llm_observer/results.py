"""What the package tells its user of calls: the public result types. Figures, names and hashes, no content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from llm_observer.usage import Usage

__all__ = [
    "LIFETIMES",
    "BreakEven",
    "Breaker",
    "CallReport",
    "CallSite",
    "CostEstimate",
    "GroupSummary",
    "Lifetime",
    "LifetimeAdvice",
    "Outcome",
    "PromptReport",
    "Stats",
    "Summary",
    "Verdict",
]

Outcome = Literal["hit", "partial", "miss", "cold", "uncacheable", "not_reported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """A volatile value seen in a text by its look.

    Attributes:
        category: What kind of value: `timestamp`, `date`, `uuid`, `session_id`, `random_id`, `nonce`, `counter`,
            `temp_path`, `volatile_url`.
        start: The offset of its first character in the text.
        end: The offset behind its last character.
        confidence: 0 to 1, how sure the look alone makes us.
        hint: One sentence on what to do, without content.
    """

    category: str
    start: int
    end: int
    confidence: float
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """The line of the application that made the call: the first frame outside the SDKs and libraries."""

    file: str
    function: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEstimate:
    """What a call cost, in US dollars, or why that is not known.

    Attributes:
        usd: The cost, or `None` with a `reason`.
        saved_usd: What the prompt cache saved against the same call without it, net of write premiums; can be
            negative. `None` when unknown.
        reason: Machine-readable, why `usd` is `None`: `unknown_model`, `unknown_tier`, `no_usage`, `invalid_usage`,
            `prices_loading`, ...
        source: Where the price came from: `provider`, `overrides` or `genai-prices <version>`.
    """

    usd: Decimal | None = None
    saved_usd: Decimal | None = None
    reason: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptReport:
    """What is known of a prompt without its content.

    Attributes:
        hash: Keyed hash of the whole prompt as sent; `None` where that is not known, because another instrumentation
            told of the call.
        canonical_hash: Keyed hash of its canonical form: white space, Unicode form, JSON key order and volatile
            values evened out.
        family: Id of the canonical head (tools and system text): one prompt as a person thinks of it, or the name
            that `tag` gave.
        segments: The number of segments.
        similarity: 0 to 1: the part of the prompt, by tokens, that is a canonical prefix shared with the closest
            earlier call. `None` for the first.
        key_id: Which hash key was used.
        chain: Bounded canonical and wire chain ids at the boundaries, for joining across processes.
    """

    hash: str | None
    canonical_hash: str
    family: str
    segments: int
    key_id: str
    similarity: float | None = None
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the provider's prompt cache should have given a call, what it gave, and the one cause of the difference.

    Attributes:
        outcome: `hit`, `partial`, `miss`, `cold` (nothing earlier to read), `uncacheable` (as sent, the request can
            neither read nor write), `not_reported` (the usage does not say).
        broke: An earlier call made a larger read possible, this call did not get it, and `cause` is why.
        avoidable: False where the loss is a choice with a price, true where it is a fault to fix.
        cause: The first cause that by itself explains the lost read, `none` when nothing broke.
        causes: All that were found, first first.
        location: Path of the segment, such as `system[0]` or `tools[3]`, or the name of a parameter.
        offset: Character in that segment: start of the volatile value, else of the first differing line.
        expected_tokens: What could have been read by the provider's rules.
        reported_tokens: What the usage says was read; `None` when not reported.
        missed_tokens: The tokens of `expected_tokens` that were not read.
        gap_s: Seconds from the start of the earlier call that last used the prefix of `expected_tokens` to the start
            of this one; `None` where no such call is known.
        tokens_method: How the token figures were come by: `provider_reported`, `anchored`, `bytes_ratio`, ...
        tokens_error: Relative bound on their error, 0 to 1.
        lost_usd: US dollars that a fix would have saved on this call; `None` while nothing can be claimed.
        confidence: 0 to 1.
        confirmed_by: Any of `usage`, `provider_diagnostics`, `counterfactual`.
        hint: One sentence on what to do, without content.
        skipped: What the work budget left out, by name.
    """

    outcome: Outcome
    broke: bool = False
    avoidable: bool = False
    cause: str = "none"
    causes: tuple[str, ...] = ()
    location: str | None = None
    offset: int | None = None
    expected_tokens: int | None = None
    reported_tokens: int | None = None
    missed_tokens: int | None = None
    gap_s: float | None = None
    tokens_method: str | None = None
    tokens_error: float | None = None
    lost_usd: Decimal | None = None
    confidence: float = 0.0
    confirmed_by: tuple[str, ...] = ()
    hint: str | None = None
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """One provider call, explained.

    `snippet` is what the prompt says around `cache.location` and `cache.offset`: a few common words, and markers in the
    place of all else. `None` unless `LLM_OBSERVER_SNIPPETS=true`.
    """

    provider: str
    api: str
    model: str | None
    at: float
    usage: Usage | None = None
    cost: CostEstimate = field(default_factory=CostEstimate)
    prompt: PromptReport | None = None
    cache: Verdict = field(default_factory=lambda: Verdict(outcome="not_reported"))
    breakers: tuple[Breaker, ...] = ()
    response_model: str | None = None
    duration_s: float | None = None
    error_type: str | None = None
    site: CallSite | None = None
    snippet: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long a provider keeps a cache entry that nobody reads.

    Attributes:
        name: As the request names it: `5m`, `1h`, `30m`, `12h`.
        seconds: The same in seconds, from the start of the last call that wrote or read it.
        words: As a person says it.
    """

    name: str
    seconds: int
    words: str


LIFETIMES: Mapping[str, Lifetime] = {
    lifetime.name: lifetime
    for lifetime in (
        Lifetime(name="5m", seconds=300, words="5 minutes"),
        Lifetime(name="30m", seconds=1_800, words="30 minutes"),
        Lifetime(name="1h", seconds=3_600, words="1 hour"),
        Lifetime(name="12h", seconds=43_200, words="12 hours"),
    )
}
"""The lifetimes that Anthropic (5m, 1h) and OpenAI from GPT-5.6 on (30m, 12h) let a request choose, shortest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """From which call on a prefix that is written once and then read costs less than one that is never cached.

    Attributes:
        calls: The number of calls, the writing one included.
        lifetime: Within which they have to come, each after the one before; `None` when the provider chooses.
    """

    calls: int
    lifetime: Lifetime | None = None

    def __str__(self) -> str:
        within = f" within {self.lifetime.words}" if self.lifetime else ""
        return f"pays from the {_ordinal(self.calls)} call{within}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeAdvice:
    """What the part of a prompt that can be cached would have cost under each lifetime, by the gaps observed.

    Attributes:
        now: The lifetime in use; `None` where the cache is not used.
        best: The cheapest; `None` is "do not cache".
        costs_usd: US dollars over all the calls observed, by the lifetime's name; `none` is without the cache.
        pays: From which call on `best` costs less than no cache.
        calls: How many calls were observed.
    """

    now: Lifetime | None
    best: Lifetime | None
    costs_usd: Mapping[str, Decimal]
    pays: BreakEven | None
    calls: int

    @property
    def saves_usd(self) -> Decimal:
        """US dollars that the cheapest lifetime would have saved over the calls observed, against the one in use."""
        costs = self.costs_usd
        return costs[self.now.name if self.now else "none"] - costs[self.best.name if self.best else "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """Totals over a group of calls; money in US dollars, over the calls where it is known.

    Attributes:
        break_even: Of a family: from which call on caching its prompt pays.
        lifetime: Of a family: how long to keep its prompt, by the gaps between its calls.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    saved_usd: Decimal = Decimal(0)
    lost_usd: Decimal = Decimal(0)
    unpriced_calls: int = 0
    break_even: BreakEven | None = None
    lifetime: LifetimeAdvice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """This process so far."""

    total: GroupSummary = field(default_factory=GroupSummary)
    by_family: Mapping[str, GroupSummary] = field(default_factory=dict[str, GroupSummary])
    by_cause: Mapping[str, GroupSummary] = field(default_factory=dict[str, GroupSummary])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What the package counted of itself in this process.

    Attributes:
        calls: Calls observed to their end.
        errors: Failures of ours that were swallowed, by boundary.
        dropped: Events not kept or not sent, by cause.
        sent: Events that the endpoint accepted.
        stored: Events written to the local store.
        retries: Requests to the endpoint that were tried again, by cause.
        queued: Events waiting now.
    """

    calls: int = 0
    errors: Mapping[str, int] = field(default_factory=dict[str, int])
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])
    sent: int = 0
    stored: int = 0
    retries: Mapping[str, int] = field(default_factory=dict[str, int])
    queued: int = 0


def _ordinal(number: int) -> str:
    teen = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
