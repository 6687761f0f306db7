"""三分钟演示课 as a visitor meets it: one button at the door, then a live lesson with a picture that moves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.browsers import FLAGS
from tests.e2e.pictures import PHONE, picture
from tests.e2e.service import Service

pytestmark = pytest.mark.timeout(90)

FRAMES = """() => new Promise(done => {
  const video = document.querySelector('[data-test=video]')
  let seen = 0
  const count = () => { seen += 1; if (seen < 20) video.requestVideoFrameCallback(count); else done(video.videoWidth) }
  video.requestVideoFrameCallback(count)
})"""


@pytest.fixture
async def door(tmp_path: Path, chromium: str | None) -> AsyncIterator[Page]:
    service = Service(tmp_path, "--demo")
    service.start()
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        context = await browser.new_context(viewport=PHONE, locale="zh-CN")
        page = await context.new_page()
        await page.goto(f"{service.url}/learn.html")
        yield page
        await browser.close()
    service.kill()


async def test_one_button_leads_into_a_live_lesson(door: Page) -> None:
    await door.get_by_test_id("demo-start").click()
    await door.locator("[data-test=room][data-stage=in][data-phase=live]").wait_for()
    assert await door.evaluate(FRAMES) == 640
    await door.locator("[data-test=quiet][data-quiet=recorded]").wait_for()
    await picture(door, "visitor-demo-lesson", both=True)
    second = await door.context.new_page()
    await second.goto(door.url.partition("#")[0] + "?second#/login")
    assert await second.evaluate("fetch('/api/v1/demo/lesson', {method: 'POST'}).then(answer => answer.status)") == 409
