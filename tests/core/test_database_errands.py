"""Statements on SQLite go once: all rows come back, long answers in parts; what a read owes begins it, and only it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server.core.database import Database, sqlite_url
from server.core.database.errands import FIRST_ROWS, Errands

ADD = text("INSERT INTO note VALUES (:number)")
ALL = text("SELECT number FROM note ORDER BY number")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(sqlite_url(tmp_path / "store.db"))
    async with made.write() as connection:
        await connection.execute(text("CREATE TABLE note (number INTEGER PRIMARY KEY)"))
    yield made
    await made.close()


async def fill(database: Database, count: int) -> None:
    async with database.write() as connection:
        if count:
            await connection.execute(ADD, [{"number": number} for number in range(count)])


@pytest.mark.parametrize("count", [0, 1, FIRST_ROWS - 1, FIRST_ROWS, FIRST_ROWS + 1, 3 * FIRST_ROWS])
async def test_every_row_comes_back_once_and_in_order(database: Database, count: int) -> None:
    await fill(database, count)
    async with database.read() as connection:
        assert (await connection.execute(ALL)).scalars().all() == list(range(count))
        streamed = await connection.stream(ALL)
        assert [row[0] async for row in streamed] == list(range(count))
        streamed = await connection.stream(ALL)
        pages = [len(page) async for page in streamed.partitions(700)]
        assert sum(pages) == count
        one = await connection.stream(ALL)
        assert (await one.fetchone() is None) == (count == 0)
        await one.close()  # with what is left
        assert (await connection.execute(text("SELECT count(*) FROM note"))).scalar_one() == count


async def test_a_small_read_goes_twice_and_a_write_once_for_each_statement(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[str] = []
    run = Errands.run

    async def counted(self: Errands, what: object, *given: object) -> object:
        went.append(str(given[1] if len(given) > 1 else what))
        return await run(self, what, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Errands, "run", counted)
    async with database.read() as connection:
        assert (await connection.execute(ALL)).all() == []
    assert [one.split(" ")[0] for one in went] == ["SELECT", "<method"]  # rolled back
    went.clear()
    async with database.write() as connection:
        await connection.execute(ADD, {"number": 1})
    assert [one.split(" ")[0] for one in went] == ["BEGIN", "INSERT", "<method"]
    went.clear()
    async with database.read():
        pass
    assert went == []  # nothing was read: nothing had begun


async def test_whoever_is_cut_off_leaves_no_transaction_behind(database: Database) -> None:
    """Also when the thread begins it after they are gone."""
    for turns in range(12):
        written = asyncio.create_task(fill(database, 1))
        for _ in range(turns):
            await asyncio.sleep(0)
        written.cancel()
        await asyncio.gather(written, return_exceptions=True)
        async with database.write() as connection:
            await connection.execute(text("DELETE FROM note"))
    for _ in range(20):  # every connection of the pool
        await fill(database, 1)
        async with database.write() as connection:
            assert (await connection.execute(text("DELETE FROM note"))).rowcount == 1


async def test_a_read_sees_one_moment(database: Database) -> None:
    async with database.read() as connection:
        assert (await connection.execute(ALL)).all() == []
        await fill(database, 3)
        assert (await connection.execute(ALL)).all() == []
    async with database.read() as connection:
        assert len((await connection.execute(ALL)).all()) == 3


async def test_what_one_read_owed_is_not_of_the_next(database: Database) -> None:
    """The pool gives the same connection to both."""
    async with database.read():
        pass
    await fill(database, 1)
    async with database.read() as connection:
        assert (await connection.execute(ALL)).scalars().all() == [0]


async def test_a_statement_that_fails_leaves_the_connection_as_it_was(database: Database) -> None:
    async with database.read() as connection:
        with pytest.raises(OperationalError, match="no such table"):
            await connection.execute(text("SELECT * FROM nowhere"))
        assert (await connection.execute(ALL)).all() == []
    await fill(database, 2)
    async with database.read() as connection:
        assert (await connection.execute(ALL)).scalars().all() == [0, 1]


async def test_what_a_write_changed_is_counted(database: Database) -> None:
    await fill(database, 5)
    async with database.write() as connection:
        changed = await connection.execute(text("DELETE FROM note WHERE number > 2"))
        assert changed.rowcount == 2
        added = await connection.execute(ADD, {"number": 9})
        assert added.lastrowid == 9
        assert (await connection.execute(text("DELETE FROM note RETURNING number"))).all() == [(0,), (1,), (2,), (9,)]
