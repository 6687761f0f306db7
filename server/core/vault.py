"""Decides how secrets rest: AES-256-GCM and keyed digests under one key that lives beside the database, never in it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from server.core.errors import DomainError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Vault:
    """Seals and digests under keys derived from one master key, one derived key per purpose."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise DomainError("key_damaged", expected_bytes=KEY_BYTES, found_bytes=len(master))
        self._master = master

    def key(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose (HKDF-Expand, RFC 5869)."""
        return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=purpose.encode()).derive(self._master)

    def seal(self, purpose: str, plain: str, context: str) -> bytes:
        """Encrypt text; `context` (say, the row's id) must be given again to open it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.key(purpose)).encrypt(nonce, plain.encode(), context.encode())

    def open(self, purpose: str, sealed: bytes, context: str) -> str:
        """Decrypt text. Raises DomainError key_damaged when key, bytes or context do not belong together."""
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return AESGCM(self.key(purpose)).decrypt(nonce, body, context.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise DomainError("key_damaged", purpose=purpose) from error

    def digest(self, purpose: str, text: str) -> str:
        """A keyed digest (HMAC-SHA256, hex) by which a secret can be found but not read."""
        return hmac.new(self.key(purpose), text.encode(), hashlib.sha256).hexdigest()


def open_vault(folder: Path) -> Vault:
    """The vault of a data folder; the first call makes its key (mode 600). Raises DomainError key_damaged."""
    path = folder / "vault.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = folder / f"vault.key.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # never replaces a key that another process made first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        return Vault(bytes.fromhex(path.read_text().strip()))
    except ValueError as error:
        raise DomainError("key_damaged", file=path.name) from error
