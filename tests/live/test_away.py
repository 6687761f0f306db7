"""A process that stands still in a lesson and lives on: what it slept through is nobody's fault but ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from server.attendance import records
from server.attendance.awake import Watch
from server.attendance.minutes import MINUTE_MS, Reason
from server.attendance.sealer import Sealer
from server.core.database import Database
from server.core.errors import DomainError
from server.live.lesson import Kind
from tests.school import NOON_MS, Page, School, school

#: when the lesson starts after a whole minute, and how much of the last beat's time is unsaid when we fall asleep
BEFORE_MS, UNSAID_MS = 20_000, 4_000
#: from our waking to the first beat, and on
BACK_MS, AFTER_MS = 3_000, 10_000


@dataclass
class Asleep:
    """A lesson with its instructor and one trainee, who is in front all the time."""

    school: School
    teacher: Page
    jia: Page
    lease: dict[str, Any]
    more: AsyncExitStack

    @property
    def now(self) -> int:
        return self.school.clock.ms()

    def mono(self) -> float:
        return float(self.now - NOON_MS + 1_000)

    async def beat(self) -> dict[str, Any]:
        answer = await self.jia.call(
            "beat",
            epoch=self.lease["epoch"],
            seq=self.lease["seq"] + 1,
            nonce=self.lease["nonce"],
            mono=self.mono(),
            spans=[[0, self.mono()]],
        )
        assert answer["ok"], answer
        self.lease.update(seq=answer["seq"], nonce=answer["nonce"])
        return answer

    async def come_back(self) -> None:
        answer = await self.jia.join(mono=self.mono(), resume=self.lease["resume"])
        assert answer["lease"]["epoch"] == self.lease["epoch"], "the lease was lost"
        self.lease = answer["lease"]

    def pass_(self, ms: int) -> None:
        self.school.clock.advance(ms)

    async def awake(self) -> None:
        await self.school.house.register.awake()

    async def sealed(self) -> dict[int, tuple[int, dict[Reason, int]]]:
        """Let everything be sealed; what the trainee has of each minute."""
        assert (await self.teacher.call("lesson:end"))["ok"]
        last = (self.now - 1) // MINUTE_MS
        self.pass_(151_000)
        found: dict[int, tuple[int, dict[Reason, int]]] = {}
        while last not in found:
            async with self.school.house.store.database.read() as connection:
                minutes = await records.sealed_minutes(connection, self.school.lesson_id)
            for minute in minutes:
                for one in minute.records:
                    found[minute.slot] = one.credit_ms, dict(one.reasons)
            await asyncio.sleep(0.01)
        return found

    async def kinds(self) -> list[Kind]:
        return [event.kind for event in (await self.school.house.live.running(self.school.lesson_id)).events]


@pytest.fixture
async def asleep(tmp_path: Path) -> AsyncIterator[Asleep]:
    """Everybody in, one beat said, a little more time gone by: the next thing is that we stand still."""
    async with school(tmp_path) as served:
        served.house.register.watch = Watch(served.clock.ms)
        async with served.page("teacher") as teacher, served.page("jia") as jia, AsyncExitStack() as more:
            await teacher.join()
            made = Asleep(served, teacher, jia, {}, more)
            made.lease = (await jia.join(mono=made.mono()))["lease"]
            assert (await teacher.call("lesson:start"))["ok"]
            made.pass_(BEFORE_MS)
            await made.beat()
            made.pass_(UNSAID_MS)
            await made.awake()
            yield made


async def _beat(one: Asleep) -> None:
    await one.beat()


async def _join(one: Asleep) -> None:
    await one.come_back()


async def _break(one: Asleep) -> None:
    assert (await one.teacher.call("lesson:break"))["ok"]
    assert (await one.teacher.call("lesson:resume"))["ok"]


async def _lost(one: Asleep) -> None:
    await one.teacher.client.disconnect()
    running = await one.school.house.live.running(one.school.lesson_id)
    while running.controls:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    one.teacher = await one.more.enter_async_context(one.school.page("teacher"))
    assert (await one.teacher.join())["ok"]


async def _job(one: Asleep) -> None:
    while Kind.SERVER_BACK not in await one.kinds():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("away_ms", [60_001, 119_000, 600_000])
@pytest.mark.parametrize("first", [_beat, _join, _break, _lost, _job])
async def test_a_longer_absence_is_our_fault_whatever_comes_first(
    asleep: Asleep, first: Callable[[Asleep], Awaitable[None]], away_ms: int
) -> None:
    asleep.pass_(away_ms)
    await first(asleep)
    asleep.pass_(BACK_MS)
    await asleep.come_back()
    await asleep.beat()
    asleep.pass_(AFTER_MS)
    await asleep.beat()
    found = await asleep.sealed()
    reasons = [reason for _, minute in found.values() for reason in minute]
    assert set(reasons) == {Reason.SERVER_FAULT}
    assert sum(minute[Reason.SERVER_FAULT] for _, minute in found.values() if minute) == away_ms
    assert sum(credit for credit, _ in found.values()) == BEFORE_MS + UNSAID_MS + BACK_MS + AFTER_MS
    assert (await asleep.kinds()).count(Kind.SERVER_BACK) == 1


@pytest.mark.parametrize("away_ms", [1_000, 29_000, 59_000, 60_000])
async def test_up_to_a_minute_costs_nobody_anything(asleep: Asleep, away_ms: int) -> None:
    asleep.pass_(away_ms)
    await asleep.awake()
    asleep.pass_(BACK_MS)
    await asleep.come_back()
    await asleep.beat()
    found = await asleep.sealed()
    assert [minute for _, minute in found.values()] == [{}] * len(found)
    assert sum(credit for credit, _ in found.values()) == BEFORE_MS + UNSAID_MS + away_ms + BACK_MS
    assert (await asleep.kinds()).count(Kind.SERVER_BACK) == (away_ms > 30_000)


async def test_minutes_slept_through_are_not_sealed_before_they_are_known_to_be_our_fault(asleep: Asleep) -> None:
    live = asleep.school.house.live
    whole = live._database

    class Away:
        """A store that takes nothing of a lesson."""

        read = whole.read

        def write(self, *_names: str) -> Any:
            raise DomainError("store_unavailable")

    live._database = cast(Database, Away())
    asleep.pass_(600_000)
    for _ in range(3):
        with pytest.raises(DomainError, match="store_unavailable"):
            await Sealer(asleep.school.house.register).round()
    assert asleep.school.house.register.books[asleep.school.lesson_id].next_slot == NOON_MS // MINUTE_MS
    live._database = whole
    await asleep.awake()
    await asleep.come_back()
    found = await asleep.sealed()
    assert sum(minute.get(Reason.SERVER_FAULT, 0) for _, minute in found.values()) == 600_000


async def test_in_a_break_nothing_is_missed(asleep: Asleep) -> None:
    assert (await asleep.teacher.call("lesson:break"))["ok"]
    asleep.pass_(90_000)
    await asleep.awake()
    assert (await asleep.teacher.call("lesson:resume"))["ok"]
    asleep.pass_(BACK_MS)
    await asleep.come_back()
    await asleep.beat()
    found = await asleep.sealed()
    assert all(Reason.SERVER_FAULT not in minute for _, minute in found.values())
    assert sum(credit for credit, _ in found.values()) == BEFORE_MS + UNSAID_MS + BACK_MS


async def test_a_lesson_that_is_only_planned_hears_nothing_of_it(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        served.house.register.watch = Watch(served.clock.ms)
        async with served.page("teacher") as teacher:
            await teacher.join()
            await served.house.register.awake()
            served.clock.advance(90_000)
            assert (await teacher.call("lesson:start"))["ok"]
            running = await served.house.live.running(served.lesson_id)
            assert [event.kind for event in running.events] == [Kind.STARTING, Kind.STARTED]
