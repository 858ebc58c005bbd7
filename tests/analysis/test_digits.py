"""Digits are looked up, and what is found with them is what the pattern finds by itself."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from llm_observer.analysis.breakers.digits import Digits
from llm_observer.analysis.canonical import tidy_text

PATTERNS = [
    re.compile(r"[0-9](?:(?<=[a-z_][0-9])[0-9a-z]{2,}+|(?<![a-z][0-9])[0-9]{0,3}\.[0-9])"),
    re.compile(r"[0-9](?:(?<=\n[0-9])|(?<=^[0-9]))[0-9]{0,6}(?![0-9a-z])"),
]
TEXTS = st.text(alphabet="ab_1290. \n\té٣", max_size=60)
MANY = "1 a2.3 " * 50


@given(TEXTS)
@example(MANY)
@example("")
def test_what_begins_with_a_digit_is_found_as_by_searching(text: str) -> None:
    digits = Digits(text)
    for pattern in PATTERNS:
        assert [match.span() for match in digits.matches(pattern)] == [m.span() for m in pattern.finditer(text)]
        for start in range(0, len(text), 7):
            found, expected = digits.search(pattern, start), pattern.search(text, start)
            assert (found and found.span()) == (expected and expected.span())


@given(st.text(alphabet="ab \n\t\r\v\f\x1c\x1d\x1e\x1f\x85 é", max_size=30))
def test_a_text_is_tidy_when_it_has_single_blanks_only(text: str) -> None:
    assert tidy_text(text) == " ".join(text.split())
