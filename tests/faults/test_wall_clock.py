"""The wall clock of a real server is set by an hour, in a lesson and between two starts: no minute moves or is lost."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.demo.page import Login, Page, sign_in
from tests.e2e.service import Service
from tests.e2e.taught import mono, started
from tests.faults.wall import Wall

HOUR_S = 3600
#: what a busy machine needs to answer
SLACK_S = 1.5
#: after so long a process surely sees that its clock was set
SEEN_S = 1.5


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, "--demo")
    yield made
    made.kill()


async def off_s(login: Login) -> float:
    """How far the server's ledger time is from this machine's clock."""
    shown = datetime.fromisoformat((await login.get("/api/v1/site"))["now"]).astimezone(UTC)
    return shown.timestamp() - time.time()


def test_the_library_really_sets_a_clock_and_only_that_one(tmp_path: Path) -> None:
    wall = Wall(tmp_path / "wall", -HOUR_S)
    program = "import time; print(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))"
    with wall.shown():
        printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    shown, boot = map(float, printed.split())
    assert shown - time.time() == pytest.approx(-HOUR_S, abs=60)
    assert boot == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
async def test_an_hours_step_of_a_running_server_and_its_restart(service: Service, tmp_path: Path, step_s: int) -> None:
    wall = Wall(tmp_path / "wall", 0)
    with wall.shown():
        await asyncio.to_thread(service.start)
        teacher, control, lesson_id = await started(service)
        trainee = await sign_in(service.url, "trainee01", service.password("trainee01"))
        page = Page(trainee, lesson_id, "phone", mono)
        asked = mono()
        await page.join()
        entered = mono()
        await asyncio.sleep(1)
        await page.beat()
        wall.set(step_s)
        await asyncio.sleep(SEEN_S)
        await page.beat()
        assert abs(await off_s(trainee)) < SLACK_S
        await asyncio.to_thread(service.kill)
        await asyncio.to_thread(service.start)
        assert abs(await off_s(trainee)) < SLACK_S
        await page.join()
        await asyncio.sleep(1)
        left = mono()
        await page.beat()
        cells = (await trainee.get(f"/api/v1/lessons/{lesson_id}/strips"))["rows"][0]["cells"]
        credited_ms = sum(cell["credit_ms"] for cell in cells)
        assert left - entered - 1_000 < credited_ms <= mono() - asked
        for one in (trainee, teacher):
            await one.close()
        await control.close()
