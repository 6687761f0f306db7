"""Decides what the log holds of who sits where: a seat, and a salted digest of name and masked ID number. Pure.

The salts travel beside the evidence, in a file of their own: evidence alone names nobody, and confirms no guess.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from server.verify.formats import ID_BYTES, SALT_BYTES, salt_of
from server.verify.notes import decode, encode
from server.verify.texts import parsed
from server.verify.tree import Refused

#: where the salts lie in a package
FILE: Final = "identities.json"
FORMAT: Final = "keshi-identities/v1"
#: what is salted under a trainee's key besides packed records, which have another length
_LABEL: Final = b"identity"


def salt(key: bytes) -> bytes:
    """The salt of somebody's identity under their key in the class's group."""
    return salt_of(key, _LABEL)


def digest(salted: bytes, name: str, id_number: str) -> bytes:
    """What an IDENTITY record holds as its evidence; `id_number` as files show it, masked."""
    return sha256(b"\n".join([salted, name.encode(), id_number.encode()])).digest()


def write(salts: Mapping[str, bytes]) -> bytes:
    """The file of salts by trainee, 16 hexadecimal digits each."""
    people = {person_id: encode(one) for person_id, one in sorted(salts.items())}
    return json.dumps({"format": FORMAT, "people": people}, separators=(",", ":")).encode()


def read(raw: bytes) -> dict[bytes, bytes]:
    """Salts by trainee. Raises Refused for anything that `write` would not have written."""
    try:
        told = parsed(raw)
        people: dict[str, str] = told["people"]
        found = {bytes.fromhex(one): decode(text) for one, text in people.items()}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise Refused("not a file of identities") from error
    sizes = {(len(one), len(salted)) for one, salted in found.items()}
    if told["format"] != FORMAT or sizes - {(ID_BYTES, SALT_BYTES)}:
        raise Refused("not a file of identities")
    return found
