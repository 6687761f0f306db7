"""A real server that is stopped in a lesson and goes on: over a minute is 系统故障, less costs nobody anything."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from socketio.exceptions import SocketIOError

from server.demo.page import Page, Refused, sign_in
from tests.e2e.service import Service
from tests.e2e.taught import mono, started

BEAT_S = 5.0
#: what is between the signal and the last or first look of the process, and what a busy machine needs to come back
SLACK_MS = 3_000
pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, "--demo")
    made.start()
    yield made
    made.kill()


async def live_on(page: Page) -> None:
    """What a page does: beat, and come back when its socket is gone or nobody answers."""
    while True:
        try:
            await page.beat()
            await asyncio.sleep(BEAT_S)
        except (SocketIOError, Refused, RuntimeError, OSError):
            with suppress(SocketIOError, Refused, OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await page.drop()
                    await page.join()
            await asyncio.sleep(0.5)


@asynccontextmanager
async def running(page: Page) -> AsyncIterator[None]:
    living = asyncio.ensure_future(live_on(page))
    try:
        yield
    finally:
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living


@pytest.mark.parametrize("stopped_s", [75, 50])
async def test_a_stopped_server_goes_on_where_it_was(service: Service, stopped_s: int) -> None:
    teacher, control, lesson_id = await started(service)
    trainee = await sign_in(service.url, "trainee01", service.password("trainee01"))
    page = Page(trainee, lesson_id, "phone", mono)
    await page.join()
    entered = mono()
    async with running(page):
        await asyncio.sleep(2 * BEAT_S)
        assert service.process is not None
        os.killpg(service.process.pid, signal.SIGSTOP)
        await asyncio.sleep(stopped_s)
        os.killpg(service.process.pid, signal.SIGCONT)
        control = await again(control)
        await control.call("lesson:join", lesson_id=lesson_id, device="desktop", page="the-teacher")
        await asyncio.sleep(4 * BEAT_S)
    with suppress(Refused, SocketIOError):
        await page.beat()
    whole = mono() - entered
    cells = (await trainee.get(f"/api/v1/lessons/{lesson_id}/strips"))["rows"][0]["cells"]
    told = reasons(cells)
    credited = sum(cell["credit_ms"] for cell in cells)
    print(f"stopped for {stopped_s} s: credited {credited} of {whole:.0f} ms, not credited {told}")
    fault = stopped_s * 1000 if stopped_s > 60 else 0
    assert abs(told.get("server_fault", 0) - fault) < SLACK_MS
    assert set(told) <= {"server_fault", "disconnected", "absent"}  # absent: before the trainee entered
    assert told.get("absent", 0) < SLACK_MS
    assert told.get("disconnected", 0) < SLACK_MS
    assert abs(credited - (whole - fault)) < 2 * SLACK_MS
    for one in (trainee, teacher):
        await one.close()
    await control.close()


async def again(control: Any) -> Any:
    """The instructor's page, too, comes back on a new socket."""
    new = type(control)(control.login)
    while True:
        with suppress(SocketIOError, OSError):
            await new.open()
            return new
        await asyncio.sleep(0.2)


def reasons(cells: list[dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for cell in cells:
        for reason in cell["reasons"]:
            found[reason["code"]] = found.get(reason["code"], 0) + reason["ms"]
    return found
