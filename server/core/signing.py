"""Decides with what logs and checkpoints are signed: a key in a file of its own; other signers can come later.

Whatever has `public` and `sign` can take its place (verify.notes.Signer): a smart card, a module.
"""

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.core.errors import DomainError

LOG_FILE: Final = "log.key"
KEY_BYTES: Final = 32


class FileSigner:
    """An Ed25519 key as 32 bytes in a file of mode 600 (verify.notes.Signer)."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032)."""
        return self._key.sign(message)


def open_signer(folder: Path, name: str = LOG_FILE) -> FileSigner:
    """The key of this name in a folder, made at the first start. Raises DomainError key_damaged."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    with os.fdopen(handle, "wb") as file:
        file.write(seed)
        file.flush()
        os.fsync(file.fileno())
    return FileSigner(seed)


def _read(path: Path) -> FileSigner:
    seed = path.read_bytes()
    if len(seed) != KEY_BYTES:
        raise DomainError("key_damaged", file=path.name, expected_bytes=KEY_BYTES, found_bytes=len(seed))
    return FileSigner(seed)
