"""One trainee of a class, as those who oversee it see them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.attendance.corrections.test_service import done, refused, strip, taught
from tests.school import School


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with taught(tmp_path) as one:
        yield one


def page_of(served: School, who: str) -> str:
    return f"classes/{served.class_id}/trainees/{served.ids[who]}"


async def test_plan_against_actual_minute_by_minute(served: School) -> None:
    page = await done(served, "regulator", "GET", page_of(served, "jia"))
    assert (page["seat"], page["name"], page["institution_name"]) == (1, "名jia", "示例学校")
    (lesson,) = page["lessons"]
    row = await strip(served)
    assert (lesson["cells"], lesson["totals"]) == (row["cells"], row["totals"])
    assert lesson["lesson"]["id"] == served.lesson_id
    assert lesson["planned_last_slot"] - lesson["planned_first_slot"] == 59
    assert (page["hours"]["class_hours"], page["hours"]["remainder_ms"]) == (0, 120_000)
    absent = await done(served, "regulator", "GET", page_of(served, "yi"))
    assert absent["lessons"][0]["totals"]["credit_ms"] == 0


async def test_a_regulators_look_is_recorded_and_nobody_elses(served: School) -> None:
    page = await done(served, "regulator", "GET", page_of(served, "jia"))
    for who in ("staff", "teacher", "admin"):
        assert (await done(served, who, "GET", page_of(served, "jia")))["view_id"] is None
    async with served.house.store.database.read() as connection:
        rows = list(await connection.execute(text("SELECT id, object_id FROM regulator_view")))
    assert rows == [(page["view_id"], served.class_id)]


async def test_what_is_out_of_scope_does_not_exist(served: School) -> None:
    assert await refused(served, "jia", "GET", page_of(served, "jia")) == "forbidden"
    for who in ("abroad", "other"):
        assert await refused(served, who, "GET", page_of(served, "jia")) == "not_found"
    assert await refused(served, "regulator", "GET", page_of(served, "teacher")) == "not_found"
    assert await refused(served, "abroad", "GET", f"lessons/{served.lesson_id}/evidence.json") == "not_found"
    assert await refused(served, "teacher", "GET", f"lessons/{served.lesson_id}/evidence.json") == "forbidden"
