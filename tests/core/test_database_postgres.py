"""What is PostgreSQL's own: writers side by side under their names, servers that go away and come back, refusals."""

import asyncio
import signal
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext

import pytest
from sqlalchemy import text

from server.core.database import Database, engines
from server.core.errors import DomainError
from tests.servers import Postgres, free_port


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[Database]:
    opened = Database(postgres)
    async with opened.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE note (text VARCHAR(9))")
    yield opened
    await opened.close()


async def write(database: Database, note: str, *names: str) -> None:
    async with database.write(*names) as connection:
        await connection.execute(text("INSERT INTO note VALUES (:note)"), {"note": note})


async def notes(database: Database) -> list[str]:
    async with database.read() as connection:
        return [row[0] for row in await connection.exec_driver_sql("SELECT text FROM note")]


@contextmanager
def fails_as(code: str) -> Iterator[None]:
    with pytest.raises(DomainError) as failed:
        yield
    assert failed.value.code == code


async def test_writers_of_other_names_share_the_store_and_all_others_wait(database: Database) -> None:
    async with database.write("a", "b"):
        await write(database, "c", "c")
        assert await notes(database) == ["c"]
        waiting = [asyncio.ensure_future(write(database, *each)) for each in (("a", "a"), ("b", "b", "d"), ("nobody",))]
        done, _ = await asyncio.wait(waiting, timeout=0.3)
        assert done == set()
    await asyncio.gather(*waiting)
    assert sorted(await notes(database)) == ["a", "b", "c", "nobody"]


async def test_names_in_any_order_never_block_each_other_for_ever(database: Database) -> None:
    names = ["a", "b", "c"]
    turns = [names[turn:] + names[:turn] for turn in range(3)] * 5
    await asyncio.gather(*[write(database, "x", *turn) for turn in turns])
    assert len(await notes(database)) == 15


async def test_a_commit_is_on_disk_whatever_the_database_is_set_to(postgres: str, postgres_server: Postgres) -> None:
    name = postgres.rpartition("/")[2]
    postgres_server.run(name, f"ALTER DATABASE {name} SET synchronous_commit = off")
    database = Database(postgres)
    async with database.read() as connection:
        assert (await connection.exec_driver_sql("SHOW synchronous_commit")).scalar() == "on"
    await database.close()


async def test_the_server_crashes_in_the_middle_and_comes_back(database: Database, postgres_server: Postgres) -> None:
    try:
        with fails_as("store_unavailable"):
            async with database.write() as connection:
                await connection.exec_driver_sql("INSERT INTO note VALUES ('lost')")
                postgres_server.stop(signal.SIGQUIT)
                await connection.exec_driver_sql("INSERT INTO note VALUES ('lost too')")
        with fails_as("store_unavailable"):
            await write(database, "lost")
        with fails_as("store_unavailable"):
            await notes(database)
    finally:
        postgres_server.start()
    await write(database, "kept")
    assert await notes(database) == ["kept"]


async def test_a_commit_that_was_not_answered_is_no_success(database: Database, postgres_server: Postgres) -> None:
    try:
        with fails_as("store_unavailable"):
            async with database.write() as connection:
                await connection.exec_driver_sql("INSERT INTO note VALUES ('lost')")
                postgres_server.stop(signal.SIGQUIT)
    finally:
        postgres_server.start()
    assert await notes(database) == []


async def test_connections_that_died_while_nobody_used_them_are_replaced(
    database: Database, postgres_server: Postgres
) -> None:
    async with database.read(), database.read():
        pass
    postgres_server.stop()
    postgres_server.start()
    await write(database, "kept")
    assert await notes(database) == ["kept"]


async def test_encryption_is_asked_for_in_the_words_of_libpq(postgres: str) -> None:
    for mode, code in (("disable", None), ("prefer", None), ("require", "store_unavailable")):  # ours speaks no TLS
        database = Database(f"{postgres}?sslmode={mode}")
        with fails_as(code) if code else nullcontext():
            await database.ping()
        await database.close()


async def test_nobody_listens() -> None:
    database = Database(f"postgresql://keshi@127.0.0.1:{free_port()}/keshi")
    with fails_as("store_unavailable"):
        await database.ping()
    with fails_as("store_unavailable"):
        await database.migrate()
    await database.close()


async def test_a_wrong_password_a_missing_database_and_missing_rights_are_refusals(
    postgres: str, postgres_server: Postgres
) -> None:
    head, _, tail = postgres.rpartition("@")
    name = tail.rpartition("/")[2]
    guest = name.replace("test_", "guest_")
    postgres_server.run(name, f"CREATE ROLE {guest} LOGIN PASSWORD 'guest'")
    wrong = f"{head.rpartition(':')[0]}:wrong@{tail}"
    try:
        for url in (wrong, postgres + "_missing", f"postgresql://{guest}:guest@{tail}"):
            database = Database(url)
            with fails_as("store_refused"):
                await database.migrate()
            await database.close()
    finally:
        postgres_server.run(name, f"DROP ROLE {guest}")


async def test_all_connections_are_in_use(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "POOL_SIZE", 2)
    monkeypatch.setattr(engines, "POOL_TIMEOUT_S", 0.1)
    database = Database(postgres)
    async with database.read(), database.read():
        with fails_as("store_unavailable"):
            async with database.read():
                pass
    await database.ping()
    await database.close()


async def test_a_full_disk_is_named_and_nothing_of_the_write_is_kept(database: Database) -> None:
    full = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
    with fails_as("disk_full"):
        async with database.write() as connection:
            await connection.exec_driver_sql("INSERT INTO note VALUES ('lost')")
            await connection.exec_driver_sql(full)  # as the server says it
    await write(database, "kept")
    assert await notes(database) == ["kept"]


@pytest.mark.parametrize("unfit", ["ten letters", "a\0b"])
async def test_what_cannot_be_stored_is_a_bad_request_without_the_value(database: Database, unfit: str) -> None:
    with pytest.raises(DomainError, match="bad_request") as refused:
        await write(database, unfit)
    assert unfit not in "".join(traceback.format_exception(refused.value, limit=0))


async def test_a_value_of_the_wrong_kind_is_not_repeated_in_the_error(database: Database) -> None:
    with pytest.raises(DomainError, match="bad_request") as failed:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO note VALUES (:note)"), {"note": {"name": "zhangsan"}})
    assert "zhangsan" not in "".join(traceback.format_exception(failed.value, limit=0))
