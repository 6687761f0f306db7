"""What is SQLite's own: the file, its safety, its damage, its full disk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.core.database import Database, sqlite_url
from server.core.errors import DomainError


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


async def test_a_commit_is_on_disk(database: Database) -> None:
    async with database.read() as connection:
        found = [
            (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4_000])
async def test_a_damaged_file_is_named_as_damaged(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keshi.db"
    file.write_bytes(content)
    database = Database(sqlite_url(file))
    with pytest.raises(DomainError, match="database_damaged"):
        await database.migrate()
    await database.close()
    assert file.read_bytes() == content


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
