"""Class hours at their edge, with an injected clock, through every real door from `init` to the file.

2,699 s are no class hour, 2,700 s are one, and 45 minutes over two lessons are one.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import openpyxl
import pytest

from server.core.clock import ManualClock, SystemClock
from server.demo.page import Login, Page
from server.serve import running
from server.settings import Config
from tests.e2e.office import Office, set_up
from tests.e2e.service import one_time_secret, run

pytestmark = pytest.mark.timeout(120)

BEAT_MS = 50_000
HALF_MS, SHORT_MS, HOUR_MS = 1_350_000, 2_699_000, 2_700_000
SEALED_MS = 160_000
NAMES = ["差一秒", "满一课时", "两次各半"]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[tuple[Office, ManualClock]]:
    settings = tmp_path / "config.yaml"
    settings.write_text(f"server:\n  port: 0\n  data: {tmp_path / 'data'}\nmedia:\n  udp_port: 0\n")
    made = run("init", "--config", str(settings), "--operator", "测试平台", "--record-number", "试-1")
    assert made.returncode == 0, made.stderr
    clock = ManualClock(SystemClock().ms())
    config = Config.model_validate(
        {"server": {"port": 0, "data": str(tmp_path / "data")}, "media": {"udp_port": 0}},
    )
    async with running(config, demo=False, clock=clock) as (_house, url):
        found = await set_up(url, one_time_secret(made.stdout))
        yield found, clock
        await found.close()


async def teach(
    office: Office, clock: ManualClock, number: int, until: Mapping[str, int], logins: dict[str, Login]
) -> str:
    """A lesson in which each of `until` stays in front for so many milliseconds from its first one on."""
    lesson_id = await office.lesson(number, clock.ms())
    control = await office.stage(lesson_id)
    start = clock.ms()
    pages = {name: Page(logins[name], lesson_id, "phone", lambda: float(clock.ms())) for name in until}
    for page in pages.values():
        await page.join()
    await control.call("lesson:start", lesson_id=lesson_id)
    last = max(until.values())
    for mark in sorted({*range(BEAT_MS, last, BEAT_MS), *until.values()}):
        clock.advance(start + mark - clock.ms())
        for name, page in list(pages.items()):
            if mark <= until[name]:
                await page.beat()
            if mark == until[name]:
                await page.leave()
                del pages[name]
    await control.call("lesson:end", lesson_id=lesson_id)
    await control.close()
    clock.advance(SEALED_MS)
    return lesson_id


async def sealed(office: Office, lesson_id: str) -> None:
    async with asyncio.timeout(30):
        while True:
            rows = await office.rows(lesson_id)
            if all(cell["sealed"] for row in rows.values() for cell in row["cells"]):
                return
            await asyncio.sleep(0.2)


async def test_class_hours_at_their_edge(office: tuple[Office, ManualClock]) -> None:
    school, clock = office
    assert (await school.roster(NAMES))["accepted"] == len(NAMES)
    logins = await school.trainees()
    first = await teach(school, clock, 1, dict(zip(NAMES, (SHORT_MS, HOUR_MS, HALF_MS), strict=True)), logins)
    await sealed(school, first)
    rows = await school.rows(first)
    found = {name: rows[name]["totals"]["credit_ms"] for name in NAMES}
    assert found == dict(zip(NAMES, (SHORT_MS, HOUR_MS, HALF_MS), strict=True)), "to the millisecond"
    assert await hours(school) == {"差一秒": (0, SHORT_MS), "满一课时": (1, 0), "两次各半": (0, HALF_MS)}
    second = await teach(school, clock, 2, {"两次各半": HALF_MS}, logins)
    await sealed(school, second)
    assert await hours(school) == {"差一秒": (0, SHORT_MS), "满一课时": (1, 0), "两次各半": (1, 0)}
    for rows_of in (await csv_rows(school), await xlsx_rows(school)):
        filed = {row["姓名"]: row for row in rows_of if row["课次"] == "合计"}
        shown = {name: (int(row["折算课时"]), int(row["另余分钟"]), int(row["有效秒"])) for name, row in filed.items()}
        assert shown == {"差一秒": (0, 44, 2699), "满一课时": (1, 0, 2700), "两次各半": (1, 0, 2700)}
    for login in logins.values():
        await login.close()


async def hours(school: Office) -> dict[str, tuple[int, int]]:
    """Class hours and what is left over, by name."""
    roster = await school.staff.get(f"/api/v1/classes/{school.class_id}/roster")
    names = {trainee["person_id"]: trainee["name"] for trainee in roster["trainees"]}
    rows = (await school.staff.get(f"/api/v1/classes/{school.class_id}/hours"))["rows"]
    return {names[row["person_id"]]: (row["hours"]["class_hours"], row["hours"]["remainder_ms"]) for row in rows}


async def ledger(school: Office, kind: str) -> bytes:
    path = f"{school.url}/api/v1/classes/{school.class_id}/ledger.{kind}"
    async with school.staff.http.get(path) as response:
        assert response.status == 200
        return await response.read()


def as_rows(table: list[list[str]]) -> list[dict[str, str]]:
    top = next(at for at, row in enumerate(table) if "折算课时" in row)
    return [dict(zip(table[top], row, strict=False)) for row in table[top + 1 :]]


async def csv_rows(school: Office) -> list[dict[str, str]]:
    text = (await ledger(school, "csv")).decode("utf-8-sig")
    assert "演示数据" not in text
    return as_rows(list(csv.reader(io.StringIO(text))))


async def xlsx_rows(school: Office) -> list[dict[str, str]]:
    sheet = openpyxl.load_workbook(io.BytesIO(await ledger(school, "xlsx"))).active
    assert sheet is not None
    return as_rows([["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)])
