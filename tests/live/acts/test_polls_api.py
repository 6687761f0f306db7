"""Polls and sign-in through real sockets: who is told what, what survives a restart, what is kept and for whom."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.acts.test_doors import heard
from tests.school import Page, School, school

SINGLE = {"kind": "single", "text": "几点？", "choices": ["八点", "九点"]}
QUIZ = SINGLE | {"right": [1], "seconds": 30}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def _begin(teacher: Page, *trainees: Page) -> None:
    await teacher.join()
    assert (await teacher.call("lesson:start"))["ok"]
    for trainee in trainees:
        await trainee.join(page=f"page-{id(trainee)}")


async def _kept(served: School, who: str = "teacher") -> dict[str, Any]:
    async with served.http(who) as session, session.get(f"/api/v1/lessons/{served.lesson_id}/polls") as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def _tick(served: School) -> None:
    """The job of each second, by hand: the tests' clock stands still."""
    await next(job.work for one in served.house.capabilities for job in one.jobs if job.name == "live.acts")()


async def test_a_quiz_from_its_beginning_to_what_is_kept_of_it(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia, served.page("yi") as yi:
        await _begin(teacher, jia, yi)
        one = str((await teacher.call("poll:prepare", question=QUIZ, open=True))["seq"])
        (news,) = await heard(jia, "lesson:acts")
        (view,) = news["changes"]["polls"]
        assert (view["id"], view["face"]["state"], view["face"]["right"], view["tally"]) == (one, "open", [], None)
        assert view["face"]["closes_ms"] - news["now_ms"] == 30_000
        done = await jia.call("poll:answer", poll_id=one, choices=[1])
        assert done["mine"]["polls"] == [{"poll_id": one, "choices": [1], "text": ""}]
        assert (await jia.call("poll:answer", poll_id=one, choices=[0]))["code"] == "poll_answered"
        served.clock.advance(30_001)
        assert (await yi.call("poll:answer", poll_id=one, choices=[0]))["code"] == "poll_over"
        await _tick(served)
        await teacher.call("poll:show", poll_id=one)
        polls = (await yi.call("lesson:since", seq=0))["changes"]["polls"]
        assert polls[0]["face"]["right"] == [1]
        assert polls[1]["tally"]["counts"] == [0, 1]
    kept = await _kept(served, "staff")
    people = {row["name"]: (row["answered"], row["choices"], row["right"]) for row in kept["polls"][0]["people"]}
    assert people == {"名jia": (True, [1], True), "名yi": (False, [], None)}


async def test_trainees_are_not_told_of_each_answer_and_miss_nothing_by_that(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia, served.page("yi") as yi:
        await _begin(teacher, jia, yi)
        one = str((await teacher.call("poll:prepare", question=SINGLE | {"changeable": True}, open=True))["seq"])
        await heard(jia, "lesson:acts")
        before = len(jia.heard("lesson:acts"))
        for turn in range(12):
            served.clock.advance(2_000)
            assert (await jia.call("poll:answer", poll_id=one, choices=[turn % 2]))["ok"]
        for _ in range(300):
            if (told := jia.heard("lesson:acts")[-1])["seq"] == 13:
                break
            await asyncio.sleep(0.01)
        assert told["seq"] == 13
        assert all(not any(news["changes"].values()) for news in jia.heard("lesson:acts")[before:])
        tallies = [view["tally"] for news in teacher.heard("lesson:acts") for view in news["changes"]["polls"]]
        assert [one for one in tallies if one][-1]["counts"] == [0, 1]
        await teacher.call("poll:close", poll_id=one)
        assert (await heard(jia, "lesson:acts"))[-1]["seq"] >= 13


async def test_nobody_but_the_instructor_commands_and_no_trainee_reads_what_is_kept(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia:
        await _begin(teacher, jia)
        assert (await jia.call("poll:prepare", question=SINGLE))["code"] == "forbidden"
        assert (await teacher.call("poll:answer", poll_id="1", choices=[0]))["code"] == "forbidden"
        assert (await teacher.call("poll:prepare", question=SINGLE | {"choices": ["x"] * 11}))["code"] == "bad_request"
    async with served.http("jia") as session, session.get(f"/api/v1/lessons/{served.lesson_id}/polls") as answer:
        assert answer.status == 403


async def test_an_anonymous_answer_stands_beside_no_name_for_anybody(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia:
        await _begin(teacher, jia)
        asked = {"kind": "text", "text": "还有什么建议？", "anonymous": True}
        one = str((await teacher.call("poll:prepare", question=asked, open=True))["seq"])
        assert (await jia.call("poll:answer", poll_id=one, text="讲慢一点"))["ok"]
        everything = await teacher.call("lesson:since", seq=0)
    kept = await _kept(served)
    assert kept["polls"][0]["texts"] == [{"text": "讲慢一点", "count": 1}]
    assert kept["polls"][0]["people"] == []
    for told in (everything, kept):
        assert served.ids["jia"] not in json.dumps(told)
    async with served.house.store.database.read() as connection:
        bodies = [row.body for row in await connection.exec_driver_sql("SELECT body FROM lesson_act")]
    assert not any("讲慢" in body for body in bodies)


async def test_a_sign_in_counts_who_is_there_and_changes_no_minute(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia, served.page("yi") as yi:
        await _begin(teacher, jia, yi)
        one = str((await teacher.call("sign_in:open", seconds=60))["seq"])
        assert (await jia.call("sign_in:here", sign_in_id=one))["mine"]["sign_ins"] == [one]
        served.clock.advance(60_001)
        await _tick(served)
        assert (await yi.call("sign_in:here", sign_in_id=one))["code"] == "sign_in_over"
        (view,) = (await teacher.call("lesson:since", seq=0))["changes"]["sign_ins"]
        assert (view["here"], view["open"]) == (1, False)
        async with served.http("jia") as session, session.get(f"/api/v1/lessons/{served.lesson_id}/strips") as answer:
            (row,) = (await answer.json())["rows"]
        assert row["totals"]["credit_ms"] == 0
    (kept,) = (await _kept(served))["sign_ins"]
    assert [(row["name"], row["at_ms"] is not None) for row in kept["people"]] == [("名jia", True), ("名yi", False)]


async def test_a_restart_in_the_middle_of_a_poll_loses_nothing_and_it_still_ends_in_time(tmp_path: Path) -> None:
    asked = QUIZ | {"anonymous": True}
    async with school(tmp_path) as first, first.page("teacher") as teacher, first.page("jia") as jia:
        await _begin(teacher, jia)
        one = str((await teacher.call("poll:prepare", question=asked, open=True))["seq"])
        assert (await jia.call("poll:answer", poll_id=one, choices=[1]))["ok"]
        clock = first.clock
    async with school(tmp_path, clock) as again, again.page("teacher") as teacher, again.page("yi") as yi:
        await teacher.join()
        await yi.join(page="page-two")
        assert (await yi.call("poll:answer", poll_id=one, choices=[0]))["ok"]
        tally = (await teacher.call("lesson:since", seq=0))["changes"]["polls"][1]["tally"]
        assert (tally["answered"], tally["counts"]) == (2, [1, 1])
        clock.advance(30_001)
        await _tick(again)
        face = (await teacher.call("lesson:since", seq=0))["changes"]["polls"][0]["face"]
        assert (face["state"], face["closed_ms"]) == ("closed", face["closes_ms"])


async def test_a_poll_is_closed_in_time_also_by_a_process_that_has_just_begun(tmp_path: Path) -> None:
    async with school(tmp_path) as first, first.page("teacher") as teacher:
        await _begin(teacher)
        await teacher.call("poll:prepare", question=QUIZ, open=True)
        clock = first.clock
    clock.advance(30_001)
    async with school(tmp_path, clock) as again:
        await _tick(again)
        assert (await _kept(again))["polls"][0]["face"]["state"] == "closed"
