"""A lesson as people hold it: one instructor and three trainees in Chromium, and the driver's own diary of it.

One trainee stays in front, one truly puts the page into the background for a while, one closes it and comes back. Where
the school has a relay, the first is on a bad line whose address changes; where it has a Firefox, the third comes back
in it. With `kill_s` the service is killed in the middle: no page is touched by the driver for it, all come back by
themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, ViewportSize

from tests.e2e.axe import look
from tests.e2e.diary import NOTES, Diary, minutes, now_ms, within
from tests.e2e.firefox import Firefox
from tests.e2e.media_page import WITHOUT_H264, through
from tests.e2e.pictures import DESK, FOLDER, PHONE, picture
from tests.media.relay import Relay

TOLERANCE_MS = 1_500
SEALED_S = 150
#: after a kill a page has been acknowledged more than a beat by then
BACK_S = 25
#: pictures that still come of before are none that move again; and how long after a worker they are there again
MOVES_MS, RETURN_MS = 500, 8_000
CUT = "[data-stage=reconnecting]"
BEAT_MS = 10_000
STEADY, AWAY, CLOSED = "trainee01", "trainee02", "trainee03"
NAMES = {STEADY: "演示·甲", AWAY: "演示·乙", CLOSED: "演示·丙"}
ABSENT = "演示·丁"
#: a phone as Chromium's own tools imitate it
TOUCH_PHONE: Final = ViewportSize(width=390, height=844)
METRICS: Final = {**TOUCH_PHONE, "deviceScaleFactor": 3, "mobile": True}
#: seconds and pictures shown, milliseconds acknowledged, in a trainee's page
FILM: Final = """(() => {
  const video = document.querySelector('[data-test=video]'), room = document.querySelector('[data-test=room]')
  const pictures = video.getVideoPlaybackQuality().totalVideoFrames
  return { at: video.currentTime, pictures, credit: Number(room.dataset.creditMs) }
})()"""
#: asked by the page itself: it trusts what its browser trusts
ASK: Final = "path => fetch(path).then(answer => answer.json())"


@dataclass(frozen=True)
class Plan:
    """When what happens, in seconds from the beginning."""

    lesson_s: float = 180
    away_s: float = 40
    back_s: float = 100
    close_s: float = 70
    reopen_s: float = 95
    kill_s: float | None = None


THREE_MINUTES: Final = Plan()


class Served(Protocol):
    """A service that browsers reach at `url`."""

    url: str

    def password(self, login: str) -> str:
        """A demo account's password."""
        ...


@dataclass
class School:
    """A served demo and a browser; `began` and `ended` by the driver's clock. `prefix` goes before pictures' names.

    `break_down` kills the service; `all_cut`: every page loses its line by that. `kill_worker` kills what carries
    media, and returns when it is back.
    """

    service: Served
    browser: Browser
    plan: Plan = THREE_MINUTES
    firefox: Firefox | None = None
    relay: Relay | None = None
    touch: bool = False
    prefix: str = ""
    break_down: Callable[[], Awaitable[None]] | None = None
    all_cut: bool = True
    kill_worker: Callable[[], None] | None = None
    diaries: dict[str, Diary] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0
    _lines: list[CDPSession] = field(default_factory=list)

    async def shape(self, page: Page, size: ViewportSize) -> None:
        """Give a page its size; with `touch` a phone's page also a finger and a phone's pixels."""
        if self.touch and size == PHONE:
            line = await page.context.new_cdp_session(page)
            await line.send("Emulation.setDeviceMetricsOverride", METRICS)
            await line.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
            self._lines.append(line)  # what it set lasts as long as it
        else:
            await page.set_viewport_size(size)

    async def signed_in(
        self, login: str, entry: str, size: ViewportSize, *, first: bool = False
    ) -> tuple[BrowserContext, Page]:
        """A browser of somebody's own, signed in through the page.

        `first`: in Chromium's own first window. Only its tabs cover each other; elsewhere each page is a window.
        """
        context = self.browser.contexts[0] if first else await self.browser.new_context(locale="zh-CN")
        page = await context.new_page()
        await self.shape(page, size)
        await page.add_init_script(NOTES)
        if self.relay is not None and login == STEADY:
            await page.add_init_script(through(self.relay.port))
        await page.goto(f"{self.service.url}/{entry}.html")
        await page.get_by_test_id("login-name").fill(login)
        await page.get_by_test_id("login-password").fill(self.service.password(login))
        await page.get_by_test_id("login-submit").click()
        await page.get_by_test_id("login-form").wait_for(state="detached")
        return context, page

    async def until(self, second: float) -> None:
        await asyncio.sleep(max(0.0, (self.began - now_ms()) / 1000 + second))

    async def picture(self, page: Page, name: str, *, both: bool = False) -> None:
        """Take one, unless the page may not be disturbed by a picture."""
        await picture(page, self.prefix + name, both=both)


