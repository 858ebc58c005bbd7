"""The provider's tokenizer: no vendor's own, but deterministic and of a vendor's grain.

A token is a run of up to seven ASCII letters or three digits with one space before it, a run of other white space, or
any other single character. English prose comes to about 4.5 characters a token, JSON to about 3.
"""

import re
from functools import lru_cache
from hashlib import blake2b

__all__ = ["IMAGE_TOKENS", "digest", "media_tokens", "tokenize"]

IMAGE_TOKENS = 765
"""What an image or a file costs here, whatever its size."""

_PIECE = re.compile(r" ?[A-Za-z]{1,7}| ?[0-9]{1,3}|\s+|.", re.DOTALL)


@lru_cache(maxsize=1024)
def tokenize(text: str) -> tuple[str, ...]:
    """The tokens of `text`, which joined give it back."""
    return tuple(_PIECE.findall(text))


def media_tokens(source: str) -> tuple[str, ...]:
    """The tokens of an image or file: as many for each, and different for each `source`."""
    name = blake2b(source.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    return tuple(f"<media {name} {n}>" for n in range(IMAGE_TOKENS))


def digest(*parts: str) -> str:
    """A short stable name for the parts together."""
    return blake2b("\x1f".join(parts).encode(errors="surrogatepass"), digest_size=12).hexdigest()
