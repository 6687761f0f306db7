"""Firefox as a trainee's browser: no H.264 in its WebRTC, so the lesson comes in parts, without anybody's choosing."""

import asyncio
import json

import pytest

from tests.e2e.firefox import firefox
from tests.e2e.test_media import Studio, studio
from tests.e2e.test_parts import DELAY_MS, MOVES, START, WITHOUT_OPUS, player

__all__ = ["player", "studio"]

#: the clock in the picture goes on: what is shown is new, and soon after it was drawn
FRESH = f"delay() < {DELAY_MS}"
SHOWN = "document.getElementById('v').getVideoPlaybackQuality().totalVideoFrames"


@pytest.mark.parametrize(
    ("without", "asked"), [("", None), (WITHOUT_OPUS, 'video/mp4; codecs="avc1.42c01f,mp4a.40.2"')]
)
async def test_firefox_plays_the_lesson_in_parts(studio: Studio, player: str, without: str, asked: str | None) -> None:
    teacher = await studio.publish(canvas=True)
    async with firefox() as page:
        await page.before(without)
        await page.goto(studio.base)
        await page.run(player)
        await page.run(f"({START})({json.dumps(['lesson', studio.token('watch', 'trainee')])})")
        await page.until(f"({MOVES})()", 20)
        assert await page.evaluate("ways") == ["parts"]
        assert await page.evaluate("MediaSource.asked?.at(-1)") == asked
        await page.until(FRESH, 10)
        before = await page.evaluate(SHOWN)
        await asyncio.sleep(2)
        assert await page.evaluate(SHOWN) > before + 20
        assert 0 <= await page.evaluate("delay()") < DELAY_MS
        await teacher.close()
        await studio.publish(canvas=True)
        await asyncio.sleep(3)  # what was there of the first is played
        await page.until(FRESH, 10)
        assert [event.peer for event in studio.events if event.kind == "viewer_live"] == ["trainee"]
