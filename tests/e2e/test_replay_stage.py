"""Somebody on stage in the replay: their voice and picture beside the instructor's, when they were there."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page

from tests.e2e.axe import look
from tests.e2e.lesson import AWAY, NAMES, STEADY, School, enter
from tests.e2e.past import a_demo, a_lesson, begins, go, opened
from tests.e2e.pictures import DESK, PHONE, picture

pytestmark = pytest.mark.timeout(400)

#: on stage so long, and so long off it before the end
UP_S, AFTER_S = 14.0, 4.0
#: voices may be so far apart, a little more than they are left alone with
APART_S = 0.12
NOW = "Date.now() / 1000"
FRAMES = "video => video.getVideoPlaybackQuality().totalVideoFrames"
#: a guest who hums: the beeps that Chromium makes up are the instructor's as well, and are taken for an echo
HUMS = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
navigator.mediaDevices.getUserMedia = async wanted => {
  const stream = await ask(wanted), around = new AudioContext(), to = around.createMediaStreamDestination()
  const hum = new OscillatorNode(around, { frequency: 330 })
  hum.connect(to)
  hum.start()
  for (const track of stream.getAudioTracks()) { stream.removeTrack(track); track.stop() }
  stream.addTrack(to.stream.getAudioTracks()[0])
  return stream
}"""
#: how far the guest is from the instructor: both elements count from the same moment
APART = "guest => guest.currentTime - document.querySelector('[data-test=video]').currentTime"
#: the loudest of what an element plays within so many seconds, 0 to 1; sound ends it
LOUD = """async (video, seconds) => {
  const around = new AudioContext(), meter = around.createAnalyser()
  await around.resume()
  around.createMediaStreamSource(new MediaStream(video.captureStream().getAudioTracks())).connect(meter)
  const wave = new Float32Array(meter.fftSize)
  let most = 0
  for (const end = performance.now() + seconds * 1000; most < 0.01 && performance.now() < end;) {
    await new Promise(go => setTimeout(go, 20))
    meter.getFloatTimeDomainData(wave)
    most = Math.max(most, ...wave.map(Math.abs))
  }
  await around.close()
  return most
}"""


@dataclass
class Taught:
    """A lesson, and when its guest came on stage and switched the camera off."""

    lesson_id: str
    up: float
    dark: float


async def test_a_guest_is_heard_and_seen_in_the_replay(tmp_path: Path, chromium: str | None) -> None:
    async with a_demo(tmp_path, chromium) as school:
        taught = await with_a_guest(school)
        for login, entry, size in ((AWAY, "learn", PHONE), ("teacher", "desk", DESK)):
            _, page = await school.signed_in(login, entry, size)
            await replayed(page, taught, f"replay-stage-{entry}")
            await page.context.close()


async def with_a_guest(school: School) -> Taught:
    _, trainee = await school.signed_in(STEADY, "learn", PHONE)
    await trainee.add_init_script(HUMS)
    await trainee.reload()
    async with a_lesson(school) as (teacher, lesson_id):
        await enter(trainee)
        await trainee.get_by_test_id("hand").click()
        await teacher.locator("[data-test=raised] [data-test=invite]").click()
        await trainee.get_by_test_id("stage-accept").click()
        up = await _when(trainee, "[data-test=stage][data-where=on]")
        await teacher.locator("[data-test=guest] [data-test=picture][data-playing=true]").wait_for()
        await asyncio.sleep(UP_S)
        await trainee.get_by_test_id("own-camera").click()
        dark = await _when(teacher, "[data-test=guest][data-picture=false]")
        await asyncio.sleep(UP_S / 3)
        await teacher.get_by_test_id("guest-silence").click()
        await teacher.locator("[data-test=guest][data-voice=false]").wait_for()
        await asyncio.sleep(UP_S / 2)
        await trainee.get_by_test_id("stage-leave").click()
        await trainee.get_by_test_id("own-place").wait_for(state="detached")
        await asyncio.sleep(AFTER_S)
    await trainee.context.close()
    return Taught(lesson_id, up, dark)


async def _when(page: Page, what: str) -> float:
    await page.locator(what).wait_for()
    return float(await page.evaluate(NOW))


async def replayed(page: Page, taught: Taught, name: str) -> None:
    await opened(page, taught.lesson_id)
    await go(page, await begins(page))
    tile, video = page.get_by_test_id("replay-guest"), page.get_by_test_id("guest-video")
    assert await tile.count() == 0
    await go(page, round(taught.up))
    await tile.wait_for()
    assert NAMES[STEADY] in await tile.inner_text()
    await page.get_by_test_id("turn").click()
    await _moves(video)
    assert await video.evaluate(LOUD, UP_S) >= 0.01
    await _together(video)
    await picture(page, name, both=True)
    assert await look(page, name) == []
    await page.get_by_test_id("turn").click()
    await _stands(video)
    await go(page, round(taught.dark + 1))
    await page.locator("[data-test=replay-guest][data-picture=false][data-voice=true]").wait_for()
    await page.get_by_test_id("turn").click()
    await page.locator("[data-test=replay-guest][data-voice=false]").wait_for()
    await asyncio.sleep(1.5)  # what the page was told a quarter of a second ahead has happened
    assert await video.evaluate(LOUD, 2) < 0.001
    await picture(page, f"{name}-silenced")
    await tile.wait_for(state="detached")
    await go(page, round(taught.up + UP_S / 2))
    await tile.wait_for()


async def _moves(video: Locator) -> None:
    """Pictures come, and come on."""
    async with asyncio.timeout(30):
        while (before := await video.evaluate(FRAMES)) == 0:  # noqa: ASYNC110  the page's, not ours
            await asyncio.sleep(0.1)
        while await video.evaluate(FRAMES) < before + 10:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _together(video: Locator) -> None:
    """Guest and instructor are at one moment, or soon are."""
    async with asyncio.timeout(20):
        while abs(await video.evaluate(APART)) > APART_S:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _stands(video: Locator) -> None:
    """It is still with the lesson."""
    async with asyncio.timeout(10):
        while not await video.evaluate("video => video.paused"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