async def enter(page: Page) -> float:
    """From today into the lesson; returns when the server said that the page is in."""
    await page.get_by_test_id("enter-lesson").click()
    await page.locator("[data-test=room][data-stage=in]").wait_for()
    return float(await page.evaluate("notes.entered"))


async def visible(page: Page) -> bool:
    return bool(await page.evaluate("document.visibilityState") == "visible")


async def turned(page: Page, state: str) -> float:
    """Wait until the browser itself says so (the pages forbid waiting inside them: no eval); returns when it did."""
    async with asyncio.timeout(10):
        while True:
            shown = await page.evaluate("notes.shown")
            if shown and shown[-1][0] == state:
                return float(shown[-1][1])
            await asyncio.sleep(0.05)


async def phase(page: Page, name: str) -> float:
    """When the instructor's page changed to this phase."""
    await page.locator(f"[data-test=host][data-phase={name}]").wait_for()
    return float(await page.evaluate("name => notes.phases[name]", name))


async def teach(school: School) -> Page:
    """The instructor checks camera and microphone and goes to the stage."""
    _, page = await school.signed_in("teacher", "desk", DESK)
    await page.locator("[data-test=lessons-coming] [data-test=open-room]").first.click()
    await page.locator("[data-test=device-check][data-ready=true]").wait_for()
    await school.picture(page, "instructor-device-check")
    await page.get_by_test_id("device-ready").click()
    await page.get_by_test_id("start").wait_for()
    return page


async def stay(school: School, page: Page) -> None:
    """Keeps the page in front from beginning to end."""
    plan = school.plan
    await school.until(plan.lesson_s / 9)
    await school.picture(page, "trainee-lesson", both=True)
    if school.relay is not None:
        await school.until(plan.lesson_s / 3)
        school.relay.move()
    await school.until(plan.back_s + (plan.lesson_s - plan.back_s) / 5)
    if plan.kill_s is None:
        assert await look(page, "the trainee's lesson") == []
    await school.until(plan.lesson_s - 5)
    assert await visible(page)
    if school.relay is not None:
        assert school.relay.lost > plan.lesson_s
        await page.locator("[data-test=picture][data-way=peer][data-playing=true]").wait_for()


async def go_away(school: School, context: BrowserContext, page: Page) -> None:
    """Opens another tab in front of the lesson for a while: the page really is hidden."""
    diary, plan = school.diaries[AWAY], school.plan
    await school.until(plan.away_s)
    other = await context.new_page()
    await other.bring_to_front()
    diary.turn("hidden", await turned(page, "hidden"))
    await school.until(plan.back_s - 3)
    assert not await visible(page)
    await school.until(plan.back_s)
    await other.close()
    await page.bring_to_front()
    diary.turn("front", await turned(page, "visible"))
    await asyncio.sleep(1)
    await school.picture(page, "trainee-hidden-minute", both=True)


async def close_and_reopen(school: School, context: BrowserContext, page: Page) -> Page | None:
    """Closes the tab, and comes back where WebRTC has no H.264: the picture comes over a WebSocket.

    Gives the new page, if that is Chromium's.
    """
    diary = school.diaries[CLOSED]
    await school.until(school.plan.close_s)
    diary.turn("gone", now_ms())
    await page.close(run_before_unload=True)
    await school.until(school.plan.reopen_s)
    if school.firefox is not None:
        diary.turn("front", await enter_in_firefox(school, school.firefox))
        await watch_in_firefox(school, school.firefox)
        return None
    again = await context.new_page()
    await school.shape(again, PHONE)
    await again.add_init_script(NOTES)
    await again.add_init_script(WITHOUT_H264)
    await again.goto(f"{school.service.url}/learn.html")
    diary.turn("front", await enter(again))
    await again.locator("[data-test=picture][data-way=parts][data-playing=true]").wait_for()
    await school.picture(again, "trainee-parts")
    await again.get_by_test_id("choose-voice").click()
    await again.locator("[data-test=picture][data-way=voice][data-playing=true]").wait_for()
    await school.picture(again, "trainee-voice", both=True)
    await again.get_by_test_id("choose-voice").click()
    await again.locator("[data-test=picture][data-way=parts][data-playing=true]").wait_for()
    return again


