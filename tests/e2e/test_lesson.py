"""The first lesson: three real minutes, one instructor and three trainees in Chromium, and the file is right.

One trainee stays in front, one truly puts the page into the background for a minute, one closes it and comes back.
What was recorded is compared with the driver's own diary, minute by minute.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from tests.e2e.axe import look
from tests.e2e.browsers import real_chromium
from tests.e2e.diary import NOTES, Diary, minutes, now_ms, within
from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.service import Service

pytestmark = pytest.mark.timeout(420)

LESSON_S = 180
AWAY_S, BACK_S = 40, 100
CLOSE_S, REOPEN_S = 70, 95
SEALED_S = 150
TOLERANCE_MS = 1_500
STEADY, AWAY, CLOSED = "trainee01", "trainee02", "trainee03"
NAMES = {STEADY: "演示·甲", AWAY: "演示·乙", CLOSED: "演示·丙"}


@dataclass
class School:
    """A served demo and a browser; `at` is when each thing happened, by the driver's clock."""

    service: Service
    browser: Browser
    diaries: dict[str, Diary] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0

    async def signed_in(
        self, login: str, entry: str, size: ViewportSize, *, first: bool = False
    ) -> tuple[BrowserContext, Page]:
        """A browser of somebody's own, signed in through the page.

        `first`: in Chromium's own first window. Only its tabs cover each other; elsewhere each page is a window.
        """
        context = self.browser.contexts[0] if first else await self.browser.new_context(locale="zh-CN")
        page = await context.new_page()
        await page.set_viewport_size(size)
        await page.add_init_script(NOTES)
        await page.goto(f"{self.service.url}/{entry}.html")
        await page.get_by_test_id("login-name").fill(login)
        await page.get_by_test_id("login-password").fill(self.service.password(login))
        await page.get_by_test_id("login-submit").click()
        await page.get_by_test_id("login-form").wait_for(state="detached")
        return context, page

    async def until(self, second: float) -> None:
        await asyncio.sleep(max(0.0, (self.began - now_ms()) / 1000 + second))


@pytest.fixture
async def school(tmp_path: Path, chromium: str | None) -> AsyncIterator[School]:
    service = Service(tmp_path, "--demo")
    service.start()
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        async with real_chromium(playwright, chromium) as browser:
            yield School(service, browser)
    service.kill()


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
    await picture(page, "instructor-device-check")
    await page.get_by_test_id("device-ready").click()
    await page.get_by_test_id("start").wait_for()
    return page


async def stay(school: School, page: Page) -> None:
    """Keeps the page in front from beginning to end."""
    await school.until(20)
    await picture(page, "trainee-lesson", both=True)
    await school.until(BACK_S + 15)
    assert await look(page, "the trainee's lesson") == []
    await school.until(LESSON_S - 5)
    assert await visible(page)


async def go_away(school: School, context: BrowserContext, page: Page) -> None:
    """Opens another tab in front of the lesson for a minute: the page really is hidden."""
    diary = school.diaries[AWAY]
    await school.until(AWAY_S)
    other = await context.new_page()
    await other.bring_to_front()
    diary.turn("hidden", await turned(page, "hidden"))
    await school.until(BACK_S - 5)
    assert not await visible(page)
    await school.until(BACK_S)
    await other.close()
    await page.bring_to_front()
    diary.turn("front", await turned(page, "visible"))
    await asyncio.sleep(1)
    await picture(page, "trainee-hidden-minute", both=True)


async def close_and_reopen(school: School, context: BrowserContext, page: Page) -> Page:
    """Closes the tab, and enters again in a new one."""
    diary = school.diaries[CLOSED]
    await school.until(CLOSE_S)
    diary.turn("gone", now_ms())
    await page.close(run_before_unload=True)
    await school.until(REOPEN_S)
    again = await context.new_page()
    await again.set_viewport_size(PHONE)
    await again.add_init_script(NOTES)
    await again.goto(f"{school.service.url}/learn.html")
    diary.turn("front", await enter(again))
    return again


async def three_minutes(school: School) -> None:
    """The lesson itself."""
    teacher = await teach(school)
    places = {}
    for login in (STEADY, AWAY, CLOSED):
        places[login] = await school.signed_in(login, "learn", PHONE, first=login == AWAY)
        school.diaries[login] = Diary()
        school.diaries[login].turn("front", await enter(places[login][1]))
    assert [await visible(page) for _, page in places.values()] == [True] * 3
    await teacher.get_by_test_id("start").click()
    school.began = await phase(teacher, "live")
    await asyncio.gather(
        stay(school, places[STEADY][1]),
        go_away(school, *places[AWAY]),
        close_and_reopen(school, *places[CLOSED]),
        watch_the_host(school, teacher),
    )
    await school.until(LESSON_S)
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("end-confirm").click()
    school.ended = await phase(teacher, "ended")
    for diary in school.diaries.values():
        diary.close(school.ended)
    await picture(places[STEADY][1], "trainee-after")


