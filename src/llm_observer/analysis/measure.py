"""What a text weighs in tokens, by counting how its characters follow each other.

Byte-pair tokenizers cut a text where letters, digits, marks and white space meet, and have a token of their own for
most common words. So the number of such runs says more than the number of bytes, and costs no more than a few passes
over the text. What the runs of one kind weigh together is one column; a `Fit` learns how far each column is off.
"""

from array import array

__all__ = ["COLUMNS", "FACTORS", "MEDIA_TOKENS", "measure", "weigh"]

COLUMNS = (
    *("words", "marks", "numbers", "digits", "accents", "alphabets", "semitic", "east_asian", "south_asian", "signs"),
    *("tools", "segments", "media", "variance"),
)
"""Expected tokens of: runs of ASCII letters; punctuation and line ends; runs of digits, and the digits in them, since
some vocabularies have a token for each and some for three; accented letters; Greek and Cyrillic; Hebrew and Arabic;
Chinese, Japanese and Korean; the scripts of India and South-East Asia; other signs and emoji; tool definitions as a
whole, which each provider renders in a way of its own; what is put around a segment that is no tool; images and files.
The last column is the variance of all that."""
_TOOL, _SEGMENT, _MEDIA, _VARIANCE = range(10, len(COLUMNS))
FACTORS = _VARIANCE
"""How many columns count tokens."""

MEDIA_TOKENS = 1000.0
"""What an image or a file is taken for: providers count some 85 to 1,600 tokens by its size, which is not read."""
_UNSEEN = 350.0
"""Standard deviation of one image's tokens around what images have on average."""
_AROUND = 4.0
"""Tokens around a message: OpenAI documents three and one for the role."""

_STYLE = (0.035, 0.12, 0.15, 0.15, 0.12, 0.12, 0.12, 0.12, 0.12, 0.2)
"""Standard deviation of one text from the average one, relative to each of its columns."""
_ALIKE = 1500.0
"""Tokens as far as which a text is of one style."""
_NOTHING = (0.0,) * (_TOOL - 2)
_SINGLE = 1.0
"""Variance per token besides."""

# Each character becomes one byte that says what it is; of a character of several bytes only the first is kept.
_KINDS = bytearray(b"." * 256)
_KINDS[ord("a") : ord("z") + 1] = b"a" * 26
_KINDS[ord("A") : ord("Z") + 1] = b"A" * 26
_KINDS[ord("0") : ord("9") + 1] = b"0" * 10
_KINDS[ord(" ")] = ord(" ")
for _code in b"\n\r\t":
    _KINDS[_code] = ord("n")
_KINDS[0xC0:0xCE] = b"L" * 14
_KINDS[0xCE:0xD6] = b"2" * 8
_KINDS[0xD6:0xE0] = b"S" * 10
_KINDS[0xE0:0xE2] = b"I" * 2
_KINDS[0xE2:0xF0] = b"G" + b"3" * 11 + b"G" * 2
_KINDS[0xF0:] = b"4" * 16
_KIND = bytes(_KINDS)
_BLOB = b"a" * 24
"""Letters and digits that nothing parts for so long are no words: a file in base64, a key, a signature."""
_CONTINUED = bytes(range(0x80, 0xC0))
_LETTERS = bytes(ord("a") if chr(c) in "aA" else ord(" ") for c in range(256))
_RUNS = bytes(ord("a") if chr(c) in "aA0" else ord(" ") for c in range(256))
_DIGITS = bytes(ord("0") if chr(c) == "0" else ord(" ") for c in range(256))


def measure(text: str, kind: str = "") -> "array[float]":
    """The columns of a text that is a segment of this kind.

    The weights are those of a bounded least-squares fit to 680 texts (prompts, tool schemas, Markdown, Python, JSON,
    logs, tables, eight languages) and the mean of three vocabularies: o200k, cl100k, and the one that Anthropic has
    published; 2026-11-22. Those of other scripts are about the mean of these and of tekken, Llama 3, Gemma 3 and
    DeepSeek, over twenty languages; 2026-12-01.
    """
    columns = array("f", bytes(4 * len(COLUMNS)))
    if kind == "media":
        columns[_MEDIA] = MEDIA_TOKENS
        columns[_VARIANCE] = _UNSEEN**2
        return columns
    ascii_only = text.isascii()
    kinds = text.encode("utf-8", "replace").translate(_KIND, b"" if ascii_only else _CONTINUED)
    not_lower = kinds.translate(None, b"a")
    no_letters = not_lower.translate(None, b"A")
    upper = len(not_lower) - len(no_letters)
    rest = no_letters.translate(None, b" ")
    digits = rest.count(b"0")
    turns = kinds.count(b"aA") if upper else 0
    words = (
        0.988 * kinds.translate(_LETTERS).count(b" a")
        + 0.016 * (len(kinds) - len(no_letters))
        + 0.118 * upper
        + 0.641 * turns
    )
    if turns and (blobs := kinds.translate(_RUNS).count(_BLOB)):
        words += min(6.0 * blobs, 2.0 * turns)
    marks = (
        0.728 * rest.count(b".")
        - kinds.count(b"..")
        + 0.601 * kinds.count(b" .")
        + 1.145 * rest.count(b"n")
        - 1.217 * kinds.count(b"nn")
    )
    found = [words, max(0.0, marks), *_NOTHING]
    if digits:
        found[2:4] = 0.999 * kinds.translate(_DIGITS).count(b" 0"), 0.184 * digits
    if not ascii_only:
        count = rest.count
        found[4:] = (
            1.5 * count(b"L"),
            0.5 * count(b"2"),
            0.63 * count(b"S"),
            0.92 * count(b"3"),
            0.8 * count(b"I"),
            count(b"G") + 2.6 * count(b"4"),
        )
    if not words and not any(found) and text:
        # A text of white space, or one letter at its start.
        found[0] = 1.0
    tokens = sum(found)
    style = sum((deviation * part) ** 2 for deviation, part in zip(_STYLE, found, strict=True))
    columns[_VARIANCE] = style * min(1.0, _ALIKE / tokens) + _SINGLE * tokens if tokens else 0.0
    if kind == "tool":
        columns[_TOOL] = tokens
    else:
        columns[:_TOOL] = array("f", found)
        columns[_SEGMENT] = _AROUND
    return columns


def weigh(text: str) -> float:
    """The estimated tokens of a text by the weights before any fit."""
    return sum(measure(text)[:_TOOL])
