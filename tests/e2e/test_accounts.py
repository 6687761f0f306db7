"""Accounts at the desk, in a real browser: switched off and on, moved, reset; one's own logins; each form is seen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.site import Site, opened

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def site(tmp_path: Path, chromium: str | None) -> AsyncIterator[Site]:
    async with opened(tmp_path, chromium) as found:
        yield found


async def open_class(page: Page) -> None:
    await page.goto(page.url.split("#")[0] + "#/classes")
    await page.locator("a[href*='#/classes/']").first.click()
    await page.get_by_test_id("roster").wait_for()


async def shown(page: Page, name: str) -> None:
    """Pictures of a dialog: on the desk in both themes, and on a phone."""
    await picture(page, f"accounts-{name}", both=True)
    await page.set_viewport_size(PHONE)
    await picture(page, f"accounts-{name}-phone")
    await page.set_viewport_size(DESK)


async def test_a_trainee_is_switched_off_and_on(site: Site) -> None:
    trainee = await site.open("trainee01", "learn", PHONE)
    page = await site.open("staff", "desk", DESK)
    await open_class(page)
    row = page.get_by_test_id("trainee-1")
    await row.get_by_test_id("deactivate-trainee").click()
    await shown(page, "deactivate")
    await page.get_by_test_id("deactivate-confirm").click()
    await expect(row.get_by_test_id("reactivate-trainee")).to_be_visible()
    await shown(page, "roster-off")
    await trainee.reload()
    await trainee.get_by_test_id("login-name").fill("trainee01")
    await trainee.get_by_test_id("login-password").fill(site.service.password("trainee01"))
    await trainee.get_by_test_id("login-submit").click()
    await trainee.get_by_test_id("login-form").get_by_role("alert").locator("p, strong, span").first.wait_for()
    await picture(trainee, "accounts-refused-phone")
    await row.get_by_test_id("reactivate-trainee").click()
    await expect(row.get_by_test_id("deactivate-trainee")).to_be_visible()
    await trainee.get_by_test_id("login-submit").click()
    await trainee.get_by_test_id("login-form").wait_for(state="detached")


async def test_an_instructor_is_moved_and_reset(site: Site) -> None:
    page = await site.open("admin", "desk", DESK)
    await page.goto(page.url.split("#")[0] + "#/people")
    row = page.get_by_test_id("person-row").filter(has_text="teacher")
    await row.get_by_test_id("move-person").click()
    await shown(page, "move")
    await page.keyboard.press("Escape")
    await row.get_by_test_id("reset-person").click()
    await shown(page, "reset")
    await page.get_by_test_id("reset-confirm").click()
    await page.get_by_test_id("copy-value").wait_for()
    await shown(page, "link")


async def test_one_ends_ones_other_logins(site: Site) -> None:
    for login, entry, size in (("trainee02", "learn", PHONE), ("staff", "desk", DESK)):
        other = await site.open(login, entry, size)
        page = await site.open(login, entry, size)
        await page.goto(page.url.split("#")[0] + "#/password")
        await page.get_by_test_id("logins-end").wait_for()
        await picture(page, f"accounts-logins-{entry}", both=True)
        await page.get_by_test_id("logins-end").click()
        await page.get_by_test_id("logins-end").wait_for(state="detached")
        await other.reload()
        await other.get_by_test_id("login-form").wait_for()
