"""The doors of training, through a real server: who may do what, and what the answers hold."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from server.core.version import VERSION
from tests.accounts.store import ask, browser, sign_in
from tests.training.school import School, new_lesson

CLASS = {
    "code": "演-9",
    "name": "新班",
    "institution_id": None,
    "occupation": "养老护理员",
    "level": "五级",
    "starts_on": "2026-11-23",
    "ends_on": "2026-12-23",
    "required_hours": 40,
}


@pytest.fixture
async def page(school: School) -> AsyncIterator[ClientSession]:
    school.declarations.add(school.store.declarations)
    async with browser(school.store, school.declarations) as session:
        yield session


async def enter(page: ClientSession, school: School, who: str) -> None:
    person = await school.store.accounts.person(school.people[who].person_id)
    await sign_in(page, person.login)


def lesson(school: School, who: str = "instructor") -> dict[str, object]:
    new = new_lesson("", 2, school.people[who], day=24)
    return {name: getattr(new, name) for name in new.__slots__ if name != "class_id"}


async def test_the_site_is_for_everybody(page: ClientSession, school: School) -> None:
    await school.training.set_platform("演示运营单位", "备-1")
    assert await ask(page, "GET", "site") == (
        200,
        {
            "demo": True,
            "operator": "演示运营单位",
            "record_number": "备-1",
            "version": VERSION,
            "now": "2026-11-23T09:00:00.001Z",
        },
    )


@pytest.mark.parametrize(
    ("who", "seen"),
    [("administrator", 2), ("staff", 1), ("county", 1), ("elsewhere", 0), ("instructor", None), ("trainee", None)],
)
async def test_institutions(page: ClientSession, school: School, who: str, seen: int | None) -> None:
    await enter(page, school, who)
    status, answer = await ask(page, "GET", "institutions")
    assert status == (403 if seen is None else 200)
    assert seen is None or len(answer["institutions"]) == seen


async def test_making_an_institution(page: ClientSession, school: School) -> None:
    body = {"name": "新校（虚构）", "area": "371525"}
    for who in ("staff", "county", "instructor", "trainee"):
        await enter(page, school, who)
        assert (await ask(page, "POST", "institutions", body))[0] == 403
    await enter(page, school, "administrator")
    status, made = await ask(page, "POST", "institutions", body)
    assert (status, made["name"], made["area"]) == (200, "新校（虚构）", "371525")
    assert (await ask(page, "POST", "institutions", body))[1]["code"] == "name_taken"


async def test_classes_from_making_to_page(page: ClientSession, school: School) -> None:
    await enter(page, school, "staff")
    school.store.clock.advance(1)
    status, made = await ask(page, "POST", "classes", CLASS)
    assert status == 200
    assert made["institution"] == {"id": school.one.id, "name": school.one.name, "area": "371525"}
    assert made["scheme"]["rules"] == {
        "class_hour_ms": 2_700_000,
        "rounding": "down",
        "daily_cap_ms": 28_800_000,
        "shortest_ms": None,
        "complete_percent": None,
        "late_ms": None,
    }
    assert {name: made["scheme"][name] for name in ("name", "version", "title")} == {
        "name": "default",
        "version": 2,
        "title": "默认学时认定规则",
    }
    assert (made["trainees"], made["lessons"], made["live"]) == (0, 0, 0)
    listed = (await ask(page, "GET", "classes"))[1]["classes"]
    assert [row["code"] for row in listed] == ["演-9", "演-2", "演-1"]
    assert [(row["trainees"], row["lessons"]) for row in listed] == [(0, 0), (0, 1), (1, 1)]
    status, planned = await ask(page, "POST", f"classes/{made['id']}/lessons", lesson(school))
    assert status == 200
    assert (planned["instructor_name"], planned["state"], planned["mode"]) == ("one", "planned", "live")
    detail = (await ask(page, "GET", f"classes/{made['id']}"))[1]
    assert detail["lessons"] == [planned]
    assert "token" not in detail


@pytest.mark.parametrize("who", ["instructor", "county", "trainee"])
async def test_others_make_no_classes_and_lessons(page: ClientSession, school: School, who: str) -> None:
    await enter(page, school, who)
    assert (await ask(page, "POST", "classes", CLASS))[0] == 403
    assert (await ask(page, "POST", f"classes/{school.home.id}/lessons", lesson(school)))[0] == 403


async def test_another_s_class_is_not_there(page: ClientSession, school: School) -> None:
    await enter(page, school, "staff2")
    for path in ("", "/roster"):
        assert (await ask(page, "GET", f"classes/{school.home.id}{path}"))[1]["code"] == "not_found"
    assert (await ask(page, "POST", f"classes/{school.home.id}/lessons", lesson(school)))[1]["code"] == "not_found"
    assert (await ask(page, "GET", f"lessons/{school.lesson.id}"))[1]["code"] == "not_found"


async def test_malformed_requests(page: ClientSession, school: School) -> None:
    await enter(page, school, "staff")
    for change in ({"required_hours": "many"}, {"name": None}, {"more": 1}):
        assert (await ask(page, "POST", "classes", {**CLASS, **change}))[1]["code"] == "bad_request"
    wrong = {**lesson(school), "subject_kind": "magic"}
    assert (await ask(page, "POST", f"classes/{school.home.id}/lessons", wrong))[1]["data"]["field"] == "subject_kind"


@pytest.mark.parametrize(
    ("who", "status", "count"),
    [
        ("administrator", 200, 3),
        ("staff", 200, 2),
        ("instructor", 200, 1),
        ("county", 403, 0),
        ("trainee", 403, 0),
    ],
)
async def test_lists_of_lessons(page: ClientSession, school: School, who: str, status: int, count: int) -> None:
    await enter(page, school, who)
    found, answer = await ask(page, "GET", "lessons")
    assert (found, len(answer.get("lessons", []))) == (status, count)


@pytest.mark.parametrize("who", ["administrator", "staff", "instructor", "county", "city", "trainee"])
async def test_a_lesson_for_everybody_with_access(page: ClientSession, school: School, who: str) -> None:
    await enter(page, school, who)
    status, shown = await ask(page, "GET", f"lessons/{school.lesson.id}")
    assert (status, shown["class_code"], shown["planned_start"]) == (200, "演-1", "2026-11-23T09:00:00.000Z")


async def test_a_roster_shows_masks_only(page: ClientSession, school: School) -> None:
    await enter(page, school, "instructor")
    status, answer = await ask(page, "GET", f"classes/{school.home.id}/roster")
    assert status == 200
    (row,) = answer["trainees"]
    assert (row["seat"], row["name"], row["active"], row["deactivated"]) == (1, "演示·甲", True, False)
    assert row["id_number_masked"].startswith("999***********")
    await enter(page, school, "trainee")
    assert (await ask(page, "GET", f"classes/{school.home.id}/roster"))[0] == 403


async def test_without_a_login_there_is_nothing(page: ClientSession, school: School) -> None:
    for path in ("institutions", "classes", f"classes/{school.home.id}", "lessons", f"lessons/{school.lesson.id}"):
        assert (await ask(page, "GET", path))[1]["code"] == "not_signed_in"
