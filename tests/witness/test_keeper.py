"""A witness keeps the leaves of what it signed, and nothing that is not what it signed."""

from http.client import IncompleteRead
from pathlib import Path

import pytest

from server.core.signing import FileSigner
from server.ledger.rules import SEAL_AFTER_MS
from server.ledger.service import Ledger
from server.ledger.tiles import TileFolder
from server.verify.handover import hand_over
from server.verify.log import check_log_files
from server.verify.notes import Key, Kind, read_checkpoint, read_note
from server.verify.program import HOLDS, verify
from server.verify.tree import Refused
from server.witness.keeper import Keeper, keep_up, name_of, read_logs
from tests.ledger.world import World
from tests.witness.world import Log

BOTH_STORES = False


async def grown(world: World, size: int) -> str:
    """A published log of so many minutes; its note."""
    await world.ledger.round()
    world.to(size - 1, SEAL_AFTER_MS)
    await world.ledger.round()
    return world.folder.said() or ""


@pytest.fixture
async def copy(tmp_path: Path) -> TileFolder:
    return TileFolder(tmp_path / "copy")


async def test_the_copy_is_a_whole_log_again(world: World, copy: TileFolder) -> None:
    for size in (1, 3, 255, 256, 700, 1025):
        note = await grown(world, size)
        assert keep_up(note, world.folder.fetch, copy)
        report = check_log_files(copy.fetch, [world.ledger.key])
        assert (report.size, report.signers) == (size, (world.ledger.key,))
    assert keep_up(note, lambda name: pytest.fail(name), copy), "nothing new is nothing to fetch"


async def test_it_waits_until_what_was_signed_is_published(world: World, copy: TileFolder) -> None:
    await grown(world, 2)
    old = {"checkpoint": world.folder.said() or ""}
    note = await grown(world, 3)

    def late(name: str) -> bytes:
        return old["checkpoint"].encode() if name == "checkpoint" else world.folder.fetch(name)

    assert not keep_up(note, late, copy)
    assert copy.said() is None


@pytest.mark.parametrize("lost", ["tile/entries/000.p/3", "other"])
async def test_files_that_are_not_what_was_signed_are_not_kept(world: World, copy: TileFolder, lost: str) -> None:
    note = await grown(world, 3)

    def forged(name: str) -> bytes:
        if name == lost:
            raise KeyError(name)
        raw = bytearray(world.folder.fetch(name))
        if name.startswith("tile/entries"):
            raw[40] ^= 1
        return bytes(raw)

    with pytest.raises(Refused):
        keep_up(note, forged, copy)
    assert copy.said() is None
    assert keep_up(note, world.folder.fetch, copy)


async def test_a_damaged_copy_is_found_and_not_gone_on_with(world: World, copy: TileFolder, tmp_path: Path) -> None:
    keep_up(await grown(world, 3), world.folder.fetch, copy)
    tile = tmp_path / "copy/tile/0/000.p/3"
    raw = bytearray(tile.read_bytes())
    raw[5] ^= 1
    tile.write_bytes(raw)
    note = await grown(world, 4)
    with pytest.raises(Refused, match="not what was signed"):
        keep_up(note, world.folder.fetch, copy)
    with pytest.raises(Refused):
        check_log_files(copy.fetch, [world.ledger.key])


@pytest.mark.parametrize("failure", [OSError("no route"), IncompleteRead(b""), Refused("no")])
async def test_one_log_that_fails_keeps_no_other_from_being_kept(
    world: World, copy: TileFolder, failure: Exception
) -> None:
    note = await grown(world, 2)

    def silent(_name: str) -> bytes:
        raise failure

    notes = {"bad": note, "good": note, "new": None}
    keeper = Keeper(notes.get, {one: (silent if one == "bad" else world.folder.fetch, copy) for one in notes})
    await keeper.round()
    assert read_checkpoint(read_note(copy.said() or "").text).size == 2


async def test_a_note_that_cannot_be_read_keeps_no_other_log_from_being_kept(world: World, copy: TileFolder) -> None:
    note = await grown(world, 2)

    def signed(origin: str) -> str:
        if origin == "bad":
            raise OSError("a bad block")
        return note

    await Keeper(signed, dict.fromkeys(("bad", "good"), (world.folder.fetch, copy))).round()
    assert read_checkpoint(read_note(copy.said() or "").text).size == 2


async def test_the_copy_of_a_log_that_changed_its_key_is_trusted_by_the_old_one(
    world: World, copy: TileFolder, tmp_path: Path
) -> None:
    old, following = world.ledger.key, FileSigner(b"n" * 32)
    assert keep_up(await grown(world, 1), world.folder.fetch, copy)
    note = hand_over((old, world.signer), (Key(old.name, Kind.LOG, following.public), following), await grown(world, 1))
    world.ledger = Ledger(world.database, world.clock, world.folder, following, handovers=[note])
    assert keep_up(await grown(world, 3), world.folder.fetch, copy)
    (tmp_path / "keys.txt").write_text(f"{old}\n")
    assert verify(tmp_path / "copy", tmp_path / "keys.txt")[0] == HOLDS


def test_a_file_of_logs() -> None:
    log = Log()
    assert read_logs(f"# ours\n\n{log.key}\n{log.key} https://ke.example.cn/log\n") == [
        (log.key, ""),
        (log.key, "https://ke.example.cn/log"),
    ]
    with pytest.raises(Refused):
        read_logs("x")


def test_copies_are_called_by_their_logs() -> None:
    assert name_of("keshi/a") != name_of("keshi/b")
