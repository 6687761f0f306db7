"""Questions through real sockets: asked, voted, answered in the lesson and after it, and who is told of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.live.acts.questions_api import KEPT, Answers
from tests.live.acts.spoken import until
from tests.school import Page, School, school

SECOND, HOUR = 1_000, 3_600_000


@asynccontextmanager
async def lesson(folder: Path) -> AsyncIterator[tuple[School, Page, Page, Page]]:
    """A lesson that is live, with its instructor and two trainees in it."""
    async with school(folder) as here, here.page("teacher") as teacher, here.page("jia") as jia, here.page("yi") as yi:
        for page in (teacher, jia, yi):
            assert (await page.join())["ok"]
        assert (await teacher.call("lesson:start"))["ok"]
        yield here, teacher, jia, yi


async def ask(page: Page, words: str = "为什么？", anonymous: bool = False) -> str:
    answer = await page.call("question:ask", text=words, anonymous=anonymous)
    assert answer["ok"], answer
    return str(answer["seq"])


async def record(page: Page) -> dict[str, Any]:
    async with page.session.get(f"/api/v1/lessons/{page.school.lesson_id}/questions") as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def fresh(page: Page) -> list[dict[str, Any]]:
    async with page.session.get("/api/v1/answers") as answer:
        found: list[dict[str, Any]] = (await answer.json())["lessons"]
        return found


async def test_a_question_is_asked_voted_and_answered(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, yi):
        one = await ask(jia, anonymous=True)
        assert (await yi.call("question:vote", question=one, on=True))["mine"]["questions"]["voted"] == [one]
        assert (await yi.call("question:vote", question=one, on=True))["seq"] == 0
        assert (await jia.call("question:vote", question=one, on=True))["code"] == "question_own"
        assert (await teacher.call("question:answering", question=one))["ok"]
        here.clock.advance(SECOND)
        assert (await teacher.call("question:done", question=one))["ok"]
        assert (await teacher.call("question:answer", question=one, text="见第三页"))["ok"]

        seen = await until(yi, "questions", lambda known: bool(known[one]["answers"]))
        assert (seen[one]["author"], seen[one]["votes"], seen[one]["state"]) == (None, 2, "answered")
        assert seen[one]["until_ms"] - seen[one]["live_ms"] == SECOND
        assert seen[one]["answers"][0]["by"] == "名teacher"
        desk = await until(teacher, "questions", lambda known: bool(known[one]["answers"]))
        assert (desk[one]["author"], desk[one]["author_id"]) == ("名jia", here.ids["jia"])


async def test_peers_are_never_told_who_asks_anonymously(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, yi):
        one, two = await ask(jia, anonymous=True), await ask(yi)
        await teacher.call("question:merge", question=one, into=two)
        await until(yi, "questions", lambda known: known[one]["state"] == "merged")
        everything = await yi.call("lesson:since", seq=0)
        said = repr([everything, [told for told in yi.told if told[0] == "lesson:acts"], await record(yi)])
        assert here.ids["jia"] not in said
        assert "名jia" not in said
        assert "名jia" in repr((await teacher.call("lesson:since", seq=0))["changes"])


async def test_whoever_is_silenced_asks_nothing(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (_, teacher, jia, _yi):
        await teacher.call("order:silence", on=True)
        assert (await jia.call("question:ask", text="？", anonymous=False))["code"] == "silenced"


async def test_what_was_answered_after_the_lesson_is_told_until_it_is_read(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, yi):
        one, two = await ask(jia), await ask(jia, "何时？")
        await yi.call("question:vote", question=two, on=True)
        await teacher.call("question:answer", question=one, text="课上答")
        await teacher.call("lesson:end")
        assert (await jia.call("question:ask", text="还有", anonymous=False))["code"] == "lesson_ended"
        assert (await teacher.call("question:hide", question=one, on=True))["code"] == "lesson_ended"
        assert await fresh(jia) == []

        here.clock.advance(HOUR)
        assert (await teacher.call("question:answer", question=two, text="周五"))["ok"]
        told = [{"lesson_id": here.lesson_id, "title": "第1课", "count": 1}]
        assert (await fresh(jia), await fresh(yi)) == (told, told)
        shown = await record(jia)
        assert shown["unread"] == [two]
        assert [one["answers"][-1]["text"] for one in shown["questions"]] == ["课上答", "周五"]
        assert shown["mine"]["asked"] == [one, two]

        async with jia.session.post(f"/api/v1/lessons/{here.lesson_id}/answers/read", json={"read": shown["read"]}):
            pass
        assert (await fresh(jia), await fresh(yi)) == ([], told)
        assert (await record(jia))["unread"] == []
        assert (await record(yi))["unread"] == [two]

        assert (await teacher.call("question:answer", question=two, text="改为周六"))["ok"]
        assert await fresh(jia) == told


async def test_what_was_read_is_never_unread(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, _):
        one = await ask(jia)
        await teacher.call("lesson:end")
        await teacher.call("question:answer", question=one, text="周五")
        where = f"/api/v1/lessons/{here.lesson_id}/answers/read"
        for read in ((await record(jia))["read"], 0):
            async with jia.session.post(where, json={"read": read}) as answer:
                assert answer.status == 200
        assert await fresh(jia) == []


async def test_a_number_that_no_store_holds_is_refused(tmp_path: Path) -> None:
    async with school(tmp_path) as here, here.http("jia") as jia:
        for number in (-1, 1 << 31, 1 << 63):
            async with jia.post(f"/api/v1/lessons/{here.lesson_id}/answers/read", json={"read": number}) as answer:
                assert (answer.status, (await answer.json())["code"]) == (400, "bad_request")


async def test_questions_outlive_the_process(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, _, jia, _yi):
        one = await ask(jia)
        lesson_id = here.lesson_id
    async with school(tmp_path) as again, again.page("teacher") as teacher:
        assert again.lesson_id == lesson_id
        everything = await teacher.call("lesson:since", seq=0)
        assert [(q["id"], q["text"]) for q in everything["changes"]["questions"]] == [(one, "为什么？")]


async def test_no_more_lessons_are_kept_at_hand_than_is_said(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, _):
        one = await ask(jia)
        await teacher.call("lesson:end")
        await teacher.call("question:answer", question=one, text="周五")
        house = here.house
        answers = Answers(house.store.database, house.training, house.accounts.names)
        for seq in range(KEPT + 1):
            await answers._late(here.lesson_id, seq)
        assert len(answers._kept) == KEPT
