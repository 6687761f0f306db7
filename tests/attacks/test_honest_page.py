"""Beside all attackers, an honest page on a bad network keeps every millisecond of its front time (I5, I13)."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.attacks.arena import Arena, Client, arena

STEP_MS = 1_000
BEAT_EVERY_MS = 10_000
DELAY_MS = 300
MINUTES = 10
LOSS = 0.05


class BadNetwork:
    """A page as the real one behaves: one beat in flight, retried with a fresh reading, spans since the last ack."""

    def __init__(self, lesson: Arena, draw: random.Random) -> None:
        self.lesson, self.draw = lesson, draw
        self.stack = AsyncExitStack()
        self.address = "127.0.0.1"
        self.client: Client
        self.acked = 0
        #: the number that is not acknowledged yet, and the clock of its first sending (web/src/attendance/state.ts)
        self.open: tuple[int, int] | None = None
        self.born_ms = lesson.wall_ms

    @property
    def mono(self) -> int:
        return self.lesson.wall_ms - self.born_ms

    async def connect(self, resume: str | None = None) -> None:
        """A new socket: the login and the page stay the same."""
        await self.stack.aclose()
        page = await self.stack.enter_async_context(self.lesson.school.page("jia", self.address))
        self.client = Client(page, mono=self.mono)
        answer = await self.client.join(resume=resume)
        assert answer["ok"], answer
        if self.open and answer["lease"]["seq"] >= self.open[0]:
            self.acknowledged()  # it had arrived, only its answer had not

    def acknowledged(self) -> None:
        """The server has taken what was first said with this number; whether it heard more nobody knows."""
        assert self.open is not None
        self.acked, self.open = self.open[1], None

    async def beat(self) -> None:
        self.client.mono = self.mono
        self.open = self.open or (self.client.lease["seq"] + 1, self.mono)
        lost_there, lost_back = self.draw.random() < LOSS, self.draw.random() < LOSS
        self.lesson.pass_time(DELAY_MS)
        if lost_there:
            return
        before = dict(self.client.lease)
        assert (await self.client.beat([[self.acked, self.client.mono]]))["ok"]
        if lost_back:
            self.client.lease = before  # the page does not know; it says it again under the same number
        else:
            self.acknowledged()


@pytest.fixture
async def lesson(tmp_path: Path) -> AsyncIterator[Arena]:
    async with arena(tmp_path / "data") as found:
        yield found


@pytest.mark.parametrize("seed", range(4))
async def test_it_keeps_every_millisecond(lesson: Arena, seed: int) -> None:
    """Lost beats, lost answers, delays, 20 s holes, two new connections, each from another address than before."""
    draw = random.Random(seed)
    page = BadNetwork(lesson, draw)
    await page.connect()
    joined_ms, reconnects = lesson.wall_ms, {draw.randrange(60, 300), draw.randrange(300, 540)}
    holes = sorted(draw.sample(range(30, MINUTES * 60 - 60, 40), 4))
    next_beat = 0
    while lesson.wall_ms - joined_ms < MINUTES * 60_000:
        lesson.pass_time(STEP_MS)
        second = (lesson.wall_ms - joined_ms) // 1000
        if any(hole <= second < hole + 20 for hole in holes):
            continue
        if any(second >= at for at in reconnects):
            reconnects = {at for at in reconnects if second < at}
            page.address = "127.0.0.2" if page.address == "127.0.0.1" else "127.0.0.1"
            await page.connect(page.client.lease["resume"])
            next_beat = 0
        if lesson.wall_ms >= next_beat:
            await page.beat()
            next_beat = lesson.wall_ms + BEAT_EVERY_MS
    told_ms = page.mono
    while page.acked < told_ms:
        await page.beat()
    earned = await lesson.earned("jia")
    await page.stack.aclose()
    assert page.acked <= earned <= lesson.wall_ms, (page.acked - earned, lesson.wall_ms)


async def test_the_address_changes_in_the_middle(lesson: Arena) -> None:
    """From one network to another between two beats: the same login, page and lease, and not a millisecond less."""
    page = BadNetwork(lesson, random.Random(0))
    seen = []
    for page.address in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        await page.connect(page.client.lease["resume"] if page.acked else None)
        sockets = lesson.school.house.sockets._server
        seen.append(sockets.get_environ(next(iter(lesson.school.house.register.holders.values())).connection))
        for _ in range(6):
            lesson.pass_time(BEAT_EVERY_MS - DELAY_MS)
            await page.beat()
    assert [one["aiohttp.request"].remote for one in seen] == ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
    assert page.client.lease["epoch"] == 1
    earned = await lesson.earned("jia")
    await page.stack.aclose()
    assert page.acked <= earned <= lesson.wall_ms
