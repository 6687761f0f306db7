"""A whole server on a machine set to New York: what it stores and what it writes is as everywhere else."""

import asyncio
import csv
import io
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from server.demo.page import Login, sign_in
from tests.e2e.service import Service, run

BEIJING = ZoneInfo("Asia/Shanghai")
SLACK_S = 120.0


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("TZ", "America/New_York")
    made = Service(tmp_path, "--demo")
    made.start()
    yield made
    made.kill()


async def download(login: Login, path: str) -> bytes:
    async with login.http.get(f"{login.url}{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


def beijing(iso: str) -> str:
    """A moment of the API as files print it."""
    assert iso.endswith("Z")
    return datetime.fromisoformat(iso).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def check(rows: list[list[str]], planned: list[tuple[str, str]]) -> None:
    """The file was made now and has the lessons where they are planned, in Beijing time."""
    (made,) = (row[0] for row in rows if row and "（北京时间）" in row[0])
    shown = datetime.strptime(made.partition("：")[2][:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    assert abs(shown.timestamp() - time.time()) < SLACK_S
    head = next(row for row in rows if "计划开始" in row)
    start, end = head.index("计划开始"), head.index("计划结束")
    below = [row for row in rows[rows.index(head) + 1 :] if len(row) > end and row[start]]
    assert sorted({(row[start], row[end]) for row in below}) == sorted(planned)


@pytest.mark.timeout(120)
async def test_times_are_utc_at_the_door_and_beijing_in_the_files(service: Service, tmp_path: Path) -> None:
    staff = await sign_in(service.url, "staff", service.password("staff"))
    try:
        ((one),) = (await staff.get("/api/v1/classes"))["classes"]
        lessons = (await staff.get(f"/api/v1/classes/{one['id']}"))["lessons"]
        planned = [(beijing(lesson["planned_start"]), beijing(lesson["planned_end"])) for lesson in lessons]
        assert len(planned) == 3
        served = await download(staff, f"/api/v1/classes/{one['id']}/ledger.csv")
        check(list(csv.reader(io.StringIO(served.decode("utf-8-sig")))), planned)
        book = openpyxl.load_workbook(io.BytesIO(await download(staff, f"/api/v1/classes/{one['id']}/ledger.xlsx")))
        cells = [row for sheet in book for row in sheet.iter_rows(values_only=True)]
        check([["" if cell is None else str(cell) for cell in row] for row in cells], planned)
    finally:
        await staff.close()
    service.interrupt()
    out = tmp_path / "out.csv"
    done = await asyncio.to_thread(
        run, "export", one["code"], "--out", str(out), "--data", str(service.data), "--config", str(service.settings)
    )
    assert done.returncode == 0, done.stderr
    check(list(csv.reader(io.StringIO(out.read_text("utf-8-sig")))), planned)
