"""What holds of finding and masking for any text."""

import hashlib
import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_observer.analysis.breakers import Span, detect_breakers, find_spans, mask
from llm_observer.analysis.breakers.compare import compare_masked
from llm_observer.analysis.breakers.memo import Memo

_ANY = st.text(st.characters(exclude_categories=())) | st.text("0123456789abcdef-:/.T_ #=%[]()年月日\ud800")
# Texts near to what is found: pieces of values, keys and marks, in any order.
_PIECES = st.lists(
    st.sampled_from([
        *("2026-03-24", "T14:33:02", "14:33", "Z", " ", "-", "_", "/", ".", ":", "=", "#", "\n", "24", "March", "2026"),
        *("call_", "Zk3Vq8TnRw5YpLx1JbHs7GdC", "8c1f0e5ab2d41f8a", "0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10"),
        *("session id: ", "attempt ", " of 5", "step ", "used: ", "/tmp/", "tmpk3x9_a2z", "10.0.3.7", "::", "%"),
        *("?sig=", "&Expires=", "年", "月", "日", "٢٠٢٦", "⟨date⟩", "\u202f", "(", "[", '"', "user ", "left", " ago"),
        *("Tue, ", "at ", "eyJhbGciOiJIUzI1NiJ9", "2001:db8::7c2", "0x7f3c5a1e0d90", "5m", "is ", "1774362782"),
    ]),
    max_size=24,
).map("".join)  # fmt: skip
_WORDS = [
    "please",
    "answer",
    "the",
    "question",
    "about",
    "our",
    "garden",
    "and",
    "keep",
    "each",
    "reply",
    "short",
    "polite",
    "honest",
    "useful",
]
_PROSE = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=30).map(" ".join)
_MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive by contract
_SEEDS = st.integers(min_value=0, max_value=2**128 - 1)


@given(_ANY | _PIECES)
def test_spans_are_sorted_disjoint_and_within_the_text(text: str) -> None:
    """For any Unicode, lone surrogates among it; and nothing is raised."""
    at = 0
    for span in find_spans(text):
        assert at <= span.start < span.end <= len(text)
        at = span.end
    assert [(b.start, b.end) for b in detect_breakers(text)] == [(s.start, s.end) for s in find_spans(text)]


@given(_ANY | _PIECES)
def test_masking_is_idempotent(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked
    assert find_spans(masked) == []


def _forget(_memo: Memo, _key: object, _start: int, find: Callable[[], Span | None]) -> Span | None:
    return find()


@given(_PIECES, _PIECES)
def test_a_place_that_looks_like_one_before_is_answered_alike(one: str, two: str) -> None:
    """What is remembered within a text never changes what is found."""
    text = (one + two + one) * 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Memo, "ask", _forget)
        expected = find_spans(text)
    assert find_spans(text) == expected


@pytest.mark.parametrize("lead", ["\U0001f9ea\U0001d4b3 ", "e\u0301o\u0308 ", "\u200d\ufe0f", "\ufeff", "𐒠 "])
def test_offsets_count_characters(lead: str) -> None:
    """Behind characters outside the basic plane, combining ones and marks, with any line ends."""
    for value in ("2026-03-24T14:33:02Z", "0b6f3c1e-52d4-4f0a-9a53-2f4f1a7c9e10", "/tmp/tmpk3x9_a2z"):
        for end in ("\n", "\r\n", "\r"):
            text = f"{lead}line{end}{lead}{end}at {value}{end}{lead}"
            assert [text[span.start : span.end] for span in find_spans(text)] == [value]


@given(_PIECES, st.integers(min_value=0, max_value=200))
def test_a_limit_only_leaves_out(text: str, limit: int) -> None:
    """What is found within a limit is found without one, when the text behind it is at most the margin."""
    assert find_spans(text, limit) == [span for span in find_spans(text) if span.end <= limit]


@given(_PIECES, _PIECES)
def test_comparison_is_never_shorter_than_the_raw_prefix(first: str, second: str) -> None:
    result = compare_masked(first, second)
    if result.first_difference is None:
        assert first == second
    else:
        raw = result.first_difference
        assert first[:raw] == second[:raw]
        assert first[raw : raw + 1] != second[raw : raw + 1]
        assert raw <= result.masked_prefix <= len(first)


def _found(before: str, value: str, after: str) -> str | None:
    """The category of the span that covers `value` between two pieces of prose."""
    text = f"{before} {value} {after}"
    start = len(before) + 1
    for span in find_spans(text):
        if span.start <= start and span.end >= start + len(value):
            return span.category
    return None


@given(_PROSE, _PROSE, _MOMENTS)
def test_a_moment_is_found_however_it_is_written(before: str, after: str, moment: datetime) -> None:
    formats = (
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y/%m/%d %H:%M",
        "%Y%m%dT%H%M%SZ",
        "%a, %d %b %Y %H:%M:%S +0000",
        "%A, %B %d, %Y at %I:%M %p",
        "%d.%m.%Y %H:%M:%S",
        "%d %b %Y, %H:%M",
        "%a %b %d %H:%M:%S %Y",
        "%d/%b/%Y:%H:%M:%S +0000",
        "%Y年%m月%d日 %H:%M",
    )
    for pattern in formats:
        assert _found(before, moment.strftime(pattern), after) == "timestamp", pattern
    for pattern in ("%Y-%m-%d", "%B %d, %Y", "%d %B %Y", "%d.%m.%Y", "%A, %d %B %Y"):
        assert _found(before, moment.strftime(pattern), after) == "date", pattern
    assert _found(before, str(int(moment.timestamp())), after) == "timestamp"
    assert _found(before, str(int(moment.timestamp() * 1000)), after) == "timestamp"


@given(_PROSE, _PROSE, _SEEDS)
def test_a_uuid_and_a_hash_are_found(before: str, after: str, seed: int) -> None:
    value = uuid.UUID(bytes=hashlib.blake2b(seed.to_bytes(16), digest_size=16).digest(), version=4)
    assert _found(f"{before} run", str(value), after) == "uuid"
    assert _found(f"{before} session", str(value), after) == "session_id"
    assert _found(f"{before} nonce:", value.hex, after) == "nonce"


@given(_PROSE, _PROSE, st.integers(min_value=1, max_value=99999))
def test_a_counter_is_found_by_its_words(before: str, after: str, number: int) -> None:
    assert _found(f"{before}. attempt_number:", str(number), after) == "counter"
    assert _found(f"{before}. Tokens used so far:", str(number), after) == "counter"
    assert _found(f"{before}. Now at step", str(number), f"of {number + 5} {after}") == "counter"


def test_random_ids_are_found() -> None:
    """Of ids drawn at random hardly any is missed: letters alone can form words."""
    draw = random.Random(400)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    makers = {
        "call": lambda: "call_" + "".join(draw.choice(letters) for _ in range(24)),
        "message": lambda: "msg_01" + "".join(draw.choice(letters) for _ in range(22)),
        "nanoid": lambda: "x" + "".join(draw.choice(letters + "_-") for _ in range(19)) + "q",
        "ulid": lambda: "01" + "".join(draw.choice(crockford) for _ in range(24)),
        "object id": lambda: draw.randbytes(12).hex(),
        "hash": lambda: draw.randbytes(20).hex(),
    }
    for name, make in makers.items():
        missed = [value for value in (make() for _ in range(400)) if _found("we keep", value, "as it is") is None]
        assert len(missed) <= 40, (name, missed[:5])
