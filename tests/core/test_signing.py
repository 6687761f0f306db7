"""The log's key: made once, for its owner alone, and refused when it is damaged."""

import stat
from pathlib import Path

import pytest

from server.core.errors import DomainError
from server.core.signing import KEY_BYTES, LOG_FILE, open_signer
from server.verify.notes import Key, Kind, Note, check_log, sign


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first, again = open_signer(tmp_path / "keys"), open_signer(tmp_path / "keys")
    assert first.public == again.public != open_signer(tmp_path / "others").public
    assert stat.S_IMODE((tmp_path / "keys" / LOG_FILE).stat().st_mode) == 0o600


def test_what_it_signs_is_verified_by_its_public_half(tmp_path: Path) -> None:
    signer = open_signer(tmp_path)
    key = Key("log", Kind.LOG, signer.public)
    assert check_log(Note("text\n", (sign("text\n", "log", signer),)), [key]) == [key]


@pytest.mark.parametrize("length", [0, KEY_BYTES - 1, KEY_BYTES + 1])
def test_a_damaged_key_is_refused_and_kept(tmp_path: Path, length: int) -> None:
    (tmp_path / LOG_FILE).write_bytes(bytes(length))
    with pytest.raises(DomainError) as refused:
        open_signer(tmp_path)
    assert (refused.value.code, refused.value.data["found_bytes"]) == ("key_damaged", length)
    assert (tmp_path / LOG_FILE).stat().st_size == length
