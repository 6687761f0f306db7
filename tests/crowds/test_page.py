"""What a busy door shows in a real browser: one's place, or a check that runs by itself; nothing typed is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.accounts.store import PASSWORD
from tests.crowds.hall import Hall, make

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SHOWN_MS = 60_000
TRIES = 10
CROWD = 250


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    made = await make(tmp_path, 2)
    made.service.start()
    try:
        yield made
    finally:
        made.service.kill()


@pytest.fixture
async def page(hall: Hall, chromium: str | None) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = await browser.new_page()
        await opened.goto(f"{hall.service.url}/learn.html#/login")
        yield opened
        await browser.close()


async def type_in(page: Page, login: str) -> None:
    await page.get_by_test_id("login-name").fill(login)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()


async def refused(hall: Hall, login: str, times: int) -> list[str]:
    """Wrong passwords, all at once; what was answered."""
    url = hall.service.url

    async def once(at: int) -> str:
        body = {"login": login.format(at=at), "password": "wrong password"}
        async with browser.post("/api/v1/login", json=body) as response:
            code: str = (await response.json())["code"]
            return code

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, headers={"Origin": url}, connector=connector) as browser:
        return await asyncio.gather(*map(once, range(times)))


async def test_who_is_attacked_from_elsewhere_gets_in_by_a_check_that_runs_by_itself(hall: Hall, page: Page) -> None:
    victim, other = hall.logins
    await refused(hall, victim, TRIES + 1)
    seen: list[str] = []
    page.on("worker", lambda worker: seen.append(worker.url))
    await type_in(page, victim)
    await page.wait_for_url("**/learn.html#/today", timeout=SHOWN_MS)
    assert len(seen) == 1
    assert "prove.worker" in seen[0]
    await page.get_by_test_id("sign-out").click()
    await type_in(page, other)  # no cost to a normal login
    await page.wait_for_url("**/learn.html#/today", timeout=SHOWN_MS)
    assert len(seen) == 1


async def test_a_crowd_at_the_door_is_shown_and_passes(hall: Hall, page: Page) -> None:
    crowd = asyncio.gather(*(refused(hall, f"nobody{part}-{{at}}", CROWD // 5) for part in range(5)))
    await type_in(page, hall.logins[0])
    shown = page.get_by_test_id("door-waiting")
    await expect(shown).to_contain_text("前面还有", timeout=SHOWN_MS)
    assert await page.get_by_test_id("login-name").input_value() == hall.logins[0]
    assert await page.get_by_test_id("login-password").input_value() == PASSWORD
    await page.wait_for_url("**/learn.html#/today", timeout=SHOWN_MS)
    answers = [code for part in await crowd for code in part]
    assert set(answers) <= {"login_refused", "waiting"}
    assert "waiting" in answers
