"""A snippet shows common words and markers, and nothing that could be a secret."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_observer.analysis.breakers.kinds import MARKERS
from llm_observer.analysis.plain_words import PLAIN_WORDS
from llm_observer.analysis.snippets import LONGEST, snippet

KINDS = {"…", "number", "email", *MARKERS}
PROMPT = (
    "You are a helpful assistant.\n- Current time: {value} The user is Alice Smith.\n- Use the search_documents tool."
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-11-22T10:00:00Z.", "⟨timestamp⟩"),
        ("5f0d7a3e-8a6b-4a51-9d1e-2f6b8c9d0e1f", "⟨uuid⟩"),
        ("alice.smith+billing@example.com", "⟨email⟩"),
        ("4111 1111 1111 1111", "⟨number⟩"),
        ("4111-1111-1111-1111", "⟨number⟩"),
        ("sk-ant-api03-aaaa-bbbb", "⟨…⟩"),
        ("hunter2", "⟨…⟩"),
        ("你好世界", "⟨…⟩"),
    ],
)
def test_what_is_not_a_plain_word_is_a_marker(value: str, shown: str) -> None:
    text = PROMPT.format(value=value)
    said = snippet(text, text.index(value))
    assert said is not None
    assert said.startswith(f"You are a helpful assistant. - Current time: {shown} The user is ⟨…⟩")


def test_a_phone_number_is_markers_and_signs() -> None:
    text = PROMPT.format(value="+1 (415) 555-0123")
    said = snippet(text, text.index("+1"))
    assert said is not None
    assert not re.search(r"\d", said)


@pytest.mark.parametrize("label", ["password: ", "api key = ", '"secret": "', "The pass phrase is ", "PIN: ", "token="])
def test_what_stands_behind_a_name_of_a_secret_is_hidden_to_the_end_of_its_line(label: str) -> None:
    """Also when it is a word that could be shown."""
    text = f"Answer in English.\n{label}please answer today\nAnswer in full."
    said = snippet(text, text.index("please"))
    assert said is not None
    assert "please" not in said
    assert "today" not in said
    assert said.startswith("Answer in English.")
    assert said.endswith("Answer in full.")


def test_json_keys_tell_where_one_is() -> None:
    text = '{"session_id": "5f0d7a3e-8a6b-4a51-9d1e-2f6b8c9d0e1f", "userName": "bob", "maxTokens": 12}'
    assert snippet(text, text.index("5f0d")) == (
        '{"session_id": "⟨session_id⟩", "userName": "⟨…⟩", "maxTokens": ⟨number⟩}'
    )


def test_a_place_in_the_middle_of_a_long_text_has_dots_on_both_sides() -> None:
    text = "the user may ask for more " * 200
    said = snippet(text, 2600)
    assert said is not None
    assert said.startswith("…")
    assert said.endswith("…")
    assert len(said) <= LONGEST


@pytest.mark.parametrize(
    ("text", "offset"), [("", 0), ("abc", 99), ("2026-01-01", 0), ("你好世界", 2), ("x" * 5000, 2500)]
)
def test_without_a_word_to_show_there_is_no_snippet(text: str, offset: int) -> None:
    assert snippet(text, offset) is None


# --- whatever the text, nothing that could be a secret is left

SECRETS: dict[str, st.SearchStrategy[str]] = {
    "base64": st.text(string.ascii_letters + string.digits + "+/=", min_size=16, max_size=64),
    "hexadecimal": st.text(string.hexdigits, min_size=16, max_size=64),
    "digits": st.text(string.digits, min_size=4, max_size=19),
    "a key with a prefix": st.from_regex(r"(sk|pk|ghp|xox[bp]|AKIA)[-_]?[A-Za-z0-9]{16,40}", fullmatch=True),
    "a signed token": st.from_regex(r"eyJ[\w-]{8,40}\.[\w-]{8,40}\.[\w-]{8,40}", fullmatch=True),
    "an e-mail address": st.emails(),
    "a phone number": st.from_regex(r"\+?[1-9][0-9]{0,2}[ -]?\(?[0-9]{3}\)?[ -][0-9]{3}[ -]?[0-9]{4}", fullmatch=True),
    "a card number": st.from_regex(r"[345][0-9]{3}([ -]?)[0-9]{4}\1[0-9]{4}\1[0-9]{4}", fullmatch=True),
    "a URL with a login": st.from_regex(r"https://[a-z]{3,9}:\w{8,20}@[a-z]{3,9}\.com/\?t=\w{8,20}", fullmatch=True),
    "signs and letters": st.text(string.printable, min_size=8, max_size=40),
    "any characters": st.text(min_size=1, max_size=40),
}
SURROUNDINGS = st.text(st.sampled_from("the user is a date: \n,{}\"'=")).map(lambda text: text * 3)


def words_of(said: str) -> list[str]:
    """What stands outside markers, each run of letters and digits by itself."""
    marks = re.findall(r"⟨([^⟩]*)⟩", said)
    assert set(marks) <= KINDS
    return re.findall(r"[^\W_]+", re.sub(r"⟨[^⟩]*⟩", " ", said))


@pytest.mark.parametrize("kind", sorted(SECRETS))
@settings(max_examples=40)
@given(data=st.data())
def test_nothing_like_a_secret_survives(kind: str, data: st.DataObject) -> None:
    """Every word is a plain one, no digit is left, and it is short, wherever the secret and the place are."""
    secret = data.draw(SECRETS[kind])
    text = data.draw(SURROUNDINGS) + secret + data.draw(SURROUNDINGS)
    said = snippet(text, data.draw(st.integers(0, len(text))))
    if said is None:
        return
    assert len(said) <= LONGEST
    assert "@" not in said
    for word in words_of(said):
        parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", word)
        assert "".join(parts) == word
        assert {part.lower() for part in parts} <= PLAIN_WORDS
