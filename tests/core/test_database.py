"""Transactions end well or leave nothing; a damaged or newer file is named as what it is."""

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import String, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.core.database import RETAIN, Database, column, engines
from server.core.errors import DomainError

BOTH_STORES = True


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    opened = Database(store_url)
    async with opened.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE note (text VARCHAR)")
    yield opened
    await opened.close()


async def _notes(database: Database) -> list[str]:
    async with database.read() as connection:
        return [row[0] for row in await connection.exec_driver_sql("SELECT text FROM note")]


async def test_a_write_is_kept_and_a_failed_one_is_not(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("INSERT INTO note VALUES ('kept')")
    with contextlib.suppress(RuntimeError):
        async with database.write() as connection:
            await connection.exec_driver_sql("INSERT INTO note VALUES ('lost')")
            raise RuntimeError
    assert await _notes(database) == ["kept"]


async def test_what_is_written_in_a_read_is_not_kept(database: Database) -> None:
    with contextlib.suppress(DomainError):  # PostgreSQL is told that we only read
        async with database.read() as connection:
            await connection.exec_driver_sql("INSERT INTO note VALUES ('lost')")
    assert await _notes(database) == []


async def test_an_error_never_holds_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "somebody's name"})
    assert "nowhere" in str(failed.value)
    assert "somebody" not in str(failed.value)


async def test_a_reader_sees_one_moment(database: Database) -> None:
    async with database.read() as connection:
        before = (await connection.exec_driver_sql("SELECT count(*) FROM note")).scalar()
        async with database.write() as writing:
            await writing.exec_driver_sql("INSERT INTO note VALUES ('new')")
        after = (await connection.exec_driver_sql("SELECT count(*) FROM note")).scalar()
    assert (before, after) == (0, 0)
    assert await _notes(database) == ["new"]


def test_a_column_says_what_becomes_of_it() -> None:
    made = column("name", String(8), RETAIN)
    assert (made.info["disposition"], made.nullable) == (RETAIN, False)
    assert column("name", String(8), RETAIN, nullable=True).nullable


async def test_migrating_twice_and_by_several_at_once_changes_nothing(database: Database) -> None:
    await asyncio.gather(*[database.migrate() for _ in range(3)])
    await database.migrate()


async def test_a_newer_store_is_named_as_newer(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999_future'")
    with pytest.raises(DomainError, match="database_newer"):
        await database.migrate()


async def test_a_writer_that_reads_first_reads_what_the_one_before_wrote(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("INSERT INTO note VALUES ('0')")

    async def count_up(*names: str) -> None:
        async with database.write(*names) as connection:
            before = (await connection.exec_driver_sql("SELECT text FROM note")).scalar_one()
            await asyncio.sleep(0.002)
            await connection.execute(text("UPDATE note SET text = :text"), {"text": str(int(before) + 1)})

    await asyncio.gather(*[count_up(*names) for names in ((), ("note",), ("note", "other")) for _ in range(5)])
    assert await _notes(database) == ["15"]


async def test_a_writer_that_waits_too_long_is_told_to_come_again(
    database: Database, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 100)
    hasty = Database(store_url)
    async with database.write():
        with pytest.raises(DomainError, match="store_unavailable"):
            async with hasty.write():
                pass
    async with hasty.write() as connection:
        await connection.exec_driver_sql("INSERT INTO note VALUES ('later')")
    await hasty.close()
    assert await _notes(database) == ["later"]


async def test_a_taken_key_is_an_integrity_error_without_the_key(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE login (name VARCHAR(9) PRIMARY KEY)")
        await connection.execute(text("INSERT INTO login VALUES (:name)"), {"name": "zhangsan"})
    with pytest.raises(IntegrityError) as taken:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO login VALUES (:name)"), {"name": "zhangsan"})
    assert "zhangsan" not in "".join(traceback.format_exception(taken.value)).replace('{"name": "zhangsan"}', "")
