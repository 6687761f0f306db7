"""The instructor shares a screen: trainees see it large, their camera's picture small in its corner, until it ends."""

from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.browsers import FLAGS
from tests.e2e.lesson import STEADY, School, enter, phase, teach
from tests.e2e.pictures import PHONE, picture
from tests.e2e.service import Service

pytestmark = pytest.mark.timeout(180)

#: a screen that moves; which of the real ones is meant cannot be asked here
SCREEN = """
if (navigator.mediaDevices) navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = document.createElement('canvas')
  canvas.width = 1024; canvas.height = 576
  const pen = canvas.getContext('2d')
  let turn = 0
  setInterval(() => { pen.fillStyle = `hsl(${turn += 9}, 60%, 50%)`; pen.fillRect(0, 0, 1024, 576) }, 100)
  return canvas.captureStream(10)
}"""
WIDTH = "element => element.videoWidth"


async def shows(page: Page, sharing: str, camera: int) -> None:
    """Wait until the page shows a screen or none, and the camera at this width."""
    await page.locator(f"[data-test=picture][data-playing=true][data-sharing={sharing}]").wait_for()
    while await page.get_by_test_id("video").evaluate(WIDTH) != camera:
        await page.wait_for_timeout(100)


async def test_a_screen_is_large_and_the_camera_small_until_it_ends(tmp_path: Path, chromium: str | None) -> None:
    demo = Service(tmp_path, "--demo")
    demo.start()
    try:
        await shared(demo, chromium)
    finally:
        demo.kill()


async def shared(demo: Service, chromium: str | None) -> None:
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        school = School(demo, browser)
        teacher = await teach(school)
        await teacher.evaluate(SCREEN)
        await teacher.get_by_test_id("start").click()
        await phase(teacher, "live")
        _, trainee = await school.signed_in(STEADY, "learn", PHONE)
        await enter(trainee)
        await shows(trainee, "false", 1280)
        await a_good_line(teacher)
        for _ in range(2):
            await teacher.get_by_test_id("share-screen").click()
            await shows(trainee, "true", 640)
            assert await trainee.get_by_test_id("screen").evaluate(WIDTH) == 1024
            await teacher.get_by_test_id("share-screen").click()
            await shows(trainee, "false", 1280)
        await browser.close()


async def a_good_line(teacher: Page) -> None:
    """The instructor sees that the picture gets there, and the figures when they ask for them."""
    note = teacher.locator("[data-test^=note-][data-mark=good]")
    await note.wait_for()
    await note.click()
    assert "千比特每秒" in await teacher.get_by_test_id("minute-detail").inner_text()
    await picture(teacher, "instructor-lines", both=True)
