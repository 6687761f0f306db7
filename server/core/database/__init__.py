"""Decides how rows are stored: SQLite or PostgreSQL, short transactions, and a disposition for every column.

The only place besides the records rooms that knows SQLAlchemy.

**Who writes when.** In SQLite there is one writer at a time, so a write that reads first reads what is true. PostgreSQL
gives the same by one mechanism: advisory locks that end with the transaction. `write()` has the store to itself.
`write("lease:…", …)` names what it rests on (all that it reads before it writes) and shares the store with writes of
other names, but with none of the same name and none without a name. Whoever forgets a name is slower, never wrong; on
SQLite names change nothing. Locks are taken before anything is read, all at once and in one order, under READ
COMMITTED, so that each statement sees what was committed before; keys and constraints refuse what slips through anyway.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.core.database.columns import ERASE, MASK, RETAIN, Disposition, column, metadata
from server.core.database.engines import BUSY_TIMEOUT_MS, open_engine, sqlite_url
from server.core.database.failures import connecting
from server.core.errors import DomainError

__all__ = [
    "BUSY_TIMEOUT_MS",
    "ERASE",
    "MASK",
    "MIGRATIONS",
    "RETAIN",
    "Database",
    "Disposition",
    "alembic_config",
    "column",
    "metadata",
    "sqlite_url",
]

MIGRATIONS: Final = Path(__file__).resolve().parents[3] / "migrations"
#: taken alone by writes without a name and by migrations, shared by writes with one; "keshi" in ASCII
WHOLE_STORE: Final = 0x6B65736869
READING: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Database:
    """A store. `read()` and `write()` give connections in a transaction; `write()` commits when its block ends well.

    Both raise DomainError store_unavailable (nothing is lost: try again), store_refused, disk_full, bad_request.
    """

    def __init__(self, url: str) -> None:
        self.engine: AsyncEngine = open_engine(url)
        self._line = asyncio.Lock()

    @property
    def embedded(self) -> bool:
        """Whether it is a file of this house alone (SQLite), which one server at a time may use."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view of one moment; nothing written in it is kept."""
        async with AsyncExitStack() as stack:
            with connecting():
                connection = await stack.enter_async_context(self.engine.connect())
            if not self.embedded:
                await connection.execution_options(**READING)
            yield connection

    @asynccontextmanager
    async def write(self, *names: str) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end of the block, rolled back by any exception.

        `names` say what it rests on, see above; without any it is alone.
        """
        async with AsyncExitStack() as stack:
            with connecting():
                if self.embedded:
                    await self._first_come(stack)
                connection = await stack.enter_async_context(self.engine.connect())
            await connection.execution_options(keshi_write=True)
            async with connection.begin():
                await self._lock(connection, names)
                yield connection

    async def migrate(self) -> None:
        """Bring the tables up to date; several processes may try at once.

        Raises DomainError database_damaged, database_newer, and what write() raises.
        """
        try:
            async with self.write() as connection:
                await connection.run_sync(_upgrade)
        except CommandError as error:
            raise DomainError("database_newer") from error
        except DatabaseError as error:
            raise DomainError("database_damaged", reason=str(error.orig)) from error

    async def ping(self) -> None:
        """Raises whatever keeps the store from answering."""
        async with self.read() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    async def _first_come(self, stack: AsyncExitStack) -> None:
        """Wait in line: SQLite lets whoever asks at the right moment write first, however long others have waited."""
        async with asyncio.timeout(BUSY_TIMEOUT_MS / 1_000):
            await stack.enter_async_context(self._line)

    async def _lock(self, connection: AsyncConnection, names: tuple[str, ...]) -> None:
        if self.embedded:
            return
        shared = "_shared" if names else ""
        wanted = [f"pg_advisory_xact_lock{shared}({WHOLE_STORE})"]
        wanted += [f"pg_advisory_xact_lock({key})" for key in sorted(set(map(_key, names)))]
        await connection.execute(text(f"SELECT {', '.join(wanted)}"))  # numbers of our own making


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for our migrations over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    config = alembic_config(connection)
    ScriptDirectory.from_config(config)
    command.upgrade(config, "head")


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
