"""A narrow line and a slow phone in a real Chromium: down to the voice by itself, and up again when there is room."""

import pytest
from playwright.async_api import CDPSession, Page

from tests.e2e.media_page import WITHOUT_H264
from tests.e2e.test_media import Studio, studio
from tests.e2e.test_parts import BARE, MOVES, player, watching

__all__ = ["player", "studio"]

KBPS_500 = 500_000 // 8
#: how long the page takes to give up a picture, and to try it again
DOWN_MS, UP_MS = 60_000, 90_000
#: a picture that no line of 500 kbit/s carries
NOISE = """() => {
  const canvas = document.createElement('canvas'), pen = canvas.getContext('2d')
  canvas.width = 640; canvas.height = 360
  setInterval(() => {
    for (let n = 0; n < 400; n++) {
      pen.fillStyle = '#' + Math.floor(Math.random() * (1 << 24)).toString(16).padStart(6, '0')
      pen.fillRect(Math.random() * 640, Math.random() * 360, 24, 24)
    }
  }, 33)
  const sender = pc.getSenders().find(each => each.track.kind === 'video')
  return sender.replaceTrack(canvas.captureStream(30).getVideoTracks()[0])
}"""
HEARD = "before => document.getElementById('v').currentTime > before + 5"


async def noisy(studio: Studio) -> None:
    teacher = await studio.publish()
    await teacher.evaluate(NOISE)
    await teacher.wait_for_function(
        "() => sent().then(now => now.video.target > 1_000_000)", polling=200, timeout=30_000
    )


async def narrowed(page: Page, *, on: bool) -> CDPSession:
    session = await page.context.new_cdp_session(page)
    speed = KBPS_500 if on else -1
    conditions = {"offline": False, "latency": 100 if on else 0, "downloadThroughput": speed, "uploadThroughput": speed}
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", conditions)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": 6 if on else 1})
    return session


@pytest.mark.long
@pytest.mark.parametrize(("without", "way"), [(WITHOUT_H264, "parts"), (BARE, "hls")])
async def test_a_line_of_500_kbit_gets_the_voice_and_the_picture_again_once_there_is_room(
    studio: Studio, player: str, without: str, way: str
) -> None:
    await noisy(studio)
    page = await watching(studio, player, without)
    assert await page.evaluate("ways") == [way]
    session = await narrowed(page, on=True)
    await page.wait_for_function("ways.at(-1) === 'voice'", timeout=DOWN_MS)
    before = await page.evaluate("document.getElementById('v').currentTime")
    await page.wait_for_function(HEARD, arg=before, timeout=30_000)
    assert studio.media.stats("lesson").viewers == ("trainee",)
    await session.detach()
    session = await narrowed(page, on=False)
    await page.wait_for_function(f"way => ways.at(-1) === way && ({MOVES})()", arg=way, timeout=UP_MS)
    assert {event.peer for event in studio.events if event.kind == "viewer_live"} == {"trainee"}
