"""A witness at work: it remembers before it signs, signs one history, and forgets nothing over a restart."""

import asyncio
from pathlib import Path

import pytest

from server.verify.notes import Note, check_witnesses, read_note
from server.witness.rules import Declined
from server.witness.service import DAMAGED, Witness
from tests.witness.world import AT_S, Log, witness


async def status(one: Witness, raw: bytes) -> int:
    with pytest.raises(Declined) as declined:
        await one.add(raw)
    return declined.value.status


async def test_its_signature_is_known_by_its_key(tmp_path: Path) -> None:
    log = Log()
    county = witness(tmp_path, log)
    line = await county.add(log.ask(0, 3))
    seen = read_note(log.note(3) + line)
    assert [(one.key, one.at_s) for one in check_witnesses(seen, [county.key])] == [(county.key, AT_S)]
    assert list(county.notes) == [str(seen)]


async def test_it_signs_the_same_state_again_and_no_other(tmp_path: Path) -> None:
    log, fork = Log(), Log(other=1)
    county = witness(tmp_path, log)
    first = await county.add(log.ask(0, 3))
    assert await county.add(log.ask(3, 3)) == first
    assert await status(county, fork.ask(0, 3)) == 409
    assert await status(county, fork.ask(3, 5)) == 422
    again = witness(tmp_path, log)
    assert await status(again, fork.ask(3, 5)) == 422
    await again.add(log.ask(3, 5))
    assert await status(again, log.ask(3, 5)) == 409


async def test_of_two_histories_at_once_one_is_signed(tmp_path: Path) -> None:
    log, fork = Log(), Log(other=4)
    county = witness(tmp_path, log)
    await county.add(log.ask(0, 4))
    asks = [county.add(one.ask(4, 6)) for one in (log, fork) * 5]
    told = await asyncio.gather(*asks, return_exceptions=True)
    assert sum(isinstance(one, str) for one in told) == 1


async def test_what_cannot_be_remembered_is_not_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    county = witness(tmp_path, log)
    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", _full)
        assert await status(county, log.ask(0, 3)) == DAMAGED
    await county.add(log.ask(0, 4))
    next(tmp_path.iterdir()).write_text("x")
    assert await status(county, log.ask(4, 5)) == DAMAGED


def _full(_handle: int) -> None:
    raise OSError(28, "no space left")


async def test_strange_signatures_are_not_kept(tmp_path: Path) -> None:
    log, stranger = Log(), Log("stranger", 9)
    county = witness(tmp_path, log)
    note = read_note(log.note(3))
    both = Note(note.text, (*read_note(stranger.note(3)).signatures, *note.signatures))
    await county.add(b"old 0\n\n" + str(both).encode())
    (kept,) = county.notes
    assert [one.name for one in read_note(kept).signatures] == [log.origin, "county"]
