"""Questions and chat in Chromium: asked on a phone, voted by another, answered live, in writing, after the lesson."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.e2e.axe import look
from tests.e2e.browsers import real_chromium
from tests.e2e.pictures import DESK, PHONE, picture
from tests.school import PASSWORD, School, school

pytestmark = pytest.mark.timeout(420)
#: a machine that does much else beside
SLOW_MS = 60_000


async def open_page(browser: Browser, served: School, who: str, size: ViewportSize, where: str) -> Page:
    """Somebody's browser, signed in and at a place."""
    context = await browser.new_context(locale="zh-CN", viewport=size)
    page = await context.new_page()
    page.set_default_timeout(SLOW_MS)
    await page.goto(f"{served.url}/{where}")
    await page.get_by_test_id("login-name").fill(who)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await page.get_by_test_id("login-form").wait_for(state="detached")
    return page


@asynccontextmanager
async def classroom(folder: Path, chromium: str | None) -> AsyncIterator[tuple[School, Browser, dict[str, Page]]]:
    """A lesson that its instructor started, with two trainees on phones."""
    async with (
        school(folder / "data") as served,
        async_playwright() as playwright,
        real_chromium(playwright, chromium) as browser,
    ):
        playwright.selectors.set_test_id_attribute("data-test")
        lesson = served.lesson_id
        teacher = await open_page(browser, served, "teacher", DESK, f"desk.html#/lessons/{lesson}/room")
        await teacher.locator("[data-test=device-check][data-ready=true]").wait_for()
        await teacher.get_by_test_id("device-ready").click()
        await teacher.get_by_test_id("start").click()
        await teacher.locator("[data-test=host][data-phase=live]").wait_for()
        pages = {"teacher": teacher}
        for who in ("jia", "yi"):
            pages[who] = await open_page(browser, served, who, PHONE, f"learn.html#/lesson/{lesson}")
            await pages[who].locator("[data-test=room][data-stage=in][data-phase=live]").wait_for()
        yield served, browser, pages


async def ask(page: Page, words: str, anonymous: bool = False) -> None:
    await page.get_by_test_id("ask-open").click()
    await page.get_by_test_id("ask-text").fill(words)
    if anonymous:
        await page.get_by_test_id("ask-anonymous").check()
    await page.get_by_test_id("ask-send").click()
    await page.get_by_test_id("ask-form").wait_for(state="detached")


async def test_a_question_on_a_phone_is_voted_and_answered(tmp_path: Path, chromium: str | None) -> None:
    async with classroom(tmp_path, chromium) as (served, browser, pages):
        teacher, jia, yi = pages["teacher"], pages["jia"], pages["yi"]
        await jia.get_by_test_id("tab-questions").click()
        await ask(jia, "胸外按压的深度为什么是五到六厘米？", anonymous=True)
        await yi.get_by_test_id("new-questions").get_by_text("1").wait_for()
        await yi.get_by_test_id("tab-questions").click()
        await yi.get_by_test_id("vote").click()
        (card,) = [yi.locator("[data-test^=question-][data-votes='2']")]
        await card.wait_for()
        assert "名jia" not in await yi.get_by_test_id("questions").inner_text()
        await ask(yi, "按压时要不要数出声？")
        await ask(yi, "按压多深？")
        assert await yi.get_by_test_id("video").first.is_visible()
        await picture(yi, "questions-phone", both=True)
        assert await look(yi, "questions on a phone") == []

        desk = teacher.get_by_test_id("desk-questions")
        first = desk.locator("[data-votes='2']")
        await first.get_by_text("名jia").wait_for()
        await first.get_by_test_id("question-live").click()
        await jia.locator("[data-state=answering]").wait_for()
        deep = desk.locator("[data-test^=question-]").filter(has_text="按压多深")
        await deep.get_by_test_id("question-merge").click()
        await deep.get_by_test_id("merge-into").select_option(label="胸外按压的深度为什么是五到六厘米？")
        await yi.get_by_test_id("away").wait_for()
        await picture(teacher, "questions-desk", both=True)
        assert await look(teacher, "questions at the desk") == []
        await desk.locator("[data-state=answering]").get_by_test_id("question-done").click()
        await jia.get_by_test_id("answered-live").wait_for()

        loud = desk.locator("[data-state=open]").filter(has_text="数出声")
        await loud.get_by_test_id("question-write").click()
        await loud.get_by_test_id("answer-text").fill("要，数出声可以保持节奏。")
        await loud.get_by_test_id("answer-send").click()
        await yi.get_by_test_id("answer").get_by_text("要，数出声").wait_for()
        await picture(yi, "questions-answered-phone", both=True)
        await answered_late(served, browser, pages)


