"""The provider's tokenizer."""

from hypothesis import given
from hypothesis import strategies as st

from llm_observer.demo.provider.tokens import IMAGE_TOKENS, media_tokens, tokenize


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokenize(text)) == text


def test_the_grain_is_that_of_words_digits_and_signs() -> None:
    assert tokenize("Refund 1234 EUR, please.\n\n  Internationally") == (
        "Refund",
        " 123",
        "4",
        " EUR",
        ",",
        " please",
        ".",
        "\n\n  ",
        "Interna",
        "tionall",
        "y",
    )


def test_each_image_has_tokens_of_its_own_and_as_many() -> None:
    assert len(media_tokens("a")) == len(media_tokens("b")) == IMAGE_TOKENS
    assert media_tokens("a") == media_tokens("a")
    assert not set(media_tokens("a")) & set(media_tokens("b"))
