"""The three tables: what is written comes back, and nothing written changes."""

import pytest
from sqlalchemy.exc import IntegrityError

from server.attendance import records
from server.attendance.lease import End, How
from server.attendance.minutes import MinuteRecord, Reason, SealedMinute
from tests.attendance.world import LESSON, T0, World, person_id

BOTH_STORES = True

ROW = records.LeaseRow(person_id(1), 1, LESSON, "session", "phone", "page", "digest", How.TAKE_OVER, T0)


async def test_leases_and_their_ends(world: World) -> None:
    async with world.database.write() as connection:
        await records.add_lease(connection, ROW)
        assert await records.end_of(connection, ROW.person_id, 1) is None
        assert await records.newest_lease(connection, ROW.person_id) == ROW
        await records.add_end(connection, LESSON, ROW.person_id, 1, End.LEFT, T0 + 5)
        assert await records.end_of(connection, ROW.person_id, 1) == T0 + 5
    async with world.database.read() as connection:
        (row,) = await records.leases_of_lesson(connection, LESSON)
        assert (row.how, row.ended_ms) == (How.TAKE_OVER, T0 + 5)
        assert await records.newest_lease(connection, person_id(2)) is None


@pytest.mark.parametrize(("since_ms", "count"), [(T0 - 1, 1), (T0, 0)])
async def test_take_overs_are_counted_after_a_moment(world: World, since_ms: int, count: int) -> None:
    async with world.database.write() as connection:
        await records.add_lease(connection, ROW)
        assert await records.count_take_overs(connection, ROW.person_id, since_ms) == count


async def test_minutes_come_back_in_order(world: World) -> None:
    record = MinuteRecord(person_id(1), ((0, 5),), ((Reason.HIDDEN, 7),))
    minutes = [SealedMinute(slot, 12, (record,)) for slot in (5, 3, 4)]
    async with world.database.write() as connection:
        for minute in minutes:
            await records.add_minute(connection, LESSON, minute, T0)
    async with world.database.read() as connection:
        found = await records.sealed_minutes(connection, LESSON)
        assert found == sorted(minutes, key=lambda one: one.slot)
        assert [minute.slot for minute in await records.sealed_minutes(connection, LESSON, 4)] == [4, 5]


@pytest.mark.parametrize("table", records.APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = 1", "DELETE FROM {}"])
async def test_the_store_refuses_any_change(world: World, table: str, verb: str) -> None:
    async with world.database.write() as connection:
        await records.add_lease(connection, ROW)
        await records.add_end(connection, LESSON, ROW.person_id, 1, End.LEFT, T0)
        await records.add_minute(connection, LESSON, SealedMinute(1, 0, ()), T0)
    column = {"lease": "granted_ms", "lease_end": "ended_ms", "minute_journal": "delivered_ms"}[table]
    with pytest.raises(IntegrityError, match="append_only"):
        async with world.database.write() as connection:
            await connection.exec_driver_sql(verb.format(table, column))
