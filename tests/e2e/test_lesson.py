"""The first lesson: three real minutes, an instructor and three trainees, one on a bad line, one later in Firefox.

The file is right: what was recorded is compared with the driver's own diary, minute by minute, and with both files that
staff download.
"""

import csv
import io
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.browsers import real_chromium
from tests.e2e.firefox import firefox
from tests.e2e.lesson import NAMES, SEALED_S, School, check_everybody, hold, reason_ms, sealed_strips
from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.service import Service, free_port
from tests.media.relay import Relay, jittery, some

pytestmark = pytest.mark.timeout(420)


@pytest.fixture
async def school(tmp_path: Path, chromium: str | None) -> AsyncIterator[School]:
    port = free_port()
    (tmp_path / "config.yaml").write_text(f"media:\n  udp_port: {port}\n")
    service = Service(tmp_path, "--demo")
    service.start()
    relay = Relay(("127.0.0.1", port), some(0.03), jittery(0.3))
    await relay.start()
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        async with real_chromium(playwright, chromium) as browser, firefox() as second:
            yield School(service, browser, firefox=second, relay=relay)
    relay.close()
    service.kill()


async def download(page: Page, kind: str) -> bytes:
    async with page.expect_download() as waiting:
        await page.get_by_test_id(f"ledger-{kind}").click()
    return Path(await (await waiting.value).path()).read_bytes()


def rows_of(table: list[list[Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The file's rows by name and lesson."""
    top = next(at for at, row in enumerate(table) if "有效秒" in row)
    rows = [dict(zip(table[top], row, strict=False)) for row in table[top + 1 :]]
    return {(str(row["姓名"]), str(row["课次"])): row for row in rows}


def sealed_ms(service: Service) -> int:
    """When the last minute was sealed, by the server's own record."""
    with closing(sqlite3.connect(service.data / "keshi.db")) as database:
        return int(database.execute("SELECT max(sealed_ms) FROM minute_journal").fetchone()[0])


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
    service = school.service
    assert isinstance(service, Service)
    await hold(school)
    _, staff = await school.signed_in("staff", "desk", DESK)
    strips = await sealed_strips(school, staff)
    assert sealed_ms(service) - school.ended < SEALED_S * 1000
    check_everybody(school, strips)
    rows = {row["name"]: row for row in strips["rows"]}
    assert {rows[name]["totals"]["state"] for name in NAMES.values()} == {"confirmed"}
    await staff.goto(f"{service.url}/desk.html#/classes")
    await staff.get_by_test_id("class-card").click()
    await staff.get_by_test_id("toggle-strips").first.click()
    await staff.get_by_test_id("stacked-strips").wait_for()
    await picture(staff, "staff-class", both=True)
    await check_file(school, staff, strips)
    await what_the_others_see(school)
    code, seconds = service.interrupt()
    assert (code, seconds < 5) == (0, True)
