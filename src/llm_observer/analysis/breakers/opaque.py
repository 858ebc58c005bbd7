"""Whether a run of letters and digits looks drawn at random, and not written by a person."""

# ruff: noqa: SIM905 - a table reads best as text

import re
from itertools import pairwise

__all__ = [
    "NANOID",
    "is_drawn_lower",
    "is_jumble",
    "is_jumbled",
    "is_mixed",
    "is_mixed_letters",
    "is_nanoid",
    "is_opaque",
    "is_opaque_under_key",
    "is_placeholder_number",
    "may_be_drawn",
    "wordlike",
]

# What follows a letter in English words and identifiers in 97 of 100 cases, counted over public prompts and the Python
# standard library. Random letters hit it in 41 of 100.
_FOLLOWERS = {
    line[0]: frozenset(line[2:])
    for line in (
        "a bcdfgiklmnprstuvwxy|b aeijlorsuy|c acehiklorstu|d adeilorsu|e abcdefgilmnopqrstvwxy|f aefilorstu|"
        "g aehilmnorsu|h aeiort|i abcdefglmnoprstvxz|j e|k eis|l adefilopstuy|m abeilmopsu|n acdefgiklnopstuvy|"
        "o abcdfgiklmnoprstuvw|p aehiloprstuy|q u|r acdegiklmnoprstuvy|s acehiklmopstuy|t acdefhilmoprstuy|"
        "u abcdefilmnprst|v aei|w aehior|x ceipt|y gilopstw|z e"
    ).split("|")
}
_CHUNK = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
# The words of a name such as JsonRpcRequest.
_CAMEL = re.compile(r"[A-Z]?[a-z]{3,}")
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_DIGITS = re.compile(r"[0-9]+")
_HEX = re.compile(r"[0-9a-f]+\Z|[0-9A-F]+\Z")
_DAY = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])\Z")
# Four changes, or three about letters that are no word.
_JUMBLE = re.compile(r"(?:(?:[a-z]+[0-9]+){2}|(?:[0-9]+[a-z]+){2}|[a-z]{1,3}[0-9]+[a-z]{2})[a-z0-9]*\Z")
# The digit of zigbee2mqtt and peer4life says "to" or "for".
_FOR_A_WORD = re.compile(r"[a-z]{3,}[24][a-z]{2,}\Z")
_RUNS = re.compile(r"[0-9]+|[a-z]+")
_PLACEHOLDER = re.compile(r"abc|xyz|xxx|foo|example|sample|your|dummy", re.IGNORECASE)
_DRAWN_SIZE, _MANY_RUNS = 10, 4
_NO_WORD, _LETTERS_ALONE = 0.65, 0.45
_JUMBLED = 0.5
_SOME_CHANGES, _NO_WORDS = 0.3, 0.6
NANOID = 21
# Changes from one kind of character to another, and pairs of letters that no word has: together 23 in a drawn id and
# eight in a name; few names have two such pairs.
_FEW_CHANGES, _FEW_PAIRS, _UNNAMED = 7, 2, 15
_KINDS = {
    code: "a" if chr(code).islower() else "A" if chr(code).isupper() else "0" if chr(code).isdigit() else "-"
    for code in range(128)
}
# Only so much of a token is looked at; a random one shows itself sooner.
_SAMPLE = 64


def wordlike(text: str) -> float:
    """The part of the neighbouring letters that follow one another in words: 1 for words, about 0.4 for random ones."""
    pairs = hits = 0
    for run in _LETTERS.findall(text.lower()):
        pairs += len(run) - 1
        hits += sum(b in _FOLLOWERS[a] for a, b in pairwise(run))
    return hits / pairs if pairs else 0.5


def _density(text: str) -> float:
    """Words, abbreviations and numbers per character: under 0.3 where a person named something."""
    return len(_CHUNK.findall(text)) / len(text)


def is_opaque(token: str) -> bool:
    """Whether `token` by itself looks random: long, mixed, and made of no words.

    A 17-character vehicle number, an IBAN or a product code in capitals and digits does not count.
    """
    body = token[:_SAMPLE]
    size = len(body)
    if size < 10 or len(set(body)) < 4:
        return False
    if "_" in body and (not 20 <= size <= 24 or body.count("_") > 2 or _density(body) < 0.42):
        return any(is_opaque(part) for part in body.split("_") if "_" not in part)
    digits = len(_DIGITS.findall(body))
    lower = upper = False
    if not body.islower():
        lower = any(char.islower() for char in body)
        upper = any(char.isupper() for char in body)
    if _HEX.match(body):
        return digits > 0 and not body.isdigit() and size >= (32 if body.isupper() else 16)
    if not (lower and upper):
        return body.islower() and size >= 16 and digits >= 3 and wordlike(body) < 0.75 and _density(body) > 0.25
    if not digits:
        return size >= 20 and _density(body) > 0.35 and wordlike(body) < 0.65
    if sum(map(len, _CAMEL.findall(body))) * 2 > size and wordlike(body) > 0.5:
        return False
    if size >= 20:
        return _density(body) > 0.27 and wordlike(body) < 0.75
    if size >= 16:
        return _density(body) > 0.35 and wordlike(body) < 0.75
    return digits >= 2 and _density(body) > 0.45 and wordlike(body) < 0.75 and sum(map(str.isalpha, body)) >= 7


