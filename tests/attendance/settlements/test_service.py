"""Staff have a class settled through the real doors; what is kept, what is refused, and what a package says of it."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from server.attendance.minutes import MINUTE_MS
from server.attendance.settlements import records
from server.exchange.evidence import FILE
from server.upkeep.fsck import faults
from server.verify import bundle
from server.verify.check import check
from server.verify.report import Report
from tests.attendance.corrections.test_service import decide, done, minute, propose, refused, slots_of, taught
from tests.exchange.test_evidence import sealed
from tests.school import School, plan, school

BOTH_STORES = True
STRICT = {"class_hour_ms": 50_000, "daily_cap_ms": 110_000, "complete_percent": 60, "late_ms": 0}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with taught(tmp_path) as one:
        one.slots = await slots_of(one)
        await one.house.log.round()  # the first one begins the log
        await sealed(one)
        yield one


async def settle(served: School, scheme: str | None = None, who: str = "staff") -> int:
    made = await done(served, who, "POST", path(served), {"scheme": scheme})
    number: int = made["number"]
    return number


def path(served: School) -> str:
    return f"classes/{served.class_id}/settlements"


async def settlements(served: School, who: str = "staff") -> Any:
    return (await done(served, who, "GET", path(served)))["settlements"]


async def report(served: School) -> Report:
    """What the verifier says of the package, once all is published."""
    await sealed(served)
    made = await served.house.exchange.package(served.class_id)
    with zipfile.ZipFile(BytesIO(made.content)) as package:
        return check(bundle.read(package.read(FILE)), served.house.log.keys)


async def test_a_class_is_settled_and_everybody_sees_it(served: School) -> None:
    assert await settlements(served) == []
    assert (await done(served, "jia", "GET", "today"))["classes"][0]["settled"] is None
    assert await settle(served) == 1
    (one,) = await settlements(served, "regulator")
    assert (one["number"], one["ordered_by"], one["scheme"]["name"]) == (1, "名staff", "default")
    jia, yi = one["rows"]
    assert (jia["seat"], jia["name"]) == (1, "名jia")
    assert (jia["hours"]["class_hours"], jia["hours"]["remainder_ms"]) == (0, 120_000)
    (lesson,) = jia["hours"]["lessons"]
    assert (lesson["number"], lesson["confirmed_ms"], lesson["complete"]) == (1, 120_000, None)
    assert yi["hours"]["confirmed_ms"] == 0
    mine = (await done(served, "jia", "GET", "today"))["classes"][0]["settled"]
    assert (mine["number"], mine["hours"]["confirmed_ms"]) == (1, 120_000)
    found = await report(served)
    assert found.findings == ()
    assert [(one.number, one.seat, one.confirmed_ms) for one in found.settled] == [(1, 1, 120_000), (1, 2, 0)]
    assert [line async for line in faults(served.house)] == []


async def test_a_correction_and_another_scheme_make_further_settlements(served: School) -> None:
    await settle(served)
    await decide(served, await propose(served, 1))
    assert await refused(served, "staff", "POST", path(served), {"scheme": None}) == "lesson_not_sealed"
    await sealed(served)
    strict = await served.house.training.publish_scheme("strict", "从严", STRICT)
    assert [await settle(served), await settle(served, strict.id)] == [2, 3]
    last, second, first = await settlements(served)
    sums = [one["rows"][0]["hours"]["confirmed_ms"] for one in (first, second, last)]
    assert sums == [120_000, 180_000, 110_000], "the old ones stay as they were"
    assert (last["scheme"]["name"], last["rows"][0]["hours"]["class_hours"]) == ("strict", 2)
    (lesson,) = last["rows"][0]["hours"]["lessons"]
    assert (lesson["capped_ms"], lesson["complete"], lesson["late"]) == (70_000, True, False)
    found = await report(served)
    assert found.findings == ()
    assert [one.confirmed_ms for one in found.settled if one.seat == 1] == sums
    assert [line async for line in faults(served.house)] == []


async def test_what_is_not_decided_or_not_over_is_refused_with_the_lessons(served: School) -> None:
    appeals = f"lessons/{served.lesson_id}/appeals"
    asked = await done(served, "jia", "POST", appeals, {**minute(served, 1), "text": "手机来电"})
    assert await refused(served, "staff", "POST", path(served), {"scheme": None}) == "appeals_open"
    correction = await propose(served, 1, appeal_id=asked["id"])
    assert await refused(served, "staff", "POST", path(served), {"scheme": None}) == "appeals_open"
    await decide(served, correction, "refused")
    assert await refused(served, "staff", "POST", path(served), {"scheme": None}) == "appeals_open"
    await done(served, "staff", "POST", f"appeals/{asked['id']}/refuse", {"text": "未见"})
    await sealed(served)
    assert await settle(served) == 1
    other = await plan(served.house, served.class_id, served.ids["teacher"], 2, served.clock.ms())
    assert await settle(served) == 2, "a lesson that has not begun is none of it"
    served.lesson_id = other
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
        assert await refused(served, "staff", "POST", path(served), {"scheme": None}) == "lesson_not_sealed"
        served.clock.advance(MINUTE_MS)
        await teacher.call("lesson:end")
    assert await refused(served, "staff", "POST", path(served), {"scheme": None}) == "lesson_not_sealed"
    await sealed(served)
    assert await settle(served) == 3
    assert (await report(served)).findings == ()


async def test_an_appeal_that_was_followed_hinders_nothing(served: School) -> None:
    appeals = f"lessons/{served.lesson_id}/appeals"
    asked = await done(served, "jia", "POST", appeals, {**minute(served, 1), "text": "手机来电"})
    await decide(served, await propose(served, 1, appeal_id=asked["id"]))
    await sealed(served)
    assert await settle(served) == 1
    (one,) = await settlements(served)
    assert one["rows"][0]["hours"]["confirmed_ms"] == 180_000


async def test_only_staff_settle_and_only_what_there_is(served: School) -> None:
    for who in ("teacher", "jia", "regulator"):
        assert await refused(served, who, "POST", path(served), {"scheme": None}) == "forbidden"
    assert await refused(served, "staff", "POST", path(served), {"scheme": "none/1"}) == "scheme_unknown"
    assert await refused(served, "abroad", "GET", path(served)) == "not_found"
    assert await settle(served, who="admin") == 1


async def test_a_class_without_a_lesson_has_nothing_to_settle(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        assert await refused(served, "staff", "POST", path(served), {"scheme": None}) == "settlement_empty"


async def test_fsck_names_a_settlement_that_the_minutes_do_not_give(served: School) -> None:
    """Told to the log as it is stored, and all the same more than was earned."""
    await settle(served)
    async with served.house.store.database.read() as connection:
        rows = await records.of_class(connection, served.class_id)
    generous = [replace(one, number=2, confirmed_ms=one.confirmed_ms + 1) for one in rows]
    async with served.house.store.database.write() as connection:
        await records.add(connection, generous)
    found = [line async for line in faults(served.house)]
    assert len(found) == 2
    assert all("settlement_wrong" in line and f"{served.class_id} 2" in line for line in found)
    wrong = [(one.code, one.settlement, one.seat) for one in (await report(served)).findings]
    assert sorted(wrong) == [("settlement_wrong", 2, 1), ("settlement_wrong", 2, 2)]


async def test_settled_three_times_at_once_each_has_its_number_and_follows_from_the_minutes(served: School) -> None:
    assert sorted(await asyncio.gather(*(settle(served) for _ in range(3)))) == [1, 2, 3]
    found = await report(served)
    assert found.findings == ()
    assert {one.number for one in found.settled} == {1, 2, 3}
    assert [line async for line in faults(served.house)] == []
