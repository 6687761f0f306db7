"""The journal held against the log: an edited minute is named, and so is one that only one of them has."""

import pytest

from server.attendance.audit import Difference, differences
from server.attendance.corrections import records as corrections
from server.attendance.corrections.records import Correction
from server.attendance.corrections.rules import Line, Measure
from server.ledger import records as ledger
from server.verify.formats import NO_ID
from tests.attendance.test_sealer import attend, joined
from tests.attendance.world import LESSON, T0, World, person_id

BOTH_STORES = True

SLOT = T0 // 60_000


async def sealed(world: World) -> None:
    async with world.database.write() as connection:
        await ledger.begin(connection, "log", SLOT)
    page = await joined(world)
    await attend(world, page, 120_000)
    world.clock.advance(90_000)
    await world.sealer.round()


async def found(world: World) -> list[Difference]:
    return [one async for one in differences(world.database)]


async def attack(world: World, statement: str) -> None:
    async with world.database.write() as connection:
        for table in ("minute_journal", "ledger_entry"):
            if world.database.embedded:
                for verb in ("update", "delete"):
                    await connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")
            else:
                await connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        await connection.exec_driver_sql(statement)


async def test_they_say_the_same(world: World) -> None:
    assert await found(world) == []
    await sealed(world)
    assert await found(world) == []


async def test_a_minute_that_was_edited_is_named(world: World) -> None:
    await sealed(world)
    async with world.database.read() as connection:
        query = f"SELECT records FROM minute_journal WHERE slot = {SLOT + 1}"
        raw = bytearray(bytes((await connection.exec_driver_sql(query)).scalar_one()))
    raw[-1] ^= 2
    literal = f"x'{raw.hex()}'" if world.database.embedded else f"'\\x{raw.hex()}'"
    await attack(world, f"UPDATE minute_journal SET records = {literal} WHERE slot = {SLOT + 1}")
    assert await found(world) == [Difference(LESSON, SLOT + 1, person_id(1))]


@pytest.mark.parametrize("table", ["minute_journal", "ledger_entry"])
async def test_a_minute_that_only_one_of_them_has_is_named(world: World, table: str) -> None:
    await sealed(world)
    await attack(world, f"DELETE FROM {table} WHERE slot = {SLOT + 1} AND length(records) > 0")
    whose = [Difference(LESSON, SLOT + 1, NO_ID.hex()), Difference(LESSON, SLOT + 1, person_id(1))]
    assert await found(world) == whose, "the lesson's own minute, and the trainee's"


CORRECTION = Correction(
    "06" * 8, LESSON, "03" * 8, Measure.FULL, "讲师证明", "", "", (Line(person_id(1), SLOT, 60_000, 0),), T0
)


async def corrected(world: World) -> None:
    await sealed(world)
    async with world.database.write() as connection:
        await corrections.add_entry(connection, CORRECTION, CORRECTION.lines, T0 + 600_000)


async def test_corrections_fit_the_log(world: World) -> None:
    await corrected(world)
    assert await found(world) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM correction_entry",
        "UPDATE correction_entry SET at_ms = at_ms + 1",
        f"UPDATE correction_entry SET correction_id = '{'07' * 8}'",
    ],
)
async def test_a_correction_that_the_log_does_not_know_is_named(world: World, statement: str) -> None:
    await corrected(world)
    async with world.database.write() as connection:
        if world.database.embedded:
            for verb in ("update", "delete"):
                await connection.exec_driver_sql(f"DROP TRIGGER correction_entry_no_{verb}")
        else:
            await connection.exec_driver_sql("ALTER TABLE correction_entry DISABLE TRIGGER ALL")
        await connection.exec_driver_sql(statement)
    assert set(await found(world)) == {Difference(LESSON, SLOT, person_id(1))}
