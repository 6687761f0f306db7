"""The page's own player in a real Chromium: parts over a WebSocket where WebRTC has no H.264 or brings no picture, and
plain HLS where there is no media source either, as in old iPhones and some browsers inside apps."""

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
#: a media source that knows AAC and no Opus
WITHOUT_OPUS = """
const known = MediaSource.isTypeSupported.bind(MediaSource)
MediaSource.isTypeSupported = type => !type.includes('opus') && known(type)
MediaSource.asked = []
const add = MediaSource.prototype.addSourceBuffer
MediaSource.prototype.addSourceBuffer = function (type) { MediaSource.asked.push(type); return add.call(this, type) }
"""
#: a browser that plays nothing but files and HLS
BARE = "delete window.RTCPeerConnection; delete window.MediaSource; delete window.ManagedMediaSource"
#: the browser inside WeChat, Android, as it names itself
WECHAT = (
    "Mozilla/5.0 (Linux; Android 13; V2244A Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/126.0.6478.188 Mobile Safari/537.36 MicroMessenger/8.0.56.2800(0x28003858) WeChat/arm64 "
    "Weixin NetType/4G Language/zh_CN ABI/arm64"
)
HLS_DELAY_MS = 8_000
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

HEARD = "() => document.getElementById('v').currentTime > 0"


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory) -> str:
    return bundled(tmp_path_factory.mktemp("player"))


def bundled(folder: Path, source: str = "player") -> str:
    """A module of the page as one script."""
    path = folder / f"{source}.js"
    bundle = [
        "exec",
        "--",
        "rolldown",
        f"src/media/{source}.ts",
        "--format",
        "iife",
        "--name",
        "keshi",
        "--file",
        str(path),
    ]
    subprocess.run([sys.executable, "-B", ".ci/setup.py", "npm", *bundle], cwd=ROOT, check=True, capture_output=True)
    return path.read_text()


async def watching(studio: Studio, player: str, before: str, agent: str = "", shows: str = MOVES) -> Page:
    """A viewer's page with the player in it, as soon as the picture moves."""
    page: Page = await studio.new_page()
    if agent:
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setUserAgentOverride", {"userAgent": agent})
    await page.add_init_script(before)
    await page.goto(studio.base)
    await page.add_script_tag(content=player)
    await page.evaluate(START, ["lesson", studio.token("watch", "trainee")])
    await page.wait_for_function(shows, timeout=20_000)
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


async def test_without_opus_the_voice_comes_as_aac(studio: Studio, player: str) -> None:
    await studio.publish(canvas=True)
    page = await watching(studio, player, WITHOUT_H264 + WITHOUT_OPUS)
    assert await page.evaluate("ways") == ["parts"]
    await page.wait_for_function("document.getElementById('v').webkitAudioDecodedByteCount > 1000", timeout=10_000)
    assert await page.evaluate("MediaSource.asked.at(-1)") == 'video/mp4; codecs="avc1.42c01f,mp4a.40.2"'
    assert 0 <= await page.evaluate("delay()") < DELAY_MS


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


@pytest.mark.parametrize("agent", ["", WECHAT])
async def test_what_has_no_media_source_plays_hls_whatever_its_name(studio: Studio, player: str, agent: str) -> None:
    teacher = await studio.publish(canvas=True)
    page = await watching(studio, player, BARE, agent)
    assert await page.evaluate("ways") == ["hls"]
    assert await page.evaluate("navigator.userAgent.includes('MicroMessenger')") == bool(agent)
    assert 0 <= await page.evaluate("delay()") < HLS_DELAY_MS
    assert [event.peer for event in studio.events if event.kind == "viewer_live"] == ["trainee"]
    before = await page.evaluate("document.getElementById('v').currentTime")
    await page.wait_for_function(
        "before => document.getElementById('v').currentTime > before + 6", arg=before, timeout=20_000
    )
    await teacher.close()
    await studio.publish(canvas=True)
    await asyncio.sleep(4)  # what was there of the first is played
    await page.wait_for_function("most => delay() < most", arg=HLS_DELAY_MS, timeout=30_000, polling=200)
    await studio.media.cut("trainee")
    assert studio.media.stats("lesson").viewers == ()


async def test_wechat_with_all_it_has_gets_the_same_as_others(studio: Studio, player: str) -> None:
    await studio.publish(canvas=True)
    page = await watching(studio, player, "", WECHAT)
    assert await page.evaluate("ways") == ["peer"]


async def test_who_is_refused_a_place_goes_where_one_is_left_at_once(
    studio: Studio, player: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = studio.media._plane.admission.busy
    monkeypatch.setattr(busy, "look", lambda _now, _seconds: None)
    busy.peers_spent = True
    await studio.publish(canvas=True)
    page = await watching(studio, player, "")
    assert await page.evaluate("ways") == ["peer", "parts"]
    assert studio.media.counts["cpu_spent"] >= 1
    seen = studio.media.audience("lesson")
    assert seen is not None
    assert (seen.peers, seen.parts, seen.spent) == (0, 1, "cpu_spent")
    assert [event.peer for event in studio.events if event.kind == "viewer_live"] == ["trainee"]
    await page.close()
    busy.parts_spent = True
    page = await watching(studio, player, "", shows=HEARD)
    assert await page.evaluate("ways") == ["peer", "voice"]
