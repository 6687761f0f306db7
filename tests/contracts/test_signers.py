"""The signer port: whatever signs for a log or a witness, a file today, a smart card or a module later, does this."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.core.signing import FileSigner, open_signer
from server.ledger.keys import keys_in, rotate
from server.verify.notes import Checkpoint, Key, Kind, Note, Signer, check_log, check_witnesses, cosign, sign


class ElsewhereSigner:
    """One that keeps its key to itself, as a card does: it only answers."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


MAKERS: dict[str, Callable[[Path], Signer]] = {
    "file": open_signer,
    "seed": lambda _folder: FileSigner(bytes(32)),
    "log": lambda folder: keys_in(folder).signer,
    "changed": lambda folder: rotate(folder, "").signer,
    "elsewhere": lambda _folder: ElsewhereSigner(),
}


@pytest.fixture(params=MAKERS)
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> Signer:
    return MAKERS[request.param](tmp_path)


def test_it_signs_checkpoints_for_a_log(signer: Signer) -> None:
    text, key = str(Checkpoint("keshi/x", 0, bytes(32))), Key("keshi/x", Kind.LOG, signer.public)
    assert check_log(Note(text, (sign(text, "keshi/x", signer),)), [key]) == [key]


def test_it_signs_what_a_witness_saw(signer: Signer) -> None:
    text, key = str(Checkpoint("keshi/x", 0, bytes(32))), Key("county", Kind.WITNESS, signer.public)
    (seen,) = check_witnesses(Note(text, (cosign(text, "county", signer, 7),)), [key])
    assert (seen.key, seen.at_s) == (key, 7)


def test_the_same_text_has_the_same_signature_of_64_bytes(signer: Signer) -> None:
    first = signer.sign(b"text")
    assert (len(first), len(signer.public), signer.sign(b"text")) == (64, 32, first)
