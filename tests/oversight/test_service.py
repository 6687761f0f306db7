"""Regulators look in; every look is written down, and what lies outside their area does not exist."""

from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.school import School, school


async def _looks(served: School) -> list[tuple[str, str]]:
    async with served.house.store.database.read() as connection:
        rows = await connection.execute(text("SELECT page, object_id FROM regulator_view ORDER BY at_ms"))
        return [(page, object_id) for page, object_id in rows]


async def _get(served: School, who: str, path: str) -> tuple[int, Any]:
    async with served.http(who) as session, session.get(path) as answer:
        return answer.status, await answer.json()


async def test_a_regulator_sees_the_lessons_of_the_area_and_is_recorded(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        async with served.page("teacher") as teacher, served.page("jia") as trainee:
            await teacher.join()
            await teacher.call("lesson:start")
            await trainee.join()
            status, seen = await _get(served, "regulator", "/api/v1/oversight/lessons")
        assert status == 200
        (row,) = seen["lessons"]
        assert (row["lesson"]["id"], row["trainees"], row["present"]) == (served.lesson_id, 2, 1)
        assert seen["view_id"]
        assert await _looks(served) == [("GET /api/v1/oversight/lessons", "")]


async def test_strips_and_rosters_are_recorded_with_what_was_looked_at(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        _, strips = await _get(served, "regulator", f"/api/v1/lessons/{served.lesson_id}/strips")
        assert len(strips["rows"]) == 2
        assert strips["view_id"]
        await _get(served, "regulator", f"/api/v1/classes/{served.class_id}/roster")
        await _get(served, "regulator", "/api/v1/me")
        assert {object_id for _, object_id in await _looks(served)} == {served.lesson_id, served.class_id}


async def test_another_area_has_nothing_to_see(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        _, seen = await _get(served, "abroad", "/api/v1/oversight/lessons")
        assert seen["lessons"] == []
        for path in (f"lessons/{served.lesson_id}/strips", f"classes/{served.class_id}", f"lessons/{served.lesson_id}"):
            assert (await _get(served, "abroad", f"/api/v1/{path}"))[1]["code"] == "not_found"


async def test_nobody_else_is_recorded_or_sees_the_area(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        for who in ("staff", "teacher", "jia", "admin"):
            assert (await _get(served, who, "/api/v1/oversight/lessons"))[0] == 403
            _, strips = await _get(served, who, f"/api/v1/lessons/{served.lesson_id}/strips")
            assert strips["view_id"] is None
        assert await _looks(served) == []


async def test_a_regulator_changes_nothing(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("regulator") as session:
        for path in (f"classes/{served.class_id}/lessons", "classes", "institutions", "people"):
            async with session.post(f"/api/v1/{path}", json={}) as answer:
                assert answer.status == 403


async def test_a_visit_is_silent_while_a_lesson_is_taught_and_told_afterwards(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        looks = f"/api/v1/lessons/{served.lesson_id}/looks"
        async with served.page("teacher") as teacher:
            await teacher.join()
            await teacher.call("lesson:start")
            await _get(served, "regulator", f"/api/v1/lessons/{served.lesson_id}/strips")
            assert (await _get(served, "teacher", looks))[1] == {"at": []}
            served.clock.advance(60_000)
            await teacher.call("lesson:end")
        for who in ("teacher", "staff", "jia"):
            (at,) = (await _get(served, who, looks))[1]["at"]
            assert at == "2026-11-23T09:00:00.000Z"
        assert (await _get(served, "stranger", looks))[1]["code"] == "not_found"
        assert (await _get(served, "abroad", looks))[1]["code"] == "not_found"
