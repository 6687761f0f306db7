"""A lesson that was not recorded: its board, chat, questions and polls are stepped through by the time of day."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page

from server.demo.page import Page as Attending
from server.demo.page import sign_in
from tests.e2e.axe import look
from tests.e2e.lesson import STEADY, School
from tests.e2e.past import a_demo, a_desk, a_lesson
from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.taught import mono

pytestmark = pytest.mark.timeout(400)

#: so long lies between two things that happen
APART_S = 2.0
GREETING, LATER = "今天讲换刀，大家准备好了吗?", "可以开始了"
POLL = {"kind": "single", "text": "换刀前先做什么?", "choices": ["停机", "测量"], "right": [0]}


async def test_a_lesson_without_a_recording_is_read_by_its_time(tmp_path: Path, chromium: str | None) -> None:
    async with a_demo(tmp_path, chromium, recording=False) as school:
        lesson_id = await taught(school)
        _, page = await school.signed_in(STEADY, "learn", PHONE)
        await page.goto(f"{school.service.url}/learn.html#/lesson/{lesson_id}/record")
        await stepped(page, "replay-steps-phone")
        _, page = await school.signed_in("staff", "desk", DESK)
        await page.goto(f"{school.service.url}/desk.html#/lessons/{lesson_id}")
        await stepped(page, "replay-steps-desk")


async def taught(school: School) -> str:
    login = await sign_in(school.service.url, STEADY, school.service.password(STEADY))
    async with a_lesson(school) as (_, lesson_id), a_desk(school) as desk:
        page = Attending(login, lesson_id, "phone", mono)
        await page.join()
        trainee = page.socket
        assert trainee is not None
        await asyncio.sleep(APART_S)
        await desk.call("chat:say", lesson_id=lesson_id, text=GREETING)
        await asyncio.sleep(APART_S)
        await desk.call("board:show", lesson_id=lesson_id, deck="", page=1)
        line = {"shape": "arrow", "colour": "red", "text": "", "width": 60, "points": [1_000, 8_000, 5_000, 3_000]}
        await desk.call("board:draw", lesson_id=lesson_id, deck="", page=1, **line)
        await asyncio.sleep(APART_S)
        await trainee.call("chat:say", lesson_id=lesson_id, text=LATER)
        poll = str((await desk.call("poll:prepare", lesson_id=lesson_id, question=POLL, open=True))["seq"])
        await trainee.call("poll:answer", lesson_id=lesson_id, poll_id=poll, choices=[0], text="")
        await asyncio.sleep(APART_S)
        await desk.call("poll:close", lesson_id=lesson_id, poll_id=poll)
        await desk.call("poll:show", lesson_id=lesson_id, poll_id=poll)
    await trainee.close()
    await login.close()
    return lesson_id


async def stepped(page: Page, name: str) -> None:
    """Forth step by step, back to the beginning, and anywhere by the keyboard."""
    link = page.get_by_test_id("to-replay")
    assert await link.inner_text() == "看课堂记录"
    await link.click()
    chat, board = page.get_by_test_id("replay-chat"), page.locator("[data-test=replay-board] [data-strokes='1']")
    on, back = page.get_by_test_id("step-on"), page.get_by_test_id("step-back")
    await page.get_by_test_id("stepping").wait_for()
    assert await back.is_disabled()
    assert (await chat.count(), await board.count()) == (0, 0)
    await on.click()
    await chat.get_by_text(GREETING).wait_for()
    assert LATER not in await chat.inner_text()
    while await board.count() == 0:
        await on.click()
        await asyncio.sleep(0.2)
    assert LATER not in await chat.inner_text()
    slider = page.get_by_test_id("slider")
    await slider.focus()
    await slider.press("End")
    await chat.get_by_text(LATER).wait_for()
    result = page.locator("[data-test=replay-poll][data-state=closed] [data-test=poll-bar]")
    await result.nth(1).wait_for()
    assert [await result.nth(at).get_attribute("data-count") for at in (0, 1)] == ["1", "0"]
    assert await on.is_disabled()
    await picture(page, name, both=True)
    assert await look(page, name) == []
    while await board.count() == 1:
        await back.click()
        await asyncio.sleep(0.2)
    assert LATER not in await chat.inner_text()
    await slider.press("Home")
    await chat.wait_for(state="detached")
