"""CPU per beat: many trainees through the service and its spool, beside the naive way, one commit per beat.

Both take turns in the same run on the same disk; CPU time is this whole process's, threads and kernel included.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import text

from server.core.database import Database, sqlite_url
from tests.attendance.world import Page, World, make_template, trainee

TRAINEES = 200
ROUNDS = 10
NAIVE_BEATS = 100


async def cpu_us(beats: int, work: Callable[[], Awaitable[None]]) -> float:
    """CPU microseconds per beat of `work`."""
    before = time.process_time()
    await work()
    return (time.process_time() - before) / beats * 1e6


async def commit_each(database: Database, first: int) -> None:
    """What a server does that keeps beats in its database."""
    for number in range(first, first + NAIVE_BEATS):
        async with database.write() as connection:
            await connection.execute(
                text("INSERT INTO beat (person, front, hidden) VALUES (:person, :front, :hidden)"),
                {"person": number, "front": "[[0,10000]]", "hidden": "[]"},
            )


async def measure(folder: Path, template: Path) -> list[dict[str, Any]]:
    world = await World.make(folder / "ours", template)
    naive = Database(sqlite_url(folder / "naive.db"))
    async with naive.write() as connection:
        await connection.execute(text("CREATE TABLE beat (person INTEGER, front TEXT, hidden TEXT)"))
    pages = [Page(world, trainee(number)) for number in range(1, TRAINEES + 1)]
    for page in pages:
        page.show()
        await page.join()

    async def everybody() -> None:
        await asyncio.gather(*(page.beat() for page in pages))

    ours, theirs = [], []
    for number in range(ROUNDS):
        world.clock.advance(10_000)
        ours.append(await cpu_us(TRAINEES, everybody))
        theirs.append(await cpu_us(NAIVE_BEATS, partial(commit_each, naive, number * NAIVE_BEATS)))
    earned = (await world.book()).credit_ms(pages[0].actor.person_id, world.now())
    if earned != ROUNDS * 10_000:
        raise RuntimeError("the beats that were measured earned nothing")
    await world.close()
    await naive.close()
    us, naive_us = median(ours), median(theirs)
    peer = f"one SQLite commit per beat: {naive_us:.0f} us"
    return [{"name": "beat.us", "value": us, "unit": "us", "peer": peer, "ratio": naive_us / us}]


def run() -> list[dict[str, Any]]:
    """One figure: beat.us."""
    with tempfile.TemporaryDirectory(prefix="keshi-bench-") as name:
        folder = Path(name)
        return asyncio.run(measure(folder, make_template(folder)))
