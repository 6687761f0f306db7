"""Chromium as people have it: tabs that truly go to the background, a camera and a microphone that are made up."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from playwright.async_api import Browser, Playwright

from tests.network.space import Space

FLAGS = (
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--mute-audio",
    "--hide-scrollbars",
    "--lang=zh-CN",
)
START_S = 30


@asynccontextmanager
async def real_chromium(
    playwright: Playwright, path: str | None, *flags: str, space: Space | None = None
) -> AsyncIterator[Browser]:
    """A Chromium that Playwright only visits: nothing tells its pages that they are in front when they are not.

    Playwright's own launch makes every page believe it has the focus; overriding `visibilityState` proves nothing.
    With `space` it runs on that second machine.
    """
    profile = Path(tempfile.mkdtemp(prefix="keshi-chromium-"))
    program = path or playwright.chromium.executable_path
    process = _start(program if space is None else space.program(profile, program), profile, flags)
    try:
        port = await _port(profile)
        way = nullcontext(f"http://127.0.0.1:{port}") if space is None else space.reach(port)
        with way as address:
            browser = await playwright.chromium.connect_over_cdp(address, no_defaults=True)
            yield browser
            await browser.close()
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


def _start(path: str, profile: Path, flags: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    command = [path, "--headless=new", "--remote-debugging-port=0", *FLAGS, *flags, f"--user-data-dir={profile}"]
    with (profile / "said.txt").open("wb") as said:
        return subprocess.Popen([*command, "about:blank"], stdout=said, stderr=said)


async def _port(profile: Path) -> int:
    """Where it listens for Playwright on its loopback, once it says so."""
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(START_S):
        while not file.exists() or "\n" not in file.read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return int(file.read_text().splitlines()[0])
