"""An honest server in trouble is accused of nothing by its own seed; one that spares or shifts somebody is."""

import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from server.attendance.timeline import Phase, Transition
from server.core.errors import DomainError
from server.verify.schedule import LATER_MS, SOONER_MS, Off, off_schedule
from server.verify.vouched import Happened
from tests.attendance.challenges.play import enter
from tests.attendance.dodge import RULE, check_schedule, face
from tests.attendance.world import BEAT_EVERY_MS, PASSWORD, Page, World, trainee

PEOPLE = (trainee(1), trainee(2))


@pytest.fixture
async def world(tmp_path: Path, template: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path / "long", template, rule=RULE)
    yield made
    await made.close()


class Class:
    """Two trainees who answer at once; one of them meets trouble."""

    def __init__(self, world: World, pages: list[Page]) -> None:
        self.world, self.pages, self.silent = world, pages, 0

    async def let_pass(self, ms: int) -> None:
        for _ in range(ms // 1_000):
            self.world.clock.advance(1_000)
            for page in self.pages[self.silent :]:
                if self.world.now() % BEAT_EVERY_MS == 0:
                    await page.beat()
            with suppress(DomainError):  # while nothing can be stored
                await self.world.challenge()
            for page in self.pages[self.silent :]:
                await face(self.world, page, "right")

    async def hole(self, ms: int) -> None:
        """Nothing is heard of one page, which keeps its time and says it afterwards."""
        self.silent = 1
        await self.let_pass(min(ms, 49_000))
        self.silent = 0

    async def pause(self, ms: int) -> None:
        """The process stands still."""
        self.world.stand_still(min(ms, 49_000))

    async def recess(self, ms: int) -> None:
        """课间."""
        for phase in (Phase.CLOSED, Phase.OPEN):
            await self.world.set_timeline([*self.world.transitions, Transition(self.world.now(), phase)])
            await self.let_pass(ms)

    async def device(self, _ms: int) -> None:
        """Another device takes the place over."""
        old = self.pages[0]
        page = Page(self.world, replace(old.actor, session_id=f"{old.actor.session_id}+"), f"{old.name}+")
        page.show()
        with suppress(DomainError):  # three an hour
            await page.join(PASSWORD)
            self.pages[0] = page

    async def restart(self, _ms: int) -> None:
        """The process dies, the next one begins at once."""
        await self.world.crash()
        for page in self.pages:
            await page.join()

    async def hang(self, ms: int) -> None:
        """Nothing can be stored, and beats go on."""
        write = self.world.database.write

        def never(*_locks: str) -> NoReturn:
            raise DomainError("store_unavailable")

        self.world.database.write = never  # type: ignore[method-assign]
        await self.let_pass(ms)
        self.world.database.write = write  # type: ignore[method-assign]


async def taught(world: World, chance: random.Random | None, minutes: int = 16) -> None:
    """A lesson, with trouble of any kind about every minute."""
    here = Class(world, [await enter(world, one) for one in PEOPLE])
    until = world.now() + minutes * 60_000
    while world.now() < until:
        await here.let_pass(chance.randint(5_000, 70_000) if chance else 60_000)
        if chance:
            trouble = chance.choice([here.hole, here.pause, here.recess, here.device, here.restart, here.hang])
            await trouble(chance.randint(5, 110) * 1_000)
        await world.sealer.round()
    await here.let_pass(10_000)
    assert all(page.seq > minutes for page in here.pages[1:]), "they were there"
    await world.end()
    await world.challenge()
    await world.seal_all()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", range(4))
async def test_an_honest_server_in_trouble_is_accused_of_nothing(world: World, number: int) -> None:
    await taught(world, random.Random(number))
    assert check_schedule(await world.seed(), await world.happened(), await world.sealed()) >= 8


@pytest.mark.timeout(3_600)
@pytest.mark.long
async def test_honest_servers_in_trouble_at_length(tmp_path: Path, template: Path) -> None:
    for number in range(100, 160):
        made = await World.make(tmp_path / str(number), template, rule=RULE)
        await taught(made, random.Random(number), 30)
        check_schedule(await made.seed(), await made.happened(), await made.sealed())
        await made.close()


async def test_who_is_spared_or_shifted_is_named(world: World) -> None:
    """What the log would say if the platform left a friend out, or asked them at another time."""
    await taught(world, None)
    seed, spans, events = await world.seed(), await world.sealed(), await world.happened()
    assert seed is not None
    for who in (one.person_id for one in PEOPLE):
        told = [Happened(one.at_ms, one.outcome) for one in events[who]]
        assert list(off_schedule(seed, who, RULE, spans[who], told)) == []
        ((at_ms, off),) = off_schedule(seed, who, RULE, spans[who], [])
        assert (off, 0 <= told[0].at_ms - at_ms <= 2 * BEAT_EVERY_MS) == (Off.SKIPPED, True), "the minute it was due"
        for by_ms in (-SOONER_MS - BEAT_EVERY_MS, LATER_MS + 1_000):
            last = told[-2:]
            moved = [Happened(one.at_ms + by_ms, one.outcome) for one in last]
            found = list(off_schedule(seed, who, RULE, spans[who], [*told[:-2], *moved]))
            assert found in ([], [(moved[0].at_ms, Off.SHIFTED)])
        assert list(off_schedule(bytes(32), who, RULE, spans[who], told[:2])) != []
