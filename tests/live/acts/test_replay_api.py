"""The acts of a lesson for its replay through the wire: page by page, to whoever may see the lesson."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.live.acts import replay_api
from tests.school import School, school


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def told(served: School, who: str, after: int | None = None) -> dict[str, Any]:
    path = f"/api/v1/lessons/{served.lesson_id}/acts"
    async with served.http(who) as page, page.get(path, params={} if after is None else {"after": after}) as answer:
        found: dict[str, Any] = await answer.json()
        return found | {"status": answer.status}


async def taught(served: School, times: int = 3) -> None:
    """An instructor who cannot make up their mind, a second between two changes; somebody is removed at the end."""
    async with served.page("teacher") as teacher:
        await teacher.join()
        assert (await teacher.call("lesson:start"))["ok"]
        for at in range(times):
            served.clock.advance(1_000)
            assert (await teacher.call("order:silence", on=at % 2 == 0))["ok"]
        served.clock.advance(1_000)
        assert (await teacher.call("order:remove", person_id=served.ids["yi"]))["ok"]
        assert (await teacher.call("lesson:end"))["ok"]


def silences(found: dict[str, Any]) -> list[bool]:
    return [view["silence"] for one in found["moments"] for view in one["changes"]["order"] if view["id"] == "all"]


async def test_whoever_may_see_the_lesson_sees_its_moments_in_order(served: School) -> None:
    await taught(served)
    found = await told(served, "jia")
    assert (found["status"], silences(found), found["more"]) == (200, [True, False, True], False)
    assert [one["seq"] for one in found["moments"]] == [1, 2, 3]
    times = [one["at"] for one in found["moments"]]
    assert times == sorted(set(times))


async def test_what_only_the_desk_is_told_is_shown_to_nobody_else(served: School) -> None:
    await taught(served)
    for who, seen in (("jia", False), ("teacher", True), ("staff", True), ("regulator", True)):
        found = await told(served, who)
        people = {view["id"] for one in found["moments"] for view in one["changes"]["order"]} - {"all"}
        assert people == ({served.ids["yi"]} if seen else set()), who


async def test_a_long_lesson_comes_in_several_pages(served: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_api, "MOST_MOMENTS", 3)
    await taught(served, 7)
    whole, after, pages = list[dict[str, Any]](), 0, 0
    while True:
        found = await told(served, "staff", after)
        whole, pages = whole + found["moments"], pages + 1
        if not found["more"]:
            break
        after = whole[-1]["seq"]
    assert ([one["seq"] for one in whole], pages) == (list(range(1, 9)), 3)
    assert (await told(served, "staff", 8))["moments"] == []


async def test_a_regulators_look_is_written_down(served: School) -> None:
    await taught(served)
    await told(served, "regulator")
    async with served.house.store.database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT page FROM regulator_view")
        assert [row for row in rows if "acts" in row[0]] != []


async def test_no_more_comes_than_was_asked_for(served: School) -> None:
    await taught(served)
    path = f"/api/v1/lessons/{served.lesson_id}/acts"
    async with served.http("jia") as page:
        async with page.get(path, params={"most": 1}) as answer:
            found = await answer.json()
        assert ([one["seq"] for one in found["moments"]], found["more"]) == ([1], True)
        for most in (0, 1_001):
            async with page.get(path, params={"most": most}) as answer:
                assert (answer.status, (await answer.json())["code"]) == (400, "bad_request")
