"""Transactions end well or leave nothing; a damaged or newer file is named as what it is."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import String, text
from sqlalchemy.exc import DBAPIError

from server.core.database import RETAIN, Database, column, sqlite_url
from server.core.errors import DomainError


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(sqlite_url(tmp_path / "keshi.db"))
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


async def test_a_commit_is_on_disk(database: Database) -> None:
    async with database.read() as connection:
        found = [
            (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


async def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "keshi.db"))
    await database.migrate()
    await database.migrate()
    await database.close()


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4_000])
async def test_a_damaged_file_is_named_as_damaged(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keshi.db"
    file.write_bytes(content)
    database = Database(sqlite_url(file))
    with pytest.raises(DomainError, match="database_damaged"):
        await database.migrate()
    await database.close()
    assert file.read_bytes() == content


async def test_a_newer_file_is_named_as_newer(tmp_path: Path) -> None:
    file = tmp_path / "keshi.db"
    database = Database(sqlite_url(file))
    await database.migrate()
    await database.close()
    raw = sqlite3.connect(file)
    raw.execute("UPDATE alembic_version SET version_num = '9999_future'")
    raw.commit()
    raw.close()
    database = Database(sqlite_url(file))
    with pytest.raises(DomainError, match="database_newer"):
        await database.migrate()
    await database.close()


def test_a_column_says_what_becomes_of_it() -> None:
    made = column("name", String(8), RETAIN)
    assert (made.info["disposition"], made.nullable) == (RETAIN, False)
    assert column("name", String(8), RETAIN, nullable=True).nullable


async def test_a_full_store_is_named_keeps_nothing_of_the_write_and_goes_on_when_there_is_room(
    database: Database,
) -> None:
    async def too_much() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count = 1")
            await connection.exec_driver_sql("INSERT INTO note VALUES (hex(zeroblob(1000000)))")

    with pytest.raises(DomainError, match="disk_full"):
        await too_much()
    async with database.write() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        await connection.exec_driver_sql("INSERT INTO note VALUES ('kept')")
    assert await _notes(database) == ["kept"]
