"""A demo in which a short lesson has been taught, and a browser: for tests that walk through all pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from server.demo.page import Page as Attending
from server.demo.page import sign_in
from tests.e2e.browsers import FLAGS
from tests.e2e.pictures import DESK, PHONE
from tests.e2e.service import Service
from tests.e2e.taught import mono, started


@dataclass(frozen=True)
class Round:
    """Pages to be looked at as somebody; `login` is empty at the door."""

    login: str
    entry: str
    paths: list[str]
    size: ViewportSize


@dataclass
class Site:
    """A demo in which one lesson has been taught, and a browser."""

    service: Service
    browser: Browser
    taught: str

    async def open(self, login: str, entry: str, size: ViewportSize) -> Page:
        """A page of somebody signed in; `login` may be empty: at the door."""
        context = await self.browser.new_context(viewport=size, locale="zh-CN")
        page = await context.new_page()
        await page.goto(f"{self.service.url}/{entry}.html")
        if login:
            await page.get_by_test_id("login-name").fill(login)
            await page.get_by_test_id("login-password").fill(self.service.password(login))
            await page.get_by_test_id("login-submit").click()
            await page.get_by_test_id("login-form").wait_for(state="detached")
        return page

    async def rounds(self) -> list[Round]:
        """All pages, each with somebody who may see it."""
        staff = await sign_in(self.service.url, "staff", self.service.password("staff"))
        (one,) = (await staff.get("/api/v1/classes"))["classes"]
        await staff.close()
        home, taught, card = f"/classes/{one['id']}", f"/lessons/{self.taught}", f"/lesson/{self.taught}"
        return [
            Round("", "learn", ["/login", "/enter/some-token"], PHONE),
            Round("trainee01", "learn", ["/today", card, f"{card}/record", "/password"], PHONE),
            Round("", "desk", ["/login", "/welcome/some-token"], DESK),
            Round("teacher", "desk", ["/lessons", taught, f"{taught}/room", home], DESK),
            Round("staff", "desk", ["/classes", home, f"{home}/slips", "/people"], DESK),
            Round("admin", "desk", ["/institutions", "/people"], DESK),
            Round("regulator", "desk", ["/oversight", taught], DESK),
        ]


@asynccontextmanager
async def opened(folder: Path, chromium: str | None) -> AsyncIterator[Site]:
    """Serve, teach, open a browser; all ends with the block."""
    service = Service(folder, "--demo")
    service.start()
    taught = await a_taught_lesson(service)
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield Site(service, browser, taught)
        await browser.close()
    service.kill()


async def a_taught_lesson(service: Service) -> str:
    """A short lesson with a trainee who was hidden for a part of it: strips have something to show."""
    teacher, control, lesson_id = await started(service)
    login = await sign_in(service.url, "trainee01", service.password("trainee01"))
    page = Attending(login, lesson_id, "phone", mono)
    await page.join()
    await asyncio.sleep(1)
    page.hide()
    await page.beat()
    await asyncio.sleep(1)
    await page.beat()
    await control.call("lesson:end", lesson_id=lesson_id)
    await page.leave()
    for one in (login, teacher):
        await one.close()
    await control.close()
    return lesson_id
