"""The page's own player in a real Chromium: parts over a WebSocket where WebRTC has no H.264 or brings no picture."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.e2e.media_page import WITHOUT_H264
from tests.e2e.test_media import Studio, studio

__all__ = ["studio"]

ROOT = Path(__file__).resolve().parents[2]
DELAY_MS = 2_000
#: a WebRTC whose packets go nowhere
BLOCKED = """
const set = RTCPeerConnection.prototype.setRemoteDescription
RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
  return set.call(this, { type: answer.type, sdp: answer.sdp.replace(/^a=candidate.*\\r\\n/gm, '') })
}"""
START = """([room, token]) => {
  const element = document.getElementById('v')
  window.ways = []
  window.player = new keshi.Player({
    grant: async () => ({ room, token, whip: null, whep: '/media/whep/' + room }),
    video: () => element, onState: () => undefined, onWay: way => ways.push(way),
    onSource: () => element.play(), hidden: () => false,
  })
  for (const told of ['playing', 'loadeddata']) element.addEventListener(told, () => player.shown())
  player.start()
}"""
MOVES = "() => { const v = document.getElementById('v'); return v.currentTime > 0 && v.videoWidth > 0 && !v.paused }"


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory) -> str:
    return bundled(tmp_path_factory.mktemp("player"))


def bundled(folder: Path) -> str:
    """The player as one script."""
    path = folder / "player.js"
    bundle = [
        "exec",
        "--",
        "rolldown",
        "src/media/player.ts",
        "--format",
        "iife",
        "--name",
        "keshi",
        "--file",
        str(path),
    ]
    subprocess.run([sys.executable, "-B", ".ci/setup.py", "npm", *bundle], cwd=ROOT, check=True, capture_output=True)
    return path.read_text()


async def watching(studio: Studio, player: str, before: str) -> Page:
    """A viewer's page with the player in it, as soon as the picture moves."""
    page: Page = await studio.new_page()
    await page.add_init_script(before)
    await page.goto(studio.base)
    await page.add_script_tag(content=player)
    await page.evaluate(START, ["lesson", studio.token("watch", "trainee")])
    await page.wait_for_function(MOVES, timeout=20_000)
    return page


async def test_without_h264_in_webrtc_the_lesson_comes_in_parts(studio: Studio, player: str) -> None:
    await studio.publish(canvas=True)
    page = await watching(studio, player, WITHOUT_H264)
    assert await page.evaluate("ways") == ["parts"]
    await asyncio.sleep(5)
    delays = sorted([await page.evaluate("delay()") for _ in range(5)])
    assert 0 <= delays[2] < DELAY_MS
    assert [event.peer for event in studio.events if event.kind == "viewer_live"] == ["trainee"]
    await studio.media.cut("trainee")
    async with asyncio.timeout(10):
        while studio.media.stats("lesson").viewers:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_where_no_packet_arrives_it_steps_down_by_itself(studio: Studio, player: str) -> None:
    await studio.publish(canvas=True)
    page = await watching(studio, player, BLOCKED)
    assert await page.evaluate("ways") == ["peer", "parts"]


async def test_a_new_publisher_goes_on_in_the_same_page(studio: Studio, player: str) -> None:
    teacher = await studio.publish(canvas=True)
    page = await watching(studio, player, WITHOUT_H264)
    await teacher.close()
    await studio.publish(canvas=True)
    await asyncio.sleep(4)
    assert 0 <= await page.evaluate("delay()") < DELAY_MS


async def test_with_webrtc_nothing_changes(studio: Studio, player: str) -> None:
    await studio.publish(canvas=True)
    page = await watching(studio, player, "")
    assert await page.evaluate("ways") == ["peer"]
