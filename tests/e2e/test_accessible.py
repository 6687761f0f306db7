"""axe-core looks at every page, light and dark, on the phone and at the desk, and finds nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from server.demo.page import Page as Attending
from server.demo.page import sign_in
from tests.e2e.axe import look
from tests.e2e.browsers import FLAGS
from tests.e2e.pictures import DESK, PHONE
from tests.e2e.service import Service
from tests.e2e.taught import mono, started

pytestmark = pytest.mark.timeout(180)


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


@pytest.fixture
async def site(tmp_path: Path, chromium: str | None) -> AsyncIterator[Site]:
    service = Service(tmp_path, "--demo")
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


async def walk(site: Site, login: str, entry: str, paths: list[str], size: ViewportSize) -> list[dict[str, Any]]:
    """Look at each of these pages as this person."""
    page = await site.open(login, entry, size)
    found = []
    for number, path in enumerate(paths):
        await page.goto(f"{site.service.url}/{entry}.html?{number}#{path}")
        await page.wait_for_load_state("networkidle")
        found += await look(page, f"{login} {entry} {path}")
    await page.context.close()
    return found


async def class_path(site: Site) -> str:
    staff = await sign_in(site.service.url, "staff", site.service.password("staff"))
    (one,) = (await staff.get("/api/v1/classes"))["classes"]
    await staff.close()
    return f"/classes/{one['id']}"


async def test_axe_finds_nothing(site: Site) -> None:
    home, taught = await class_path(site), f"/lessons/{site.taught}"
    card = f"/lesson/{site.taught}"
    found = await walk(site, "", "learn", ["/login", "/enter/some-token"], PHONE)
    found += await walk(site, "trainee01", "learn", ["/today", card, f"{card}/record", "/password"], PHONE)
    found += await walk(site, "", "desk", ["/login", "/welcome/some-token"], DESK)
    found += await walk(site, "teacher", "desk", ["/lessons", taught, f"{taught}/room", home], DESK)
    found += await walk(site, "staff", "desk", ["/classes", home, f"{home}/slips", "/people"], DESK)
    found += await walk(site, "admin", "desk", ["/institutions", "/people"], DESK)
    found += await walk(site, "regulator", "desk", ["/oversight", taught], DESK)
    assert found == []


async def test_axe_would_find_something(site: Site) -> None:
    page = await site.open("", "learn", PHONE)
    await page.evaluate("document.body.append(new Image())")
    assert {"image-alt"} <= {one["rule"] for one in await look(page, "a page with a mute picture")}