async def enter_in_firefox(school: School, page: Firefox) -> float:
    """Signs in and takes the place, which the closed page still has, with the password; returns when the page is in."""
    await page.before(NOTES)
    await page.goto(f"{school.service.url}/learn.html")
    await page.fill("login-name", CLOSED)
    await page.fill("login-password", school.service.password(CLOSED))
    await page.click("login-submit")
    await page.click("enter-lesson")
    await page.fill("held-password", school.service.password(CLOSED))
    await page.click("held-take")
    return float(await page.until("window.notes.entered", 30))


async def watch_in_firefox(school: School, page: Firefox) -> None:
    """The picture moves, then and at the end, and the page's minutes grow."""
    await page.until("!!document.querySelector('[data-test=picture][data-way=parts][data-playing=true]')", 20)
    before = await page.evaluate(FILM)
    await page.picture(FOLDER / f"{school.prefix}trainee-firefox.png")
    await school.until(school.plan.lesson_s - 10)
    later = await page.evaluate(FILM)
    assert later["credit"] - before["credit"] > 1_000 * (school.plan.lesson_s - school.plan.reopen_s) / 2
    await page.until(f"{FILM}.at > {later['at'] + 1} && {FILM}.pictures > {later['pictures'] + 10}", 30)


async def watch_the_host(school: School, teacher: Page) -> None:
    """The instructor sees three in front, then one away."""
    plan = school.plan
    await school.until(min(15, plan.away_s - 4))
    await teacher.get_by_test_id("count-front").get_by_text("3", exact=True).wait_for()
    await school.until(plan.away_s + min(20, (plan.back_s - plan.away_s) / 3))
    await teacher.get_by_test_id("count-behind").get_by_text("1", exact=True).wait_for()
    await school.picture(teacher, "instructor-lesson", both=True)
    if plan.kill_s is None:
        assert await look(teacher, "the instructor's lesson") == []


async def earned(page: Page) -> int:
    """What the server has acknowledged to this page."""
    return int(await page.get_by_test_id("room").get_attribute("data-credit-ms") or 0)


async def kill_in_the_middle(school: School, teacher: Page, trainee: Page) -> None:
    """The service dies; pages that were cut say so, all come back by themselves, picture and minutes with them."""
    if school.plan.kill_s is None:
        return
    assert school.break_down is not None
    await school.until(school.plan.kill_s)
    pages = (trainee.locator(f"[data-test=room]{CUT}"), teacher.locator(f"[data-test=host]{CUT}"))
    seen = [page.wait_for() for page in pages] if school.all_cut else []
    before = await earned(trainee)
    await asyncio.gather(school.break_down(), *seen)
    await teacher.locator("[data-test=host][data-stage=in][data-phase=live]").wait_for()
    await trainee.locator("[data-test=picture][data-playing=true]").wait_for()
    async with asyncio.timeout(BACK_S):
        while await earned(trainee) < before + BEAT_MS:  # noqa: ASYNC110  the page's, not ours
            await asyncio.sleep(0.2)
    assert await trainee.locator("[data-test=room][data-stage=in]").count() == 1
    await school.picture(trainee, "trainee-after-the-kill")


async def without_picture(school: School, pages: dict[str, Page]) -> None:
    """What carries media dies: nobody touches a page, and all pictures move again; prints for how long they did not."""
    if school.kill_worker is None:
        return
    for page in pages.values():
        await page.evaluate("notes.still = 0")
    begun = now_ms()
    await asyncio.to_thread(school.kill_worker)
    back = now_ms()
    for way, page in pages.items():
        await page.locator("[data-test=picture][data-playing=true]").wait_for()
        async with asyncio.timeout(BACK_S):
            while await page.evaluate("notes.moved") < back + MOVES_MS:  # noqa: ASYNC110  the page's, not ours
                await asyncio.sleep(0.1)
        still = await page.evaluate("notes.still")
        print(f"worker back after {(back - begun) / 1000:.1f} s; {way}: {still / 1000:.1f} s without picture")
        assert still - (back - begun) < RETURN_MS, way


