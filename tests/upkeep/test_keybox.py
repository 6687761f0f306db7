"""Keys leave the machine sealed: the passphrase opens them, and nothing else does."""

import orjson
import pytest

from server.core.errors import DomainError
from server.upkeep import keybox

FILES = {"keys/vault.key": b"\x00\x01secret", "tls/ca.key": b""}
PASSPHRASE = "twelve chars"


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return keybox.seal(FILES, PASSPHRASE)


def _refusal(sealed: bytes, passphrase: str = PASSPHRASE) -> str:
    with pytest.raises(DomainError) as refused:
        keybox.unseal(sealed, passphrase, "k")
    return refused.value.code


def test_what_was_sealed_comes_back(sealed: bytes) -> None:
    assert keybox.unseal(sealed, PASSPHRASE, "k") == FILES
    assert b"secret" not in sealed
    assert keybox.seal(FILES, PASSPHRASE) != sealed


def test_a_wrong_passphrase_opens_nothing(sealed: bytes) -> None:
    assert _refusal(sealed, "twelve charS") == "passphrase_wrong"


@pytest.mark.parametrize("where", [0, 20, -1, -20])
def test_a_changed_byte_is_found(sealed: bytes, where: int) -> None:
    changed = bytearray(sealed)
    changed[where] ^= 1
    assert _refusal(bytes(changed)) in {"passphrase_wrong", "backup_damaged"}


@pytest.mark.parametrize(
    ("change", "code"),
    [({"format": 2}, "backup_newer"), ({"n": 2**24}, "backup_damaged"), ({"keshi": "x"}, "backup_damaged"),
     ({"n": 12}, "backup_damaged"), ({"salt": "zz"}, "backup_damaged")],
)  # fmt: skip
def test_a_strange_header_is_refused_before_it_costs_anything(
    sealed: bytes, change: dict[str, object], code: str
) -> None:
    line, _, body = sealed.partition(b"\n")
    assert _refusal(orjson.dumps(orjson.loads(line) | change) + b"\n" + body) == code


def test_no_keys_at_all_is_damage() -> None:
    assert _refusal(b"") == _refusal(b"[]\n") == "backup_damaged"


@pytest.mark.parametrize("length", [keybox.LEAST_PASSPHRASE - 1, keybox.LEAST_PASSPHRASE])
def test_a_short_passphrase_is_refused(length: int) -> None:
    if length < keybox.LEAST_PASSPHRASE:
        with pytest.raises(DomainError, match="passphrase_weak"):
            keybox.check_passphrase("x" * length)
    else:
        keybox.check_passphrase("x" * length)
