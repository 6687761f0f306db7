"""Decides how keys leave the machine: apart from the data, under a passphrase (scrypt, RFC 7914; AES-256-GCM).

Whoever finds a backup without its keys reads no ID number; whoever finds the keys without the passphrase neither.
"""

import base64
import secrets
from collections.abc import Mapping
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from server.core.errors import DomainError

FORMAT: Final = 1
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
#: 64 MiB and about a quarter of a second for each guess
COST: Final = {"n": 2**16, "r": 8, "p": 1}
#: a header that asks for more is no header of ours
MOST_COST: Final = 2**20
LEAST_PASSPHRASE: Final = 12


def check_passphrase(passphrase: str) -> None:
    """Raises DomainError passphrase_weak: it is all that stands between a stolen copy and every ID number."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise DomainError("passphrase_weak", least=LEAST_PASSPHRASE)


def seal(files: Mapping[str, bytes], passphrase: str) -> bytes:
    """The files, by name, as one sealed file. Raises DomainError passphrase_weak."""
    check_passphrase(passphrase)
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    head = {"keshi": "keys", "format": FORMAT, "salt": salt.hex(), "nonce": nonce.hex(), **COST}
    line = orjson.dumps(head)
    plain = orjson.dumps({name: base64.b64encode(body).decode() for name, body in files.items()})
    return line + b"\n" + AESGCM(_key(passphrase, salt, head)).encrypt(nonce, plain, line)


def unseal(sealed: bytes, passphrase: str, name: str) -> dict[str, bytes]:
    """The files again. Raises DomainError backup_damaged (`name`), backup_newer, passphrase_wrong."""
    line, _, body = sealed.partition(b"\n")
    head = _head(line, name)
    try:
        key = _key(passphrase, bytes.fromhex(head["salt"]), head)
        plain = AESGCM(key).decrypt(bytes.fromhex(head["nonce"]), body, line)
    except InvalidTag as error:  # a wrong passphrase and a changed byte look the same, and must
        raise DomainError("passphrase_wrong", file=name) from error
    except (KeyError, TypeError, ValueError) as error:
        raise DomainError("backup_damaged", file=name) from error
    return {each: base64.b64decode(text) for each, text in orjson.loads(plain).items()}


def _head(line: bytes, name: str) -> dict[str, Any]:
    try:
        head = orjson.loads(line)
        ours = head["keshi"] == "keys" and head["n"] * head["r"] * head["p"] <= MOST_COST
        newer = head["format"] > FORMAT
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise DomainError("backup_damaged", file=name) from error
    if not ours:
        raise DomainError("backup_damaged", file=name)
    if newer:
        raise DomainError("backup_newer", file=name)
    found: dict[str, Any] = head
    return found


def _key(passphrase: str, salt: bytes, head: Mapping[str, Any]) -> bytes:
    scrypt = Scrypt(salt=salt, length=KEY_BYTES, n=head["n"], r=head["r"], p=head["p"])
    return scrypt.derive(passphrase.encode())