async def hold(school: School) -> dict[str, tuple[BrowserContext, Page]]:
    """The lesson itself; gives the trainees' places."""
    teacher = await teach(school)
    places = {}
    for login in (STEADY, AWAY, CLOSED):
        places[login] = await school.signed_in(login, "learn", PHONE, first=login == AWAY)
        school.diaries[login] = Diary()
        school.diaries[login].turn("front", await enter(places[login][1]))
    assert [await visible(page) for _, page in places.values()] == [True] * 3
    await teacher.get_by_test_id("start").click()
    school.began = await phase(teacher, "live")
    _, _, again, _, _ = await asyncio.gather(
        stay(school, places[STEADY][1]),
        go_away(school, *places[AWAY]),
        close_and_reopen(school, *places[CLOSED]),
        watch_the_host(school, teacher),
        kill_in_the_middle(school, teacher, places[STEADY][1]),
    )
    await without_picture(school, {"peer": places[STEADY][1]} | ({"parts": again} if again else {}))
    await school.until(school.plan.lesson_s)
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("end-confirm").click()
    school.ended = await phase(teacher, "ended")
    for diary in school.diaries.values():
        diary.close(school.ended)
    await school.picture(places[STEADY][1], "trainee-after")
    return places


async def strips_now(page: Page) -> dict[str, Any]:
    """The lesson's strips, as the institution's staff may see them."""
    lessons = (await page.evaluate(ASK, "/api/v1/lessons"))["lessons"]
    (lesson,) = (one for one in lessons if one["state"] == "ended")
    strips: dict[str, Any] = await page.evaluate(ASK, f"/api/v1/lessons/{lesson['id']}/strips")
    return strips


async def sealed_strips(school: School, page: Page) -> dict[str, Any]:
    """The same once every minute is sealed; a busy machine's browser may be some seconds behind."""
    async with asyncio.timeout(SEALED_S - (now_ms() - school.ended) / 1000 + 30):
        while True:
            strips = await strips_now(page)
            if all(cell["sealed"] for row in strips["rows"] for cell in row["cells"]):
                return strips
            await asyncio.sleep(2)


def check_everybody(school: School, strips: dict[str, Any]) -> None:
    """Everybody's sum and every minute, against the diary."""
    rows = {row["name"]: row for row in strips["rows"]}
    for login, name in NAMES.items():
        by_hand = within(school.diaries[login].front, school.began, school.ended)
        totals = rows[name]["totals"]
        assert totals["credit_ms"] == pytest.approx(by_hand, abs=TOLERANCE_MS), login
        assert totals["open_ms"] == pytest.approx(school.ended - school.began, abs=TOLERANCE_MS)
        check_minutes(school, rows[name], login)
    assert rows[ABSENT]["totals"]["credit_ms"] == 0


def check_minutes(school: School, row: dict[str, Any], login: str) -> None:
    """Each minute and each reason, against the diary."""
    diary, span = school.diaries[login], (school.began, school.ended)
    expected = {"credit": diary.front, "hidden": diary.hidden, "disconnected": diary.gone}
    for kind, spans in expected.items():
        by_hand = minutes(spans, *span)
        for cell in row["cells"]:
            found = cell["credit_ms"] if kind == "credit" else reason_ms(cell, kind)
            assert found == pytest.approx(by_hand.get(cell["slot"], 0), abs=TOLERANCE_MS), (login, kind, cell)
    for cell in row["cells"]:
        assert cell["open_ms"] == cell["credit_ms"] + sum(reason["ms"] for reason in cell["reasons"])
        assert reason_ms(cell, "absent") + reason_ms(cell, "server_fault") <= TOLERANCE_MS


def reason_ms(cell: dict[str, Any], code: str) -> int:
    return sum(int(reason["ms"]) for reason in cell["reasons"] if reason["code"] == code)
