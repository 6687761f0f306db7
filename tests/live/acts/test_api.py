"""What pages are told of acts: at once, in order, together when much happens, and all of it to who comes later."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.live.acts.spoken import until
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


async def test_whose_own_switch_is_turned_is_told_at_once_and_nobody_else(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia, served.page("yi") as yi:
        for page, name in ((teacher, "page-zero"), (jia, "page-one1"), (yi, "page-two2")):
            await page.join(page=name)
        own = {"person_id": served.actor("jia").person_id}
        await teacher.call("order:switch", what="text", on=False, **own)
        (told,) = await heard(jia, "lesson:own")
        assert (told["lesson_id"], told["mine"]["order"]["switches"]["text"]) == (served.lesson_id, False)
        await teacher.call("order:switch", what="text", on=None, **own)
        assert (await heard(jia, "lesson:own", 2))[1]["mine"]["order"]["switches"]["text"] is None
        await teacher.call("order:switch", what="voice", on=False)  # of everybody's all pages are told as ever
        assert (await jia.call("lesson:leave", epoch=1))["ok"]
        await teacher.call("order:switch", what="text", on=True, **own)  # who left is told after the next join
        await asyncio.sleep(0.2)
        assert (len(jia.heard("lesson:own")), yi.heard("lesson:own"), teacher.heard("lesson:own")) == (2, [], [])


async def test_the_desk_alone_is_told_who_has_taken_part_each_once(served: School) -> None:
    anonymous = {"kind": "judgement", "text": "太快？", "choices": [], "least": 1, "most": 1, "anonymous": True}
    jia_id, yi_id = (served.actor(who).person_id for who in ("jia", "yi"))
    async with served.page("teacher") as teacher, served.page("jia") as jia, served.page("yi") as yi:
        await teacher.join()
        await jia.join()
        await yi.join(page="page-two")
        await teacher.call("lesson:start")
        poll = str((await teacher.call("poll:prepare", question=anonymous, open=True))["seq"])
        assert (await yi.call("poll:answer", poll_id=poll, choices=[0]))["ok"]
        assert (await jia.call("chat:say", text="老师好"))["ok"]
        assert set(await until(teacher, "spoke", lambda known: jia_id in known)) == {jia_id}  # not who answered unseen
        assert (await yi.call("stage:raise"))["ok"]
        assert (await jia.call("question:ask", text="为什么？", anonymous=True))["ok"]
        await until(teacher, "spoke", lambda known: yi_id in known)
        late = await teacher.call("lesson:since", seq=0)
        again = [one["id"] for news in teacher.heard("lesson:acts") for one in news["changes"]["spoke"]]
        assert sorted(again) == sorted((jia_id, yi_id)) == sorted(one["id"] for one in late["changes"]["spoke"])
        trainee = await yi.call("lesson:since", seq=0)
        assert [trainee["changes"]["spoke"], *(one["changes"]["spoke"] for one in yi.heard("lesson:acts"))].count(
            []
        ) > 1
        assert not any(one["changes"]["spoke"] for one in (trainee, *yi.heard("lesson:acts")))


async def test_whoever_missed_a_push_is_reminded_with_the_next_phase(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia:
        await teacher.join()
        await jia.join()
        await teacher.call("order:silence", on=True)
        await heard(jia, "lesson:acts")
        await served.house.live.announce_all()
        reminder = (await heard(jia, "lesson:acts", 2))[-1]
        assert (reminder["after"], reminder["seq"], reminder["changes"]["order"]) == (1, 1, [])