def is_opaque_under_key(token: str) -> bool:
    """Whether `token`, which stands where an id is expected, is generated: no word, small number or placeholder."""
    body = token[:_SAMPLE]
    size = len(body)
    digits = sum(map(len, _DIGITS.findall(body)))
    if size < 6 or (size < 16 and _PLACEHOLDER.search(body)):
        return False
    if digits == size:
        return not is_placeholder_number(body)
    if digits * 2 >= size:
        return digits >= 4 and not is_placeholder_number("".join(_DIGITS.findall(body)))
    if _HEX.match(body):
        return digits > 0
    if digits == 1 and size < 16:
        if _FOR_A_WORD.match(body):
            return False
        if body.islower() or body.isupper():
            return size >= 8 and not body[-1].isdigit() and wordlike(body) < 0.6
        density = _density(body)
        return size >= 8 and (density > 0.6 or (density > (0.45 if size < 12 else 0.3) and wordlike(body) < 0.75))
    if digits:
        if size < 8:
            return False
        if len(_DIGITS.findall(body)) >= 3 and _density(body) > 0.4:
            return True
        words = wordlike(body)
        return words < 0.8 and (_density(body) > 0.25 or words < 0.6)
    return (
        size >= 12
        and not body.islower()
        and not body.isupper()
        and _density(body) > (0.3 if size >= 16 else 0.4)
        and wordlike(body) < 0.7
    )


def may_be_drawn(token: str) -> bool:
    """Whether `token` could be drawn at random, letters only or not, and is no word, name or number.

    Weaker than `is_opaque`: it passes what that leaves alone for want of digits. Not for telling by look alone.
    """
    body = token[:_SAMPLE]
    if len(body) < 8 or len(set(body)) < 4 or body.isdigit() or (len(body) < 16 and _PLACEHOLDER.search(body)):
        return False
    words = wordlike(body)
    if words < 0.7:
        return True
    if (body.isalpha() and (body.islower() or body.isupper())) or sum(map(len, _CAMEL.findall(body))) * 2 > len(body):
        return False
    return words < 0.85 and _density(body) > 0.22


def is_jumbled(token: str) -> bool:
    """Whether letter case and digits change so often that nobody named something so: `0KT8062yoSOr1r`."""
    return len(token) >= 12 and _density(token[:_SAMPLE]) > 0.4


def is_mixed_letters(token: str) -> bool:
    """Whether letters in both cases change as in no name: `JqtQtkWgULOW`."""
    return (
        not token[1:].islower()
        and not token.isupper()
        and _density(token[:_SAMPLE]) >= _SOME_CHANGES
        and wordlike(token[:_SAMPLE]) < _NO_WORDS
    )


def is_nanoid(token: str) -> bool:
    """Whether twenty-one characters look drawn from letters, digits, `-` and `_`, as nanoid does by default.

    With or without digits: case and kind change twice as often as in a name, and letters follow one another as in no
    word. Of drawn ones 24 in a thousand do not show it.
    """
    if len(token) != NANOID or not token.isascii():
        return False
    changes = sum(a != b for a, b in pairwise(token.translate(_KINDS)))
    if changes < _FEW_CHANGES:
        return False
    unlike = sum(b not in _FOLLOWERS[a] for a, b in pairwise(token.lower()) if a in _FOLLOWERS and "a" <= b <= "z")
    return unlike >= _FEW_PAIRS and changes + unlike >= _UNNAMED


def is_mixed(token: str) -> bool:
    """Whether a token with a digit in it has letters in both cases that change as in no name: `wZAqPEI3FX`."""
    return (
        token.isalnum()
        and not token.islower()
        and not token.isupper()
        and any(map(str.isdigit, token[1:-1]))
        and _density(token[:_SAMPLE]) >= _JUMBLED
        and wordlike(token[:_SAMPLE]) < _NO_WORD
    )


def is_drawn_lower(token: str) -> bool:
    """Whether small letters and digits change often and make no word: `vdpp67t3g2sh`. For places where ids stand."""
    return (
        _DRAWN_SIZE <= len(token) <= _SAMPLE
        and token.islower()
        and token.isalnum()
        and wordlike(token) < (_NO_WORD if len(_RUNS.findall(token)) >= _MANY_RUNS else _LETTERS_ALONE)
        and len(_RUNS.findall(token)) > 2
    )


def is_jumble(token: str) -> bool:
    """Whether a short token changes so often between small letters and digits that it is no name: `4l8bp3`."""
    return 5 <= len(token) <= 9 and _JUMBLE.match(token) is not None and not _PLACEHOLDER.search(token)


def is_placeholder_number(digits: str) -> bool:
    """Whether a number was typed as an example, 123456, 987654, 000000, or is a day: 20260401."""
    if _DAY.match(digits):
        return True
    return digits in "01234567890123456789" or digits in "98765432109876543210" or len(set(digits)) == 1
