"""From a raised hand to the stage in Chromium: two-way sound and picture, several, silence that holds, down at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.e2e.axe import look
from tests.e2e.browsers import real_chromium
from tests.e2e.pictures import DESK, PHONE, picture
from tests.school import PASSWORD, School, school

pytestmark = pytest.mark.timeout(900)

#: what a page runs first: its connections and the tokens that it showed are kept
KEPT: Final = """
window.pcs = []; window.shown = []
window.RTCPeerConnection = class extends RTCPeerConnection { constructor(...all) { super(...all); pcs.push(this) } }
const asked = window.fetch
window.fetch = (url, more) => {
  if (String(url).includes('/media/whip/')) shown.push({ url: String(url), headers: more.headers, body: more.body })
  return asked(url, more)
}
"""
#: sound and pictures that arrive in a page now, by the direction of what sends: all its open connections together
ARRIVES: Final = """async () => {
  const found = { packets: 0, energy: 0, frames: 0, sent: 0 }
  for (const pc of pcs.filter(each => each.connectionState === 'connected'))
    for (const each of (await pc.getStats()).values()) {
      if (each.type === 'inbound-rtp' && each.kind === 'audio') {
        found.packets += each.packetsReceived; found.energy += each.totalAudioEnergy ?? 0
      }
      if (each.type === 'inbound-rtp' && each.kind === 'video') found.frames += each.framesDecoded ?? 0
      if (each.type === 'outbound-rtp' && each.kind === 'audio') found.sent += each.packetsSent
    }
  return found
}"""
#: a client that says what it likes: its microphone is on whatever the page shows
UNMUTED: Final = """() => { for (const pc of pcs) for (const each of pc.getSenders())
  if (each.track?.kind === 'audio') each.track.enabled = true }"""
#: the same request to publish once more
AGAIN: Final = """async () => {
  const last = shown.filter(each => each.body).at(-1)
  const answer = await fetch(last.url, { method: 'POST', headers: last.headers, body: last.body })
  return [answer.status, (await answer.json()).code]
}"""
MOVES: Final = "video => video.getVideoPlaybackQuality().totalVideoFrames"
SECONDS: Final = 60
#: three pages that encode and decode share one machine with whatever else it does
PATIENCE_MS: Final = 90_000


@dataclass
class Hall:
    """A school and a browser with a window for each."""

    school: School
    browser: Browser

    async def enters(self, who: str, size: ViewportSize, entry: str = "learn") -> Page:
        context = await self.browser.new_context(locale="zh-CN", viewport=size)
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        await page.add_init_script(KEPT)
        where = f"#/lesson/{self.school.lesson_id}" if entry == "learn" else ""
        await page.goto(f"{self.school.url}/{entry}.html{where}")
        await page.get_by_test_id("login-name").fill(who)
        await page.get_by_test_id("login-password").fill(PASSWORD)
        await page.get_by_test_id("login-submit").click()
        if entry == "learn":
            await page.locator("[data-test=room][data-stage=in]").wait_for()
        return page

    async def teaches(self) -> Page:
        page = await self.enters("teacher", DESK, "desk")
        await page.locator("[data-test=lessons-coming] [data-test=open-room]").first.click()
        await page.locator("[data-test=device-check][data-ready=true]").wait_for()
        await page.get_by_test_id("device-ready").click()
        await page.get_by_test_id("start").click()
        await page.locator("[data-test=host][data-phase=live]").wait_for()
        return page


@pytest.fixture
async def hall(tmp_path: Path, chromium: str | None) -> AsyncIterator[Hall]:
    async with (
        school(tmp_path) as served,
        async_playwright() as playwright,
        real_chromium(playwright, chromium) as browser,
    ):
        playwright.selectors.set_test_id_attribute("data-test")
        yield Hall(served, browser)


async def until(holds: Callable[[], Awaitable[Any]], what: str) -> None:
    """Wait until something holds: the pages forbid waiting inside them."""
    for _ in range(SECONDS * 5):
        if await holds():
            return
        await asyncio.sleep(0.2)
    pytest.fail(f"never: {what}")


async def grown(page: Page, seconds: float = 2.0) -> dict[str, float]:
    """What arrived and was sent within so long."""
    before = await page.evaluate(ARRIVES)
    await asyncio.sleep(seconds)
    after = await page.evaluate(ARRIVES)
    return {name: after[name] - before[name] for name in before}


async def is_seen(page: Page, person: str) -> None:
    """The picture of a guest moves in a page."""
    tile = page.locator(f"[data-test=guest][data-person='{person}']")
    await tile.locator("[data-test=picture][data-playing=true]").wait_for()
    video = tile.locator("[data-test=video]")
    before = await video.evaluate(MOVES)

    async def moves() -> bool:
        return bool(await video.evaluate(MOVES) > before + 5)

    await until(moves, "the guest's picture moves")


async def is_up(page: Page) -> None:
    await page.locator("[data-test=stage][data-where=on]").wait_for()
    await page.locator("[data-test=own-place][data-sends=true]").wait_for()


async def test_from_the_hand_to_the_stage(hall: Hall) -> None:
    ids = hall.school.ids
    teacher = await hall.teaches()
    jia, yi = await hall.enters("jia", PHONE), await hall.enters("yi", PHONE)
    await picture(jia, "stage-quiet", both=True)
    await jia.get_by_test_id("hand").click()
    await jia.locator("[data-test=hand-place][data-place='1']").wait_for()
    await yi.get_by_test_id("hand").click()
    await yi.locator("[data-test=hand-place][data-place='2']").wait_for()
    await picture(yi, "stage-hand", both=True)
    await teacher.locator("[data-test=raised]").nth(1).wait_for()
    await picture(teacher, "stage-desk-hands", both=True)
    await teacher.locator(f"[data-test=raised][data-person='{ids['jia']}'] [data-test=invite]").click()
    await jia.get_by_test_id("stage-accept").wait_for()

    async def loud() -> bool:
        return int(await jia.get_by_test_id("level").get_attribute("aria-valuenow") or 0) > 10

    await until(loud, "the meter moves")
    await picture(jia, "stage-invitation", both=True)
    assert await look(jia, "the invitation") == []
    await jia.get_by_test_id("stage-accept").click()
    await is_up(jia)
    for page in (yi, teacher):
        await is_seen(page, ids["jia"])
    await yi.locator("[data-test=hand-place][data-place='1']").wait_for()
    for page in (jia, yi, teacher):
        arrived = await grown(page)
        assert arrived["energy"] > 0, arrived
        assert arrived["packets"] > 50, arrived
    for page, name in ((jia, "stage-up"), (yi, "stage-watching"), (teacher, "stage-desk-guest")):
        await picture(page, name, both=True)
        assert await look(page, name) == []
    await silence(teacher, jia, ids["jia"])
    await come_back(jia, yi, ids["jia"])
    await down(teacher, jia, yi)


async def silence(teacher: Page, jia: Page, person: str) -> None:
    """The instructor hears nothing more of a guest whose client has its microphone on all the same."""
    await teacher.get_by_test_id("guest-silence").click()
    await jia.get_by_test_id("voice-off").wait_for()
    await jia.evaluate(UNMUTED)
    await asyncio.sleep(1)
    assert (await grown(jia))["sent"] > 50
    assert (await grown(teacher))["packets"] == 0
    await picture(jia, "stage-silenced", both=True)
    await teacher.get_by_test_id("guest-silence").click()
    await teacher.locator(f"[data-test=guest][data-person='{person}'][data-voice=true]").wait_for()
    assert (await grown(teacher))["packets"] > 50


async def come_back(jia: Page, yi: Page, person: str) -> None:
    """After a reload the guest is on stage again without a hand on it."""
    await jia.reload()
    await is_up(jia)
    await is_seen(yi, person)


async def down(teacher: Page, jia: Page, yi: Page) -> None:
    """At once, for everybody; what the page had is worth nothing."""
    begun = asyncio.get_running_loop().time()
    await teacher.get_by_test_id("guest-down").click()
    await yi.get_by_test_id("guest").wait_for(state="detached")
    assert asyncio.get_running_loop().time() - begun < 3
    await jia.get_by_test_id("own-place").wait_for(state="detached")
    assert await jia.evaluate(AGAIN) == [404, "room_closed"]
    await picture(jia, "stage-down", both=True)


async def test_several_are_on_stage_and_hear_each_other(hall: Hall) -> None:
    ids = hall.school.ids
    teacher = await hall.teaches()
    jia, yi = await hall.enters("jia", PHONE), await hall.enters("yi", DESK)
    for who, page in (("jia", jia), ("yi", yi)):
        await page.get_by_test_id("hand").click()
        await teacher.locator(f"[data-test=raised][data-person='{ids[who]}'] [data-test=invite]").click()
        await page.get_by_test_id("stage-accept").click()
        await is_up(page)
    await is_seen(jia, ids["yi"])
    await is_seen(yi, ids["jia"])
    for person in (ids["jia"], ids["yi"]):
        await is_seen(teacher, person)
    for page in (jia, yi, teacher):
        assert (await grown(page))["energy"] > 0
    await yi.get_by_test_id("own-camera").click()
    await jia.locator(f"[data-test=guest][data-person='{ids['yi']}'][data-picture=false]").wait_for()
    for page, name in ((jia, "stage-two"), (yi, "stage-two-wide"), (teacher, "stage-desk-two")):
        await picture(page, name, both=True)
    await yi.get_by_test_id("stage-leave").click()
    await teacher.locator(f"[data-test=guest][data-person='{ids['yi']}']").wait_for(state="detached")
    assert await teacher.get_by_test_id("guest").count() == 1
