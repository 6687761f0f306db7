"""A lesson whose owner is killed or frozen again and again, while trainees beat; what was acknowledged is compared."""

import asyncio
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import ClientError
from socketio.exceptions import SocketIOError

from server.attendance.intervals import total, union
from server.attendance.minutes import MINUTE_MS, unpack
from tests.cluster.town import Page, Server, Town

#: what others need to see that an owner does not renew any more, and to take over
FROZEN_S = 90.0
KILLED_S = 20.0
#: the pages here come back and beat every half second; the promise of the issue
PROMISE_S = 5.0
#: for tests that run beside others on a busy machine
WIDE_S = 2 * PROMISE_S
SEALED_S = 240.0
#: a page may not say more events than this in a second for long
AGAIN_S = 0.25


@dataclass
class Storm:
    """The people in a lesson, and how long each breakdown lasted for the slowest of them."""

    town: Town
    teacher: Page
    trainees: tuple[Page, ...]
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    killed: list[float] = field(default_factory=list)
    frozen: list[float] = field(default_factory=list)
    paused: int = 0

    async def begin(self) -> None:
        """Everybody in, the lesson live."""
        for page in (self.teacher, *self.trainees):
            assert (await page.join())["ok"]
        assert (await self.teacher.call("lesson:start"))["ok"]

    async def again(self, within_s: float) -> float:
        """Until each trainee has one more acknowledgement; returns after how many seconds the last one had."""
        begun, before = time.monotonic(), [len(page.acked_at) for page in self.trainees]
        while any(len(page.acked_at) <= known for page, known in zip(self.trainees, before, strict=True)):
            assert time.monotonic() - begun < within_s, [page.codes[-5:] for page in self.trainees]
            await asyncio.sleep(0.02)
        return max(page.acked_at[known] for page, known in zip(self.trainees, before, strict=True)) - begun

    async def kill(self) -> None:
        """The owner, at some moment; it is started again once the other has taken over."""
        await asyncio.sleep(self.chance.uniform(0.2, 2.0))
        owner = self.owning(await self.town.owner())
        owner.signal(signal.SIGKILL)
        self.killed.append(await self.again(KILLED_S))
        await asyncio.to_thread(owner.kill)
        assert self.owning(await self.town.owner()) is not owner
        await asyncio.to_thread(owner.start)

    async def freeze(self) -> None:
        """The owner, until another has taken over; then it wakes beside it."""
        owner = self.owning(await self.town.owner())
        owner.signal(signal.SIGSTOP)
        self.frozen.append(await self.again(FROZEN_S))
        assert self.owning(await self.town.owner()) is not owner
        owner.signal(signal.SIGCONT)
        await asyncio.sleep(1)
        await self.again(KILLED_S)

    async def pause(self) -> None:
        """The owner, for a moment only: it is still the owner when it wakes."""
        name = await self.town.owner()
        self.owning(name).signal(signal.SIGSTOP)
        await asyncio.sleep(self.chance.uniform(0.5, 4.0))
        self.owning(name).signal(signal.SIGCONT)
        await self.again(KILLED_S)
        assert await self.town.owner() == name
        self.paused += 1

    async def command(self, event: str) -> float:
        """The instructor's command, said again until it is done, from a new socket when the old one is gone."""
        begun = time.monotonic()
        while True:
            assert time.monotonic() - begun < KILLED_S
            with suppress(SocketIOError, ClientError, OSError):
                if not self.teacher.client.connected:
                    await self.teacher.connect(self.teacher.url)
                    await self.teacher.join()
                answer = await self.teacher.or_lost(self.teacher.call(event))
                if answer["ok"] or answer["code"] == "lesson_not_live":  # done before, only the answer was lost
                    return time.monotonic() - begun
            await asyncio.sleep(AGAIN_S)

    async def attend(self, stop: asyncio.Event) -> None:
        """The instructor's page comes back whenever its socket is gone: without it the lesson would not be open."""
        while not stop.is_set():
            if not self.teacher.client.connected:
                with suppress(SocketIOError, ClientError, OSError):
                    await self.teacher.connect(self.teacher.url)
                    await self.teacher.or_lost(self.teacher.join())
            await asyncio.sleep(AGAIN_S)

    async def calm(self, stop: asyncio.Event, living: "Sequence[asyncio.Future[None]]") -> None:
        """Nobody beats any more, and each has heard what became of their last beat."""
        stop.set()
        await asyncio.gather(*living)
        for page in self.trainees:
            while not (await page.beat())["ok"]:
                await page.join()

    def owning(self, name: str) -> Server:
        return self.town.servers[name]


async def read_strips(town: Town, page: Page) -> list[dict[str, int]]:
    """What each living server says that everybody earned, by name."""
    found = []
    for server in town.servers.values():
        if server.process is not None and server.process.poll() is None:
            strips = await page.get(f"/api/v1/lessons/{town.lesson_id}/strips", server.url)
            found.append({row["name"]: row["totals"]["credit_ms"] for row in strips["rows"]})
    return found


async def check_acknowledged(town: Town, page: Page, trainees: tuple[Page, ...]) -> None:
    """Every server says to the millisecond what the last acknowledgements said; nobody beats meanwhile."""
    for strips in await read_strips(town, page):
        assert [strips[f"名{one.who}"] for one in trainees] == [one.credit_ms for one in trainees]


async def check_sealed(town: Town, trainees: tuple[Page, ...]) -> int:
    """Wait until the ended lesson is sealed; each has just what was acknowledged, once. Returns the sealed minutes."""
    until = time.monotonic() + SEALED_S
    query = f"SELECT state, ended_ms FROM lesson WHERE id = '{town.lesson_id}'"
    ((state, ended_ms),) = await town.rows(query)
    assert state == "ended"
    query = f"SELECT slot, records FROM minute_journal WHERE lesson_id = '{town.lesson_id}' ORDER BY slot"
    while not (rows := await town.rows(query)) or rows[-1][0] < (ended_ms - 1) // MINUTE_MS:
        assert time.monotonic() < until, len(rows)
        await asyncio.sleep(1)
    assert [slot for slot, _ in rows] == list(range(rows[0][0], rows[0][0] + len(rows)))
    for one in trainees:
        spans = [
            (slot * MINUTE_MS + a, slot * MINUTE_MS + b)
            for slot, records in rows
            for record in unpack(records)
            if record.person_id == town.ids[one.who]
            for a, b in record.credited
        ]
        assert total(spans) == total(union(spans)) == one.credit_ms, one.who
    return len(rows)
