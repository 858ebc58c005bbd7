"""Texts of a known length in the tokens of the demo's provider."""


def words(n: int, start: str = "stone") -> str:
    """A text of `n` tokens; another `start` makes it another text from its first token on."""
    return " ".join([start, *["house"] * (n - 1)])
