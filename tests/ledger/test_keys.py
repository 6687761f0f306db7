"""The keys of a log: a change is said by the old key, survives a crash at any step, and a broken chain is refused."""

import json
from pathlib import Path

import pytest

from server.core.errors import DomainError
from server.core.signing import LOG_FILE, open_signer
from server.ledger.keys import FILE, NEXT, keys_in, origin_of, rotate, succeed
from server.verify.handover import read_handover


def test_a_log_begins_with_one_key_that_its_name_stands_for(tmp_path: Path) -> None:
    kept = keys_in(tmp_path)
    assert (kept.notes, kept.key.name, kept.key.public) == ((), origin_of(kept.signer), kept.signer.public)
    assert (tmp_path / LOG_FILE).stat().st_mode & 0o777 == 0o600


def test_a_changed_key_keeps_the_name_and_the_old_one_is_gone(tmp_path: Path) -> None:
    first, second, third = keys_in(tmp_path), rotate(tmp_path, ""), rotate(tmp_path, "")
    assert third.keys == (first.key, second.key, third.key)
    assert {key.name for key in third.keys} == {first.key.name}
    assert len({key.public for key in third.keys}) == 3
    assert {path.name for path in tmp_path.iterdir()} == {LOG_FILE, FILE}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_successor_has_the_key_and_another_name(tmp_path: Path) -> None:
    first, second, third = keys_in(tmp_path), succeed(tmp_path, ""), succeed(tmp_path, "")
    assert [key.name for key in third.keys] == [first.key.name, f"{first.key.name}/2", f"{first.key.name}/3"]
    assert {key.public for key in third.keys} == {first.key.public}
    assert second.key.id != first.key.id, "a witness of the old one does not know the new one"


def test_a_change_that_was_cut_off_is_finished(tmp_path: Path) -> None:
    before = (keys_in(tmp_path), (tmp_path / LOG_FILE).read_bytes())
    following = open_signer(tmp_path, NEXT)
    assert keys_in(tmp_path).key == before[0].key, "nobody has said yet that it follows"
    after = rotate(tmp_path, "")
    assert after.signer.public == following.public, "the key that was made is taken"
    (tmp_path / LOG_FILE).replace(tmp_path / NEXT)
    (tmp_path / LOG_FILE).write_bytes(before[1])
    assert keys_in(tmp_path).keys == after.keys
    assert not (tmp_path / NEXT).exists()


@pytest.mark.parametrize("damage", ["cut", "list", "other", "order"])
def test_what_is_no_chain_is_refused(tmp_path: Path, damage: str) -> None:
    rotate(tmp_path, "")
    notes = list(rotate(tmp_path, "").notes)
    written = {
        "cut": json.dumps(notes)[:-3],
        "list": "7",
        "other": json.dumps([note.replace("seen -", "seen eA==") for note in notes]),
        "order": json.dumps(notes[::-1]),
    }
    (tmp_path / FILE).write_text(written[damage])
    with pytest.raises(DomainError) as refused:
        _ = keys_in(tmp_path).keys
    assert refused.value.code == "key_damaged"


def test_the_note_says_both_keys(tmp_path: Path) -> None:
    first, second = keys_in(tmp_path), rotate(tmp_path, "")
    (one,) = second.handovers
    assert (one.before, one.after, one.succeeds) == (first.key, second.key, False)
    assert read_handover(second.notes[0]) == one
