"""The store fails while a lesson runs: beats go on, nothing is lost, minutes are sealed when it is back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.attendance import records
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from tests.attendance.limits import no_file_beyond
from tests.attendance.world import LESSON, T0, Page, World, person_id, trainee
from tests.servers import Postgres
from tests.stores import postgres_copy


@pytest.fixture
async def over_postgres(postgres_server: Postgres, blank_postgres: str, tmp_path: Path) -> AsyncIterator[World]:
    with postgres_copy(postgres_server, blank_postgres) as url:
        made = await World.make(tmp_path / "world", url)
        yield made
        await made.close()


@contextmanager
def stopped(server: Postgres) -> Iterator[None]:
    """The database server is away."""
    server.stop()
    try:
        yield
    finally:
        server.start()


async def a_minute(world: World) -> Page:
    """A page that was in front for a minute, which is due now."""
    page = Page(world, trainee(1))
    page.show()
    await page.join()
    for _ in range(6):
        world.clock.advance(10_000)
        await page.beat()
    world.clock.advance(SEAL_AFTER_MS)
    return page


async def is_sealed_now(world: World) -> bool:
    """Whether it was not before and is after one more round, wholly."""
    async with world.database.read() as connection:
        before = await records.sealed_minutes(connection, LESSON)
    await world.sealer.round()
    return not before and await world.sealed() == {person_id(1): ((T0, T0 + MINUTE_MS),)}


async def test_sqlite_has_no_room(world: World) -> None:
    page = await a_minute(world)
    with no_file_beyond(world.register.spool.size + 2_000):  # the store is larger than that already
        with pytest.raises(Exception, match=r"full|disk|I/O"):
            await world.sealer.round()
        await page.deliver(page.take())
    assert await is_sealed_now(world)


async def test_postgres_is_away(over_postgres: World, postgres_server: Postgres) -> None:
    page = await a_minute(over_postgres)
    with stopped(postgres_server):
        with pytest.raises(Exception, match="store_unavailable"):
            await over_postgres.sealer.round()
        await page.deliver(page.take())
    assert await is_sealed_now(over_postgres)


async def test_postgres_and_the_server_crash_together(over_postgres: World, postgres_server: Postgres) -> None:
    page = await a_minute(over_postgres)
    with stopped(postgres_server):
        await page.deliver(page.take())
    await over_postgres.crash()
    assert await is_sealed_now(over_postgres)
