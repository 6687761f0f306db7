"""Two servers whose wall clocks are two hours apart: one ledger time, the database's, whatever is set meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cluster.town import Page, Town, mono
from tests.faults.wall import Wall

HOUR_S = 3600
SLACK_MS = 1_500
SEEN_S = 1.5


@pytest.fixture
async def apart(tmp_path: Path, postgres: str, redis_server: str) -> AsyncIterator[tuple[Town, Wall]]:
    """Server a is an hour before, server b an hour behind; and the clock of a."""
    town, early, late = Town(tmp_path, postgres, redis_server), *(Wall(tmp_path / f"{one}.wall", 0) for one in "ab")
    await town.prepare()
    try:
        for name, wall, off_s in (("a", early, HOUR_S), ("b", late, -HOUR_S)):
            wall.set(off_s)
            with wall.shown():
                await asyncio.to_thread(town.start, name)
        yield town, early
    finally:
        town.close()


async def off_ms(town: Town, page: Page) -> float:
    """How far a server's ledger time is from the database's."""
    shown = datetime.fromisoformat((await page.get("/api/v1/site"))["now"]).astimezone(UTC).timestamp() * 1000
    ((real,),) = await town.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8")
    return float(shown - real)


@pytest.mark.timeout(180)
async def test_two_servers_with_different_clocks_keep_one_time(apart: tuple[Town, Wall]) -> None:
    town, wall = apart
    async with town.page("teacher", "a") as teacher, town.page("jia", "a") as jia, town.page("yi", "b") as yi:
        for page in (teacher, jia, yi):
            assert (await page.join())["ok"]
            assert abs(await off_ms(town, page)) < SLACK_MS
        assert (await teacher.call("lesson:start"))["ok"]
        began = mono()  # jia and yi are in front since they joined
        for step_s in (HOUR_S, -HOUR_S, 0):
            wall.set(step_s)
            await asyncio.sleep(SEEN_S)
            for page in (jia, yi):
                assert (await page.beat())["ok"]
        for page in (jia, yi):
            assert mono() - began - SLACK_MS < page.credit_ms <= mono() - began + SLACK_MS
            assert abs(await off_ms(town, page)) < SLACK_MS
        ((first, last),) = await town.rows("SELECT min(at_ms), max(at_ms) FROM lesson_event")
        ((real,),) = await town.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8")
        assert real - 60_000 < first <= last <= real + SLACK_MS
