"""Whole databases out of a running store and into an empty one, on SQLite and on PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.core.database import Database, sqlite_url
from server.core.errors import DomainError
from server.upkeep import records
from tests.school import school
from tests.servers import Postgres


def _asyncpg(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://")


@pytest.fixture
def second(postgres_server: Postgres) -> Iterator[str]:
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


async def _fill(database: Database) -> None:
    async with database.write() as connection:
        for number in range(50):
            await connection.exec_driver_sql(
                f"INSERT INTO institution (id, name, area, created_ms) VALUES ('{number:016x}', '校{number}', '1', 1)"
            )


async def test_postgres_out_and_in_again_as_of_one_moment(postgres: str, second: str, tmp_path: Path) -> None:
    old, new = Database(_asyncpg(postgres)), Database(_asyncpg(second))
    try:
        await old.migrate()
        await _fill(old)
        copied = await records.copy_postgres(old, tmp_path / "tables")
        assert copied.tables["institution"]["rows"] == 50
        order = list(copied.tables)
        assert order.index("institution") < order.index("training_class") < order.index("lesson")
        await records.load_postgres(new, tmp_path / "tables", copied.revision, copied.tables)
        again = await records.copy_postgres(new, tmp_path / "again")
        assert again == copied
        for name in copied.tables:
            assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "tables" / name).read_bytes()
        with pytest.raises(DomainError, match="database_not_empty"):
            await records.load_postgres(new, tmp_path / "tables", copied.revision, copied.tables)
    finally:
        await old.close()
        await new.close()


async def test_postgres_is_left_empty_by_a_load_that_fails(postgres: str, second: str, tmp_path: Path) -> None:
    old, new = Database(_asyncpg(postgres)), Database(_asyncpg(second))
    try:
        await old.migrate()
        copied = await records.copy_postgres(old, tmp_path / "tables")
        with pytest.raises(DomainError, match="backup_newer"):
            await records.load_postgres(new, tmp_path / "tables", "9999_future", copied.tables)
        wrong = copied.tables | {"institution": copied.tables["institution"] | {"rows": 7}}
        with pytest.raises(DomainError, match="backup_damaged"):
            await records.load_postgres(new, tmp_path / "tables", copied.revision, wrong)
        await records.load_postgres(new, tmp_path / "tables", copied.revision, copied.tables)
    finally:
        await old.close()
        await new.close()


async def test_sqlite_is_copied_while_others_write(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "keshi.db"))
    await database.migrate()

    async def write() -> None:
        while True:
            async with database.write() as connection:
                await connection.exec_driver_sql("UPDATE platform SET created_ms = created_ms + 1")
            await asyncio.sleep(0)

    writing = asyncio.get_running_loop().create_task(write())
    copied = await asyncio.to_thread(records.copy_sqlite, tmp_path / "keshi.db", tmp_path / "copy.db")
    writing.cancel()
    assert copied.revision == (await records.revision_of(database))[1]
    await database.close()
    with sqlite3.connect(tmp_path / "copy.db") as raw:
        assert raw.execute("SELECT count(*) FROM scheme").fetchone() == (3,)
    raw.close()


async def test_an_empty_store_has_no_revision(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "keshi.db"))
    found, newest = await records.revision_of(database)
    assert found == ""
    assert newest
    await database.close()


async def test_a_lesson_counts_as_unsealed_until_its_last_minute_is_in_the_journal(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.page("teacher") as desk:
        database = served.house.store.database
        assert await records.unsealed(database, served.class_id) == []
        await desk.join()
        await desk.call("lesson:start")
        assert await records.unsealed(database, served.class_id) == [1]
        served.clock.advance(90_000)
        await desk.call("lesson:end")
        assert await records.unsealed(database, served.class_id) == [1]
        served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        for job in (job for one in served.house.capabilities for job in one.jobs if "seal" in job.name):
            await job.work()
        assert await records.unsealed(database, served.class_id) == []


async def test_lessons_are_told_in_the_order_of_their_times(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        (one,) = await records.lessons_known(served.house.store.database)
        assert (one.class_code, one.number, one.state) == ("C-1", 1, "planned")
