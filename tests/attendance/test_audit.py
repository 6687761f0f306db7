"""The journal held against the log: an edited minute is named, and so is one that only one of them has."""

import pytest

from server.attendance import records
from server.attendance.audit import Difference, differences
from server.attendance.corrections import records as corrections
from server.attendance.corrections.records import Correction
from server.attendance.corrections.rules import Line, Measure
from server.attendance.lease import End
from server.attendance.minutes import Reason, pack
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


async def test_a_page_that_is_there_and_says_nothing_for_long_ends_its_lease_after_what_is_sealed(world: World) -> None:
    async with world.database.write() as connection:
        await ledger.begin(connection, "log", SLOT)
    page = await joined(world)
    await attend(world, page, 60_000)
    for away in range(12):
        world.clock.advance(60_000)
        await world.sealer.round()
        if away == 7:
            await page.drop()
    async with world.database.read() as connection:
        (lease,) = await records.leases_of_lesson(connection, LESSON)
    assert lease.ended_ms is not None
    assert lease.ended_ms > T0 + 5 * 60_000
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
        "UPDATE correction_entry SET at_ms = 1127695331407624",
        "UPDATE correction_entry SET correction_id = 'no number'",
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
    where = {(one.slot, one.person_id) for one in await found(world)}
    assert where - {(0, NO_ID.hex())} == {(SLOT, person_id(1))}


async def test_a_minute_under_a_lease_that_did_not_hold_is_named(world: World) -> None:
    await sealed(world)
    for change, slots in (("epoch = 7", [0, 1]), (f"epoch = 1, granted_ms = {T0 + 60_000}", [0])):
        async with world.database.write() as connection:
            if world.database.embedded:
                await connection.exec_driver_sql("DROP TRIGGER IF EXISTS lease_no_update")
            else:
                await connection.exec_driver_sql("ALTER TABLE lease DISABLE TRIGGER ALL")
            await connection.exec_driver_sql(f"UPDATE lease SET {change}")
        assert await found(world) == [Difference(LESSON, SLOT + slot, person_id(1)) for slot in slots]


async def test_a_minute_that_begins_when_its_lease_had_ended_is_named(world: World) -> None:
    await sealed(world)
    async with world.database.write() as connection:
        await records.add_end(connection, LESSON, person_id(1), 1, End.LEFT, T0 + 60_000)
    assert await found(world) == [Difference(LESSON, SLOT + 1, person_id(1))]


async def test_a_lease_from_before_the_log_holds_no_longer_than_a_login(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.database.write() as connection:
        await ledger.begin(connection, "log", SLOT + 1)
    page = await joined(world)
    await world.crash()
    await page.join()
    await attend(world, page, 180_000)
    world.clock.advance(90_000)
    await world.sealer.round()
    assert await found(world) == []
    monkeypatch.setattr("server.attendance.audit.OLDER_HOLD", 1)
    assert await found(world) == [Difference(LESSON, SLOT + 2, person_id(1))]


#: a lesson's minute as version 0.2 stored it, and as the log was told of it before there were summaries
OLD_JOURNAL = "000000000000000100020100004e209c40ea60014e20000000000000000200000104ea60"
OLD_TOLD = (
    "140101c83ce000000002000000000000000000000000000000001e55000000000001010000ea600000" + 32 * "00"
    + "010101c83ce000000000000000000000000100000000000000001e550000000000010100009c400000"
    "a2a1fbbe27ee28c3b4d8fb713ebfb797010520a4bd91da276155c47f96f7aad9"
    "010101c83ce000000000000000000000000200000000000000001e5500000000000101000000000000"
    "160d2a1a94bce1a48191fc7a164c7337b8a0a4466e323a9d69ba5da8085939ef"
)  # fmt: skip


async def test_what_was_sealed_before_there_were_summaries_still_says_the_same(world: World) -> None:
    row = f"'{LESSON}', {SLOT}, 60000, 40000, 2, $, 1"
    literal = f"x'{OLD_JOURNAL}'" if world.database.embedded else f"'\\x{OLD_JOURNAL}'"
    async with world.database.write() as connection:
        await ledger.begin(connection, "log", SLOT)
        await connection.exec_driver_sql(f"INSERT INTO minute_journal VALUES ({row.replace('$', literal)})")
        await ledger.append_packed(connection, SLOT, LESSON, bytes.fromhex(OLD_TOLD))
    assert await found(world) == []
    async with world.database.read() as connection:
        (minute,) = await records.sealed_minutes(connection, LESSON)
    first, second = minute.records
    assert (first.credit_ms, first.delivered_ms, first.summary) == (40_000, 60_000, None)
    assert second.reasons == ((Reason.ABSENT, 60_000),)
    assert pack(minute.records).hex() == OLD_JOURNAL
