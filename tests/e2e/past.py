"""A lesson of the demo and its replay in Chromium: what the tests of what a replay shows have in common."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright

from server.demo.page import Socket, sign_in
from tests.e2e.browsers import FLAGS
from tests.e2e.lesson import School, phase, teach
from tests.e2e.service import Service


@asynccontextmanager
async def a_demo(folder: Path, chromium: str | None, *, recording: bool = True) -> AsyncIterator[School]:
    """A served demo that records its lessons, or not, and a browser."""
    demo = Service(folder, "--demo")
    demo.settings.write_text(f"media:\n  udp_port: 0\n  recording: {str(recording).lower()}\n")
    demo.start()
    try:
        async with async_playwright() as playwright:
            playwright.selectors.set_test_id_attribute("data-test")
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            yield School(demo, browser)
            await browser.close()
    finally:
        demo.kill()


@asynccontextmanager
async def a_lesson(school: School) -> AsyncIterator[tuple[Page, str]]:
    """The instructor's page and the lesson, which lasts as long as the block."""
    teacher = await teach(school)
    await teacher.get_by_test_id("start").click()
    await phase(teacher, "live")
    yield teacher, teacher.url.split("/lessons/")[1].split("/")[0]
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("end-confirm").click()
    await phase(teacher, "ended")
    await teacher.context.close()


@asynccontextmanager
async def a_desk(school: School) -> AsyncIterator[Socket]:
    """Who teaches, beside their page."""
    socket = Socket(await sign_in(school.service.url, "teacher", school.service.password("teacher")))
    await socket.open()
    yield socket
    await socket.close()
    await socket.login.close()


async def opened(page: Page, lesson_id: str) -> None:
    """The lesson's replay, which played and stands still."""
    card = "lesson" if "/learn.html" in page.url else "lessons"
    await page.goto(f"{page.url.split('#')[0]}#/{card}/{lesson_id}/replay")
    await page.locator("[data-test=screening][data-playing=true]").wait_for()
    await page.get_by_test_id("turn").click()
    await page.locator("[data-test=screening][data-playing=false]").wait_for()


async def reached(page: Page, moment: float, apart: float) -> None:
    """Wait until this moment is played, or nearly."""
    screening = page.get_by_test_id("screening")
    async with asyncio.timeout(20):
        while abs(float(await screening.get_attribute("data-moment") or 0) - moment) > apart:  # noqa: ASYNC110  the page's
            await asyncio.sleep(0.1)


async def go(page: Page, moment: float) -> None:
    """Pull the slider there."""
    await page.get_by_test_id("slider").evaluate(
        """(slider, at) => {
          slider.value = at
          for (const name of ['input', 'change']) slider.dispatchEvent(new Event(name, { bubbles: true }))
        }""",
        moment,
    )
    await reached(page, moment, 0.9)


async def begins(page: Page) -> float:
    """When what is played begins."""
    return float(await page.get_by_test_id("slider").get_attribute("min") or 0)
