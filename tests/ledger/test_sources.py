"""Rows and what the log was told of them: only what differs is a stray, and rows from before the log are none."""

from typing import Any

from sqlalchemy import select

from server.ledger.facts import tell
from server.ledger.sources import Source, Stray, strays
from server.oversight.records import SOURCES, add_view, regulator_view
from server.upkeep.fsck import SOURCES as EVERY
from server.verify.formats import Kind
from tests.house.repo import ROOT
from tests.ledger.world import GENESIS, World

BOTH_STORES = True
AT_MS = GENESIS * 60_000


async def look(world: World, name: str, at_ms: int = AT_MS) -> None:
    async with world.database.write() as connection:
        await add_view(connection, name * 8, "0d" * 8, at_ms, "strips", "0e" * 8)


async def found(world: World, *sources: Source) -> list[Stray]:
    return [one async for one in strays(world.database, sources or SOURCES)]


async def test_what_was_told_is_no_stray(world: World) -> None:
    assert await found(world) == []
    await look(world, "0a")
    await look(world, "0b", AT_MS + 60_000)
    assert await found(world) == []


async def test_a_row_nobody_told_and_a_fact_without_a_row(world: World) -> None:
    await look(world, "0a")
    row = {"id": "0b" * 8, "person_id": "", "at_ms": AT_MS, "page": "x", "object_id": ""}
    async with world.database.write() as connection:
        await connection.execute(regulator_view.insert().values(row))
        await tell(connection, Kind.REGULATOR_VIEW, AT_MS + 120_000, {"id": "none"})
    assert await found(world) == [
        Stray("regulator_view", "0b" * 8),
        Stray("regulator_view", slot=GENESIS + 2),
    ]


async def test_rows_from_before_the_log_are_left_out(world: World) -> None:
    row = {"id": "0b" * 8, "person_id": "", "at_ms": AT_MS - 1, "page": "x", "object_id": ""}
    async with world.database.write() as connection:
        await connection.execute(regulator_view.insert().values(row))
    await look(world, "0a")
    assert await found(world) == []
    always = Source(regulator_view, Kind.REGULATOR_VIEW, older=True)
    assert await found(world, always) == [Stray("regulator_view", "0b" * 8)]
    younger = Source(regulator_view, Kind.REGULATOR_VIEW, "at_ms")
    assert await found(world, younger) == [Stray("regulator_view", "0b" * 8)], "nothing of it can be older than the log"


def test_only_tables_that_are_older_than_the_log_may_have_older_rows() -> None:
    """All that came with or after the migration 0008_ledger was told from its first row on."""
    older = {source.table.name for source in EVERY if source.older}
    made = "".join(path.read_text() for path in sorted((ROOT / "migrations/versions").glob("000[1-7]_*.py")))
    assert older
    assert {name for name in older if f'"{name}"' not in made} == set()


async def test_of_what_changes_only_the_present_must_have_been_told(world: World) -> None:
    changing: Any = Source(regulator_view, Kind.REGULATOR_VIEW, changes=True)
    await look(world, "0a")
    async with world.database.write() as connection:
        await tell(connection, Kind.REGULATOR_VIEW, AT_MS, {"id": "earlier"})
        (row,) = (await connection.execute(select(regulator_view))).mappings()
    assert row["id"] == "0a" * 8
    assert await found(world, changing) == []
