"""What is sealed opens only with the same key, purpose and context; the key file is nobody else's."""

from pathlib import Path

import pytest

from server.core.errors import DomainError
from server.core.vault import KEY_BYTES, Vault, open_vault

PLAIN = "110101199003070417"


def _flip(sealed: bytes, at: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


def test_sealing_hides_and_opens() -> None:
    vault = Vault(bytes(KEY_BYTES))
    sealed = vault.seal("id_number", PLAIN, "p1")
    assert PLAIN.encode() not in sealed
    assert sealed != vault.seal("id_number", PLAIN, "p1")
    assert vault.open("id_number", sealed, "p1") == PLAIN


@pytest.mark.parametrize(("purpose", "context"), [("phone", "p1"), ("id_number", "p2")])
def test_another_purpose_or_context_opens_nothing(purpose: str, context: str) -> None:
    vault = Vault(bytes(KEY_BYTES))
    sealed = vault.seal("id_number", PLAIN, "p1")
    with pytest.raises(DomainError, match="key_damaged"):
        vault.open(purpose, sealed, context)


def test_every_changed_byte_is_noticed() -> None:
    vault = Vault(bytes(KEY_BYTES))
    sealed = vault.seal("id_number", PLAIN, "p1")
    for at in range(len(sealed)):
        with pytest.raises(DomainError, match="key_damaged"):
            vault.open("id_number", _flip(sealed, at), "p1")


def test_digests_find_without_telling() -> None:
    vault, other = Vault(bytes(KEY_BYTES)), Vault(bytes([1]) * KEY_BYTES)
    assert vault.digest("id_number", PLAIN) == vault.digest("id_number", PLAIN)
    assert vault.digest("id_number", PLAIN) != vault.digest("phone", PLAIN)
    assert vault.digest("id_number", PLAIN) != other.digest("id_number", PLAIN)


def test_the_key_is_made_once_with_mode_600(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = open_vault(folder)
    assert (folder / "vault.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["vault.key"]
    assert open_vault(folder).digest("x", "y") == first.digest("x", "y")


@pytest.mark.parametrize("content", ["", "not hex", "00" * (KEY_BYTES - 1), "00" * (KEY_BYTES + 1)])
def test_a_damaged_key_is_an_error_and_is_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(content)
    with pytest.raises(DomainError, match="key_damaged"):
        open_vault(tmp_path)
    assert path.read_text() == content
