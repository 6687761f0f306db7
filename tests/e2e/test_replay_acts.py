"""What people said in a lesson, beside its replay: as it was at the moment that is played, and questions to jump to."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from server.demo.page import Page as Attending
from server.demo.page import Socket, sign_in
from tests.e2e.axe import look
from tests.e2e.browsers import FLAGS
from tests.e2e.lesson import STEADY, School, phase, teach
from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.service import Service
from tests.e2e.taught import mono

pytestmark = pytest.mark.timeout(240)

#: so long lies between two things that happen
APART_S = 4.0
WHY, HOW = "刀具磨损后为什么要先停机再换?", "切削液多久换一次?"
GREETING, LATER, INSULT = "大家好，声音清楚吗?", "清楚了，谢谢老师", "这句话后来被隐藏"


async def test_a_replay_shows_what_was_said_when_it_was_said(tmp_path: Path, chromium: str | None) -> None:
    demo = Service(tmp_path, "--demo")
    demo.settings.write_text("media:\n  udp_port: 0\n  recording: true\n")
    demo.start()
    try:
        async with async_playwright() as playwright:
            playwright.selectors.set_test_id_attribute("data-test")
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            school = School(demo, browser)
            lesson_id = await talked(school)
            await seen_by_a_trainee(school, lesson_id)
            await seen_by_staff(school, lesson_id)
            await browser.close()
    finally:
        demo.kill()


async def talked(school: School) -> str:
    """A lesson with pictures in which somebody asks, is answered live, and says something that is hidden later."""
    teacher, demo = await teach(school), school.service
    await teacher.get_by_test_id("start").click()
    await phase(teacher, "live")
    lesson_id = teacher.url.split("/lessons/")[1].split("/")[0]
    login = await sign_in(demo.url, "trainee02", demo.password("trainee02"))
    page = Attending(login, lesson_id, "phone", mono)
    await page.join()
    desk = Socket(await sign_in(demo.url, "teacher", demo.password("teacher")))
    await desk.open()
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
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("end-confirm").click()
    await phase(teacher, "ended")
    for one in (trainee, desk):
        await one.close()
    await desk.login.close()
    await login.close()
    return lesson_id


async def opened(page: Page, path: str) -> None:
    await page.goto(path)
    await page.locator("[data-test=screening][data-playing=true]").wait_for()
    await page.get_by_test_id("replay-questions").wait_for()
    await page.get_by_test_id("turn").click()
    await page.locator("[data-test=screening][data-playing=false]").wait_for()


async def chat(page: Page) -> str:
    return await page.get_by_test_id("replay-chat").inner_text()


async def at(page: Page, where: str) -> str:
    """Go to the slider's begin or end; what the chat said then."""
    slider = page.get_by_test_id("slider")
    await slider.focus()
    await slider.press(where)
    await reached(page, float(await slider.get_attribute("min" if where == "Home" else "max") or 0))
    return await chat(page)


async def reached(page: Page, moment: float) -> None:
    """Wait until this moment is played, or nearly."""
    screening = page.get_by_test_id("screening")
    async with asyncio.timeout(20):
        while abs(float(await screening.get_attribute("data-moment") or 0) - moment) > 1.5:  # noqa: ASYNC110  the page's
            await asyncio.sleep(0.1)


async def seen_by_a_trainee(school: School, lesson_id: str) -> None:
    _, page = await school.signed_in(STEADY, "learn", PHONE)
    await opened(page, f"{school.service.url}/learn.html#/lesson/{lesson_id}/replay")
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
    await opened(page, f"{school.service.url}/desk.html#/lessons/{lesson_id}/replay")
    await at(page, "End")
    questions = page.get_by_test_id("replay-questions")
    assert "匿名" not in await questions.inner_text()
    await questions.get_by_role("button").first.click()
    await questions.locator("[aria-current=true]").wait_for()
    assert INSULT in await chat(page)
    await picture(page, "replay-acts-desk", both=True)
