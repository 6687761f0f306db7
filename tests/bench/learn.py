"""The trainee's first page as an old phone on a village network gets it: bytes over the wire, moments until it shows.

Chromium with an empty cache, its CPU slowed down six times, behind slow 4G as Lighthouse defines it; in turns with a
page of one bare paragraph over the same line. Everything counts that the page fetches until it rests, headers included.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, CDPSession, async_playwright

from tests.e2e.browsers import FLAGS
from tests.e2e.pictures import PHONE
from tests.e2e.service import Service

ROUNDS = 5
CPU_SLOWER = 6
#: Lighthouse's slow 4G as Chromium's own throttling takes it: 150 ms and 1.6 Mbit/s, adjusted for its place above TCP
SLOW_4G = {"offline": False, "latency": 562.5, "downloadThroughput": 184_320, "uploadThroughput": 84_375}
BARE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>bare</title><p>bare</p>'
PAINTED = """() => new Promise(done => new PerformanceObserver(seen => {
  for (const entry of seen.getEntries()) if (entry.name === 'first-contentful-paint') done(entry.startTime)
}).observe({type: 'paint', buffered: true}))"""
NOTE_FORM = """new MutationObserver(() => {
  if (!window.formAt && document.querySelector('[data-test=login-form]')) window.formAt = performance.now()
}).observe(document, {subtree: true, childList: true})"""


@asynccontextmanager
async def bare_page() -> AsyncIterator[str]:
    """A server of one page that needs nothing else."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=BARE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


class Weight:
    """What came over the wire, and what it was before it was compressed."""

    def __init__(self, line: CDPSession) -> None:
        self.wire = self.whole = 0
        line.on("Network.loadingFinished", self._finished)
        line.on("Network.dataReceived", self._received)

    def _finished(self, event: dict[str, Any]) -> None:
        self.wire += int(event["encodedDataLength"])

    def _received(self, event: dict[str, Any]) -> None:
        self.whole += int(event["dataLength"])


async def look(browser: Browser, url: str) -> dict[str, float]:
    """Open a page with an empty cache; bytes, and milliseconds to the first words and to the login form."""
    context = await browser.new_context(viewport=PHONE, locale="zh-CN")
    page = await context.new_page()
    await page.add_init_script(NOTE_FORM)
    line = await context.new_cdp_session(page)
    await line.send("Network.enable")
    weight = Weight(line)
    await line.send("Network.emulateNetworkConditions", SLOW_4G)
    await line.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    await page.goto(url)
    await page.wait_for_load_state("networkidle")
    found = {
        "fcp": float(await page.evaluate(PAINTED)),
        "form": float(await page.evaluate("window.formAt ?? 0")),
        "wire": float(weight.wire),
        "whole": float(weight.whole),
    }
    await context.close()
    return found


async def measure(folder: Path) -> list[dict[str, Any]]:
    """Serve, look in turns, take medians."""
    service = Service(folder)
    service.start()
    ours: list[dict[str, float]] = []
    bare: list[dict[str, float]] = []
    try:
        async with bare_page() as bare_url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            for _ in range(ROUNDS):
                ours.append(await look(browser, f"{service.url}/learn.html"))
                bare.append(await look(browser, bare_url))
            await browser.close()
    finally:
        service.kill()

    def middle(rounds: list[dict[str, float]], name: str) -> float:
        return median(one[name] for one in rounds)

    if not middle(ours, "form"):
        raise RuntimeError("the login form never came")
    wire, whole = middle(ours, "wire") / 1024, middle(ours, "whole") / 1024
    floor = middle(bare, "fcp")
    beside = f"a bare paragraph over the same line: {floor:.0f} ms"

    def moment(name: str, value: float) -> dict[str, Any]:
        return {"name": name, "value": value, "unit": "ms", "peer": beside, "ratio": floor / value}

    return [
        {
            "name": "learn.kib",
            "value": wire,
            "unit": "KiB",
            "peer": f"uncompressed: {whole:.0f} KiB",
            "ratio": whole / wire,
        },
        moment("learn.fcp_ms", middle(ours, "fcp")),
        moment("learn.form_ms", middle(ours, "form")),
    ]


async def run() -> list[dict[str, Any]]:
    """Three figures; about a minute."""
    with tempfile.TemporaryDirectory(prefix="keshi-bench-") as name:
        return await measure(Path(name))
