"""CPU per beat: many trainees through the service and its spool, beside the naive way, one commit per beat.

Both take turns in the same run on the same disk; CPU time is this whole process's, threads and kernel included, which
looks for garbage as a server does.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from sqlalchemy import text

from server.attendance.beats import Acknowledged
from server.core.database import Database, sqlite_url
from server.core.garbage import look_seldom
from server.core.signing import FileSigner, open_signer
from server.verify.notes import Note, sign
from tests.attendance.page_key import PageKey
from tests.attendance.world import Page, World, make_template, trainee
from tests.collected import as_before

TRAINEES = 200
ROUNDS = 30
BEATS_A_MINUTE = 6
NAIVE_BEATS = 100


class Stamp:
    """The log's key and name."""

    origin = "keshi/0123456789abcdef"

    def __init__(self, signer: FileSigner) -> None:
        self._signer = signer

    def attest(self, text: str) -> str:
        return str(Note(text, (sign(text, self.origin, self._signer),)))


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


async def at_once(pages: Sequence[Page], signed: bool, taken: list[float]) -> None:
    """Every page's beat at one moment, each in a task of its own, as the library that takes them from sockets does it.

    What the pages themselves do for it is not measured.
    """
    beats = [page.take(signed) for page in pages]
    acks: list[Acknowledged] = []

    async def everybody() -> None:
        tasks = [asyncio.ensure_future(page.deliver(beat)) for page, beat in zip(pages, beats, strict=True)]
        acks.extend([await task for task in tasks])

    taken.append(await cpu_us(len(pages), everybody))
    for page, ack in zip(pages, acks, strict=True):
        page.heard(ack)


async def measure(folder: Path, template: Path) -> list[dict[str, Any]]:
    world = await World.make(folder / "ours", template)
    world.attests = Stamp(open_signer(folder / "keys"))
    await world.crash()
    naive = Database(sqlite_url(folder / "naive.db"))
    async with naive.write() as connection:
        await connection.execute(text("CREATE TABLE beat (person INTEGER, front TEXT, hidden TEXT)"))
    pages = [Page(world, trainee(number), key=PageKey()) for number in range(1, TRAINEES + 1)]
    for page in pages:
        page.show()
        await page.join()
    ours: list[float] = []
    signed: list[float] = []
    theirs = []
    for number in range(ROUNDS):
        world.clock.advance(10_000)
        minute = number % BEATS_A_MINUTE == 0
        await at_once(pages, minute, signed if minute else ours)
        theirs.append(await cpu_us(NAIVE_BEATS, partial(commit_each, naive, number * NAIVE_BEATS)))
    earned = (await world.book()).credit_ms(pages[0].actor.person_id, world.now())
    if earned != ROUNDS * 10_000 or len(pages[0].notes) < ROUNDS // BEATS_A_MINUTE:
        raise RuntimeError("the beats that were measured earned nothing, or nobody signed for them")
    await world.close()
    await naive.close()
    us, naive_us, more_us = median(ours), median(theirs), median(signed) - median(ours)
    peer = f"one SQLite commit per beat: {naive_us:.0f} us"
    return [
        {"name": "beat.us", "value": us, "unit": "us", "peer": peer, "ratio": naive_us / us},
        {"name": "beat.minute_us", "value": more_us, "unit": "us", "peer": None, "ratio": None},
    ]


def run() -> list[dict[str, Any]]:
    """What a beat costs, and what is added once a minute: the page's signature checked, an acknowledgement signed."""
    with tempfile.TemporaryDirectory(prefix="keshi-bench-") as name:
        folder = Path(name)
        template = make_template(folder)
        with as_before():
            look_seldom()
            return uvloop.run(measure(folder, template))