async def answered_late(served: School, browser: Browser, pages: dict[str, Page]) -> None:
    """What is still open when the lesson ends is answered after it, and told until it is read."""
    teacher, jia = pages["teacher"], pages["jia"]
    await ask(jia, "复训多久一次？")
    await teacher.get_by_test_id("desk-questions").get_by_text("复训多久一次").wait_for()
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("end-confirm").click()
    await teacher.locator("[data-test=host][data-phase=ended]").wait_for()
    await jia.get_by_test_id("room-ended").wait_for()
    await teacher.get_by_test_id("open-strips").click()
    late = teacher.get_by_test_id("late-questions")
    await late.get_by_test_id("answer-text").first.fill("证书两年内有效，到期前复训。")
    await late.get_by_test_id("answer-send").first.click()
    await late.get_by_text("课后", exact=False).first.wait_for()
    await picture(teacher, "questions-late-desk", both=True)
    assert await look(teacher, "questions after a lesson") == []

    await jia.get_by_test_id("to-today").first.click()
    await jia.get_by_test_id("new-answers").get_by_text("老师已回答您的问题").wait_for()
    await picture(jia, "answers-today-phone", both=True)
    assert await look(jia, "today with answers") == []
    await jia.get_by_test_id("see-answers").click()
    await jia.get_by_test_id("unread-answers").wait_for()
    await jia.get_by_text("证书两年内有效").wait_for()
    await jia.get_by_test_id("lesson-questions").scroll_into_view_if_needed()
    await picture(jia, "answers-record-phone", both=True)
    assert await look(jia, "a record with answers") == []
    await jia.get_by_test_id("to-today").first.click()
    await jia.get_by_test_id("next-lesson").or_(jia.get_by_test_id("no-lesson")).wait_for()
    await jia.wait_for_timeout(1_500)
    assert await jia.get_by_test_id("new-answers").count() == 0


async def say(page: Page, words: str) -> None:
    await page.get_by_test_id("chat-text").fill(words)
    await page.get_by_test_id("chat-text").press("Enter")
    await page.get_by_test_id("chat-lines").get_by_text(words, exact=True).wait_for()


async def test_a_chat_with_mentions_and_moderation(tmp_path: Path, chromium: str | None) -> None:
    async with classroom(tmp_path, chromium) as (_, _browser, pages):
        teacher, jia, yi = pages["teacher"], pages["jia"], pages["yi"]
        await yi.get_by_test_id("tab-chat").click()
        await say(yi, "老师好")
        await jia.get_by_test_id("new-chat").get_by_text("1").wait_for()
        await jia.get_by_test_id("tab-chat").click()
        await jia.get_by_test_id("chat-lines").get_by_text("老师好").wait_for()
        await yi.get_by_test_id("tab-chat").click()  # nobody looks there
        await jia.get_by_test_id("chat-text").fill("@")
        await jia.get_by_test_id("offer").get_by_text("@名yi").click()
        assert await jia.get_by_test_id("chat-text").input_value() == "@名yi "
        await jia.get_by_test_id("chat-text").press_sequentially("第几页？")
        await jia.get_by_test_id("chat-send").click()
        await yi.get_by_test_id("mentioned-open").click()
        await yi.locator(".line.me").get_by_text("第几页？").wait_for()
        await picture(yi, "chat-mentioned-phone", both=True)
        assert await look(yi, "chat on a phone") == []

        await teacher.get_by_test_id("desk-talk").get_by_test_id("tab-chat").click()
        line = teacher.locator("[data-test^=line-]").filter(has_text="第几页？").first
        await line.get_by_test_id("line-hide").click()
        await jia.get_by_test_id("chat-lines").get_by_text("已隐藏").wait_for()
        assert "第几页？" not in await jia.get_by_test_id("chat-lines").inner_text()
        await teacher.locator("[data-test^=line-]").filter(has_text="老师好").first.get_by_test_id("line-pin").click()
        await yi.get_by_test_id("pinned").get_by_text("老师好").wait_for()
        await teacher.get_by_test_id("chat-slow").select_option("30")
        await yi.get_by_test_id("slow-told").wait_for()
        await picture(teacher, "chat-desk", both=True)
        assert await look(teacher, "chat at the desk") == []
        await reads_without_a_jump(teacher, yi)


async def reads_without_a_jump(teacher: Page, yi: Page) -> None:
    """Whoever reads older lines stays there, and is told how many came."""
    for number in range(25):
        await say(teacher, f"第{number}条说明")
    lines = yi.get_by_test_id("chat-lines")
    await lines.get_by_text("第24条说明").wait_for()
    bottom = await lines.evaluate("at => at.scrollHeight - at.scrollTop - at.clientHeight")
    assert bottom < 2
    await lines.evaluate("at => { at.scrollTop = 100 }")
    await say(teacher, "最新一条")
    await yi.get_by_test_id("chat-down").get_by_text("1").wait_for()
    assert await lines.evaluate("at => at.scrollTop") == 100
    await yi.get_by_test_id("chat-down").click()
    await yi.get_by_test_id("chat-down").wait_for(state="detached")
