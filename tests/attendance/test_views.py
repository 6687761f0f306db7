"""Strips, totals and class hours through the real doors: what is shown adds up, and to whom."""

from pathlib import Path
from typing import Any

import pytest

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.attendance.views import Views
from tests.school import NOON_MS, Page, School, school

BOTH_STORES = True

BEAT_MS = 10_000
#: what the default scheme says of class hours
RULES = {
    "class_hour_ms": 2_700_000,
    "rounding": "down",
    "daily_cap_ms": 28_800_000,
    "shortest_ms": None,
    "complete_percent": None,
    "late_ms": None,
}
SAID = {"rules": RULES, "challenges": None}


async def _seal(served: School) -> None:
    (seal,) = (job.work for one in served.house.capabilities for job in one.jobs if job.name == "attendance.seal")
    await seal()


async def _attend(served: School, page: Page, seconds: int, hidden: range = range(0)) -> int:
    """Beat every ten seconds; in beats whose number is in `hidden` the page is in the background."""
    lease = (await page.join())["lease"]
    mono, credit = 5_000, 0
    for number in range(seconds // 10):
        served.clock.advance(BEAT_MS)
        spans = [] if number in hidden else [[mono, mono + BEAT_MS]]
        mono += BEAT_MS
        answer = await page.call(
            "beat", epoch=lease["epoch"], seq=lease["seq"] + 1, nonce=lease["nonce"], mono=mono, spans=spans
        )
        assert answer["ok"], answer
        lease.update(seq=answer["seq"], nonce=answer["nonce"])
        credit = answer["credit_ms"]
    return credit


async def _get(served: School, who: str, path: str) -> Any:
    async with served.http(who) as session, session.get(f"/api/v1/{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_a_lesson_adds_up_for_everybody_who_may_see_it(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        async with served.page("teacher") as teacher, served.page("jia") as trainee:
            await teacher.join()
            await teacher.call("lesson:start")
            assert await _attend(served, trainee, 180, hidden=range(6, 12)) == 120_000
            await teacher.call("lesson:end")
        served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        await _seal(served)
        for who, seats in (("staff", [1, 2]), ("teacher", [1, 2]), ("regulator", [1, 2]), ("jia", [1]), ("yi", [2])):
            strips = await _get(served, who, f"lessons/{served.lesson_id}/strips")
            assert [row["seat"] for row in strips["rows"]] == seats
            for row in strips["rows"]:
                for cell in row["cells"]:
                    assert cell["open_ms"] == cell["credit_ms"] + sum(one["ms"] for one in cell["reasons"])
                    assert cell["sealed"]
        (jia, yi) = (await _get(served, "staff", f"lessons/{served.lesson_id}/strips"))["rows"]
        assert [cell["credit_ms"] for cell in jia["cells"]] == [60_000, 0, 60_000]
        assert jia["cells"][1]["reasons"] == [{"code": "hidden", "ms": 60_000}]
        assert (jia["totals"]["credit_ms"], jia["totals"]["state"]) == (120_000, "confirmed")
        assert yi["totals"]["reasons"] == [{"code": "absent", "ms": 180_000}]
        views = Views(served.house.register, served.house.training)
        for me in (served.ids["jia"], served.ids["yi"]):
            known = [await views.minutes(served.lesson_id, only) for only in (None, [me])]
            assert [one.cells(me) for one in known] == [known[0].cells(me)] * 2
            assert [one.totals(me) for one in known] == [known[0].totals(me)] * 2
            assert known[1].credit_ms == known[1].totals(me).credit_ms, "nobody else's were read"
        today = await _get(served, "jia", "today")
        assert today["lessons"][0]["my"]["confirmed_ms"] == 120_000
        assert today["classes"][0]["hours"] == {
            "class_hours": 0,
            "remainder_ms": 120_000,
            "required_hours": 40,
            "scheme": {"name": "default", "version": 2, "title": "默认学时认定规则"} | SAID,
        }


async def test_before_sealing_minutes_are_shown_but_are_not_hours(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        await teacher.call("lesson:start")
        await _attend(served, trainee, 120)
        (jia, _yi) = (await _get(served, "staff", f"lessons/{served.lesson_id}/strips"))["rows"]
        assert (jia["totals"]["credit_ms"], jia["totals"]["confirmed_ms"], jia["totals"]["state"]) == (
            120_000,
            0,
            "recorded",
        )
        hours = await _get(served, "staff", f"classes/{served.class_id}/hours")
        assert {row["hours"]["remainder_ms"] for row in hours["rows"]} == {0}


async def test_whoever_looks_at_a_sealed_lesson_adds_no_minute_to_it(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        async with served.page("teacher") as teacher, served.page("jia") as trainee:
            await teacher.join()
            await teacher.call("lesson:start")
            await _attend(served, trainee, 120)
            await teacher.call("lesson:end")
        served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        await _seal(served)
        assert served.lesson_id not in served.house.register.books
        before = await _get(served, "staff", f"lessons/{served.lesson_id}/strips")
        served.clock.advance(10 * MINUTE_MS)
        async with served.page("staff") as looking:
            assert (await looking.join())["ok"]
            assert await _get(served, "staff", f"lessons/{served.lesson_id}/strips") == before


async def test_a_lesson_that_has_not_begun_has_an_empty_strip_over_its_plan(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        strips = await _get(served, "staff", f"lessons/{served.lesson_id}/strips")
    assert strips["planned_first_slot"] == NOON_MS // MINUTE_MS
    assert strips["planned_last_slot"] - strips["planned_first_slot"] == 59
    assert all(row["cells"] == [] for row in strips["rows"])


@pytest.mark.parametrize("who", ["stranger", "other", "abroad"])
async def test_who_is_not_of_the_class_sees_nothing_of_it(tmp_path: Path, who: str) -> None:
    async with school(tmp_path) as served, served.http(who) as session:
        for path in (f"lessons/{served.lesson_id}/strips", f"classes/{served.class_id}/hours"):
            async with session.get(f"/api/v1/{path}") as answer:
                assert answer.status in (403, 404)


async def test_nothing_acknowledged_is_lost_by_a_restart(tmp_path: Path) -> None:
    async with school(tmp_path) as before:
        async with before.page("teacher") as teacher, before.page("jia") as trainee:
            await teacher.join()
            await teacher.call("lesson:start")
            await _attend(before, trainee, 90)
        clock = before.clock
    async with school(tmp_path, clock) as after:
        (jia, _yi) = (await _get(after, "staff", f"lessons/{after.lesson_id}/strips"))["rows"]
        assert jia["totals"]["credit_ms"] == 90_000
        clock.advance(60_000 + SEAL_AFTER_MS)
        await _seal(after)
        (jia, _yi) = (await _get(after, "staff", f"lessons/{after.lesson_id}/strips"))["rows"]
        assert jia["totals"]["credit_ms"] == 90_000
