"""Decides how a statement reaches the thread of a SQLite connection and comes back with its rows: in one errand.

aiosqlite sends four for each (a cursor, the statement, its rows, the end of the cursor), and each of them has the event
loop wait for a thread and the thread for the interpreter's lock; here that is what a small read costs most.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Self

import aiosqlite

#: rows that come back with the statement; what is left of a longer answer is fetched as it is asked for
FIRST_ROWS: Final = 1_000


class Errands(aiosqlite.Connection):
    """A connection whose cursors go once. What is `owed` is executed before the next statement, in its errand."""

    def __init__(self, file: str, **options: Any) -> None:
        super().__init__(lambda: sqlite3.connect(Path(file), **options), FIRST_ROWS)
        self._thread.daemon = True  # as SQLAlchemy has it: an exit does not wait for a connection that nobody closed
        self._owed: list[str] = []
        self._unsure = False

    def owe(self, statement: str) -> None:
        """Execute a statement that nothing depends on before the next one is executed."""
        self._owed.append(statement)

    def cursor(self) -> "Cursor":  # type: ignore[override]  # SQLAlchemy enters it, nobody awaits it
        """A cursor that exists once it has something to do."""
        return Cursor(self)

    async def commit(self) -> None:
        """Keep what was written."""
        await self._end(sqlite3.Connection.commit)

    async def rollback(self) -> None:
        """Forget what was written."""
        await self._end(sqlite3.Connection.rollback)

    async def _end(self, how: Any) -> None:
        self._owed.clear()
        if self._unsure or self.in_transaction:
            await self.run(how, self._conn)
            self._unsure = False

    async def run(self, what: Callable[..., Any], *given: Any) -> Any:
        """Have the thread do something. Whoever is cut off meanwhile cannot know whether it is done, or will be."""
        unsure, self._unsure = self._unsure, True
        done = await self._execute(what, *given)  # type: ignore[no-untyped-call]
        self._unsure = unsure
        return done

    def go(self, method: str, statement: str, parameters: Any) -> tuple[sqlite3.Cursor, list[Any], bool]:
        """In the thread: the cursor, its first rows, and whether these are all."""
        for owed in self._owed:
            self._conn.execute(owed)
        self._owed.clear()
        cursor = self._conn.cursor()
        getattr(cursor, method)(statement, parameters)
        rows = cursor.fetchmany(FIRST_ROWS) if cursor.description else []
        if whole := len(rows) < FIRST_ROWS:
            cursor.close()
        return cursor, rows, whole


class Cursor:
    """What SQLAlchemy asks of a cursor, of one statement."""

    def __init__(self, connection: Errands) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: list[Any] = []
        self._whole = True
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        """One statement with its first rows."""
        await self._go("execute", statement, parameters)

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> None:
        """One statement for each of the parameters."""
        await self._go("executemany", statement, parameters)

    async def fetchone(self) -> Any:
        """The next row, None after the last."""
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """Up to `size` rows, none after the last."""
        wanted = self.arraysize if size is None else size
        taken, self._rows = self._rows[:wanted], self._rows[wanted:]
        if not taken and not self._whole and self._cursor:
            taken = await self._connection.run(self._cursor.fetchmany, wanted)
        return taken

    async def fetchall(self) -> Sequence[Any]:
        """All rows that are left."""
        taken, self._rows = self._rows, []
        if not self._whole and self._cursor:
            taken += await self._connection.run(self._cursor.fetchall)
        return taken

    async def __aiter__(self) -> AsyncIterator[Any]:
        while rows := await self.fetchmany(FIRST_ROWS):
            for row in rows:
                yield row

    async def close(self) -> None:
        """Let go of what was not fetched."""
        if not self._whole and self._cursor:
            await self._connection.run(self._cursor.close)

    @property
    def description(self) -> Any:
        """The columns, None for a statement without any."""
        return self._cursor and self._cursor.description

    @property
    def rowcount(self) -> int:
        """How many rows a statement has changed."""
        return -1 if self._cursor is None else self._cursor.rowcount

    @property
    def lastrowid(self) -> Any:
        """The id of the row that was added last."""
        return self._cursor and self._cursor.lastrowid

    async def _go(self, method: str, statement: str, parameters: Any) -> None:
        await self.close()
        self._cursor, self._rows, self._whole = await self._connection.run(
            self._connection.go, method, statement, parameters
        )
