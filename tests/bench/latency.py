"""From a drawn picture to a shown one, on this machine: a clock in the picture, read off the viewer's page.

One Chromium draws, encodes and publishes 640 x 360, the same Chromium watches: by WebRTC, then with the page's own
player by parts over a WebSocket, when its WebRTC has no H.264, and as HLS, when it has no media source either.
"""

import asyncio
import shutil
import tempfile
from pathlib import Path
from statistics import median

from playwright.async_api import Page

from tests.e2e.media_page import WITHOUT_H264
from tests.e2e.test_media import Studio, open_studio
from tests.e2e.test_parts import BARE, bundled, watching

LOOKS = 40
SETTLE_SECONDS = 6.0
#: the delay of each picture as it is shown, as many as there are looks
DELAYS = """looks => new Promise(done => {
  const video = document.getElementById('v'), found = []
  const look = () => { found.push(delay()); found.length < looks ? video.requestVideoFrameCallback(look) : done(found) }
  video.requestVideoFrameCallback(look)
})"""


async def delay(page: Page) -> float:
    """The median in milliseconds, after it has settled."""
    await asyncio.sleep(SETTLE_SECONDS)
    return float(median(await page.evaluate(DELAYS, LOOKS)))


async def measured(studio: Studio, player: str) -> list[dict[str, object]]:
    await studio.publish(canvas=True)
    page, first = await studio.watch("by WebRTC")
    webrtc = await delay(page)
    await page.close()
    page = await watching(studio, player, WITHOUT_H264)
    parts = await delay(page)
    await page.close()
    page = await watching(studio, player, BARE)
    hls = await delay(page)
    return [
        {"name": "latency.webrtc_ms", "value": webrtc, "unit": "ms, drawn to shown"},
        {"name": "latency.first_picture_ms", "value": first, "unit": "ms"},
        {"name": "latency.ws_ms", "value": parts, "unit": "ms, drawn to shown"},
        {"name": "latency.hls_ms", "value": hls, "unit": "ms, drawn to shown"},
    ]


async def run() -> list[dict[str, object]]:
    """Four figures; a minute."""
    with tempfile.TemporaryDirectory(prefix="keshi-bench-") as folder:
        player = await asyncio.to_thread(bundled, Path(folder))
        async with open_studio(shutil.which("chromium")) as studio:
            return await measured(studio, player)
