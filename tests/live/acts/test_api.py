"""What pages are told of acts: at once, in order, together when much happens, and all of it to who comes later."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.live.acts.test_doors import heard
from tests.school import School, school


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def test_a_change_reaches_those_who_are_there_and_those_who_come_later(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia, served.page("yi") as yi:
        await teacher.join()
        await jia.join()
        done = await teacher.call("order:silence", on=True)
        assert (done["ok"], done["seq"]) == (True, 1)
        (news,) = await heard(jia, "lesson:acts")
        assert (news["after"], news["seq"], news["changes"]["order"][0]["silence"]) == (0, 1, True)
        await yi.join(page="page-two")
        late = await yi.call("lesson:since", seq=0)
        assert (late["seq"], late["whole"], late["changes"]["order"]) == (1, True, news["changes"]["order"])
        assert (await jia.call("lesson:since", seq=1))["changes"]["order"] == []
        assert (await jia.call("lesson:since", seq=99))["whole"]


async def test_pushes_follow_each_other_without_a_gap_and_much_is_told_together(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia:
        await teacher.join()
        await jia.join()
        await asyncio.gather(*(teacher.call("order:silence", on=n % 2 == 0) for n in range(20)))
        for _ in range(300):
            told = jia.heard("lesson:acts")
            if told and told[-1]["seq"] == 20:
                break
            await asyncio.sleep(0.01)
        assert [one["after"] for one in told] == [0, *(one["seq"] for one in told[:-1])]
        assert told[-1]["seq"] == 20
        assert len(told) < 20
        assert told[-1]["changes"]["order"][0]["silence"] is False


async def test_when_the_lesson_is_over_nothing_more_can_be_done(served: School) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
        await teacher.call("lesson:end")
        assert (await teacher.call("order:silence", on=True))["code"] == "lesson_ended"


async def test_a_trainee_is_told_of_their_own_alone(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia, served.page("yi") as yi:
        await teacher.join()
        await jia.join()
        await yi.join(page="page-two")
        await teacher.call("order:switch", what="drawing", on=True, person_id=served.actor("jia").person_id)
        await heard(yi, "lesson:acts")
        mine, others = [(await page.call("lesson:since", seq=0)) for page in (jia, yi)]
        assert (mine["mine"]["order"]["switches"]["drawing"], others["mine"]["order"]) == (True, None)
        assert [[one["id"] for one in told["changes"]["order"]] for told in (mine, others)] == [["all"], ["all"]]


async def test_whoever_missed_a_push_is_reminded_with_the_next_phase(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia:
        await teacher.join()
        await jia.join()
        await teacher.call("order:silence", on=True)
        await heard(jia, "lesson:acts")
        await served.house.live.announce_all()
        reminder = (await heard(jia, "lesson:acts", 2))[-1]
        assert (reminder["after"], reminder["seq"], reminder["changes"]["order"]) == (1, 1, [])
