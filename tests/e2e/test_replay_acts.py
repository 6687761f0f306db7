"""What people said in a lesson, beside its replay: as it was at the moment that is played, and questions to jump to."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page

from server.demo.page import Page as Attending
from server.demo.page import sign_in
from tests.e2e.axe import look
from tests.e2e.lesson import STEADY, School
from tests.e2e.past import a_demo, a_desk, a_lesson, opened, reached
from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.taught import mono

pytestmark = pytest.mark.timeout(240)

#: so long lies between two things that happen
APART_S = 4.0
WHY, HOW = "刀具磨损后为什么要先停机再换?", "切削液多久换一次?"
GREETING, LATER, INSULT = "大家好，声音清楚吗?", "清楚了，谢谢老师", "这句话后来被隐藏"


async def test_a_replay_shows_what_was_said_when_it_was_said(tmp_path: Path, chromium: str | None) -> None:
    async with a_demo(tmp_path, chromium) as school:
        lesson_id = await talked(school)
        await seen_by_a_trainee(school, lesson_id)
        await seen_by_staff(school, lesson_id)


async def talked(school: School) -> str:
    """A lesson with pictures in which somebody asks, is answered live, and says something that is hidden later."""
    login = await sign_in(school.service.url, "trainee02", school.service.password("trainee02"))
    async with a_lesson(school) as (_, lesson_id), a_desk(school) as desk:
        page = Attending(login, lesson_id, "phone", mono)
        await page.join()
        trainee = page.socket
        assert trainee is not None
        await asyncio.sleep(APART_S)
        await trainee.call("chat:say", lesson_id=lesson_id, text=GREETING)
        asked = await trainee.call("question:ask", lesson_id=lesson_id, text=WHY, anonymous=True)
        insult = await trainee.call("chat:say", lesson_id=lesson_id, text=INSULT)
        await asyncio.sleep(APART_S)
        await desk.call("question:answering", lesson_id=lesson_id, question=str(asked["seq"]))
        await asyncio.sleep(APART_S)
        await desk.call("question:done", lesson_id=lesson_id, question=str(asked["seq"]))
        await desk.call("chat:hide", lesson_id=lesson_id, line=str(insult["seq"]), on=True)
        await trainee.call("question:ask", lesson_id=lesson_id, text=HOW)
        await trainee.call("chat:say", lesson_id=lesson_id, text=LATER)
        await asyncio.sleep(APART_S)
    await trainee.close()
    await login.close()
    return lesson_id


async def chat(page: Page) -> str:
    return await page.get_by_test_id("replay-chat").inner_text()


async def at(page: Page, where: str) -> str:
    """Go to the slider's begin or end; what the chat said then."""
    slider = page.get_by_test_id("slider")
    await slider.focus()
    await slider.press(where)
    await reached(page, float(await slider.get_attribute("min" if where == "Home" else "max") or 0), 1.5)
    return await chat(page)


async def seen_by_a_trainee(school: School, lesson_id: str) -> None:
    _, page = await school.signed_in(STEADY, "learn", PHONE)
    await opened(page, lesson_id)
    await page.get_by_test_id("replay-questions").wait_for()
    before, after = await at(page, "Home"), await at(page, "End")
    assert (GREETING in before, GREETING in after, LATER in after) == (False, True, True)
    assert (GREETING in await at(page, "Home"), INSULT in before + after) == (False, False)
    questions = page.get_by_test_id("replay-questions")
    assert [WHY in one for one in await questions.get_by_role("button").all_inner_texts()] == [True, False]
    assert "匿名" in await questions.inner_text()
    await questions.get_by_role("button").first.click()
    await questions.locator("[aria-current=true]").wait_for()
    assert await questions.get_by_role("button").first.get_attribute("aria-current") == "true"
    assert (GREETING in await chat(page), LATER in await chat(page)) == (True, False)
    await page.get_by_test_id("replay-chat").scroll_into_view_if_needed()
    await picture(page, "replay-acts-phone", both=True)
    assert await look(page, "the replay with what was said") == []


async def seen_by_staff(school: School, lesson_id: str) -> None:
    """They see who asked without a name, and what was hidden until it was."""
    _, page = await school.signed_in("staff", "desk", DESK)
    await opened(page, lesson_id)
    await page.get_by_test_id("replay-questions").wait_for()
    await at(page, "End")
    questions = page.get_by_test_id("replay-questions")
    assert "匿名" not in await questions.inner_text()
    await questions.get_by_role("button").first.click()
    await questions.locator("[aria-current=true]").wait_for()
    assert INSULT in await chat(page)
    await picture(page, "replay-acts-desk", both=True)
