"""Salted names: whoever knows the salt can confirm a name, nobody else; the file of salts holds nothing else."""

import json

import pytest

from server.verify.identity import digest, read, salt, write
from server.verify.tree import Refused

SALT = bytes(range(16))
PERSON = "00000000000000a1"


def test_a_name_is_known_by_its_salt_alone() -> None:
    made = digest(SALT, "王丽", "371***********123X")
    assert made == digest(SALT, "王丽", "371***********123X")
    others = [
        digest(SALT, "王莉", "371***********123X"),
        digest(SALT, "王丽", "371***********1234"),
        digest(SALT, "王丽371***********123X", ""),
        digest(bytes(16), "王丽", "371***********123X"),
    ]
    assert made not in others
    assert len(set(others)) == len(others)


def test_the_salt_follows_from_the_key() -> None:
    assert salt(bytes(32)) != salt(b"\x01" + bytes(31))
    assert len(salt(bytes(32))) == 16


def test_what_was_written_is_read() -> None:
    assert read(write({PERSON: SALT})) == {bytes.fromhex(PERSON): SALT}
    assert read(write({})) == {}


GOOD = json.loads(write({PERSON: SALT}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"null",
        b"[" * 100_000,
        json.dumps({**GOOD, "format": "keshi-identities/v2"}).encode(),
        json.dumps({**GOOD, "people": []}).encode(),
        json.dumps({**GOOD, "people": {"a1": "AAECAwQFBgcICQoLDA0ODw=="}}).encode(),
        json.dumps({**GOOD, "people": {PERSON: "AAAA"}}).encode(),
        json.dumps({**GOOD, "people": {PERSON: 7}}).encode(),
        json.dumps({**GOOD, "people": {"x" * 16: "AAECAwQFBgcICQoLDA0ODw=="}}).encode(),
    ],
)
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        read(raw)