async def watch_the_host(school: School, teacher: Page) -> None:
    """The instructor sees three in front, then one away."""
    await school.until(15)
    await teacher.get_by_test_id("count-front").get_by_text("3", exact=True).wait_for()
    await school.until(AWAY_S + 20)
    await teacher.get_by_test_id("count-behind").get_by_text("1", exact=True).wait_for()
    await picture(teacher, "instructor-lesson", both=True)
    assert await look(teacher, "the instructor's lesson") == []


async def sealed_strips(school: School, page: Page) -> dict[str, Any]:
    """The lesson's strips once every minute is sealed, as the institution's staff may see them."""
    login = school.service.url
    lessons = await (await page.request.get(f"{login}/api/v1/lessons")).json()
    (lesson,) = (one for one in lessons["lessons"] if one["state"] == "ended")
    async with asyncio.timeout(SEALED_S - (now_ms() - school.ended) / 1000 + 5):
        while True:
            answer = await (await page.request.get(f"{login}/api/v1/lessons/{lesson['id']}/strips")).json()
            strips: dict[str, Any] = answer
            if all(cell["sealed"] for row in strips["rows"] for cell in row["cells"]):
                return strips
            await asyncio.sleep(2)


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


async def download(page: Page, kind: str) -> bytes:
    async with page.expect_download() as waiting:
        await page.get_by_test_id(f"ledger-{kind}").click()
    return Path(await (await waiting.value).path()).read_bytes()


def rows_of(table: list[list[Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The file's rows by name and lesson."""
    top = next(at for at, row in enumerate(table) if "有效秒" in row)
    rows = [dict(zip(table[top], row, strict=False)) for row in table[top + 1 :]]
    return {(str(row["姓名"]), str(row["课次"])): row for row in rows}


async def check_file(school: School, staff: Page, strips: dict[str, Any]) -> None:
    """The institution's staff download the ledger from their page: both files say what the strips say."""
    rows = {row["name"]: row for row in strips["rows"]}
    number = str(strips["lesson"]["number"])
    sheet = openpyxl.load_workbook(io.BytesIO(await download(staff, "xlsx"))).active
    assert sheet is not None
    text = (await download(staff, "csv")).decode("utf-8-sig")
    for table in ([list(row) for row in sheet.iter_rows(values_only=True)], list(csv.reader(io.StringIO(text)))):
        assert "演示数据" in str(table[0][0])
        filed = rows_of(table)
        for name in NAMES.values():
            totals, row = rows[name]["totals"], filed[name, number]
            assert int(row["有效秒"]) == totals["credit_ms"] // 1000
            assert int(row["无效秒·页面切到后台"]) == reason_ms(totals, "hidden") // 1000
            assert int(row["无效秒·网络断开"]) == reason_ms(totals, "disconnected") // 1000
            assert row["认定状态"] == "已认定"


async def what_the_others_see(school: School) -> None:
    """The regulator, whose look is recorded and says so; the trainee who was away for a minute."""
    _, regulator = await school.signed_in("regulator", "desk", DESK)
    await regulator.get_by_test_id("view-recorded").first.wait_for()
    await picture(regulator, "regulator-area")
    trainee = await school.browser.contexts[0].new_page()
    await trainee.set_viewport_size(PHONE)
    await trainee.goto(f"{school.service.url}/learn.html")
    await trainee.get_by_test_id("past-lesson").first.wait_for()
    await picture(trainee, "trainee-today", both=True)
    await trainee.get_by_test_id("see-strip").first.click()
    await trainee.get_by_test_id("lesson-card").wait_for()
    await picture(trainee, "trainee-record", both=True)


async def test_the_first_lesson(school: School) -> None:
    await three_minutes(school)
    _, staff = await school.signed_in("staff", "desk", DESK)
    strips = await sealed_strips(school, staff)
    assert now_ms() - school.ended < SEALED_S * 1000
    rows = {row["name"]: row for row in strips["rows"]}
    for login, name in NAMES.items():
        by_hand = within(school.diaries[login].front, school.began, school.ended)
        totals = rows[name]["totals"]
        assert totals["credit_ms"] == pytest.approx(by_hand, abs=TOLERANCE_MS), login
        assert totals["open_ms"] == pytest.approx(school.ended - school.began, abs=TOLERANCE_MS)
        assert totals["state"] == "confirmed"
        check_minutes(school, rows[name], login)
    assert rows["演示·丁"]["totals"]["credit_ms"] == 0
    await staff.goto(f"{school.service.url}/desk.html#/classes")
    await staff.get_by_test_id("class-card").click()
    await staff.get_by_test_id("toggle-strips").first.click()
    await staff.get_by_test_id("stacked-strips").wait_for()
    await picture(staff, "staff-class", both=True)
    await check_file(school, staff, strips)
    await what_the_others_see(school)
    code, seconds = school.service.interrupt()
    assert (code, seconds < 5) == (0, True)
