"""The log held against itself: an honest one has no fault; each edit of each table and file is named at its place."""

from pathlib import Path
from typing import Final

import pytest

from server.ledger import records
from server.ledger.audit import audit
from server.ledger.rules import SEAL_AFTER_MS
from tests.ledger.world import GENESIS, LESSON, OTHER, World, minute

BOTH_STORES = True

SIZE: Final = 4
#: what is evidence, and what is said of it once it was changed
EVIDENCE: Final = [
    ("ledger_entry", "records", "records_changed"),
    ("ledger_leaf", "leaf", "leaf_changed"),
    ("ledger_group", "packed", "records_changed"),
    ("ledger_group", "hints", "records_changed"),
]
CODES: Final = {code for _, _, code in EVIDENCE}


async def honest(world: World) -> None:
    await world.ledger.round()
    for slot in range(SIZE):
        await world.say(slot, [minute(GENESIS + slot, number) for number in (1, 2)])
        await world.say(slot, [minute(GENESIS + slot, 3)], OTHER)
        world.to(slot, SEAL_AFTER_MS)
        await world.ledger.round()


async def faults(world: World) -> set[tuple[str, int | None, str]]:
    return {(one.code, one.idx, one.group_id) async for one in audit(world.database, world.folder, world.ledger.keys)}


async def attack(world: World, *statements: str) -> None:
    """What somebody with all rights in the database does: triggers off, then the statements."""
    async with world.database.write() as connection:
        if world.database.embedded:
            query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'ledger%'"
            for (name,) in (await connection.exec_driver_sql(query)).all():
                await connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in records.APPEND_ONLY:
                await connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def test_an_honest_log_has_no_fault(world: World) -> None:
    assert await faults(world) == set()
    await honest(world)
    await world.say(SIZE, [minute(GENESIS + SIZE, 1)])  # waits
    seen: list[tuple[int, int]] = []
    found = [one async for one in audit(world.database, world.folder, world.ledger.keys, lambda *at: seen.append(at))]
    assert (found, seen) == ([], [(SIZE, SIZE)])


@pytest.mark.parametrize(("table", "column", "code"), EVIDENCE)
async def test_every_flipped_byte_is_named_at_its_leaf(world: World, table: str, column: str, code: str) -> None:
    await honest(world)
    async with world.database.read() as connection:
        where = "idx = 2" if table == "ledger_leaf" else f"group_id = '{LESSON}'"
        if table == "ledger_group":
            where += " AND idx = 2"
        if table == "ledger_entry":
            (said,) = [one for one in await records.entries_of(connection, 2) if one.group_id == LESSON]
            where = f"id = '{said.id}'"
        raw = bytes((await connection.exec_driver_sql(f"SELECT {column} FROM {table} WHERE {where}")).scalar_one())
    for at in range(len(raw)):
        forged = bytearray(raw)
        forged[at] ^= 1 << at % 8
        literal = f"x'{forged.hex()}'" if world.database.embedded else f"'\\x{forged.hex()}'"
        await attack(world, f"UPDATE {table} SET {column} = {literal} WHERE {where}")
        found = await faults(world)
        assert (code, 2, "" if table == "ledger_leaf" else LESSON) in found, at
        assert {one[1] for one in found if one[0] in CODES} == {2}


@pytest.mark.parametrize(
    ("statement", "code", "idx"),
    [
        ("DELETE FROM ledger_leaf WHERE idx = 1", "leaf_missing", 1),
        ("DELETE FROM ledger_group WHERE idx = 1", "group_changed", 1),
        ("DELETE FROM ledger_sealed WHERE idx = 1", "entry_lost", None),
        ("DELETE FROM ledger_entry", "records_changed", 1),
        ("DELETE FROM ledger_key", "records_changed", 1),
        ("UPDATE ledger_sealed SET idx = 3 WHERE idx = 1", "records_changed", 1),
        ("UPDATE ledger_head SET genesis = genesis + 1", "leaf_changed", 0),
        ("UPDATE ledger_head SET frontier = schemes", "head_changed", None),
        ("UPDATE ledger_head SET size = 2", "checkpoint_false", 3),
        ("DELETE FROM ledger_head", "head_changed", None),
        ("UPDATE ledger_checkpoint SET size = 0 WHERE size = 2", "checkpoint_false", -1),
        ("UPDATE ledger_checkpoint SET note = replace(note, 'keshi', 'keshj') WHERE size = 2", "checkpoint_false", 1),
        ("INSERT INTO ledger_pending SELECT entry_id FROM ledger_sealed WHERE idx = 1", "entry_doubled", None),
        ("UPDATE ledger_group SET idx = 9 - idx WHERE idx IN (1, 2)", "group_changed", 1),
    ],
)
async def test_rows_that_are_deleted_moved_or_swapped(world: World, statement: str, code: str, idx: int | None) -> None:
    await honest(world)
    await attack(world, statement)
    assert (code, idx) in {(one[0], one[1]) for one in await faults(world)}


@pytest.mark.parametrize("name", ["checkpoint", f"tile/0/000.p/{SIZE}"])
async def test_published_files_that_were_changed(world: World, tmp_path: Path, name: str) -> None:
    await honest(world)
    path = tmp_path / "log" / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 1
    path.write_bytes(raw)
    assert await faults(world) == {("files_changed", None, "")}
