"""A recording in a real Chromium, by our own player: over a voice without pictures, a hole, and a return as VP8."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Page

from media.api import Recordings, playlist
from media.takes import ENCODED, Take
from tests.e2e.test_media import Studio, open_studio
from tests.e2e.test_parts import BARE, WITHOUT_OPUS, bundled

HOLE_S = 2.0
AAC = "picture_aac"
#: how far a picture may be from what the replay says its time is
APART_MS = 400
START = """async () => {
  const beside = document.createElement('video')
  beside.muted = true
  document.body.append(beside)
  window.replay = new keshi.Replay({
    video: document.getElementById('v'), screen: beside, lesson: 'lesson',
    onChange: shown => { window.shown = shown } })
  await replay.open(false)
  await replay.play()
}"""
#: how far the picture that is shown is from the replay's time
APART = "Math.abs(delay() - (Date.now() - replay.moment * 1000))"
HEARD = "document.getElementById('v').webkitAudioDecodedByteCount"


@pytest.fixture
async def recording(tmp_path: Path, chromium: str | None) -> AsyncIterator[Studio]:
    """A studio that records, and serves what it recorded as the house does."""
    recordings = Recordings(tmp_path)

    async def listed(request: web.Request) -> web.Response:
        name = request.match_info["rendition"]
        text = playlist(recordings.read("lesson"), f"{name}/", ".mp4", over=True, aac=name == AAC)
        return web.Response(text=text, content_type="application/vnd.apple.mpegurl")

    async def piece(request: web.Request) -> web.Response:
        asked = request.match_info
        read = recordings.dubbed if asked["rendition"] == AAC else recordings.piece
        return web.Response(body=read("lesson", *(int(asked[name]) for name in ("take", "start", "size"))))

    def add(app: web.Application) -> None:
        one = "/api/v1/lessons/lesson/replay/{rendition}"
        app.router.add_get(f"{one}.m3u8", listed)
        app.router.add_get(f"{one}/{{take}}/{{start}}/{{size}}.mp4", piece)

    async with open_studio(chromium, tmp_path, add) as opened:
        yield opened


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    return bundled(tmp_path_factory.mktemp("replay"), "replay")


async def test_a_recording_plays_by_the_time_of_day_over_all_that_happened(
    recording: Studio, script: str, tmp_path: Path
) -> None:
    await _taught(recording, tmp_path, lambda take: take.codecs.startswith("avc"), canvas=True)
    await _taught(recording, tmp_path, lambda take: take.codecs == "opus", kinds=["audio"])
    await asyncio.sleep(HOLE_S)
    await _taught(recording, tmp_path, lambda take: take.codecs == "vp8", canvas=True, mime="video/VP8")
    await recording.media.close_room("lesson")
    async with asyncio.timeout(60):
        while Recordings(tmp_path).unencoded("lesson") is not None:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.1)
    takes = Recordings(tmp_path).read("lesson").takes
    first = takes[0].parts[0].at
    last = next(take for take in takes if take.number > ENCODED).parts[0].at
    voice = next(take for take in takes if take.codecs == "opus").parts[0].at
    page = await _playing(recording, script, "")
    await _plays_over_all(page, first, voice, last)
    bare = await _playing(recording, script, WITHOUT_OPUS)
    await bare.evaluate("to => replay.go(to)", last)
    await _until(bare, last + 1)
    assert await bare.evaluate(APART) < APART_MS
    assert await bare.evaluate("MediaSource.asked.at(-1)") == 'video/mp4; codecs="avc1.4d401e,mp4a.40.2"'
    assert await bare.evaluate(HEARD) > 1_000
    listed = await _playing(recording, script, BARE)
    await _until(listed, first + 1)
    assert await listed.evaluate(APART) < APART_MS
    assert await listed.evaluate(HEARD) > 1_000


async def _playing(recording: Studio, script: str, before: str) -> Page:
    page: Page = await recording.new_page()
    await page.add_init_script(before)
    await page.goto(recording.base)
    await page.add_script_tag(content=script)
    async with asyncio.timeout(30):
        await page.evaluate(START)
    return page


async def _plays_over_all(page: Page, first: float, voice: float, last: float) -> None:
    await _until(page, first + 1)
    assert await page.evaluate(APART) < APART_MS
    await _until(page, voice + 1)
    assert not await page.evaluate("shown.seen")
    heard = await page.evaluate(HEARD)
    await _until(page, voice + 2)
    assert await page.evaluate(HEARD) > heard
    await _until(page, last + 1)
    assert await page.evaluate(APART) < APART_MS
    await page.wait_for_function("shown.ended && shown.paused", timeout=20_000)
    await page.evaluate("to => replay.go(to)", first + 2)
    await page.evaluate("replay.play()")
    await _until(page, first + 2.5, before=first + 5)
    assert await page.evaluate(APART) < APART_MS
    await page.close()


async def _until(page: Page, moment: float, before: float = float(1 << 40)) -> None:
    await page.wait_for_function(
        "([from, to]) => replay.moment > from && replay.moment < to && !shown.waiting",
        arg=[moment, before],
        timeout=20_000,
    )


async def _taught(studio: Studio, folder: Path, fits: Callable[[Take], bool], **options: object) -> None:
    """Publish until a new file of this kind has four seconds."""
    before = len(_files(folder))
    teacher = await studio.publish(**options)
    async with asyncio.timeout(60):
        while not any(  # noqa: ASYNC110 - a file has no event
            fits(take) and sum(part.seconds for part in take.parts) > 4 for take in _files(folder)[before:]
        ):
            await asyncio.sleep(0.1)
    await teacher.close()


def _files(folder: Path) -> list[Take]:
    """All that were recorded, those of VP8 last."""
    recordings = Recordings(folder)
    return [take for name in ("picture", "picture_vp8") for take in recordings.recorded("lesson", name).takes]
