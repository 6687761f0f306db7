"""The log from end to end: sealed once, signed, laid out in files that anybody can check, whatever fails in between."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from server.core.errors import DomainError
from server.ledger import records
from server.ledger.rules import SEAL_AFTER_MS, hash_of, split, subject_of
from server.ledger.service import BATCH, Ledger
from server.verify import tiles
from server.verify.formats import LeafFlag, Record, read_group
from server.verify.notes import Checkpoint
from server.verify.tree import Refused, check_inclusion, leaf_hash, prove_inclusion, range_hash, root
from tests.ledger.world import GENESIS, LESSON, OTHER, World, minute

BOTH_STORES = True


async def test_the_log_begins_with_the_minute_of_its_first_start(world: World) -> None:
    await world.ledger.round()
    assert (await world.leaves(), world.published()) == ([], None)
    world.to(0, SEAL_AFTER_MS - 1)
    await world.ledger.round()
    assert await world.leaves() == []
    world.to(0, SEAL_AFTER_MS)
    await world.ledger.round()
    (leaf,) = await world.leaves()
    assert (leaf.slot, leaf.flags, leaf.n_records) == (GENESIS, 0, 0)
    assert world.published() == Checkpoint(world.ledger.key.name, 1, leaf_hash(leaf.pack()))


async def test_what_was_said_is_in_the_leaf_of_its_minute(world: World) -> None:
    await world.ledger.round()
    await world.say(0, [minute(GENESIS, 1), minute(GENESIS, 2, 500)])
    await world.say(0, [minute(GENESIS, 3)], OTHER)
    await world.say(1, [minute(GENESIS + 1, 1)])
    world.to(0, SEAL_AFTER_MS)
    await world.ledger.round()
    world.to(1, SEAL_AFTER_MS)
    await world.ledger.round()
    first, second = await world.leaves()
    assert [(one.n_groups, one.n_records, one.credit_ms_total) for one in (first, second)] == [
        (2, 3, 120_500),
        (1, 1, 60_000),
    ]
    async with world.database.read() as connection:
        assert await records.count_waiting(connection) == 0
        groups = {name: read_group(raw.group) for name, raw in (await records.groups_of(connection, 0)).items()}
        (said,) = [one for one in await records.entries_of(connection, 0) if one.group_id == LESSON]
        keys = await records.keys_of(connection, LESSON)
    assert {name: one.n_records for name, one in groups.items()} == {LESSON: 2, OTHER: 1}
    assert groups[LESSON].records_root == root(hash_of(keys[subject_of(one)], one) for one in split(said.records))


async def test_what_comes_late_is_in_the_next_leaf_and_marked(world: World) -> None:
    await world.ledger.round()
    world.to(0, SEAL_AFTER_MS)
    await world.ledger.round()
    await world.say(0, [minute(GENESIS, 1)])
    world.to(1, SEAL_AFTER_MS)
    await world.ledger.round()
    assert [(one.flags, one.n_records) for one in await world.leaves()] == [(0, 0), (LeafFlag.LATE, 1)]


async def test_hours_of_late_minutes_of_a_large_class_are_sealed_one_minute_after_another(world: World) -> None:
    await world.ledger.round()
    world.to(2, SEAL_AFTER_MS)
    await world.ledger.round()
    half = 40_000
    late = b"".join(minute(GENESIS, 1).pack() for _ in range(half))
    async with world.database.write() as connection:
        for slot in (GENESIS, GENESIS + 1):
            await records.append_packed(connection, slot, LESSON, late)
    await world.say(3, [minute(GENESIS + 3, 2)])
    for at in (3, 4, 5):
        world.to(at, SEAL_AFTER_MS)
        await world.ledger.round()
    late_leaves = [(one.flags, one.n_records) for one in (await world.leaves())[3:]]
    assert late_leaves == [(LeafFlag.LATE, half + 1), (LeafFlag.LATE, half), (0, 0)]
    async with world.database.read() as connection:
        assert await records.count_waiting(connection) == 0
    assert await world.ledger.problem() is None


async def test_nothing_is_said_without_its_transaction(world: World) -> None:
    await world.ledger.round()

    async def takes_it_back() -> None:
        async with world.database.write() as connection:
            await records.append(connection, GENESIS, LESSON, [minute(GENESIS, 1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await takes_it_back()
    world.to(0, SEAL_AFTER_MS)
    await world.ledger.round()
    assert (await world.leaves())[0].n_records == 0


async def test_saying_nothing_says_nothing(world: World) -> None:
    await world.say(0, [])
    async with world.database.read() as connection:
        assert await records.count_waiting(connection) == 0


async def test_hours_without_a_service_are_gaps_and_no_leaf_is_missing(world: World) -> None:
    await world.ledger.round()
    away = BATCH + 40
    await world.say(3, [minute(GENESIS + 3, 1)])
    world.to(away - 1, SEAL_AFTER_MS)
    await world.again().round()
    leaves = await world.leaves()
    assert [leaf.slot - GENESIS for leaf in leaves] == list(range(away))
    assert [leaf.flags for leaf in leaves] == [LeafFlag.GAP] * (away - 2) + [0, 0]
    assert leaves[3].n_records == 1
    published = world.published()
    assert published is not None
    assert published.size == away


async def test_anybody_can_prove_a_leaf_from_the_files_alone(world: World) -> None:
    await world.ledger.round()
    for slot in range(5):
        world.to(slot, SEAL_AFTER_MS)
        await world.ledger.round()
    published = world.published()
    assert published is not None
    node = tiles.Tiles(5, world.folder.fetch).node
    for index, leaf in enumerate(await world.leaves()):
        check_inclusion(leaf_hash(leaf.pack()), index, 5, prove_inclusion(node, index, 5), published.root)


async def test_two_processes_seal_each_minute_once(world: World) -> None:
    await world.ledger.round()
    others = [world.again() for _ in range(3)]
    for slot in range(6):
        await world.say(slot, [minute(GENESIS + slot, number) for number in (1, 2)])
        world.to(slot, SEAL_AFTER_MS)
        done = await asyncio.gather(*(one.round() for one in (world.ledger, *others)), return_exceptions=True)
        assert [one for one in done if one is not None] == []
    assert [leaf.n_records for leaf in await world.leaves()] == [2] * 6
    published = world.published()
    assert published is not None
    assert published.size == 6


async def test_a_process_knows_keys_that_another_made(world: World) -> None:
    await world.ledger.round()
    other = world.again()
    for slot, (who, number) in enumerate([(world.ledger, 1), (other, 2), (world.ledger, 2), (other, 1)]):
        await world.say(slot, [minute(GENESIS + slot, number)])
        world.to(slot, SEAL_AFTER_MS)
        await who.round()
    async with world.database.read() as connection:
        assert len(await records.keys_of(connection, LESSON)) == 2
    assert len(await world.leaves()) == 4


@pytest.mark.parametrize("step", ["_sign", "_lay_out", "_publish"])
async def test_sealed_and_not_published_is_published_next_time(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ledger.round()
    world.to(0, SEAL_AFTER_MS)

    async def breaks(*_: Any) -> None:
        raise OSError(step)

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, step, breaks)
        with pytest.raises(OSError, match=step):
            await world.ledger.round()
    assert (len(await world.leaves()), world.published()) == (1, None)
    await world.ledger.round()
    published = world.published()
    assert published is not None
    assert published.size == 1


async def test_a_checkpoint_that_was_signed_is_published_and_no_other(world: World, tmp_path: Path) -> None:
    await world.ledger.round()
    world.to(0, SEAL_AFTER_MS)
    await world.ledger.round()
    said = world.folder.said()
    (tmp_path / "log" / tiles.CHECKPOINT).unlink()
    await world.again().round()
    assert world.folder.said() == said


async def test_lost_files_are_made_again_from_the_store(world: World, tmp_path: Path) -> None:
    await world.ledger.round()
    world.to(299, SEAL_AFTER_MS)
    await world.ledger.round()
    before = {path.relative_to(tmp_path): path.read_bytes() for path in (tmp_path / "log").rglob("*") if path.is_file()}
    for path in before:
        (tmp_path / path).unlink()
    await world.again().round()
    after = {path.relative_to(tmp_path): path.read_bytes() for path in (tmp_path / "log").rglob("*") if path.is_file()}
    assert after == before


async def test_a_store_that_is_behind_what_was_published_signs_nothing(world: World) -> None:
    await world.ledger.round()
    world.to(3, SEAL_AFTER_MS)
    await world.ledger.round()
    said = world.folder.said()
    assert said is not None
    async with world.database.write() as connection:
        head = await records.read_head(connection)
    assert head is not None
    ahead = Checkpoint(head.origin, 9, bytes(32))
    world.folder.say(said.replace(said.split("\n\n")[0], str(ahead)[:-1]))
    world.to(4, SEAL_AFTER_MS)
    with pytest.raises(DomainError) as refused:
        await world.again().round()
    assert refused.value.code == "ledger_damaged"


def zeros(world: World, count: int) -> str:
    """So many zero bytes in the store's own words."""
    return f"zeroblob({count})" if world.database.embedded else f"decode(repeat('00', {count}), 'hex')"


