"""A lesson's row is held against its events."""

from pathlib import Path

import pytest

from server.live.audit import misplaced
from tests.school import School, school


async def taught(served: School) -> None:
    async with served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        served.clock.advance(20_000)
        assert (await desk.call("lesson:end"))["ok"]


@pytest.mark.parametrize(
    "change", ["state = 'live'", "started_ms = started_ms - 60000", "ended_ms = NULL", "state = 'enDed'"]
)
async def test_a_lesson_that_is_said_to_have_been_otherwise_is_named(tmp_path: Path, change: str) -> None:
    async with school(tmp_path) as served:
        await taught(served)
        database = served.house.store.database
        assert [one async for one in misplaced(database)] == []
        async with database.write() as connection:
            await connection.exec_driver_sql(f"UPDATE lesson SET {change} WHERE id = '{served.lesson_id}'")
        assert [one async for one in misplaced(database)] == [served.lesson_id]


async def test_a_lesson_whose_events_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        await taught(served)
        database = served.house.store.database
        async with database.write() as connection:
            copied = "SELECT '0f0f0f0f0f0f0f0f', class_id, 2, title, subject_kind, planned_start_ms, planned_end_ms, "
            columns = (
                "id, class_id, number, title, subject_kind, planned_start_ms, planned_end_ms, instructor_id, state"
            )
            copied += "instructor_id, 'live' FROM lesson"
            await connection.exec_driver_sql(f"INSERT INTO lesson ({columns}) {copied}")
            await connection.exec_driver_sql("DROP TRIGGER lesson_event_no_update")
            await connection.exec_driver_sql("UPDATE lesson_event SET kind = 'no kind' WHERE seq = 1")
        assert {one async for one in misplaced(database)} == {served.lesson_id, "0f0f0f0f0f0f0f0f"}
