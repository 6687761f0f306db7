"""Memory of the server for each trainee in a lesson: a real process, real sockets that joined and beat, no media.

Everybody signs in first; then they join in steps. The figure is the slope of the process's resident memory over those
in the lesson, so that what the process needs anyway is no part of it.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psutil

from server.core.clock import SystemClock
from server.demo.page import Page
from tests.e2e.office import set_up
from tests.e2e.service import Service, one_time_secret
from tests.e2e.service import run as command

TRAINEES: Final = 300
WARM: Final = 50
STEP: Final = 50
BEATS: Final = 3


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


async def measure(folder: Path) -> list[dict[str, Any]]:
    service = Service(folder)
    made = command("init", "--config", str(service.settings), "--data", str(service.data))
    service.start()
    assert service.process is not None
    office = await set_up(service.url, one_time_secret(made.stdout))
    try:
        await office.roster([f"学员{number:03d}" for number in range(TRAINEES)])
        logins = list((await office.trainees()).values())
        lesson_id = await office.lesson(1, SystemClock().ms())
        control = await office.stage(lesson_id)
        await control.call("lesson:start", lesson_id=lesson_id)
        process = psutil.Process(service.process.pid)
        pages = [Page(login, lesson_id, "phone", lambda: time.monotonic() * 1000) for login in logins]
        points = []
        for first in range(0, TRAINEES, STEP):
            await asyncio.gather(*(page.join() for page in pages[first : first + STEP]))
            for _ in range(BEATS):
                await asyncio.gather(*(page.beat() for page in pages[: first + STEP]))
            await asyncio.sleep(1)
            if first + STEP >= WARM:
                points.append((float(first + STEP), process.memory_info().rss / 1024))
        for page, login in zip(pages, logins, strict=True):
            await page.drop()
            await login.close()
        await control.close()
    finally:
        await office.close()
        service.kill()
    return [{"name": "trainee.kib", "value": slope(points), "unit": "KiB", "peer": None, "ratio": None}]


async def run() -> list[dict[str, Any]]:
    """One figure: trainee.kib; about a minute."""
    with tempfile.TemporaryDirectory(prefix="keshi-bench-") as name:
        return await measure(Path(name))