@pytest.mark.parametrize("table", ["ledger_leaf", "ledger_head"])
async def test_an_edited_store_is_not_signed(world: World, table: str, tmp_path: Path) -> None:
    await world.ledger.round()
    world.to(2, SEAL_AFTER_MS)
    await world.ledger.round()
    async with world.database.write() as connection:
        if table == "ledger_head":
            await connection.exec_driver_sql(f"UPDATE ledger_head SET frontier = {zeros(world, 64)}")
        else:
            embedded = world.database.embedded
            off = "DROP TRIGGER ledger_leaf_no_update" if embedded else "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL"
            await connection.exec_driver_sql(off)
            await connection.exec_driver_sql(f"UPDATE ledger_leaf SET leaf = {zeros(world, 98)} WHERE idx = 1")

    for path in sorted((tmp_path / "log").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    said = world.again()
    world.to(3, SEAL_AFTER_MS)
    with pytest.raises((DomainError, Refused)):
        await said.round()
    assert world.published() is None


async def test_another_key_does_not_continue_the_log(world: World, tmp_path: Path) -> None:
    await world.ledger.round()
    world.to(0, SEAL_AFTER_MS)
    await world.ledger.round()
    other = World(world.database, tmp_path / "log", seed=bytes([1]) * 32)
    other.to(1, SEAL_AFTER_MS)
    with pytest.raises(DomainError) as refused:
        await other.ledger.round()
    assert (refused.value.code, await other.ledger.problem()) == ("ledger_key_changed", "ledger_key_changed")
    assert len(await world.leaves()) == 1


@pytest.mark.parametrize("table", records.APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
async def test_the_store_refuses_any_change(world: World, table: str, verb: str) -> None:
    await world.ledger.round()
    await world.say(0, [minute(GENESIS, 1)])
    world.to(0, SEAL_AFTER_MS)
    await world.ledger.round()
    column = {"ledger_entry": "slot", "ledger_checkpoint": "note", "ledger_sealed": "idx"}.get(table, "idx")
    with pytest.raises(IntegrityError, match="append_only"):
        async with world.database.write() as connection:
            await connection.exec_driver_sql(verb.format(table, column))


async def test_a_disk_that_is_full_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.ledger.round()
    world.to(0, SEAL_AFTER_MS)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DomainError) as refused:
            await world.ledger.round()
    assert refused.value.code == "disk_full"
    await world.ledger.round()
    published = world.published()
    assert published is not None
    assert published.size == 1
    assert range_hash(tiles.Tiles(1, world.folder.fetch).node, 0, 1) == published.root


async def test_records_that_do_not_fit_are_refused_where_they_are_said(world: World) -> None:
    with pytest.raises(Refused):
        await world.say(0, [Record(kind=1, slot=-1)])
