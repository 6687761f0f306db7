"""The instructor shares a screen: trainees see it large, the camera in its corner, by every way and in the replay."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from media import clock
from tests.e2e.axe import look
from tests.e2e.browsers import FLAGS
from tests.e2e.lesson import AWAY, STEADY, School, enter, phase, teach
from tests.e2e.media_page import WITHOUT_H264
from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.service import Service
from tests.playback.recorded import record

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
#: both elements count from the same moment
APART = """() => {
  const [screen, camera] = ['screen', 'video'].map(name => document.querySelector(`[data-test=${name}]`))
  return screen.currentTime - camera.currentTime
}"""
APART_S = 0.6


async def shows(page: Page, sharing: str, camera: int) -> None:
    """Wait until the page shows a screen or none, and the camera at this width."""
    await page.locator(f"[data-test=picture][data-playing=true][data-sharing={sharing}]").wait_for()
    while await page.get_by_test_id("video").evaluate(WIDTH) != camera:
        await page.wait_for_timeout(100)


async def test_a_screen_is_large_and_the_camera_small_until_it_ends(tmp_path: Path, chromium: str | None) -> None:
    demo = Service(tmp_path, "--demo")
    demo.settings.write_text("media:\n  udp_port: 0\n  recording: true\n")
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
        _, in_parts = await school.signed_in(AWAY, "learn", PHONE)
        await in_parts.add_init_script(WITHOUT_H264)
        await in_parts.reload()
        await enter(in_parts)
        await shows(trainee, "false", 1280)
        await shows(in_parts, "false", 1280)
        await a_good_line(teacher)
        for _ in range(2):
            await teacher.get_by_test_id("share-screen").click()
            await shows(trainee, "true", 640)
            await shows(in_parts, "true", 1280)
            for page in (trainee, in_parts):
                assert await page.get_by_test_id("screen").evaluate(WIDTH) == 1024
            await picture(in_parts, "trainee-screen-parts", both=True)
            await teacher.get_by_test_id("share-screen").click()
            await shows(trainee, "false", 1280)
            await shows(in_parts, "false", 1280)
        await replayed(trainee)
        _, staff = await school.signed_in("staff", "desk", DESK)
        lesson_id = trainee.url.split("/lesson/")[1].split("/")[0]
        record(demo.data / "recordings", lesson_id, clock.unix(), rendition="picture_vp8")
        await staff.goto(trainee.url.replace("learn.html#/lesson/", "desk.html#/lessons/"))
        await plays(staff)
        assert "课后" in await staff.get_by_test_id("replay-encoding").inner_text()
        await picture(staff, "replay-desk", both=True)
        await browser.close()


async def replayed(page: Page) -> None:
    """What was recorded until now, while the lesson goes on: at once, with the screen when it was shared."""
    record = page.url.replace("/room", "")
    await page.goto(f"{record}/record")
    await page.get_by_test_id("to-replay").click()
    await plays(page)
    await picture(page, "replay-phone", both=True)
    assert await look(page, "the replay") == []
    await page.get_by_test_id("turn").click()
    await page.locator("[data-test=screening][data-playing=false]").wait_for()


async def plays(page: Page) -> None:
    """From the beginning on, until the screen comes."""
    box = page.locator("[data-test=screening][data-playing=true]")
    await box.wait_for()
    await page.locator("[data-test=screening][data-playing=true][data-sharing=true]").wait_for(timeout=60_000)
    assert await page.get_by_test_id("screen").evaluate(WIDTH) == 1024
    async with asyncio.timeout(20):
        while abs(await page.evaluate(APART)) > APART_S:  # noqa: ASYNC110  the page's, not ours
            await asyncio.sleep(0.1)


async def a_good_line(teacher: Page) -> None:
    """The instructor sees that the picture gets there, and the figures when they ask for them."""
    note = teacher.locator("[data-test^=note-][data-mark=good]").first
    await note.wait_for()
    await note.click()
    assert "千比特每秒" in await teacher.get_by_test_id("minute-detail").inner_text()
    await picture(teacher, "instructor-lines", both=True)
