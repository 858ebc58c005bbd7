"""Keyed hashing: equal content has equal hashes under one key, and nothing links it to another key's."""

import base64
import binascii
import contextlib
import logging
import os
import secrets
from hashlib import blake2b
from pathlib import Path

__all__ = ["DIGEST_BYTES", "SHORTEST_SECRET", "Hasher", "load_hash_key"]

log = logging.getLogger("llm_observer")

DIGEST_BYTES = 16
"""Digests within the process. What is exported is cut to half of it."""

_KEY_BYTES = 32
SHORTEST_SECRET = 16


class Hasher:
    """BLAKE2b keyed with a secret of the installation (RFC 7693, keyed mode)."""

    __slots__ = ("_keyed", "key_id")

    def __init__(self, key: bytes) -> None:
        # Whatever the secret's length, a key of full strength; BLAKE2b takes at most 64 bytes.
        strong = blake2b(key, digest_size=_KEY_BYTES, person=b"llm-observer key").digest()
        # Copied for each digest: that costs less than to begin with the key anew.
        self._keyed = blake2b(key=strong, digest_size=DIGEST_BYTES)
        self.key_id = blake2b(key=strong, digest_size=4, person=b"llm-observer id").hexdigest()

    def digest(self, *parts: bytes) -> bytes:
        """The keyed digest of the parts joined."""
        state = self._keyed.copy()
        for part in parts:
            state.update(part)
        return state.digest()

    def name(self, *parts: bytes) -> str:
        """A digest short enough to be an attribute: 16 hexadecimal digits."""
        return self.digest(*parts)[:8].hex()

    def __repr__(self) -> str:
        return f"Hasher(key_id={self.key_id!r})"


def load_hash_key(secret: str | None, state_dir: Path | None) -> bytes:
    """The key: made from `secret` when given, else of the file `hash.key` in `state_dir`, else for this process only.

    The file is made on first use with mode 0600. Never raises: a directory that cannot be written gives a key for
    this process, and one warning.
    """
    if secret:
        if len(secret) < SHORTEST_SECRET:
            log.warning("LLM_OBSERVER_HASH_KEY is shorter than %d characters: hashes can be guessed", SHORTEST_SECRET)
        return _decoded(secret)
    if state_dir is not None:
        try:
            return _key_file(state_dir / "hash.key")
        except OSError as error:
            log.warning("no hash key in the state directory (%s): using one for this process only", error.strerror)
    return secrets.token_bytes(_KEY_BYTES)


def _decoded(secret: str) -> bytes:
    """The bytes that `secret` spells in hexadecimal or base64, else its own."""
    try:
        return bytes.fromhex(secret)
    except ValueError:
        pass
    try:
        return base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return secret.encode(errors="surrogatepass")


def _key_file(path: Path) -> bytes:
    """The key in `path`, made if there is none. Of several processes at once, all get the first one's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _ in range(2):
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = b""
        if len(key) >= _KEY_BYTES:
            with contextlib.suppress(OSError):
                if path.stat().st_mode & 0o077:
                    path.chmod(0o600)
            return key
        # Written whole under another name, then linked: a reader never sees half a key, and the first link wins.
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600, exist_ok=False)
        try:
            fresh.write_bytes(secrets.token_bytes(_KEY_BYTES))
            if key:
                fresh.replace(path)
            else:
                try:
                    os.link(fresh, path)
                except FileExistsError:
                    continue
        finally:
            fresh.unlink(missing_ok=True)
    return path.read_bytes()
