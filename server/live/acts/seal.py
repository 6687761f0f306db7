"""Decides how an answer rests in the log when nobody is to read whose it was: sealed under a key beside the database.

Deterministic, so that the reducers stay pure: what makes a nonce unique comes in with the context.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
#: all that is sealed has a multiple of so many bytes: its length tells little
BLOCK_BYTES: Final = 256


class Seal(Protocol):
    """Closes and opens a short text; `context` must be another one each time and given again to open."""

    def close(self, plain: str, context: str) -> str: ...

    def open(self, sealed: str, context: str) -> str | None:
        """None when it was not sealed with this key and context."""
        ...


class KeySeal:
    """Seal by AES-256-GCM under one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, b"text", hashlib.sha256))
        self._nonces = hmac.digest(key, b"nonce", hashlib.sha256)

    def close(self, plain: str, context: str) -> str:
        """Base64 of nonce and ciphertext."""
        content = plain.encode()
        whole = content + b"\0" * (BLOCK_BYTES - len(content) % BLOCK_BYTES)
        nonce = hmac.digest(self._nonces, context.encode() + b"\0" + whole, hashlib.sha256)[:NONCE_BYTES]
        return b64encode(nonce + self._cipher.encrypt(nonce, whole, context.encode())).decode()

    def open(self, sealed: str, context: str) -> str | None:
        try:
            content = b64decode(sealed, validate=True)
            whole = self._cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            return None
        return whole.rstrip(b"\0").decode()
