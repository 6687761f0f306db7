"""Whoever is outside hears nothing of the lesson: not by a page that stays connected, nor if removed while joining."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.attendance.service import Attendance
from server.core.errors import DomainError
from server.core.wire.fan_out import SocketFanOut
from tests.live.acts.spoken import until
from tests.live.acts.test_doors import heard
from tests.school import School, school


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def test_a_removed_page_that_stays_connected_is_told_nothing_more(served: School) -> None:
    jia = served.actor("jia").person_id
    async with served.page("teacher") as teacher, served.page("jia") as trainee, served.page("yi") as yi:
        await teacher.join()
        await trainee.join()
        await yi.join(page="page-two")
        assert (await teacher.call("lesson:start"))["ok"]
        assert (await teacher.call("order:remove", person_id=jia))["ok"]
        await heard(trainee, "lease:lost")
        trainee.told.clear()
        assert (await teacher.call("chat:say", text="现在只有你们"))["ok"]
        await until(yi, "chat", lambda known: any(one["text"] == "现在只有你们" for one in known.values()))
        await asyncio.sleep(0.2)
        assert trainee.told == []


async def test_a_page_whose_place_another_device_took_is_told_nothing_more(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as old, served.page("jia") as new:
        await teacher.join()
        await old.join()
        taken = await new.join(page="page-two", password="a long enough password")
        assert taken["ok"]
        await heard(old, "lease:lost")
        old.told.clear()
        assert (await teacher.call("chat:say", text="新的设备"))["ok"]
        await until(new, "chat", lambda known: any(one["text"] == "新的设备" for one in known.values()))
        await asyncio.sleep(0.2)
        assert old.told == []


async def test_a_page_that_joins_again_by_the_same_line_hears_on(
    served: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the end of its former lease is heard of late, as at another process."""
    leave = SocketFanOut.leave

    async def late(fan_out: SocketFanOut, connection: str, group: str) -> None:
        await asyncio.sleep(0.3)
        await leave(fan_out, connection, group)

    monkeypatch.setattr(SocketFanOut, "leave", late)
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        first, second = (await trainee.join())["lease"], (await trainee.join())["lease"]
        assert second["epoch"] == first["epoch"] + 1
        await asyncio.sleep(1)
        assert (await teacher.call("chat:say", text="还听得见吗"))["ok"]
        await until(trainee, "chat", lambda known: any(one["text"] == "还听得见吗" for one in known.values()))


async def test_a_join_on_its_way_does_not_outlive_a_removal(served: School) -> None:
    jia = served.actor("jia").person_id
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        for _ in range(20):
            await trainee.join()
            joins = [asyncio.ensure_future(trainee.join()) for _ in range(3)]
            await asyncio.sleep(0.005)
            assert (await teacher.call("order:remove", person_id=jia))["ok"]
            await asyncio.gather(*joins)
            assert served.house.register.holders.get(jia) is None
            assert (await teacher.call("order:readmit", person_id=jia))["ok"]


async def test_a_removal_whose_lease_could_not_be_ended_at_once_is_made_good(
    served: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    jia, remove, failures = served.actor("jia").person_id, Attendance.remove, [DomainError("store_unavailable")]

    async def fails_once(attendance: Attendance, lesson_id: str, person_id: str) -> None:
        if failures:
            raise failures.pop()
        await remove(attendance, lesson_id, person_id)

    monkeypatch.setattr(Attendance, "remove", fails_once)
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        await trainee.join()
        assert (await teacher.call("order:remove", person_id=jia))["code"] == "store_unavailable"
        assert (await teacher.call("order:remove", person_id=jia))["seq"] == 0  # it is written already
        async with asyncio.timeout(20):
            while served.house.register.holders.get(jia) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_outside_of_a_lesson_that_goes_on_nobody_reads_what_is_said_in_it(served: School) -> None:
    jia, one = served.actor("jia").person_id, f"/api/v1/lessons/{served.lesson_id}"
    doors = [f"{one}/acts", f"{one}/questions"]
    async with served.page("teacher") as teacher, served.page("jia") as trainee, served.page("yi") as yi:
        await teacher.join()
        await trainee.join()
        assert (await teacher.call("lesson:start"))["ok"]
        assert (await trainee.call("question:ask", text="还在里面"))["ok"]
        assert (await teacher.call("order:remove", person_id=jia))["ok"]
        assert (await teacher.call("order:lobby", on=True))["ok"]
        assert (await yi.join(page="page-two"))["code"] == "in_lobby"
        for outside in (trainee, yi):
            for door in doors:
                async with outside.session.get(door) as answer:
                    assert answer.status != 200
